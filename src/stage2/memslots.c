// SPDX-License-Identifier: GPL-2.0
/*
 * Memory slots: which part of the VMM's memory stands at which IPA.
 *
 * A set of slots never changes once published. A change publishes a new set; readers hold vm->srcu,
 * so the old set is freed, and stage2_set_slot() returns, when nobody uses it any more.
 */
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <keel/compat.h>
#include <keel/vm.h>

#include "tables.h"

#define SLOT_MAX_PAGES	((1ul << 31) - 1)	/* KVM's limit */

int stage2_slots_create(struct stage2 *s2)
{
	struct memslots *slots = kvzalloc(sizeof(*slots), GFP_KERNEL_ACCOUNT);

	RCU_INIT_POINTER(s2->slots, slots);
	return slots ? 0 : -ENOMEM;
}

void stage2_slots_destroy(struct stage2 *s2)
{
	kvfree(rcu_access_pointer(s2->slots));
}

const struct memslot *stage2_find_slot(struct keel_vm *vm, struct ipa a)
{
	const struct memslots *slots = srcu_dereference(vm->stage2.slots, &vm->srcu);
	unsigned int low = 0, high = slots->nr;

	/* The last slot that does not start above @a. */
	while (low < high) {
		unsigned int mid = (low + high) / 2;

		if (slots->slot[mid].base.v <= a.v)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return NULL;
	low = array_index_nospec(low - 1, slots->nr);
	if (a.v - slots->slot[low].base.v >= memslot_size(&slots->slot[low]) ||
	    slots->slot[low].flags & MEMSLOT_GOING)
		return NULL;
	return &slots->slot[low];
}

struct hva memslot_hva(const struct memslot *slot, struct ipa a)
{
	u64 page = (a.v - slot->base.v) >> PAGE_SHIFT;

	page = array_index_nospec(page, slot->npages);
	return hva_add(slot->hva, (page << PAGE_SHIFT) + ipa_offset(a));
}

/* The slot of @a as stage2_copy() uses it; the caller holds vm->srcu. */
static void __user *copy_address(struct keel_vm *vm, struct ipa a, bool write)
{
	const struct memslot *slot = stage2_find_slot(vm, a);

	if (!slot || (write && slot->flags & KVM_MEM_READONLY))
		return NULL;
	return (void __user *)memslot_hva(slot, a).v;
}

int stage2_copy(struct keel_vm *vm, struct ipa a, void *buf, unsigned int n, bool write)
{
	int idx = srcu_read_lock(&vm->srcu), ret = -ENOENT;
	void __user *user = copy_address(vm, a, write);

	if (user)
		ret = write ? copy_to_user_nofault(user, buf, n) :
			      copy_from_user_nofault(buf, user, n);
	srcu_read_unlock(&vm->srcu, idx);
	return ret;
}

int stage2_touch(struct keel_vm *vm, struct ipa a, unsigned int n, bool write)
{
	int idx = srcu_read_lock(&vm->srcu);
	char __user *user = copy_address(vm, a, write);

	srcu_read_unlock(&vm->srcu, idx);
	if (!user)
		return -ENOENT;
	if (write ? fault_in_safe_writeable(user, n) : fault_in_readable(user, n))
		return -EFAULT;
	return 0;
}

/* In KVM's order, so that a request with two faults gets the errno that it gets there. */
static int slot_check(struct keel_vm *vm, const struct kvm_userspace_memory_region2 *r)
{
	if (r->flags & ~KVM_MEM_READONLY)
		return -EINVAL;
	if (!PAGE_ALIGNED(r->memory_size) || !PAGE_ALIGNED(r->guest_phys_addr) ||
	    !PAGE_ALIGNED(r->userspace_addr))
		return -EINVAL;
	if (r->userspace_addr != untagged_addr(r->userspace_addr) ||
	    !access_ok((void __user *)(unsigned long)r->userspace_addr, r->memory_size))
		return -EINVAL;
	if (r->slot >= STAGE2_MAX_SLOTS)
		return -EINVAL;
	if (r->guest_phys_addr + r->memory_size < r->guest_phys_addr ||
	    r->memory_size >> PAGE_SHIFT > SLOT_MAX_PAGES)
		return -EINVAL;
	return 0;
}

static const struct memslot *slot_by_id(const struct memslots *slots, u32 id)
{
	unsigned int i;

	for (i = 0; i < slots->nr; i++)
		if (slots->slot[i].id == id)
			return &slots->slot[i];
	return NULL;
}

static bool slot_overlaps(const struct memslots *slots, const struct memslot *new)
{
	unsigned int i;

	for (i = 0; i < slots->nr; i++) {
		const struct memslot *s = &slots->slot[i];

		if (s->id != new->id && new->base.v < s->base.v + memslot_size(s) &&
		    s->base.v < new->base.v + memslot_size(new))
			return true;
	}
	return false;
}

/* @from without slot @id, with @add (which may be NULL) at its place in the order. */
static struct memslots *slots_copy(const struct memslots *from, u32 id, const struct memslot *add)
{
	struct memslots *to = kvmalloc(struct_size(to, slot, from->nr + 1), GFP_KERNEL_ACCOUNT);
	unsigned int i;

	if (!to)
		return NULL;
	to->nr = 0;
	for (i = 0; i < from->nr; i++) {
		if (add && from->slot[i].base.v >= add->base.v) {
			to->slot[to->nr++] = *add;
			add = NULL;
		}
		if (from->slot[i].id != id)
			to->slot[to->nr++] = from->slot[i];
	}
	if (add)
		to->slot[to->nr++] = *add;
	return to;
}

/*
 * Take @old's pages away while MMU notifiers still find it. A fault that has looked the slot up
 * before sees another inval_seq under the lock and retries.
 */
static void slot_unmap(struct keel_vm *vm, const struct memslot *old)
{
	struct stage2 *s2 = &vm->stage2;

	spin_lock(&s2->lock);
	/* Pairs with fault_lookup(): the set published before comes with it. */
	smp_store_release(&s2->inval_seq, s2->inval_seq + 1);
	stage2_watch_hit(s2, 0, ULONG_MAX);
	spin_unlock(&s2->lock);
	stage2_unmap(vm, old->base, ipa_add(old->base, memslot_size(old)), true);
}

/* Replace @old (NULL: nothing) by @new (NULL: nothing). */
static int slot_replace(struct keel_vm *vm, const struct memslot *old, const struct memslot *new)
{
	struct stage2 *s2 = &vm->stage2;
	struct memslots *slots = rcu_dereference_protected(s2->slots,
							   lockdep_is_held(&s2->slots_lock));
	struct memslots *next, *going = NULL;

	next = slots_copy(slots, old ? old->id : new->id, new);
	if (!next)
		return -ENOMEM;
	if (old) {
		struct memslot leaving = *old;

		leaving.flags |= MEMSLOT_GOING;
		going = slots_copy(slots, old->id, &leaving);
		if (!going) {
			kvfree(next);
			return -ENOMEM;
		}
		rcu_assign_pointer(s2->slots, going);
		slot_unmap(vm, &leaving);
	}
	rcu_assign_pointer(s2->slots, next);
	synchronize_srcu_expedited(&vm->srcu);
	kvfree(going);
	kvfree(slots);
	return 0;
}

static bool lent_overlaps(const struct stage2_lent *lent, const struct memslot *s)
{
	return lent && s->base.v < lent->base.v + stage2_lent_size(lent) &&
	       lent->base.v < s->base.v + memslot_size(s);
}

int stage2_lend(struct keel_vm *vm, const struct stage2_lent *lent)
{
	struct stage2 *s2 = &vm->stage2;
	const struct memslots *slots;
	int ret = -EEXIST;
	unsigned int i;

	mutex_lock(&s2->slots_lock);
	slots = rcu_dereference_protected(s2->slots, lockdep_is_held(&s2->slots_lock));
	for (i = 0; i < slots->nr; i++)
		if (lent_overlaps(lent, &slots->slot[i]))
			goto out;
	if (s2->lent)
		goto out;
	/* Pairs with fault_on_lent(). */
	smp_store_release(&s2->lent, lent);
	ret = 0;
out:
	mutex_unlock(&s2->slots_lock);
	return ret;
}

/* @new against what is there now: does KVM allow the change? 1: yes, 0: there is nothing to do. */
static int slot_may_change(struct keel_vm *vm, const struct memslots *slots,
			   const struct memslot *old, const struct memslot *new)
{
	if (old && (new->hva.v != old->hva.v || new->npages != old->npages ||
		    new->flags != old->flags))
		return -EINVAL;
	if (old && new->base.v == old->base.v)
		return 0;
	if (slot_overlaps(slots, new) || lent_overlaps(vm->stage2.lent, new))
		return -EEXIST;
	if ((new->base.v + memslot_size(new) - 1) >> vm->stage2.ipa_bits)
		return -EFAULT;
	return 1;
}

static int slot_set_locked(struct keel_vm *vm, const struct kvm_userspace_memory_region2 *r)
{
	struct stage2 *s2 = &vm->stage2;
	const struct memslots *slots =
		rcu_dereference_protected(s2->slots, lockdep_is_held(&s2->slots_lock));
	const struct memslot *old = slot_by_id(slots, r->slot);
	struct memslot new = {
		.base = ipa(r->guest_phys_addr),
		.npages = r->memory_size >> PAGE_SHIFT,
		.hva = hva(r->userspace_addr),
		.id = r->slot,
		.flags = r->flags,
	};
	int ret;

	if (!r->memory_size)
		return old ? slot_replace(vm, old, NULL) : -EINVAL;
	ret = slot_may_change(vm, slots, old, &new);
	if (ret <= 0)
		return ret;
	return slot_replace(vm, old, &new);
}

int stage2_set_slot(struct keel_vm *vm, const struct kvm_userspace_memory_region2 *r)
{
	int ret = slot_check(vm, r);

	if (ret)
		return ret;
	mutex_lock(&vm->stage2.slots_lock);
	ret = slot_set_locked(vm, r);
	mutex_unlock(&vm->stage2.slots_lock);
	return ret;
}

u64 stage2_memory(struct keel_vm *vm)
{
	const struct memslots *slots;
	unsigned int i;
	u64 sum = 0;
	int idx;

	idx = srcu_read_lock(&vm->srcu);
	slots = srcu_dereference(vm->stage2.slots, &vm->srcu);
	for (i = 0; i < slots->nr; i++)
		sum += memslot_size(&slots->slot[i]);
	srcu_read_unlock(&vm->srcu, idx);
	return sum;
}

void stage2_refault(struct keel_vm *vm)
{
	const struct memslots *slots;
	unsigned int i;
	int idx;

	idx = srcu_read_lock(&vm->srcu);
	slots = srcu_dereference(vm->stage2.slots, &vm->srcu);
	for (i = 0; i < slots->nr; i++)
		stage2_unmap(vm, slots->slot[i].base,
			     ipa_add(slots->slot[i].base, memslot_size(&slots->slot[i])), true);
	srcu_read_unlock(&vm->srcu, idx);
}
