// SPDX-License-Identifier: GPL-2.0
/*
 * Blocks of 1 GB, where hugetlbfs has given the VMM such a page. All cases share one page, which
 * main() gets: from the pool that hugepages=1 on the kernel's command line makes, or at run time,
 * for which a GB without anything immovable in it must be left. It is not skipped silently: without
 * a page each case fails and says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/touch.h"

#define PAGE	4096ULL
#define HUGE	0x200000ULL
#define GIGA	0x40000000ULL
#define POOL	"/sys/kernel/mm/hugepages/hugepages-1048576kB/"

#ifndef MFD_HUGETLB
#define MFD_HUGETLB	4U
#endif
#ifndef MFD_HUGE_1GB
#define MFD_HUGE_1GB	(30U << 26)
#endif

static int giga_fd = -1;
static long pool_had;

static long number_in(const char *path)
{
	FILE *f = fopen(path, "r");
	long n = -1;

	if (!f)
		return -1;
	if (fscanf(f, "%ld", &n) != 1)
		n = -1;
	fclose(f);
	return n;
}

static void number_to(const char *path, long n)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return;
	fprintf(f, "%ld", n);
	fclose(f);
}

/* A free page in the pool; one that is made here goes again at the end. */
static void pool_fill(void)
{
	pool_had = number_in(POOL "nr_hugepages");
	if (number_in(POOL "free_hugepages") > 0)
		return;
	number_to("/proc/sys/vm/drop_caches", 3);
	number_to("/proc/sys/vm/compact_memory", 1);
	number_to(POOL "nr_hugepages", pool_had + 1);
}

static char *giga_memory(void)
{
	char *mem = mmap(NULL, GIGA, PROT_READ | PROT_WRITE, MAP_SHARED, giga_fd, 0);

	if (mem == MAP_FAILED)
		ktap_fail("no page of 1 GB (%s): the pool has %ld, had %ld", strerror(errno),
			  number_in(POOL "nr_hugepages"), pool_had);
	return mem;
}

static u64 get(const char *mem, u64 offset)
{
	u64 word;

	memcpy(&word, mem + offset, sizeof(word));
	return word;
}

/* Parameter huge=0: there are pages only. */
static u64 blocks_or(u64 blocks, u64 pages)
{
	return keel_parameter("huge") ? blocks : pages;
}

/* One word in each 2 MB of the GB from @offset on. */
static void touch_all(struct touch_vm *t, u64 op, u64 offset, u64 size, u64 value)
{
	struct touch cmd = {
		.op = op,
		.addr = TOUCH_IPA + offset,
		.size = size,
		.step = HUGE,
		.value = value,
	};

	CHECK_EQ(touch_run(t, &cmd), 0);
}

static void check_host(const char *mem, u64 value)
{
	u64 i;

	for (i = 0; i < GIGA; i += HUGE)
		if (!CHECK_EQ(get(mem, i), value + TOUCH_IPA + i))
			return;
}

/* All of it is one fault, and after that nothing. */
static void one_fault(void)
{
	char *mem = giga_memory();
	struct touch_vm t;

	touch_create(&t, 0);
	touch_slot(&t, 0, mem, GIGA);
	touch_all(&t, TOUCH_WRITE, 0, GIGA, 1);
	CHECK_COST(&t, faults, blocks_or(1, GIGA / HUGE));
	CHECK_COST(&t, maps, blocks_or(1, GIGA / HUGE));
	CHECK_COST(&t, blocks, blocks_or(1, 0));
	check_host(mem, 1);
	touch_all(&t, TOUCH_CHECK, 0, GIGA, 1);
	CHECK_COST(&t, faults, 0);
	/* The last page of it is where it should be, too. */
	touch(&t, TOUCH_WRITE, GIGA - PAGE, PAGE, 2);
	CHECK_COST(&t, faults, 0);
	CHECK_EQ(get(mem, GIGA - PAGE), TOUCH_IPA + GIGA - PAGE + 2);
	touch_destroy(&t);
}

/* Taken away as one: read-only in the host, then writable again. */
static void protected(void)
{
	struct touch cmd = {
		.op = TOUCH_WRITE, .addr = TOUCH_IPA + 7 * PAGE, .size = PAGE, .step = PAGE,
	};
	char *mem = giga_memory();
	struct touch_vm t;

	touch_create(&t, 0);
	touch_slot(&t, 0, mem, GIGA);
	touch_all(&t, TOUCH_WRITE, 0, GIGA, 1);
	REQUIRE_OK(mprotect(mem, GIGA, PROT_READ));
	touch_all(&t, TOUCH_CHECK, 0, GIGA, 1);
	CHECK_COST(&t, blocks, blocks_or(1, 0));
	memcpy(vm_ptr(&t.vm, SHARED_IPA), &cmd, sizeof(cmd));
	CHECK_EQ(vcpu_run(&t.vm.vcpus[0]), -EFAULT);
	REQUIRE_OK(mprotect(mem, GIGA, PROT_READ | PROT_WRITE));
	vcpu_run_sync(&t.vm.vcpus[0]);
	CHECK_EQ(get(mem, 7 * PAGE), cmd.addr);
	touch_all(&t, TOUCH_CHECK, 0, GIGA, 1);
	touch_destroy(&t);
}

/* What does not fit as a whole is blocks of 2 MB. */
static void smaller(void)
{
	char *mem = giga_memory();
	struct touch_vm t;

	touch_create(&t, 0);
	touch_slot(&t, 0, mem, GIGA - HUGE);
	touch_all(&t, TOUCH_WRITE, 0, GIGA - HUGE, 1);
	CHECK_COST(&t, maps, GIGA / HUGE - 1);
	CHECK_COST(&t, blocks, blocks_or(GIGA / HUGE - 1, 0));
	/* Aligned to 2 MB in the guest, not to 1 GB. */
	touch_slot(&t, 0, NULL, 0);
	touch_slot(&t, HUGE, mem, GIGA - HUGE);
	touch_all(&t, TOUCH_CHECK, HUGE, GIGA - HUGE, 1 - HUGE);
	CHECK_COST(&t, maps, GIGA / HUGE - 1);
	CHECK_COST(&t, blocks, blocks_or(GIGA / HUGE - 1, 0));
	/* Not aligned to either. */
	touch_slot(&t, 0, NULL, 0);
	touch_slot(&t, PAGE, mem, 8 * HUGE);
	touch(&t, TOUCH_WRITE, PAGE, 8 * HUGE, 3);
	CHECK_COST(&t, blocks, 0);
	CHECK_EQ(get(mem, 5 * PAGE), TOUCH_IPA + 6 * PAGE + 3);
	touch_destroy(&t);
}

/* With 34 bits of IPA the guest's tables begin at level 2, where no block of 1 GB can stand. */
static void small_space(void)
{
	char *mem = giga_memory();
	struct touch_vm t;

	touch_create(&t, 34);
	touch_slot(&t, 0, mem, GIGA);
	touch_all(&t, TOUCH_WRITE, 0, GIGA, 4);
	CHECK_COST(&t, maps, GIGA / HUGE);
	CHECK_COST(&t, blocks, blocks_or(GIGA / HUGE, 0));
	check_host(mem, 4);
	touch_destroy(&t);
}

/* Instruction caches follow for all of it. */
static void executed(void)
{
	/* mov x0, #1234; ret */
	static const u32 code[] = { 0xd2809a40, 0xd65f03c0 };
	struct touch cmd = { .op = TOUCH_EXEC, .addr = TOUCH_IPA + GIGA / 2 };
	char *mem = giga_memory();
	struct touch_vm t;

	touch_create(&t, 0);
	touch_slot(&t, 0, mem, GIGA);
	memcpy(mem + GIGA / 2, code, sizeof(code));
	CHECK_EQ(touch_run(&t, &cmd), 1234);
	CHECK_COST(&t, maps, 1);
	CHECK_COST(&t, blocks, blocks_or(1, 0));
	touch_destroy(&t);
}

static bool storm_over;

/* Invalidations of memory that is no guest's, one after the other. */
static void *storm(void *arg)
{
	char *mem = arg;

	while (!READ_ONCE(storm_over)) {
		mem[0] = 1;
		REQUIRE_OK(madvise(mem, PAGE, MADV_DONTNEED));
	}
	return NULL;
}

/* To clean 1 GB takes longer than from one of them to the next: the guest gets on all the same. */
static void in_a_storm(void)
{
	char *mem = giga_memory(), *other;
	struct touch_vm t;
	pthread_t thread;

	other = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(other != MAP_FAILED);
	touch_create(&t, 0);
	touch_slot(&t, 0, mem, GIGA);
	REQUIRE(!pthread_create(&thread, NULL, storm, other));
	touch_all(&t, TOUCH_WRITE, 0, GIGA, 5);
	CHECK_COST(&t, maps, blocks_or(1, GIGA / HUGE));
	WRITE_ONCE(storm_over, true);
	pthread_join(thread, NULL);
	check_host(mem, 5);
	touch_destroy(&t);
}

static const struct ktap_case cases[] = {
	{ "one_fault", one_fault },
	{ "protected", protected },
	{ "smaller", smaller },
	{ "small_space", small_space },
	{ "executed", executed },
	{ "in_a_storm", in_a_storm },
};

int main(int argc, char **argv)
{
	int status;

	pool_fill();
	giga_fd = memfd_create("gigabyte", MFD_CLOEXEC | MFD_HUGETLB | MFD_HUGE_1GB);
	if (giga_fd >= 0 && ftruncate(giga_fd, GIGA))
		perror("ftruncate");
	status = ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
	if (giga_fd >= 0)
		close(giga_fd);
	if (pool_had >= 0)
		number_to(POOL "nr_hugepages", pool_had);
	return status;
}
