// SPDX-License-Identifier: GPL-2.0
/* The host's CPUs go and come back under running VMs. */
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "lib/vm.h"

/* The guest that keeps four CPUs busy for ever. */
GUEST_DECLARE(vm_kill);

#define ROUNDS 10

static void cpu1_online(bool on)
{
	int fd = open("/sys/devices/system/cpu/cpu1/online", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		ktap_skip("no CPU to take away");
	REQUIRE_EQ(write(fd, on ? "1" : "0", 1), 1);
	close(fd);
}

static void no_answer(struct vcpu *vcpu __always_unused, u64 value __always_unused)
{
}

static void wait_progress(struct vm *vm)
{
	u64 *counter = vm_ptr(vm, SHARED_IPA), before = READ_ONCE(*counter);

	while (READ_ONCE(*counter) < before + 200)
		sched_yield();
}

static void start(struct vm *vm)
{
	vm_create_guest(vm, guest_vm_kill, guest_vm_kill_end, 4);
	vm_gic_create(vm, 64);
	vm->sync = no_answer;
	vm_start(vm);
}

static void under_running_vms(void)
{
	struct vm vm, fresh;
	int i;

	cpu1_online(true);
	start(&vm);
	for (i = 0; i < ROUNDS; i++) {
		wait_progress(&vm);
		cpu1_online(false);
		wait_progress(&vm);
		/* A VM that begins while the CPU is away may run on it later. */
		start(&fresh);
		wait_progress(&fresh);
		cpu1_online(true);
		wait_progress(&fresh);
		vm_stop(&fresh);
		vm_destroy(&fresh);
	}
	wait_progress(&vm);
	vm_stop(&vm);
	vm_destroy(&vm);
}

static const struct ktap_case cases[] = {
	{ "under_running_vms", under_running_vms },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
