/* SPDX-License-Identifier: GPL-2.0 */
/* Inside src/gva/: translations, and walks of stage 1 in software for what AT does not tell. */
#ifndef KEEL_GVA_WALK_H
#define KEEL_GVA_WALK_H

#include <linux/bitfield.h>
#include <linux/bits.h>
#include <asm/pgtable-hwdef.h>

#include <keel/esr.h>
#include <keel/gva.h>
#include <keel/types.h>

struct keel_vcpu;
struct keel_vm;
struct prda;
struct vmm_page;

/* TCR_EL1, besides <asm/pgtable-hwdef.h> (Arm ARM D24.2.184) */
#define TCR_52_BITS	BIT_ULL(59)	/* DS */
#define TCR_IPS_52	6
#define TCR_NO_LIMITS0	BIT_ULL(41)	/* HPD0: no hierarchical permissions */
#define TCR_NO_LIMITS1	BIT_ULL(42)

/* Descriptors (Arm ARM D8.3) */
#define DESC_VALID	BIT(0)
#define DESC_TABLE	BIT(1)		/* at the last level: a page */
#define DESC_ATTRINDX	GENMASK(4, 2)
#define DESC_EL0	BIT(6)		/* AP[1] */
#define DESC_READONLY	BIT(7)		/* AP[2] */
#define DESC_SHARED	GENMASK(9, 8)
#define DESC_AF		BIT(10)
#define DESC_DBM	BIT_ULL(51)
#define DESC_PXN	BIT_ULL(53)
#define DESC_UXN	BIT_ULL(54)

/* In a table's descriptor, for all below it */
#define TABLE_PXN	BIT_ULL(59)
#define TABLE_UXN	BIT_ULL(60)
#define TABLE_NO_EL0	BIT_ULL(61)	/* APTable[0] */
#define TABLE_READONLY	BIT_ULL(62)	/* APTable[1] */
#define TABLE_LIMITS	GENMASK_ULL(62, 59)

#define LAST_LEVEL	3

/**
 * gva_prepare() - before a service that translates: what el2_at_begin() asks of the kernel
 *
 * Context: interrupts off until the service is over. Return: this CPU's PRDA.
 */
struct prda *gva_prepare(struct keel_vcpu *vcpu);

/**
 * struct stage1 - the registers that translation goes by
 * @sctlr, @tcr, @mair: SCTLR_EL1 and so on
 * @ttbr: TTBR0_EL1, TTBR1_EL1
 */
struct stage1 {
	u64 sctlr;
	u64 tcr;
	u64 mair;
	u64 ttbr[2];
};

/** stage1_read() - as they are now; vcpu->mutex held */
void stage1_read(struct keel_vcpu *vcpu, struct stage1 *regs);

/** stage1_granule() - log2 of the granule of the lower or @upper half; 0: reserved */
unsigned int stage1_granule(const struct stage1 *regs, bool upper);

/** stage1_bits() - log2 of the size of that half, as far as there are addresses */
unsigned int stage1_bits(const struct stage1 *regs, bool upper);

/**
 * struct walk - one half of the address space, and how far the walk has come
 * @regs: the guest's
 * @va: to translate
 * @shift: log2 of the granule
 * @wide: addresses of 52 bits
 * @swap: tables are big-endian
 * @out: log2 of the size of output addresses
 * @block: the first level that has blocks
 * @level: of the table
 * @bits: of the address that index it
 * @table: where it is
 * @desc: what stands there for the address
 * @limits: TABLE_* of the descriptors on the way
 */
struct walk {
	const struct stage1 *regs;
	struct gva va;
	unsigned int shift;
	bool wide;
	bool swap;
	unsigned int out;
	int block;
	int level;
	unsigned int bits;
	u64 table;
	u64 desc;
	u64 limits;
};

/**
 * walk_begin() - at the first table for @va
 *
 * Return: 0; -ENOENT: nothing is translated here, or by no table in memory; -ERANGE: the table's
 * address is larger than TCR_EL1.IPS allows, which is the guest's fault.
 */
int walk_begin(const struct stage1 *regs, struct gva va, struct walk *w);

/** walk_entry() - where the descriptor is */
struct ipa walk_entry(const struct walk *w);

/**
 * walk_down() - from a table to the one that @w->desc, a table's, points to
 *
 * Return: 0; -ENOENT: that is not in memory; -ERANGE as walk_begin().
 */
int walk_down(struct walk *w);

/** walk_decode() - a descriptor as it stands in memory */
u64 walk_decode(const struct walk *w, u64 raw);

/** walk_shift() - log2 of what a descriptor at @level translates */
static inline unsigned int walk_shift(const struct walk *w, int level)
{
	return w->shift + (w->shift - 3) * (LAST_LEVEL - level);
}

/** walk_is_table() - does @w->desc point to another table */
static inline bool walk_is_table(const struct walk *w)
{
	return w->level < LAST_LEVEL && (w->desc & DESC_VALID) && (w->desc & DESC_TABLE);
}

/** walk_is_leaf() - does it map a page or a block */
static inline bool walk_is_leaf(const struct walk *w)
{
	return (w->desc & DESC_VALID) && w->level >= w->block &&
	       (w->level == LAST_LEVEL) == !!(w->desc & DESC_TABLE);
}

/** walk_output() - where the leaf @w->desc puts @w->va */
u64 walk_output(const struct walk *w);

/**
 * walk_peek() - down to the descriptor that translates @va, or to where one is missing
 * @missing: see stage2_peek()
 *
 * Context: for anybody; vcpu->mutex held, nothing is waited for. Return: 0: @w->desc is the last
 * one; -ENOENT: a table is not in memory, at @w->level and @w->table; -ERANGE, -EAGAIN, -EFAULT,
 * -ENODEV.
 */
int walk_peek(struct keel_vm *vm, const struct stage1 *regs, struct gva va, struct walk *w,
	      struct vmm_page *missing);

/** walk_permissions() - KEEL_GVA_EL1_R and so on, of the leaf @desc in the table where @w is */
u32 walk_permissions(const struct walk *w, u64 desc);

/** walk_attributes() - KEEL_GVA_MAIR and KEEL_GVA_SHARED of that leaf */
u32 walk_attributes(const struct walk *w, u64 desc);

/**
 * gva_fill_now() - as gva_fill(), for anybody, see stage2_fault_in_now()
 * @w: out: for -ENOENT: the table that is not in memory
 *
 * Return: 0: try again; -ENOENT; -EAGAIN; -EFAULT; -ENODEV.
 */
int gva_fill_now(struct keel_vcpu *vcpu, const struct stage1 *regs, struct gva va, bool write,
		 struct walk *w, struct vmm_page *missing);

/** par_wants_write() - is it the guest's table that stage 2 does not let the CPU write */
static inline bool par_wants_write(u64 par)
{
	return (FIELD_GET(PAR_FST, par) & ESR_ELx_FSC_TYPE) == ESR_ELx_FSC_PERM;
}

/** par_attributes() - KEEL_GVA_MAIR and KEEL_GVA_SHARED of what AT has found */
static inline u32 par_attributes(u64 par)
{
	return par >> 56 | FIELD_GET(PAR_SHARED, par) << 8;
}

#endif /* KEEL_GVA_WALK_H */
