// SPDX-License-Identifier: GPL-2.0
/*
 * Busy vCPUs of two VMs on one host CPU: how its time is shared by what they ask for. Work is
 * counted by the guests, time by the counter; both are exact where an instruction takes a
 * nanosecond, so this runs under the emulator's instruction count (power_share.sh), with one CPU.
 */
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/bench.h"
#include "lib/power.h"

#define FULL		KEEL_POWER_FULL
#define WINDOW_NS	600000000ULL	/* in which work is counted: 60 periods of a cap */
#define SETTLE_NS	100000000ULL	/* in which a change has to be followed */

static struct vm vm[2];
static double alone;	/* rounds of one vCPU in a window, when it is alone */

static u64 now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void wait_ns(u64 ns)
{
	struct timespec t = { ns / 1000000000, ns % 1000000000 };

	nanosleep(&t, NULL);
}

static void begin(int vms)
{
	cpu_set_t set;
	int i;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	for (i = 0; i < vms; i++) {
		power_create(&vm[i], 1);
		power_page_add(&vm[i], KEEL_POWER_PAGE_CPUFREQ);
		power_start(&vm[i]);
		REQUIRE_EQ(pthread_setaffinity_np(vm[i].vcpus[0].thread, sizeof(set), &set), 0);
	}
}

static void end(int vms)
{
	while (vms--)
		power_end(&vm[vms]);
}

static void ask(int i, u32 khz)
{
	power_tell(&vm[i], 0, POWER_STORE, POWER_IPA + 4, 4, khz);
}

/* What each does in a window, in parts of what one does alone. */
static void measure(int vms, double *work)
{
	u64 rounds[2], start = now();
	double windows;
	int i;

	for (i = 0; i < vms; i++)
		rounds[i] = READ_ONCE(power_cpu(&vm[i], 0)->rounds);
	wait_ns(WINDOW_NS);
	windows = (double)(now() - start) / WINDOW_NS;
	for (i = 0; i < vms; i++)
		work[i] = (READ_ONCE(power_cpu(&vm[i], 0)->rounds) - rounds[i]) / windows /
			  (alone ?: 1);
}

static void show(const char *what, const double *work)
{
	ktap_note("%-28s %5.1f %% and %5.1f %%, one to %.2f, together %.1f %%", what,
		  100 * work[0], 100 * work[1], work[1] / work[0], 100 * (work[0] + work[1]));
}

static void check_ratio(double ratio, double want, double tolerance)
{
	if (ratio < want * (1 - tolerance) || ratio > want * (1 + tolerance))
		ktap_fail("1:%.3f, not 1:%.3f", ratio, want);
}

static void check_sum(const double *work)
{
	double sum = work[0] + work[1];

	if (sum < 0.97 || sum > 1.03)
		ktap_fail("together %.3f of what one does alone", sum);
}

static void find_alone(void)
{
	begin(1);
	wait_ns(SETTLE_NS);
	measure(1, &alone);
	REQUIRE(alone > 0);
	end(1);
}

/* With two vCPUs that ask for 25 % and 100 %. */
static void policy(u32 which, const char *name, double want, double tolerance)
{
	double work[2];

	find_alone();
	begin(2);
	ask(0, 500000);
	ask(1, 2000000);
	power_policy(&vm[0], which, 0, FULL);
	power_policy(&vm[1], which, 0, FULL);
	wait_ns(SETTLE_NS);
	measure(2, work);
	show(name, work);
	check_ratio(work[1] / work[0], want, tolerance);
	check_sum(work);
	end(2);
}

static void off(void)
{
	policy(KEEL_POWER_OFF, "off, 25 and 100 asked", 1, 0.03);
}

static void hint(void)
{
	policy(KEEL_POWER_HINT, "hint, 25 and 100 asked", 4, 0.2);
}

static void cap(void)
{
	policy(KEEL_POWER_CAP, "cap, 25 and 100 asked", 4, 0.05);
}

/* The other way round, and back: by what the guests ask while they run. */
static void change(void)
{
	double work[2];

	find_alone();
	begin(2);
	power_policy(&vm[0], KEEL_POWER_CAP, 0, FULL);
	power_policy(&vm[1], KEEL_POWER_CAP, 0, FULL);
	ask(0, 500000);
	wait_ns(SETTLE_NS);
	measure(2, work);
	show("cap, 25 and nothing asked", work);
	check_ratio(work[1] / work[0], 4, 0.05);
	ask(1, 1000000);
	ask(0, 2000000);
	wait_ns(SETTLE_NS);
	measure(2, work);
	show("cap, 100 and 50 asked", work);
	check_ratio(work[0] / work[1], 2, 0.05);
	check_sum(work);
	end(2);
}

/* Alone on its CPU a vCPU has what it asked for and no more. */
static void lone(void)
{
	struct keel_power_vcpu before, after;
	double work;

	find_alone();
	begin(1);
	ask(0, 500000);
	power_policy(&vm[0], KEEL_POWER_CAP, 0, FULL);
	wait_ns(SETTLE_NS);
	before = power_look(&vm[0], 0);
	measure(1, &work);
	after = power_look(&vm[0], 0);
	ktap_note("cap, 25 asked, alone: %.1f %% of the work, %.1f %% of the time", 100 * work,
		  (after.run - before.run) * 100.0 / WINDOW_NS);
	check_ratio(work, 0.25, 0.05);
	CHECK(after.held > before.held);
	check_ratio(after.delivered, FULL / 4, 0.1);
	end(1);
}

/* What the VMM grants is what there is at most, and at least. */
static void entitled(void)
{
	double work[2];

	find_alone();
	begin(2);
	ask(0, 2000000);
	ask(1, 2000000);
	power_policy(&vm[0], KEEL_POWER_CAP, 0, FULL / 4);
	power_policy(&vm[1], KEEL_POWER_CAP, 0, FULL);
	wait_ns(SETTLE_NS);
	measure(2, work);
	show("cap, 25 granted, 100 asked", work);
	check_ratio(work[1] / work[0], 4, 0.05);
	end(2);
}

/* A guest that writes all the time does not take from its neighbour. */
static void writes(const struct power_args *args)
{
	struct keel_power_vcpu before, after;
	double work[2], seconds;
	u64 start;
	u32 which;

	find_alone();
	for (which = KEEL_POWER_OFF; which <= KEEL_POWER_CAP; which++) {
		begin(2);
		power_policy(&vm[0], which, FULL, FULL);
		power_policy(&vm[1], which, FULL, FULL);
		power_begin_args(&vm[0], 0, args);
		wait_ns(SETTLE_NS);
		before = power_look(&vm[0], 0);
		start = now();
		measure(2, work);
		after = power_look(&vm[0], 0);
		seconds = (now() - start) / 1e9;
		ktap_note("policy %u: %.0f asks/s, %.0f changes/s, the neighbour has %.1f %%",
			  which, (after.asks - before.asks) / seconds,
			  (after.changes - before.changes) / seconds, 100 * work[1]);
		check_ratio(work[1], 0.5, 0.03);
		CHECK((after.changes - before.changes) / seconds <= 1100);
		CHECK(after.asks > before.asks);
		CHECK(which == KEEL_POWER_OFF || after.changes > before.changes);
		vm_finish(&vm[0], 0);
		vm_wait(&vm[0]);
		vm_destroy(&vm[0]);
		power_end(&vm[1]);
	}
}

/* All widths, offsets and pages. */
static void flood(void)
{
	writes(&(struct power_args) { POWER_FLOOD, { ~0ULL, 12345 } });
}

/* The one register that matters, never the same twice. */
static void flip(void)
{
	writes(&(struct power_args) { POWER_FLIP, { ~0ULL, POWER_IPA + 4, 500000, 2000000 } });
}

static const struct ktap_case cases[] = {
	{ "off", off },
	{ "hint", hint },
	{ "cap", cap },
	{ "change", change },
	{ "lone", lone },
	{ "entitled", entitled },
	{ "flood", flood },
	{ "flip", flip },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
