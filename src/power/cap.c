// SPDX-License-Identifier: GPL-2.0
/*
 * KEEL_POWER_CAP: a vCPU runs for its target's part of each period and no longer. Where capped
 * vCPUs that want to run on one CPU ask for more than it has, each gets its part of their sum: one
 * at 25 % beside one at 100 % gets a fifth of the CPU, a quarter of what the other gets. What was
 * run too long is paid in the next periods, so that in the long run the cap is exact.
 *
 * An interrupt does not wait for the next period: it gets GRACE_NS at a time, on credit, as long as
 * no more than a period is owed.
 */
#include <linux/math64.h>
#include <linux/percpu.h>
#include <linux/rcuwait.h>
#include <linux/sched/signal.h>

#include <keel/compat.h>

#include "internal.h"

#define PERIOD_NS	(10 * (s64)NSEC_PER_MSEC)
#define GRACE_NS	(100 * (s64)NSEC_PER_USEC)
#define MAX_PERIODS	BIT_ULL(16)

/* Sum of the targets of vCPUs of this policy that want to run on a CPU. */
static DEFINE_PER_CPU(atomic_t, power_demand);

void power_cap_leave(struct keel_vcpu *vcpu)
{
	struct power_vcpu *p = &vcpu->power;

	if (p->home < 0)
		return;
	atomic_sub(p->share, &per_cpu(power_demand, p->home));
	p->home = -1;
	p->steady = false;
}

static void cap_join(struct keel_vcpu *vcpu)
{
	struct power_vcpu *p = &vcpu->power;
	int cpu = raw_smp_processor_id();

	if (p->home == cpu && p->share == p->target)
		return;
	power_cap_leave(vcpu);
	p->home = cpu;
	p->share = p->target;
	atomic_add(p->share, &per_cpu(power_demand, cpu));
}

/* What it has in a period, as things are now. */
static s64 cap_quota(const struct power_vcpu *p)
{
	u32 demand = atomic_read(&per_cpu(power_demand, p->home));

	return div_u64((u64)PERIOD_NS * p->target, max_t(u32, demand, KEEL_POWER_FULL));
}

static void cap_charge(struct keel_vcpu *vcpu, u64 now)
{
	struct power_vcpu *p = &vcpu->power;
	u64 run = power_time(vcpu, POWER_RUN, now);

	p->budget -= run - p->charged;
	p->charged = run;
}

/*
 * Periods that have begun pay what is owed, and one of them can be spent; two, if it wanted to run
 * all the time since the last one and others did.
 */
static void cap_refill(struct keel_vcpu *vcpu, u64 now)
{
	struct power_vcpu *p = &vcpu->power;
	u64 periods;
	s64 quota;

	if (now < p->period_end)
		return;
	periods = div64_u64(now - p->period_end, PERIOD_NS) + 1;
	quota = cap_quota(p);
	/* So many pay any debt: a vCPU that owes a period runs no more. */
	p->budget = min(p->steady ? 2 * quota : quota,
			p->budget + (s64)min_t(u64, periods, MAX_PERIODS) * quota);
	p->steady = true;
	p->period_end += periods * PERIOD_NS;
	p->limit = 0;
	/* In whole periods: in a part of one it may have run all the time, or not at all. */
	power_measure(vcpu, now);
}

/* Something other than the time that the thread must look at. */
static bool hold_broken(struct keel_vcpu *vcpu)
{
	const unsigned long no_reason = BIT(VCPU_REQ_SLEEP) | BIT(VCPU_REQ_HOLD);

	return READ_ONCE(vcpu->requests) & ~no_reason || READ_ONCE(vm_shut_down);
}

static bool cap_may_lend(const struct keel_vcpu *vcpu)
{
	return vcpu->power.budget > -PERIOD_NS;
}

static bool hold_ends(struct keel_vcpu *vcpu)
{
	return hold_broken(vcpu) || (cap_may_lend(vcpu) && vcpu_runnable(vcpu));
}

/* Until the period ends; not counted as idle, and still wanting its share. */
static void cap_hold(struct keel_vcpu *vcpu)
{
	power_look_at(vcpu, vcpu->power.period_end);
	vcpu_put(vcpu);
	power_count(vcpu, POWER_HELD);
	vtimer_block(vcpu);
	rcuwait_wait_event(&vcpu->wait, hold_ends(vcpu), TASK_INTERRUPTIBLE);
	vtimer_unblock(vcpu);
	vcpu_load(vcpu);
}

bool power_cap_ready(struct keel_vcpu *vcpu, u64 now)
{
	struct power_vcpu *p = &vcpu->power;

	cap_join(vcpu);
	cap_charge(vcpu, now);
	cap_refill(vcpu, now);
	if (p->target >= KEEL_POWER_FULL)
		return true;
	if (p->budget <= p->limit && cap_may_lend(vcpu) && vcpu_runnable(vcpu))
		p->limit = p->budget - GRACE_NS;
	if (p->budget <= p->limit) {
		cap_hold(vcpu);
		return false;
	}
	power_look_at(vcpu, now + (p->budget - p->limit));
	return true;
}
