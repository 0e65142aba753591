/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside src/stage2/: descriptors, and what its files ask of each other.
 *
 * Lock order: slots_lock, mmap_lock, vm->srcu (read), stage2.lock, vmid_lock.
 */
#ifndef KEEL_STAGE2_TABLES_H
#define KEEL_STAGE2_TABLES_H

#include <linux/bits.h>
#include <linux/pgtable.h>

#include <keel/host.h>
#include <keel/stage2.h>

/* Stage-2 descriptors of the 4 KB granule, Arm ARM D8.3. */
#define S2_VALID	BIT(0)
#define S2_TABLE	BIT(1)		/* levels 0-2: a table; level 3: a page */
#define S2_MEMATTR	GENMASK(5, 2)
#define S2_NORMAL	(0xful << 2)	/* Normal, write-back inner and outer */
#define S2_NORMAL_FWB	(0x6ul << 2)	/* HCR_EL2.FWB: write-back whatever stage 1 says */
#define S2_DEVICE	(0x1ul << 2)	/* Device-nGnRE, with and without FWB */
#define S2_READ		BIT(6)
#define S2_WRITE	BIT(7)
#define S2_SHARED	(0x3ul << 8)	/* inner shareable */
#define S2_AF		BIT(10)
#define S2_ADDR		GENMASK(47, 12)
#define S2_XN		BIT(54)		/* at EL1 and EL0, with FEAT_XNX too (XN[1:0] = 0b10) */

/* What may change in a live descriptor without break-before-make (Arm ARM D8.16.1). */
#define S2_PERMISSIONS	(S2_READ | S2_WRITE | S2_XN | S2_AF)

#define S2_PAGE_LEVEL	3
#define S2_BLOCK_LEVEL	2	/* blocks of 2 MB: a PMD of the host */
#define S2_GIGA_LEVEL	1	/* blocks of 1 GB: a PUD of the host; none above it */

#define S2_MAX_PA_BITS	48	/* without VTCR_EL2.DS */

/** stage2_level_shift() - what one descriptor of @level maps, as a power of two */
static inline unsigned int stage2_level_shift(int level)
{
	return PAGE_SHIFT + (S2_PAGE_LEVEL - level) * (PAGE_SHIFT - 3);
}

/** stage2_level_size() - the same in bytes */
static inline u64 stage2_level_size(int level)
{
	return BIT_ULL(stage2_level_shift(level));
}

/** stage2_vttbr() - VTTBR_EL2 with the VMID that the VM has now; EL2 code too */
static __always_inline u64 stage2_vttbr(const struct stage2 *s2)
{
	return s2->root_hpa.v | (READ_ONCE(s2->vmid) & 0xffff) << 48;
}

/* --- tables.c --- */

/** stage2_tables_create() - empty first level for s2->ipa_bits; fills root, vtcr; 0 or -ENOMEM */
int stage2_tables_create(struct stage2 *s2);

/** stage2_tables_destroy() - free the first-level table; everything below has been unmapped */
void stage2_tables_destroy(struct stage2 *s2);

/** stage2_cache_fill() - pages enough for one stage2_map(); may sleep; 0 or -ENOMEM */
int stage2_cache_fill(struct keel_vcpu *vcpu);

/**
 * stage2_map() - map one page or block
 * @a: an address in it
 * @level: S2_PAGE_LEVEL, S2_BLOCK_LEVEL or S2_GIGA_LEVEL, not above start_level
 * @leaf: the descriptor
 *
 * What is in the way is broken first (a table where a block goes, a block where a page goes).
 * Permissions only grow: another vCPU may have made the same page writable or executable meanwhile.
 * Context: stage2.lock held, stage2_cache_fill() done before it was taken.
 */
void stage2_map(struct keel_vcpu *vcpu, struct ipa a, int level, u64 leaf);

/**
 * stage2_relax() - add @leaf's permissions to the page or block that maps @a already
 *
 * If @leaf does not stand there (an invalidation took it, or it has another size) nothing is
 * mapped: what stands there is broken, and the guest faults again. Context: stage2.lock held.
 */
void stage2_relax(struct keel_vm *vm, struct ipa a, int level, u64 leaf);

/** stage2_maps() - is @a mapped; stage2.lock held */
bool stage2_maps(struct stage2 *s2, struct ipa a);

/** stage2_set_access() - access-flag fault: set it; stage2.lock held */
void stage2_set_access(struct keel_vm *vm, struct ipa a);

/** stage2_unmap() - take [start, end) away; may sleep between parts if @may_block */
void stage2_unmap(struct keel_vm *vm, struct ipa start, struct ipa end, bool may_block);

/**
 * stage2_age() - was anything in [start, end) accessed since its flags were cleared?
 * @clear: clear them
 * @flush: and make CPUs forget that they were set
 *
 * Context: stage2.lock held.
 */
bool stage2_age(struct keel_vm *vm, struct ipa start, struct ipa end, bool clear, bool flush);

/* --- caches.c --- */

/** cache_clean_to_poc() - clean and invalidate data caches to the point of coherency; may sleep */
void cache_clean_to_poc(struct hpa a, u64 size);

/** icache_is_coherent() - instruction fetches see what was written, without maintenance */
static inline bool icache_is_coherent(void)
{
	return host.cache_dic && host.cache_idc;
}

/**
 * icache_make_coherent() - let instruction fetches see what was written (Arm ARM B2.7.4); may sleep
 */
void icache_make_coherent(struct hpa a, u64 size);

/* --- notifier.c --- */

/** stage2_watch_hit() - tell the watches of [start, end); stage2.lock held */
void stage2_watch_hit(struct stage2 *s2, unsigned long start, unsigned long end);

/** stage2_notifier_register() - on vm->mm, which is current->mm; 0 or -errno */
int stage2_notifier_register(struct keel_vm *vm);

/** stage2_notifier_unregister() - its release has run when it returns: nothing is mapped */
void stage2_notifier_unregister(struct keel_vm *vm);

/* --- memslots.c --- */

/** stage2_slots_create() - the empty set; 0 or -ENOMEM */
int stage2_slots_create(struct stage2 *s2);
void stage2_slots_destroy(struct stage2 *s2);

/** memslot_size() - length of @slot in bytes */
static inline u64 memslot_size(const struct memslot *slot)
{
	return slot->npages << PAGE_SHIFT;
}

/** memslot_hva() - where the VMM mapped @a, which lies in @slot; also safe under speculation */
struct hva memslot_hva(const struct memslot *slot, struct ipa a);

/* --- vmm_memory.c --- */

/**
 * vmm_page_get() - a page of the VMM's if it can be had at once
 * @page: out: with a reference
 * @missing: out, for -EAGAIN
 *
 * Return: 0, or as stage2_peek().
 */
int vmm_page_get(struct keel_vm *vm, struct hva a, bool write, struct page **page,
		 struct vmm_page *missing);

/* --- vmid.c --- */

/** stage2_vmid_init() - the allocator; 0, -ENOMEM, -EINVAL (parameter vmid_bits) */
int stage2_vmid_init(void);
void stage2_vmid_exit(void);

/** stage2_vmid_wide() - VTCR_EL2.VS: VMIDs have 16 bits */
bool stage2_vmid_wide(void);

#endif /* KEEL_STAGE2_TABLES_H */
