// SPDX-License-Identifier: GPL-2.0
/*
 * The queues of a home, for the kernel and for the first tier; the home's lock is held. vgic.c has
 * the rules.
 */
#include <linux/list.h>
#include <linux/nospec.h>

#include <keel/compat.h>

#include "internal.h"

/* <linux/list.h>'s own may check, and then report, which EL2 code cannot. */
static __always_inline void list_link(struct list_head *new, struct list_head *prev,
				      struct list_head *next)
{
	next->prev = new;
	new->next = next;
	new->prev = prev;
	prev->next = new;
}

static __always_inline void list_put_first(struct list_head *new, struct list_head *head)
{
	list_link(new, head, head->next);
}

static __always_inline void list_put_last(struct list_head *new, struct list_head *head)
{
	list_link(new, head->prev, head);
}

static __always_inline void list_take(struct list_head *entry)
{
	entry->next->prev = entry->prev;
	entry->prev->next = entry->next;
	entry->next = entry;
	entry->prev = entry;
}

/* The map and the number are read without the lock by vgic_pending() and vgic_flush(). */
static void __el2 queue_add(struct vgic_queue *q, struct vgic_irq *irq, bool head)
{
	unsigned int level = vgic_irq_priority(irq) / (256 / VGIC_LEVELS);

	WRITE_ONCE(irq->home->nr, irq->home->nr + 1);
	irq->queue = q;
	irq->level = level;
	if (head)
		list_put_first(&irq->link, &q->level[level]);
	else
		list_put_last(&irq->link, &q->level[level]);
	WRITE_ONCE(q->map, q->map | BIT(level));
}

struct vgic_irq * __el2 vgic_queue_first(struct vgic_queue *q)
{
	if (!q->map)
		return NULL;
	return list_first_entry(&q->level[__ffs(q->map)], struct vgic_irq, link);
}

struct vgic_irq * __el2 vgic_irq_get(struct keel_vm *vm, struct keel_vcpu *vcpu, u32 intid)
{
	if (intid < VGIC_NR_PRIVATE) {
		intid = array_index_nospec(intid, VGIC_NR_PRIVATE);
		return vcpu ? &vcpu->vgic.private[intid] : NULL;
	}
	intid -= VGIC_NR_PRIVATE;
	if (intid >= vm->vgic.nr_spis)
		return NULL;
	return &vm->vgic.spi[array_index_nospec(intid, vm->vgic.nr_spis)];
}

void __el2 vgic_irq_dequeue(struct vgic_irq *irq)
{
	struct vgic_queue *q = irq->queue;

	list_take(&irq->link);
	if (!q)
		return;
	if (list_empty(&q->level[irq->level]))
		WRITE_ONCE(q->map, q->map & ~BIT(irq->level));
	irq->queue = NULL;
	WRITE_ONCE(irq->home->nr, irq->home->nr - 1);
}

/*
 * An active interrupt stays until it is deactivated, wherever it is routed by then: a new value of
 * GICD_IROUTER<n> is for what becomes pending after it (Arm IHI 0069 12.9).
 */
bool __el2 vgic_irq_place(struct vgic_home *home, struct vgic_irq *irq, bool head)
{
	vgic_irq_dequeue(irq);
	if (irq->active) {
		queue_add(&home->active, irq, head);
		return false;
	}
	if (irq->target != home) {
		list_put_last(&irq->link, &home->leaving);
		return false;
	}
	if (!home->vcpu || !vgic_irq_deliverable(irq, home->vcpu->vm))
		return false;
	queue_add(&home->ready[irq->group], irq, head);
	return true;
}
