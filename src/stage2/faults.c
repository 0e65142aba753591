// SPDX-License-Identifier: GPL-2.0
/*
 * Stage-2 faults, second tier: the page that the guest misses, or what stands there instead.
 *
 * The order that keeps a mapping honest (see notifier.c): read inval_seq, look the slot up, ask the
 * host for the page, make caches coherent, take stage2.lock, check inval_seq, map. If the check
 * fails the guest goes on and faults again.
 */
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/nospec.h>
#include <linux/sched/signal.h>

#include <keel/compat.h>
#include <keel/esr.h>
#include <keel/host.h>
#include <keel/vm.h>

#include "../vm/trace.h"
#include "tables.h"

static bool huge = true;
module_param(huge, bool, 0444);
MODULE_PARM_DESC(huge, "map blocks of 2 MB and 1 GB where the host does (default on; off for tests)");

/**
 * struct fault - one fault on its way to a mapping
 * @ipa: the page
 * @hva: where the VMM has it
 * @slot: copy of its slot
 * @seq: inval_seq before the slot was looked up
 * @write: the access needs to write
 * @exec: it is an instruction fetch
 * @permission: something is mapped there already
 * @page: held reference; NULL for raw page frames (VM_PFNMAP)
 * @pfn: page frame
 * @writable: the host lets us write
 * @device: not RAM
 * @level: page or block
 * @watch: says whether the block was invalidated, instead of @seq; NULL for most
 * @missing: NULL for the running thread; else nothing is waited for, but noted here
 */
struct fault {
	struct ipa ipa;
	struct hva hva;
	struct memslot slot;
	unsigned long seq;
	bool write;
	bool exec;
	bool permission;
	struct page *page;
	unsigned long pfn;
	bool writable;
	bool device;
	int level;
	struct stage2_watch *watch;
	struct vmm_page *missing;
};

static struct gva fault_gva(struct keel_vcpu *vcpu)
{
	return gva(vcpu->state.ctx.far);
}

static int inject_abort(struct keel_vcpu *vcpu)
{
	if (esr_is_iabt(vcpu->state.ctx.esr))
		vcpu_inject_pabt(vcpu, fault_gva(vcpu));
	else
		vcpu_inject_dabt(vcpu, fault_gva(vcpu));
	return 1;
}

/* --- the page that the host has --- */

/*
 * At which level the host maps @addr. A block is mapped only where the host itself maps one: then
 * it is one piece of memory, in one VMA, writable as a whole or not at all. What hugetlbfs makes of
 * contiguous entries (64 KB, 32 MB) counts as the single ones. Tables are freed by RCU or after an
 * IPI, so interrupts off keep them; what is read is confirmed by the check of inval_seq under the
 * lock, as every change of it is an invalidation.
 */
static int host_level(unsigned long addr)
{
	unsigned long flags;
	int level = S2_PAGE_LEVEL;
	pgd_t *pgdp, pgd;
	p4d_t *p4dp, p4d;
	pud_t *pudp, pud;

	local_irq_save(flags);
	pgdp = pgd_offset(current->mm, addr);
	pgd = READ_ONCE(*pgdp);
	if (!pgd_present(pgd))
		goto out;
	p4dp = p4d_offset_lockless(pgdp, pgd, addr);
	p4d = READ_ONCE(*p4dp);
	if (!p4d_present(p4d))
		goto out;
	pudp = pud_offset_lockless(p4dp, p4d, addr);
	pud = READ_ONCE(*pudp);
	if (pud_leaf(pud))
		level = S2_GIGA_LEVEL;
	else if (pud_present(pud) && pmd_leaf(READ_ONCE(*pmd_offset_lockless(pudp, pud, addr))))
		level = S2_BLOCK_LEVEL;
out:
	local_irq_restore(flags);
	return level;
}

/* The block around the page lies inside the slot, and equally aligned in IPA and host address. */
static bool slot_fits_block(const struct fault *f, int level)
{
	u64 size = stage2_level_size(level);
	u64 block = f->ipa.v & ~(size - 1);
	const struct memslot *slot = &f->slot;

	return !((slot->base.v ^ slot->hva.v) & (size - 1)) && block >= slot->base.v &&
	       block + size <= slot->base.v + memslot_size(slot);
}

/*
 * The largest that the guest's tables (no 1 GB with IPA sizes up to 34 bits), the slot and the host
 * allow. What does not fit into the slot does not in larger pieces.
 */
static void fault_choose_level(const struct stage2 *s2, struct fault *f)
{
	int top = max(S2_GIGA_LEVEL, s2->start_level);

	f->level = S2_PAGE_LEVEL;
	/* Tables that host_level() reads are those of the running thread. */
	if (!huge || !f->page || f->missing)
		return;
	while (f->level > top && slot_fits_block(f, f->level - 1))
		f->level--;
	if (f->level == S2_PAGE_LEVEL)
		return;
	f->level = max(f->level, host_level(f->hva.v));
	f->pfn &= ~((stage2_level_size(f->level) >> PAGE_SHIFT) - 1);
}

/* Memory without struct page behind it, mapped by a driver. */
static int fault_get_pfnmap(struct fault *f)
{
	struct mm_struct *mm = current->mm;
	struct follow_pfnmap_args args = { .address = f->hva.v };
	bool unlocked = false;
	int ret = -EFAULT;

	mmap_read_lock(mm);
	args.vma = vma_lookup(mm, f->hva.v);
	if (!args.vma || !(args.vma->vm_flags & (VM_PFNMAP | VM_IO)))
		goto out;
	ret = follow_pfnmap_start(&args);
	if (!ret) {
		f->pfn = args.pfn;
		f->writable = args.writable && !(f->slot.flags & KVM_MEM_READONLY);
		f->device = !pfn_is_map_memory(f->pfn);
		follow_pfnmap_end(&args);
	}
	/* Not there yet, or not writable yet: have it faulted in, then look again. */
	if (ret || (f->write && !f->writable)) {
		ret = fixup_user_fault(mm, f->hva.v, f->write ? FAULT_FLAG_WRITE : 0, &unlocked);
		if (!ret)
			ret = -EAGAIN;
	}
out:
	mmap_read_unlock(mm);
	return ret;
}

/* Writable at once, without a fault; what most faults on memory in use find. */
static bool get_page_writable(struct fault *f)
{
	struct page *page;

	if (f->slot.flags & KVM_MEM_READONLY ||
	    get_user_pages_fast_only(f->hva.v, 1, FOLL_WRITE, &page) != 1)
		return false;
	if (f->page)
		put_page(f->page);
	f->page = page;
	f->writable = true;
	return true;
}

/*
 * A read gets what the VMM would get, the zero page and pages shared copy-on-write too, and then
 * stays read-only here; the guest's first write breaks the sharing.
 */
static int fault_get_page_here(struct fault *f)
{
	unsigned int flags = FOLL_HWPOISON | FOLL_INTERRUPTIBLE | (f->write ? FOLL_WRITE : 0);
	long ret;

	if (!get_page_writable(f)) {
		ret = get_user_pages_unlocked(f->hva.v, 1, &f->page, flags);
		if (ret == -EFAULT)
			return fault_get_pfnmap(f);
		if (ret != 1)
			return ret ?: -EFAULT;
		f->writable = f->write;
		if (!f->write)
			get_page_writable(f);
	}
	f->pfn = page_to_pfn(f->page);
	return 0;
}

static int fault_get_page(struct keel_vm *vm, struct fault *f)
{
	int ret;

	if (!f->missing)
		return fault_get_page_here(f);
	ret = vmm_page_get(vm, f->hva, f->write, &f->page, f->missing);
	if (ret)
		return ret;
	f->writable = f->write;
	f->pfn = page_to_pfn(f->page);
	return 0;
}

/*
 * What the host wrote must be what the guest reads, also with its caches off, and what it executes;
 * pages stay XN until something does.
 */
static void fault_make_coherent(struct keel_vcpu *vcpu, const struct fault *f)
{
	struct hpa a = hpa(PFN_PHYS(f->pfn));
	u64 size = stage2_level_size(f->level);

	if (f->device)
		return;
	if (!host.fwb && !f->permission) {
		cache_clean_to_poc(a, size);
		WRITE_ONCE(vcpu->count[COUNT_CACHE_CLEAN],
			   vcpu->count[COUNT_CACHE_CLEAN] + (size >> PAGE_SHIFT));
	}
	if (f->exec && !icache_is_coherent())
		icache_make_coherent(a, size);
}

/* --- mapping --- */

static u64 fault_leaf(const struct fault *f)
{
	u64 leaf = PFN_PHYS(f->pfn) | S2_AF | S2_SHARED | S2_READ;

	if (f->device)
		leaf |= S2_DEVICE;
	else
		leaf |= host.fwb ? S2_NORMAL_FWB : S2_NORMAL;
	if (f->writable)
		leaf |= S2_WRITE;
	if (f->device || (!f->exec && !icache_is_coherent()))
		leaf |= S2_XN;
	return leaf;
}

/* Where the memory that we are about to map starts in the VMM. */
static unsigned long fault_start(const struct fault *f)
{
	return f->hva.v & ~(stage2_level_size(f->level) - 1);
}

/* Has the host changed anything since @f->seq that may touch what we are about to map? */
static bool fault_is_stale(struct stage2 *s2, const struct fault *f)
{
	unsigned long start = fault_start(f);

	lockdep_assert_held(&s2->lock);
	if (f->watch)
		return f->watch->hit;
	if (s2->inval_seq != f->seq)
		return true;
	return s2->inval_count && start < s2->inval_end &&
	       s2->inval_start < start + stage2_level_size(f->level);
}

/* To make 1 GB coherent takes a while: see notifier.c. False if @f is stale already. */
static bool fault_watch(struct keel_vcpu *vcpu, struct fault *f)
{
	struct stage2 *s2 = &vcpu->vm->stage2;
	struct stage2_watch *watch = &vcpu->stage2.watch;
	bool stale;

	watch->start = fault_start(f);
	watch->end = watch->start + stage2_level_size(f->level);
	watch->hit = false;
	spin_lock(&s2->lock);
	stale = fault_is_stale(s2, f);
	if (!stale) {
		list_add(&watch->link, &s2->watches);
		f->watch = watch;
	}
	spin_unlock(&s2->lock);
	return !stale;
}

static void fault_count(struct keel_vcpu *vcpu, const struct fault *f)
{
	struct stage2 *s2 = &vcpu->vm->stage2;

	vcpu->stage2.maps = s2->maps + 1;
	WRITE_ONCE(s2->maps, vcpu->stage2.maps);
	vcpu_count(vcpu, COUNT_S2_FAULT);
	if (f->level < S2_PAGE_LEVEL)
		vcpu_count(vcpu, COUNT_S2_BLOCK);
}

static void fault_map(struct keel_vcpu *vcpu, const struct fault *f)
{
	struct stage2 *s2 = &vcpu->vm->stage2;

	spin_lock(&s2->lock);
	if (f->watch)
		list_del(&f->watch->link);
	if (fault_is_stale(s2, f))
		goto out;
	if (f->permission) {
		stage2_relax(vcpu->vm, f->ipa, f->level, fault_leaf(f));
	} else {
		stage2_map(vcpu, f->ipa, f->level, fault_leaf(f));
		fault_count(vcpu, f);
	}
	/*
	 * Under the lock the host cannot have cleaned the page meanwhile: it would have to make
	 * its own mapping read-only first, which is an invalidation. That the page was accessed the
	 * host learns from S2_AF.
	 */
	if (f->page && f->writable)
		SetPageDirty(f->page);
out:
	spin_unlock(&s2->lock);
}

/* The host's answer to a page that cannot be had, as the guest or the VMM shall see it. */
static int fault_failed(const struct fault *f, int err)
{
	switch (err) {
	case -EHWPOISON:
		send_sig_mceerr(BUS_MCEERR_AR, (void __user *)f->hva.v, PAGE_SHIFT, current);
		return 1;
	case -EAGAIN:	/* the driver's mapping is there now */
	case -EINTR:	/* the loop sees the signal */
		return 1;
	default:
		return -EFAULT;
	}
}

static int fault_on_memory(struct keel_vcpu *vcpu, struct fault *f)
{
	int ret = stage2_cache_fill(vcpu);

	if (ret)
		return ret;
	ret = fault_get_page(vcpu->vm, f);
	if (ret)
		return f->missing ? ret : fault_failed(f, ret);
	if (PFN_PHYS(f->pfn) >> S2_MAX_PA_BITS) {
		ret = -EFAULT;
	} else if (f->device && f->exec) {
		ret = inject_abort(vcpu);
	} else {
		ret = 1;
		fault_choose_level(&vcpu->vm->stage2, f);
		if (f->level != S2_GIGA_LEVEL || fault_watch(vcpu, f)) {
			fault_make_coherent(vcpu, f);
			fault_map(vcpu, f);
		}
	}
	if (f->page)
		put_page(f->page);
	return ret;
}

/* --- decoding --- */

/* The slot, with inval_seq from before it was looked up. */
static bool fault_lookup(struct keel_vcpu *vcpu, struct fault *f)
{
	struct keel_vm *vm = vcpu->vm;
	const struct memslot *slot;
	int idx;

	/* Pairs with slot_unmap(): with its inval_seq comes its set of slots. */
	f->seq = smp_load_acquire(&vm->stage2.inval_seq);
	idx = srcu_read_lock(&vm->srcu);
	slot = stage2_find_slot(vm, f->ipa);
	if (slot) {
		f->slot = *slot;
		f->hva = memslot_hva(slot, f->ipa);
	}
	srcu_read_unlock(&vm->srcu, idx);
	return slot;
}

/*
 * WnR says "write" for cache maintenance, which a missing page makes no difference to, and for
 * walks of stage 1 only permission faults come from a write (of a flag in the guest's table).
 */
static bool fault_is_write(u64 esr, bool permission)
{
	if (esr_abt_s1ptw(esr))
		return permission;
	if (!esr_is_iabt(esr) && esr_dabt_cm(esr))
		return permission;
	return esr_is_write(esr);
}

/*
 * No memory, or memory that the guest may not write. Data accesses are MMIO; code and page tables
 * cannot be there. Cache maintenance has nothing to do.
 */
static int fault_off_memory(struct keel_vcpu *vcpu)
{
	struct el2_ctx *ctx = &vcpu->state.ctx;

	if (esr_is_iabt(ctx->esr) || esr_abt_s1ptw(ctx->esr))
		return inject_abort(vcpu);
	if (esr_dabt_cm(ctx->esr)) {
		vcpu_skip(vcpu);
		return 1;
	}
	return run_mmio(vcpu, ctx->fault_ipa);
}

/* Above the guest's IPA space; beyond what any guest here can have it is an address size fault. */
static int fault_beyond(struct keel_vcpu *vcpu)
{
	struct el2_ctx *ctx = &vcpu->state.ctx;

	if (!(ctx->fault_ipa.v >> stage2_max_ipa_bits()))
		return inject_abort(vcpu);
	vcpu_inject_abt_size(vcpu, fault_gva(vcpu), esr_is_iabt(ctx->esr));
	return 1;
}

static int fault_access_flag(struct keel_vcpu *vcpu)
{
	struct stage2 *s2 = &vcpu->vm->stage2;

	spin_lock(&s2->lock);
	stage2_set_access(vcpu->vm, vcpu->state.ctx.fault_ipa);
	spin_unlock(&s2->lock);
	return 1;
}

/* Pages of the kernel's, which nobody takes away. -ENOENT: not there, or not to be written. */
static noinline int fault_on_lent(struct keel_vcpu *vcpu, struct fault *f)
{
	struct stage2 *s2 = &vcpu->vm->stage2;
	/* Pairs with stage2_lend(). */
	const struct stage2_lent *lent = smp_load_acquire(&s2->lent);
	u64 page;
	int ret;

	if (!lent || f->ipa.v < lent->base.v || f->write || f->exec)
		return -ENOENT;
	page = (f->ipa.v - lent->base.v) >> PAGE_SHIFT;
	if (page >= lent->nr)
		return -ENOENT;
	ret = stage2_cache_fill(vcpu);
	if (ret)
		return ret;
	f->pfn = page_to_pfn(lent->page[array_index_nospec(page, lent->nr)]);
	f->level = S2_PAGE_LEVEL;
	if (!host.fwb)
		cache_clean_to_poc(hpa(PFN_PHYS(f->pfn)), PAGE_SIZE);
	spin_lock(&s2->lock);
	stage2_map(vcpu, f->ipa, f->level, fault_leaf(f) | S2_XN);
	fault_count(vcpu, f);
	spin_unlock(&s2->lock);
	return 1;
}

/* -ENOENT: there is no memory, or none that the guest may write. */
static int fault_on_page(struct keel_vcpu *vcpu, struct fault *f)
{
	if (!fault_lookup(vcpu, f) || (f->write && f->slot.flags & KVM_MEM_READONLY))
		return -ENOENT;
	return fault_on_memory(vcpu, f);
}

static int fault_on_address(struct keel_vcpu *vcpu, bool permission)
{
	const struct el2_ctx *ctx = &vcpu->state.ctx;
	struct fault f = {
		.ipa = ipa_page(ctx->fault_ipa),
		.write = fault_is_write(ctx->esr, permission),
		.exec = esr_is_iabt(ctx->esr) && !esr_abt_s1ptw(ctx->esr),
		.permission = permission,
	};
	int ret = fault_on_page(vcpu, &f);

	if (ret == -ENOENT && unlikely(READ_ONCE(vcpu->vm->stage2.lent)))
		ret = fault_on_lent(vcpu, &f);
	return ret == -ENOENT ? fault_off_memory(vcpu) : ret;
}

int stage2_fault_in(struct keel_vcpu *vcpu, struct ipa a, bool write)
{
	struct fault f = { .ipa = ipa_page(a), .write = write };

	return a.v >> vcpu->vm->stage2.ipa_bits ? -ENOENT : fault_on_page(vcpu, &f);
}

int stage2_fault_in_now(struct keel_vcpu *vcpu, struct ipa a, bool write, struct vmm_page *missing)
{
	struct fault f = { .ipa = ipa_page(a), .write = write, .missing = missing };

	lockdep_assert_held(&vcpu->mutex);
	return a.v >> vcpu->vm->stage2.ipa_bits ? -ENOENT : fault_on_page(vcpu, &f);
}

int stage2_handle_fault(struct keel_vcpu *vcpu)
{
	const struct el2_ctx *ctx = &vcpu->state.ctx;
	unsigned int type = ctx->esr & ESR_ELx_FSC_TYPE;

	trace_keel_fault(vcpu, ctx->fault_ipa, ctx->esr);
	/*
	 * External aborts, and accesses that the memory type does not allow (alignment, exclusives
	 * on Device memory): the guest's own.
	 */
	if (type != ESR_ELx_FSC_FAULT && type != ESR_ELx_FSC_ACCESS && type != ESR_ELx_FSC_PERM)
		return inject_abort(vcpu);
	if (!ctx->fault_ipa_valid)
		return 1;
	if (ctx->fault_ipa.v >> vcpu->vm->stage2.ipa_bits)
		return fault_beyond(vcpu);
	if (type == ESR_ELx_FSC_ACCESS)
		return fault_access_flag(vcpu);
	return fault_on_address(vcpu, type == ESR_ELx_FSC_PERM);
}
