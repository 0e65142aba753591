// SPDX-License-Identifier: GPL-2.0
/* The kernel's side of struct el2_lock: interrupts off, lockdep told. */
#include <linux/irqflags.h>
#include <linux/lockdep.h>

#include <keel/el2.h>

void el2_lock_init_key(struct el2_lock *l, const char *name, struct lock_class_key *key)
{
	l->val = 0;
#ifdef CONFIG_DEBUG_LOCK_ALLOC
	lockdep_init_map(&l->dep_map, name, key, 0);
#endif
}

unsigned long el2_lock_irqsave_nested(struct el2_lock *l, unsigned int subclass)
{
	unsigned long flags;

	local_irq_save(flags);
#ifdef CONFIG_DEBUG_LOCK_ALLOC
	lock_acquire_exclusive(&l->dep_map, subclass, 0, NULL, _RET_IP_);
#endif
	el2_lock(l);
	return flags;
}

void el2_unlock_irqrestore(struct el2_lock *l, unsigned long flags)
{
#ifdef CONFIG_DEBUG_LOCK_ALLOC
	lock_release(&l->dep_map, _RET_IP_);
#endif
	el2_unlock(l);
	local_irq_restore(flags);
}
