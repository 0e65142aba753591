// SPDX-License-Identifier: GPL-2.0
/*
 * SGIs, first tier: to vCPUs that run, this one among them, as many as are answered in a bounded
 * time. The rest is sgi.c's.
 */
#include <linux/irqchip/arm-gic-v3.h>

#include <keel/compat.h>

#include "internal.h"

static bool __el2 sgi_may_send(struct keel_vcpu *vcpu, struct keel_vcpu *to)
{
	return to == vcpu || (to && READ_ONCE(to->mode) == VCPU_IN_GUEST);
}

/* The vCPUs that @val names, to @to; 0: not for the first tier. */
static unsigned int __el2 sgi_targets(struct keel_vcpu *vcpu, u64 val, struct keel_vcpu **to)
{
	unsigned long targets = val & ICC_SGI1R_TARGET_LIST_MASK;
	u64 cluster = vgic_sgi_cluster(val);
	unsigned int n = 0;

	if (val & BIT_ULL(ICC_SGI1R_IRQ_ROUTING_MODE_BIT))
		return 0;
	for (; targets; targets &= targets - 1) {
		if (n == VGIC_MAX_OWED)
			return 0;
		to[n] = vgic_vcpu_guess(vcpu->vm, cluster + __ffs(targets));
		if (!sgi_may_send(vcpu, to[n++]))
			return 0;
	}
	return n;
}

static void __el2 sgi_send(struct keel_vcpu *vcpu, struct prda *p, struct keel_vcpu *to, u32 intid)
{
	struct vgic_irq *irq = vgic_irq_get(vcpu->vm, to, intid);
	struct vgic_home *home = &to->vgic.home;
	bool look;

	if (to == vcpu) {
		vgic_open_el2(vcpu, p);
		vgic_irq_latch(irq);
		vgic_close_with_el2(vcpu, p, irq);
		return;
	}
	el2_lock(&home->lock);
	vgic_irq_latch(irq);
	look = vgic_irq_requeue(home, irq, false);
	el2_unlock(&home->lock);
	if (look)
		vgic_tell_el2(vcpu, to);
}

bool __el2 vgic_sgi_el2(struct keel_vcpu *vcpu, u64 val)
{
	u32 intid = (val & ICC_SGI1R_SGI_ID_MASK) >> ICC_SGI1R_SGI_ID_SHIFT;
	struct keel_vcpu *to[VGIC_MAX_OWED];
	struct prda *p = prda();
	unsigned int i, n;

	if (!READ_ONCE(vcpu->vm->vgic.ready) || !p->doorbell.el2)
		return false;
	n = sgi_targets(vcpu, val, to);
	for (i = 0; i < n; i++)
		sgi_send(vcpu, p, to[i], intid);
	return n;
}
