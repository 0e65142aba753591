// SPDX-License-Identifier: GPL-2.0
/* What a guest does to other vCPUs through its CPU interface: SGIs, and deactivation by number. */
#include <linux/irqchip/arm-gic-v3.h>

#include <keel/compat.h>

#include "internal.h"

/* ICC_SGI1R_EL1 may send SGIs of either group, the other two registers those of group 0 only. */
static void sgi_send(struct keel_vcpu *to, u32 intid, bool group1)
{
	struct vgic_irq *irq = vgic_irq_get(to->vm, to, intid);
	struct vgic_hold h = {};

	vgic_hold_irq(&h, irq);
	if (!irq->group || group1) {
		vgic_irq_latch(irq);
		vgic_hold_changed(&h, irq);
	}
	vgic_release(&h);
}

void vgic_sgi_write(struct keel_vcpu *vcpu, u64 val, bool group1)
{
	u32 intid = (val & ICC_SGI1R_SGI_ID_MASK) >> ICC_SGI1R_SGI_ID_SHIFT;
	unsigned long targets = val & ICC_SGI1R_TARGET_LIST_MASK;
	struct keel_vm *vm = vcpu->vm;
	struct keel_vcpu *to;
	unsigned int i;

	if (!READ_ONCE(vm->vgic.ready))
		return;
	if (val & BIT_ULL(ICC_SGI1R_IRQ_ROUTING_MODE_BIT)) {
		vm_for_each_vcpu(i, to, vm)
			if (to != vcpu)
				sgi_send(to, intid, group1);
		return;
	}
	for_each_set_bit(i, &targets, 16) {
		to = vgic_vcpu_by_affinity(vm, vgic_sgi_cluster(val) + i);
		if (to)
			sgi_send(to, intid, group1);
	}
}

/*
 * Trapped, because the interrupt may be in no list register, or (an SPI) active on another vCPU.
 * The vCPU's own list registers have been read back by now.
 */
void vgic_dir_write(struct keel_vcpu *vcpu, u64 val)
{
	struct vgic_irq *irq = vgic_irq_get(vcpu->vm, vcpu, val & GENMASK(23, 0));
	struct vgic_hold h = {};

	if (!READ_ONCE(vcpu->vm->vgic.ready) || !irq)
		return;
	vgic_hold_irq(&h, irq);
	vgic_irq_set_active(irq, false);
	vgic_hold_changed(&h, irq);
	vgic_release(&h);
}
