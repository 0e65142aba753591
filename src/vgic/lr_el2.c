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

/*
 * In list register @n, the next one; it is in no queue. Home locked.
 * @pending: vgic_irq_deliverable()
 */
static __always_inline void lr_put(struct vgic_vcpu *v, unsigned int n, struct vgic_irq *irq,
				   bool pending)
{
	u64 lr = irq->lr;

	irq->lr_pending = pending;
	if (irq->active) {
		lr |= ICH_LR_ACTIVE_BIT;
		/*
		 * Pending again while active: an edge can say so in the list register. A level is
		 * looked at when it is deactivated, which a host interrupt tells by itself; for
		 * others ask for an exit then.
		 */
		irq->lr_pending = pending && irq->edge && !irq->mapped;
	}
	if (irq->lr_pending)
		lr |= ICH_LR_PENDING_BIT;
	if (!irq->edge && !irq->mapped && (irq->line || (pending && irq->active)))
		lr |= ICH_LR_EOI;

	irq->in_lr = true;
	v->lr_irq[n] = irq;
	v->cpuif.lr[n] = lr;
	v->cpuif.used_lrs = n + 1;
}

/* The first of a queue that has one. */
static void __el2 lr_take(struct vgic_vcpu *v, struct vgic_queue *q)
{
	struct vgic_irq *irq = vgic_queue_first(q);

	vgic_irq_dequeue(irq);
	lr_put(v, v->cpuif.used_lrs, irq, vgic_irq_deliverable(irq, v->home.vcpu->vm));
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

/* What makes an interrupt special (struct vgic_irq) has an end here. */
static __always_inline void lr_fold_special(struct vgic_irq *irq, u64 lr)
{
	if (!irq->active_written)
		irq->active = lr & ICH_LR_ACTIVE_BIT;
	irq->active_written = false;
	if (irq->raised && !irq->active && !irq->latch) {
		irq->raised = false;
		vgic_irq_describe(irq);
	}
}

/* What the guest did with @irq, seen in its list register; it is in no queue. Home locked. */
static __always_inline void lr_fold(struct vgic_irq *irq, u64 lr)
{
	/* Acknowledged: that used up the latch, but for what came since. */
	bool kept = !irq->lr_pending || lr & ICH_LR_PENDING_BIT;

	irq->in_lr = false;
	irq->latch = (irq->latch & kept) | irq->again;
	irq->again = false;
	if (irq->mapped && !(lr & ICH_LR_STATE))
		irq->host_active = false;
	if (unlikely(irq->special))
		lr_fold_special(irq, lr);
	else
		irq->active = lr & ICH_LR_ACTIVE_BIT;
}

/* Not yet taken: stays before its equals. Done or raised anew: behind them. */
static void __el2 lr_requeue(struct vgic_home *home, struct vgic_irq *irq, u64 lr)
{
	vgic_irq_requeue(home, irq, lr & ICH_LR_PENDING_BIT);
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

/*
 * What is in list registers but the first, backwards, because each that is still pending goes to
 * the head of its queue.
 */
static noinline void __el2 fold_others(struct vgic_vcpu *v)
{
	struct vgic_cpuif *c = &v->cpuif;
	unsigned int n;

	lr_fold_eoicount(v);
	for (n = c->used_lrs; n > 1; n--) {
		lr_fold(v->lr_irq[n - 1], c->lr[n - 1]);
		lr_requeue(&v->home, v->lr_irq[n - 1], c->lr[n - 1]);
	}
}

/*
 * The first list register's, which is in no queue yet when this returns: most often there is no
 * other, and no queue has to hear of it. NULL: there was none.
 */
static __always_inline struct vgic_irq *fold_all(struct vgic_vcpu *v)
{
	struct vgic_cpuif *c = &v->cpuif;

	if (unlikely(c->used_lrs > 1 || c->eoicount))
		fold_others(v);
	if (!c->used_lrs)
		return NULL;
	c->used_lrs = 0;
	lr_fold(v->lr_irq[0], c->lr[0]);
	return v->lr_irq[0];
}

void __el2 vgic_fold_el2(struct vgic_vcpu *v)
{
	struct vgic_irq *irq = fold_all(v);

	if (irq)
		lr_requeue(&v->home, irq, v->cpuif.lr[0]);
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
		lr_take(v, queue_in_use(home));
		return;
	}
	if (home->nr > max)
		groups = lr_watch_groups(c);
	max_active = lr_best_ready(home, groups) ? max - 1 : max;
	while (c->used_lrs < max_active && home->active.map)
		lr_take(v, &home->active);
	while (c->used_lrs < max && (ready = lr_best_ready(home, groups)))
		lr_take(v, ready);
	if (lr_best_ready(home, groups))
		c->hcr |= ICH_HCR_NPIE;
	if (home->active.map)
		c->hcr |= ICH_HCR_LRENPIE;
}

/* --- the first tier: the same as leaving the guest and entering it --- */

/* @hcr: cpuif.hcr as the CPU has it. The short way: one list register instead of another. */
static __always_inline void unlock_and_update(struct keel_vcpu *vcpu, u64 hcr)
{
	struct vgic_home *home = &vcpu->vgic.home;
	struct vgic_cpuif *c = &vcpu->vgic.cpuif;

	if (unlikely(!list_empty(&home->leaving)))
		vcpu->vgic.owes = true;
	el2_unlock(&home->lock);
	if (c->used_lrs == 1 && c->live_lrs == 1 && c->hcr == ICH_HCR_EN && hcr == ICH_HCR_EN)
		write_sysreg_s(c->lr[0], SYS_ICH_LR0_EL2);
	else
		vgic_update_el2(vcpu, hcr);
}

/* Apart, and last in their callers, which so need no frame for one interrupt. */
static noinline void __el2 close_queued(struct keel_vcpu *vcpu, struct vgic_irq *irq, bool head)
{
	u64 hcr = vcpu->vgic.cpuif.hcr;

	if (irq)
		vgic_irq_requeue(&vcpu->vgic.home, irq, head);
	vgic_fill_el2(&vcpu->vgic);
	unlock_and_update(vcpu, hcr);
}

/*
 * @irq, if there is one, is in no queue, and belongs to this home. If it is the only one it needs
 * none. Unlocks.
 */
static __always_inline void close_with(struct keel_vcpu *vcpu, struct vgic_irq *irq, bool head)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	u64 hcr = v->cpuif.hcr;
	bool pending;

	if (unlikely(v->home.nr || (irq && irq->target != &v->home))) {
		close_queued(vcpu, irq, head);
		return;
	}
	v->cpuif.hcr = ICH_HCR_EN;
	pending = irq && vgic_irq_deliverable(irq, vcpu->vm);
	if (pending || (irq && irq->active))
		lr_put(v, 0, irq, pending);
	unlock_and_update(vcpu, hcr);
}

/* Locks. What vgic_fold_el2() would put into a queue and what came there meanwhile are one. */
static __always_inline struct vgic_irq *open_for(struct keel_vcpu *vcpu)
{
	vgic_lrs_read_el2(vcpu);
	el2_lock(&vcpu->vgic.home.lock);
	return fold_all(&vcpu->vgic);
}

/* As open_for(), for what happens to @irq, a private one, which close_with() is then given. */
static __always_inline void open_for_irq(struct keel_vcpu *vcpu, struct vgic_irq *irq)
{
	struct vgic_irq *first = open_for(vcpu);

	if (first && first != irq)
		lr_requeue(&vcpu->vgic.home, first, vcpu->vgic.cpuif.lr[0]);
	if (irq->queue)
		vgic_irq_dequeue(irq);
}

void __el2 vgic_open_el2(struct keel_vcpu *vcpu)
{
	struct vgic_irq *irq = open_for(vcpu);

	if (irq)
		lr_requeue(&vcpu->vgic.home, irq, vcpu->vgic.cpuif.lr[0]);
}

void __el2 vgic_close_el2(struct keel_vcpu *vcpu)
{
	close_with(vcpu, NULL, false);
}

static noinline void __el2 refill_several(struct keel_vcpu *vcpu)
{
	struct vgic_irq *irq = open_for(vcpu);

	close_with(vcpu, irq, irq && vcpu->vgic.cpuif.lr[0] & ICH_LR_PENDING_BIT);
}

void __el2 vgic_refill_el2(struct keel_vcpu *vcpu)
{
	struct vgic_cpuif *c = &vcpu->vgic.cpuif;
	struct vgic_irq *irq = NULL;
	u64 lr = 0;

	if (unlikely(c->used_lrs > 1 || c->hcr & ICH_HCR_LRENPIE)) {
		refill_several(vcpu);
		return;
	}
	if (c->used_lrs) {
		irq = vcpu->vgic.lr_irq[0];
		lr = read_sysreg_s(SYS_ICH_LR0_EL2);
	}
	el2_lock(&vcpu->vgic.home.lock);
	c->used_lrs = 0;
	if (irq)
		lr_fold(irq, lr);
	close_with(vcpu, irq, lr & ICH_LR_PENDING_BIT);
}

void __el2 vgic_latch_own_el2(struct keel_vcpu *vcpu, struct vgic_irq *irq)
{
	open_for_irq(vcpu, irq);
	vgic_irq_latch(irq);
	close_with(vcpu, irq, false);
}

void __el2 vgic_fired_el2(struct keel_vcpu *vcpu, bool level)
{
	struct vgic_irq *irq = vcpu->vgic.mapped;

	open_for_irq(vcpu, irq);
	irq->host_active = true;
	irq->line = level;
	close_with(vcpu, irq, false);
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
	unsigned int i;

	if (READ_ONCE(vcpu->vgic.home.nr)) {
		vgic_refill_el2(vcpu);
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
