// SPDX-License-Identifier: GPL-2.0
/*
 * Guest virtual addresses, the kernel's half: asks EL2 for translations, and walks the guest's
 * tables in software where AT alone does not do: a table's page that stage 2 does not map (any
 * more) is not named by PAR_EL1, and no descriptor is.
 */
#include <linux/swab.h>
#include <asm/pgtable-hwdef.h>

#include <keel/esr.h>
#include <keel/vm.h>

/* TCR_EL1, besides <asm/pgtable-hwdef.h> (Arm ARM D24.2.184) */
#define TCR_52_BITS	BIT_ULL(59)	/* DS */
#define TCR_IPS_52	6

/* Descriptors (Arm ARM D8.3) */
#define DESC_VALID	BIT(0)
#define DESC_TABLE	BIT(1)		/* at the last level: a page */
#define DESC_READONLY	BIT(7)		/* AP[2] */
#define DESC_DBM	BIT_ULL(51)

#define LAST_LEVEL	3

/*
 * More than 48 bits of a table's address: no guest has memory there (S2_MAX_PA_BITS), but its
 * tables may say so.
 */
#define TTBR_HIGH	GENMASK_ULL(5, 2)
#define DESC_HIGH_64K	GENMASK_ULL(15, 12)
#define DESC_HIGH_DS	(GENMASK_ULL(49, 48) | GENMASK_ULL(9, 8))

/**
 * struct walk - one half of the address space, and how far the walk has come
 * @va: to translate
 * @shift: log2 of the granule
 * @wide: addresses of 52 bits
 * @high: the bits of a descriptor that extend them
 * @swap: tables are big-endian
 * @level: of the table
 * @bits: of the address that index it
 * @table: where it is
 * @desc: what stands there for the address
 */
struct walk {
	struct gva va;
	unsigned int shift;
	bool wide;
	u64 high;
	bool swap;
	int level;
	unsigned int bits;
	u64 table;
	u64 desc;
};

void gva_translate(struct keel_vcpu *vcpu, struct gva_pages *g)
{
	unsigned long flags;

	local_irq_save(flags);
	/* Should EL2 code fault in between (el2_own_fault of switch.S). */
	vcpu->prda->host_sp_el0 = (unsigned long)current;
	stage2_vmid_check(vcpu, vcpu->prda);
	el2_call(gva_translate_el2, vcpu, vcpu->prda, g);
	local_irq_restore(flags);
}

/* Index by TG0 and by TG1, which count differently. */
static unsigned int granule_shift(u64 tcr, bool upper)
{
	static const u8 tg0[] = { 12, 16, 14, 0 }, tg1[] = { 0, 14, 12, 16 };

	return upper ? tg1[tcr >> 30 & 3] : tg0[tcr >> 14 & 3];
}

/* Are addresses wider than 48 bits? */
static void walk_widen(struct walk *w, u64 tcr)
{
	if (w->shift == 16) {
		w->wide = (tcr >> 32 & 7) == TCR_IPS_52;
		w->high = w->wide ? DESC_HIGH_64K : 0;
	} else {
		w->wide = tcr & TCR_52_BITS;
		w->high = w->wide ? DESC_HIGH_DS : 0;
	}
}

/* -ENOENT: nothing is translated here, or by no table in memory. */
static int walk_begin(struct keel_vcpu *vcpu, struct gva va, struct walk *w)
{
	u64 tcr = vcpu_read_reg(vcpu, VCPU_TCR_EL1), sctlr = vcpu_read_reg(vcpu, VCPU_SCTLR_EL1);
	bool upper = va.v & BIT_ULL(55);
	unsigned int size = 64 - (upper ? tcr >> 16 & 0x3f : tcr & 0x3f), stride, levels;
	u64 ttbr = vcpu_read_reg(vcpu, upper ? VCPU_TTBR1_EL1 : VCPU_TTBR0_EL1);

	*w = (struct walk) { .va = va, .shift = granule_shift(tcr, upper),
			     .swap = sctlr & SCTLR_ELx_EE };
	if (!(sctlr & SCTLR_ELx_M) || tcr & (upper ? TCR_EPD1_MASK : TCR_EPD0_MASK) || !w->shift ||
	    size <= w->shift)
		return -ENOENT;
	walk_widen(w, tcr);
	/* A larger space than there is counts as the largest (Arm ARM D8.2.1). */
	size = min(size, w->shift == 16 || w->wide ? 52U : 48U);
	stride = w->shift - 3;
	levels = DIV_ROUND_UP(size - w->shift, stride);
	w->level = LAST_LEVEL + 1 - levels;
	w->bits = size - w->shift - (levels - 1) * stride;
	/* Aligned to its size, which is at least 64 bytes for addresses of 52 bits. */
	w->table = ttbr & GENMASK_ULL(47, w->wide ? max(w->bits + 3, 6U) : w->bits + 3);
	return w->wide && ttbr & TTBR_HIGH ? -ENOENT : 0;
}

static struct ipa walk_entry(const struct walk *w)
{
	u64 index = w->va.v >> (w->shift + (w->shift - 3) * (LAST_LEVEL - w->level));

	return ipa(w->table + 8 * (index & (BIT_ULL(w->bits) - 1)));
}

static int walk_read(struct keel_vcpu *vcpu, struct walk *w)
{
	int ret = stage2_copy(vcpu->vm, walk_entry(w), &w->desc, sizeof(w->desc), false);

	if (!ret && w->swap)
		w->desc = swab64(w->desc);
	return ret;
}

static bool walk_is_table(const struct walk *w)
{
	return w->level < LAST_LEVEL && (w->desc & DESC_VALID) && (w->desc & DESC_TABLE);
}

static bool walk_is_leaf(const struct walk *w)
{
	return (w->desc & DESC_VALID) &&
	       (w->level == LAST_LEVEL) == !!(w->desc & DESC_TABLE);
}

/* From a table to the one that it points to. */
static int walk_down(struct walk *w)
{
	if (w->desc & w->high)
		return -ENOENT;
	w->table = w->desc & GENMASK_ULL(47, w->shift);
	w->bits = w->shift - 3;
	w->level++;
	return 0;
}

/* One table: in stage 2, and its entry read; for writing too if that is the last. */
static int fill_table(struct keel_vcpu *vcpu, struct walk *w, bool write)
{
	struct ipa entry = walk_entry(w);
	int ret = stage2_fault_in(vcpu, entry, false);

	if (ret < 0)
		return ret;
	ret = walk_read(vcpu, w);
	if (ret == -EFAULT)
		return stage2_touch(vcpu->vm, entry, sizeof(w->desc), false) ?: -EAGAIN;
	if (ret || !write || walk_is_table(w))
		return ret;
	return min(stage2_fault_in(vcpu, entry, true), 0);
}

int gva_fill(struct keel_vcpu *vcpu, struct gva va, bool write)
{
	struct walk w;
	int ret = walk_begin(vcpu, va, &w);

	while (!ret) {
		ret = fill_table(vcpu, &w, write);
		if (ret || !walk_is_table(&w))
			break;
		ret = walk_down(&w);
	}
	return ret == -EAGAIN ? 0 : ret;
}

int gva_is_clean(struct keel_vcpu *vcpu, struct gva va)
{
	struct walk w;
	int ret;

	if (!(vcpu_read_reg(vcpu, VCPU_TCR_EL1) & TCR_HD))
		return 0;
	ret = walk_begin(vcpu, va, &w);
	while (!ret) {
		ret = walk_read(vcpu, &w);
		if (ret || !walk_is_table(&w))
			break;
		ret = walk_down(&w);
	}
	if (ret)
		return ret == -EFAULT ? ret : 0;
	return walk_is_leaf(&w) && w.desc & DESC_DBM && w.desc & DESC_READONLY ?
	       ESR_ELx_FSC_PERM | w.level : 0;
}
