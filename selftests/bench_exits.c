// SPDX-License-Identifier: GPL-2.0
/*
 * What operations of a guest cost. Under the emulator's instruction count one tick of a 1 GHz
 * counter is one instruction (scripts/bench). Prints a line an operation: name, minimum, median,
 * in nanoseconds of the counter.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guests/bench_exits.h"
#include "lib/vm.h"

GUEST_DECLARE(bench_exits);

static const char * const names[BENCH_NR] = {
	[BENCH_HVC] = "hypercall",
	[BENCH_HVC_HOST] = "hypercall-host",
	[BENCH_SYSREG] = "id-register",
	[BENCH_MMIO_USER] = "mmio-user",
	[BENCH_MMIO_GIC] = "mmio-vgic",
	[BENCH_EOI] = "eoi",
	[BENCH_IPI] = "ipi",
	[BENCH_TIMER] = "timer",
	[BENCH_FAULT] = "stage2-fault",
};

static double batch[BENCH_NR][BENCH_BATCHES];
static int batches[BENCH_NR];
static double ns_per_tick;

static u64 counter_hz(void)
{
	u64 hz;

	asm volatile("mrs %0, cntfrq_el0" : "=r" (hz));
	return hz;
}

static bool answer_mmio(struct vcpu *vcpu)
{
	return vcpu->run->exit_reason == KVM_EXIT_MMIO;
}

static void take(struct vcpu *vcpu __always_unused, u64 value)
{
	unsigned int op = BENCH_OP(value);

	REQUIRE(op < BENCH_NR && batches[op] < BENCH_BATCHES);
	batch[op][batches[op]++] = BENCH_TICKS(value) * ns_per_tick / BENCH_ROUNDS(value);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* In pages, which are all there: what is timed is the hypervisor, not the host's page fault. */
static void add_fault_memory(struct vm *vm)
{
	void *mem = mmap(NULL, BENCH_FAULT_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	REQUIRE(mem != MAP_FAILED);
	REQUIRE_OK(madvise(mem, BENCH_FAULT_SIZE, MADV_NOHUGEPAGE));
	memset(mem, 1, BENCH_FAULT_SIZE);
	REQUIRE_OK(vm_memslot(vm, 1, 0, BENCH_FAULT_IPA, BENCH_FAULT_SIZE, mem));
}

static void bench(void)
{
	struct vm vm;
	int op;

	ns_per_tick = 1e9 / counter_hz();
	vm_create_guest(&vm, guest_bench_exits, guest_bench_exits_end, 2);
	vm_gic_create(&vm, 64);
	add_fault_memory(&vm);
	vm.exit = answer_mmio;
	vm.sync = take;
	vm_start(&vm);
	CHECK_EQ(vm_wait(&vm), 0);
	vm_destroy(&vm);
	for (op = 0; op < BENCH_NR; op++) {
		REQUIRE_EQ(batches[op], BENCH_BATCHES);
		qsort(batch[op], BENCH_BATCHES, sizeof(batch[op][0]), compare);
		printf("# bench %s %.0f %.0f\n", names[op], batch[op][0],
		       batch[op][BENCH_BATCHES / 2]);
	}
}

static const struct ktap_case cases[] = {
	{ "bench", bench },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
