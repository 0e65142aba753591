// SPDX-License-Identifier: GPL-2.0
/*
 * The host takes pages back: MMU notifier on the VMM's mm.
 *
 * Guest pages are not pinned. What keeps stage 2 and the VMM's page tables together is: a fault
 * reads inval_seq, asks the host for the page, and maps it under stage2.lock only if no
 * invalidation has ended since and none of that address is under way. An invalidation is counted
 * before it looks at the slots, so whatever slot set a fault used, one of the two sees the other.
 *
 * inval_seq says too much: it moves with any of the VMM's memory. A fault that has much to clean
 * would lose each time, so it leaves a watch once it knows its memory, and is stale only if that
 * was hit.
 */
#include <linux/mm.h>
#include <linux/mmu_notifier.h>

#include <keel/vm.h>

#include "tables.h"

static struct keel_vm *vm_of(struct mmu_notifier *mn)
{
	return container_of(mn, struct keel_vm, stage2.notifier);
}

/* The IPAs of [start, end) in @slot; false if there are none. */
static bool slot_range(const struct memslot *slot, unsigned long start, unsigned long end,
		       struct ipa *from, struct ipa *to)
{
	unsigned long slot_end = slot->hva.v + memslot_size(slot);

	start = max(start, slot->hva.v);
	end = min(end, slot_end);
	if (start >= end)
		return false;
	*from = ipa_add(slot->base, (start & PAGE_MASK) - slot->hva.v);
	*to = ipa_add(slot->base, PAGE_ALIGN(end) - slot->hva.v);
	return true;
}

static void unmap_hva(struct keel_vm *vm, unsigned long start, unsigned long end, bool may_block)
{
	int idx = srcu_read_lock(&vm->srcu);
	const struct memslots *slots = srcu_dereference(vm->stage2.slots, &vm->srcu);
	struct ipa from, to;
	unsigned int i;

	for (i = 0; i < slots->nr; i++)
		if (slot_range(&slots->slot[i], start, end, &from, &to))
			stage2_unmap(vm, from, to, may_block);
	srcu_read_unlock(&vm->srcu, idx);
}

void stage2_watch_hit(struct stage2 *s2, unsigned long start, unsigned long end)
{
	struct stage2_watch *w;

	lockdep_assert_held(&s2->lock);
	list_for_each_entry(w, &s2->watches, link)
		if (start < w->end && w->start < end)
			w->hit = true;
}

static int invalidate_range_start(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	struct keel_vm *vm = vm_of(mn);
	struct stage2 *s2 = &vm->stage2;

	spin_lock(&s2->lock);
	s2->inval_start = s2->inval_count ? min(s2->inval_start, range->start) : range->start;
	s2->inval_end = s2->inval_count ? max(s2->inval_end, range->end) : range->end;
	s2->inval_count++;
	stage2_watch_hit(s2, range->start, range->end);
	spin_unlock(&s2->lock);

	unmap_hva(vm, range->start, range->end, mmu_notifier_range_blockable(range));
	return 0;
}

static void invalidate_range_end(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	struct stage2 *s2 = &vm_of(mn)->stage2;

	spin_lock(&s2->lock);
	/* Pairs with fault_lookup(): a fault that sees it asks the host for what is there now. */
	smp_store_release(&s2->inval_seq, s2->inval_seq + 1);
	s2->inval_count--;
	spin_unlock(&s2->lock);
}

static int age_hva(struct mmu_notifier *mn, unsigned long start, unsigned long end, bool clear,
		   bool flush)
{
	struct keel_vm *vm = vm_of(mn);
	int idx = srcu_read_lock(&vm->srcu);
	const struct memslots *slots = srcu_dereference(vm->stage2.slots, &vm->srcu);
	struct ipa from, to;
	bool young = false;
	unsigned int i;

	for (i = 0; i < slots->nr; i++) {
		if (!slot_range(&slots->slot[i], start, end, &from, &to))
			continue;
		spin_lock(&vm->stage2.lock);
		young |= stage2_age(vm, from, to, clear, flush);
		spin_unlock(&vm->stage2.lock);
	}
	srcu_read_unlock(&vm->srcu, idx);
	return young;
}

static int clear_flush_young(struct mmu_notifier *mn, struct mm_struct *mm, unsigned long start,
			     unsigned long end)
{
	return age_hva(mn, start, end, true, true);
}

/* Without TLBI a page in use may look idle for a while: that is what this call allows. */
static int clear_young(struct mmu_notifier *mn, struct mm_struct *mm, unsigned long start,
		       unsigned long end)
{
	return age_hva(mn, start, end, true, false);
}

static int test_young(struct mmu_notifier *mn, struct mm_struct *mm, unsigned long address)
{
	return age_hva(mn, address, address + PAGE_SIZE, false, false);
}

/* The mm ends, or the VM does. No vCPU runs any more: only threads of the mm may run them. */
static void release(struct mmu_notifier *mn, struct mm_struct *mm)
{
	unmap_hva(vm_of(mn), 0, ULONG_MAX, true);
}

static const struct mmu_notifier_ops notifier_ops = {
	.invalidate_range_start	= invalidate_range_start,
	.invalidate_range_end	= invalidate_range_end,
	.clear_flush_young	= clear_flush_young,
	.clear_young		= clear_young,
	.test_young		= test_young,
	.release		= release,
};

int stage2_notifier_register(struct keel_vm *vm)
{
	vm->stage2.notifier.ops = &notifier_ops;
	return mmu_notifier_register(&vm->stage2.notifier, vm->mm);
}

void stage2_notifier_unregister(struct keel_vm *vm)
{
	mmu_notifier_unregister(&vm->stage2.notifier, vm->mm);
}
