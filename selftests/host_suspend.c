// SPDX-License-Identifier: GPL-2.0
/*
 * The host suspends with guests running. QEMU's firmware cannot suspend to RAM; the helper module
 * sleeper makes the kernel go all the way: devices suspended, the other CPUs offline, interrupts
 * off.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "guests/host_suspend.h"
#include "lib/busy.h"
#include "lib/soak.h"
#include "lib/vm.h"

GUEST_DECLARE(host_suspend);

#define SLEEPER_MS	"/sys/module/sleeper/parameters/ms"
#define SLEEPER_ENTERED	"/sys/module/sleeper/parameters/entered"
#define PM_TEST_DELAY	"/sys/module/suspend/parameters/pm_test_delay"

static u64 counter(void)
{
	u64 value;

	asm volatile("isb\n\tmrs %0, cntvct_el0" : "=r" (value) : : "memory");
	return value;
}

static void sleeper_load(const char *parameters)
{
	int err = module_load("/modules/sleeper.ko", parameters);

	REQUIRE(!err || err == -EEXIST);
}

/* As far as @level of /sys/power/pm_test; "none" is all the way. */
static void suspend(const char *state, const char *level)
{
	int err;

	REQUIRE_EQ(file_write(PM_TEST_DELAY, "0"), 0);
	REQUIRE_EQ(file_write("/sys/power/pm_test", level), 0);
	err = file_write("/sys/power/state", state);
	REQUIRE_EQ(file_write("/sys/power/pm_test", "none"), 0);
	if (err)
		ktap_fail("%s as far as %s: %s", state, level, strerror(-err));
}

static void every_level(void)
{
	static const char *const levels[] = {
		"freezer", "devices", "platform", "processors", "core", "none"
	};
	struct vm vm;
	u32 i;

	sleeper_load("");
	REQUIRE_EQ(file_write("/sys/power/mem_sleep", "deep"), 0);
	busy_start(&vm);
	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		busy_wait(&vm);
		suspend("mem", levels[i]);
	}
	/* Suspend to idle has no more levels of its own. */
	for (i = 0; i < 3; i++) {
		busy_wait(&vm);
		suspend("freeze", levels[i]);
	}
	busy_wait(&vm);
	busy_end(&vm);
	module_remove("sleeper");
}

/* Down and up, with vCPUs that belong to the CPU that goes offline meanwhile. */
static void again_and_again(void)
{
	int rounds = soak_rounds(3, 100), i;
	char entered[16];
	struct vm vm;

	sleeper_load("ms=1");
	REQUIRE_EQ(file_write("/sys/power/mem_sleep", "deep"), 0);
	busy_start(&vm);
	for (i = 0; i < rounds; i++) {
		busy_bind(&vm, i % BUSY_CPUS, 1);
		suspend("mem", "none");
	}
	file_read(SLEEPER_ENTERED, entered, sizeof(entered));
	CHECK_EQ(atoi(entered), rounds);
	for (i = 0; i < BUSY_CPUS; i++)
		busy_bind(&vm, i, 1);
	busy_wait(&vm);
	busy_end(&vm);
	module_remove("sleeper");
}

/*
 * The guest sees the time pass: its counter is the host's, less the same offset as ever. Each
 * reading of the guest's lies between two of the host's.
 */
static void virtual_time(void)
{
	u64 before[2], after[2], guest[2];
	struct busy *cpu;
	struct vm vm;

	sleeper_load("ms=200");
	REQUIRE_EQ(file_write("/sys/power/mem_sleep", "deep"), 0);
	busy_start(&vm);
	cpu = vm_ptr(&vm, SHARED_IPA);
	before[0] = counter();
	busy_wait(&vm);
	guest[0] = READ_ONCE(cpu->now);
	before[1] = counter();
	suspend("mem", "none");
	after[0] = counter();
	busy_wait(&vm);
	guest[1] = READ_ONCE(cpu->now);
	after[1] = counter();
	CHECK(guest[1] - guest[0] >= after[0] - before[1]);
	CHECK(guest[1] - guest[0] <= after[1] - before[0]);
	busy_end(&vm);
	module_remove("sleeper");
}

static int timer_start(int ms)
{
	struct itimerspec spec = {
		.it_value = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 },
	};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

	REQUIRE_OK(fd);
	REQUIRE_OK(timerfd_settime(fd, 0, &spec, NULL));
	return fd;
}

static bool timer_expired(int fd)
{
	u64 n;
	bool expired = read(fd, &n, sizeof(n)) == sizeof(n);

	close(fd);
	return expired;
}

/*
 * True: the guest's timer of @ms, which is over while the machine is off, went off before one of
 * the host's that has stood still meanwhile and is set to half of that.
 */
static bool timer_is_first(u64 timer, int ms)
{
	struct vm vm;
	char text[16];
	bool first;
	int fd;

	snprintf(text, sizeof(text), "%d", ms);
	REQUIRE_EQ(file_write(SLEEPER_MS, text), 0);
	vm_create_guest(&vm, guest_host_suspend, guest_host_suspend_end, 1);
	vm_gic_create(&vm, 64);
	vcpu_start_at(&vm.vcpus[0], RAM_IPA, TIMER_ARG(timer, ms));
	vcpu_run_sync(&vm.vcpus[0]);
	vm_start(&vm);
	fd = timer_start(ms / 2);
	suspend("mem", "none");
	CHECK_EQ(vm_wait(&vm), timer);
	first = !timer_expired(fd);
	vm_destroy(&vm);
	return first;
}

/*
 * A timer that was due while the machine was off fires as the machine comes up, for its counter has
 * gone on. A guest's timer that stood still, too, never comes first. One that did not does, unless
 * the machine is so busy that half of the time is over before it is off, or before the guest gets
 * its interrupt: then both get more time.
 */
static void check_timer(u64 timer)
{
	int ms;

	sleeper_load("");
	REQUIRE_EQ(file_write("/sys/power/mem_sleep", "deep"), 0);
	for (ms = 400; !timer_is_first(timer, ms); ms *= 2)
		if (ms > 8000)
			ktap_fail("the timer stood still while the machine was off");
	ktap_note("the timer ran for %d ms", ms);
	module_remove("sleeper");
}

static void virtual_timer(void)
{
	check_timer(TIMER_VIRT);
}

static void physical_timer(void)
{
	/* In-tree KVM's comes in time on some runs and late on others. */
	if (!kvm_is_keel()) {
		ktap_note("not with in-tree KVM");
		return;
	}
	check_timer(TIMER_PHYS);
}

static const struct ktap_case cases[] = {
	{ "every_level", every_level },
	{ "again_and_again", again_and_again },
	{ "virtual_time", virtual_time },
	{ "virtual_timer", virtual_timer },
	{ "physical_timer", physical_timer },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
