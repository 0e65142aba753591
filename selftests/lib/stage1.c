// SPDX-License-Identifier: GPL-2.0
/* Stage-1 page tables of a guest, built and walked by the test (Arm ARM D8.2 and D8.3). */
#include <stdlib.h>
#include <string.h>

#include "stage1.h"

#define LAST_LEVEL	3
#define MAX_ENTRIES	8192	/* of a table */
#define MAIR		0x44bb04ffULL

#define TCR_SHARED	3ULL	/* inner */
#define TCR_CACHED	1ULL	/* write-back */

/* From bit @low to bit @high */
#define MASK(high, low)	((BIT(high) << 1) - BIT(low))

static const u8 pa_range[] = { 32, 36, 40, 42, 44, 48, 52 };

void stage1_memory(struct stage1 *s, u64 ipa, u64 size, void *mem)
{
	REQUIRE(s->nr_memory < STAGE1_MEMORIES);
	s->memory[s->nr_memory++] = (struct stage1_memory){ ipa, size, mem };
}

u64 *stage1_ptr(const struct stage1 *s, u64 ipa)
{
	const struct stage1_memory *m;

	for (m = s->memory; m < s->memory + s->nr_memory; m++)
		if (ipa >= m->ipa && ipa - m->ipa < m->size)
			return (u64 *)(m->mem + (ipa - m->ipa));
	return NULL;
}

/* --- What the registers say --- */

static u32 granule(const struct stage1 *s, int half)
{
	static const u8 tg0[] = { 12, 16, 14, 0 }, tg1[] = { 0, 14, 12, 16 };

	return half ? tg1[s->tcr >> 30 & 3] : tg0[s->tcr >> 14 & 3];
}

static u32 va_bits(const struct stage1 *s, int half)
{
	return 64 - (s->tcr >> (half ? 16 : 0) & 0x3f);
}

/* Output addresses: what the guest chose, as far as its CPU and the format go. */
static u32 oa_bits(const struct stage1 *s, int half)
{
	u32 ips = s->tcr >> 32 & 7, bits = pa_range[ips < 6 ? ips : 6];

	if (bits > s->pa_bits)
		bits = s->pa_bits;
	if (bits > 48 && granule(s, half) != GRANULE_64K && !(s->tcr & TCR_DS))
		bits = 48;
	return bits;
}

/* Are bits 9:8 of a descriptor address bits? */
static bool has_ds(const struct stage1 *s, int half)
{
	return s->tcr & TCR_DS && granule(s, half) != GRANULE_64K;
}

u64 stage1_first(const struct stage1 *s, int half)
{
	return half ? -BIT(va_bits(s, 1)) : 0;
}

u64 stage1_last(const struct stage1 *s, int half)
{
	return half ? ~0ULL : BIT(va_bits(s, 0)) - 1;
}

int stage1_level(const struct stage1 *s, int half)
{
	u32 shift = granule(s, half), stride = shift - 3;

	return LAST_LEVEL + 1 - (va_bits(s, half) - shift + stride - 1) / stride;
}

u32 stage1_shift(const struct stage1 *s, int half, int level)
{
	return granule(s, half) + (granule(s, half) - 3) * (LAST_LEVEL - level);
}

bool stage1_block_level(const struct stage1 *s, int half, int level)
{
	switch (granule(s, half)) {
	case GRANULE_4K:
		return level == 2 || level == 1 || (level == 0 && has_ds(s, half));
	case GRANULE_16K:
		return level == 2 || (level == 1 && has_ds(s, half));
	default:
		return level == 2 || (level == 1 && s->pa_bits == 52);
	}
}

/* --- Building --- */

static bool can_half(struct vcpu *vcpu, u32 shift, bool wide)
{
	u64 mmfr0 = vcpu_get(vcpu, REG_MMFR0), mmfr2 = vcpu_get(vcpu, REG_MMFR2);
	u32 tgran4 = mmfr0 >> 28 & 0xf, tgran16 = mmfr0 >> 20 & 0xf, tgran64 = mmfr0 >> 24 & 0xf;
	bool lva = mmfr2 >> 16 & 0xf, lpa = (mmfr0 & 0xf) >= 6;

	if (wide && !lpa)
		return false;
	switch (shift) {
	case GRANULE_4K:
		return wide ? tgran4 == 1 : tgran4 != 0xf;
	case GRANULE_16K:
		return wide ? tgran16 == 2 : tgran16 != 0;
	default:
		return tgran64 != 0xf && (!wide || lva);
	}
}

bool stage1_can(struct vcpu *vcpu, const struct stage1_shape *shape)
{
	return can_half(vcpu, shape->shift[0], shape->wide) &&
	       can_half(vcpu, shape->shift[1], shape->wide);
}

static u64 tcr_of(const struct stage1_shape *shape, u32 range)
{
	static const u8 tg0[] = { [12] = 0, [14] = 2, [16] = 1 };
	static const u8 tg1[] = { [12] = 2, [14] = 1, [16] = 3 };
	u64 half = TCR_CACHED << 8 | TCR_CACHED << 10 | TCR_SHARED << 12;
	u64 tcr = half | half << 16;

	/* Without wide addresses 48 bits of physical address at most, for 64 KB too. */
	if (!shape->wide && range > 5)
		range = 5;
	tcr |= (u64)range << 32;
	tcr |= (u64)tg0[shape->shift[0]] << 14 | (u64)tg1[shape->shift[1]] << 30;
	tcr |= (64 - shape->bits[0]) | (u64)(64 - shape->bits[1]) << 16;
	/* It is ignored where the granule is 64 KB. */
	return shape->wide ? tcr | TCR_DS : tcr;
}

void stage1_begin(struct stage1 *s, struct vcpu *vcpu, const struct stage1_shape *shape, u64 ipa,
		  u64 size, void *mem)
{
	u32 range = vcpu_get(vcpu, REG_MMFR0) & 0xf;
	int half;

	memset(s, 0, sizeof(*s));
	memset(mem, 0, size);
	REQUIRE(range < ARRAY_SIZE(pa_range));
	s->pa_bits = pa_range[range];
	s->sctlr = vcpu_get(vcpu, REG_SCTLR) | SCTLR_M;
	s->tcr = tcr_of(shape, range);
	s->mair = MAIR;
	stage1_memory(s, ipa, size, mem);
	s->first = ipa;
	s->next = ipa;
	s->end = ipa + size;
	for (half = 0; half < 2; half++)
		s->ttbr[half] = stage1_new(s, half);
}

void stage1_set(const struct stage1 *s, struct vcpu *vcpu)
{
	vcpu_set(vcpu, REG_MAIR, s->mair);
	vcpu_set(vcpu, REG_TCR, s->tcr);
	vcpu_set(vcpu, REG_TTBR0, s->ttbr[0]);
	vcpu_set(vcpu, REG_TTBR1, s->ttbr[1]);
	vcpu_set(vcpu, REG_SCTLR, s->sctlr);
}

u64 stage1_new(struct stage1 *s, int half)
{
	u64 size = BIT(granule(s, half)), ipa = (s->next + size - 1) & -size;

	if (ipa + size > s->end)
		ktap_fail("no memory is left for tables");
	s->next = ipa + size;
	return ipa;
}

/* Where bits 51:48 of an address are in a descriptor. */
static u64 high_bits(const struct stage1 *s, int half, u64 ipa)
{
	if (has_ds(s, half))
		return (ipa & MASK(49, 48)) | (ipa >> 50 & 3) << 8;
	if (oa_bits(s, half) > 48)
		return (ipa >> 48 & 0xf) << 12;
	return 0;
}

u64 stage1_table(const struct stage1 *s, int half, u64 ipa)
{
	return (ipa & MASK(47, granule(s, half))) | high_bits(s, half, ipa) | S1_VALID | S1_TABLE;
}

u64 stage1_leaf(const struct stage1 *s, int half, int level, u64 ipa, u64 bits)
{
	if (has_ds(s, half))
		bits &= ~S1_SH(3);
	return (ipa & MASK(47, granule(s, half))) | high_bits(s, half, ipa) | bits | S1_VALID |
	       (level == LAST_LEVEL ? S1_TABLE : 0);
}

u64 *stage1_entry(struct stage1 *s, u64 va, int level)
{
	int half = va >> 55 & 1, at = stage1_level(s, half);
	u64 table = s->ttbr[half], index, *entry;

	va &= BIT(va_bits(s, half)) - 1;
	for (;; at++) {
		index = va >> stage1_shift(s, half, at);
		if (at > stage1_level(s, half))
			index &= BIT(granule(s, half) - 3) - 1;
		entry = stage1_ptr(s, table) + index;
		if (at == level)
			return entry;
		if (!(*entry & S1_VALID))
			*entry = stage1_table(s, half, stage1_new(s, half));
		table = *entry & MASK(47, granule(s, half));
	}
}

void stage1_map(struct stage1 *s, u64 va, int level, u64 ipa, u64 bits)
{
	*stage1_entry(s, va, level) = stage1_leaf(s, va >> 55 & 1, level, ipa, bits);
}

void stage1_swap(struct stage1 *s)
{
	u64 *word = stage1_ptr(s, s->first), *end = word + (s->next - s->first) / 8;

	for (; word < end; word++)
		*word = __builtin_bswap64(*word);
}

/* --- Walking --- */

/**
 * struct walk - one half, being walked
 * @s: the translation
 * @scan: the result
 * @half: 0 or 1
 */
struct walk {
	const struct stage1 *s;
	struct stage1_scan *scan;
	int half;
};

/**
 * struct table - one table of it
 * @ipa: where it is
 * @va: of its first entry
 * @level: of its entries
 * @nr: how many
 * @limits: S1_TABLE_* of the tables above
 */
struct table {
	u64 ipa;
	u64 va;
	int level;
	u32 nr;
	u64 limits;
};

bool stage1_continues(const struct keel_gva_run *a, const struct keel_gva_run *b)
{
	return a->gva + a->length == b->gva && a->ipa + a->length == b->ipa &&
	       a->leaf_shift == b->leaf_shift && a->attributes == b->attributes &&
	       a->permissions == b->permissions && a->flags == b->flags;
}

/* A run, as far as it is in the range. */
static void scan_add(struct stage1_scan *scan, struct keel_gva_run *run)
{
	struct keel_gva_run *before = scan->nr ? &scan->runs[scan->nr - 1] : NULL;
	u64 cut = scan->start > run->gva ? scan->start - run->gva : 0;
	u64 end = run->gva + (run->length - 1);

	run->gva += cut;
	if (!(run->flags & KEEL_GVA_RUN_NO_TABLE))
		run->ipa += cut;
	run->length = (end < scan->last ? end : scan->last) - run->gva + 1;
	if (before && stage1_continues(before, run)) {
		before->length += run->length;
		return;
	}
	if (scan->nr == scan->room) {
		scan->room = 2 * scan->room + 64;
		scan->runs = realloc(scan->runs, scan->room * sizeof(*run));
		REQUIRE(scan->runs);
	}
	scan->runs[scan->nr++] = *run;
}

static u32 permissions(const struct stage1 *s, u64 desc, u64 limits)
{
	bool dirty = desc & S1_DBM && s->tcr & TCR_HD;
	bool w1 = dirty || !(desc & S1_RO), r0 = desc & S1_EL0, w0, x1, x0;

	w1 = w1 && !(limits & S1_TABLE_RO);
	r0 = r0 && !(limits & S1_TABLE_NO_EL0);
	w0 = r0 && w1;
	/* What EL0 may write EL1 may not execute. */
	x1 = !(desc & S1_PXN) && !(limits & S1_TABLE_PXN) && !w0;
	x0 = !(desc & S1_UXN) && !(limits & S1_TABLE_UXN);
	if (s->sctlr & SCTLR_WXN) {
		x1 = x1 && !w1;
		x0 = x0 && !w0;
	}
	return KEEL_GVA_EL1_R | (w1 ? KEEL_GVA_EL1_W : 0) | (x1 ? KEEL_GVA_EL1_X : 0) |
	       (r0 ? KEEL_GVA_EL0_R : 0) | (w0 ? KEEL_GVA_EL0_W : 0) |
	       (x0 ? KEEL_GVA_EL0_X : 0);
}

/* As PAR_EL1 tells it: device and non-cacheable memory is outer shareable, whatever is said. */
static u32 attributes(const struct walk *w, u64 desc)
{
	u32 mair = w->s->mair >> 8 * (desc >> 2 & 7) & 0xff;
	u32 sh = desc >> 8 & 3;

	if (has_ds(w->s, w->half))
		sh = w->s->tcr >> (w->half ? 28 : 12) & 3;
	if (!(mair & 0xf0) || mair == 0x44)
		sh = 2;
	return mair | sh << 8;
}

static u64 output(const struct walk *w, u64 desc)
{
	u64 ipa = desc & MASK(47, granule(w->s, w->half));

	if (has_ds(w->s, w->half))
		return ipa | (desc & MASK(49, 48)) | (desc >> 8 & 3) << 50;
	if (oa_bits(w->s, w->half) > 48)
		return ipa | (desc >> 12 & 0xf) << 48;
	return ipa;
}

static void walk_leaf(struct walk *w, const struct table *t, u64 va, u64 desc)
{
	struct stage1_scan *scan = w->scan;
	u32 shift = stage1_shift(w->s, w->half, t->level);
	u64 limits = w->s->tcr & TCR_HPD(w->half) ? 0 : t->limits;
	struct keel_gva_run run = {
		.gva = va,
		.ipa = output(w, desc) & -BIT(shift),
		.length = BIT(shift),
		.leaf_shift = shift,
		.attributes = attributes(w, desc),
		.permissions = permissions(w->s, desc, limits),
		/* Where the guest lets the CPU set access flags, AT does so. */
		.flags = desc & S1_AF || w->s->tcr & TCR_HA ? 0 : KEEL_GVA_RUN_NO_AF,
	};

	scan->leaves++;
	if ((run.permissions & scan->need) == scan->need && !(run.permissions & scan->deny))
		scan_add(scan, &run);
}

/* @t would be at @t->ipa; the run tells where the entry for its first address is. */
static void walk_no_table(struct walk *w, const struct table *t)
{
	u32 shift = stage1_shift(w->s, w->half, t->level);
	u64 size = (u64)t->nr << shift;
	u64 first = w->scan->start > t->va ? w->scan->start - t->va : 0;
	struct keel_gva_run run = {
		.gva = t->va,
		.ipa = t->ipa + 8 * (first >> shift),
		.length = size,
		.leaf_shift = __builtin_ctzll(size),
		.flags = KEEL_GVA_RUN_NO_TABLE,
	};

	w->scan->no_tables++;
	scan_add(w->scan, &run);
}

static void walk_table(struct walk *w, const struct table *t);

static void walk_entry(struct walk *w, const struct table *t, u64 va, u64 desc)
{
	bool table = t->level < LAST_LEVEL && desc & S1_TABLE;
	u64 ipa = output(w, desc);
	struct table next = {
		ipa, va, t->level + 1, BIT(granule(w->s, w->half) - 3), t->limits | desc,
	};

	if (!(desc & S1_VALID) ||
	    (!(desc & S1_TABLE) && !stage1_block_level(w->s, w->half, t->level)) ||
	    ipa >> oa_bits(w->s, w->half)) {
		w->scan->holes[t->level + 1]++;
		return;
	}
	if (!table)
		walk_leaf(w, t, va, desc);
	else if (!stage1_ptr(w->s, ipa))
		walk_no_table(w, &next);
	else
		walk_table(w, &next);
}

static void walk_table(struct walk *w, const struct table *t)
{
	u64 buffer[MAX_ENTRIES];
	const u64 *entry = w->s->fetch ? w->s->fetch(w->s, t->ipa, t->nr, buffer) :
					 stage1_ptr(w->s, t->ipa);
	u64 size = BIT(stage1_shift(w->s, w->half, t->level)), va = t->va, desc;
	u32 i;

	w->scan->tables++;
	for (i = 0; i < t->nr; i++, va += size) {
		if (va + (size - 1) < w->scan->start || va > w->scan->last)
			continue;
		desc = READ_ONCE(entry[i]);
		if (w->s->sctlr & SCTLR_EE)
			desc = __builtin_bswap64(desc);
		walk_entry(w, t, va, desc);
	}
}

/* All of a half faults at level 0, which is where a fault of the base register is. */
static void walk_nothing(struct walk *w)
{
	u64 first = stage1_first(w->s, w->half), last = stage1_last(w->s, w->half);
	u32 shift = stage1_shift(w->s, w->half, 0);

	first = first > w->scan->start ? first : w->scan->start;
	last = last < w->scan->last ? last : w->scan->last;
	w->scan->holes[1] += (last >> shift) - (first >> shift) + 1;
}

static void walk_half(struct walk *w)
{
	const struct stage1 *s = w->s;
	int level = stage1_level(s, w->half);
	u32 bits = va_bits(s, w->half), shift = stage1_shift(s, w->half, level);
	struct table t = { .va = stage1_first(s, w->half), .level = level,
			   .nr = BIT(bits - shift) };
	u64 ttbr = s->ttbr[w->half], align = 8ULL * t.nr;

	if (t.va > w->scan->last || stage1_last(s, w->half) < w->scan->start)
		return;
	if (oa_bits(s, w->half) > 48 && align < 64)
		align = 64;
	t.ipa = ttbr & MASK(47, 0) & -align;
	if (oa_bits(s, w->half) > 48)
		t.ipa |= (ttbr >> 2 & 0xf) << 48;
	if (s->tcr & TCR_EPD(w->half) || t.ipa >> oa_bits(s, w->half))
		walk_nothing(w);
	else if (!stage1_ptr(s, t.ipa))
		walk_no_table(w, &t);
	else
		walk_table(w, &t);
}

void stage1_walk(const struct stage1 *s, struct stage1_scan *scan)
{
	struct walk w = { s, scan, 0 };

	scan->nr = 0;
	scan->leaves = 0;
	scan->no_tables = 0;
	scan->tables = 0;
	memset(scan->holes, 0, sizeof(scan->holes));
	for (w.half = 0; w.half < 2; w.half++)
		walk_half(&w);
}

u64 stage1_holes(const struct stage1_scan *scan)
{
	u64 sum = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(scan->holes); i++)
		sum += scan->holes[i];
	return sum;
}
