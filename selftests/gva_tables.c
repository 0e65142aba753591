// SPDX-License-Identifier: GPL-2.0
/*
 * Random tables of every format: KEEL_GVA_SCAN finds what a walk in software finds, run by run and
 * hole by hole. The seed is printed, and GVA_SEED repeats it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "lib/gva.h"
#include "lib/observer.h"
#include "lib/soak.h"

#define TABLES		FREE_IPA
#define TABLES_SIZE	(RAM_IPA + RAM_SIZE - FREE_IPA)
#define MAX_TABLES	32
/* Entries of all tables of a round: what a scan has to ask for. */
#define MAX_ENTRIES	60000

static struct vm vm;
static struct stage1 s1;
static int observer;
static u64 random_state;

static u64 rnd(u64 n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % n;
}

static bool one_in(u64 n)
{
	return !rnd(n);
}

static void seed(void)
{
	const char *s = getenv("GVA_SEED");

	if (s)
		random_state = strtoull(s, NULL, 0);
	else
		REQUIRE_EQ(getrandom(&random_state, sizeof(random_state), 0), 8);
	random_state |= !random_state;
	ktap_note("GVA_SEED=%#llx", random_state);
}

/* --- Tables --- */

/**
 * struct made - a table that has been made
 * @half: 0 or 1
 * @level: for which it was made
 * @nr: of its entries
 * @ipa: where it is
 */
static struct made {
	int half;
	int level;
	u32 nr;
	u64 ipa;
} made[MAX_TABLES];

static int nr_made;

static u64 *entry_of(const struct made *m, u32 index)
{
	return stage1_ptr(&s1, m->ipa) + index;
}

static void add_root(int half, u64 ipa)
{
	int level = stage1_level(&s1, half);
	u64 size = stage1_last(&s1, half) - stage1_first(&s1, half);

	made[nr_made++] = (struct made){
		half, level, (size >> stage1_shift(&s1, half, level)) + 1, ipa,
	};
}

/* What hardware ignores, and limits for what is below. */
static u64 table_bits(void)
{
	u64 bits = rnd(128) << 52;

	if (one_in(4))
		bits |= S1_TABLE_NO_EL0;
	if (one_in(4))
		bits |= S1_TABLE_RO;
	if (one_in(4))
		bits |= S1_TABLE_UXN;
	if (one_in(4))
		bits |= S1_TABLE_PXN;
	return bits;
}

/* A new table below one of the others. False: that one is of the last level. */
static bool add_table(const struct stage1_shape *shape)
{
	const struct made *above = &made[rnd(nr_made)];
	u64 ipa;

	if (above->level == 3)
		return false;
	ipa = stage1_new(&s1, above->half);
	*entry_of(above, rnd(above->nr)) = stage1_table(&s1, above->half, ipa) | table_bits();
	made[nr_made++] = (struct made){
		above->half, above->level + 1, BIT(shape->shift[above->half] - 3), ipa,
	};
	return true;
}

static u64 leaf_bits(void)
{
	static const u64 shared[] = { S1_SH(0), S1_SH(2), S1_SH(3) };
	u64 bits = S1_AF | S1_ATTR(rnd(4)) | shared[rnd(ARRAY_SIZE(shared))];

	if (one_in(8))
		bits &= ~S1_AF;
	if (one_in(8))
		bits |= S1_CONTIGUOUS;
	if (one_in(8))
		bits |= S1_DBM;
	return bits | (rnd(4) << 6) | (rnd(4) << 53) | (rnd(2) * S1_NG) | (rnd(16) << 55);
}

/* Some IPA that fits: in memory or not, in the guest's space or not, or too large for the format */
static u64 leaf_ipa(u32 shift)
{
	static const u8 widths[] = { 31, 32, 36, 40, 44, 48, 52 };
	u64 ipa = (rnd(BIT(32)) << 32 | rnd(BIT(32))) & (BIT(widths[rnd(7)]) - 1);

	return ipa & -BIT(shift);
}

/* Neighbours that are alike, more or less, so that some of them are one run. */
static void add_leaves(const struct made *m)
{
	u32 index = rnd(m->nr), n = 1 + rnd(one_in(4) ? 400 : 20);
	u32 shift = stage1_shift(&s1, m->half, m->level);
	u64 ipa = leaf_ipa(shift), bits = leaf_bits();

	for (; n && index < m->nr; n--, index++) {
		*entry_of(m, index) = stage1_leaf(&s1, m->half, m->level, ipa, bits);
		ipa += BIT(shift);
		if (one_in(16))
			ipa += BIT(shift);
		if (one_in(16))
			bits = leaf_bits();
	}
}

/* An entry that is none, leads nowhere, or leads back: to a table of any level, even itself. */
static void add_strange(const struct made *m)
{
	u64 *entry = entry_of(m, rnd(m->nr));
	const struct made *to = &made[rnd(nr_made)];
	u64 ipa;

	switch (rnd(4)) {
	case 0:
		*entry = (rnd(BIT(32)) << 32 | rnd(BIT(32))) & ~S1_VALID;
		break;
	case 1:
		/* of another kind than its level has, mostly */
		ipa = leaf_ipa(stage1_shift(&s1, m->half, m->level));
		*entry = stage1_leaf(&s1, m->half, m->level, ipa, leaf_bits()) ^ S1_TABLE;
		break;
	case 2:
		*entry = stage1_table(&s1, m->half, leaf_ipa(16)) | table_bits();
		break;
	default:
		/* A half of another granule makes nothing of it. */
		if (to->half == m->half && m->level < 3)
			*entry = stage1_table(&s1, m->half, to->ipa) | table_bits();
	}
}

static void fill_table(const struct made *m)
{
	int i, n;

	/* blocks where there are none, too: those are holes */
	for (i = 0, n = rnd(m->level == 3 ? 8 : 3); i < n; i++)
		add_leaves(m);
	for (i = 0, n = rnd(4); i < n; i++)
		add_strange(m);
}

/* --- Registers --- */

static void random_regs(const struct stage1_shape *shape)
{
	int half;

	/* what the guest says its physical addresses have, as far as they fit */
	if (!shape->wide && one_in(2))
		s1.tcr = (s1.tcr & ~(7ULL << 32)) | rnd(6) << 32;
	if (one_in(3))
		s1.sctlr |= SCTLR_WXN;
	/* flags that the CPU sets: accessed, and dirty */
	if (vcpu_get(&vm.vcpus[0], REG_MMFR1) & 0xf && one_in(4))
		s1.tcr |= TCR_HA | (one_in(2) ? TCR_HD : 0);
	for (half = 0; half < 2; half++) {
		if (one_in(4))
			s1.tcr |= TCR_HPD(half);
		if (one_in(4))
			s1.tcr |= TCR_TBI(half);
		s1.ttbr[half] |= rnd(BIT(16)) << 48;
	}
}

/* After the tables: no root at all, one that leads nowhere, another order of bytes. */
static void spoil(bool wide)
{
	int half = rnd(2);

	if (one_in(12))
		s1.tcr |= TCR_EPD(half);
	else if (one_in(12))
		s1.ttbr[half] = (leaf_ipa(16) & (BIT(48) - 1)) | (wide ? rnd(16) << 2 : 0);
	if (one_in(4)) {
		s1.sctlr |= SCTLR_EE;
		stage1_swap(&s1);
	}
}

static void make_tables(const struct stage1_shape *shape)
{
	struct vcpu *vcpu = &vm.vcpus[0];
	u32 entries, limit;
	int i;

	stage1_begin(&s1, vcpu, shape, TABLES, TABLES_SIZE, vm_ptr(&vm, TABLES));
	nr_made = 0;
	for (i = 0; i < 2; i++)
		add_root(i, s1.ttbr[i]);
	random_regs(shape);
	limit = 2 + rnd(MAX_TABLES - 1);
	for (i = entries = 0; i < 1000 && nr_made < (int)limit && entries < MAX_ENTRIES; i++)
		if (add_table(shape))
			entries += made[nr_made - 1].nr;
	for (i = 0; i < nr_made; i++)
		fill_table(&made[i]);
	stage1_memory(&s1, RAM_IPA, RAM_SIZE, vm.ram);
	spoil(shape->wide);
	stage1_set(&s1, vcpu);
}

/* --- Cases --- */

static void show(u64 state, const struct stage1_shape *shape)
{
	ktap_note("GVA_SEED=%#llx: granules %u and %u, %u and %u bits%s", state, shape->shift[0],
		  shape->shift[1], shape->bits[0], shape->bits[1], shape->wide ? ", wide" : "");
	ktap_note("SCTLR %#llx TCR %#llx TTBR0 %#llx TTBR1 %#llx", s1.sctlr, s1.tcr, s1.ttbr[0],
		  s1.ttbr[1]);
}

/* Any part of it: what the range cuts off is not there. */
static bool check_part(void)
{
	struct stage1_scan want = {};
	struct gva_scan got = {};
	u64 a = stage1_first(&s1, rnd(2)) + (rnd(BIT(32)) << 20 | rnd(BIT(20)));
	u64 b = stage1_first(&s1, rnd(2)) + (rnd(BIT(32)) << 20 | rnd(BIT(20)));
	bool ok;

	want.start = a < b ? a : b;
	want.last = a < b ? b : a;
	want.need = one_in(2) ? 0 : rnd(128) & 0x77;
	want.deny = one_in(2) ? 0 : rnd(128) & 0x77 & ~want.need;
	got.call.start = want.start;
	got.call.last = want.last;
	got.call.need = want.need;
	got.call.deny = want.deny;
	stage1_walk(&s1, &want);
	REQUIRE_EQ(gva_scan(observer, 0, KEEL_GVA_MAX_RUNS, &got), 0);
	gva_join(&got);
	ok = gva_same(&got, &want, true);
	if (!ok)
		ktap_note("%#llx to %#llx, need %#x, deny %#x", want.start, want.last, want.need,
			  want.deny);
	free(got.runs);
	free(want.runs);
	return ok;
}

static void create(void)
{
	static const char nothing[1];

	vm_create_guest(&vm, nothing, nothing, 1);
	observer = observe_last();
}

static void destroy(void)
{
	vm_destroy(&vm);
	close(observer);
}

static u32 random_granule(void)
{
	static const u32 shifts[] = { GRANULE_4K, GRANULE_16K, GRANULE_64K };

	return shifts[rnd(ARRAY_SIZE(shifts))];
}

/* Where translation starts changes with each few bits; both ends are met often. */
static u32 random_bits(bool wide)
{
	const u32 most = wide ? 52 : 48;

	return one_in(3) ? most : 25 + rnd(most - 25 + 1);
}

static struct stage1_shape random_shape(u32 shift, bool wide)
{
	return (struct stage1_shape){
		wide,
		{ shift ? shift : random_granule(), shift ? shift : random_granule() },
		{ random_bits(wide), random_bits(wide) },
	};
}

/* @shift 0: a granule for each half. */
static void check_random(u32 shift, bool wide)
{
	int rounds = soak_rounds(20, 400), i;
	struct stage1_shape shape;
	u64 state;

	seed();
	create();
	shape = (struct stage1_shape){ .wide = wide, .shift = { shift, shift } };
	if (shift && !stage1_can(&vm.vcpus[0], &shape)) {
		if (!wide)
			ktap_skip("the vCPU has no granule of 2^%u bytes", shift);
		ktap_note("the vCPU has no addresses of 52 bits with this granule");
		destroy();
		return;
	}
	for (i = 0; i < rounds && !ktap_failed() && !soak_enough(i, 5, 5); i++) {
		state = random_state;
		shape = random_shape(shift, wide);
		make_tables(&shape);
		if (!gva_check(observer, 0, &s1) || !check_part())
			show(state, &shape);
	}
	ktap_note("%d rounds", i);
	destroy();
}

static void granule_4k(void)
{
	check_random(GRANULE_4K, false);
}

static void granule_16k(void)
{
	check_random(GRANULE_16K, false);
}

static void granule_64k(void)
{
	check_random(GRANULE_64K, false);
}

static void wide_4k(void)
{
	check_random(GRANULE_4K, true);
}

static void wide_16k(void)
{
	check_random(GRANULE_16K, true);
}

static void wide_64k(void)
{
	check_random(GRANULE_64K, true);
}

static void mixed(void)
{
	check_random(0, false);
}

static const struct ktap_case cases[] = {
	{ "granule_4k", granule_4k },
	{ "granule_16k", granule_16k },
	{ "granule_64k", granule_64k },
	{ "wide_4k", wide_4k },
	{ "wide_16k", wide_16k },
	{ "wide_64k", wide_64k },
	{ "mixed", mixed },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
