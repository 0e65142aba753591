// SPDX-License-Identifier: GPL-2.0
/*
 * SGIs, first tier: to vCPUs that run, this one among them, as many as are answered in a bounded
 * time. The rest is sgi.c's.
 */
#include <linux/irqchip/arm-gic-v3.h>

#include <keel/compat.h>

#include "internal.h"

static __always_inline bool sgi_may_send(struct keel_vcpu *vcpu, struct keel_vcpu *to)
{
	return to == vcpu || (to && READ_ONCE(to->mode) == VCPU_IN_GUEST);
}

static __always_inline void sgi_send(struct keel_vcpu *vcpu, struct keel_vcpu *to, u32 intid)
{
	struct vgic_irq *irq = &to->vgic.private[intid];
	struct vgic_home *home = &to->vgic.home;
	bool look;

	if (to == vcpu) {
		vgic_latch_own_el2(vcpu, irq);
		return;
	}
	el2_lock(&home->lock);
	vgic_irq_latch(irq);
	look = vgic_irq_requeue(home, irq, false);
	el2_unlock(&home->lock);
	if (look)
		vgic_tell_el2(vcpu, to);
}

/* All or none: what one of them is missing is not for the first tier. */
static noinline bool __el2 sgi_send_list(struct keel_vcpu *vcpu, u64 val, u32 intid)
{
	unsigned long targets = val & ICC_SGI1R_TARGET_LIST_MASK;
	struct keel_vcpu *to[VGIC_MAX_OWED];
	unsigned int i, n = 0;

	if (val & BIT_ULL(ICC_SGI1R_IRQ_ROUTING_MODE_BIT))
		return false;
	for (; targets; targets &= targets - 1) {
		if (n == VGIC_MAX_OWED)
			return false;
		to[n] = vgic_vcpu_guess(vcpu->vm, vgic_sgi_cluster(val) + __ffs(targets));
		if (!sgi_may_send(vcpu, to[n++]))
			return false;
	}
	for (i = 0; i < n; i++)
		sgi_send(vcpu, to[i], intid);
	return n;
}

/* A single target: as vgic_vcpu_guess(), by the register's value. NULL: another value. */
static __always_inline struct keel_vcpu *sgi_single(struct keel_vm *vm, u64 val)
{
	unsigned int id = __ffs(val) + (val >> (ICC_SGI1R_AFFINITY_1_SHIFT - 4) & 0xff0);
	struct keel_vcpu *to;

	/* Pairs with the store-release in vm_create_vcpu(): what is counted is there. */
	if (id >= smp_load_acquire(&vm->nr_vcpus))
		return NULL;
	to = vm->vcpus[array_index_nospec(id, KEEL_MAX_VCPUS)];
	return to->vgic.sgi1r == val ? to : NULL;
}

bool __el2 vgic_sgi_el2(struct keel_vcpu *vcpu, u64 val)
{
	u32 intid = (val & ICC_SGI1R_SGI_ID_MASK) >> ICC_SGI1R_SGI_ID_SHIFT;
	struct keel_vcpu *to;

	if (!READ_ONCE(vcpu->vm->vgic.ready) || !prda()->doorbell.el2)
		return false;
	to = sgi_single(vcpu->vm, val & ~ICC_SGI1R_SGI_ID_MASK);
	if (!to)
		return sgi_send_list(vcpu, val, intid);
	if (!sgi_may_send(vcpu, to))
		return false;
	sgi_send(vcpu, to, intid);
	return true;
}
