// SPDX-License-Identifier: GPL-2.0
/* The host's CPUs go and come back under running VMs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* How often the host has taken the guests' virtual timer on that CPU. */
static u64 timer_irqs(void)
{
	FILE *f = fopen("/proc/interrupts", "r");
	u64 count = 0;
	char line[512];

	REQUIRE(f);
	while (fgets(line, sizeof(line), f))
		if (strstr(line, "keel virtual timer") || strstr(line, "kvm guest vtimer"))
			/* number of the interrupt, CPU 0, CPU 1 */
			REQUIRE_EQ(sscanf(line, "%*d: %*u %llu", &count), 1);
	fclose(f);
	return count;
}

/*
 * All of the VM on that CPU alone, and its interrupt works there. (A vCPU that is scheduled in
 * would find its timer without.)
 */
static void check_cpu(struct vm *vm)
{
	u64 before = timer_irqs();
	int i;

	for (i = 0; i < BUSY_CPUS; i++)
		busy_bind(vm, i, CPU);
	busy_wait(vm);
	while (timer_irqs() < before + 2)
		usleep(1000);
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
	check_cpu(&vm);
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
