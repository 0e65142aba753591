// SPDX-License-Identifier: GPL-2.0
/* A count of instructions, and results of benchmarks. */
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"
#include "ktap.h"

static int pmu = -1;

static int pmu_open(int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.pinned = 1,
	};

	return syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

static u64 counter(void)
{
	u64 ticks;

	asm volatile("isb\n\tmrs %0, cntvct_el0" : "=r" (ticks) : : "memory");
	return ticks;
}

double bench_ns_per_tick(void)
{
	u64 hz;

	asm volatile("mrs %0, cntfrq_el0" : "=r" (hz));
	return 1e9 / hz;
}

double bench_ns(void)
{
	return counter() * bench_ns_per_tick();
}

double bench_work(void)
{
	u64 n;

	if (pmu < 0)
		return bench_ns();
	REQUIRE_EQ(read(pmu, &n, sizeof(n)), sizeof(n));
	return n;
}

/* A million instructions: what the PMU counts of them, and the counter. */
static bool pmu_right(double *work, double *ns)
{
	u64 n = 500000;

	*work = bench_work();
	*ns = bench_ns();
	asm volatile("1: subs %0, %0, #1\n\tb.ne 1b" : "+r" (n) : : "cc");
	*ns = bench_ns() - *ns;
	*work = bench_work() - *work;
	return *work >= 1e6 && *work <= 1.03e6 && *ns >= 1e6 && *ns <= 1.03e6;
}

/* Other work of the host may come in between, such as what a VM's end has left: not each time. */
static void pmu_check(void)
{
	double work, ns;
	int tries = 20;

	while (!pmu_right(&work, &ns))
		if (!tries--)
			ktap_fail("1,000,000 instructions: the PMU counts %.0f, the counter %.0f",
				  work, ns);
}

void bench_begin(int cpu)
{
	const char *unit = getenv("BENCH_UNIT");
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	REQUIRE_OK(sched_setaffinity(0, sizeof(set), &set));
	if (!unit || strcmp(unit, "instructions"))
		return;
	pmu = pmu_open(cpu);
	REQUIRE_OK(pmu);
	pmu_check();
}

int bench_batches(void)
{
	const char *s = getenv("BENCH_BATCHES");
	int n = s ? atoi(s) : BENCH_MAX_BATCHES;

	REQUIRE(n >= 1 && n <= BENCH_MAX_BATCHES);
	return n;
}

int bench_last_cpu(void)
{
	cpu_set_t set;
	int cpu = CPU_SETSIZE;

	REQUIRE_OK(sched_getaffinity(0, sizeof(set), &set));
	while (--cpu && !CPU_ISSET(cpu, &set))
		;
	return cpu;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double bench_median(double *value, int n)
{
	qsort(value, n, sizeof(*value), compare);
	return value[n / 2];
}

void bench_print(const char *op, double *value, int n)
{
	double median = bench_median(value, n);

	ktap_note("bench %s %.1f %.1f %s", op, value[0], median, pmu < 0 ? "ns" : "instructions");
}

void bench_print_wait(const char *op, const double *value, int n)
{
	double sum = 0, max = 0;
	int i;

	for (i = 0; i < n; i++) {
		sum += value[i];
		max = value[i] > max ? value[i] : max;
	}
	ktap_note("wait %s %.1f %.1f ns", op, sum / n, max);
}
