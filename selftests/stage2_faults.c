// SPDX-License-Identifier: GPL-2.0
/* Guest memory that the host takes away, replaces, shares, protects: the guest sees it at once. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guests/stage2_faults.h"
#include "lib/poke.h"
#include "lib/vm.h"

GUEST_DECLARE(stage2_faults);

#define SLOT_IPA	0x50000000ULL
#define HUGE		0x200000ULL
#define PAGE		4096ULL

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

static char *memory_at(void *addr, size_t size, int flags, int fd)
{
	char *p = mmap(addr, size, PROT_READ | PROT_WRITE,
		       flags | (fd < 0 ? MAP_ANONYMOUS : 0) | (addr ? MAP_FIXED : 0), fd, 0);

	REQUIRE(p != MAP_FAILED);
	return p;
}

/* A mapping that starts at a multiple of 2 MB plus @offset. */
static char *aligned_memory(size_t size, size_t offset, int flags, int fd)
{
	char *p = memory_at(NULL, size + 2 * HUGE, MAP_PRIVATE | MAP_NORESERVE, -1);

	p = (char *)(((u64)p + HUGE - 1) & -HUGE) + offset;
	return memory_at(p, size, flags, fd);
}

static u64 get(const char *mem, u64 offset)
{
	u64 word;

	memcpy(&word, mem + offset, sizeof(word));
	return word;
}

static void put(char *mem, u64 offset, u64 word)
{
	memcpy(mem + offset, &word, sizeof(word));
}

static char *poke_memory(struct vm *vm, size_t size)
{
	char *mem = aligned_memory(size, 0, MAP_PRIVATE, -1);

	poke_create(vm);
	REQUIRE_OK(vm_memslot(vm, 1, 0, SLOT_IPA, size, mem));
	return mem;
}

static void fault_in(void)
{
	struct vm vm;
	char *mem = poke_memory(&vm, 64 * HUGE);
	u64 i, offset;

	/* Scattered over the slot, the guest first or the host first, reads and writes. */
	for (i = 0; i < 500; i++) {
		offset = i * 37 % 64 * HUGE + i * 11 % 512 * PAGE + i % 500 * 8;
		if (i & 1)
			put(mem, offset, i + 1);
		else
			poke_write(&vm, SLOT_IPA + offset, 8, i + 1);
		CHECK_EQ(poke_read(&vm, SLOT_IPA + offset, 8), i + 1);
		CHECK_EQ(get(mem, offset), i + 1);
		poke_write(&vm, SLOT_IPA + offset, 8, i + 2);
		CHECK_EQ(get(mem, offset), i + 2);
	}
	vm_destroy(&vm);
}

static void dontneed(void)
{
	struct vm vm;
	char *mem = poke_memory(&vm, HUGE);
	int i;

	for (i = 0; i < 50; i++) {
		poke_write(&vm, SLOT_IPA + i * PAGE, 8, 77);
		REQUIRE_OK(madvise(mem + i * PAGE, PAGE, MADV_DONTNEED));
		CHECK_EQ(poke_read(&vm, SLOT_IPA + i * PAGE, 8), 0);
		poke_write(&vm, SLOT_IPA + i * PAGE, 8, 78 + i);
		CHECK_EQ(get(mem, i * PAGE), 78 + i);
	}
	vm_destroy(&vm);
}

static void wait_above(const char *mem, u64 value)
{
	while (READ_ONCE(*(const u64 *)mem) <= value)
		sched_yield();
}

/* The guest counts in a page that goes away under it. */
static void under_running_vcpu(void)
{
	struct poke cmd = { .op = POKE_LOOP, .addr = SLOT_IPA };
	struct vm vm;
	char *mem = poke_memory(&vm, HUGE);
	u64 last = 0, now;
	int i;

	memcpy(vm_ptr(&vm, SHARED_IPA), &cmd, sizeof(cmd));
	vm_start(&vm);
	for (i = 0; i < 100; i++) {
		wait_above(mem, last);
		last = get(mem, 0);
		if (i % 3 == 0)
			REQUIRE_OK(madvise(mem, PAGE, MADV_DONTNEED));
		else if (i % 3 == 1)
			memory_at(mem, PAGE, MAP_PRIVATE, -1);
		else
			REQUIRE_OK(madvise(mem, HUGE, MADV_DONTNEED));
		/* Zero until the guest's next write, which is a later one. */
		now = get(mem, 0);
		CHECK(!now || now > last);
	}
	wait_above(mem, last);
	vm_stop(&vm);
	vm_destroy(&vm);
}

static void replaced(void)
{
	struct vm vm;
	char *mem = poke_memory(&vm, HUGE), *other;
	int i;

	for (i = 0; i < 20; i++) {
		poke_write(&vm, SLOT_IPA + 8, 8, 1);
		memory_at(mem, PAGE, MAP_PRIVATE, -1);
		CHECK_EQ(poke_read(&vm, SLOT_IPA + 8, 8), 0);
		poke_write(&vm, SLOT_IPA + 8, 8, 3);
		CHECK_EQ(get(mem, 8), 3);
		/* A page that is moved there by mremap brings its contents. */
		other = memory_at(NULL, PAGE, MAP_PRIVATE, -1);
		put(other, 8, 100 + i);
		REQUIRE(mremap(other, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, mem) == mem);
		CHECK_EQ(poke_read(&vm, SLOT_IPA + 8, 8), 100 + i);
	}
	vm_destroy(&vm);
}

static void protected(void)
{
	struct poke read = { .op = POKE_READ, .addr = SLOT_IPA + 8, .len = 8 };
	struct poke write = { .op = POKE_WRITE, .addr = SLOT_IPA + 8, .len = 8, .value = 6 };
	struct vm vm;
	char *mem = poke_memory(&vm, HUGE);
	struct vcpu *vcpu = &vm.vcpus[0];

	poke_write(&vm, SLOT_IPA + 8, 8, 5);
	REQUIRE_OK(mprotect(mem, PAGE, PROT_READ));
	CHECK_EQ(poke_read(&vm, SLOT_IPA + 8, 8), 5);
	/* The write cannot be done: KVM_RUN says so, and again, until it can. */
	memcpy(vm_ptr(&vm, SHARED_IPA), &write, sizeof(write));
	CHECK_EQ(vcpu_run(vcpu), -EFAULT);
	CHECK_EQ(vcpu_run(vcpu), -EFAULT);
	CHECK_EQ(get(mem, 8), 5);
	REQUIRE_OK(mprotect(mem, PAGE, PROT_READ | PROT_WRITE));
	REQUIRE(poke_resume(&vm, &write));
	CHECK_EQ(get(mem, 8), 6);

	REQUIRE_OK(mprotect(mem, PAGE, PROT_NONE));
	memcpy(vm_ptr(&vm, SHARED_IPA), &read, sizeof(read));
	CHECK_EQ(vcpu_run(vcpu), -EFAULT);
	REQUIRE_OK(mprotect(mem, PAGE, PROT_READ | PROT_WRITE));
	REQUIRE(poke_resume(&vm, &read));
	CHECK_EQ(read.value, 6);

	REQUIRE_OK(munmap(mem, PAGE));
	memcpy(vm_ptr(&vm, SHARED_IPA), &read, sizeof(read));
	CHECK_EQ(vcpu_run(vcpu), -EFAULT);
	memory_at(mem, PAGE, MAP_PRIVATE, -1);
	REQUIRE(poke_resume(&vm, &read));
	CHECK_EQ(read.value, 0);
	vm_destroy(&vm);
}

/* Copy on write both ways: what the guest writes after a fork is not the child's, nor back. */
static void fork_cow(void)
{
	struct vm vm;
	char *mem = poke_memory(&vm, 4 * PAGE);
	int to_child[2], i, status;
	pid_t pid;
	char c;

	for (i = 0; i < 10; i++) {
		poke_write(&vm, SLOT_IPA, 8, 1);
		poke_write(&vm, SLOT_IPA + PAGE, 8, 2);
		REQUIRE_OK(pipe(to_child));
		pid = fork();
		if (!pid) {
			/* The guest writes now; only then look. */
			close(to_child[1]);
			if (read(to_child[0], &c, 1))
				_exit(KTAP_FAIL);
			put(mem, PAGE, 50);
			_exit(get(mem, 0) == 1 && get(mem, PAGE) == 50 ? KTAP_PASS : KTAP_FAIL);
		}
		close(to_child[0]);
		poke_write(&vm, SLOT_IPA, 8, 40 + i);
		close(to_child[1]);
		REQUIRE_EQ(waitpid(pid, &status, 0), pid);
		CHECK_EQ(status, 0);
		CHECK_EQ(get(mem, 0), 40 + i);
		CHECK_EQ(poke_read(&vm, SLOT_IPA, 8), 40 + i);
		CHECK_EQ(poke_read(&vm, SLOT_IPA + PAGE, 8), 2);
	}
	vm_destroy(&vm);
}

/* 2 MB blocks where the host has them, then pieces taken out of them. */
static void huge_pages(void)
{
	struct vm vm;
	char *mem = poke_memory(&vm, 8 * HUGE);
	u64 i;

	if (madvise(mem, 8 * HUGE, MADV_HUGEPAGE))
		ktap_note("no transparent huge pages");
	memset(mem, 0, 4 * HUGE);
	for (i = 0; i < 8; i++) {
		poke_write(&vm, SLOT_IPA + i * HUGE, 8, i + 1);
		poke_write(&vm, SLOT_IPA + (i + 1) * HUGE - 8, 8, i + 100);
		poke_write(&vm, SLOT_IPA + i * HUGE + 3 * PAGE, 8, i + 200);
	}
	for (i = 0; i < 8; i++) {
		CHECK_EQ(get(mem, i * HUGE), i + 1);
		CHECK_EQ(get(mem, (i + 1) * HUGE - 8), i + 100);
		REQUIRE_OK(madvise(mem + i * HUGE + 3 * PAGE, PAGE, MADV_DONTNEED));
		CHECK_EQ(poke_read(&vm, SLOT_IPA + i * HUGE + 3 * PAGE, 8), 0);
		CHECK_EQ(poke_read(&vm, SLOT_IPA + i * HUGE, 8), i + 1);
		poke_write(&vm, SLOT_IPA + i * HUGE + 3 * PAGE, 8, i + 300);
		/* And put together again, where the kernel knows how. */
		if (madvise(mem + i * HUGE, HUGE, MADV_COLLAPSE) && !i)
			ktap_note("MADV_COLLAPSE: %s", strerror(errno));
		CHECK_EQ(poke_read(&vm, SLOT_IPA + i * HUGE + 3 * PAGE, 8), i + 300);
		CHECK_EQ(poke_read(&vm, SLOT_IPA + (i + 1) * HUGE - 8, 8), i + 100);
		REQUIRE_OK(mprotect(mem + i * HUGE + 5 * PAGE, PAGE, PROT_READ));
		poke_write(&vm, SLOT_IPA + i * HUGE + 6 * PAGE, 8, i);
		CHECK_EQ(poke_read(&vm, SLOT_IPA + i * HUGE + 5 * PAGE, 8), 0);
	}
	vm_destroy(&vm);
}

/* IPA and mapping differ modulo 2 MB: a block would map the wrong memory. */
static void skewed(void)
{
	struct vm vm;
	char *mem = aligned_memory(4 * HUGE, 17 * PAGE, MAP_PRIVATE, -1);
	u64 i;

	poke_create(&vm);
	if (madvise(mem, 4 * HUGE, MADV_HUGEPAGE))
		ktap_note("no transparent huge pages");
	REQUIRE_OK(vm_memslot(&vm, 1, 0, SLOT_IPA, 4 * HUGE, mem));
	for (i = 0; i < 4 * HUGE; i += PAGE)
		put(mem, i, i + 1);
	for (i = 0; i < 4 * HUGE; i += 61 * PAGE)
		CHECK_EQ(poke_read(&vm, SLOT_IPA + i, 8), i + 1);
	/* A slot that begins and ends within a huge page of the host. */
	REQUIRE_OK(vm_memslot(&vm, 2, 0, SLOT_IPA + 16 * HUGE + 3 * PAGE, PAGE,
			      mem + HUGE - 17 * PAGE + 3 * PAGE));
	CHECK_EQ(poke_read(&vm, SLOT_IPA + 16 * HUGE + 3 * PAGE, 8),
		 HUGE - 17 * PAGE + 3 * PAGE + 1);
	CHECK(poke_exits(&vm, false, SLOT_IPA + 16 * HUGE + 4 * PAGE, 8, 1));
	CHECK(poke_exits(&vm, false, SLOT_IPA + 16 * HUGE + 2 * PAGE, 8, 1));
	vm_destroy(&vm);
}

static void file_memory(void)
{
	struct poke read = { .op = POKE_READ, .addr = SLOT_IPA + PAGE, .len = 8 };
	int fd = memfd_create("guest", MFD_CLOEXEC);
	struct vm vm;
	char *mem, *other;

	REQUIRE_OK(fd);
	REQUIRE_OK(ftruncate(fd, 2 * PAGE));
	mem = memory_at(NULL, 2 * PAGE, MAP_SHARED, fd);
	other = memory_at(NULL, 2 * PAGE, MAP_SHARED, fd);
	poke_create(&vm);
	REQUIRE_OK(vm_memslot(&vm, 1, 0, SLOT_IPA, 2 * PAGE, mem));
	poke_write(&vm, SLOT_IPA + 8, 8, 11);
	CHECK_EQ(get(other, 8), 11);
	put(other, 8, 12);
	CHECK_EQ(poke_read(&vm, SLOT_IPA + 8, 8), 12);
	REQUIRE_OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE));
	CHECK_EQ(poke_read(&vm, SLOT_IPA + 8, 8), 0);

	/* Beyond the end of the file there is nothing, also where there was. */
	poke_write(&vm, SLOT_IPA + PAGE, 8, 13);
	REQUIRE_OK(ftruncate(fd, PAGE));
	memcpy(vm_ptr(&vm, SHARED_IPA), &read, sizeof(read));
	CHECK_EQ(vcpu_run(&vm.vcpus[0]), -EFAULT);
	REQUIRE_OK(ftruncate(fd, 2 * PAGE));
	REQUIRE(poke_resume(&vm, &read));
	CHECK_EQ(read.value, 0);
	vm_destroy(&vm);
}

static u64 slowest(struct vm *vm)
{
	u64 *counter = vm_ptr(vm, SHARED_IPA), least = ~0ULL;
	int i;

	for (i = 0; i < FAULT_CPUS; i++)
		if (READ_ONCE(counter[i]) < least)
			least = READ_ONCE(counter[i]);
	return least;
}

/* What may be done to memory without changing it, under four vCPUs that compare every word. */
static void disturb(char *mem, int i)
{
	pid_t pid;

	if (i % 2) {
		pid = fork();
		if (!pid)
			_exit(0);
		waitpid(pid, NULL, 0);
	} else {
		madvise(mem, HUGE, i & 2 ? MADV_COLLAPSE : MADV_PAGEOUT);
		mprotect(mem + 5 * PAGE, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
		mprotect(mem + 5 * PAGE, PAGE, PROT_READ | PROT_WRITE);
	}
}

static void four_vcpus(void)
{
	char *mem = aligned_memory(FAULT_SIZE, 0, MAP_PRIVATE, -1);
	struct vm vm;
	int i;

	vm_create_guest(&vm, guest_stage2_faults, guest_stage2_faults_end, FAULT_CPUS);
	REQUIRE_OK(vm_memslot(&vm, 1, 0, FAULT_IPA, FAULT_SIZE, mem));
	vm_start(&vm);
	for (i = 0; i < 20 || slowest(&vm) < 3; i++)
		disturb(mem, i);
	vm_stop(&vm);
	ktap_note("%d disturbances in %llu rounds", i, slowest(&vm));
	vm_destroy(&vm);
}

static const struct ktap_case cases[] = {
	{ "fault_in", fault_in },
	{ "dontneed", dontneed },
	{ "under_running_vcpu", under_running_vcpu },
	{ "replaced", replaced },
	{ "protected", protected },
	{ "fork_cow", fork_cow },
	{ "huge_pages", huge_pages },
	{ "skewed", skewed },
	{ "file_memory", file_memory },
	{ "four_vcpus", four_vcpus },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
