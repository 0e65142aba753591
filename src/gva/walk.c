// SPDX-License-Identifier: GPL-2.0
/* Walks of the guest's stage 1 in software (Arm ARM D8.2 to D8.4). */
#include <linux/keel.h>
#include <linux/swab.h>
#include <asm/memory.h>

#include <keel/host.h>
#include <keel/vm.h>

#include "walk.h"

#define DESC_ADDRESS	GENMASK_ULL(47, 12)

/* Bits 51 to 48 of an address; a guest has no memory there, but its tables may say so. */
#define TTBR_HIGH	GENMASK_ULL(5, 2)
#define DESC_HIGH_64K	GENMASK_ULL(15, 12)
#define DESC_49_48	GENMASK_ULL(49, 48)
#define DESC_51_50	GENMASK_ULL(9, 8)

void stage1_read(struct keel_vcpu *vcpu, struct stage1 *regs)
{
	regs->sctlr = vcpu_read_reg(vcpu, VCPU_SCTLR_EL1);
	regs->tcr = vcpu_read_reg(vcpu, VCPU_TCR_EL1);
	regs->mair = vcpu_read_reg(vcpu, VCPU_MAIR_EL1);
	regs->ttbr[0] = vcpu_read_reg(vcpu, VCPU_TTBR0_EL1);
	regs->ttbr[1] = vcpu_read_reg(vcpu, VCPU_TTBR1_EL1);
}

/* Index by TG0 and by TG1, which count differently. */
unsigned int stage1_granule(const struct stage1 *regs, bool upper)
{
	static const u8 tg0[] = { 12, 16, 14, 0 }, tg1[] = { 0, 14, 12, 16 };

	return upper ? tg1[regs->tcr >> 30 & 3] : tg0[regs->tcr >> 14 & 3];
}

/* Are addresses wider than 48 bits? */
static bool stage1_is_wide(const struct stage1 *regs, bool upper)
{
	if (stage1_granule(regs, upper) == 16)
		return (regs->tcr >> 32 & 7) == TCR_IPS_52;
	return regs->tcr & TCR_52_BITS;
}

/* A larger space than there is counts as the largest (Arm ARM D8.2.1). */
unsigned int stage1_bits(const struct stage1 *regs, bool upper)
{
	unsigned int bits = 64 - (regs->tcr >> (upper ? 16 : 0) & 0x3f);
	bool wide = stage1_granule(regs, upper) == 16 || stage1_is_wide(regs, upper);

	return min(bits, wide ? 52U : 48U);
}

/* TCR_EL1.IPS; more than the CPU has counts as what it has (Arm ARM D8.2.2). */
static unsigned int output_bits(const struct stage1 *regs)
{
	static const u8 ips[] = { 32, 36, 40, 42, 44, 48, 52, 52 };

	return min_t(unsigned int, ips[regs->tcr >> 32 & 7], host.pa_bits);
}

/* Arm ARM D8.3.1: none above it, as they would be larger than addresses of that size need. */
static int block_level(const struct walk *w)
{
	switch (w->shift) {
	case 12:
		return w->wide ? 0 : 1;
	case 14:
		return w->wide ? 1 : 2;
	default:
		return host.pa_bits == 52 ? 1 : 2;
	}
}

/* 48 bits are the most that stage 2 takes (S2_MAX_PA_BITS). */
static int walk_check_table(const struct walk *w)
{
	if (w->table >> w->out)
		return -ERANGE;
	return w->table >> 48 ? -ENOENT : 0;
}

int walk_begin(const struct stage1 *regs, struct gva va, struct walk *w)
{
	bool upper = va.v & BIT_ULL(55);
	unsigned int size = stage1_bits(regs, upper), stride, levels;
	u64 ttbr = regs->ttbr[upper];

	*w = (struct walk) { .regs = regs, .va = va, .shift = stage1_granule(regs, upper),
			     .wide = stage1_is_wide(regs, upper),
			     .out = output_bits(regs),
			     .swap = regs->sctlr & SCTLR_ELx_EE };
	if (!(regs->sctlr & SCTLR_ELx_M) ||
	    regs->tcr & (upper ? TCR_EPD1_MASK : TCR_EPD0_MASK) || !w->shift || size <= w->shift)
		return -ENOENT;
	w->block = block_level(w);
	stride = w->shift - 3;
	levels = DIV_ROUND_UP(size - w->shift, stride);
	w->level = LAST_LEVEL + 1 - levels;
	w->bits = size - w->shift - (levels - 1) * stride;
	/* Aligned to its size, which is at least 64 bytes for addresses of 52 bits. */
	w->table = ttbr & GENMASK_ULL(47, w->wide ? max(w->bits + 3, 6U) : w->bits + 3);
	if (w->wide)
		w->table |= FIELD_GET(TTBR_HIGH, ttbr) << 48;
	return walk_check_table(w);
}

struct ipa walk_entry(const struct walk *w)
{
	u64 index = w->va.v >> walk_shift(w, w->level);

	return ipa(w->table + 8 * (index & (BIT_ULL(w->bits) - 1)));
}

/* Arm ARM D8.3.1: where bits 51 to 48 stand depends on the granule. */
static u64 desc_address(const struct walk *w)
{
	u64 a = w->desc & DESC_ADDRESS;

	if (!w->wide)
		return a;
	if (w->shift == 16)
		return a | FIELD_GET(DESC_HIGH_64K, w->desc) << 48;
	return a | (w->desc & DESC_49_48) | FIELD_GET(DESC_51_50, w->desc) << 50;
}

int walk_down(struct walk *w)
{
	if (!(w->regs->tcr & (w->va.v & BIT_ULL(55) ? TCR_NO_LIMITS1 : TCR_NO_LIMITS0)))
		w->limits |= w->desc & TABLE_LIMITS;
	w->table = desc_address(w) & GENMASK_ULL(51, w->shift);
	w->bits = w->shift - 3;
	w->level++;
	return walk_check_table(w);
}

u64 walk_decode(const struct walk *w, u64 raw)
{
	return w->swap ? swab64(raw) : raw;
}

u64 walk_output(const struct walk *w)
{
	u64 offset = BIT_ULL(walk_shift(w, w->level)) - 1;

	return (desc_address(w) & ~offset) | (w->va.v & offset);
}

int walk_peek(struct keel_vm *vm, const struct stage1 *regs, struct gva va, struct walk *w,
	      struct vmm_page *missing)
{
	int ret = walk_begin(regs, va, w);
	u64 raw;

	while (!ret) {
		ret = stage2_peek(vm, walk_entry(w), &raw, sizeof(raw), missing);
		if (ret)
			break;
		w->desc = walk_decode(w, raw);
		if (!walk_is_table(w))
			break;
		ret = walk_down(w);
	}
	return ret;
}

/* The limits, as the leaf would say it. */
static u64 limit(u64 desc, u64 limits)
{
	if (limits & TABLE_READONLY)
		desc = (desc | DESC_READONLY) & ~DESC_DBM;
	if (limits & TABLE_NO_EL0)
		desc &= ~(u64)DESC_EL0;
	if (limits & TABLE_PXN)
		desc |= DESC_PXN;
	if (limits & TABLE_UXN)
		desc |= DESC_UXN;
	return desc;
}

/* Arm ARM D8.4: what EL0 can write EL1 cannot execute. */
u32 walk_permissions(const struct walk *w, u64 desc)
{
	bool wxn = w->regs->sctlr & SCTLR_ELx_WXN;
	u32 p = KEEL_GVA_EL1_R;
	bool write;

	desc = limit(desc, w->limits);
	write = !(desc & DESC_READONLY) || (desc & DESC_DBM && w->regs->tcr & TCR_HD);
	if (write)
		p |= KEEL_GVA_EL1_W;
	if (desc & DESC_EL0)
		p |= KEEL_GVA_EL0_R | (write ? KEEL_GVA_EL0_W : 0);
	if (!(desc & DESC_PXN) && !(p & KEEL_GVA_EL0_W) && !(wxn && write))
		p |= KEEL_GVA_EL1_X;
	if (!(desc & DESC_UXN) && !(wxn && p & KEEL_GVA_EL0_W))
		p |= KEEL_GVA_EL0_X;
	return p;
}

u32 walk_attributes(const struct walk *w, u64 desc)
{
	u32 a = w->regs->mair >> 8 * FIELD_GET(DESC_ATTRINDX, desc) & KEEL_GVA_MAIR;
	u32 shared = FIELD_GET(DESC_SHARED, desc);

	/* With TCR_EL1.DS the bits are an address's, and TCR_EL1.SH0 and SH1 stand for them. */
	if (w->wide && w->shift != 16)
		shared = w->regs->tcr >> (w->va.v & BIT_ULL(55) ? 28 : 12) & 3;
	/* Device memory, and Normal that no cache keeps, is outer shareable whatever they say. */
	if (!(a & 0xf0) || a == 0x44)
		shared = 2;
	return a | shared << 8;
}

/* One table in stage 2, and its entry read; if it is the last one, for writing too. */
static int fill_now(struct keel_vcpu *vcpu, struct walk *w, bool write, struct vmm_page *missing)
{
	struct ipa entry = walk_entry(w);
	int ret = stage2_fault_in_now(vcpu, entry, false, missing);
	u64 raw;

	if (ret < 0)
		return ret;
	ret = stage2_peek(vcpu->vm, entry, &raw, sizeof(raw), missing);
	if (ret)
		return ret;
	w->desc = walk_decode(w, raw);
	if (!write || walk_is_table(w))
		return 0;
	return min(stage2_fault_in_now(vcpu, entry, true, missing), 0);
}

int gva_fill_now(struct keel_vcpu *vcpu, const struct stage1 *regs, struct gva va, bool write,
		 struct walk *w, struct vmm_page *missing)
{
	int ret = walk_begin(regs, va, w);

	while (!ret) {
		ret = fill_now(vcpu, w, write, missing);
		if (ret || !walk_is_table(w))
			break;
		ret = walk_down(w);
	}
	/* AT says so itself, now that it gets so far. */
	return ret == -ERANGE ? 0 : ret;
}
