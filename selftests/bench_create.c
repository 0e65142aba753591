// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs to make a VM and a vCPU, and the floor that no exit can go below: an empty vector,
 * measured by modules/floor (scripts/bench).
 */
#include <stdio.h>
#include <unistd.h>

#include "lib/bench.h"
#include "lib/vm.h"

static const char floor_file[] = "/sys/module/floor/parameters/round_trips";

/* Create and destroy an empty VM: what is executed, and the time that nothing is. */
static void vm_create_cost(void)
{
	double work[BENCH_MAX_BATCHES + 1], wait[BENCH_MAX_BATCHES + 1], start, start_ns;
	int sys = kvm_open(), n = bench_batches(), i, fd;

	bench_begin(bench_last_cpu());
	for (i = 0; i <= n; i++) {
		start_ns = bench_ns();
		start = bench_work();
		fd = ioctl(sys, KVM_CREATE_VM, 0);
		close(fd);
		work[i] = bench_work() - start;
		wait[i] = bench_ns() - start_ns - work[i];
		REQUIRE_OK(fd);
	}
	bench_print("bench", "vm_create", work + 1, n);
	bench_print("wait", "vm_create", wait + 1, n);
	close(sys);
}

static void vcpu_create_cost(void)
{
	double work[BENCH_MAX_BATCHES + 1], start;
	int n = bench_batches(), i, fd;
	struct vm vm;

	bench_begin(bench_last_cpu());
	vm_create(&vm);
	for (i = 0; i <= n; i++) {
		start = bench_work();
		fd = ioctl(vm.fd, KVM_CREATE_VCPU, i);
		work[i] = bench_work() - start;
		REQUIRE_OK(fd);
	}
	bench_print("bench", "vcpu_create", work + 1, n);
}

static void floor_cost(void)
{
	double value[BENCH_MAX_BATCHES];
	unsigned long long ticks;
	unsigned int rounds;
	int n = bench_batches(), i;
	FILE *f;

	bench_begin(bench_last_cpu());
	if (access(floor_file, R_OK))
		ktap_skip("insmod /modules/floor.ko first");
	for (i = 0; i < n; i++) {
		f = fopen(floor_file, "r");
		REQUIRE(f);
		REQUIRE_EQ(fscanf(f, "%llu ticks, %u rounds", &ticks, &rounds), 2);
		fclose(f);
		value[i] = ticks * bench_ns_per_tick() / rounds;
	}
	bench_print("bench", "floor", value, n);
}

static const struct ktap_case cases[] = {
	{ "floor", floor_cost },
	{ "vm_create", vm_create_cost },
	{ "vcpu_create", vcpu_create_cost },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
