// SPDX-License-Identifier: GPL-2.0
/*
 * What vCPUs ask of the machine: the frequency of the CPU that they run on, and how deep it may
 * sleep. Emulated hosts have neither, so modules/freq and modules/idle stand for the drivers.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/busy.h"
#include "lib/power.h"

#define FULL	KEEL_POWER_FULL
#define CPU	1
#define CPU_DIR	"/sys/devices/system/cpu/cpu1/"
#define CPU0_ONLINE "/sys/devices/system/cpu/cpu0/online"
#define SUSPEND	0xc4000001ULL

static struct vm vm[2];

static long number(const char *path)
{
	char text[64];

	file_read(path, text, sizeof(text));
	REQUIRE(*text);
	return atol(text);
}

static void begin(struct vm *v)
{
	power_create(v, 1);
	power_page_add(v, KEEL_POWER_PAGE_CPUFREQ);
	power_states_add(v);
	power_policy(v, KEEL_POWER_HINT, 0, FULL);
	power_start(v);
	busy_bind(v, 0, CPU);
}

static void ask(struct vm *v, u32 khz)
{
	power_tell(v, 0, POWER_STORE, POWER_IPA + 4, 4, khz);
}

/* Ends by the test's limit if it never comes. */
static void wait_min(long khz)
{
	while (number(CPU_DIR "cpufreq/scaling_min_freq") != khz)
		usleep(1000);
}

static void begin_freq_with(const char *parameters)
{
	if (access(CPU_DIR, F_OK))
		ktap_skip("one CPU only");
	REQUIRE_EQ(module_load("/modules/freq.ko", parameters), 0);
	wait_min(500000);
}

static void begin_freq(void)
{
	begin_freq_with("");
}

static void end_freq(void)
{
	REQUIRE_EQ(module_remove("freq"), 0);
}

/* The highest of those that run there, for as long as they do. */
static void frequency(void)
{
	begin_freq();
	begin(&vm[0]);
	/* Nothing asked: all that it may have. */
	wait_min(2000000);
	ask(&vm[0], 1000000);
	wait_min(1000000);
	begin(&vm[1]);
	wait_min(2000000);
	ask(&vm[1], 1500000);
	wait_min(1500000);
	ask(&vm[0], 2000000);
	wait_min(2000000);
	/* No more than what was granted. */
	power_policy(&vm[0], KEEL_POWER_HINT, 0, FULL / 2);
	wait_min(1500000);
	/* One that sleeps asks for nothing. */
	power_begin(&vm[1], 0, POWER_WFI, 2000000);
	wait_min(1000000);
	power_wait(&vm[1], 0);
	wait_min(1500000);
	power_policy(&vm[1], KEEL_POWER_OFF, 0, FULL);
	wait_min(1000000);
	power_end(&vm[0]);
	wait_min(500000);
	power_end(&vm[1]);
	end_freq();
}

/* The driver goes first, and comes back. */
static void driver_gone(void)
{
	begin_freq();
	begin(&vm[0]);
	ask(&vm[0], 1500000);
	wait_min(1500000);
	end_freq();
	/* As a new one, it may have its request before anybody can look. */
	REQUIRE_EQ(module_load("/modules/freq.ko", ""), 0);
	wait_min(1500000);
	end_freq();
	power_end(&vm[0]);
	begin_freq();
	end_freq();
}

/* CPUs that have one frequency, of which the first one goes and comes back. */
static void first_cpu_gone(void)
{
	begin_freq_with("shared=1");
	begin(&vm[0]);
	ask(&vm[0], 1500000);
	wait_min(1500000);
	REQUIRE_OK(file_write(CPU0_ONLINE, "0"));
	ask(&vm[0], 1000000);
	wait_min(1000000);
	ask(&vm[0], 1500000);
	wait_min(1500000);
	REQUIRE_OK(file_write(CPU0_ONLINE, "1"));
	ask(&vm[0], 1000000);
	wait_min(1000000);
	power_end(&vm[0]);
	wait_min(500000);
	end_freq();
}

/* A guest that changes its mind all the time does not change the host's frequency as often. */
static void rate(void)
{
	struct keel_power_vcpu before, after;
	long changes;

	begin_freq();
	begin(&vm[0]);
	wait_min(2000000);
	before = power_look(&vm[0], 0);
	changes = number("/sys/module/freq/parameters/changes");
	power_begin(&vm[0], 0, POWER_FLIP, 100000, POWER_IPA + 4, 500000, 2000000);
	power_wait(&vm[0], 0);
	after = power_look(&vm[0], 0);
	changes = number("/sys/module/freq/parameters/changes") - changes;
	ktap_note("%llu asks: %llu changes of the vCPU, %ld of the CPU", after.asks - before.asks,
		  after.changes - before.changes, changes);
	CHECK_EQ(after.asks - before.asks, 100000);
	CHECK(after.changes > before.changes);
	CHECK(after.changes - before.changes <= (after.run - before.run) / 1000000 + 2);
	CHECK(changes <= (long)((after.run - before.run) / 10000000 + 2));
	power_end(&vm[0]);
	end_freq();
}

static long heavy(void)
{
	return number(CPU_DIR "cpuidle/state1/usage");
}

static void sleep_in(u64 state, int times)
{
	while (times--)
		power_tell(&vm[0], 0, POWER_SUSPEND, SUSPEND, state, 5000);
}

/* The CPU may take as long to wake up as the guest was told that its state does. */
static void latency(void)
{
	long before;

	if (access(CPU_DIR, F_OK))
		ktap_skip("one CPU only");
	REQUIRE_EQ(module_load("/modules/idle.ko", ""), 0);
	begin(&vm[0]);
	before = heavy();
	while (heavy() < before + 10)
		sleep_in(POWER_DEEP, 1);
	/* The worker sees it within some rounds; it stays so while the guest keeps to it. */
	sleep_in(POWER_SHALLOW, 40);
	before = heavy();
	sleep_in(POWER_SHALLOW, 50);
	CHECK_EQ(heavy() - before, 0);
	sleep_in(POWER_DEEP, 20);
	before = heavy();
	while (heavy() < before + 10)
		sleep_in(POWER_DEEP, 1);
	/* With the VM the limit goes. */
	sleep_in(POWER_SHALLOW, 40);
	power_end(&vm[0]);
	before = heavy();
	while (heavy() < before + 10)
		usleep(1000);
	REQUIRE_EQ(module_remove("idle"), 0);
}

static const struct ktap_case cases[] = {
	{ "frequency", frequency },
	{ "driver_gone", driver_gone },
	{ "first_cpu_gone", first_cpu_gone },
	{ "rate", rate },
	{ "latency", latency },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
