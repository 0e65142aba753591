// SPDX-License-Identifier: GPL-2.0
/*
 * The state of an interrupt, from its input to its queue.
 *
 * Locks. Each interrupt has a home: the vCPU that it is routed to, or the VM for SPIs routed to
 * nobody. The home's lock protects the interrupt and the home's queues, and is all that is needed
 * to inject, flush and sync: there is no lock per interrupt and none per VM. It is a leaf: taken
 * with no other lock of keel's held inside, for a bounded time (the queues are by priority, so that
 * a thousand pending interrupts cost what one does). Only moving an interrupt takes two: both
 * homes', the one at the lower address first. An interrupt's home is stable under its lock; who
 * comes with an interrupt in hand takes the lock that the home names and looks again.
 *
 * While an interrupt is in a list register (in_lr, from flush to sync) its home does not change,
 * the hardware has the truth about pending and active, and only the home vCPU's thread may move it.
 * Others leave word in the struct, which the next fold (lr.c) takes into account, and make the vCPU
 * leave the guest.
 */
#include <linux/nospec.h>
#include <asm/cputype.h>

#include <keel/compat.h>

#include "../vm/trace.h"
#include "internal.h"

static void queue_init(struct vgic_queue *q)
{
	unsigned int i;

	q->map = 0;
	for (i = 0; i < VGIC_LEVELS; i++)
		INIT_LIST_HEAD(&q->level[i]);
}

void vgic_home_init(struct vgic_home *home, struct keel_vcpu *vcpu)
{
	el2_lock_init(&home->lock);
	home->vcpu = vcpu;
	queue_init(&home->ready[0]);
	queue_init(&home->ready[1]);
	queue_init(&home->active);
	INIT_LIST_HEAD(&home->leaving);
}

void vgic_irq_init(struct vgic_irq *irq, u32 intid, struct vgic_home *home)
{
	*irq = (struct vgic_irq) {
		.intid = intid,
		.home = home,
		.target = home,
		.group = 1,
		/* SGIs are edge-triggered by definition, and enabled as guests of KVM find them. */
		.edge = intid < VGIC_NR_SGIS,
		.enabled = intid < VGIC_NR_SGIS,
	};
	INIT_LIST_HEAD(&irq->link);
	vgic_irq_describe(irq);
}

void vgic_notify(struct keel_vcpu *vcpu)
{
	if (!el2_call(vcpu_ring_el2, vcpu))
		vcpu_request(vcpu, VCPU_REQ_IRQ);
}

static struct vgic_irq *home_take_leaving(struct vgic_home *home)
{
	unsigned long flags = el2_lock_irqsave(&home->lock);
	struct vgic_irq *irq = list_first_entry_or_null(&home->leaving, struct vgic_irq, link);

	if (irq)
		list_del_init(&irq->link);
	el2_unlock_irqrestore(&home->lock, flags);
	return irq;
}

/*
 * Under both locks, of which the one at the lower address comes first. Whatever happened to @irq
 * since it was taken off the list, it ends in the right queue of one home. True: done, false: look
 * again.
 */
static bool irq_try_move(struct vgic_irq *irq, struct vgic_home *from, struct vgic_home *to)
{
	struct vgic_home *first = min(from, to), *second = max(from, to);
	unsigned long flags = el2_lock_irqsave(&first->lock);
	unsigned long inner = el2_lock_irqsave_nested(&second->lock, SINGLE_DEPTH_NESTING);
	bool same = from == irq->home && to == irq->target;
	bool look = false;

	if (same && !irq->in_lr && !irq->active) {
		vgic_irq_dequeue(irq);
		WRITE_ONCE(irq->home, to);
		look = vgic_irq_requeue(to, irq, false);
	}
	el2_unlock_irqrestore(&second->lock, inner);
	el2_unlock_irqrestore(&first->lock, flags);
	if (look)
		vgic_notify(to->vcpu);
	return same;
}

static void irq_move(struct vgic_irq *irq)
{
	struct vgic_home *from, *to;

	do {
		from = READ_ONCE(irq->home);
		to = READ_ONCE(irq->target);
	} while (from != to && !irq_try_move(irq, from, to));
}

void vgic_settle(struct vgic_home *home)
{
	struct vgic_irq *irq;

	while ((irq = home_take_leaving(home)))
		irq_move(irq);
}

/* The lock of @irq's home, which it returns. */
static __always_inline struct vgic_home *irq_lock_home(struct vgic_irq *irq, unsigned long *flags)
{
	struct vgic_home *home;

	for (;;) {
		home = READ_ONCE(irq->home);
		*flags = el2_lock_irqsave(&home->lock);
		if (likely(home == READ_ONCE(irq->home)))
			return home;
		el2_unlock_irqrestore(&home->lock, *flags);
	}
}

void vgic_hold_irq(struct vgic_hold *h, struct vgic_irq *irq)
{
	if (h->home == READ_ONCE(irq->home))
		return;
	vgic_release(h);
	h->home = irq_lock_home(irq, &h->flags);
}

void vgic_hold_changed(struct vgic_hold *h, struct vgic_irq *irq)
{
	h->look |= vgic_irq_requeue(h->home, irq, false);
	h->in_lr |= irq->in_lr;
}

void vgic_release(struct vgic_hold *h)
{
	struct vgic_home *home = h->home;
	bool leaving;

	if (!home)
		return;
	leaving = !list_empty(&home->leaving);
	el2_unlock_irqrestore(&home->lock, h->flags);
	if (h->look)
		vgic_notify(home->vcpu);
	if (leaving)
		vgic_settle(home);
	h->home = NULL;
	h->look = false;
}

static void irq_set_line(struct keel_vm *vm, struct vgic_irq *irq, bool level)
{
	struct vgic_home *any = NULL;
	struct vgic_hold h = {};
	struct keel_vcpu *vcpu;
	bool raised;

	/* Who is on changes, so it is asked at each interrupt. */
	if (READ_ONCE(irq->route) & GICD_IROUTER_SPI_MODE_ANY)
		any = vgic_route(vm, GICD_IROUTER_SPI_MODE_ANY);

	vgic_hold_irq(&h, irq);
	vcpu = h.home->vcpu;
	raised = level && (irq->edge || !irq->line);
	irq->line = level;
	if (raised) {
		if (irq->edge)
			vgic_irq_latch(irq);
		if (any && irq->route & GICD_IROUTER_SPI_MODE_ANY)
			irq->target = any;
		if (vcpu)
			vcpu_count(vcpu, COUNT_IRQ_INJECT);
		vgic_hold_changed(&h, irq);
	} else if (!level) {
		/* Withdrawn when the guest has it already: spurious there, as in hardware. */
		vgic_irq_requeue(h.home, irq, false);
	}
	vgic_release(&h);
	trace_keel_irq(vm, vcpu ? vcpu->id : U32_MAX, irq->intid, level);
}

int vgic_inject(struct keel_vm *vm, struct keel_vcpu *vcpu, u32 intid, bool level)
{
	struct vgic_irq *irq;

	/* Pairs with the store-release in vgic_init(): the interrupts exist. */
	if (!smp_load_acquire(&vm->vgic.initialised))
		return READ_ONCE(vm->vgic.created) ? -EBUSY : -ENODEV;
	irq = vgic_irq_get(vm, vcpu, intid);
	if (!irq || intid < VGIC_NR_SGIS || READ_ONCE(irq->owned))
		return -EINVAL;
	irq_set_line(vm, irq, level);
	return 0;
}

struct vgic_irq *vgic_spi(struct keel_vm *vm, u32 spi)
{
	if (!smp_load_acquire(&vm->vgic.initialised))	/* as in vgic_inject() */
		return NULL;
	return vgic_irq_get(vm, NULL, spi + VGIC_NR_PRIVATE);
}

/*
 * What irq_set_line() does twice, in one hold of the lock: an edge is latched, a level that has
 * fallen again is none.
 */
void vgic_pulse(struct keel_vm *vm, struct vgic_irq *irq)
{
	struct vgic_home *home;
	unsigned long flags;
	bool look;

	if (unlikely(READ_ONCE(irq->route) & GICD_IROUTER_SPI_MODE_ANY)) {
		irq_set_line(vm, irq, true);
		irq_set_line(vm, irq, false);
		return;
	}
	home = irq_lock_home(irq, &flags);
	irq->line = false;
	if (irq->edge) {
		vgic_irq_latch(irq);
		if (home->vcpu)
			vcpu_count(home->vcpu, COUNT_IRQ_INJECT);
	}
	look = vgic_irq_requeue(home, irq, false);
	el2_unlock_irqrestore(&home->lock, flags);
	if (look)
		vgic_notify(home->vcpu);
	else
		vgic_settle(home);
	if (trace_keel_irq_enabled())
		trace_keel_irq(vm, home->vcpu ? home->vcpu->id : U32_MAX, irq->intid, true);
}

/*
 * The highest priority, unless @irq's own is above that of every other enabled interrupt of its
 * group that @vcpu may take. Fields are read without locks: the guest that changes them meanwhile
 * gets one answer or the other.
 */
static u8 priority_above(struct keel_vcpu *vcpu, const struct vgic_irq *irq)
{
	struct vgic *g = &vcpu->vm->vgic;
	unsigned int i;

	for (i = 0; i < VGIC_NR_PRIVATE + g->nr_spis; i++) {
		struct vgic_irq *other = vgic_irq_get(vcpu->vm, vcpu, i);

		if (other != irq && READ_ONCE(other->enabled) &&
		    READ_ONCE(other->group) == READ_ONCE(irq->group) &&
		    READ_ONCE(other->priority) <= READ_ONCE(irq->priority))
			return 0;
	}
	return READ_ONCE(irq->priority);
}

int vgic_inject_above(struct keel_vcpu *vcpu, u32 intid)
{
	struct vgic_irq *irq;
	struct vgic_hold h = {};
	int ret = 0;
	u8 above;

	if (!READ_ONCE(vcpu->vm->vgic.ready))
		return -EBUSY;
	irq = vgic_irq_get(vcpu->vm, vcpu, intid);
	if (!irq || READ_ONCE(irq->owned))
		return -EINVAL;
	above = priority_above(vcpu, irq);
	vgic_hold_irq(&h, irq);
	if (h.home != &vcpu->vgic.home) {
		ret = -ENXIO;
	} else {
		vgic_irq_dequeue(irq);
		irq->raised = true;
		irq->above = above;
		vgic_irq_describe(irq);
		vgic_irq_latch(irq);
		vgic_hold_changed(&h, irq);
		vcpu_count(vcpu, COUNT_IRQ_INJECT);
	}
	vgic_release(&h);
	return ret;
}

void vgic_own(struct keel_vcpu *vcpu, u32 intid)
{
	struct vgic_irq *irq = vgic_irq_get(vcpu->vm, vcpu, intid);

	WRITE_ONCE(irq->owned, true);
	irq_set_line(vcpu->vm, irq, false);
}

void vgic_set_line(struct keel_vcpu *vcpu, u32 intid, bool level)
{
	irq_set_line(vcpu->vm, vgic_irq_get(vcpu->vm, vcpu, intid), level);
}

bool vgic_pending(struct keel_vcpu *vcpu)
{
	struct vgic_queue *ready = vcpu->vgic.home.ready;
	u64 vmcr = READ_ONCE(vcpu->vgic.cpuif.vmcr);
	u32 map = 0;

	if (vmcr & ICH_VMCR_ENG0_MASK)
		map |= READ_ONCE(ready[0].map);
	if (vmcr & ICH_VMCR_ENG1_MASK)
		map |= READ_ONCE(ready[1].map);
	return map && __ffs(map) * (256 / VGIC_LEVELS) <
		      (vmcr & ICH_VMCR_PMR_MASK) >> ICH_VMCR_PMR_SHIFT;
}

bool vgic_wakes(struct keel_vcpu *vcpu)
{
	struct vgic_queue *ready = vcpu->vgic.home.ready;

	return READ_ONCE(ready[0].map) || READ_ONCE(ready[1].map);
}

void vgic_map_phys(struct keel_vcpu *vcpu, u32 intid, u32 host_intid,
		   void (*set_active)(bool active))
{
	struct vgic_irq *irq = vgic_irq_get(vcpu->vm, vcpu, intid);

	vgic_own(vcpu, intid);
	irq->mapped = true;
	irq->host_intid = host_intid;
	vgic_irq_describe(irq);
	vcpu->vgic.set_active = set_active;
	vcpu->vgic.mapped = irq;
}

/*
 * ACTIVE keeps the host from taking the interrupt again. It must be set from when the line is known
 * to be up until the guest is done, enabled or not: the guest's deactivation clears it through the
 * list register.
 */
static bool map_wants_active(const struct vgic_irq *irq)
{
	return READ_ONCE(irq->active) || READ_ONCE(irq->line) || READ_ONCE(irq->latch);
}

void vgic_map_load(struct keel_vcpu *vcpu)
{
	struct vgic_irq *irq = vcpu->vgic.mapped;

	if (!irq)
		return;
	irq->host_active = map_wants_active(irq);
	vcpu->vgic.set_active(irq->host_active);
}

void vgic_map_flush(struct keel_vcpu *vcpu)
{
	struct vgic_irq *irq = vcpu->vgic.mapped;

	if (irq && map_wants_active(irq) != irq->host_active)
		vgic_map_load(vcpu);
}

void vgic_map_fired(struct keel_vcpu *vcpu, bool level)
{
	struct vgic_irq *irq = vcpu->vgic.mapped;
	struct vgic_home *home = &vcpu->vgic.home;
	unsigned long flags;

	if (!irq)
		return;
	flags = el2_lock_irqsave(&home->lock);
	irq->host_active = true;
	irq->line = level;
	/* No request: this is the CPU that has the vCPU, and it is outside the guest. */
	vgic_irq_requeue(home, irq, false);
	el2_unlock_irqrestore(&home->lock, flags);
}
