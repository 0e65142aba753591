// SPDX-License-Identifier: GPL-2.0
/* The kernel's side of struct el2_lock. */
#include <linux/lockdep.h>

#include <keel/el2.h>

void el2_lock_init_key(struct el2_lock *l, const char *name, struct lock_class_key *key)
{
	l->val = 0;
#ifdef CONFIG_DEBUG_LOCK_ALLOC
	lockdep_init_map(&l->dep_map, name, key, 0);
#endif
}
