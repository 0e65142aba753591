// SPDX-License-Identifier: GPL-2.0
/*
 * The host needs memory and takes the guest's: swap, control group limits, same-page merging, pages
 * given up, pages moved. The guest goes on and finds what it wrote.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/hostmem.h"
#include "lib/walk.h"

#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101
#endif

#define SIZE		(HOST_HUGE / 4)
#define SWAP_SIZE	(2 * HOST_HUGE)

static char *anonymous(u64 size)
{
	return mem_map(size, MAP_PRIVATE, -1);
}

static void walked(struct walk *w, u64 rounds)
{
	walk_start(w);
	walk_rounds(w, rounds);
	walk_stop(w);
}

static void destroy(struct walk *w)
{
	walk_check(w);
	walk_destroy(w);
	REQUIRE_OK(munmap(w->mem, w->size));
}

/* --- swap --- */

static u64 swapped_kb(void)
{
	return host_read("/proc/self/status", "VmSwap");
}

/* A huge page, out and in. */
static void swap_out(void)
{
	struct disk disk;
	struct walk w;

	host_mounts();
	swap_begin(&disk, SWAP_SIZE);
	walk_create(&w, anonymous(HOST_HUGE), HOST_HUGE, 2, 0);
	walked(&w, 0);
	mem_page_out(w.mem, HOST_HUGE);
	CHECK(swapped_kb() >= HOST_HUGE / 1024 / 2);
	walked(&w, 1);
	/* All of it is in again: the guest has written to every page. */
	CHECK_EQ(mem_swapped(w.mem, HOST_HUGE), 0);
	destroy(&w);
	swap_end(&disk);
}

static void swap_out_running(void)
{
	s64 from = host_read("/proc/vmstat", "pswpout"), out;
	struct disk disk;
	struct walk w;
	int i = 0;

	host_mounts();
	swap_begin(&disk, SWAP_SIZE);
	walk_create(&w, anonymous(SIZE), SIZE, 2, 0);
	walk_start(&w);
	do {
		REQUIRE_OK(madvise(w.mem, SIZE, MADV_PAGEOUT));
		out = host_read("/proc/vmstat", "pswpout") - from;
	} while (++i < 4 || out < (s64)(SIZE / HOST_PAGE));
	walk_rounds(&w, 0);
	/* And all back, under the guest as well. */
	REQUIRE_OK(madvise(w.mem, SIZE, MADV_PAGEOUT));
	swap_end(&disk);
	CHECK_EQ(mem_swapped(w.mem, SIZE), 0);
	walk_rounds(&w, 1);
	walk_stop(&w);
	ktap_note("%lld pages out in %d passes", out, i);
	destroy(&w);
}

/* --- limits --- */

/*
 * A group with swap. All in small pages: of huge ones there would be so few, and all in use, that
 * there is not much to reclaim.
 */
static void group_begin(struct disk *disk)
{
	REQUIRE_OK(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
	host_mounts();
	swap_begin(disk, SWAP_SIZE);
	cgroup_begin();
	cgroup_enter();
}

/* Until the host has reclaimed so many pages of the group. */
static void wait_for_reclaim(s64 pages)
{
	s64 from = cgroup_read("memory.stat", "pgsteal");

	while (cgroup_read("memory.stat", "pgsteal") < from + pages)
		host_pause();
}

/*
 * Two guests that together need twice what their group should have. Not memory.max: a limit that
 * small now and then gets the VMM killed, under in-tree KVM as well.
 */
static void limit(void)
{
	struct walk a, b;
	struct disk disk;
	s64 events;

	group_begin(&disk);
	walk_create(&a, anonymous(2 * SIZE), 2 * SIZE, 1, 0);
	walk_create(&b, anonymous(2 * SIZE), 2 * SIZE, 1, 0);
	cgroup_limit(CGROUP_HIGH, cgroup_read("memory.current", NULL) + 2 * SIZE);
	walk_start(&a);
	walk_start(&b);
	wait_for_reclaim(SIZE / HOST_PAGE);
	walk_rounds(&a, 0);
	walk_rounds(&b, 0);
	events = cgroup_read("memory.events", "high");
	CHECK(events > 0);
	CHECK_EQ(cgroup_read("memory.events", "oom_kill"), 0);
	walk_stop(&a);
	walk_stop(&b);
	ktap_note("the limit was met %lld times", events);
	cgroup_limit(CGROUP_HIGH, -1);
	cgroup_end();
	destroy(&a);
	destroy(&b);
	swap_end(&disk);
}

/* Writes to more memory than there is for it, until it is killed. */
static pid_t hog_start(u64 size)
{
	pid_t pid = fork();
	u64 i, n;
	char *p;

	REQUIRE_OK(pid);
	if (pid)
		return pid;
	p = anonymous(size);
	for (n = 0;; n++)
		for (i = 0; i < size; i += HOST_PAGE)
			p[i] = n;
}

static void hog(void)
{
	struct disk disk;
	struct walk w;
	s64 current;
	pid_t pid;

	group_begin(&disk);
	walk_create(&w, anonymous(2 * SIZE), 2 * SIZE, 1, 0);
	walked(&w, 0);
	current = cgroup_read("memory.current", NULL);
	cgroup_limit(CGROUP_HIGH, current + SIZE / 4);
	pid = hog_start(4 * SIZE);
	walk_start(&w);
	wait_for_reclaim(2 * SIZE / HOST_PAGE);
	walk_rounds(&w, 1);
	REQUIRE_OK(kill(pid, SIGKILL));
	REQUIRE_EQ(waitpid(pid, NULL, 0), pid);
	walk_stop(&w);
	CHECK(cgroup_read("memory.events", "high") > 0);
	cgroup_end();
	destroy(&w);
	swap_end(&disk);
}

/* --- pages given up --- */

/* MADV_FREE: gone if nobody writes again before the host needs the page, kept if the guest does. */
static void given_up(void)
{
	struct disk disk;
	struct walk w;
	u64 zeros;

	host_mounts();
	swap_begin(&disk, SWAP_SIZE);
	walk_create(&w, anonymous(SIZE), SIZE, 2, 0);
	walked(&w, 0);
	w.args->flags = WALK_ZERO;
	REQUIRE_OK(madvise(w.mem, SIZE, MADV_FREE));
	REQUIRE_OK(madvise(w.mem, SIZE, MADV_PAGEOUT));
	walked(&w, 1);
	zeros = walk_zeros(&w);
	CHECK(zeros > SIZE / HOST_PAGE);

	REQUIRE_OK(madvise(w.mem, SIZE, MADV_FREE));
	walked(&w, 1);
	w.args->flags = 0;
	mem_page_out(w.mem, SIZE);
	walked(&w, 0);
	ktap_note("%llu words were given up", zeros);
	destroy(&w);
	swap_end(&disk);
}

/* --- same-page merging --- */

#define KSM "/sys/kernel/mm/ksm/"

static const char *const ksm_files[] = {
	KSM "run", KSM "pages_to_scan", KSM "sleep_millisecs",
};

static void ksm_set(const s64 *values)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ksm_files); i++)
		REQUIRE_OK(host_write(ksm_files[i], "%lld", values[i]));
}

static char *mergeable(u64 size)
{
	char *mem = anonymous(size);

	walk_fill(mem, size, 1);
	REQUIRE_OK(madvise(mem, size, MADV_MERGEABLE));
	return mem;
}

/* Two guests with the same pages share them; then one writes, then both. */
static void ksm(void)
{
	static const s64 fast[] = { 1, 10000, 0 }, unmerge[] = { 2, 100, 20 };
	const u64 size = HOST_HUGE / 8, pages = size / HOST_PAGE;
	struct walk a, b;
	s64 before[3];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(before); i++)
		before[i] = host_read(ksm_files[i], NULL);
	walk_create(&a, mergeable(size), size, 1, WALK_FILLED | WALK_READ);
	walk_create(&b, mergeable(size), size, 1, WALK_FILLED | WALK_READ);
	/* One of them runs while its pages are merged. */
	walked(&a, 0);
	walk_start(&b);
	walk_rounds(&b, 0);
	CHECK_EQ(mem_same(a.mem, b.mem, size), 0);
	ksm_set(fast);
	while (mem_same(a.mem, b.mem, size) < pages - pages / 8)
		host_pause();
	walk_start(&a);
	walk_rounds(&a, 0);
	walk_rounds(&b, 0);

	walk_flags(&a, WALK_FILLED);
	walk_rounds(&a, 0);
	walk_rounds(&b, 0);
	CHECK_EQ(mem_same(a.mem, b.mem, size), 0);
	walk_flags(&b, WALK_FILLED);
	ksm_set(unmerge);
	walk_rounds(&a, 0);
	walk_rounds(&b, 0);
	walk_stop(&a);
	walk_stop(&b);
	before[0] = 0;
	ksm_set(before);
	destroy(&a);
	destroy(&b);
}

/* --- pages moved --- */

/* The host takes page frames out of use: what is in them goes elsewhere. */
static void moved(void)
{
	struct walk w;
	u64 pfn, i;

	walk_create(&w, anonymous(SIZE), SIZE, 2, 0);
	walk_start(&w);
	walk_rounds(&w, 0);
	for (i = 0; i < 4; i++) {
		pfn = mem_pfn(w.mem + i * SIZE / 4);
		REQUIRE(pfn);
		/* Someone may hold the page for a moment: a fault of the guest does. */
		while (madvise(w.mem + i * SIZE / 4, HOST_PAGE, MADV_SOFT_OFFLINE))
			REQUIRE(errno == EBUSY || errno == EIO || errno == EAGAIN);
		CHECK(mem_pfn(w.mem + i * SIZE / 4) != pfn);
	}
	REQUIRE_OK(host_write("/proc/sys/vm/compact_memory", "1"));
	walk_rounds(&w, 1);
	walk_stop(&w);
	destroy(&w);
}

static const struct ktap_case cases[] = {
	{ "swap_out", swap_out },
	{ "swap_out_running", swap_out_running },
	{ "limit", limit },
	{ "hog", hog },
	{ "given_up", given_up },
	{ "ksm", ksm },
	{ "moved", moved },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
