/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stage-1 page tables of a guest, built and walked by the test. The walk is the reference for
 * KEEL_GVA_SCAN: runs as struct keel_gva_run defines them, and what a scan by AT would count.
 */
#ifndef SELFTESTS_STAGE1_H
#define SELFTESTS_STAGE1_H

#include <linux/keel.h>

#include "vm.h"

/* Granules, as log2 */
#define GRANULE_4K	12
#define GRANULE_16K	14
#define GRANULE_64K	16

#define REG_SCTLR	REG_SYS(3, 0, 1, 0, 0)
#define REG_TTBR0	REG_SYS(3, 0, 2, 0, 0)
#define REG_TTBR1	REG_SYS(3, 0, 2, 0, 1)
#define REG_TCR		REG_SYS(3, 0, 2, 0, 2)
#define REG_MAIR	REG_SYS(3, 0, 10, 2, 0)
#define REG_MMFR0	REG_SYS(3, 0, 0, 7, 0)
#define REG_MMFR1	REG_SYS(3, 0, 0, 7, 1)
#define REG_MMFR2	REG_SYS(3, 0, 0, 7, 2)

#define SCTLR_M		BIT(0)
#define SCTLR_WXN	BIT(19)
#define SCTLR_EE	BIT(25)

#define TCR_EPD(half)	BIT((half) ? 23 : 7)
#define TCR_TBI(half)	BIT((half) ? 38 : 37)
#define TCR_HPD(half)	BIT((half) ? 42 : 41)
#define TCR_HA		BIT(39)
#define TCR_HD		BIT(40)
#define TCR_IPS		(7ULL << 32)
#define TCR_DS		BIT(59)

/* Bits of descriptors (Arm ARM D8.3) */
#define S1_VALID	BIT(0)
#define S1_TABLE	BIT(1)		/* at level 3: a page */
#define S1_ATTR(n)	((u64)(n) << 2)
#define S1_EL0		BIT(6)		/* AP[1] */
#define S1_RO		BIT(7)		/* AP[2] */
#define S1_SH(n)	((u64)(n) << 8)	/* not with addresses of 52 bits: stage1_leaf() has it */
#define S1_AF		BIT(10)
#define S1_NG		BIT(11)
#define S1_DBM		BIT(51)
#define S1_CONTIGUOUS	BIT(52)
#define S1_PXN		BIT(53)
#define S1_UXN		BIT(54)
#define S1_TABLE_PXN	BIT(59)
#define S1_TABLE_UXN	BIT(60)
#define S1_TABLE_NO_EL0	BIT(61)		/* APTable[0] */
#define S1_TABLE_RO	BIT(62)		/* APTable[1] */

#define STAGE1_MEMORIES	4

/**
 * struct stage1_shape - which format
 * @wide: physical addresses of 52 bits; more than 48 @bits need it
 * @shift: GRANULE_* of the lower and of the upper half
 * @bits: of addresses in each of them
 */
struct stage1_shape {
	bool wide;
	u32 shift[2];
	u32 bits[2];
};

/**
 * struct stage1_memory - memory of the guest
 * @ipa: where the guest has it
 * @size: bytes
 * @mem: it, or a copy of it
 */
struct stage1_memory {
	u64 ipa;
	u64 size;
	char *mem;
};

/**
 * struct stage1 - a guest's translation
 * @sctlr: SCTLR_EL1
 * @tcr: TCR_EL1
 * @mair: MAIR_EL1
 * @ttbr: TTBR0_EL1, TTBR1_EL1
 * @pa_bits: of the guest's CPU (ID_AA64MMFR0_EL1.PARange)
 * @memory: the guest's, without what stage1_begin() has not been told of
 * @nr_memory: how many
 * @fetch: may be set: a walk's way to a table that is in memory: @nr entries from @ipa on, in the
 *	buffer or elsewhere
 * @first: IPA of the memory that tables go to
 * @next: of the next new table
 * @end: where that memory ends
 */
struct stage1 {
	u64 sctlr;
	u64 tcr;
	u64 mair;
	u64 ttbr[2];
	u32 pa_bits;
	struct stage1_memory memory[STAGE1_MEMORIES];
	int nr_memory;
	const u64 *(*fetch)(const struct stage1 *s, u64 ipa, u32 nr, u64 *buffer);
	u64 first;
	u64 next;
	u64 end;
};

/**
 * struct stage1_scan - what there is to find
 * @start: first address
 * @last: last address
 * @need: as in struct keel_gva_scan
 * @deny: the same
 * @runs: from malloc()
 * @nr: how many
 * @room: for how many there is room
 * @leaves: that an AT would find
 * @holes: and holes, by level
 * @no_tables: entries that point to tables where no memory is
 * @tables: that the walk went through
 */
struct stage1_scan {
	u64 start;
	u64 last;
	u32 need;
	u32 deny;
	struct keel_gva_run *runs;
	u32 nr;
	u32 room;
	u64 leaves;
	u64 holes[5];
	u64 no_tables;
	u64 tables;
};

/**
 * stage1_memory() - tell of memory of the guest
 * @s: translation
 * @ipa: where
 * @size: bytes
 * @mem: mapping
 */
void stage1_memory(struct stage1 *s, u64 ipa, u64 size, void *mem);

/**
 * stage1_can() - does a vCPU offer this format
 * @vcpu: initialised
 * @shape: the format
 *
 * Return: true if so
 */
bool stage1_can(struct vcpu *vcpu, const struct stage1_shape *shape);

/**
 * stage1_begin() - an empty translation
 * @s: filled in
 * @vcpu: whose; initialised
 * @shape: its format
 * @ipa: tables go to
 * @size: this memory, which is filled with zeros
 * @mem: its mapping
 *
 * Attributes 0 to 3 are write-back, device, write-through and non-cacheable.
 */
void stage1_begin(struct stage1 *s, struct vcpu *vcpu, const struct stage1_shape *shape, u64 ipa,
		  u64 size, void *mem);

/**
 * stage1_set() - give it to a vCPU
 * @s: translation
 * @vcpu: which
 */
void stage1_set(const struct stage1 *s, struct vcpu *vcpu);

/**
 * stage1_first() - where a half begins
 * @s: translation
 * @half: 0 or 1
 *
 * Return: its lowest address
 */
u64 stage1_first(const struct stage1 *s, int half);

/**
 * stage1_last() - where a half ends
 * @s: translation
 * @half: 0 or 1
 *
 * Return: its highest address
 */
u64 stage1_last(const struct stage1 *s, int half);

/**
 * stage1_level() - level at which a half's translation starts
 * @s: translation
 * @half: 0 or 1
 *
 * Return: -1 to 3
 */
int stage1_level(const struct stage1 *s, int half);

/**
 * stage1_shift() - what an entry covers
 * @s: translation
 * @half: 0 or 1
 * @level: of the entry
 *
 * Return: log2 of it
 */
u32 stage1_shift(const struct stage1 *s, int half, int level);

/**
 * stage1_block_level() - can there be blocks at a level
 * @s: translation
 * @half: 0 or 1
 * @level: level
 *
 * Return: true if so; never for level 3
 */
bool stage1_block_level(const struct stage1 *s, int half, int level);

/**
 * stage1_new() - a new, empty table
 * @s: translation
 * @half: 0 or 1
 *
 * Return: its address; ends the case if there is no memory
 */
u64 stage1_new(struct stage1 *s, int half);

/**
 * stage1_ptr() - memory of the guest
 * @s: translation
 * @ipa: where
 *
 * Return: pointer; NULL: none there
 */
u64 *stage1_ptr(const struct stage1 *s, u64 ipa);

/**
 * stage1_entry() - the entry of an address, and the tables above it
 * @s: translation
 * @va: address
 * @level: of the entry
 *
 * Return: the entry, in memory; missing tables have been made
 */
u64 *stage1_entry(struct stage1 *s, u64 va, int level);

/**
 * stage1_table() - a descriptor of a table
 * @s: translation
 * @half: 0 or 1
 * @ipa: of the table
 *
 * Return: the descriptor
 */
u64 stage1_table(const struct stage1 *s, int half, u64 ipa);

/**
 * stage1_leaf() - a descriptor of a block or page
 * @s: translation
 * @half: 0 or 1
 * @level: of the leaf
 * @ipa: what it maps
 * @bits: S1_*; S1_SH() is left out where the format has none
 *
 * Return: the descriptor
 */
u64 stage1_leaf(const struct stage1 *s, int half, int level, u64 ipa, u64 bits);

/**
 * stage1_map() - map one block or page
 * @s: translation
 * @va: address
 * @level: of the leaf
 * @ipa: what it maps
 * @bits: S1_*
 */
void stage1_map(struct stage1 *s, u64 va, int level, u64 ipa, u64 bits);

/**
 * stage1_swap() - make all tables big-endian, or little-endian again
 * @s: translation; SCTLR_EL1.EE says which
 */
void stage1_swap(struct stage1 *s);

/**
 * stage1_walk() - find all that there is
 * @s: translation
 * @scan: @start, @last, @need and @deny are set, the rest is filled in
 */
void stage1_walk(const struct stage1 *s, struct stage1_scan *scan);

/**
 * stage1_continues() - are two runs parts of one
 * @a: the first
 * @b: the one behind it
 *
 * Return: true if so
 */
bool stage1_continues(const struct keel_gva_run *a, const struct keel_gva_run *b);

/**
 * stage1_holes() - holes of all levels
 * @scan: walked
 *
 * Return: their number
 */
u64 stage1_holes(const struct stage1_scan *scan);

#endif
