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

enum make { MAKE_NOTHING, MAKE_VM, MAKE_VCPU };

/* What one costs: executed, and the time that nothing was. An empty VM is destroyed, too. */
static void make(enum make what, int fd, int id, double *work, double *wait)
{
	double start_ns = bench_ns(), start = bench_work();
	int made = 0;

	if (what == MAKE_VM) {
		made = ioctl(fd, KVM_CREATE_VM, 0);
		close(made);
	} else if (what == MAKE_VCPU) {
		made = ioctl(fd, KVM_CREATE_VCPU, id);
	}
	*work = bench_work() - start;
	*wait = bench_ns() - start_ns - *work;
	REQUIRE_OK(made);
}

/* @fd: what the ioctl is for. The first does not count; asking costs something by itself. */
static void make_cost(enum make what, int fd, const char *name)
{
	double work[BENCH_MAX_BATCHES], wait[BENCH_MAX_BATCHES], empty[BENCH_MAX_BATCHES];
	double empty_wait[BENCH_MAX_BATCHES];
	int n = bench_batches(), i;

	for (i = -1; i < n; i++)
		make(MAKE_NOTHING, fd, 0, &empty[i < 0 ? 0 : i], &empty_wait[i < 0 ? 0 : i]);
	for (i = -1; i < n; i++)
		make(what, fd, i + 1, &work[i < 0 ? 0 : i], &wait[i < 0 ? 0 : i]);
	bench_median(empty, n);
	bench_median(empty_wait, n);
	for (i = 0; i < n; i++) {
		work[i] -= empty[n / 2];
		wait[i] -= empty_wait[n / 2];
	}
	bench_print(name, work, n);
	bench_print_wait(name, wait, n);
}

static void vm_create_cost(void)
{
	bench_begin(bench_last_cpu());
	make_cost(MAKE_VM, kvm_open(), "vm_create");
}

static void vcpu_create_cost(void)
{
	struct vm vm;

	bench_begin(bench_last_cpu());
	vm_create(&vm);
	make_cost(MAKE_VCPU, vm.fd, "vcpu_create");
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
	bench_print("floor", value, n);
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
