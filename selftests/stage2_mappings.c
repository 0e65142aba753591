// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory of every kind that a VMM may map, and what may happen to it while vCPUs run: files
 * that are written back, truncated, punched; huge pages; mappings that move or lose rights; forks;
 * poisoned pages.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/hostmem.h"
#include "lib/poke.h"
#include "lib/walk.h"

#define SIZE	  (64 * HOST_PAGE)
#define FILE_SIZE (16 * HOST_PAGE)	/* on a disk, which is slow */

static char *buffer(u64 size)
{
	char *p = mem_map(size, MAP_PRIVATE, -1);

	REQUIRE_OK(madvise(p, size, MADV_NOHUGEPAGE));
	return p;
}

/* --- files --- */

static int memory_file(u64 size, unsigned int flags)
{
	int fd = memfd_create("guest", MFD_CLOEXEC | flags);

	REQUIRE_OK(fd);
	REQUIRE_OK(ftruncate(fd, size));
	return fd;
}

/* A file on ext4, on a disk; in @dir, which the caller gives the name of. */
static int disk_file(const struct disk *disk, char *dir, u64 size)
{
	char text[96];
	int fd;

	snprintf(text, sizeof(text), "mke2fs -F -b 4096 %s >/dev/null 2>&1", disk->path);
	REQUIRE_EQ(system(text), 0);
	REQUIRE(mkdtemp(dir));
	REQUIRE_OK(mount(disk->path, dir, "ext4", 0, NULL));
	snprintf(text, sizeof(text), "%s/memory", dir);
	fd = open(text, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	REQUIRE_OK(fd);
	REQUIRE_OK(ftruncate(fd, size));
	return fd;
}

/* What the disk has, past all caches. */
static void check_disk(const char *dir, const char *mem)
{
	char *found = buffer(FILE_SIZE), path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/memory", dir);
	fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	REQUIRE_OK(fd);
	REQUIRE_EQ(pread(fd, found, FILE_SIZE, 0), FILE_SIZE);
	CHECK(!memcmp(found, mem, FILE_SIZE));
	close(fd);
	munmap(found, FILE_SIZE);
}

/*
 * Write-back makes pages read-only in the VMM's page tables first: what the guest writes after that
 * must make them dirty again, or it never reaches the disk.
 */
static void written_back(void)
{
	char dir[] = "/tmp/keel-XXXXXX";
	struct disk disk;
	struct walk w;
	int fd, i;

	host_mounts();
	loop_create(&disk, 4 * HOST_HUGE);
	fd = disk_file(&disk, dir, FILE_SIZE);
	walk_create(&w, mem_map(FILE_SIZE, MAP_SHARED, fd), FILE_SIZE, 2, 0);
	for (i = 0; i < 2; i++) {
		walk_start(&w);
		walk_rounds(&w, 0);
		REQUIRE_OK(fsync(fd));
		REQUIRE_OK(msync(w.mem, FILE_SIZE, MS_SYNC));
		walk_rounds(&w, 0);
		walk_stop(&w);
		REQUIRE_OK(fsync(fd));
		check_disk(dir, w.mem);
	}
	walk_check(&w);
	walk_destroy(&w);
	munmap(w.mem, FILE_SIZE);
	close(fd);
	REQUIRE_OK(umount(dir));
	REQUIRE_OK(rmdir(dir));
	close(disk.fd);
}

/* A private mapping begins as the file is and never changes it. */
static void private_file(void)
{
	char *image = buffer(SIZE), *found = buffer(SIZE);
	int fd = memory_file(SIZE, 0);
	struct walk w;

	walk_fill(image, SIZE, 2);
	REQUIRE_EQ(pwrite(fd, image, SIZE, 0), SIZE);
	walk_create(&w, mem_map(SIZE, MAP_PRIVATE, fd), SIZE, 2, WALK_FILLED | WALK_READ);
	walk_start(&w);
	walk_rounds(&w, 1);
	walk_flags(&w, WALK_FILLED);
	walk_rounds(&w, 1);
	walk_stop(&w);
	walk_check(&w);
	REQUIRE_EQ(pread(fd, found, SIZE, 0), SIZE);
	CHECK(!memcmp(found, image, SIZE));
	walk_destroy(&w);
}

/* Until KVM_RUN has failed again. */
static void wait_for_failure(struct walk *w)
{
	u64 from = READ_ONCE(w->failures);

	while (READ_ONCE(w->failures) == from)
		host_pause();
}

/* The file ends in the middle of the guest's memory for a while; then it is whole again. */
static void truncated(void)
{
	int fd = memory_file(SIZE, 0), i;
	struct walk w;

	walk_create(&w, mem_map(SIZE, MAP_SHARED, fd), SIZE, 2, 0);
	w.may_fail = true;
	walk_start(&w);
	for (i = 0; i < 4; i++) {
		walk_rounds(&w, 0);
		WRITE_ONCE(w.args->flags, WALK_ZERO);
		REQUIRE_OK(ftruncate(fd, SIZE / 2));
		wait_for_failure(&w);
		REQUIRE_OK(ftruncate(fd, SIZE));
		walk_rounds(&w, 1);
		WRITE_ONCE(w.args->flags, 0);
	}
	walk_stop(&w);
	ktap_note("%llu failures, %llu zeros", w.failures, walk_zeros(&w));
	CHECK(walk_zeros(&w) >= i * SIZE / 2 / HOST_PAGE);
	walk_check(&w);
	walk_destroy(&w);
}

static void punch(int fd, u64 from, u64 size)
{
	REQUIRE_OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from, size));
}

static void punched(void)
{
	int fd = memory_file(SIZE, 0), i;
	struct walk w;

	walk_create(&w, mem_map(SIZE, MAP_SHARED, fd), SIZE, 2, 0);
	walk_start(&w);
	for (i = 0; i < 8; i++) {
		walk_rounds(&w, 0);
		WRITE_ONCE(w.args->flags, WALK_ZERO);
		punch(fd, i * SIZE / 8, SIZE / 8);
		walk_rounds(&w, 1);
		WRITE_ONCE(w.args->flags, 0);
	}
	walk_stop(&w);
	CHECK(walk_zeros(&w) >= SIZE / HOST_PAGE);
	walk_check(&w);
	walk_destroy(&w);
}

/* --- huge pages --- */

#define HUGE_PAGES "/proc/sys/vm/nr_hugepages"

/* More of it is mapped than there is: the guest waits for the last one, as the VMM would die. */
static void hugetlb(void)
{
	const u64 size = 3 * HOST_HUGE;
	s64 before = host_read(HUGE_PAGES, NULL);
	struct poke cmd = { .op = POKE_WRITE, .addr = WALK_IPA + size - 8, .len = 8, .value = 7 };
	struct vm vm;
	char *mem;
	int fd, i;
	u64 ipa;

	REQUIRE_OK(host_write(HUGE_PAGES, "2"));
	REQUIRE_EQ(host_read(HUGE_PAGES, NULL), 2);
	fd = memory_file(size, MFD_HUGETLB);
	mem = mem_map(size, MAP_SHARED | MAP_NORESERVE, fd);
	poke_create(&vm);
	REQUIRE_OK(vm_memslot(&vm, 1, 0, WALK_IPA, size, mem));
	for (i = 0; i < 4; i++) {
		ipa = WALK_IPA + i % 2 * HOST_HUGE;
		CHECK_EQ(poke_read(&vm, ipa + i * HOST_PAGE, 8), 0);
		poke_write(&vm, ipa + i * HOST_PAGE, 8, 50 + i);
		poke_write(&vm, ipa + HOST_HUGE - 8, 8, 60 + i);
		CHECK_EQ(*(u64 *)(mem + ipa - WALK_IPA + i * HOST_PAGE), 50 + i);
		/* The host takes the piece away, by the file or by the mapping. */
		punch(fd, ipa - WALK_IPA, HOST_HUGE);
		CHECK_EQ(poke_read(&vm, ipa + HOST_HUGE - 8, 8), 0);
	}
	memcpy(vm_ptr(&vm, SHARED_IPA), &cmd, sizeof(cmd));
	CHECK_EQ(vcpu_run(&vm.vcpus[0]), -EFAULT);
	REQUIRE_OK(host_write(HUGE_PAGES, "3"));
	REQUIRE(poke_resume(&vm, &cmd));
	CHECK_EQ(*(u64 *)(mem + size - 8), 7);
	vm_destroy(&vm);
	munmap(mem, size);
	close(fd);
	REQUIRE_OK(host_write(HUGE_PAGES, "%lld", before));
}

/* --- mappings that change --- */

/* The memory is elsewhere, or out of reach, for a while. */
static void out_of_reach(void)
{
	char *away = buffer(SIZE);
	struct walk w;
	int i;

	walk_create(&w, buffer(SIZE), SIZE, 2, 0);
	w.may_fail = true;
	walk_start(&w);
	for (i = 0; i < 6; i++) {
		walk_rounds(&w, 0);
		if (i % 3 == 0)
			REQUIRE(mremap(w.mem, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, away) ==
				away);
		else
			REQUIRE_OK(mprotect(w.mem, SIZE, i % 3 == 1 ? PROT_READ : PROT_NONE));
		wait_for_failure(&w);
		if (i % 3 == 0)
			REQUIRE(mremap(away, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, w.mem) ==
				w.mem);
		else
			REQUIRE_OK(mprotect(w.mem, SIZE, PROT_READ | PROT_WRITE));
	}
	walk_rounds(&w, 0);
	walk_stop(&w);
	walk_check(&w);
	walk_destroy(&w);
}

/*
 * A child of the VMM keeps what the guest had at the fork, and what it writes is its own. The child
 * holds a copy of the VM's descriptors too, which must not do the VM any harm.
 */
static int fork_child(const struct walk *w, int go, char *copy)
{
	char c;

	memcpy(copy, w->mem, SIZE);
	/* The end of the pipe: the guest has written to all of it since. */
	if (read(go, &c, 1))
		return KTAP_FAIL;
	if (memcmp(copy, w->mem, SIZE))
		return KTAP_FAIL;
	memset(w->mem, 0xff, SIZE);
	return KTAP_PASS;
}

static void forked(void)
{
	char *copy = buffer(SIZE);
	int go[2], status, i;
	struct walk w;
	pid_t pid;

	walk_create(&w, buffer(SIZE), SIZE, 2, 0);
	walk_start(&w);
	for (i = 0; i < 3; i++) {
		walk_rounds(&w, 0);
		REQUIRE_OK(pipe(go));
		pid = fork();
		if (!pid) {
			close(go[1]);
			_exit(fork_child(&w, go[0], copy));
		}
		REQUIRE_OK(pid);
		close(go[0]);
		walk_rounds(&w, 1);
		close(go[1]);
		REQUIRE_EQ(waitpid(pid, &status, 0), pid);
		CHECK_EQ(status, 0);
	}
	walk_rounds(&w, 1);
	walk_stop(&w);
	walk_check(&w);
	walk_destroy(&w);
}

/* --- poisoned pages --- */

static siginfo_t sigbus;
static int sigbus_count;

static void sigbus_handler(int sig __always_unused, siginfo_t *info,
			   void *context __always_unused)
{
	sigbus = *info;
	sigbus_count++;
}

static void check_sigbus(const char *addr)
{
	CHECK_EQ(sigbus_count, 1);
	CHECK_EQ(sigbus.si_code, BUS_MCEERR_AR);
	CHECK_EQ((u64)sigbus.si_addr & -HOST_PAGE, (u64)addr);
	CHECK_EQ(sigbus.si_addr_lsb, 12);
	sigbus_count = 0;
}

/* The VMM gets what its own access would have got, and mends it by a new page, as QEMU does. */
static void poisoned(void)
{
	struct poke cmd = { .op = POKE_READ, .addr = WALK_IPA + HOST_PAGE + 8, .len = 8 };
	struct sigaction sa = { .sa_sigaction = sigbus_handler, .sa_flags = SA_SIGINFO };
	char *mem = buffer(SIZE);
	struct vm vm;
	int i;

	REQUIRE_OK(sigaction(SIGBUS, &sa, NULL));
	poke_create(&vm);
	REQUIRE_OK(vm_memslot(&vm, 1, 0, WALK_IPA, SIZE, mem));
	for (i = 0; i < 3; i++)
		poke_write(&vm, WALK_IPA + i * HOST_PAGE + 8, 8, 70 + i);
	REQUIRE_OK(madvise(mem + HOST_PAGE, HOST_PAGE, MADV_HWPOISON));
	/* Who poisons a page of its own is told so at once. */
	sigbus_count = 0;
	CHECK_EQ(poke_read(&vm, WALK_IPA + 8, 8), 70);
	memcpy(vm_ptr(&vm, SHARED_IPA), &cmd, sizeof(cmd));
	for (i = 0; i < 2; i++) {
		CHECK_EQ(vcpu_run(&vm.vcpus[0]), -EINTR);
		check_sigbus(mem + HOST_PAGE);
	}
	mem_map_at(mem + HOST_PAGE, HOST_PAGE, MAP_PRIVATE, -1);
	REQUIRE(poke_resume(&vm, &cmd));
	CHECK_EQ(cmd.value, 0);
	CHECK_EQ(poke_read(&vm, WALK_IPA + 2 * HOST_PAGE + 8, 8), 72);
	CHECK_EQ(sigbus_count, 0);
	vm_destroy(&vm);
}

static const struct ktap_case cases[] = {
	{ "written_back", written_back },
	{ "private_file", private_file },
	{ "truncated", truncated },
	{ "punched", punched },
	{ "hugetlb", hugetlb },
	{ "out_of_reach", out_of_reach },
	{ "forked", forked },
	{ "poisoned", poisoned },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
