// SPDX-License-Identifier: GPL-2.0
/*
 * SGIs, first tier: one target, which is this vCPU or runs on another CPU. The rest is sgi.c's.
 */
#include <linux/irqchip/arm-gic-v3.h>
#include <linux/nospec.h>
#include <asm/cputype.h>

#include <keel/compat.h>
#include <keel/pnmi.h>

#include "internal.h"

/* ICC_SGI1R_EL1's affinity fields and the only target of its list, as vCPU ids are given out. */
static struct keel_vcpu * __el2 sgi_target(struct keel_vm *vm, u64 val)
{
	unsigned long targets = val & ICC_SGI1R_TARGET_LIST_MASK;
	u64 id;

	if (val & BIT_ULL(ICC_SGI1R_IRQ_ROUTING_MODE_BIT) || !targets || targets & (targets - 1))
		return NULL;
	id = vgic_affinity_id(vgic_sgi_cluster(val) + __ffs(targets));
	/* Pairs with the store-release in vm_create_vcpu(): what is counted is there. */
	if (id >= smp_load_acquire(&vm->nr_vcpus))
		return NULL;
	return vm->vcpus[array_index_nospec(id, KEEL_MAX_VCPUS)];
}

bool __el2 vgic_sgi_el2(struct keel_vcpu *vcpu, u64 val)
{
	struct keel_vcpu *to = sgi_target(vcpu->vm, val);
	struct prda *p = prda();
	struct vgic_irq *irq;
	bool look = false;

	if (!to || !READ_ONCE(vcpu->vm->vgic.ready) || !p->doorbell.el2)
		return false;
	/* Its affinity is what the guess took it for. */
	if ((to->state.reg[VCPU_MPIDR_EL1] ^
	     (vgic_sgi_cluster(val) + __ffs(val & ICC_SGI1R_TARGET_LIST_MASK))) & MPIDR_HWID_BITMASK)
		return false;
	if (to != vcpu && READ_ONCE(to->mode) != VCPU_IN_GUEST)
		return false;

	irq = vgic_irq_get(vcpu->vm, to, (val & ICC_SGI1R_SGI_ID_MASK) >> ICC_SGI1R_SGI_ID_SHIFT);
	el2_lock(&to->vgic.home.lock);
	vgic_irq_latch(irq);
	look = vgic_irq_requeue(&to->vgic.home, irq, false);
	el2_unlock(&to->vgic.home.lock);

	if (look && to == vcpu)
		vgic_refill_el2(vcpu, p);
	else if (look && !pnmi_ring_el2(to))
		vcpu->vgic.owes = to;
	return true;
}
