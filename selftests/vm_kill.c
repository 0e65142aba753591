// SPDX-License-Identifier: GPL-2.0
/* A VMM killed at any moment of its life: nothing of its VMs is left in the kernel. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/soak.h"
#include "lib/vm.h"

GUEST_DECLARE(vm_kill);

#define SEED 20260103

/* Shared with the VMM: steps of its own, and the guest's counter in the RAM of its VM. */
struct progress {
	u64 steps;
};

static struct progress *progress;

static void step(void)
{
	__atomic_add_fetch(&progress->steps, 1, __ATOMIC_RELAXED);
}

static void count_sync(struct vcpu *vcpu __always_unused, u64 value __always_unused)
{
	step();
}

/* One life of a VM: made, run, its memory changed under it, ended. */
static void vmm_round(void)
{
	struct vm vm;
	char *extra;
	u64 until;
	int i;

	step();
	vm_create_guest(&vm, guest_vm_kill, guest_vm_kill_end, 4);
	step();
	vm_gic_create(&vm, 64);
	vm.sync = count_sync;
	step();
	vm_start(&vm);
	extra = mmap(NULL, 0x200000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (i = 0; i < 5; i++) {
		REQUIRE_OK(vm_memslot(&vm, 1, 0, 0x60000000, 0x200000, extra));
		REQUIRE_OK(madvise((char *)vm.ram + 0x400000, 0x200000, MADV_DONTNEED));
		REQUIRE_OK(vm_memslot(&vm, 1, 0, 0x60000000, 0, extra));
		until = READ_ONCE(progress->steps) + 2;
		while (READ_ONCE(progress->steps) < until)
			sched_yield();
	}
	vm_stop(&vm);
	vm_destroy(&vm);
	munmap(extra, 0x200000);
}

static pid_t vmm_start(void)
{
	pid_t pid = fork();

	if (!pid)
		for (;;)
			vmm_round();
	return pid;
}

/* How many hold keel; -1 where it is no module. */
static long references(void)
{
	char text[32] = "";
	int fd = open("/sys/module/keel/refcnt", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	close(fd);
	return atol(text);
}

static void kill_at(u64 moment)
{
	int status;
	pid_t pid;

	progress->steps = 0;
	pid = vmm_start();
	while (READ_ONCE(progress->steps) < moment && !waitpid(pid, &status, WNOHANG))
		sched_yield();
	kill(pid, SIGKILL);
	REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void kills(void)
{
	int kills = soak_rounds(50, 200), i;
	long before = references();

	progress = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(progress != MAP_FAILED);
	srandom(SEED);
	for (i = 0; i < kills && !soak_enough(i, 10, 8); i++)
		kill_at(i < 8 ? i : random() % 30);
	/* What a VM's end leaves to work items and grace periods is over soon. */
	while (references() != before)
		sched_yield();
	ktap_note("VMMs killed: %d, seed %d", i, SEED);
}

static const struct ktap_case cases[] = {
	{ "kills", kills },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
