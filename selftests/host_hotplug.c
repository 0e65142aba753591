// SPDX-License-Identifier: GPL-2.0
/* The host's CPUs go and come back under running VMs. */
#include "lib/busy.h"
#include "lib/soak.h"
#include "lib/vm.h"

/* The CPU that goes: the last of the two that a host of `make check` has. */
#define CPU	1

/* Half of the vCPUs belong to the CPU that goes; the kernel finds them another one. */
static void bind_half(struct vm *vm)
{
	busy_bind(vm, 0, CPU);
	busy_bind(vm, 3, CPU);
}

static void bound_vcpus(void)
{
	int rounds = soak_rounds(3, 50), i;
	struct vm vm;

	cpu_online(CPU, true);
	busy_start(&vm);
	for (i = 0; i < rounds; i++) {
		bind_half(&vm);
		busy_wait(&vm);
		cpu_online(CPU, false);
		busy_wait(&vm);
		cpu_online(CPU, true);
	}
	/* What the CPU needs for a guest is back: all of the VM on it alone. */
	for (i = 0; i < BUSY_CPUS; i++)
		busy_bind(&vm, i, CPU);
	busy_wait(&vm);
	busy_end(&vm);
}

/* A VM that begins while the CPU is away may run on it later. */
static void vms_begun_meanwhile(void)
{
	int rounds = soak_rounds(2, 30), i;
	struct vm vm, fresh;

	cpu_online(CPU, true);
	busy_start(&vm);
	for (i = 0; i < rounds; i++) {
		cpu_online(CPU, false);
		busy_start(&fresh);
		busy_wait(&fresh);
		cpu_online(CPU, true);
		bind_half(&fresh);
		busy_wait(&fresh);
		busy_end(&fresh);
	}
	busy_wait(&vm);
	busy_end(&vm);
}

/* Without a pause, so that a CPU goes at any moment of load, run and put. */
static void again_and_again(void)
{
	int rounds = soak_rounds(2, 200), i;
	struct vm vm;

	cpu_online(CPU, true);
	busy_start(&vm);
	for (i = 0; i < rounds; i++) {
		bind_half(&vm);
		cpu_online(CPU, false);
		cpu_online(CPU, true);
		cpu_online(CPU, false);
		cpu_online(CPU, true);
	}
	busy_wait(&vm);
	busy_end(&vm);
}

static const struct ktap_case cases[] = {
	{ "bound_vcpus", bound_vcpus },
	{ "vms_begun_meanwhile", vms_begun_meanwhile },
	{ "again_and_again", again_and_again },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
