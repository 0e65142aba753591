// SPDX-License-Identifier: GPL-2.0
/* Between the queues and the list registers, on each way into the guest and out of it. */
#include <keel/compat.h>

#include "internal.h"

/* Apart, so that a pass without interrupts does not pay for its frame. */
static noinline void sync_lrs(struct vgic_vcpu *v)
{
	struct vgic_hold h = { .home = &v->home };

	h.flags = el2_lock_irqsave(&v->home.lock);
	el2_call(vgic_fold_el2, v);
	vgic_release(&h);
}

void vgic_sync(struct keel_vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;

	/* Who makes another vCPU's interrupts leave settles them; here are those of this pass. */
	if (v->cpuif.used_lrs || !list_empty(&v->home.leaving))
		sync_lrs(v);
}

void vgic_flush(struct keel_vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	unsigned long flags;

	v->cpuif.hcr = READ_ONCE(vcpu->vm->vgic.ready) ? ICH_HCR_EN : 0;
	/*
	 * Not locked: who fills a queue makes a request afterwards, and the last check before entry
	 * reads requests after this (vm/wake.c).
	 */
	if (!READ_ONCE(v->home.nr))
		return;
	flags = el2_lock_irqsave(&v->home.lock);
	el2_call(vgic_fill_el2, v);
	el2_unlock_irqrestore(&v->home.lock, flags);
}

bool vgic_may_reenter(struct keel_vcpu *vcpu)
{
	return !vcpu->vgic.owes && !(vcpu->vgic.cpuif.hcr & ICH_HCR_LRENPIE);
}

bool vgic_pay_owed(struct keel_vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;

	if (!v->owes)
		return false;
	v->owes = false;
	while (v->nr_owed)
		vcpu_request(v->owed[--v->nr_owed], VCPU_REQ_IRQ);
	if (v->settle)
		vgic_settle(v->settle);
	v->settle = NULL;
	return true;
}
