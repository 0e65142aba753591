// SPDX-License-Identifier: GPL-2.0
/*
 * The frames, first tier: reads, and writes that change one interrupt through a set or clear
 * register, which is what guests do at run time. Whatever needs another vCPU's list registers, all
 * of a register's interrupts at once or the whole distributor is for the second tier (regs.c).
 */
#include <keel/compat.h>

#include "internal.h"

#define MAX_REGIONS 4	/* of redistributors, that are looked at: the time is bounded */

struct place {
	const struct vgic_frame *frame;
	struct keel_vcpu *of;
	u64 offset;
};

static bool __el2 place_find(struct keel_vm *vm, struct ipa ipa, struct place *at)
{
	struct vgic_rd_region *rd;
	unsigned int n = 0;

	if (ipa.v - vm->vgic.dist_base.v < VGIC_FRAME) {
		*at = (struct place) { &vgic_dist_frame, NULL, ipa.v - vm->vgic.dist_base.v };
		return true;
	}
	/* Immutable once the vGIC is ready. */
	list_for_each_entry(rd, &vm->vgic.rd_regions, link) {
		u64 offset = ipa.v - rd->base.v;

		if (n++ == MAX_REGIONS)
			return false;
		if (offset >= (u64)rd->used * VGIC_RD_SIZE)
			continue;
		at->frame = vgic_redist_frame(offset);
		at->of = vgic_redist_vcpu(vm, rd, offset);
		at->offset = offset % VGIC_FRAME;
		return true;
	}
	return false;
}

/*
 * Without locks: a field is one load, and fields of several interrupts are a snapshot in no
 * machine. Pending and active of an interrupt in a list register are there.
 */
static bool __el2 access_read(struct keel_vcpu *vcpu, const struct place *at,
			      const struct vgic_access *a, u64 *val)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < a->nr; i++) {
		struct vgic_irq *irq = vgic_reg_irq(vcpu, at->of, a->first + i);

		if (!irq)
			continue;
		if (a->reg->sync && READ_ONCE(irq->in_lr))
			return false;
		sum |= (a->reg->get(irq) >> a->shift & a->mask) << i * a->width;
	}
	*val = sum;
	return true;
}

/* An interrupt of this vCPU: it may be in a list register, from which it is taken for that. */
static bool __el2 change_own(struct keel_vcpu *vcpu, struct vgic_irq *irq,
			     const struct vgic_reg *r)
{
	struct vgic_home *home = &vcpu->vgic.home;
	bool here;

	vgic_open_el2(vcpu);
	here = irq->home == home;
	if (here && r->set(vcpu->vm, irq, 1))
		vgic_irq_requeue(home, irq, false);
	vgic_close_el2(vcpu);
	/* Nothing is done: the leave alone settles what wants to leave. */
	if (!here)
		vcpu->vgic.owes = false;
	return here;
}

static bool __el2 change_other(struct keel_vcpu *vcpu, struct vgic_home *home,
			       struct vgic_irq *irq, const struct vgic_reg *r)
{
	bool look = false, here;

	el2_lock(&home->lock);
	here = irq->home == home && !irq->in_lr;
	if (here && r->set(vcpu->vm, irq, 1))
		look = vgic_irq_requeue(home, irq, false);
	if (here && !list_empty(&home->leaving)) {
		vcpu->vgic.owes = true;
		vcpu->vgic.settle = home;
	}
	el2_unlock(&home->lock);
	if (look)
		vgic_tell_el2(vcpu, home->vcpu);
	return here;
}

static bool __el2 access_write(struct keel_vcpu *vcpu, const struct place *at,
			       const struct vgic_access *a, u64 val)
{
	struct vgic_home *home;
	struct vgic_irq *irq;

	if (!a->reg->ones || val & (val - 1))
		return false;
	if (!val)
		return true;
	irq = vgic_reg_irq(vcpu, at->of, a->first + __ffs64(val));
	if (!irq)
		return true;
	home = READ_ONCE(irq->home);
	if (home == &vcpu->vgic.home)
		return change_own(vcpu, irq, a->reg);
	return change_other(vcpu, home, irq, a->reg);
}

bool __el2 vgic_mmio_el2(struct keel_vcpu *vcpu, struct ipa ipa, unsigned int len, bool write,
			 u64 *val)
{
	struct vgic_access a;
	struct place at;

	/* Pairs with the store-release in vgic_frames_register(): frames are where they stay. */
	if (!smp_load_acquire(&vcpu->vm->vgic.to) || !place_find(vcpu->vm, ipa, &at))
		return false;
	/* RAZ/WI, for one GICR_WAKER, which Linux looks at in each CPU_SUSPEND. */
	if (!vgic_access_cut(&a, at.frame, at.offset, len)) {
		*val = 0;
		return true;
	}
	if (!a.reg->bits) {
		if (!write)
			*val = vgic_reg_read(a.reg, at.of ?: vcpu, at.offset, len);
		return !write;
	}
	return write ? access_write(vcpu, &at, &a, *val) : access_read(vcpu, &at, &a, val);
}
