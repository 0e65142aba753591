// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory for those who are not the VMM: by its address space, whichever the caller's is.
 * They may hold a vCPU up, or the VM: so they take what is there at once, and wait for the rest
 * (swap, userfaultfd, a file) with nothing in hand but the address space.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>

#include <keel/compat.h>
#include <keel/vm.h>

#include "tables.h"

/* A copy, as its slot may go meanwhile. */
static int slot_address(struct keel_vm *vm, struct ipa a, bool write, struct hva *to)
{
	int idx = srcu_read_lock(&vm->srcu), ret = -ENOENT;
	const struct memslot *slot = stage2_find_slot(vm, a);

	if (slot && !(write && slot->flags & KVM_MEM_READONLY)) {
		*to = memslot_hva(slot, a);
		ret = 0;
	}
	srcu_read_unlock(&vm->srcu, idx);
	return ret;
}

/* 1, 0: it has to be waited for, or -errno. A fault that would wait is not begun. */
static long page_now(struct mm_struct *mm, unsigned long addr, bool write, struct page **page)
{
	long ret;

	if (!mmap_read_trylock(mm))
		return 0;
	ret = get_remote_page(mm, addr, FOLL_NOWAIT | (write ? FOLL_WRITE : 0), page, NULL);
	mmap_read_unlock(mm);
	return ret;
}

int vmm_page_get(struct keel_vm *vm, struct hva a, bool write, struct page **page,
		 struct vmm_page *missing)
{
	struct mm_struct *mm = vm->mm;
	long ret;

	if (!mmget_not_zero(mm))
		return -ENODEV;
	ret = page_now(mm, a.v, write, page);
	if (!ret) {
		*missing = (struct vmm_page){ .mm = mm, .addr = a.v, .write = write };
		return -EAGAIN;
	}
	mmput(mm);
	return ret == 1 ? 0 : -EFAULT;
}

int stage2_peek(struct keel_vm *vm, struct ipa a, void *buf, unsigned int n,
		struct vmm_page *missing)
{
	struct page *page;
	struct hva from;
	int ret = slot_address(vm, a, false, &from);

	if (!ret)
		ret = vmm_page_get(vm, from, false, &page, missing);
	if (ret)
		return ret;
	memcpy(buf, page_address(page) + offset_in_page(from.v), n);
	put_page(page);
	return 0;
}

int stage2_wait(struct vmm_page *missing)
{
	struct mm_struct *mm = missing->mm;
	struct page *page;
	int locked = 1;
	long ret = -EINTR;

	if (!mmap_read_lock_killable(mm)) {
		ret = get_remote_page(mm, missing->addr,
				      FOLL_INTERRUPTIBLE | (missing->write ? FOLL_WRITE : 0),
				      &page, &locked);
		if (locked)
			mmap_read_unlock(mm);
	}
	stage2_wait_not(missing);
	if (ret == 1) {
		put_page(page);
		return 0;
	}
	return ret == -EINTR || ret == -ERESTARTSYS || signal_pending(current) ? -EINTR : 0;
}

void stage2_wait_not(struct vmm_page *missing)
{
	if (missing->mm)
		mmput(missing->mm);
	missing->mm = NULL;
}

bool stage2_is_memory(struct keel_vm *vm, struct ipa a)
{
	struct hva unused;

	return !slot_address(vm, a, false, &unused);
}

bool stage2_is_mapped(struct keel_vm *vm, struct ipa a)
{
	bool mapped;

	spin_lock(&vm->stage2.lock);
	mapped = stage2_maps(&vm->stage2, a);
	spin_unlock(&vm->stage2.lock);
	return mapped;
}
