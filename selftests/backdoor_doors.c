// SPDX-License-Identifier: GPL-2.0
/* VMware's backdoor: its doors, open and shut, and KEEL_HOOKS, which switches them. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keel.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "guests/backdoor_doors.h"
#include "lib/soak.h"
#include "lib/observer.h"
#include "lib/vm.h"

GUEST_DECLARE(backdoor_doors);

static_assert(BIT(DOOR_DCC) == KEEL_HOOK_BACKDOOR_DCC, "the guest's name for the DCC door");
static_assert(BIT(DOOR_BRK) == KEEL_HOOK_BACKDOOR_BRK, "the guest's name for the BRK door");
static_assert(BIT(DOOR_HVC) == KEEL_HOOK_BACKDOOR_HVC, "the guest's name for the HVC door");

static struct vm vm;
static struct shared *shared;

/* --- Calls --- */

static void need_keel(void)
{
	if (!kvm_is_keel())
		ktap_skip("in-tree KVM has no hooks");
}

static void check_hooks(const struct keel_hooks *h, u64 want)
{
	size_t i;

	CHECK_EQ(h->size, sizeof(*h));
	CHECK_EQ(h->flags, 0);
	CHECK_EQ(h->hooks, want);
	CHECK_EQ(h->known & HOOKS_ALL, HOOKS_ALL);
	for (i = 0; i < ARRAY_SIZE(h->reserved); i++)
		CHECK_EQ(h->reserved[i], 0);
}

/* Ask only. */
static void hooks_are(int fd, u64 want)
{
	struct keel_hooks h = { .size = sizeof(h) };

	REQUIRE_OK(ioctl(fd, KEEL_HOOKS, &h));
	check_hooks(&h, want);
}

static void hooks_set(int fd, u64 hooks)
{
	struct keel_hooks h = { .size = sizeof(h), .on = hooks, .off = HOOKS_ALL & ~hooks };

	REQUIRE_OK(ioctl(fd, KEEL_HOOKS, &h));
	check_hooks(&h, hooks);
}

static void create(u64 part, int nr_vcpus)
{
	need_keel();
	vm_create_guest(&vm, guest_backdoor_doors, guest_backdoor_doors_end, nr_vcpus);
	shared = vm_ptr(&vm, SHARED_IPA);
	memset(shared, 0, sizeof(*shared));
	shared->now = time(NULL);
	vcpu_set(&vm.vcpus[0], REG_X(0), part);
}

/* --- KEEL_HOOKS --- */

/* Whatever is neither on nor off must be 0, and size what it is. */
static void bad_bytes(int fd)
{
	const size_t first = offsetof(struct keel_hooks, on);
	const size_t after = offsetof(struct keel_hooks, hooks);
	unsigned char copy[sizeof(struct keel_hooks)];
	struct keel_hooks good = { .size = sizeof(good), .on = BIT(DOOR_HVC) };
	size_t i;

	for (i = 0; i < sizeof(good); i++) {
		if (i >= first && i < after)
			continue;
		memcpy(copy, &good, sizeof(good));
		copy[i] ^= 1;
		if (!CHECK_ERR(ioctl(fd, KEEL_HOOKS, copy), EINVAL))
			ktap_note("byte %zu", i);
	}
}

static int hooks_try(int fd, u64 on, u64 off)
{
	struct keel_hooks h = { .size = sizeof(h), .on = on, .off = off };

	return ioctl(fd, KEEL_HOOKS, &h);
}

/* What is refused changes nothing, not even in its good half. */
static void bad_arguments(int fd)
{
	struct keel_hooks h = { .size = sizeof(h) };
	int i;

	REQUIRE_OK(ioctl(fd, KEEL_HOOKS, &h));
	hooks_set(fd, BIT(DOOR_DCC));
	bad_bytes(fd);
	for (i = 0; i < 32; i++) {
		if (h.known & BIT(i))
			continue;
		CHECK_ERR(hooks_try(fd, BIT(i), 0), EINVAL);
		CHECK_ERR(hooks_try(fd, BIT(i) | BIT(DOOR_HVC), 0), EINVAL);
		CHECK_ERR(hooks_try(fd, 0, BIT(i)), EINVAL);
		CHECK_ERR(hooks_try(fd, 0, BIT(i) | BIT(DOOR_DCC)), EINVAL);
	}
	for (i = 0; i < DOORS; i++)
		CHECK_ERR(hooks_try(fd, HOOKS_ALL, BIT(i)), EINVAL);
	CHECK_ERR(hooks_try(fd, HOOKS_ALL, HOOKS_ALL), EINVAL);
	CHECK_ERR(ioctl(fd, KEEL_HOOKS, NULL), EFAULT);
	CHECK_ERR(ioctl(fd, KEEL_HOOKS, 8), EFAULT);
	hooks_are(fd, BIT(DOOR_DCC));
	/* On what is on, and off what is off, is no error. */
	CHECK_OK(hooks_try(fd, BIT(DOOR_DCC), BIT(DOOR_BRK)));
	hooks_are(fd, BIT(DOOR_DCC));
	CHECK_OK(hooks_try(fd, BIT(DOOR_BRK), 0));
	hooks_are(fd, BIT(DOOR_DCC) | BIT(DOOR_BRK));
	CHECK_OK(hooks_try(fd, 0, BIT(DOOR_DCC)));
	hooks_are(fd, BIT(DOOR_BRK));
	hooks_set(fd, 0);
}

static void abi(void)
{
	int fd;

	need_keel();
	vm_create(&vm);
	hooks_are(vm.fd, 0);
	bad_arguments(vm.fd);
	vcpu_init(vcpu_create(&vm, 0), false);
	bad_arguments(vm.fd);
	fd = observe_last();
	bad_arguments(fd);

	/* Both see what the other one did, until the observer may no longer. */
	hooks_set(fd, BIT(DOOR_BRK));
	hooks_are(vm.fd, BIT(DOOR_BRK));
	hooks_set(vm.fd, BIT(DOOR_HVC));
	hooks_are(fd, BIT(DOOR_HVC));
	REQUIRE_OK(ioctl(vm.fd, KEEL_OBSERVE, 0));
	CHECK_ERR(hooks_try(fd, HOOKS_ALL, 0), EPERM);
	CHECK_ERR(hooks_try(fd, 0, 0), EPERM);
	hooks_are(vm.fd, BIT(DOOR_HVC));
	REQUIRE_OK(ioctl(vm.fd, KEEL_OBSERVE, 1));
	hooks_are(fd, BIT(DOOR_HVC));

	vm_destroy(&vm);
	CHECK_ERR(hooks_try(fd, HOOKS_ALL, 0), ENODEV);
	CHECK_ERR(hooks_try(fd, 0, 0), ENODEV);
	CHECK_ERR(ioctl(fd, KEEL_HOOKS, 8), ENODEV);
	close(fd);
	/* Those of one VM are none of the next one. */
	vm_create(&vm);
	hooks_are(vm.fd, 0);
	vm_destroy(&vm);
}

/* --- The doors --- */

/* A new VM, of which nobody has asked anything. */
static void shut(void)
{
	create(PART_DOORS, 1);
	vcpu_run_sync(&vm.vcpus[0]);
	hooks_are(vm.fd, 0);
	vcpu_run_sync(&vm.vcpus[0]);
	WRITE_ONCE(shared->stop, 1);
	CHECK_EQ(vcpu_run_done(&vm.vcpus[0]), 0);
	vm_destroy(&vm);
}

/* The VMM and an observer take turns, while the guest waits for them. */
static void run_doors(const u32 *hooks, size_t n)
{
	size_t i;
	int fd;

	create(PART_DOORS, 1);
	fd = observe_last();
	for (i = 0; i < n; i++) {
		vcpu_run_sync(&vm.vcpus[0]);
		hooks_set(i % 2 ? fd : vm.fd, hooks[i]);
		shared->hooks = hooks[i];
	}
	vcpu_run_sync(&vm.vcpus[0]);
	WRITE_ONCE(shared->stop, 1);
	CHECK_EQ(vcpu_run_done(&vm.vcpus[0]), 0);
	close(fd);
	vm_destroy(&vm);
}

static void each_door(void)
{
	static const u32 hooks[] = {
		BIT(DOOR_DCC), 0, BIT(DOOR_BRK), 0, BIT(DOOR_HVC), 0,
		BIT(DOOR_DCC), BIT(DOOR_BRK), BIT(DOOR_HVC), BIT(DOOR_DCC),
	};

	run_doors(hooks, ARRAY_SIZE(hooks));
}

static void combinations(void)
{
	static const u32 hooks[] = {
		HOOKS_ALL, HOOKS_ALL & ~BIT(DOOR_DCC), HOOKS_ALL & ~BIT(DOOR_BRK),
		HOOKS_ALL & ~BIT(DOOR_HVC), 0, HOOKS_ALL, 0,
	};

	run_doors(hooks, ARRAY_SIZE(hooks));
}

/* All doors are open before the guest runs first. */
static void create_open(u64 part)
{
	create(part, 1);
	hooks_set(vm.fd, HOOKS_ALL);
	shared->hooks = HOOKS_ALL;
}

static void run_open(u64 part)
{
	create_open(part);
	CHECK_EQ(vcpu_run_done(&vm.vcpus[0]), 0);
	vm_destroy(&vm);
}

static void commands(void)
{
	run_open(PART_COMMANDS);
}

static void decode(void)
{
	run_open(PART_DECODE);
}

static void wall_clock(void)
{
	struct report r;
	size_t i;
	u64 now;

	create_open(PART_TIME);
	do {
		r = vcpu_run_report(&vm.vcpus[0]);
		sched_yield();
	} while (r.kind == REPORT_SYNC);
	REQUIRE_EQ(r.kind, REPORT_DONE);
	now = time(NULL);
	for (i = 0; i < ARRAY_SIZE(shared->seconds); i++) {
		CHECK(shared->seconds[i] + CLOCK_SLACK >= shared->now);
		CHECK(shared->seconds[i] <= now + CLOCK_SLACK);
	}
	vm_destroy(&vm);
}

/* --- Switched while the guest runs --- */

/* What the vCPU says by SYNC, and its exits until then. */
static sem_t said;
static u64 said_value, said_exits;

static u64 exits(void)
{
	struct keel_vcpu_info info = { .size = sizeof(info) };

	REQUIRE_OK(ioctl(vm.fd, KEEL_VCPU_INFO, &info));
	return info.exits + info.exits_el2;
}

static void say(struct vcpu *vcpu __always_unused, u64 value)
{
	said_value = value;
	said_exits = exits();
	sem_post(&said);
}

static void start_saying(void)
{
	REQUIRE_OK(sem_init(&said, 0, 0));
	vm.sync = say;
	vm_start(&vm);
}

/* Until the guest has gone on: it has left again, for a call or for the host's tick. */
static u64 wait_said(void)
{
	while (sem_wait(&said))
		;
	while (said_value != SPIN_END && exits() == said_exits)
		sched_yield();
	return said_value;
}

static void spinning(void)
{
	u64 hooks;

	create(PART_SPIN, 1);
	start_saying();
	for (hooks = wait_said(); hooks != SPIN_END; hooks = wait_said())
		hooks_set(vm.fd, hooks);
	CHECK_EQ(vm_wait(&vm), 0);
	vm_destroy(&vm);
}

/* The first call that finds the door open asks for the time, in the moment in which it opens. */
static void first_call(void)
{
	int i;

	for (i = 0; i < 200 && !soak_enough(i, 8, 10); i++) {
		create(PART_FIRST, 1);
		start_saying();
		wait_said();
		hooks_set(vm.fd, HOOKS_ALL);
		CHECK_EQ(vm_wait(&vm), 0);
		vm_destroy(&vm);
	}
	ktap_note("%d first calls", i);
}

static void wait_seen(int cpu, u64 phase)
{
	while (READ_ONCE(shared->seen[cpu]) != phase)
		sched_yield();
}

/* Phases are even while nothing changes: a call within one has the outcome of its hooks. */
static void switch_to(u64 hooks)
{
	int cpu;

	WRITE_ONCE(shared->phase, shared->phase + 1);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	hooks_set(vm.fd, hooks);
	WRITE_ONCE(shared->hooks, hooks);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	WRITE_ONCE(shared->phase, shared->phase + 1);
	for (cpu = 0; cpu < CPUS; cpu++)
		wait_seen(cpu, shared->phase);
}

/* No vCPU leaves for it by itself, and none is late: the ioctl returns when all run by it. */
static void two_vcpus(void)
{
	/* While DCC and HVC are open no call leaves the first tier, and BRK does not leave EL1. */
	static const u32 hooks[] = {
		BIT(DOOR_BRK), 0, BIT(DOOR_DCC), BIT(DOOR_HVC), HOOKS_ALL,
		HOOKS_ALL & ~BIT(DOOR_BRK), HOOKS_ALL, HOOKS_ALL & ~BIT(DOOR_BRK), HOOKS_ALL,
		BIT(DOOR_DCC), BIT(DOOR_BRK) | BIT(DOOR_HVC), 0, HOOKS_ALL, 0,
	};
	int i;

	create(PART_SWITCH, CPUS);
	vm_start(&vm);
	for (i = 0; i < 280 && !soak_enough(i, ARRAY_SIZE(hooks), 10); i++)
		switch_to(hooks[i % ARRAY_SIZE(hooks)]);
	ktap_note("switched %d times", i);
	WRITE_ONCE(shared->stop, 1);
	CHECK_EQ(vm_wait(&vm), 0);
	vm_destroy(&vm);
}

/* --- The guest's own debug --- */

/* At each SYNC the next of @hooks, and again from the first one; NULL: they stay. */
static void run_debug(const u32 *hooks, size_t n)
{
	struct report r;
	size_t i = 0;

	create_open(PART_DEBUG);
	for (;;) {
		r = vcpu_run_report(&vm.vcpus[0]);
		if (r.kind != REPORT_SYNC)
			break;
		if (!hooks)
			continue;
		shared->hooks = hooks[i++ % n];
		hooks_set(vm.fd, shared->hooks);
	}
	CHECK_EQ(r.kind, REPORT_DONE);
	vm_destroy(&vm);
}

static void debug(void)
{
	run_debug(NULL, 0);
}

/* The BRK door opens and shuts while the guest has armed itself, and while it has not. */
static void debug_switched(void)
{
	static const u32 hooks[] = {
		0, HOOKS_ALL, BIT(DOOR_BRK), 0, BIT(DOOR_BRK), HOOKS_ALL & ~BIT(DOOR_BRK),
		HOOKS_ALL,
	};

	run_debug(hooks, ARRAY_SIZE(hooks));
}

/* The same at any moment, for example when the guest is about to arm itself. */
static void debug_storm(void)
{
	u64 rounds;
	int i;

	create(PART_DEBUG_STORM, 1);
	vm_start(&vm);
	for (i = 0; i < 100000 && !soak_enough(i, 100, 8); i++) {
		rounds = READ_ONCE(shared->seen[0]);
		hooks_set(vm.fd, i % 2 ? 0 : HOOKS_ALL);
		/* Each switch brings the guest out: without a pause it would get nowhere. */
		while (i % 16 == 0 && READ_ONCE(shared->seen[0]) == rounds)
			sched_yield();
	}
	ktap_note("switched %d times in %llu rounds", i, READ_ONCE(shared->seen[0]));
	WRITE_ONCE(shared->stop, 1);
	CHECK_EQ(vm_wait(&vm), 0);
	vm_destroy(&vm);
}

/* --- The parameter --- */

#define PARAMETER	"/sys/module/keel/parameters/hooks"

/* 0, or the errno of a write of @text. */
static int parameter_set(const char *text)
{
	int fd = open(PARAMETER, O_WRONLY | O_CLOEXEC), ret = 0;

	REQUIRE_OK(fd);
	if (write(fd, text, strlen(text)) < 0)
		ret = errno;
	close(fd);
	return ret;
}

static void parameter_get(char *text, size_t size)
{
	int fd = open(PARAMETER, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	REQUIRE_OK(fd);
	n = read(fd, text, size - 1);
	REQUIRE(n > 0);
	text[n] = '\0';
	close(fd);
}

/* Of a VM that is made now: they are on before anybody asks for them. */
static void begins_with(u64 hooks)
{
	struct vm made;

	vm_create_guest(&made, guest_backdoor_doors, guest_backdoor_doors_end, 1);
	hooks_are(made.fd, hooks);
	vm_destroy(&made);
}

static void parameter(void)
{
	static const char *const bad[] = { "8", "-1", "dcc", "0x100000000" };
	char before[32];
	size_t i;

	create(0, 1);
	hooks_are(vm.fd, 0);
	parameter_get(before, sizeof(before));
	CHECK_EQ(atoi(before), 0);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(parameter_set(bad[i]));
	begins_with(0);
	CHECK_EQ(parameter_set("0x5\n"), 0);
	begins_with(BIT(DOOR_DCC) | BIT(DOOR_HVC));
	CHECK_EQ(parameter_set("7"), 0);
	begins_with(HOOKS_ALL);
	/* A VM that is there keeps its own. */
	hooks_are(vm.fd, 0);
	CHECK_EQ(parameter_set(before), 0);
	begins_with(0);
}

static const struct ktap_case cases[] = {
	{ "abi", abi },
	{ "parameter", parameter },
	{ "shut", shut },
	{ "each_door", each_door },
	{ "combinations", combinations },
	{ "commands", commands },
	{ "decode", decode },
	{ "wall_clock", wall_clock },
	{ "spinning", spinning },
	{ "first_call", first_call },
	{ "two_vcpus", two_vcpus },
	{ "debug", debug },
	{ "debug_switched", debug_switched },
	{ "debug_storm", debug_storm },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
