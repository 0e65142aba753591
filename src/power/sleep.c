// SPDX-License-Identifier: GPL-2.0
/*
 * Sleeps of a vCPU: WFI, the states of PSCI CPU_SUSPEND, CPU_OFF. A shallow one is polled for its
 * end for a while, if sleeps have lately been about that short; in a deep one the host CPU sleeps
 * too, as deep as its latency allows (qos.c).
 */
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/stat.h>

#include <keel/compat.h>

#include "internal.h"

static uint halt_poll = 50;
module_param(halt_poll, uint, 0644);
MODULE_PARM_DESC(halt_poll, "longest poll, in us, for the end of a vCPU's shallow sleep, in VMs with a power policy (default 50; 0: none)");

#define POLL_FIRST_NS	(10 * NSEC_PER_USEC)
#define POLL_MAX_NS	NSEC_PER_MSEC	/* whatever the parameter says */

u32 power_suspend_state(const struct keel_vm *vm, u32 id)
{
	/* Pairs with power_states(): with their number come the states. */
	u32 i, nr = smp_load_acquire(&vm->power.nr_states);

	for (i = 0; i < nr; i++)
		if (vm->power.state[i].id == id)
			return KEEL_POWER_STATE + i;
	return nr ? KEEL_POWER_RUN : KEEL_POWER_OTHER;
}

void power_woken(struct keel_vcpu *vcpu)
{
	/* A request alone is no event, and the first one counts. */
	if (!READ_ONCE(vcpu->power.woken_at) && vcpu_runnable(vcpu))
		WRITE_ONCE(vcpu->power.woken_at, power_now());
}

static u64 poll_max(void)
{
	return min_t(u64, READ_ONCE(halt_poll) * NSEC_PER_USEC, POLL_MAX_NS);
}

static bool sleep_is_shallow(const struct keel_vm *vm, u32 state)
{
	if (state == KEEL_POWER_WFI || state == KEEL_POWER_OTHER)
		return true;
	return state >= KEEL_POWER_STATE && state < KEEL_POWER_OTHER &&
	       !(vm->power.state[state - KEEL_POWER_STATE].flags & KEEL_POWER_STATE_DEEP);
}

static bool poll_pays(struct keel_vcpu *vcpu, u32 state)
{
	return READ_ONCE(vcpu->vm->power.policy) != KEEL_POWER_OFF &&
	       sleep_is_shallow(vcpu->vm, state);
}

/* With the vCPU loaded, so that its timer is the hardware's. True: the sleep is over. */
static bool sleep_polled(struct keel_vcpu *vcpu, u64 start)
{
	struct power_vcpu *p = &vcpu->power;
	u64 now = start, end = start + min(p->poll, poll_max());
	bool over = false;

	while (now < end && !over && !need_resched() && single_task_running()) {
		cpu_relax();
		over = vcpu_block_ends(vcpu) || signal_pending(current);
		now = power_now();
	}
	WRITE_ONCE(p->polled, p->polled + now - start);
	return over;
}

/* Longer after a sleep that a longer poll would have seen the end of, none after a long one. */
static void poll_adapt(struct power_vcpu *p, u64 slept)
{
	u64 max = poll_max();

	if (slept > max)
		p->poll = 0;
	else if (slept > p->poll)
		p->poll = min(max, p->poll ? 2 * p->poll : POLL_FIRST_NS);
}

static void sleep_begin(struct power_vcpu *p, u32 state)
{
	struct keel_power_sleep *s = &p->sleep[state];

	if (!p->goes_on || p->slept != state)
		WRITE_ONCE(s->count, s->count + 1);
	p->slept = KEEL_POWER_RUN;
	WRITE_ONCE(p->last_sleep, state);
	p->slept_at = power_now();
	WRITE_ONCE(p->woken_at, 0);
	/* Pairs with vcpu_kick(): who wakes it from here on sees that it sleeps, or it sees why. */
	smp_store_mb(p->sleeping, state);
}

static void sleep_end(struct keel_vcpu *vcpu, u32 state)
{
	struct power_vcpu *p = &vcpu->power;
	struct keel_power_sleep *s = &p->sleep[state];
	u64 slept = power_now() - p->slept_at;

	WRITE_ONCE(p->sleeping, KEEL_POWER_RUN);
	WRITE_ONCE(s->residency, s->residency + slept);
	/* Those that the run loop takes up again, not the guest. */
	p->goes_on = state >= KEEL_POWER_CPU_OFF && !vcpu_runnable(vcpu);
	p->slept = state;
	if (poll_pays(vcpu, state))
		poll_adapt(p, slept);
}

void power_sleep(struct keel_vcpu *vcpu, u32 state)
{
	struct power_vcpu *p = &vcpu->power;

	power_cap_leave(vcpu);
	if (hrtimer_is_queued(&p->timer))
		hrtimer_try_to_cancel(&p->timer);
	sleep_begin(p, state);
	if (!poll_pays(vcpu, state) || !sleep_polled(vcpu, p->slept_at))
		vcpu_sleep(vcpu);
	sleep_end(vcpu, state);
}

void power_slept(struct keel_vcpu *vcpu, u64 now)
{
	struct power_vcpu *p = &vcpu->power;
	struct keel_power_sleep *s = &p->sleep[p->slept];
	u64 woken_at = READ_ONCE(p->woken_at), latency;

	p->slept = KEEL_POWER_RUN;
	if (!woken_at)
		return;
	latency = now > woken_at ? now - woken_at : 0;
	WRITE_ONCE(s->woken, s->woken + 1);
	WRITE_ONCE(s->latency, s->latency + latency);
	if (latency > s->latency_max)
		WRITE_ONCE(s->latency_max, latency);
}
