// SPDX-License-Identifier: GPL-2.0
/* Accesses to the frames in the kernel; regs_el2.c has the registers, mmio_el2.c the short way. */
#include <linux/irqchip/arm-gic-v3.h>

#include <keel/compat.h>

#include "internal.h"

/* Get what is in list registers of other vCPUs: they leave the guest, and fold on the way. */
static void reg_sync(struct keel_vcpu *vcpu, struct keel_vcpu *of, const struct vgic_access *a)
{
	bool wait = false;
	u32 i;

	for (i = 0; i < a->nr; i++) {
		struct vgic_irq *irq = vgic_reg_irq(vcpu, of, a->first + i);
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

/*
 * @of: whose frame it is (a redistributor's vCPU), NULL for the distributor's. Waits until other
 * vCPUs have left the guest where they have the answer.
 */
static u64 frame_read(struct keel_vcpu *vcpu, struct keel_vcpu *of, const struct vgic_frame *f,
		      u64 offset, unsigned int len)
{
	const struct vgic_reg *r;
	struct vgic_hold h = {};
	struct vgic_access a;
	u64 val = 0;
	u32 i;

	if (!vgic_access_cut(&a, f, offset, len))
		return 0;
	r = a.reg;
	if (!r->bits)
		return vgic_reg_read(r, of ?: vcpu, offset, len);
	if (r->sync)
		reg_sync(vcpu, of, &a);
	for (i = 0; i < a.nr; i++) {
		struct vgic_irq *irq = vgic_reg_irq(vcpu, of, a.first + i);

		if (!irq)
			continue;
		vgic_hold_irq(&h, irq);
		val |= (r->get(irq) >> a.shift & a.mask) << i * a.width;
	}
	vgic_release(&h);
	return val;
}

static void irq_write(struct keel_vm *vm, struct vgic_hold *h, struct vgic_irq *irq,
		      const struct vgic_access *a, u64 val)
{
	const struct vgic_reg *r = a->reg;

	vgic_hold_irq(h, irq);
	if (a->width < r->bits)
		val = (r->get(irq) & ~(a->mask << a->shift)) | val << a->shift;
	if (r->set(vm, irq, val))
		vgic_hold_changed(h, irq);
}

static void frame_write(struct keel_vcpu *vcpu, struct keel_vcpu *of, const struct vgic_frame *f,
			u64 offset, unsigned int len, u64 val)
{
	struct vgic_hold h = {};
	struct vgic_access a;
	u32 i;

	if (!vgic_access_cut(&a, f, offset, len) || !a.reg->set)
		return;
	for (i = 0; i < a.nr; i++) {
		u64 field = val >> i * a.width & a.mask;
		struct vgic_irq *irq = vgic_reg_irq(vcpu, of, a.first + i);

		if (irq && (field || !a.reg->ones))
			irq_write(vcpu->vm, &h, irq, &a, field);
	}
	vgic_release(&h);
	/* RWP reads as 0: by the time the guest goes on, no vCPU acts on the old state any more. */
	if (h.in_lr)
		vm_guest_barrier(vcpu->vm);
}

/* --- the distributor --- */

#define CTLR_ENABLES	(GICD_CTLR_ENABLE_SS_G0 | GICD_CTLR_ENABLE_SS_G1)

static void irqs_requeue(struct vgic_irq *irqs, unsigned int nr)
{
	struct vgic_hold h = {};
	unsigned int i;

	for (i = 0; i < nr; i++) {
		/* Not for long. */
		if (i % 32 == 0)
			vgic_release(&h);
		vgic_hold_irq(&h, &irqs[i]);
		vgic_hold_changed(&h, &irqs[i]);
	}
	vgic_release(&h);
}

/*
 * A group opens or shuts: every interrupt may change its queue. Two writers at once are no matter,
 * each looks at all interrupts after its own store.
 */
static void ctlr_write(struct keel_vcpu *vcpu, u64 val)
{
	struct keel_vm *vm = vcpu->vm;
	struct keel_vcpu *v;
	unsigned int i;

	val &= CTLR_ENABLES;
	if (READ_ONCE(vm->vgic.ctlr) == val)
		return;
	WRITE_ONCE(vm->vgic.ctlr, val);
	vm_for_each_vcpu(i, v, vm)
		irqs_requeue(v->vgic.private, VGIC_NR_PRIVATE);
	irqs_requeue(vm->vgic.spi, vm->vgic.nr_spis);
	/* RWP reads as 0: what was shut is in no list register any more. */
	vm_request_all(vm, VCPU_REQ_IRQ, vcpu);
	vm_guest_barrier(vm);
}

static int dist_read(struct keel_vcpu *vcpu, struct mmio_region *r, u64 offset, unsigned int len,
		     u64 *val)
{
	*val = frame_read(vcpu, NULL, &vgic_dist_frame, offset, len);
	return 0;
}

static int dist_write(struct keel_vcpu *vcpu, struct mmio_region *r, u64 offset, unsigned int len,
		      u64 val)
{
	if (offset == GICD_CTLR && len == 4)
		ctlr_write(vcpu, val);
	else
		frame_write(vcpu, NULL, &vgic_dist_frame, offset, len, val);
	return 0;
}

const struct mmio_ops vgic_dist_ops = {
	.read = dist_read,
	.write = dist_write,
};

/* --- the redistributors --- */

static int redist_read(struct keel_vcpu *vcpu, struct mmio_region *r, u64 offset, unsigned int len,
		       u64 *val)
{
	*val = frame_read(vcpu, vgic_redist_vcpu(vcpu->vm, r->owner, offset),
			  vgic_redist_frame(offset), offset % VGIC_FRAME, len);
	return 0;
}

static int redist_write(struct keel_vcpu *vcpu, struct mmio_region *r, u64 offset,
			unsigned int len, u64 val)
{
	frame_write(vcpu, vgic_redist_vcpu(vcpu->vm, r->owner, offset),
		    vgic_redist_frame(offset), offset % VGIC_FRAME, len, val);
	return 0;
}

const struct mmio_ops vgic_redist_ops = {
	.read = redist_read,
	.write = redist_write,
};
