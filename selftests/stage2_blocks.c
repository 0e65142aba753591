// SPDX-License-Identifier: GPL-2.0
/*
 * Blocks of 2 MB where the host has them, pages where it has not, and what that costs: faults,
 * cache maintenance, TLB maintenance. The emulator forgives all of that when it is missing, so
 * keel's counters are the proof; on in-tree KVM the same memory is checked, uncounted.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/touch.h"

#define PAGE		4096ULL
#define HUGE		0x200000ULL
#define HUGE_PAGES	(HUGE / PAGE)

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif
#ifndef HWCAP_USCAT
#define HWCAP_USCAT	BIT(25)
#endif

/* Parameter huge=0: there are pages only. */
static bool blocks_on(void)
{
	return keel_parameter("huge") != 0;
}

static u64 blocks_or(u64 blocks, u64 pages)
{
	return blocks_on() ? blocks : pages;
}

/*
 * The host's FEAT_S2FWB is hidden from user space. Architecture 8.4 requires it, and LSE2, which
 * is shown; nothing older has either.
 */
static bool fwb_on(void)
{
	return getauxval(AT_HWCAP) & HWCAP_USCAT && keel_parameter("fwb") != 0;
}

/* Memory of @size bytes that begins at a multiple of 2 MB plus @offset. */
static char *memory(u64 size, u64 offset, int advice)
{
	char *p = mmap(NULL, size + 2 * HUGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	REQUIRE(p != MAP_FAILED);
	p = (char *)(((u64)p + HUGE - 1) & -HUGE) + offset;
	REQUIRE_OK(madvise(p, size, advice));
	return p;
}

/* Does the host map the 2 MB at @mem as one? */
static bool is_huge(const char *mem)
{
	unsigned long start, end, kb;
	bool inside = false;
	char line[256];
	FILE *f = fopen("/proc/self/smaps", "r");

	REQUIRE(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = start <= (u64)mem && (u64)mem < end;
		if (inside && sscanf(line, "AnonHugePages: %lu", &kb) == 1)
			break;
		kb = 0;
	}
	fclose(f);
	return kb >= HUGE / 1024;
}

static u64 get(const char *mem, u64 offset)
{
	u64 word;

	memcpy(&word, mem + offset, sizeof(word));
	return word;
}

/* What the guest has written with touch(). */
static bool holds(const char *mem, u64 offset, u64 size, u64 value)
{
	u64 i;

	for (i = offset; i < offset + size; i += PAGE)
		if (get(mem, i) != value + TOUCH_IPA + i)
			return false;
	return true;
}

static void fill(char *mem, u64 offset, u64 size, u64 value)
{
	u64 i, word;

	for (i = offset; i < offset + size; i += PAGE) {
		word = value + TOUCH_IPA + i;
		memcpy(mem + i, &word, sizeof(word));
	}
}

static char *with_huge_slot(struct touch_vm *t, u64 size)
{
	char *mem = memory(size, 0, MADV_HUGEPAGE);

	touch_create(t, 0);
	touch_slot(t, 0, mem, size);
	return mem;
}

/* 512 pages of a huge page are one fault, whoever is first. */
static void one_fault(void)
{
	struct touch_vm t;
	char *mem = with_huge_slot(&t, 3 * HUGE);

	touch(&t, TOUCH_WRITE, 0, HUGE, 1);
	CHECK_COST(&t, faults, blocks_or(1, HUGE_PAGES));
	CHECK_COST(&t, maps, blocks_or(1, HUGE_PAGES));
	CHECK_COST(&t, blocks, blocks_or(1, 0));
	REQUIRE(is_huge(mem));
	CHECK(holds(mem, 0, HUGE, 1));

	/* The VMM was first: one read fault, and nothing more for the writes. */
	fill(mem, HUGE, HUGE, 2);
	touch(&t, TOUCH_CHECK, HUGE, HUGE, 2);
	CHECK_COST(&t, faults, blocks_or(1, HUGE_PAGES));
	CHECK_COST(&t, blocks, blocks_or(1, 0));
	touch(&t, TOUCH_WRITE, HUGE, HUGE, 3);
	CHECK_COST(&t, faults, 0);
	CHECK(holds(mem, HUGE, HUGE, 3));
	touch_destroy(&t);
}

/*
 * A read of what nobody has written finds the huge zero page: one block, read-only. What the first
 * write finds is the host's choice: a huge page (one more block), or the zero page split and
 * written page by page, as Linux up to 6.12 does.
 */
static void zero_page(void)
{
	struct touch_vm t;
	char *mem = with_huge_slot(&t, HUGE);

	touch(&t, TOUCH_ZERO, 0, HUGE, 0);
	CHECK_COST(&t, faults, blocks_or(1, HUGE_PAGES));
	CHECK_COST(&t, blocks, blocks_or(1, 0));
	touch(&t, TOUCH_WRITE, 0, HUGE, 1);
	ktap_note("writing the huge zero page: %s", is_huge(mem) ? "a huge page" : "pages");
	if (is_huge(mem))
		CHECK_COST(&t, maps, blocks_or(1, HUGE_PAGES));
	else
		CHECK_COST(&t, maps, HUGE_PAGES);
	CHECK(holds(mem, 0, HUGE, 1));
	touch_destroy(&t);
}

/* Four huge pages, filled by the guest and mapped. */
static char *with_blocks(struct touch_vm *t)
{
	char *mem = with_huge_slot(t, 4 * HUGE);

	touch(t, TOUCH_WRITE, 0, 4 * HUGE, 1);
	CHECK_COST(t, blocks, blocks_or(4, 0));
	REQUIRE(is_huge(mem));
	/* What is split below stays so until it is told otherwise. */
	REQUIRE_OK(madvise(mem, 4 * HUGE, MADV_NOHUGEPAGE));
	return mem;
}

static u64 remote_flushes(const struct touch_vm *t)
{
	return t->stats < 0 ? 0 : kvm_stat(t->vm_stats, "remote_tlb_flush");
}

static void collapse(struct touch_vm *t, char *mem, u64 value)
{
	u64 flushes;

	touch(t, TOUCH_CHECK, 0, 4 * HUGE, value);
	flushes = remote_flushes(t);
	REQUIRE_OK(madvise(mem, 4 * HUGE, MADV_HUGEPAGE));
	if (madvise(mem + HUGE, HUGE, MADV_COLLAPSE)) {
		CHECK_EQ(errno, EINVAL);
		ktap_note("this host has no MADV_COLLAPSE");
		return;
	}
	/* The pages are gone from stage 2, by one flush at least; a block takes their place. */
	if (t->stats >= 0)
		CHECK(remote_flushes(t) > flushes);
	touch(t, TOUCH_CHECK, 0, 4 * HUGE, value);
	CHECK_COST(t, maps, blocks_or(1, HUGE_PAGES));
	CHECK_COST(t, blocks, blocks_or(1, 0));
}

/* One page of a block becomes read-only in the host: the others are still the guest's to write. */
static void split_protected(void)
{
	struct touch cmd = {
		.op = TOUCH_WRITE, .addr = TOUCH_IPA + HUGE + 5 * PAGE, .size = PAGE, .step = PAGE,
	};
	struct touch_vm t;
	char *mem = with_blocks(&t);

	REQUIRE_OK(mprotect(mem + HUGE + 5 * PAGE, PAGE, PROT_READ));
	REQUIRE(!is_huge(mem + HUGE + 5 * PAGE));
	touch(&t, TOUCH_CHECK, 0, 4 * HUGE, 1);
	CHECK_COST(&t, maps, HUGE_PAGES);
	CHECK_COST(&t, blocks, 0);
	touch(&t, TOUCH_WRITE, HUGE + 6 * PAGE, HUGE - 6 * PAGE, 1);
	CHECK_COST(&t, faults, 0);
	memcpy(vm_ptr(&t.vm, SHARED_IPA), &cmd, sizeof(cmd));
	CHECK_EQ(vcpu_run(&t.vm.vcpus[0]), -EFAULT);
	CHECK_EQ(get(mem, HUGE + 5 * PAGE), 1 + cmd.addr);
	REQUIRE_OK(mprotect(mem + HUGE + 5 * PAGE, PAGE, PROT_READ | PROT_WRITE));
	vcpu_run_sync(&t.vm.vcpus[0]);
	CHECK_EQ(get(mem, HUGE + 5 * PAGE), cmd.addr);
	fill(mem, HUGE + 5 * PAGE, PAGE, 1);
	collapse(&t, mem, 1);
	touch_destroy(&t);
}

/* One page of a block is thrown away: it reads as zero, the others keep what they hold. */
static void split_dontneed(void)
{
	struct touch_vm t;
	char *mem = with_blocks(&t);

	REQUIRE_OK(madvise(mem + HUGE + 5 * PAGE, PAGE, MADV_DONTNEED));
	touch(&t, TOUCH_ZERO, HUGE + 5 * PAGE, PAGE, 0);
	CHECK_COST(&t, blocks, 0);
	touch(&t, TOUCH_CHECK, 0, HUGE + 5 * PAGE, 1);
	touch(&t, TOUCH_CHECK, HUGE + 6 * PAGE, 3 * HUGE - 6 * PAGE, 1);
	touch(&t, TOUCH_WRITE, HUGE + 5 * PAGE, PAGE, 1);
	CHECK(holds(mem, 0, 4 * HUGE, 1));
	collapse(&t, mem, 1);
	touch_destroy(&t);
}

/* The slot ends, or begins, within a huge page: that part is pages, and what lies beside is not. */
static void partial_slot(void)
{
	char *mem = memory(4 * HUGE, 0, MADV_HUGEPAGE);
	struct touch_vm t;

	touch_create(&t, 0);
	fill(mem, 0, 4 * HUGE, 1);
	touch_slot(&t, 16 * PAGE, mem + 16 * PAGE, 3 * HUGE);
	touch(&t, TOUCH_CHECK, 16 * PAGE, 3 * HUGE, 1);
	CHECK_COST(&t, maps, blocks_or(2 + HUGE_PAGES, 3 * HUGE_PAGES));
	CHECK_COST(&t, blocks, blocks_or(2, 0));
	touch(&t, TOUCH_WRITE, 16 * PAGE, 3 * HUGE, 2);
	CHECK(holds(mem, 0, 16 * PAGE, 1));
	CHECK(holds(mem, 16 * PAGE, 3 * HUGE, 2));
	CHECK(holds(mem, 3 * HUGE + 16 * PAGE, HUGE - 16 * PAGE, 1));
	/* The same memory one page further on in the guest: no block could say that. */
	touch_slot(&t, 0, NULL, 0);
	touch_slot(&t, HUGE + PAGE, mem, 3 * HUGE);
	touch(&t, TOUCH_WRITE, HUGE + PAGE, 3 * HUGE, -HUGE - PAGE + 3);
	CHECK_COST(&t, blocks, 0);
	CHECK(holds(mem, 0, 3 * HUGE, 3));
	touch_destroy(&t);
}

/* READONLY comes and goes with the slot. A guest that only reads gets blocks all the same. */
static void readonly_slot(void)
{
	struct touch_vm t;
	char *mem = with_blocks(&t);

	touch_slot(&t, 0, NULL, 0);
	REQUIRE_OK(vm_memslot(&t.vm, 1, KVM_MEM_READONLY, TOUCH_IPA, 4 * HUGE, mem));
	touch(&t, TOUCH_CHECK, 0, 4 * HUGE, 1);
	CHECK_COST(&t, blocks, blocks_or(4, 0));
	touch_slot(&t, 0, NULL, 0);
	touch_slot(&t, 0, mem, 4 * HUGE);
	touch(&t, TOUCH_WRITE, 0, 4 * HUGE, 2);
	CHECK_COST(&t, maps, blocks_or(4, 4 * HUGE_PAGES));
	CHECK(holds(mem, 0, 4 * HUGE, 2));
	touch_destroy(&t);
}

static void wait_turns(struct touch_vm *t, u64 turns)
{
	u64 from = touch_turned(t);

	while (touch_turned(t) < from + turns)
		sched_yield();
}

/* Until the guest's next access has made a block of what the host has put together. */
static void wait_block(struct touch_vm *t, u64 before)
{
	while (t->stats >= 0 && blocks_on() && kvm_stat(t->stats, "stage2_block") == before)
		sched_yield();
}

/* Split and put together while the guest writes and checks all of it, round by round. */
static void under_running_vcpu(void)
{
	struct touch_vm t;
	char *mem = with_huge_slot(&t, 2 * HUGE);
	u64 blocks;
	int i;

	touch(&t, TOUCH_WRITE, 0, 2 * HUGE, 1);
	touch_turn(&t, 0, 2 * HUGE, 1);
	for (i = 0; i < 5; i++) {
		wait_turns(&t, 2);
		REQUIRE_OK(mprotect(mem + 7 * PAGE, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC));
		wait_turns(&t, 2);
		REQUIRE_OK(mprotect(mem + 7 * PAGE, PAGE, PROT_READ | PROT_WRITE));
		blocks = t.stats < 0 ? 0 : kvm_stat(t.stats, "stage2_block");
		/* EAGAIN: a page is in use for a fault of the guest just now. */
		while (madvise(mem, HUGE, MADV_COLLAPSE) && errno != EINVAL)
			sched_yield();
		if (is_huge(mem))
			wait_block(&t, blocks);
	}
	touch_stop(&t);
	ktap_note("%llu rounds", touch_turned(&t));
	touch_destroy(&t);
}

/* --- hugetlbfs --- */

static void pool_path(char *path, size_t size, u64 page, const char *file)
{
	snprintf(path, size, "/sys/kernel/mm/hugepages/hugepages-%llukB/%s", page / 1024, file);
}

static long pool_read(u64 page, const char *file)
{
	char path[128];
	long n = -1;
	FILE *f;

	pool_path(path, sizeof(path), page, file);
	f = fopen(path, "r");
	REQUIRE(f);
	REQUIRE_EQ(fscanf(f, "%ld", &n), 1);
	fclose(f);
	return n;
}

static void pool_set(u64 page, long n)
{
	char path[128];
	FILE *f;

	pool_path(path, sizeof(path), page, "nr_hugepages");
	f = fopen(path, "w");
	REQUIRE(f);
	fprintf(f, "%ld", n);
	fclose(f);
}

/* @size bytes in such pages: the guest touches every 4 KB of them. */
static void hugetlb(u64 page, u64 size, u64 maps, u64 blocks)
{
	long had = pool_read(page, "nr_hugepages");
	struct touch_vm t;
	char *mem;

	pool_set(page, had + size / page);
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB |
		   __builtin_ctzll(page) << 26, -1, 0);
	if (mem == MAP_FAILED)
		ktap_fail("%ld pages of %llu KB: %s", pool_read(page, "nr_hugepages"), page / 1024,
			  strerror(errno));
	touch_create(&t, 0);
	touch_slot(&t, 0, mem, size);
	touch(&t, TOUCH_WRITE, 0, size, 1);
	CHECK_COST(&t, faults, blocks_or(maps, size / PAGE));
	CHECK_COST(&t, maps, blocks_or(maps, size / PAGE));
	CHECK_COST(&t, blocks, blocks_or(blocks, 0));
	CHECK(holds(mem, 0, size, 1));
	/* One page of the host's goes, with all that the guest has of it. */
	REQUIRE_OK(madvise(mem, page, MADV_DONTNEED));
	touch(&t, TOUCH_ZERO, 0, page, 0);
	touch(&t, TOUCH_CHECK, page, size - page, 1);
	touch_destroy(&t);
	munmap(mem, size);
	pool_set(page, had);
}

static void hugetlb_2m(void)
{
	hugetlb(HUGE, 4 * HUGE, 4, 4);
}

/* Contiguous entries of the host are single ones here: 2 MB each, ... */
static void hugetlb_32m(void)
{
	hugetlb(16 * HUGE, 16 * HUGE, 16, 16);
}

/* ... and pages. */
static void hugetlb_64k(void)
{
	hugetlb(16 * PAGE, HUGE, HUGE_PAGES, 0);
}

/* --- what must not be spent, and what must --- */

/* Each VM has its VMID, so one after the other on a CPU has nothing to flush. */
static void two_vms(void)
{
	struct touch_vm a, b;
	cpu_set_t set;
	int i;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	REQUIRE_OK(sched_setaffinity(0, sizeof(set), &set));
	with_huge_slot(&a, HUGE);
	with_huge_slot(&b, HUGE);
	touch(&a, TOUCH_WRITE, 0, HUGE, 1);
	touch(&b, TOUCH_WRITE, 0, HUGE, 2);
	for (i = 0; i < 30; i++) {
		touch(&a, TOUCH_CHECK, 0, HUGE, 1);
		CHECK_COST(&a, faults, 0);
		CHECK_COST(&a, flushes, 0);
		touch(&b, TOUCH_CHECK, 0, HUGE, 2);
		CHECK_COST(&b, faults, 0);
		CHECK_COST(&b, flushes, 0);
	}
	touch_destroy(&a);
	touch_destroy(&b);
}

/* The counter counts: memory that goes is a flush. */
static void flush_is_counted(void)
{
	struct touch_vm t;
	char *mem = with_huge_slot(&t, HUGE);
	u64 before, once;

	touch(&t, TOUCH_WRITE, 0, HUGE, 1);
	before = remote_flushes(&t);
	REQUIRE_OK(madvise(mem, HUGE, MADV_DONTNEED));
	once = remote_flushes(&t);
	/* Nothing is mapped any more: nothing to flush. */
	REQUIRE_OK(madvise(mem, HUGE, MADV_DONTNEED));
	CHECK_EQ(remote_flushes(&t), once);
	if (t.stats >= 0)
		CHECK_EQ(once, before + 1);
	touch(&t, TOUCH_ZERO, 0, HUGE, 0);
	touch_destroy(&t);
}

/* Without FWB what the host wrote is cleaned before the guest may look past the caches. */
static void cache_clean(void)
{
	struct touch_vm t;
	char *mem = with_huge_slot(&t, 2 * HUGE);

	touch(&t, TOUCH_WRITE, 0, HUGE, 1);
	CHECK_COST(&t, cleaned, fwb_on() ? 0 : HUGE_PAGES);
	fill(mem, HUGE, HUGE, 1);
	touch(&t, TOUCH_CHECK, HUGE, HUGE, 1);
	CHECK_COST(&t, cleaned, fwb_on() ? 0 : HUGE_PAGES);
	touch(&t, TOUCH_WRITE, 0, 2 * HUGE, 2);
	CHECK_COST(&t, cleaned, 0);
	if (t.stats >= 0)
		ktap_note("%s FWB", fwb_on() ? "with" : "without");
	touch_destroy(&t);
}

static const struct ktap_case cases[] = {
	{ "one_fault", one_fault },
	{ "zero_page", zero_page },
	{ "split_protected", split_protected },
	{ "split_dontneed", split_dontneed },
	{ "partial_slot", partial_slot },
	{ "readonly_slot", readonly_slot },
	{ "under_running_vcpu", under_running_vcpu },
	{ "hugetlb_2m", hugetlb_2m },
	{ "hugetlb_32m", hugetlb_32m },
	{ "hugetlb_64k", hugetlb_64k },
	{ "two_vms", two_vms },
	{ "flush_is_counted", flush_is_counted },
	{ "cache_clean", cache_clean },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
