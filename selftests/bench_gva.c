// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs to know what a guest's tables map (scripts/bench): a scan by AT, beside one by
 * keel's walk in software, a walk by who maps the guest's memory, which reads a descriptor at a
 * time or a table, and a translation of each page. All of them say the same, which is checked.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/bench.h"
#include "lib/gva.h"
#include "lib/observer.h"

#define TABLES		FREE_IPA
#define TABLES_SIZE	0x800000
#define PAGE		4096ULL
#define BLOCK		(2ULL << 20)
#define GB		BIT(30)
#define KERNEL		0xffff000000000000ULL
#define NORMAL		(S1_AF | S1_ATTR(0) | S1_SH(3))

/* Where a batch takes seconds */
#define FEW		3
/* A sweep of all pages takes too long: one of so many */
#define PART		16

static struct vm vm;
static struct stage1 s1;
static int observer, mem;

static void map(u64 va, int level, u64 ipa, u64 size, u64 bits)
{
	u64 step = BIT(stage1_shift(&s1, va >> 55 & 1, level)), at;

	for (at = 0; at < size; at += step)
		stage1_map(&s1, va + at, level, ipa + at, bits);
}

static void fill_pages(void)
{
	map(KERNEL, 3, GB, GB, NORMAL | S1_UXN);
}

static void fill_blocks(void)
{
	map(KERNEL, 2, GB, GB, NORMAL | S1_UXN);
}

/* Memory of 512 MB in pages, as with rodata=full; the kernel; vmalloc areas; a small process. */
static void fill_linux(void)
{
	const u64 data = NORMAL | S1_UXN | S1_PXN, text = NORMAL | S1_UXN | S1_RO;
	const u64 user = NORMAL | S1_EL0 | S1_PXN | S1_NG;
	u64 i, va;

	map(KERNEL, 3, GB, GB / 2, data);
	map(0xffff800080000000, 3, GB + 2 * BLOCK, 16 * BLOCK, text);
	map(0xffff800082000000, 2, GB + 18 * BLOCK, 8 * BLOCK, data);
	for (i = 0; i < 600; i++) {
		va = 0xffff800084000000 + i * 5 * PAGE;
		map(va, 3, GB + 100 * BLOCK + i * 7 * PAGE, 4 * PAGE, data);
	}
	map(0xfffffc0000000000, 2, GB + 60 * BLOCK, 4 * BLOCK, data);
	map(0x400000, 3, GB + 70 * BLOCK, 300 * PAGE, user | S1_RO);
	for (i = 0; i < 200; i++)
		map(0xffff80000000 + i * 3 * PAGE, 3, GB + 80 * BLOCK + i * 9 * PAGE, 2 * PAGE,
		    user | S1_UXN);
	map(0xfffffff00000, 3, GB + 90 * BLOCK, 33 * PAGE, user | S1_UXN);
}

static void create(void (*fill)(void))
{
	static const struct stage1_shape shape = {
		false, { GRANULE_4K, GRANULE_4K }, { 48, 48 },
	};
	static const char nothing[1];

	vm_create_guest(&vm, nothing, nothing, 1);
	stage1_begin(&s1, &vm.vcpus[0], &shape, TABLES, TABLES_SIZE, vm_ptr(&vm, TABLES));
	fill();
	stage1_set(&s1, &vm.vcpus[0]);
	observer = observe_last();
	mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	REQUIRE_OK(mem);
	/* Stage 2 maps the tables from here on. */
	gva_check(observer, 0, &s1);
}

static void destroy(void)
{
	vm_destroy(&vm);
	close(observer);
	close(mem);
}

/* --- Ways to know --- */

static u64 scan_with(u32 flags)
{
	struct gva_scan got = { .call = { .flags = flags, .last = ~0ULL } };

	REQUIRE_EQ(gva_scan(observer, 0, 4096, &got), 0);
	free(got.runs);
	return got.sum.leaves;
}

static u64 by_scan(void)
{
	return scan_with(0);
}

static u64 by_kernel(void)
{
	return scan_with(KEEL_GVA_SCAN_SOFTWARE);
}

static const u64 *fetch_words(const struct stage1 *s, u64 ipa, u32 nr, u64 *buffer)
{
	const u64 *from = stage1_ptr(s, ipa);
	u32 i;

	for (i = 0; i < nr; i++)
		REQUIRE_EQ(pread(mem, buffer + i, 8, (u64)(from + i)), 8);
	return buffer;
}

static const u64 *fetch_table(const struct stage1 *s, u64 ipa, u32 nr, u64 *buffer)
{
	REQUIRE_EQ(pread(mem, buffer, 8 * nr, (u64)stage1_ptr(s, ipa)), 8 * nr);
	return buffer;
}

static u64 by_walk(void)
{
	struct stage1_scan want = { .last = ~0ULL };

	stage1_walk(&s1, &want);
	free(want.runs);
	return want.leaves;
}

static u64 by_words(void)
{
	s1.fetch = fetch_words;
	return by_walk();
}

static u64 by_tables(void)
{
	s1.fetch = fetch_table;
	return by_walk();
}

/* Of 1 GB of pages, a part. */
static u64 by_sweep(void)
{
	struct keel_gva_translate t;
	u64 va, found = 0;

	for (va = KERNEL; va < KERNEL + GB / PART; va += PAGE) {
		REQUIRE_EQ(gva_translate(observer, 0, va, KEEL_GVA_LEAF, &t), 0);
		found += t.status == KEEL_GVA_MAPPED;
	}
	return found * PART;
}

/* --- Batches --- */

static void measure(const char *name, u64 (*way)(void), int most, u64 leaves, double scale)
{
	int n = bench_batches() < most ? bench_batches() : most, i;
	double value[BENCH_MAX_BATCHES + 1];

	/* The first one does not count. */
	for (i = 0; i <= n; i++) {
		value[i] = bench_work();
		REQUIRE_EQ(way(), leaves);
		value[i] = (bench_work() - value[i]) * scale;
	}
	bench_print(name, value + 1, n);
}

static u64 leaves_of(void)
{
	s1.fetch = NULL;
	return by_walk();
}

static void linux_tables(void)
{
	create(fill_linux);
	bench_begin(bench_last_cpu());
	measure("gva_linux_scan", by_scan, BENCH_MAX_BATCHES, leaves_of(), 1);
	measure("gva_linux_kernel", by_kernel, BENCH_MAX_BATCHES, leaves_of(), 1);
	measure("gva_linux_words", by_words, FEW, leaves_of(), 1);
	measure("gva_linux_tables", by_tables, BENCH_MAX_BATCHES, leaves_of(), 1);
	destroy();
}

static void pages(void)
{
	create(fill_pages);
	bench_begin(bench_last_cpu());
	measure("gva_pages_scan", by_scan, FEW, leaves_of(), 1);
	measure("gva_pages_kernel", by_kernel, FEW, leaves_of(), 1);
	measure("gva_pages_words", by_words, FEW, leaves_of(), 1);
	measure("gva_pages_tables", by_tables, FEW, leaves_of(), 1);
	measure("gva_pages_sweep", by_sweep, FEW, leaves_of(), PART);
	destroy();
}

static void blocks(void)
{
	create(fill_blocks);
	bench_begin(bench_last_cpu());
	measure("gva_blocks_scan", by_scan, BENCH_MAX_BATCHES, leaves_of(), 1);
	measure("gva_blocks_kernel", by_kernel, BENCH_MAX_BATCHES, leaves_of(), 1);
	measure("gva_blocks_words", by_words, BENCH_MAX_BATCHES, leaves_of(), 1);
	measure("gva_blocks_tables", by_tables, BENCH_MAX_BATCHES, leaves_of(), 1);
	destroy();
}

static const struct ktap_case cases[] = {
	{ "linux_tables", linux_tables },
	{ "pages", pages },
	{ "blocks", blocks },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
