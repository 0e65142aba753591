/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The face of src/power/: what a guest asks for its vCPUs (performance in register pages, idle
 * states by WFI and PSCI), and how the host's CPUs are used by it (Documentation/power.md).
 *
 * A guest's word only ever changes numbers in its vCPU. What follows from them happens in the
 * vCPU's own thread before its next entry (power_may_enter()), and in one worker for what is the
 * machine's (qos.c).
 */
#ifndef KEEL_POWER_H
#define KEEL_POWER_H

#include <linux/hrtimer.h>
#include <linux/mutex.h>
#include <linux/keel.h>

#include <keel/run.h>
#include <keel/types.h>

struct keel_vcpu;
struct keel_vm;
struct power_page;
struct prda;

/* What a vCPU's time is counted as. */
enum power_doing {
	POWER_NOTHING,		/* asleep, or in its VMM */
	POWER_RUN,		/* on a CPU */
	POWER_WAIT,		/* wants to be */
	POWER_HELD,		/* would, but for its cap */
	POWER_NR_DOING,
};

/**
 * struct power_vcpu - src/power's member of struct keel_vcpu
 * @on: its time is counted, and what it asks is followed; never cleared
 * @regs: its registers, in a page that the guest reads, or NULL
 * @asked: KEEL_POWER_VCPU's; written by any vCPU
 * @pending: @asked or the VM's settings have changed since @target was made; 0 or 1
 * @asks: writes to performance registers, by this vCPU
 * @target, @delivered, @changes: KEEL_POWER_VCPU's
 * @next_change: ns: not before then is the host adjusted again
 *
 * @doing, @since: enum power_doing, since when in ns
 * @time: what was counted before, by enum power_doing
 * @window, @window_time: when the window of @delivered began, and @time then
 *
 * @timer: makes the vCPU look again (VCPU_REQ_POWER), at @timer_at
 * @home, @share: which CPU's demand has how much of it; -1: none
 * @steady: it has wanted to run there since its last period began
 * @budget: ns of a period that are left; below @limit it is held back
 * @limit: 0; lower while an interrupt is let through
 * @period_end: ns
 * @charged: @time of POWER_RUN that has been taken from @budget
 *
 * @task: thread that has a nice value of keel's, with a reference, or NULL
 * @nice_own, @nice_set: its own value, and keel's
 * @clamp_own: its own utilization clamps, -1: none
 *
 * @sleeping: KEEL_POWER_WFI and so on while it sleeps, else KEEL_POWER_RUN
 * @slept: the last one, of which the entry into the guest is still to come; KEEL_POWER_RUN: none
 * @slept_at: ns: when it fell asleep; @woken_at: when the event came, 0: none
 * @last_sleep: the last state it slept in, KEEL_POWER_RUN: none since it was reset
 * @goes_on: nothing woke it, the next sleep is the same one
 * @poll: ns for which a sleep is polled
 * @polled, @wfe, @sleep: KEEL_POWER_VCPU's
 * @qos_run, @qos_sleep: @time of POWER_RUN and @last_sleep as the worker saw them last
 */
struct power_vcpu {
	bool on;
	u32 *regs;
	u32 asked;
	unsigned long pending;
	u64 asks;
	u32 target;
	u32 delivered;
	u64 changes;
	u64 next_change;

	enum power_doing doing;
	u64 since;
	u64 time[POWER_NR_DOING];
	u64 window;
	u64 window_time[POWER_NR_DOING];

	struct hrtimer timer;
	u64 timer_at;
	int home;
	u32 share;
	bool steady;
	s64 budget;
	s64 limit;
	u64 period_end;
	u64 charged;

	struct task_struct *task;
	int nice_own;
	int nice_set;
	u32 clamp_own[2];

	u32 sleeping;
	u32 slept;
	u64 slept_at;
	u64 woken_at;
	u32 last_sleep;
	bool goes_on;
	u64 poll;
	u64 polled;
	u64 wfe;
	struct keel_power_sleep sleep[KEEL_POWER_NR_SLEEPS];
	u64 qos_run;
	u32 qos_sleep;
};

/**
 * struct power_vm - src/power's member of struct keel_vm
 * @lock: changes of all of it; inside vm->lock, outside stage2.slots_lock and bus_lock
 * @policy, @min, @max: KEEL_POWER's; read without a lock
 * @on: vCPUs that come later are counted too
 * @page: register pages, or NULL; does not change once it is there
 * @nr_states: of @state; written last, once
 * @state: KEEL_POWER_STATES's
 * @link: in the list of VMs whose policy is not OFF (qos.c)
 */
struct power_vm {
	struct mutex lock;	/* see above */
	u32 policy;
	u32 min;
	u32 max;
	bool on;
	struct power_page *page;
	u32 nr_states;
	struct keel_power_state state[KEEL_POWER_MAX_STATES];
	struct list_head link;
};

/* --- lifetime --- */

/** power_vm_init() - of a new VM: nothing is followed */
void power_vm_init(struct keel_vm *vm);

/** power_vm_end() - nobody looks at its vCPUs any more; they still exist */
void power_vm_end(struct keel_vm *vm);

/** power_vm_destroy() - register pages are freed; stage 2 is gone */
void power_vm_destroy(struct keel_vm *vm);

/** power_vcpu_init() - of a new vCPU */
void power_vcpu_init(struct keel_vcpu *vcpu);

/** power_vcpu_added() - @vcpu can be found in its VM now: what the VM has is its too; may sleep */
void power_vcpu_added(struct keel_vcpu *vcpu);

/** power_vcpu_destroy() - its thread has its own nice value again */
void power_vcpu_destroy(struct keel_vcpu *vcpu);

/** power_vcpu_reset() - what the guest asked for this vCPU is forgotten; any context */
void power_vcpu_reset(struct keel_vcpu *vcpu);

/* --- ioctls; they check their argument --- */

/** power_set() - KEEL_POWER. 0 or -EINVAL; -EINTR: set, and vCPUs follow later. May sleep */
int power_set(struct keel_vm *vm, struct keel_power *args);

/** power_page() - KEEL_POWER_PAGE. 0, -EINVAL, -EEXIST, -ENOMEM; may sleep */
int power_page(struct keel_vm *vm, const struct keel_power_page *args);

/** power_states() - KEEL_POWER_STATES. 0, -EINVAL, -EEXIST; may sleep */
int power_states(struct keel_vm *vm, const struct keel_power_states *args);

/** power_vcpu() - KEEL_POWER_VCPU. 0, -EINVAL, -ENOENT */
int power_vcpu(struct keel_vm *vm, struct keel_power_vcpu *args);

/* --- the vCPU's thread --- */

/**
 * power_may_enter() - follow what was asked, and keep to the cap: before a pass, with @on
 *
 * Context: vcpu->mutex held, vCPU loaded, interrupts on; may sleep. Return: false: time has passed
 * meanwhile, look at host work and requests again.
 */
bool power_may_enter(struct keel_vcpu *vcpu);

/** power_leave_run() - the thread leaves KVM_RUN, with @on */
void power_leave_run(struct keel_vcpu *vcpu);

/**
 * power_sleep() - vcpu_block() with @on
 * @state: KEEL_POWER_WFI or another
 */
void power_sleep(struct keel_vcpu *vcpu, u32 state);

/** power_suspend_state() - PSCI's power_state as a KEEL_POWER_*; KEEL_POWER_RUN: there is none */
u32 power_suspend_state(const struct keel_vm *vm, u32 id);

/**
 * power_count() - from now on the vCPU's time is counted as @doing, with @on
 *
 * Context: any in which nobody else does so: the vCPU's thread, the scheduler on its behalf.
 */
void power_count(struct keel_vcpu *vcpu, enum power_doing doing);

/** power_woken() - an event for a vCPU that sleeps; any context */
void power_woken(struct keel_vcpu *vcpu);

/* --- register pages at EL2 (page_el2.c) --- */

/** power_owns() - is @a in the register page of @vcpu, which may have none */
bool power_owns(const struct keel_vcpu *vcpu, struct ipa a);

/**
 * power_store_el2() - a store to them, of the vCPU's own
 *
 * Return: false: for the second tier, nothing was done.
 */
bool power_store_el2(struct keel_vcpu *vcpu, struct ipa a, unsigned int len, u64 val);

/* --- qos.c --- */

/** power_init() - at insmod; 0 or -errno */
int power_init(void);

/** power_exit() - no VM exists */
void power_exit(void);

#endif /* KEEL_POWER_H */
