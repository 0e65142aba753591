// SPDX-License-Identifier: GPL-2.0
/*
 * List registers: which interrupts get one (fill), and what became of them (fold). Only the CPU
 * that has the vCPU loaded comes here: its thread with interrupts off, or the first tier.
 *
 * Overflow. The interface signals only the best pending interrupt, so it is right as long as that
 * one has a list register; the others there save exits. Interrupts that are active need none to be
 * correct either: a deactivation that finds no list register is counted (EOIcount), and
 * ICC_DIR_EL1, which may name any interrupt, is trapped. So with more interrupts than list
 * registers:
 *
 * - one list register at least is for the best pending one, the others prefer active ones, best
 *   first, because each deactivation outside costs an exit;
 * - pending ones outside: NPIE, an exit as soon as none in a list register is pending. UIE would
 *   fire when all but one list register are empty, which never happens while they hold active
 *   interrupts, and lets an interrupt wait that could preempt what the guest is doing;
 * - active ones outside: LRENPIE, an exit for each counted deactivation;
 * - a group that the guest's CPU interface has disabled gets no list register, which it would
 *   keep: an exit when a group is enabled or disabled (VGrp0EIE to VGrp1DIE).
 */
#include <keel/compat.h>

#include "internal.h"

/* ICH_HCR_EL2.VGrp<g>EIE, VGrp<g>DIE: an exit when group @g is enabled, disabled */
#define HCR_GROUP_ON(g)		BIT(4 + 2 * (g))
#define HCR_GROUP_OFF(g)	BIT(5 + 2 * (g))

/* In a list register of its own; the caller has room. Home locked. */
static void __el2 lr_put(struct vgic_vcpu *v, struct vgic_irq *irq)
{
	struct vgic_cpuif *c = &v->cpuif;
	u64 lr = irq->intid | (u64)vgic_irq_priority(irq) << ICH_LR_PRIORITY_SHIFT;
	bool pending = vgic_irq_deliverable(irq, v->home.vcpu->vm);

	if (irq->group)
		lr |= ICH_LR_GROUP;
	/*
	 * Pending again while active: an edge can say so in the list register. A level is looked at
	 * when it is deactivated, which a host interrupt tells by itself; for others ask for an
	 * exit then.
	 */
	irq->lr_pending = pending && !(irq->active && (!irq->edge || irq->mapped));
	if (irq->active)
		lr |= ICH_LR_ACTIVE_BIT;
	if (irq->lr_pending)
		lr |= ICH_LR_PENDING_BIT;
	if (irq->mapped)
		lr |= ICH_LR_HW | (u64)irq->host_intid << ICH_LR_PHYS_ID_SHIFT;
	else if (!irq->edge && (irq->line || (pending && irq->active)))
		lr |= ICH_LR_EOI;

	vgic_irq_dequeue(irq);
	irq->in_lr = true;
	v->lr_irq[c->used_lrs] = irq;
	c->lr[c->used_lrs++] = lr;
}

/* The queue of the best pending interrupt of @groups (a bit each), or NULL. */
static struct vgic_queue * __el2 lr_best_ready(struct vgic_home *home, unsigned int groups)
{
	u32 map0 = groups & BIT(0) ? home->ready[0].map : 0;
	u32 map1 = groups & BIT(1) ? home->ready[1].map : 0;

	if (!map0 && !map1)
		return NULL;
	if (!map1 || (map0 && __ffs(map0) <= __ffs(map1)))
		return &home->ready[0];
	return &home->ready[1];
}

/*
 * The groups that the guest's CPU interface has enabled, and an exit when one is switched on, or
 * off to the other's good.
 */
static unsigned int __el2 lr_watch_groups(struct vgic_cpuif *c)
{
	u64 vmcr = vgic_vmcr_el2();
	bool on0 = vmcr & ICH_VMCR_ENG0_MASK, on1 = vmcr & ICH_VMCR_ENG1_MASK;

	if (on0 && on1)
		c->hcr |= HCR_GROUP_OFF(0) | HCR_GROUP_OFF(1);
	if (!on0)
		c->hcr |= HCR_GROUP_ON(0);
	if (!on1)
		c->hcr |= HCR_GROUP_ON(1);
	return (on0 ? BIT(0) : 0) | (on1 ? BIT(1) : 0);
}

/* What the guest did with @irq, seen in its list register. Home locked. */
static void __el2 lr_fold(struct vgic_vcpu *v, struct vgic_irq *irq, u64 lr)
{
	bool pending = lr & ICH_LR_PENDING_BIT;

	irq->in_lr = false;
	if (!irq->active_written)
		irq->active = lr & ICH_LR_ACTIVE_BIT;
	irq->active_written = false;
	/* Acknowledged: that used up the latch, but for what came since. */
	if (irq->lr_pending && !pending)
		irq->latch = false;
	irq->latch |= irq->again;
	irq->again = false;
	if (irq->mapped && !(lr & ICH_LR_STATE))
		irq->host_active = false;
	if (irq->raised && !irq->active && !irq->latch)
		irq->raised = false;
	/* Done with, and nothing new: in no queue, where it was not either. */
	if (!irq->active && !vgic_irq_pending(irq) && irq->target == &v->home)
		return;
	/* Not yet taken: stays before its equals. Done or raised anew: behind them. */
	vgic_irq_requeue(&v->home, irq, pending);
}

/*
 * Deactivations without a list register. With EOImode = 0 they come in the reverse order of
 * acknowledging, so they mean the best of those outside. With EOImode = 1 only ICC_DIR_EL1
 * deactivates, see vgic_dir_write(), and priority drops that some CPUs count too mean nothing.
 */
static void __el2 lr_fold_eoicount(struct vgic_vcpu *v)
{
	unsigned int n = v->cpuif.eoicount;
	struct vgic_irq *irq;

	v->cpuif.eoicount = 0;
	if (vgic_host.dir_trap && n && vgic_vmcr_el2() & ICH_VMCR_EOIM_MASK)
		return;
	while (n-- && (irq = vgic_queue_first(&v->home.active))) {
		irq->active = false;
		vgic_irq_requeue(&v->home, irq, false);
	}
}

void __el2 vgic_fold_el2(struct vgic_vcpu *v)
{
	struct vgic_cpuif *c = &v->cpuif;

	lr_fold_eoicount(v);
	/* Backwards, because each that is still pending goes to the head of its queue. */
	while (c->used_lrs) {
		c->used_lrs--;
		lr_fold(v, v->lr_irq[c->used_lrs], c->lr[c->used_lrs]);
	}
}

/* The first queue that has something; one has. */
static struct vgic_queue * __el2 queue_in_use(struct vgic_home *home)
{
	if (home->active.map)
		return &home->active;
	return home->ready[1].map ? &home->ready[1] : &home->ready[0];
}

void __el2 vgic_fill_el2(struct vgic_vcpu *v)
{
	struct vgic_cpuif *c = &v->cpuif;
	struct vgic_home *home = &v->home;
	unsigned int max = vgic_host.nr_lrs, max_active, groups = BIT(0) | BIT(1);
	struct vgic_queue *ready;

	c->hcr = ICH_HCR_EN;
	if (home->nr == 1) {
		lr_put(v, vgic_queue_first(queue_in_use(home)));
		return;
	}
	if (home->nr > max)
		groups = lr_watch_groups(c);
	max_active = lr_best_ready(home, groups) ? max - 1 : max;
	while (c->used_lrs < max_active && home->active.map)
		lr_put(v, vgic_queue_first(&home->active));
	while (c->used_lrs < max && (ready = lr_best_ready(home, groups)))
		lr_put(v, vgic_queue_first(ready));
	if (lr_best_ready(home, groups))
		c->hcr |= ICH_HCR_NPIE;
	if (home->active.map)
		c->hcr |= ICH_HCR_LRENPIE;
}

void __el2 vgic_open_el2(struct keel_vcpu *vcpu, struct prda *p)
{
	vgic_leave_el2(vcpu, p);
	el2_lock(&vcpu->vgic.home.lock);
	vgic_fold_el2(&vcpu->vgic);
}

static void __el2 unlock_and_enter(struct keel_vcpu *vcpu, struct prda *p)
{
	struct vgic_home *home = &vcpu->vgic.home;

	if (!list_empty(&home->leaving))
		vcpu->vgic.owes = true;
	el2_unlock(&home->lock);
	vgic_enter_el2(vcpu, p);
}

void __el2 vgic_close_el2(struct keel_vcpu *vcpu, struct prda *p)
{
	vgic_fill_el2(&vcpu->vgic);
	unlock_and_enter(vcpu, p);
}

/* If it is the only one the queues, which would give it back at once, need not know. */
void __el2 vgic_close_with_el2(struct keel_vcpu *vcpu, struct prda *p, struct vgic_irq *irq)
{
	struct vgic_vcpu *v = &vcpu->vgic;

	if (v->home.nr || irq->active || irq->target != &v->home ||
	    !vgic_irq_deliverable(irq, vcpu->vm)) {
		vgic_irq_requeue(&v->home, irq, false);
		vgic_close_el2(vcpu, p);
		return;
	}
	v->cpuif.hcr = ICH_HCR_EN;
	lr_put(v, irq);
	unlock_and_enter(vcpu, p);
}

/*
 * The list registers hold what was filled in at the last entry, the queues what came since: the
 * same as leaving the guest and entering it.
 */
void __el2 vgic_refill_el2(struct keel_vcpu *vcpu, struct prda *p)
{
	vgic_open_el2(vcpu, p);
	vgic_close_el2(vcpu, p);
}

void __el2 vgic_fired_el2(struct keel_vcpu *vcpu, struct prda *p, bool level)
{
	struct vgic_irq *irq = vcpu->vgic.mapped;

	vgic_leave_el2(vcpu, p);
	el2_lock(&vcpu->vgic.home.lock);
	/* The line fell, or the host's interrupt would not have come again. */
	irq->line = false;
	vgic_fold_el2(&vcpu->vgic);
	irq->host_active = true;
	irq->line = level;
	vgic_close_with_el2(vcpu, p, irq);
}

void __el2 vgic_tell_el2(struct keel_vcpu *vcpu, struct keel_vcpu *to)
{
	struct vgic_vcpu *v = &vcpu->vgic;

	if (vcpu_ring_el2(to))
		return;
	v->owes = true;
	v->owed[v->nr_owed++] = to;
}

/*
 * As vgic_pending(), with list registers: pending ones of an enabled group that the priority mask
 * lets through. What runs now is not asked; a WFI may end at any time (Arm ARM D1.6.2).
 */
bool __el2 vgic_wakes_el2(struct keel_vcpu *vcpu)
{
	struct vgic_cpuif *c = &vcpu->vgic.cpuif;
	u64 vmcr = vgic_vmcr_el2();
	u64 pmr = (vmcr & ICH_VMCR_PMR_MASK) >> ICH_VMCR_PMR_SHIFT;
	struct prda *p = prda();
	unsigned int i;

	if (READ_ONCE(vcpu->vgic.home.nr)) {
		vgic_refill_el2(vcpu, p);
		if (vcpu->vgic.owes)
			return false;
	}
	vgic_lrs_read_el2(vcpu);
	for (i = 0; i < c->used_lrs; i++) {
		u64 lr = c->lr[i];
		u64 enabled = lr & ICH_LR_GROUP ? ICH_VMCR_ENG1_MASK : ICH_VMCR_ENG0_MASK;

		if ((lr & ICH_LR_STATE) == ICH_LR_PENDING_BIT && vmcr & enabled &&
		    (lr & ICH_LR_PRIORITY_MASK) >> ICH_LR_PRIORITY_SHIFT < pmr)
			return true;
	}
	return false;
}
