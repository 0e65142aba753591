// SPDX-License-Identifier: GPL-2.0
/*
 * Stage-2 tables: 4 KB granule, concatenated at the first level, pages, blocks of 2 MB and 1 GB.
 *
 * Everything here runs under stage2.lock. Three rules hold:
 *  - Break-before-make (Arm ARM D8.16.1): a live descriptor changes only its permissions in place;
 *    anything else is written to 0, flushed by TLBI, and then written anew. entry_write() is the
 *    only place that writes descriptors; debug builds check the rule there, and that each flush
 *    is of what was broken.
 *  - A table page is freed after the TLBI that follows its unlinking: till then walks may be in it.
 *  - page_private() of a table page counts its descriptors; an empty table is unlinked.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <asm/barrier.h>

#include <keel/compat.h>
#include <keel/host.h>
#include <keel/vm.h>

#include "tables.h"

#define S2_ENTRIES	(PAGE_SIZE / sizeof(u64))
#define S2_LEVEL_BITS	(PAGE_SHIFT - 3)

/* How much is done between two releases of the lock. */
#define S2_UNMAP_PART	SZ_64M

static struct keel_vm *vm_of(struct stage2 *s2)
{
	return container_of(s2, struct keel_vm, stage2);
}

/* Where the range starts that one descriptor of @level maps, @a in it. */
static u64 level_base(struct ipa a, int level)
{
	return a.v & ~(stage2_level_size(level) - 1);
}

static bool is_table(u64 entry, int level)
{
	return level < S2_PAGE_LEVEL && (entry & S2_TABLE);
}

static u64 *table_of(u64 entry)
{
	return __va(entry & S2_ADDR);
}

/* --- writing descriptors --- */

#ifdef KEEL_DEBUG
/* Is @new something that may stand in a table of @level? */
static bool entry_is_right(u64 new, int level)
{
	u64 attributes = S2_MEMATTR | S2_SHARED | S2_PERMISSIONS;

	if (!(new & S2_VALID) || (level == S2_PAGE_LEVEL && !(new & S2_TABLE)))
		return false;
	if (is_table(new, level))
		return !(new & ~(S2_ADDR | S2_TABLE | S2_VALID));
	return level >= S2_GIGA_LEVEL && !(new & S2_ADDR & (stage2_level_size(level) - 1)) &&
	       !(new & ~(S2_ADDR | attributes | S2_TABLE | S2_VALID)) && new & S2_READ;
}

static void check_write(struct stage2 *s2, u64 addr, int level, u64 old, u64 new)
{
	lockdep_assert_held(&s2->lock);
	WARN_ON_ONCE(addr & (stage2_level_size(level) - 1));
	WARN_ON_ONCE(new && !entry_is_right(new, level));
	WARN_ON_ONCE(!old && new && s2->unflushed_end);
	if (old && new) {
		WARN_ON_ONCE(is_table(old, level) || (old ^ new) & ~S2_PERMISSIONS);
	} else if (old) {
		if (!s2->unflushed_end || addr < s2->unflushed_start)
			s2->unflushed_start = addr;
		s2->unflushed_end = max(s2->unflushed_end, addr + stage2_level_size(level));
	}
}

/* The flush reaches @size bytes; what was broken lies there and, by its TTL, at its level. */
static void check_flush(struct stage2 *s2, u64 addr, u64 size)
{
	WARN_ON_ONCE(s2->unflushed_end && size &&
		     (s2->unflushed_start != addr || s2->unflushed_end != addr + size));
	s2->unflushed_end = 0;
}

static void check_flushed(struct stage2 *s2)
{
	WARN_ON_ONCE(s2->unflushed_end);
}
#else
static void check_write(struct stage2 *s2, u64 addr, int level, u64 old, u64 new)
{
}

static void check_flush(struct stage2 *s2, u64 addr, u64 size)
{
}

static void check_flushed(struct stage2 *s2)
{
}
#endif

/* @addr: the first that @entry, of a table of @level, translates. */
static void entry_write(struct stage2 *s2, u64 *entry, u64 addr, int level, u64 new)
{
	struct page *table = virt_to_page(entry);
	u64 old = *entry;

	check_write(s2, addr, level, old, new);
	set_page_private(table, page_private(table) + !!new - !!old);
	WRITE_ONCE(*entry, new);
}

/* --- TLB maintenance --- */

/*
 * The VMID is read after the descriptors are written. If it is 0, or a CPU changes it at the same
 * time (vmid_renew() has the other barrier), whoever enters with the new VMID sees them already.
 */
static u64 flush_vttbr(struct stage2 *s2)
{
	dsb(ish);
	vm_count(vm_of(s2), VM_COUNT_REMOTE_TLB);
	return stage2_vttbr(s2);
}

static void flush_ipa(struct stage2 *s2, u64 addr, int level)
{
	u64 vttbr = flush_vttbr(s2);
	unsigned long flags;

	check_flush(s2, addr, stage2_level_size(level));
	local_irq_save(flags);
	el2_call(el2_tlb_flush_ipa, vttbr, s2->vtcr, ipa(addr), level);
	local_irq_restore(flags);
}

static void flush_vmid(struct stage2 *s2)
{
	u64 vttbr = flush_vttbr(s2);
	unsigned long flags;

	check_flush(s2, 0, 0);
	local_irq_save(flags);
	el2_call(el2_tlb_flush_vmid, vttbr, s2->vtcr);
	local_irq_restore(flags);
}

/* --- the walker --- */

/**
 * struct walk - a visit to every page and block of a range
 * @s2: whose tables
 * @start: first IPA
 * @end: IPA after the last
 * @leaf: called for each
 * @nr: leaves that the visit changed
 * @addr: IPA of the last of them
 * @level: its level
 * @prune: take tables out that are empty after the visit
 * @tables: those, to be freed after the flush
 * @clear_access: for age_leaf(): clear access flags
 */
struct walk {
	struct stage2 *s2;
	u64 start;
	u64 end;
	void (*leaf)(struct walk *w, u64 *entry, u64 addr, int level);
	unsigned long nr;
	u64 addr;
	int level;
	bool prune;
	struct list_head tables;
	bool clear_access;
};

static void leaf_changed(struct walk *w, u64 addr, int level)
{
	w->nr++;
	w->addr = addr;
	w->level = level;
}

static void cut_leaf(struct walk *w, u64 *entry, u64 addr, int level)
{
	entry_write(w->s2, entry, addr, level, 0);
	leaf_changed(w, addr, level);
}

static void cut_table(struct walk *w, u64 *entry, u64 addr, int level)
{
	struct page *page = virt_to_page(table_of(*entry));

	entry_write(w->s2, entry, addr, level, 0);
	list_add(&page->lru, &w->tables);
}

/* @table is of @level and its first descriptor maps @base. Depth: 4 levels at most. */
static void walk_table(struct walk *w, u64 *table, int level, u64 base)
{
	unsigned int shift = stage2_level_shift(level);
	u64 first = w->start > base ? (w->start - base) >> shift : 0;
	u64 *entry = table + first;
	u64 addr = base + (first << shift);
	u64 end = w->end;

	if (level > w->s2->start_level)
		end = min(end, base + (S2_ENTRIES << shift));
	for (; addr < end; entry++, addr += BIT_ULL(shift)) {
		if (*entry && !is_table(*entry, level)) {
			w->leaf(w, entry, addr, level);
		} else if (*entry) {
			u64 *child = table_of(*entry);

			walk_table(w, child, level + 1, addr);
			if (w->prune && !page_private(virt_to_page(child)))
				cut_table(w, entry, addr, level);
		}
	}
}

static void walk_range(struct walk *w)
{
	struct stage2 *s2 = w->s2;

	lockdep_assert_held(&s2->lock);
	INIT_LIST_HEAD(&w->tables);
	walk_table(w, s2->root, s2->start_level, 0);
}

/* One address is flushed by itself; for more, the whole VMID is cheaper than one TLBI each. */
static void walk_flush(struct walk *w)
{
	struct page *page, *next;

	if (w->nr == 1 && list_empty(&w->tables))
		flush_ipa(w->s2, w->addr, w->level);
	else if (w->nr || !list_empty(&w->tables))
		flush_vmid(w->s2);
	check_flushed(w->s2);
	list_for_each_entry_safe(page, next, &w->tables, lru)
		__free_page(page);
}

/* --- mapping --- */

/* On hosts with 52 bits of PA there may be memory that a table descriptor cannot name. */
static void *tables_alloc(unsigned int order)
{
	unsigned long addr = __get_free_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO, order);

	if (addr && __pa(addr) >> S2_MAX_PA_BITS) {
		free_pages(addr, order);
		return NULL;
	}
	return (void *)addr;
}

int stage2_cache_fill(struct keel_vcpu *vcpu)
{
	/* One table a level below the first. */
	unsigned int need = S2_PAGE_LEVEL - vcpu->vm->stage2.start_level;
	struct stage2_vcpu *c = &vcpu->stage2;

	while (c->nr_cache < need) {
		void *page = tables_alloc(0);

		if (!page)
			return -ENOMEM;
		c->cache[c->nr_cache++] = page;
	}
	return 0;
}

/* Take out what stands in @entry, a leaf or a table with all below it, and flush. */
static void break_entry(struct stage2 *s2, u64 *entry, u64 addr, int level)
{
	struct walk w = {
		.s2 = s2,
		.start = addr,
		.end = addr + stage2_level_size(level),
		.leaf = cut_leaf,
		.prune = true,
	};

	INIT_LIST_HEAD(&w.tables);
	if (is_table(*entry, level)) {
		walk_table(&w, table_of(*entry), level + 1, addr);
		cut_table(&w, entry, addr, level);
	} else {
		cut_leaf(&w, entry, addr, level);
	}
	walk_flush(&w);
}

static u64 *entry_in(struct stage2 *s2, u64 *table, u64 addr, int level)
{
	u64 index = addr >> stage2_level_shift(level);

	if (level > s2->start_level)
		index &= S2_ENTRIES - 1;
	return table + index;
}

/* The descriptor that translates @addr: a leaf, or 0 at the level where the walk ends. */
static u64 *entry_find(struct stage2 *s2, u64 addr, int *level)
{
	u64 *table = s2->root;
	u64 *entry;

	for (*level = s2->start_level; ; ++*level) {
		entry = entry_in(s2, table, addr, *level);
		if (!is_table(*entry, *level))
			return entry;
		table = table_of(*entry);
	}
}

bool stage2_maps(struct stage2 *s2, struct ipa a)
{
	int level;

	lockdep_assert_held(&s2->lock);
	return !(a.v >> s2->ipa_bits) && *entry_find(s2, a.v, &level) & S2_VALID;
}

/* The descriptor for @addr at @level, with tables made on the way; a block on the way is split. */
static u64 *entry_make(struct keel_vcpu *vcpu, u64 addr, int level)
{
	struct stage2 *s2 = &vcpu->vm->stage2;
	u64 *table = s2->root;
	int l;

	for (l = s2->start_level; l < level; l++) {
		u64 *entry = entry_in(s2, table, addr, l);

		/* The other pages of the block come back by their own faults. */
		if (*entry && !is_table(*entry, l))
			break_entry(s2, entry, level_base(ipa(addr), l), l);
		if (!*entry) {
			void *page = vcpu->stage2.cache[--vcpu->stage2.nr_cache];

			set_page_private(virt_to_page(page), 0);
			/* Its zeros are seen before the link: walks are observers of the domain. */
			dsb(ishst);
			entry_write(s2, entry, level_base(ipa(addr), l), l,
				    __pa(page) | S2_TABLE | S2_VALID);
		}
		table = table_of(*entry);
	}
	return entry_in(s2, table, addr, level);
}

/* Add @leaf's permissions to a live descriptor of the same memory. */
static void entry_relax(struct stage2 *s2, u64 *entry, u64 addr, int level, u64 leaf)
{
	u64 new = *entry | (leaf & (S2_READ | S2_WRITE | S2_AF));

	if (!(leaf & S2_XN))
		new &= ~S2_XN;
	if (new == *entry)
		return;
	entry_write(s2, entry, addr, level, new);
	/* Permission faults come from cached entries as well: without TLBI they would go on. */
	flush_ipa(s2, addr, level);
}

static bool same_memory(u64 a, u64 b)
{
	return a && !((a ^ b) & ~S2_PERMISSIONS);
}

void stage2_map(struct keel_vcpu *vcpu, struct ipa a, int level, u64 leaf)
{
	struct stage2 *s2 = &vcpu->vm->stage2;
	u64 addr = level_base(a, level);
	u64 *entry;

	lockdep_assert_held(&s2->lock);
	leaf |= S2_VALID | (level == S2_PAGE_LEVEL ? S2_TABLE : 0);
	entry = entry_make(vcpu, addr, level);
	if (same_memory(*entry, leaf)) {
		entry_relax(s2, entry, addr, level, leaf);
		return;
	}
	if (*entry)
		break_entry(s2, entry, addr, level);
	entry_write(s2, entry, addr, level, leaf);
	/* Seen by this CPU's walk after the ISB of the entry to the guest (Arm ARM D8.2.6). */
	dsb(ishst);
}

void stage2_relax(struct keel_vm *vm, struct ipa a, int level, u64 leaf)
{
	struct stage2 *s2 = &vm->stage2;
	int found;
	u64 *entry;

	lockdep_assert_held(&s2->lock);
	leaf |= S2_VALID | (level == S2_PAGE_LEVEL ? S2_TABLE : 0);
	entry = entry_find(s2, a.v, &found);
	if (found == level && same_memory(*entry, leaf))
		entry_relax(s2, entry, level_base(a, level), level, leaf);
	else if (*entry)
		break_entry(s2, entry, level_base(a, found), found);
}

void stage2_set_access(struct keel_vm *vm, struct ipa a)
{
	struct stage2 *s2 = &vm->stage2;
	int level;
	u64 *entry;

	lockdep_assert_held(&s2->lock);
	entry = entry_find(s2, a.v, &level);
	if (!*entry)
		return;
	/* No TLBI: descriptors with AF = 0 are never cached (Arm ARM D8.5.1). */
	entry_write(s2, entry, level_base(a, level), level, *entry | S2_AF);
	dsb(ishst);
}

/* --- ranges --- */

void stage2_unmap(struct keel_vm *vm, struct ipa start, struct ipa end, bool may_block)
{
	struct walk w = {
		.s2 = &vm->stage2,
		.start = start.v,
		.leaf = cut_leaf,
		.prune = true,
	};

	for (; w.start < end.v; w.start = w.end) {
		w.end = min(ALIGN(w.start + 1, S2_UNMAP_PART), end.v);
		w.nr = 0;
		spin_lock(&w.s2->lock);
		walk_range(&w);
		walk_flush(&w);
		spin_unlock(&w.s2->lock);
		if (may_block)
			cond_resched();
	}
}

static void age_leaf(struct walk *w, u64 *entry, u64 addr, int level)
{
	if (!(*entry & S2_AF))
		return;
	leaf_changed(w, addr, level);
	if (w->clear_access)
		entry_write(w->s2, entry, addr, level, *entry & ~S2_AF);
}

bool stage2_age(struct keel_vm *vm, struct ipa start, struct ipa end, bool clear, bool flush)
{
	struct walk w = {
		.s2 = &vm->stage2,
		.start = start.v,
		.end = end.v,
		.leaf = age_leaf,
		.clear_access = clear,
	};

	walk_range(&w);
	if (flush)
		walk_flush(&w);
	return w.nr;
}

/* --- lifetime --- */

/*
 * The first level: as few levels as concatenation of up to 16 tables allows (Arm ARM D8.2.2), so 2
 * up to 34 bits, 1 up to 43, 0 above. Level 0 is also refused by CPUs with less than 44 PA bits.
 */
static int start_level(unsigned int ipa_bits)
{
	int level = S2_PAGE_LEVEL;

	while (stage2_level_shift(level) + S2_LEVEL_BITS + 4 < ipa_bits)
		level--;
	return level;
}

static unsigned int root_order(const struct stage2 *s2)
{
	return get_order(sizeof(u64) << (s2->ipa_bits - stage2_level_shift(s2->start_level)));
}

/* VTCR_EL2.PS, in the encoding of ID_AA64MMFR0_EL1.PARange. */
static u64 vtcr_ps(void)
{
	static const u8 bits[] = { 32, 36, 40, 42, 44, 48 };
	u64 ps = ARRAY_SIZE(bits) - 1;

	while (ps && bits[ps] > host.pa_bits)
		ps--;
	return ps << VTCR_EL2_PS_SHIFT;
}

int stage2_tables_create(struct stage2 *s2)
{
	s2->start_level = start_level(s2->ipa_bits);
	s2->root = tables_alloc(root_order(s2));
	if (!s2->root)
		return -ENOMEM;
	s2->root_hpa = hpa(__pa(s2->root));
	s2->vtcr = VTCR_EL2_RES1 | VTCR_EL2_TG0_4K | VTCR_EL2_SH0_INNER | VTCR_EL2_ORGN0_WBWA |
		   VTCR_EL2_IRGN0_WBWA | vtcr_ps() | VTCR_EL2_T0SZ(s2->ipa_bits) |
		   (u64)(S2_BLOCK_LEVEL - s2->start_level) << VTCR_EL2_SL0_SHIFT |
		   (stage2_vmid_wide() ? VTCR_EL2_VS_16BIT : 0);
	return 0;
}

void stage2_tables_destroy(struct stage2 *s2)
{
	free_pages((unsigned long)s2->root, root_order(s2));
}
