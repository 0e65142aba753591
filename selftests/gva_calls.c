// SPDX-License-Identifier: GPL-2.0
/*
 * Guest virtual addresses of a vCPU that never ran: its registers are the VMM's, its tables the
 * test's. What each call says, and what it refuses.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/gva.h"
#include "lib/observer.h"

#define TABLES		FREE_IPA
#define TABLES_SIZE	0x800000
#define DATA		(TABLES + TABLES_SIZE)
#define DATA_SIZE	(RAM_IPA + RAM_SIZE - DATA)
#define PAGE		4096ULL
#define NOWHERE		0x20000000ULL	/* no memory slot */

#define UPPER		0xffff000000000000ULL
#define NORMAL		(S1_AF | S1_ATTR(0) | S1_SH(3))
#define KERNEL		(NORMAL | S1_UXN)
#define USER		(NORMAL | S1_EL0 | S1_PXN | S1_NG)
#define ATTRIBUTES	0x3ff	/* write-back, inner shareable */
#define KERNEL_RW	(KEEL_GVA_EL1_R | KEEL_GVA_EL1_W)
#define KERNEL_RWX	(KERNEL_RW | KEEL_GVA_EL1_X)

/* Fault status: + level */
#define ADDRESS_SIZE	0x00
#define TRANSLATION	0x04
#define ACCESS_FLAG	0x08
#define PERMISSION	0x0c

static struct vm vm;
static struct stage1 s1;
static int observer;

static const struct stage1_shape shape = {
	false, { GRANULE_4K, GRANULE_4K }, { 48, 48 },
};

static void create(void)
{
	static const char nothing[1];

	vm_create_guest(&vm, nothing, nothing, 1);
	stage1_begin(&s1, &vm.vcpus[0], &shape, TABLES, TABLES_SIZE, vm_ptr(&vm, TABLES));
	stage1_memory(&s1, RAM_IPA, RAM_SIZE, vm.ram);
	stage1_set(&s1, &vm.vcpus[0]);
	observer = observe_last();
}

static void destroy(void)
{
	vm_destroy(&vm);
	close(observer);
}

/* --- Translate --- */

static void translate(u64 gva, u32 access, struct keel_gva_translate *t)
{
	REQUIRE_EQ(gva_translate(observer, 0, gva, access, t), 0);
	CHECK_EQ(t->size, sizeof(*t));
	CHECK_EQ(t->flags | t->pad | t->vcpu, 0);
	CHECK_EQ(t->gva, gva);
	CHECK_EQ(t->access, access);
	CHECK_EQ(t->reserved[0] | t->reserved[1] | t->reserved[2] | t->reserved[3], 0);
	CHECK_EQ(t->par & 1, t->status != KEEL_GVA_MAPPED);
}

static void check_mapped(u64 gva, u32 access, u64 ipa)
{
	struct keel_gva_translate t;

	translate(gva, access, &t);
	if (!CHECK_EQ(t.status, KEEL_GVA_MAPPED) | !CHECK_EQ(t.ipa, ipa))
		ktap_note("address %#llx, access %#x", gva, access);
	CHECK_EQ(t.par & 0x000ffffffffff000, ipa & -PAGE);
}

static void check_fault(u64 gva, u32 access, u32 fault, int level)
{
	struct keel_gva_translate t;

	translate(gva, access, &t);
	if (!CHECK_EQ(t.status, KEEL_GVA_FAULT) | !CHECK_EQ(t.fault, fault + level) |
	    !CHECK_EQ(t.level, level))
		ktap_note("address %#llx, access %#x", gva, access);
	CHECK_EQ(t.par >> 1 & 0x3f, fault + level);
}

static void check_leaf(u64 gva, u32 access, int level, u32 permissions)
{
	struct keel_gva_translate t;
	u64 desc = *stage1_entry(&s1, gva, level);
	u32 shift = stage1_shift(&s1, gva >> 55 & 1, level);

	translate(gva, access | KEEL_GVA_LEAF, &t);
	CHECK_EQ(t.level, level);
	CHECK_EQ(t.leaf_shift, shift);
	CHECK_EQ(t.descriptor, desc);
	CHECK_EQ(t.permissions, permissions);
	CHECK_EQ(t.attributes, ATTRIBUTES);
	CHECK_EQ(t.ipa, (desc & 0x0000fffffffff000) | (gva & (BIT(shift) - 1)));
}

static void translate_mapped(void)
{
	struct keel_gva_translate t;
	int half;
	u64 base;

	create();
	for (half = 0; half < 2; half++) {
		base = half ? UPPER : 0;
		stage1_map(&s1, base + 0x400000, 3, DATA, KERNEL);
		stage1_map(&s1, base + 0x401000, 3, DATA + 0x5000, USER);
		stage1_map(&s1, base + 0x600000, 2, RAM_IPA + 0x200000, KERNEL | S1_PXN);
		stage1_map(&s1, base + BIT(30), 1, BIT(30), KERNEL);
		stage1_map(&s1, base + BIT(39), 3, NOWHERE, KERNEL);
		check_mapped(base + 0x400000, 0, DATA);
		check_mapped(base + 0x400abc, KEEL_GVA_WRITE, DATA + 0xabc);
		check_mapped(base + 0x401ff8, 0, DATA + 0x5ff8);
		check_mapped(base + 0x401ff8, KEEL_GVA_EL0 | KEEL_GVA_WRITE, DATA + 0x5ff8);
		check_mapped(base + 0x7fffff, 0, RAM_IPA + 0x3fffff);
		check_mapped(base + BIT(30) + 0x12345678, 0, BIT(30) + 0x12345678);
		check_leaf(base + 0x400018, 0, 3, KERNEL_RWX);
		check_leaf(base + 0x401018, KEEL_GVA_WRITE, 3, 0x73);
		check_leaf(base + 0x654321, 0, 2, KERNEL_RW);
		check_leaf(base + BIT(30) + 0x3ffffff8, 0, 1, KERNEL_RWX);
		translate(base + 0x400000, 0, &t);
		CHECK_EQ(t.attributes, ATTRIBUTES);
		CHECK_EQ(t.host, KEEL_GVA_HOST_ABSENT);
		translate(base + BIT(39), 0, &t);
		CHECK_EQ(t.host, KEEL_GVA_HOST_NONE);
	}
	destroy();
}

static void translate_faults(void)
{
	struct keel_gva_translate t;

	create();
	stage1_map(&s1, 0x400000, 3, DATA, KERNEL);
	stage1_map(&s1, 0x401000, 3, DATA, USER | S1_RO);
	stage1_map(&s1, 0x402000, 3, DATA, KERNEL & ~S1_AF);
	stage1_map(&s1, 0x800000, 2, RAM_IPA, USER & ~S1_AF);
	stage1_map(&s1, 0x10000000000, 1, 0, (KERNEL | S1_RO));
	check_fault(0x403000, 0, TRANSLATION, 3);
	check_fault(0x600000, KEEL_GVA_EL0, TRANSLATION, 2);
	check_fault(0x80000000, KEEL_GVA_WRITE, TRANSLATION, 1);
	check_fault(0x800000000000, 0, TRANSLATION, 0);
	check_fault(UPPER, 0, TRANSLATION, 0);
	check_fault(0x400000, KEEL_GVA_EL0, PERMISSION, 3);
	check_fault(0x401000, KEEL_GVA_WRITE, PERMISSION, 3);
	check_fault(0x401000, KEEL_GVA_WRITE | KEEL_GVA_EL0, PERMISSION, 3);
	check_mapped(0x401000, KEEL_GVA_EL0, DATA);
	check_fault(0x402000, 0, ACCESS_FLAG, 3);
	check_fault(0x800000, 0, ACCESS_FLAG, 2);
	check_fault(0x10000000000, KEEL_GVA_WRITE, PERMISSION, 1);
	/* A leaf that may not be used is told all the same, and what is none is not. */
	check_leaf(0x400123, KEEL_GVA_EL0, 3, KERNEL_RWX);
	check_leaf(0x402123, 0, 3, KERNEL_RWX);
	check_leaf(0x801234, 0, 2, 0x73);
	check_leaf(0x401008, KEEL_GVA_WRITE, 3, 0x51);
	translate(0x403000, KEEL_GVA_LEAF, &t);
	CHECK_EQ(t.status, KEEL_GVA_FAULT);
	CHECK_EQ(t.descriptor | t.permissions | t.leaf_shift, 0);
	CHECK_EQ(t.level, 3);
	destroy();
}

/* What the registers say before any table is looked at. */
static void translate_regs(void)
{
	struct vcpu *vcpu = &vm.vcpus[0];
	struct keel_gva_translate t;

	create();
	stage1_map(&s1, 0x400000, 3, DATA, KERNEL);
	stage1_map(&s1, UPPER + 0x400000, 3, DATA + PAGE, KERNEL);
	check_fault(BIT(48) + 0x400000, 0, TRANSLATION, 0);
	check_fault(UPPER - BIT(48) + 0x400000, 0, TRANSLATION, 0);
	check_fault(0x5a00000000400000, 0, TRANSLATION, 0);
	vcpu_set(vcpu, REG_TCR, s1.tcr | TCR_TBI(0) | TCR_TBI(1));
	check_mapped(0x5a00000000400000, 0, DATA);
	check_mapped(0x5aff000000400000, 0, DATA + PAGE);
	check_fault(BIT(48) + 0x400000, 0, TRANSLATION, 0);
	vcpu_set(vcpu, REG_TCR, s1.tcr | TCR_EPD(1));
	check_fault(UPPER + 0x400000, 0, TRANSLATION, 0);
	check_mapped(0x400000, 0, DATA);
	vcpu_set(vcpu, REG_TCR, s1.tcr | TCR_EPD(0));
	check_fault(0x400000, 0, TRANSLATION, 0);
	check_mapped(UPPER + 0x400000, 0, DATA + PAGE);
	vcpu_set(vcpu, REG_TCR, s1.tcr);
	vcpu_set(vcpu, REG_TTBR0, s1.ttbr[1]);
	check_mapped(0x400000, 0, DATA + PAGE);

	vcpu_set(vcpu, REG_SCTLR, s1.sctlr & ~SCTLR_M);
	check_mapped(DATA + 0x123, KEEL_GVA_EL0 | KEEL_GVA_WRITE, DATA + 0x123);
	check_mapped(NOWHERE, 0, NOWHERE);
	translate(DATA, KEEL_GVA_LEAF, &t);
	CHECK_EQ(t.status, KEEL_GVA_MAPPED);
	CHECK_EQ(t.leaf_shift | t.descriptor, 0);
	CHECK_EQ(t.attributes & KEEL_GVA_MAIR, 0);
	CHECK_EQ(t.host, KEEL_GVA_HOST_ABSENT);
	destroy();
}

/*
 * A table beyond what the guest says of its physical addresses is not looked at, wherever it is; on
 * the first try, when stage 2 does not map the table above it, and later.
 */
static void translate_size(void)
{
	struct gva_scan got = { .call.last = BIT(39) - 1 };
	int i;

	create();
	s1.tcr &= ~TCR_IPS;	/* 32 bits */
	stage1_set(&s1, &vm.vcpus[0]);
	*stage1_entry(&s1, 0, 0) = stage1_table(&s1, 0, BIT(36));
	*stage1_entry(&s1, UPPER, 0) = stage1_table(&s1, 0, BIT(36));
	for (i = 0; i < 2; i++)
		check_fault(UPPER, 0, ADDRESS_SIZE, 0);
	for (i = 0; i < 2; i++) {
		got.call.start = 0;
		REQUIRE_EQ(gva_scan(observer, 0, 1, &got), 0);
		CHECK_EQ(got.nr, 0);
		CHECK_EQ(got.sum.holes[1], 1);
	}
	free(got.runs);
	destroy();
}

static void check_no_table(u64 gva, int level, u64 entry)
{
	struct keel_gva_translate t;

	translate(gva, 0, &t);
	CHECK_EQ(t.status, KEEL_GVA_NO_TABLE);
	CHECK_EQ(t.level, level);
	CHECK_EQ(t.ipa, entry);
	translate(gva, KEEL_GVA_LEAF, &t);
	CHECK_EQ(t.status, KEEL_GVA_NO_TABLE);
	CHECK_EQ(t.ipa, entry);
	CHECK_EQ(t.descriptor | t.permissions | t.leaf_shift, 0);
}

static void translate_no_table(void)
{
	create();
	*stage1_entry(&s1, 0x400000, 2) = stage1_table(&s1, 0, NOWHERE);
	*stage1_entry(&s1, 0x80000000, 1) = stage1_table(&s1, 0, NOWHERE + PAGE);
	*stage1_entry(&s1, UPPER, 0) = stage1_table(&s1, 0, RAM_IPA + RAM_SIZE);
	/* beyond the guest's physical address space */
	*stage1_entry(&s1, UPPER + BIT(39), 0) = stage1_table(&s1, 0, BIT(44));
	check_no_table(0x403000, 3, NOWHERE + 3 * 8);
	check_no_table(0x80200000, 2, NOWHERE + PAGE + 8);
	check_no_table(UPPER, 1, RAM_IPA + RAM_SIZE);
	check_no_table(UPPER + BIT(39) + BIT(30), 1, BIT(44) + 8);
	vcpu_set(&vm.vcpus[0], REG_TTBR0, NOWHERE);
	check_no_table(0x400000, 0, NOWHERE);
	check_no_table(BIT(47), 0, NOWHERE + 256 * 8);
	destroy();
}

/* --- Scan --- */

/* Something of everything, in both halves. */
static void fill(void)
{
	u64 base, i;
	int half;

	for (half = 0; half < 2; half++) {
		base = half ? UPPER : 0;
		for (i = 0; i < 8; i++)
			stage1_map(&s1, base + 0x400000 + i * PAGE, 3, DATA + i * PAGE, KERNEL);
		for (i = 8; i < 16; i++)
			stage1_map(&s1, base + 0x400000 + i * PAGE, 3, DATA + i * PAGE, USER);
		stage1_map(&s1, base + 0x420000, 3, DATA, USER | S1_RO);
		stage1_map(&s1, base + 0x421000, 3, DATA, (USER | S1_RO) & ~S1_AF);
		stage1_map(&s1, base + 0x422000, 3, DATA + PAGE, USER | S1_UXN);
		stage1_map(&s1, base + 0x423000, 3, 0x9000000, KERNEL | S1_ATTR(1) | S1_PXN);
		for (i = 0; i < 4; i++)
			stage1_map(&s1, base + 0x600000 + (i << 21), 2, RAM_IPA + (i << 21),
				   KERNEL | S1_PXN);
		stage1_map(&s1, base + BIT(40), 1, BIT(30), KERNEL | S1_RO);
		stage1_map(&s1, base + BIT(40) + BIT(30), 1, BIT(31), KERNEL | S1_RO);
		*stage1_entry(&s1, base + BIT(41), 1) = stage1_table(&s1, 0, NOWHERE);
		*stage1_entry(&s1, base + BIT(41) + BIT(30), 1) = stage1_table(&s1, 0, s1.ttbr[0]);
	}
	/* the first and the last address */
	stage1_map(&s1, 0, 3, DATA, KERNEL);
	stage1_map(&s1, BIT(48) - PAGE, 3, DATA, KERNEL);
	stage1_map(&s1, UPPER, 3, DATA + PAGE, KERNEL);
	stage1_map(&s1, -PAGE, 3, DATA, KERNEL);
}

static void scan_all(void)
{
	struct gva_scan got = { .call.last = ~0ULL };

	create();
	/* Nothing at all: the first tables are empty. */
	gva_check(observer, 0, &s1);
	REQUIRE_EQ(gva_scan(observer, 0, 1, &got), 0);
	CHECK_EQ(got.nr, 0);
	CHECK_EQ(got.calls, 1);
	CHECK_EQ(got.sum.holes[1], 1024);
	fill();
	gva_check(observer, 0, &s1);
	gva_check(vm.fd, 0, &s1);
	free(got.runs);
	destroy();
}

/* Whatever the array's size, the parts are the whole. */
static void scan_cursor(void)
{
	static const u32 rooms[] = { 1, 2, 3, 7, KEEL_GVA_MAX_RUNS };
	struct stage1_scan want = { .last = ~0ULL };
	struct gva_scan got = {};
	size_t i;

	create();
	fill();
	stage1_walk(&s1, &want);
	for (i = 0; i < ARRAY_SIZE(rooms); i++) {
		got.call = (struct keel_gva_scan){ .last = ~0ULL };
		REQUIRE_EQ(gva_scan(observer, 0, rooms[i], &got), 0);
		if (!gva_same(&got, &want, false))
			ktap_note("by arrays of %u", rooms[i]);
		CHECK(got.calls >= want.nr / rooms[i]);
		CHECK(got.calls <= want.nr / rooms[i] + 1);
	}
	free(got.runs);
	destroy();
}

static void compare_range(u64 start, u64 last, u32 need, u32 deny)
{
	struct stage1_scan want = {
		.start = start, .last = last, .need = need, .deny = deny,
	};
	struct gva_scan got = {
		.call = { .start = start, .last = last, .need = need, .deny = deny },
	};

	stage1_walk(&s1, &want);
	REQUIRE_EQ(gva_scan(observer, 0, KEEL_GVA_MAX_RUNS, &got), 0);
	if (!gva_same(&got, &want, true))
		ktap_note("from %#llx to %#llx, need %#x, deny %#x", start, last, need, deny);
	CHECK_EQ(got.calls, 1);
	free(got.runs);
	free(want.runs);
}

static void scan_ranges(void)
{
	static const u64 ends[] = {
		0, 1, PAGE - 1, PAGE, 0x400000, 0x400008, 0x401fff, 0x402000, 0x421000, 0x5fffff,
		0x600000, 0x601000, 0xe00000, BIT(40) + PAGE, BIT(41) + 5, BIT(48) - 1, BIT(48),
		BIT(55), UPPER - 1, UPPER, UPPER + 0x601fff, -PAGE, ~0ULL,
	};
	size_t i, j;

	create();
	fill();
	for (i = 0; i < ARRAY_SIZE(ends); i++)
		for (j = i; j < ARRAY_SIZE(ends); j++)
			compare_range(ends[i], ends[j], 0, 0);
	destroy();
}

static void scan_filters(void)
{
	static const u32 bits[] = {
		0, KEEL_GVA_EL1_R, KEEL_GVA_EL1_W, KEEL_GVA_EL1_X, KEEL_GVA_EL0_R, KEEL_GVA_EL0_W,
		KEEL_GVA_EL0_X, KERNEL_RWX, 0x77,
	};
	size_t i, j;

	create();
	fill();
	for (i = 0; i < ARRAY_SIZE(bits); i++)
		for (j = 0; j < ARRAY_SIZE(bits); j++)
			compare_range(0, ~0ULL, bits[i], bits[j]);
	destroy();
}

static void scan_regs(void)
{
	struct gva_scan got = { .call.last = ~0ULL };
	struct vcpu *vcpu = &vm.vcpus[0];
	int half;

	create();
	fill();
	for (half = 0; half < 2; half++) {
		s1.tcr |= TCR_EPD(half);
		stage1_set(&s1, vcpu);
		gva_check(observer, 0, &s1);
		s1.tcr &= ~TCR_EPD(half);
		s1.ttbr[half] = NOWHERE;
		stage1_set(&s1, vcpu);
		gva_check(observer, 0, &s1);
		s1.ttbr[half] = TABLES + half * PAGE;
	}
	/* A tag is no other address. */
	s1.tcr |= TCR_TBI(0) | TCR_TBI(1);
	stage1_set(&s1, vcpu);
	gva_check(observer, 0, &s1);

	vcpu_set(vcpu, REG_SCTLR, s1.sctlr & ~SCTLR_M);
	REQUIRE_EQ(gva_scan(observer, 0, 1, &got), 0);
	REQUIRE_EQ(got.nr, 1);
	CHECK_EQ(got.runs[0].flags, KEEL_GVA_RUN_FLAT);
	CHECK_EQ(got.runs[0].gva | got.runs[0].ipa, 0);
	CHECK_EQ(got.runs[0].length, BIT(40));	/* a VM of type 0 */
	CHECK_EQ(got.runs[0].permissions, 0x77);
	CHECK_EQ(got.runs[0].attributes, 0x200);
	CHECK_EQ(got.runs[0].leaf_shift, 0);
	free(got.runs);
	destroy();
}

/* --- Read --- */

static void fill_data(void)
{
	u64 *word = vm_ptr(&vm, DATA), i;

	for (i = 0; i < DATA_SIZE / 8; i++)
		word[i] = i << 32 | (DATA + i * 8);
}

static void check_read(u64 gva, u32 access, u64 length, u64 done, u32 status)
{
	static char buffer[KEEL_GVA_MAX_READ + 1], want[KEEL_GVA_MAX_READ];
	struct keel_gva_read r = {
		.size = sizeof(r), .access = access, .gva = gva, .length = length,
		.buffer = (uintptr_t)buffer,
	};
	struct keel_gva_translate t;
	u64 i;

	memset(buffer, 0xee, sizeof(buffer));
	REQUIRE_OK(ioctl(observer, KEEL_GVA_READ, &r));
	CHECK_EQ(r.done, done);
	CHECK_EQ(r.status, status);
	CHECK_EQ(r.length, length);
	for (i = 0; i < done; i++) {
		translate(gva + i, access, &t);
		REQUIRE_EQ(t.status, KEEL_GVA_MAPPED);
		want[i] = *(char *)vm_ptr(&vm, t.ipa);
		/* Its other bytes are behind it. */
		for (; i + 1 < done && (gva + i + 1) % PAGE; i++)
			want[i + 1] = *(char *)vm_ptr(&vm, ++t.ipa);
	}
	CHECK(!memcmp(buffer, want, done));
	CHECK_EQ((u8)buffer[length], 0xee);
	if (status == KEEL_GVA_MAPPED || status == KEEL_GVA_NO_MEMORY)
		return;
	translate(gva + done, access, &t);
	CHECK_EQ(t.status, status);
	CHECK_EQ(r.level, t.level);
	CHECK_EQ(r.fault, t.fault);
}

static void reads(void)
{
	u64 i;

	create();
	fill_data();
	/* Backwards, so that no two pages are neighbours; the last two are not there. */
	for (i = 0; i < 512; i++)
		stage1_map(&s1, UPPER + i * PAGE, 3, DATA + (511 - i) * PAGE, KERNEL);
	*stage1_entry(&s1, UPPER + 510 * PAGE, 3) = 0;
	stage1_map(&s1, UPPER + 511 * PAGE, 3, NOWHERE, KERNEL);
	stage1_map(&s1, 0x400000, 3, DATA, USER);
	stage1_map(&s1, 0x401000, 3, DATA + PAGE, KERNEL);
	stage1_map(&s1, 0x402000, 3, DATA, KERNEL);
	stage1_map(&s1, 0x403000, 3, NOWHERE, KERNEL);
	*stage1_entry(&s1, 0x600000, 2) = stage1_table(&s1, 0, NOWHERE);
	stage1_map(&s1, -PAGE, 3, DATA, KERNEL);

	check_read(UPPER, 0, 1, 1, KEEL_GVA_MAPPED);
	check_read(UPPER + 5, 0, PAGE, PAGE, KEEL_GVA_MAPPED);
	check_read(UPPER + PAGE - 1, 0, 2, 2, KEEL_GVA_MAPPED);
	check_read(UPPER + 0x123, 0, KEEL_GVA_MAX_READ, KEEL_GVA_MAX_READ, KEEL_GVA_MAPPED);
	check_read(UPPER + 509 * PAGE + 8, 0, 2 * PAGE, PAGE - 8, KEEL_GVA_FAULT);
	check_read(UPPER + 510 * PAGE, 0, 8, 0, KEEL_GVA_FAULT);
	check_read(UPPER + 511 * PAGE, 0, 8, 0, KEEL_GVA_NO_MEMORY);
	check_read(0x400000, KEEL_GVA_EL0, 2 * PAGE, PAGE, KEEL_GVA_FAULT);
	check_read(0x400000, 0, 4 * PAGE, 3 * PAGE, KEEL_GVA_NO_MEMORY);
	check_read(0x600000, 0, 8, 0, KEEL_GVA_NO_TABLE);
	check_read(BIT(48), 0, 8, 0, KEEL_GVA_FAULT);
	check_read(-8ULL, 0, 8, 8, KEEL_GVA_MAPPED);
	vcpu_set(&vm.vcpus[0], REG_SCTLR, s1.sctlr & ~SCTLR_M);
	check_read(DATA + 0x10, 0, 3 * PAGE, 3 * PAGE, KEEL_GVA_MAPPED);
	check_read(RAM_IPA + RAM_SIZE - 8, 0, 16, 8, KEEL_GVA_NO_MEMORY);
	destroy();
}

/* --- Registers --- */

#define REG_PAR REG_SYS(3, 0, 7, 4, 0)

/* Members of struct keel_vcpu_regs that the VMM may set, and the register that each is. */
#define ROW(reg, member) { (reg), offsetof(struct keel_vcpu_regs, member) }

static const struct regs_row {
	u64 id;
	size_t offset;
} regs_rows[] = {
	ROW(REG_CORE(regs.pc), pc),
	ROW(REG_CORE(regs.sp), sp_el0),
	ROW(REG_CORE(sp_el1), sp_el1),
	ROW(REG_CORE(elr_el1), elr_el1),
	ROW(REG_SYS(3, 0, 5, 2, 0), esr_el1),
	ROW(REG_SYS(3, 0, 6, 0, 0), far_el1),
	ROW(REG_SYS(3, 0, 12, 0, 0), vbar_el1),
	ROW(REG_SCTLR, sctlr_el1),
	ROW(REG_TCR, tcr_el1),
	ROW(REG_TTBR0, ttbr0_el1),
	ROW(REG_TTBR1, ttbr1_el1),
	ROW(REG_MAIR, mair_el1),
	ROW(REG_SYS(3, 0, 13, 0, 1), contextidr_el1),
	ROW(REG_PAR, par_el1),
	ROW(REG_SYS(3, 3, 13, 0, 2), tpidr_el0),
	ROW(REG_SYS(3, 3, 13, 0, 3), tpidrro_el0),
	ROW(REG_SYS(3, 0, 13, 0, 4), tpidr_el1),
	ROW(REG_SYS(3, 0, 1, 0, 2), cpacr_el1),
};

static void regs(void)
{
	struct vcpu *vcpu = &vm.vcpus[0];
	struct keel_vcpu_regs r;
	size_t i;
	u64 got;

	create();
	for (i = 0; i < 31; i++)
		vcpu_set(vcpu, REG_X(i), 0x100 + i);
	for (i = 0; i < ARRAY_SIZE(regs_rows); i++)
		vcpu_set(vcpu, regs_rows[i].id, 0x1230000 + 0x1000 * i);
	vcpu_set(vcpu, REG_PSTATE, 0x600003c5);
	vcpu_set(vcpu, REG_CORE(spsr[0]), 0x800003c4);
	REQUIRE_EQ(gva_regs(observer, 0, &r), 0);
	CHECK_EQ(r.size, sizeof(r));
	CHECK_EQ(r.vcpu | r.flags | r.pad, 0);
	for (i = 0; i < 31; i++)
		CHECK_EQ(r.x[i], 0x100 + i);
	for (i = 0; i < ARRAY_SIZE(regs_rows); i++) {
		memcpy(&got, (char *)&r + regs_rows[i].offset, sizeof(got));
		if (!CHECK_EQ(got, vcpu_get(vcpu, regs_rows[i].id)))
			ktap_note("the member at %zu", regs_rows[i].offset);
	}
	CHECK_EQ(r.pstate, 0x600003c5);
	CHECK_EQ(r.spsr_el1, 0x800003c4);
	CHECK_EQ(r.mpidr_el1, vcpu_get(vcpu, REG_MPIDR));
	for (i = 0; i < ARRAY_SIZE(r.reserved); i++)
		CHECK_EQ(r.reserved[i], 0);
	destroy();
}

/* --- Wrong calls --- */

static struct keel_gva_run results[4];
static char bytes[64];

static struct keel_vcpu_regs good_regs = { .size = sizeof(good_regs) };
static struct keel_gva_translate good_translate = {
	.size = sizeof(good_translate), .gva = 0x400000,
};

static struct keel_gva_scan good_scan = {
	.size = sizeof(good_scan), .room = ARRAY_SIZE(results), .runs = (uintptr_t)results,
	.last = ~0ULL,
};

static struct keel_gva_read good_read = {
	.size = sizeof(good_read), .gva = 0x400000, .buffer = (uintptr_t)bytes,
	.length = sizeof(bytes),
};

/**
 * struct call - a call that is right
 * @nr: ioctl
 * @arg: its argument
 * @size: of that
 * @pad: where its pad is; 0: it has none
 * @reserved: where it is, up to the end
 * @name: for messages
 */
struct call {
	unsigned int nr;
	const void *arg;
	size_t size;
	size_t pad;
	size_t reserved;
	const char *name;
};

static const struct call calls[] = {
	{ KEEL_VCPU_REGS, &good_regs, sizeof(good_regs), offsetof(struct keel_vcpu_regs, pad),
	  offsetof(struct keel_vcpu_regs, reserved), "KEEL_VCPU_REGS" },
	{ KEEL_GVA_TRANSLATE, &good_translate, sizeof(good_translate),
	  offsetof(struct keel_gva_translate, pad), offsetof(struct keel_gva_translate, reserved),
	  "KEEL_GVA_TRANSLATE" },
	{ KEEL_GVA_SCAN, &good_scan, sizeof(good_scan), 0,
	  offsetof(struct keel_gva_scan, reserved), "KEEL_GVA_SCAN" },
	{ KEEL_GVA_READ, &good_read, sizeof(good_read), offsetof(struct keel_gva_read, pad),
	  offsetof(struct keel_gva_read, reserved), "KEEL_GVA_READ" },
};

#define ARG_MAX_SIZE 512

static int call_on(int fd, const struct call *c)
{
	unsigned char arg[ARG_MAX_SIZE];

	memcpy(arg, c->arg, c->size);
	return ioctl(fd, c->nr, arg);
}

static void check_calls(int fd, int err)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		if (!CHECK_ERR(call_on(fd, &calls[i]), err))
			ktap_note("%s", calls[i].name);
}

/* The size, flags, pad and what is reserved. */
static bool is_fixed(const struct call *c, size_t i)
{
	return i < 8 || i >= c->reserved || (c->pad && i >= c->pad && i < c->pad + 4);
}

static void bad_bytes(const struct call *c)
{
	unsigned char arg[ARG_MAX_SIZE];
	size_t i;

	for (i = 0; i < c->size; i++) {
		if (!is_fixed(c, i))
			continue;
		memcpy(arg, c->arg, c->size);
		arg[i] ^= 0x10;
		if (!CHECK_ERR(ioctl(observer, c->nr, arg), EINVAL))
			ktap_note("%s: byte %zu", c->name, i);
	}
}

static void bad_structs(void)
{
	size_t i;

	create();
	fill();
	check_calls(observer, 0);
	check_calls(vm.fd, 0);
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		bad_bytes(&calls[i]);
		CHECK_ERR(ioctl(observer, calls[i].nr, 8), EFAULT);
	}
	check_calls(observer, 0);
	destroy();
}

/* Bits that are none, one by one. */
static void bad_bits(const struct call *c, size_t offset, u32 known)
{
	unsigned char arg[ARG_MAX_SIZE];
	u32 bit;
	int i;

	for (i = 0; i < 32; i++) {
		bit = BIT(i);
		memcpy(arg, c->arg, c->size);
		memcpy(arg + offset, &bit, sizeof(bit));
		if (!CHECK_ERR(ioctl(observer, c->nr, arg), bit & known ? 0 : EINVAL))
			ktap_note("%s: bit %d of the word at %zu", c->name, i, offset);
	}
}

static int scan_with(struct keel_gva_scan scan)
{
	return ioctl(observer, KEEL_GVA_SCAN, &scan);
}

static int read_with(struct keel_gva_read read)
{
	return ioctl(observer, KEEL_GVA_READ, &read);
}

/* A call that is right but for one member. */
static int scan_room(u32 room)
{
	struct keel_gva_scan scan = good_scan;

	scan.room = room;
	return scan_with(scan);
}

static int scan_range(u64 start, u64 last)
{
	struct keel_gva_scan scan = good_scan;

	scan.start = start;
	scan.last = last;
	return scan_with(scan);
}

static int scan_to(const void *runs)
{
	struct keel_gva_scan scan = good_scan;

	scan.runs = (uintptr_t)runs;
	return scan_with(scan);
}

static int scan_vcpu(u32 vcpu)
{
	struct keel_gva_scan scan = good_scan;

	scan.vcpu = vcpu;
	return scan_with(scan);
}

static int read_range(u64 gva, u64 length)
{
	struct keel_gva_read read = good_read;

	read.gva = gva;
	read.length = length;
	return read_with(read);
}

static int read_to(const void *buffer)
{
	struct keel_gva_read read = good_read;

	read.buffer = (uintptr_t)buffer;
	return read_with(read);
}

static void bad_values(void)
{
	const u32 permissions = 0x77;

	create();
	fill();
	bad_bits(&calls[1], offsetof(struct keel_gva_translate, access), 0x7);
	bad_bits(&calls[2], offsetof(struct keel_gva_scan, need), permissions);
	bad_bits(&calls[2], offsetof(struct keel_gva_scan, deny), permissions);
	bad_bits(&calls[3], offsetof(struct keel_gva_read, access), KEEL_GVA_EL0);

	CHECK_ERR(scan_room(0), EINVAL);
	CHECK_ERR(scan_room(KEEL_GVA_MAX_RUNS + 1), EINVAL);
	CHECK_ERR(scan_room(~0U), EINVAL);
	CHECK_ERR(scan_range(0x401000, 0x400fff), EINVAL);
	CHECK_ERR(scan_range(~0ULL, 0), EINVAL);

	CHECK_ERR(read_range(0x400000, 0), EINVAL);
	CHECK_ERR(read_range(0x400000, KEEL_GVA_MAX_READ + 1), EINVAL);
	CHECK_ERR(read_range(0x400000, ~0ULL), EINVAL);
	CHECK_ERR(read_range(0x400000, BIT(32) + 8), EINVAL);
	CHECK_ERR(read_range(-8ULL, 9), EINVAL);
	check_calls(observer, 0);
	destroy();
}

/* Results that cannot be written: two pages, of which the second is not there. */
static void bad_buffers(void)
{
	char *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			  0);

	REQUIRE(page != MAP_FAILED);
	REQUIRE_OK(munmap(page + PAGE, PAGE));
	create();
	fill();
	CHECK_ERR(scan_to((void *)8), EFAULT);
	CHECK_ERR(scan_to(page + PAGE), EFAULT);
	CHECK_ERR(scan_to(page + PAGE - 48), EFAULT);
	CHECK_ERR(scan_to((void *)UPPER), EFAULT);
	CHECK_ERR(scan_to((void *)-8ULL), EFAULT);
	CHECK_ERR(read_to((void *)8), EFAULT);
	CHECK_ERR(read_to(page + PAGE - 63), EFAULT);
	CHECK_ERR(read_to((void *)UPPER), EFAULT);
	CHECK_OK(read_to(page + PAGE - 64));
	REQUIRE_OK(mprotect(page, PAGE, PROT_READ));
	CHECK_ERR(scan_to(page), EFAULT);
	CHECK_ERR(read_to(page), EFAULT);
	check_calls(observer, 0);
	destroy();
}

/* A table whose memory the VMM has unmapped, as one that is where no memory is. */
static void bad_tables(void)
{
	static char *hole;
	struct keel_gva_translate t;
	struct keel_gva_read r;

	create();
	fill();
	fill_data();
	hole = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(hole != MAP_FAILED);
	REQUIRE_OK(vm_memslot(&vm, 1, 0, NOWHERE, 2 * PAGE, hole));
	REQUIRE_OK(munmap(hole, PAGE));
	*stage1_entry(&s1, 0x800000000, 2) = stage1_table(&s1, 0, NOWHERE);
	stage1_map(&s1, 0x800200000, 3, NOWHERE, KERNEL);
	translate(0x800000000, 0, &t);
	CHECK_EQ(t.status, KEEL_GVA_NO_TABLE);
	CHECK_EQ(t.level, 3);
	CHECK_EQ(t.ipa, NOWHERE);
	CHECK_OK(scan_range(0x800000000, ~0ULL));
	CHECK_EQ(results[0].flags, KEEL_GVA_RUN_NO_TABLE);
	CHECK_EQ(results[0].gva, 0x800000000);
	CHECK_EQ(results[0].length, 0x200000);
	CHECK_EQ(gva_read(observer, 0, 0x800000000, bytes, sizeof(bytes), &r), 0);
	CHECK_EQ(r.status, KEEL_GVA_NO_TABLE);
	CHECK_EQ(r.done, 0);
	/* A page is no table: where it is can be said, though it cannot be had. */
	translate(0x800200000, 0, &t);
	CHECK_EQ(t.status, KEEL_GVA_MAPPED);
	CHECK_EQ(gva_read(observer, 0, 0x800200000, bytes, sizeof(bytes), &r), 0);
	CHECK_EQ(r.status, KEEL_GVA_NO_MEMORY);
	CHECK_EQ(r.done, 0);
	translate(0x400000, 0, &t);
	CHECK_EQ(t.status, KEEL_GVA_MAPPED);
	destroy();
}

static void check_vcpu(u32 vcpu, int err)
{
	struct keel_gva_translate t;
	struct keel_vcpu_regs r;
	struct keel_gva_read read;

	CHECK_EQ(gva_translate(observer, vcpu, 0x400000, 0, &t), -err);
	CHECK_ERR(scan_vcpu(vcpu), err);
	CHECK_EQ(gva_read(observer, vcpu, 0x400000, bytes, sizeof(bytes), &read), -err);
	CHECK_EQ(gva_regs(observer, vcpu, &r), -err);
}

/* By id, not by index; powered off is no obstacle. */
static void vcpus(void)
{
	create();
	fill();
	fill_data();
	check_vcpu(0, 0);
	check_vcpu(1, ENOENT);
	check_vcpu(~0U, ENOENT);
	vcpu_create(&vm, 300);
	check_vcpu(300, ENOEXEC);
	vcpu_init(&vm.vcpus[1], true);
	stage1_set(&s1, &vm.vcpus[1]);
	check_vcpu(300, 0);
	check_vcpu(1, ENOENT);
	gva_check(observer, 300, &s1);
	destroy();
}

/* --- Who may, and for how long --- */

static void in_child(int fd, int err)
{
	int status;
	pid_t pid = fork();

	REQUIRE_OK(pid);
	if (!pid) {
		check_calls(fd, err);
		_exit(ktap_failed());
	}
	REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
}

static void permission(void)
{
	int sys = kvm_open();

	create();
	fill();
	/* An observer file is for whoever has it, a VM file is the VMM's. */
	in_child(observer, 0);
	in_child(vm.fd, EIO);
	REQUIRE_OK(ioctl(vm.fd, KEEL_OBSERVE, 0));
	check_calls(observer, EPERM);
	check_calls(vm.fd, 0);
	REQUIRE_OK(ioctl(vm.fd, KEEL_OBSERVE, 1));
	check_calls(observer, 0);
	check_calls(sys, ENOTTY);
	check_calls(vm.vcpus[0].fd, ENOTTY);
	close(sys);
	destroy();
}

static void ended(void)
{
	create();
	fill();
	check_calls(observer, 0);
	vm_destroy(&vm);
	check_calls(observer, ENODEV);
	close(observer);
}

static const struct ktap_case cases[] = {
	{ "translate_mapped", translate_mapped },
	{ "translate_faults", translate_faults },
	{ "translate_regs", translate_regs },
	{ "translate_size", translate_size },
	{ "translate_no_table", translate_no_table },
	{ "scan_all", scan_all },
	{ "scan_cursor", scan_cursor },
	{ "scan_ranges", scan_ranges },
	{ "scan_filters", scan_filters },
	{ "scan_regs", scan_regs },
	{ "reads", reads },
	{ "regs", regs },
	{ "bad_structs", bad_structs },
	{ "bad_values", bad_values },
	{ "bad_buffers", bad_buffers },
	{ "bad_tables", bad_tables },
	{ "vcpus", vcpus },
	{ "permission", permission },
	{ "ended", ended },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
