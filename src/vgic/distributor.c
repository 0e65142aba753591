// SPDX-License-Identifier: GPL-2.0
/*
 * The distributor's frame (Arm IHI 0069 12.9): GICv3 with one Security state, affinity routing
 * always on.
 */
#include <linux/irqchip/arm-gic-v3.h>

#include <keel/compat.h>

#include "internal.h"

#define CTLR_ENABLES	(GICD_CTLR_ENABLE_SS_G0 | GICD_CTLR_ENABLE_SS_G1)

static u64 ctlr_read(struct keel_vcpu *vcpu)
{
	return READ_ONCE(vcpu->vm->vgic.ctlr) | GICD_CTLR_ARE_NS | GICD_CTLR_DS;
}

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

/* INTIDs of 10 bits, no LPIs, no message-based SPIs, no Aff3, 1-of-N routing. */
static u64 typer_read(struct keel_vcpu *vcpu)
{
	unsigned int nr = DIV_ROUND_UP(vcpu->vm->vgic.nr_spis + VGIC_NR_PRIVATE, 32);

	return (nr - 1) | (10 - 1) << 19;
}

static u64 iidr_read(struct keel_vcpu *vcpu)
{
	return VGIC_IIDR;
}

static u64 pidr2_read(struct keel_vcpu *vcpu)
{
	return VGIC_PIDR2;
}

static u64 get_router(const struct vgic_irq *irq)
{
	return irq->route;
}

static bool set_router(struct keel_vm *vm, struct vgic_irq *irq, u64 val)
{
	irq->route = val & (GICD_IROUTER_SPI_MODE_ANY | GENMASK_ULL(23, 0));
	irq->target = vgic_route(vm, irq->route);
	return true;
}

static const struct vgic_reg dist_regs[] = {
	{ GICD_CTLR, 4, 0, 4, .read = ctlr_read, .write = ctlr_write },
	{ GICD_TYPER, 4, 0, 4, .read = typer_read },
	{ GICD_IIDR, 4, 0, 4, .read = iidr_read },
	{ GICD_IROUTER, 1024 * 8, 64, 4 | 8, .get = get_router, .set = set_router },
	{ GICD_PIDR2, 4, 0, 4, .read = pidr2_read },
};

static const struct vgic_frame dist_frame = { dist_regs, ARRAY_SIZE(dist_regs), .irqs = true };

static int dist_read(struct keel_vcpu *vcpu, struct mmio_region *r, u64 offset, unsigned int len,
		     u64 *val)
{
	*val = vgic_frame_read(vcpu, NULL, &dist_frame, offset, len);
	return 0;
}

static int dist_write(struct keel_vcpu *vcpu, struct mmio_region *r, u64 offset, unsigned int len,
		      u64 val)
{
	vgic_frame_write(vcpu, NULL, &dist_frame, offset, len, val);
	return 0;
}

const struct mmio_ops vgic_dist_ops = {
	.read = dist_read,
	.write = dist_write,
};
