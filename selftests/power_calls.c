// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls of power and performance: what they refuse, what the guest finds in its registers,
 * what follows from what it writes there, and how its sleeps are counted.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/observer.h"
#include "lib/power.h"

#define FULL		KEEL_POWER_FULL
#define REG(cpu, offset) (POWER_IPA + (cpu) * 0x1000 + (offset))

static struct vm vm;

static void create(int cpus, u32 layout)
{
	power_create(&vm, cpus);
	if (layout)
		power_page_add(&vm, layout);
}

static u64 load(int cpu, u64 addr)
{
	return power_tell(&vm, cpu, POWER_LOAD, addr, 4);
}

static void store(int cpu, u64 addr, u64 bytes, u64 value)
{
	power_tell(&vm, cpu, POWER_STORE, addr, bytes, value);
}

/* --- KEEL_POWER --- */

static int set(struct keel_power p)
{
	p.size = sizeof(p);
	return power_ioctl(vm.fd, KEEL_POWER, &p);
}

static void settings(void)
{
	struct keel_power p = { .size = sizeof(p) };

	create(1, 0);
	REQUIRE_EQ(power_ioctl(vm.fd, KEEL_POWER, &p), 0);
	CHECK_EQ(p.policy, KEEL_POWER_OFF);
	CHECK_EQ(p.min, 0);
	CHECK_EQ(p.max, FULL);
	CHECK_EQ(p.layout, 0);
	CHECK_EQ(p.nr_states, 0);
	CHECK_EQ(p.ipa, 0);

	power_policy(&vm, KEEL_POWER_CAP, 100, 900);
	p = (struct keel_power){ .size = sizeof(p), .set = KEEL_POWER_SET_RANGE,
				 .policy = 77, .min = 200, .max = 200 };
	REQUIRE_EQ(power_ioctl(vm.fd, KEEL_POWER, &p), 0);
	CHECK_EQ(p.policy, KEEL_POWER_CAP);
	CHECK_EQ(p.min, 200);
	CHECK_EQ(p.max, 200);
	CHECK_EQ(power_look(&vm, 0).target, 200);
	power_page_add(&vm, KEEL_POWER_PAGE_CPPC);
	p = (struct keel_power){ .size = sizeof(p) };
	REQUIRE_EQ(power_ioctl(vm.fd, KEEL_POWER, &p), 0);
	CHECK_EQ(p.layout, KEEL_POWER_PAGE_CPPC);
	CHECK_EQ(p.ipa, POWER_IPA);

	CHECK_EQ(set((struct keel_power){ .flags = 1 }), -EINVAL);
	CHECK_EQ(set((struct keel_power){ .set = 4 }), -EINVAL);
	CHECK_EQ(set((struct keel_power){ .set = 1, .policy = 3 }), -EINVAL);
	CHECK_EQ(set((struct keel_power){ .set = 2, .min = 5, .max = 4 }), -EINVAL);
	CHECK_EQ(set((struct keel_power){ .set = 2, .min = 0, .max = 0 }), -EINVAL);
	CHECK_EQ(set((struct keel_power){ .set = 2, .max = FULL + 1 }), -EINVAL);
	CHECK_EQ(set((struct keel_power){ .layout = 1 }), -EINVAL);
	CHECK_EQ(set((struct keel_power){ .nr_states = 1 }), -EINVAL);
	CHECK_EQ(set((struct keel_power){ .ipa = 1 }), -EINVAL);
	CHECK_EQ(set((struct keel_power){ .reserved = { [3] = 1 } }), -EINVAL);
	p.size = sizeof(p) + 8;
	CHECK_EQ(power_ioctl(vm.fd, KEEL_POWER, &p), -EINVAL);
	CHECK_EQ(power_ioctl(vm.fd, KEEL_POWER, NULL), -EFAULT);
	vm_destroy(&vm);
}

/* --- KEEL_POWER_PAGE --- */

static const struct keel_power_page good_page = {
	.size = sizeof(good_page), .ipa = POWER_IPA, .layout = KEEL_POWER_PAGE_CPUFREQ,
	.nr_vcpus = 2, .nr_levels = 2, .level = { 1, 2 },
};

static int place(struct keel_power_page p)
{
	return power_ioctl(vm.fd, KEEL_POWER_PAGE, &p);
}

/* @good with one member changed. */
#define page_with(member, value) \
	({ struct keel_power_page __p = good_page; __p.member = (value); __p; })

static void page_errors(void)
{
	create(1, 0);
	CHECK_EQ(place(page_with(size, 8)), -EINVAL);
	CHECK_EQ(place(page_with(flags, 1)), -EINVAL);
	CHECK_EQ(place(page_with(ipa, POWER_IPA + 0x800)), -EINVAL);
	CHECK_EQ(place(page_with(ipa, 1ULL << 40)), -EINVAL);
	CHECK_EQ(place(page_with(ipa, (1ULL << 40) - 0x1000)), -EINVAL);
	CHECK_EQ(place(page_with(ipa, ~0xfffULL)), -EINVAL);
	CHECK_EQ(place(page_with(layout, 0)), -EINVAL);
	CHECK_EQ(place(page_with(layout, 3)), -EINVAL);
	CHECK_EQ(place(page_with(layout, KEEL_POWER_PAGE_CPPC)), -EINVAL);
	CHECK_EQ(place(page_with(nr_vcpus, 0)), -EINVAL);
	CHECK_EQ(place(page_with(nr_vcpus, 513)), -EINVAL);
	CHECK_EQ(place(page_with(nr_vcpus, UINT_MAX)), -EINVAL);
	CHECK_EQ(place(page_with(nr_levels, 0)), -EINVAL);
	CHECK_EQ(place(page_with(nr_levels, 3)), -EINVAL);
	CHECK_EQ(place(page_with(nr_levels, KEEL_POWER_MAX_LEVELS + 1)), -EINVAL);
	CHECK_EQ(place(page_with(nr_levels, UINT_MAX)), -EINVAL);
	CHECK_EQ(place(page_with(level[1], 1)), -EINVAL);
	CHECK_EQ(place(page_with(level[0], 0)), -EINVAL);
	CHECK_EQ(place(page_with(level[5], 9)), -EINVAL);
	CHECK_EQ(place(page_with(pad, 1)), -EINVAL);
	CHECK_EQ(place(page_with(reserved[0], 1)), -EINVAL);
	CHECK_EQ(power_ioctl(vm.fd, KEEL_POWER_PAGE, NULL), -EFAULT);
	vm_destroy(&vm);
}

static void page_overlaps(void)
{
	static char memory[0x4000] __attribute__((aligned(0x1000)));

	create(1, 0);
	CHECK_EQ(place(page_with(ipa, RAM_IPA)), -EEXIST);
	CHECK_EQ(place(page_with(ipa, RAM_IPA - 0x1000)), -EEXIST);
	/* What was refused leaves nothing behind. */
	CHECK_EQ(place(good_page), 0);
	CHECK_EQ(place(good_page), -EEXIST);
	CHECK_EQ(place(page_with(ipa, POWER_IPA + 0x100000)), -EEXIST);
	CHECK_EQ(vm_memslot(&vm, 7, 0, POWER_IPA, 0x1000, memory), -1);
	CHECK_EQ(errno, EEXIST);
	CHECK_EQ(vm_memslot(&vm, 7, 0, POWER_IPA + 0x1000, 0x2000, memory), -1);
	CHECK_EQ(errno, EEXIST);
	CHECK_EQ(vm_memslot(&vm, 7, 0, POWER_IPA - 0x1000, 0x2000, memory), -1);
	CHECK_EQ(errno, EEXIST);
	CHECK_EQ(vm_memslot(&vm, 7, 0, POWER_IPA + 0x2000, 0x2000, memory), 0);
	vm_destroy(&vm);
}

/* The vGIC's frames are there once a vCPU has run. */
static void page_beside_gic(void)
{
	create(1, 0);
	power_start(&vm);
	CHECK_EQ(place(page_with(ipa, 0x08000000)), -EEXIST);
	CHECK_EQ(place(page_with(ipa, 0x08000000 - 0x1000)), -EEXIST);
	CHECK_EQ(place(good_page), 0);
	CHECK_EQ(load(0, REG(0, 0x08)), 2);
	power_end(&vm);
}

/* --- what the guest sees --- */

static void cpufreq_registers(void)
{
	create(2, KEEL_POWER_PAGE_CPUFREQ);
	power_start(&vm);
	CHECK_EQ(load(0, REG(0, 0x04)), 2000000);
	CHECK_EQ(load(0, REG(0, 0x08)), 4);
	CHECK_EQ(load(0, REG(0, 0x10)), 500000);
	store(0, REG(0, 0x0c), 4, 2);
	CHECK_EQ(load(0, REG(0, 0x0c)), 2);
	CHECK_EQ(load(0, REG(0, 0x10)), 1500000);
	store(0, REG(0, 0x0c), 4, 4);
	CHECK_EQ(load(0, REG(0, 0x10)), 0);
	store(0, REG(0, 0x0c), 4, UINT_MAX);
	CHECK_EQ(load(0, REG(0, 0x10)), 0);
	CHECK_EQ(load(0, REG(0, 0x14)), 0);
	CHECK_EQ(load(1, REG(1, 0x14)), 1);
	/* Another vCPU's, both ways. */
	CHECK_EQ(load(0, REG(1, 0x14)), 1);
	store(0, REG(1, 0x0c), 4, 1);
	CHECK_EQ(load(1, REG(1, 0x10)), 1000000);
	/* One that is not there. */
	store(0, REG(2, 0x04), 4, 1);
	CHECK_EQ(load(0, REG(2, 0x04)), 0);
	/* Read-only, of another size, or nothing at all. */
	store(0, REG(0, 0x00), 4, 5);
	store(0, REG(0, 0x08), 4, 5);
	store(0, REG(0, 0x10), 4, 5);
	store(0, REG(0, 0x14), 4, 5);
	store(0, REG(0, 0x18), 4, 5);
	store(0, REG(0, 0xffc), 4, 5);
	store(0, REG(0, 0x00), 8, 5ULL << 32);
	store(0, REG(0, 0x04), 2, 5);
	store(0, REG(0, 0x05), 1, 5);
	CHECK_EQ(load(0, REG(0, 0x04)), 2000000);
	CHECK_EQ(load(0, REG(0, 0x08)), 4);
	CHECK_EQ(load(0, REG(0, 0x10)), 0);
	CHECK_EQ(load(0, REG(0, 0x18)), 0);
	CHECK_EQ(load(0, REG(0, 0xffc)), 0);
	CHECK_EQ(power_look(&vm, 0).asked, KEEL_POWER_UNASKED);
	/* A store of two registers has no syndrome: external abort. */
	CHECK_EQ(power_tell(&vm, 0, POWER_PAIR, REG(0, 0x00)) & 0x3f, 0x10);
	power_end(&vm);
}

static void cppc_registers(void)
{
	create(1, KEEL_POWER_PAGE_CPPC);
	power_start(&vm);
	CHECK_EQ(load(0, REG(0, 0x00)), 1000);
	CHECK_EQ(load(0, REG(0, 0x04)), 800);
	CHECK_EQ(load(0, REG(0, 0x08)), 200);
	CHECK_EQ(load(0, REG(0, 0x0c)), 100);
	CHECK_EQ(load(0, REG(0, 0x10)), 1000);
	CHECK_EQ(load(0, REG(0, 0x1c)), 1000);
	store(0, REG(0, 0x10), 4, 250);
	CHECK_EQ(load(0, REG(0, 0x10)), 250);
	CHECK_EQ(power_look(&vm, 0).asked, 256);
	/* Lowest and highest; then the guest's own bounds. */
	store(0, REG(0, 0x10), 4, 0);
	CHECK_EQ(power_look(&vm, 0).asked, 102);
	store(0, REG(0, 0x10), 4, 5000);
	CHECK_EQ(power_look(&vm, 0).asked, FULL);
	store(0, REG(0, 0x18), 4, 500);
	CHECK_EQ(power_look(&vm, 0).asked, 512);
	store(0, REG(0, 0x10), 4, 100);
	store(0, REG(0, 0x14), 4, 300);
	CHECK_EQ(power_look(&vm, 0).asked, 307);
	store(0, REG(0, 0x18), 4, 1);
	CHECK_EQ(power_look(&vm, 0).asked, 102);
	store(0, REG(0, 0x00), 4, 1);
	CHECK_EQ(load(0, REG(0, 0x00)), 1000);
	power_end(&vm);
}

/* Exits with a data abort so far, of both tiers. */
static u64 aborts(int stats)
{
	return kvm_stat(stats, "exit_dabt") + kvm_stat(stats, "exit_dabt_el2");
}

/* Loads do not exit, a store does. */
static void exits(void)
{
	u64 before;
	int stats, i;

	create(1, KEEL_POWER_PAGE_CPUFREQ);
	stats = kvm_stats_open(vm.vcpus[0].fd);
	power_start(&vm);
	load(0, REG(0, 0x00));
	before = aborts(stats);
	for (i = 0; i < 100; i++)
		load(0, REG(0, 4 * (i % 6)));
	CHECK_EQ(aborts(stats) - before, 0);
	for (i = 0; i < 100; i++)
		store(0, REG(0, 0x04), 4, 500000 + i);
	CHECK_EQ(aborts(stats) - before, 100);
	CHECK_EQ(power_look(&vm, 0).asks, 100);
	close(stats);
	power_end(&vm);
}

/* While the guest goes round it delivers, and the counters tell it. */
static void delivered(void)
{
	u64 reference, got;

	create(1, KEEL_POWER_PAGE_CPPC);
	power_start(&vm);
	do {
		got = power_tell(&vm, 0, POWER_LOAD, REG(0, 0x28), 8);
		reference = power_tell(&vm, 0, POWER_LOAD, REG(0, 0x20), 8);
	} while (!reference);
	CHECK(got);
	CHECK(got <= reference);
	CHECK(power_look(&vm, 0).run >= got);
	CHECK(power_look(&vm, 0).delivered);
	CHECK(power_look(&vm, 0).delivered <= FULL);
	power_end(&vm);
}

/* One level: whatever part of it. */
static void continuous(void)
{
	create(1, 0);
	REQUIRE_EQ(place((struct keel_power_page){
			.size = sizeof(good_page), .ipa = POWER_IPA, .nr_vcpus = 1,
			.layout = KEEL_POWER_PAGE_CPUFREQ, .nr_levels = 1,
			.level = { 2048 } }), 0);
	power_start(&vm);
	store(0, REG(0, 0x04), 4, 20);
	CHECK_EQ(power_look(&vm, 0).asked, 10);
	store(0, REG(0, 0x04), 4, 0);
	CHECK_EQ(power_look(&vm, 0).asked, 1);
	power_end(&vm);
}

static u32 asked(u64 khz)
{
	store(0, REG(0, 0x04), 4, khz);
	CHECK_EQ(load(0, REG(0, 0x04)), khz);
	return power_look(&vm, 0).asked;
}

static void asking(void)
{
	struct keel_power_vcpu v;

	create(2, KEEL_POWER_PAGE_CPUFREQ);
	power_start(&vm);
	v = power_look(&vm, 0);
	CHECK_EQ(v.asked, KEEL_POWER_UNASKED);
	CHECK_EQ(v.target, FULL);
	CHECK_EQ(asked(500000), FULL / 4);
	CHECK_EQ(asked(2000000), FULL);
	CHECK_EQ(asked(3000000), FULL);
	CHECK_EQ(asked(UINT_MAX), FULL);
	CHECK_EQ(asked(0), FULL / 4);
	CHECK_EQ(asked(1000001), FULL / 2);
	CHECK_EQ(power_look(&vm, 0).asks, 6);
	/* The other one's, which is its own to follow. */
	store(1, REG(0, 0x04), 4, 500000);
	CHECK_EQ(power_look(&vm, 0).asked, FULL / 4);
	CHECK_EQ(power_look(&vm, 1).asked, KEEL_POWER_UNASKED);
	CHECK_EQ(power_look(&vm, 1).asks, 1);
	/* Brought between the bounds. */
	power_policy(&vm, KEEL_POWER_OFF, 300, 800);
	CHECK_EQ(power_look(&vm, 0).target, 300);
	asked(2000000);
	CHECK_EQ(power_look(&vm, 0).target, 800);
	CHECK_EQ(power_look(&vm, 1).target, 800);
	power_end(&vm);
}

/* --- what follows --- */

static int thread_nice(pid_t tid)
{
	return getpriority(PRIO_PROCESS, tid);
}

/* Its only vCPU's is the only other thread of this process. */
static pid_t vcpu_tid(void)
{
	pid_t me = getpid(), tid;

	for (tid = me + 1; tid < me + 100; tid++)
		if (!syscall(SYS_tgkill, me, tid, 0))
			return tid;
	ktap_fail("no thread of the vCPU");
}

static void wait_nice(pid_t tid, int nice)
{
	while (thread_nice(tid) != nice)
		usleep(100);
}

/* The thread's highest utilization, as the scheduler shall take it; 0: this host has no clamps. */
static u32 clamp_max(pid_t tid)
{
	/* struct sched_attr, which C libraries have not yet, or twice */
	struct {
		u32 size, policy;
		u64 flags;
		u32 nice, priority;
		u64 runtime, deadline, period;
		u32 util_min, util_max;
	} attr;

	REQUIRE_OK(syscall(SYS_sched_getattr, tid, &attr, sizeof(attr), 0));
	return attr.util_max;
}

static void clamped(pid_t tid, u32 max)
{
	if (clamp_max(tid))
		CHECK_EQ(clamp_max(tid), max);
}

static void nice_value(void)
{
	pid_t tid;

	create(1, KEEL_POWER_PAGE_CPUFREQ);
	power_start(&vm);
	tid = vcpu_tid();
	asked(500000);
	CHECK_EQ(thread_nice(tid), 0);
	power_policy(&vm, KEEL_POWER_HINT, 0, FULL);
	/* 1.25^6 is about 4. */
	wait_nice(tid, 6);
	CHECK_EQ(power_look(&vm, 0).nice, 6);
	clamped(tid, FULL / 4);
	asked(1000000);
	wait_nice(tid, 3);
	asked(2000000);
	wait_nice(tid, 0);
	power_policy(&vm, KEEL_POWER_HINT, 0, 1);
	wait_nice(tid, 19);
	/* Never below what the VMM grants, never above. */
	power_policy(&vm, KEEL_POWER_HINT, FULL / 2, FULL / 2);
	wait_nice(tid, 3);
	/* Somebody else's value is the thread's own from then on. */
	REQUIRE_EQ(setpriority(PRIO_PROCESS, tid, 5), 0);
	asked(500000);
	power_policy(&vm, KEEL_POWER_CAP, FULL / 4, FULL / 4);
	wait_nice(tid, 10);
	power_policy(&vm, KEEL_POWER_OFF, 0, FULL);
	CHECK_EQ(thread_nice(tid), 5);
	clamped(tid, FULL);
	CHECK_EQ(power_look(&vm, 0).nice, 0);
	power_policy(&vm, KEEL_POWER_HINT, 0, FULL);
	wait_nice(tid, 11);
	power_end(&vm);
}

/* What was asked for a CPU ends with it. */
static void switched_off(void)
{
	create(2, KEEL_POWER_PAGE_CPUFREQ);
	power_start(&vm);
	store(1, REG(1, 0x04), 4, 500000);
	CHECK_EQ(power_look(&vm, 1).asked, FULL / 4);
	power_begin(&vm, 1, POWER_OFF);
	while (power_look(&vm, 1).state != KEEL_POWER_CPU_OFF)
		usleep(100);
	CHECK_EQ(power_look(&vm, 1).asked, KEEL_POWER_UNASKED);
	CHECK_EQ(load(0, REG(1, 0x04)), 2000000);
	/* Asked by another while it is off: it begins anew all the same. */
	store(0, REG(1, 0x04), 4, 500000);
	WRITE_ONCE(power_cpu(&vm, 1)->alive, 0);
	CHECK_EQ(power_tell(&vm, 0, POWER_ON, 1), 0);
	while (!READ_ONCE(power_cpu(&vm, 1)->alive))
		usleep(100);
	CHECK_EQ(power_look(&vm, 1).asked, KEEL_POWER_UNASKED);
	CHECK_EQ(load(1, REG(1, 0x04)), 2000000);
	CHECK(power_look(&vm, 1).sleep[KEEL_POWER_CPU_OFF].count >= 1);
	power_end(&vm);
}

/* --- idle states --- */

static const struct keel_power_states good_states = {
	.size = sizeof(good_states), .nr = 2,
	.state = {
		{ .id = 1, .latency = 50, .residency = 100, .name = "standby" },
		{ .id = 0x10002, .flags = KEEL_POWER_STATE_DEEP, .latency = 500,
		  .residency = 2000, .name = "off" },
	},
};

static int name_states(struct keel_power_states s)
{
	return power_ioctl(vm.fd, KEEL_POWER_STATES, &s);
}

#define states_with(member, value) \
	({ struct keel_power_states __s = good_states; __s.member = (value); __s; })

static void state_errors(void)
{
	struct keel_power_states s = good_states;

	create(1, 0);
	CHECK_EQ(name_states(states_with(size, 0)), -EINVAL);
	CHECK_EQ(name_states(states_with(flags, 1)), -EINVAL);
	CHECK_EQ(name_states(states_with(nr, 0)), -EINVAL);
	CHECK_EQ(name_states(states_with(nr, 1)), -EINVAL);
	CHECK_EQ(name_states(states_with(nr, 3)), -EINVAL);
	CHECK_EQ(name_states(states_with(nr, KEEL_POWER_MAX_STATES + 1)), -EINVAL);
	CHECK_EQ(name_states(states_with(nr, UINT_MAX)), -EINVAL);
	CHECK_EQ(name_states(states_with(pad, 1)), -EINVAL);
	CHECK_EQ(name_states(states_with(reserved[1], 1)), -EINVAL);
	CHECK_EQ(name_states(states_with(state[1].id, 1)), -EINVAL);
	CHECK_EQ(name_states(states_with(state[0].flags, 2)), -EINVAL);
	CHECK_EQ(name_states(states_with(state[0].name[0], 0)), -EINVAL);
	CHECK_EQ(name_states(states_with(state[0].name[1], '\n')), -EINVAL);
	CHECK_EQ(name_states(states_with(state[0].name[15], 'x')), -EINVAL);
	CHECK_EQ(name_states(states_with(state[7].latency, 1)), -EINVAL);
	memset(s.state[0].name, 'x', sizeof(s.state[0].name));
	CHECK_EQ(name_states(s), -EINVAL);
	CHECK_EQ(power_ioctl(vm.fd, KEEL_POWER_STATES, NULL), -EFAULT);
	CHECK_EQ(name_states(good_states), 0);
	CHECK_EQ(name_states(good_states), -EEXIST);
	vm_destroy(&vm);
}

#define SUSPEND32	0x84000001ULL
#define SUSPEND64	0xc4000001ULL

/* Once more, if the host was so busy that the timer came before the sleep. */
static void sleep_in(u64 fn, u64 id, u32 slot)
{
	u64 before = power_look(&vm, 0).sleep[slot].residency;

	do {
		if (slot == KEEL_POWER_WFI)
			power_tell(&vm, 0, POWER_WFI, 3000);
		else
			CHECK_EQ(power_tell(&vm, 0, POWER_SUSPEND, fn, id, 3000), 0);
	} while (power_look(&vm, 0).sleep[slot].residency < before + 2000000);
}

static void sleeps(void)
{
	struct keel_power_vcpu v;

	create(1, 0);
	REQUIRE_EQ(name_states(good_states), 0);
	power_policy(&vm, KEEL_POWER_HINT, 0, FULL);
	power_start(&vm);
	sleep_in(0, 0, KEEL_POWER_WFI);
	sleep_in(SUSPEND64, 1, KEEL_POWER_STATE);
	sleep_in(SUSPEND32, 0x10002, KEEL_POWER_STATE + 1);
	sleep_in(SUSPEND32, 0x10002, KEEL_POWER_STATE + 1);
	/* Invalid parameters */
	CHECK_EQ(power_tell(&vm, 0, POWER_SUSPEND, SUSPEND64, 2, 10), -2ULL);
	/* Only 32 bits of it count. */
	CHECK_EQ(power_tell(&vm, 0, POWER_SUSPEND, SUSPEND64, 0xff00000001, 10), 0);
	v = power_look(&vm, 0);
	CHECK_EQ(v.state, KEEL_POWER_RUN);
	CHECK(v.sleep[KEEL_POWER_WFI].count >= 1);
	CHECK(v.sleep[KEEL_POWER_STATE].count >= 1);
	CHECK(v.sleep[KEEL_POWER_STATE + 1].count >= 2);
	CHECK(v.sleep[KEEL_POWER_STATE + 1].woken >= 1);
	CHECK(v.sleep[KEEL_POWER_STATE + 1].latency);
	CHECK(v.sleep[KEEL_POWER_STATE + 1].latency_max <= v.sleep[KEEL_POWER_STATE + 1].latency);
	CHECK_EQ(v.sleep[KEEL_POWER_OTHER].count, 0);
	CHECK_EQ(v.sleep[KEEL_POWER_RUN].count, 0);
	power_end(&vm);
}

/* Short shallow sleeps are polled for their end, deep ones never. */
static void polled(void)
{
	long own = keel_parameter("halt_poll");
	u64 before;
	int i;

	/* What is short on an emulated host */
	keel_parameter_set("halt_poll", 1000);
	create(1, 0);
	REQUIRE_EQ(name_states(good_states), 0);
	power_start(&vm);
	for (i = 0; i < 20; i++)
		power_tell(&vm, 0, POWER_WFI, 20);
	CHECK_EQ(power_look(&vm, 0).polled, 0);
	power_policy(&vm, KEEL_POWER_HINT, 0, FULL);
	while (!power_look(&vm, 0).polled)
		power_tell(&vm, 0, POWER_WFI, 20);
	before = power_look(&vm, 0).polled;
	for (i = 0; i < 20; i++)
		power_tell(&vm, 0, POWER_SUSPEND, SUSPEND64, 0x10002, 20);
	CHECK_EQ(power_look(&vm, 0).polled, before);
	keel_parameter_set("halt_poll", own);
	power_end(&vm);
}

/* By its VMM, as one does for PSCI SYSTEM_SUSPEND. */
static void suspended(void)
{
	struct kvm_mp_state state = { .mp_state = KVM_MP_STATE_SUSPENDED };

	create(1, 0);
	REQUIRE_EQ(name_states(good_states), 0);
	REQUIRE_OK(ioctl(vm.vcpus[0].fd, KVM_SET_MP_STATE, &state));
	CHECK_EQ(power_look(&vm, 0).state, KEEL_POWER_SUSPENDED);
	vm_start(&vm);
	while (!power_look(&vm, 0).sleep[KEEL_POWER_SUSPENDED].count)
		usleep(100);
	CHECK_EQ(power_look(&vm, 0).state, KEEL_POWER_SUSPENDED);
	vm_finish(&vm, 0);
	vm_wait(&vm);
	CHECK_EQ(power_look(&vm, 0).sleep[KEEL_POWER_SUSPENDED].count, 1);
	CHECK(power_look(&vm, 0).sleep[KEEL_POWER_SUSPENDED].residency);
	vm_destroy(&vm);
}

/* Without names any state will do, as before. */
static void unnamed(void)
{
	create(1, KEEL_POWER_PAGE_CPPC);
	power_start(&vm);
	CHECK_EQ(power_tell(&vm, 0, POWER_SUSPEND, SUSPEND64, 0x1234, 2000), 0);
	CHECK(power_look(&vm, 0).sleep[KEEL_POWER_OTHER].count >= 1);
	power_end(&vm);
}

/* A VM that has nothing of this pays nothing. */
static void nothing(void)
{
	struct keel_power_vcpu v;

	create(1, 0);
	power_start(&vm);
	CHECK_EQ(power_tell(&vm, 0, POWER_SUSPEND, SUSPEND64, 1, 2000), 0);
	power_tell(&vm, 0, POWER_WFI, 1000);
	v = power_look(&vm, 0);
	CHECK_EQ(v.run + v.wait + v.held, 0);
	CHECK_EQ(v.sleep[KEEL_POWER_WFI].count, 0);
	CHECK_EQ(v.changes, 0);
	power_end(&vm);
}

/* --- files --- */

static void observers(void)
{
	struct keel_power_vcpu v = { .size = sizeof(v) };
	struct keel_power p = { .size = sizeof(p), .set = KEEL_POWER_SET_POLICY,
				.policy = KEEL_POWER_HINT };
	struct keel_power_states s = good_states;
	struct keel_power_page page = good_page;
	int fd;

	create(1, 0);
	fd = observe_last();
	CHECK_EQ(power_ioctl(fd, KEEL_POWER_VCPU, &v), 0);
	CHECK_EQ(power_ioctl(fd, KEEL_POWER, &p), 0);
	CHECK_EQ(power_ioctl(fd, KEEL_POWER_PAGE, &page), 0);
	CHECK_EQ(power_ioctl(fd, KEEL_POWER_STATES, &s), 0);
	v.vcpu = 1;
	CHECK_EQ(power_ioctl(fd, KEEL_POWER_VCPU, &v), -ENOENT);
	v = (struct keel_power_vcpu){ .size = sizeof(v), .flags = 1 };
	CHECK_EQ(power_ioctl(fd, KEEL_POWER_VCPU, &v), -EINVAL);
	v = (struct keel_power_vcpu){ .size = sizeof(v), .reserved = { 1 } };
	CHECK_EQ(power_ioctl(fd, KEEL_POWER_VCPU, &v), -EINVAL);
	v = (struct keel_power_vcpu){ .size = 8 };
	CHECK_EQ(power_ioctl(fd, KEEL_POWER_VCPU, &v), -EINVAL);
	REQUIRE_EQ(ioctl(vm.fd, KEEL_OBSERVE, 0), 0);
	v = (struct keel_power_vcpu){ .size = sizeof(v) };
	p = (struct keel_power){ .size = sizeof(p) };
	CHECK_EQ(power_ioctl(fd, KEEL_POWER_VCPU, &v), -EPERM);
	CHECK_EQ(power_ioctl(fd, KEEL_POWER, &p), -EPERM);
	CHECK_EQ(power_ioctl(fd, KEEL_POWER_PAGE, &page), -EPERM);
	CHECK_EQ(power_ioctl(fd, KEEL_POWER_STATES, &s), -EPERM);
	vm_destroy(&vm);
	CHECK_EQ(power_ioctl(fd, KEEL_POWER_VCPU, &v), -ENODEV);
	CHECK_EQ(power_ioctl(fd, KEEL_POWER, &p), -ENODEV);
	close(fd);
}

/* vCPUs that are made after all of it was set have it too. */
static void late(void)
{
	vm_create(&vm);
	power_page_add(&vm, KEEL_POWER_PAGE_CPUFREQ);
	power_policy(&vm, KEEL_POWER_HINT, 0, FULL / 2);
	vcpu_create(&vm, 2);
	CHECK_EQ(power_look(&vm, 2).target, FULL / 2);
	vcpu_create(&vm, 7);	/* no registers for this one */
	CHECK_EQ(power_look(&vm, 7).target, FULL / 2);
	vm_destroy(&vm);
}

static const struct ktap_case cases[] = {
	{ "settings", settings },
	{ "page_errors", page_errors },
	{ "page_overlaps", page_overlaps },
	{ "page_beside_gic", page_beside_gic },
	{ "cpufreq_registers", cpufreq_registers },
	{ "cppc_registers", cppc_registers },
	{ "exits", exits },
	{ "delivered", delivered },
	{ "continuous", continuous },
	{ "asking", asking },
	{ "nice_value", nice_value },
	{ "switched_off", switched_off },
	{ "state_errors", state_errors },
	{ "sleeps", sleeps },
	{ "polled", polled },
	{ "suspended", suspended },
	{ "unnamed", unnamed },
	{ "nothing", nothing },
	{ "observers", observers },
	{ "late", late },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
