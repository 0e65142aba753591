// SPDX-License-Identifier: GPL-2.0
/*
 * Registers by description (struct vgic_reg): the search, the cutting into fields, and the fields
 * that distributor and redistributors share. What has no row, or is accessed in a size that its row
 * does not allow or not at a multiple of its size, is RAZ/WI: Arm IHI 0069 12.1 leaves it
 * UNPREDICTABLE or IMPLEMENTATION DEFINED.
 */
#include <linux/irqchip/arm-gic-v3.h>

#include <keel/compat.h>

#include "internal.h"

static u64 get_group(const struct vgic_irq *irq)
{
	return irq->group;
}

static bool set_group(struct keel_vm *vm, struct vgic_irq *irq, u64 val)
{
	bool changed = irq->group != val;

	irq->group = val;
	return changed;
}

static u64 get_enabled(const struct vgic_irq *irq)
{
	return irq->enabled;
}

static bool set_enabled(struct keel_vm *vm, struct vgic_irq *irq, u64 val)
{
	bool changed = !irq->enabled;

	irq->enabled = true;
	return changed;
}

static bool clear_enabled(struct keel_vm *vm, struct vgic_irq *irq, u64 val)
{
	bool changed = irq->enabled;

	irq->enabled = false;
	return changed;
}

static u64 get_pending(const struct vgic_irq *irq)
{
	return vgic_irq_pending(irq);
}

static bool set_pending(struct keel_vm *vm, struct vgic_irq *irq, u64 val)
{
	vgic_irq_latch(irq);
	return true;
}

/* A level stays pending while its input is up. */
static bool clear_pending(struct keel_vm *vm, struct vgic_irq *irq, u64 val)
{
	bool changed = irq->latch;

	irq->latch = false;
	irq->again = false;
	return changed;
}

static u64 get_active(const struct vgic_irq *irq)
{
	return irq->active;
}

bool vgic_irq_set_active(struct vgic_irq *irq, bool active)
{
	bool changed = irq->active != active || irq->in_lr;

	irq->active = active;
	irq->active_written = irq->in_lr;
	return changed;
}

static bool set_active(struct keel_vm *vm, struct vgic_irq *irq, u64 val)
{
	return vgic_irq_set_active(irq, true);
}

static bool clear_active(struct keel_vm *vm, struct vgic_irq *irq, u64 val)
{
	return vgic_irq_set_active(irq, false);
}

static u64 get_priority(const struct vgic_irq *irq)
{
	return irq->priority;
}

static bool set_priority(struct keel_vm *vm, struct vgic_irq *irq, u64 val)
{
	u8 old = irq->priority;

	irq->priority = val & ~(256 / VGIC_LEVELS - 1);
	return irq->priority != old;
}

/* Int_config[1]: 1 edge, 0 level; bit 0 is RES0. */
static u64 get_config(const struct vgic_irq *irq)
{
	return irq->edge ? 2 : 0;
}

/* SGIs are edge-triggered by definition; the PPIs' inputs are levels, and ours to define. */
static bool set_config(struct keel_vm *vm, struct vgic_irq *irq, u64 val)
{
	bool edge = val & 2, changed = irq->edge != edge;

	if (irq->intid < VGIC_NR_PRIVATE)
		return false;
	irq->edge = edge;
	return changed;
}

/*
 * One row for all frames: the distributor has interrupts from 32 here, a redistributor those below.
 */
static const struct vgic_reg irq_regs[] = {
	{ GICD_IGROUPR, 128, 1, 4, .get = get_group, .set = set_group },
	{ GICD_ISENABLER, 128, 1, 4, .ones = true, .get = get_enabled, .set = set_enabled },
	{ GICD_ICENABLER, 128, 1, 4, .ones = true, .get = get_enabled, .set = clear_enabled },
	{ GICD_ISPENDR, 128, 1, 4, .ones = true, .sync = true,
	  .get = get_pending, .set = set_pending },
	{ GICD_ICPENDR, 128, 1, 4, .ones = true, .sync = true,
	  .get = get_pending, .set = clear_pending },
	{ GICD_ISACTIVER, 128, 1, 4, .ones = true, .sync = true,
	  .get = get_active, .set = set_active },
	{ GICD_ICACTIVER, 128, 1, 4, .ones = true, .sync = true,
	  .get = get_active, .set = clear_active },
	{ GICD_IPRIORITYR, 1024, 8, 1 | 4, .get = get_priority, .set = set_priority },
	{ GICD_ICFGR, 256, 2, 4, .get = get_config, .set = set_config },
};

static const struct vgic_reg *reg_find(const struct vgic_reg *regs, unsigned int nr, u64 offset)
{
	unsigned int lo = 0, hi = nr;

	while (lo < hi) {
		unsigned int mid = lo + (hi - lo) / 2;
		const struct vgic_reg *r = &regs[mid];

		if (offset < r->offset)
			hi = mid;
		else if (offset >= r->offset + r->len)
			lo = mid + 1;
		else
			return r;
	}
	return NULL;
}

static const struct vgic_reg *frame_find(const struct vgic_frame *f, u64 offset, unsigned int len)
{
	const struct vgic_reg *r = reg_find(f->regs, f->nr, offset);

	if (!r && f->irqs)
		r = reg_find(irq_regs, ARRAY_SIZE(irq_regs), offset);
	return r && r->access & len && IS_ALIGNED(offset, len) ? r : NULL;
}

/*
 * An access as fields of interrupts: which, how many bits of each, and where it begins in the field
 * (not at 0 only for the upper half of a 64-bit one).
 */
struct access {
	u32 first;
	u32 nr;
	u32 width;
	u32 shift;
};

static struct access access_cut(const struct vgic_reg *r, u64 offset, unsigned int len)
{
	u32 bit = (offset - r->offset) * 8;

	return (struct access) {
		.first = bit / r->bits,
		.nr = max(len * 8 / r->bits, 1U),
		.width = min_t(u32, r->bits, len * 8),
		.shift = bit % r->bits,
	};
}

static u64 access_mask(const struct access *a)
{
	return GENMASK_ULL(a->width - 1, 0);
}

/* Affinity routing is always on: what one kind of frame has is RAZ/WI in the other. */
static struct vgic_irq *reg_irq(struct keel_vcpu *vcpu, struct keel_vcpu *of, u32 intid)
{
	if (of && intid >= VGIC_NR_PRIVATE)
		return NULL;
	return vgic_irq_get(vcpu->vm, of, intid);
}

/* Get what is in list registers of other vCPUs: they leave the guest, and fold on the way. */
static void reg_sync(struct keel_vcpu *vcpu, struct keel_vcpu *of, const struct access *a)
{
	bool wait = false;
	u32 i;

	for (i = 0; i < a->nr; i++) {
		struct vgic_irq *irq = reg_irq(vcpu, of, a->first + i);
		struct vgic_home *home;

		if (!irq || !READ_ONCE(irq->in_lr))
			continue;
		home = READ_ONCE(irq->home);
		if (!home->vcpu)
			continue;
		vcpu_request(home->vcpu, VCPU_REQ_IRQ);
		wait = true;
	}
	if (wait)
		vm_guest_barrier(vcpu->vm);
}

u64 vgic_frame_read(struct keel_vcpu *vcpu, struct keel_vcpu *of, const struct vgic_frame *f,
		    u64 offset, unsigned int len)
{
	const struct vgic_reg *r = frame_find(f, offset, len);
	struct vgic_hold h = {};
	struct access a;
	u64 val = 0;
	u32 i;

	if (!r)
		return 0;
	if (!r->bits) {
		if (!r->read)
			return 0;
		val = r->read(of ?: vcpu) >> (offset - r->offset) * 8;
		return len == 8 ? val : (u32)val;
	}
	a = access_cut(r, offset, len);
	if (r->sync)
		reg_sync(vcpu, of, &a);
	for (i = 0; i < a.nr; i++) {
		struct vgic_irq *irq = reg_irq(vcpu, of, a.first + i);

		if (!irq)
			continue;
		vgic_hold_irq(&h, irq);
		val |= (r->get(irq) >> a.shift & access_mask(&a)) << i * a.width;
	}
	vgic_release(&h);
	return val;
}

static void irq_write(struct keel_vm *vm, struct vgic_hold *h, struct vgic_irq *irq,
		      const struct vgic_reg *r, const struct access *a, u64 val)
{
	vgic_hold_irq(h, irq);
	if (a->width < r->bits)
		val = (r->get(irq) & ~(access_mask(a) << a->shift)) | val << a->shift;
	if (r->set(vm, irq, val))
		vgic_hold_changed(h, irq);
}

void vgic_frame_write(struct keel_vcpu *vcpu, struct keel_vcpu *of, const struct vgic_frame *f,
		      u64 offset, unsigned int len, u64 val)
{
	const struct vgic_reg *r = frame_find(f, offset, len);
	struct vgic_hold h = {};
	struct access a;
	u32 i;

	if (!r)
		return;
	if (!r->bits) {
		if (r->write)
			r->write(of ?: vcpu, val);
		return;
	}
	if (!r->set)
		return;
	a = access_cut(r, offset, len);
	for (i = 0; i < a.nr; i++) {
		u64 field = val >> i * a.width & access_mask(&a);
		struct vgic_irq *irq = reg_irq(vcpu, of, a.first + i);

		if (irq && (field || !r->ones))
			irq_write(vcpu->vm, &h, irq, r, &a, field);
	}
	vgic_release(&h);
	/* RWP reads as 0: by the time the guest goes on, no vCPU acts on the old state any more. */
	if (h.in_lr)
		vm_guest_barrier(vcpu->vm);
}

