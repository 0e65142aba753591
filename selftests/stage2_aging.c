// SPDX-License-Identifier: GPL-2.0
/*
 * The host asks which pages are in use: a guest's accesses count, by the access flag of stage 2
 * (idle page tracking, so only where the kernel has it).
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/hostmem.h"
#include "lib/poke.h"
#include "lib/walk.h"

#define BITMAP	"/sys/kernel/mm/page_idle/bitmap"
#define PAGES	16

/* Bits in words of 64, by page frame; setting one clears the access flags. */
static u64 word_of(u64 pfn)
{
	return pfn / 64 * sizeof(u64);
}

static void set_idle(int fd, u64 pfn)
{
	u64 word = BIT(pfn % 64);

	REQUIRE_EQ(pwrite(fd, &word, sizeof(word), word_of(pfn)), sizeof(word));
}

static bool is_idle(int fd, u64 pfn)
{
	u64 word;

	REQUIRE_EQ(pread(fd, &word, sizeof(word), word_of(pfn)), sizeof(word));
	return word >> pfn % 64 & 1;
}

static int bitmap_open(void)
{
	int fd = open(BITMAP, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		ktap_skip("no %s", BITMAP);
	return fd;
}

/*
 * Clearing without a TLB flush is allowed to miss accesses by what a CPU has in its TLB. This takes
 * two pages away from the guest, which flushes all of its entries.
 */
static void flush(struct vm *vm, char *mem)
{
	poke_write(vm, WALK_IPA + PAGES * HOST_PAGE, 8, 1);
	poke_write(vm, WALK_IPA + (PAGES + 1) * HOST_PAGE, 8, 1);
	REQUIRE_OK(madvise(mem + PAGES * HOST_PAGE, 2 * HOST_PAGE, MADV_DONTNEED));
}

/*
 * CPUs keep new pages back for a while before they put them on the LRU lists, and what is not there
 * cannot be made idle. This has them put there.
 */
static void drain(void)
{
	REQUIRE_OK(host_write("/proc/sys/vm/drop_caches", "1"));
}

static void idle_pages(void)
{
	int fd = bitmap_open(), i, round;
	u64 size = (PAGES + 2) * HOST_PAGE, pfn[PAGES];
	struct vm vm;
	char *mem;

	mem = mem_map(size, MAP_PRIVATE, -1);
	REQUIRE_OK(madvise(mem, size, MADV_NOHUGEPAGE));
	poke_create(&vm);
	REQUIRE_OK(vm_memslot(&vm, 1, 0, WALK_IPA, size, mem));
	for (i = 0; i < PAGES; i++) {
		poke_write(&vm, WALK_IPA + i * HOST_PAGE, 8, i);
		pfn[i] = mem_pfn(mem + i * HOST_PAGE);
		REQUIRE(pfn[i]);
	}
	drain();
	/* The guest touches every other page, reading and writing in turn. */
	for (round = 0; round < 4; round++) {
		for (i = 0; i < PAGES; i++) {
			set_idle(fd, pfn[i]);
			CHECK(is_idle(fd, pfn[i]));
		}
		flush(&vm, mem);
		for (i = round % 2; i < PAGES; i += 2) {
			if (round < 2)
				CHECK_EQ(poke_read(&vm, WALK_IPA + i * HOST_PAGE, 8), i);
			else
				poke_write(&vm, WALK_IPA + i * HOST_PAGE, 8, i);
		}
		for (i = 0; i < PAGES; i++)
			CHECK_EQ(is_idle(fd, pfn[i]), i % 2 != round % 2);
	}
	/* Nothing was taken away to find out. */
	for (i = 0; i < PAGES; i++)
		CHECK_EQ(mem_pfn(mem + i * HOST_PAGE), pfn[i]);
	vm_destroy(&vm);
}

static const struct ktap_case cases[] = {
	{ "idle_pages", idle_pages },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
