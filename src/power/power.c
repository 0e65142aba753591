// SPDX-License-Identifier: GPL-2.0
/*
 * What a guest asks for, and when it is followed: settings of the VM, and the vCPU's thread before
 * its next entry.
 *
 * The threads of vCPUs read a VM's settings without a lock. Whoever changes them sets @pending of
 * each vCPU, and visits it without power.lock: a vCPU may keep a visitor waiting for long.
 */
#include <linux/bitops.h>
#include <linux/ktime.h>
#include <linux/sched.h>

#include <keel/abi.h>
#include <keel/compat.h>

#include "../vm/trace.h"
#include "internal.h"

/* --- the timer that makes a vCPU look again --- */

static enum hrtimer_restart look_again(struct hrtimer *timer)
{
	vcpu_request(container_of(timer, struct keel_vcpu, power.timer), VCPU_REQ_POWER);
	return HRTIMER_NORESTART;
}

/*
 * One that comes too early costs a look. One whose callback runs at this moment, on the CPU where
 * it was started, may have been answered before: it does not count.
 */
void power_look_at(struct keel_vcpu *vcpu, u64 at)
{
	struct power_vcpu *p = &vcpu->power;
	u64 now;

	if (hrtimer_is_queued(&p->timer) && p->timer_at <= at)
		return;
	now = power_now();
	p->timer_at = at;
	hrtimer_start(&p->timer, ns_to_ktime(at > now ? at - now : 0), HRTIMER_MODE_REL_HARD);
}

/* --- following --- */

static u32 power_target(const struct power_vm *pv, u32 asked)
{
	u32 max = READ_ONCE(pv->max);

	if (asked == KEEL_POWER_UNASKED)
		return max;
	return min(max(asked, READ_ONCE(pv->min)), max);
}

/* @thread: the vCPU's, NULL: it is not in KVM_RUN, and not needed. vcpu->mutex held. */
static void power_adjust(struct keel_vcpu *vcpu, struct task_struct *thread)
{
	struct power_vm *pv = &vcpu->vm->power;
	struct power_vcpu *p = &vcpu->power;
	u32 policy;

	/* Before what is read now: pairs with power_ask() and vm_mark(). */
	xchg(&p->pending, 0);
	policy = READ_ONCE(pv->policy);
	WRITE_ONCE(p->target, power_target(pv, READ_ONCE(p->asked)));
	WRITE_ONCE(p->changes, p->changes + 1);
	if (policy == KEEL_POWER_OFF)
		power_nice_restore(vcpu);
	else if (thread)
		power_nice_set(vcpu, thread);
	if (policy != KEEL_POWER_OFF)
		power_qos_hurry();
	if (policy != KEEL_POWER_CAP)
		power_cap_leave(vcpu);
	hrtimer_try_to_cancel(&p->timer);
	trace_keel_power(vcpu, READ_ONCE(p->asked), p->target, p->delivered);
}

/* A guest that writes all the time is followed once in POWER_CHANGE_NS. */
static void power_follow(struct keel_vcpu *vcpu, u64 now)
{
	struct power_vcpu *p = &vcpu->power;

	if (now < p->next_change) {
		power_look_at(vcpu, p->next_change);
		return;
	}
	p->next_change = now + POWER_CHANGE_NS;
	power_adjust(vcpu, current);
}

/* Something that the worker has not seen? It need not know of a guest that wakes for a moment. */
static bool qos_concerns(const struct keel_vcpu *vcpu, u64 now)
{
	const struct power_vcpu *p = &vcpu->power;

	return READ_ONCE(p->qos_sleep) != p->last_sleep ||
	       power_time(vcpu, POWER_RUN, now) - READ_ONCE(p->qos_run) >= POWER_MOMENT_NS;
}

bool power_may_enter(struct keel_vcpu *vcpu)
{
	struct power_vcpu *p = &vcpu->power;
	u64 now = power_now();
	u32 policy;

	if (READ_ONCE(p->pending) || (p->task && p->task != current))
		power_follow(vcpu, now);
	policy = READ_ONCE(vcpu->vm->power.policy);
	if (policy == KEEL_POWER_CAP && !power_cap_ready(vcpu, now))
		return false;
	if (policy != KEEL_POWER_OFF && qos_concerns(vcpu, now))
		power_qos_note();
	if (p->slept != KEEL_POWER_RUN)
		power_slept(vcpu, now);
	if (policy != KEEL_POWER_CAP)
		power_measure(vcpu, now);
	return true;
}

void power_leave_run(struct keel_vcpu *vcpu)
{
	power_cap_leave(vcpu);
}

void power_ask(struct keel_vcpu *vcpu, u32 asked)
{
	struct power_vcpu *p = &vcpu->power;

	if (READ_ONCE(p->asked) == asked)
		return;
	WRITE_ONCE(p->asked, asked);
	/*
	 * @asked before the policy and before @pending: pairs with vm_mark() (one of the two sees
	 * the other) and with power_adjust().
	 */
	smp_mb();
	if (READ_ONCE(vcpu->vm->power.policy) == KEEL_POWER_OFF)
		return;
	if (!test_and_set_bit(0, &p->pending))
		vcpu_request(vcpu, VCPU_REQ_POWER);
}

void power_vcpu_reset(struct keel_vcpu *vcpu)
{
	struct power_vcpu *p = &vcpu->power;
	u32 *regs = READ_ONCE(p->regs);

	if (regs)
		power_page_reset(vcpu->vm->power.page, regs, vcpu->id);
	WRITE_ONCE(p->last_sleep, KEEL_POWER_RUN);
	power_ask(vcpu, KEEL_POWER_UNASKED);
}

/* --- settings --- */

/* A thread that is not in KVM_RUN now follows before its next entry; unless it is over. */
static void visit_adjust(struct keel_vcpu *vcpu, void *arg)
{
	bool runs = rcu_access_pointer(vcpu->task) == current;

	if (!READ_ONCE(vcpu->power.pending))
		return;
	if (runs || READ_ONCE(vcpu->vm->power.policy) == KEEL_POWER_OFF)
		power_adjust(vcpu, runs ? current : NULL);
}

/* Each vCPU is to go by the VM's settings. */
static void vm_mark(struct keel_vm *vm)
{
	struct keel_vcpu *vcpu;
	unsigned int i;

	lockdep_assert_held(&vm->power.lock);
	vm_for_each_vcpu(i, vcpu, vm) {
		WRITE_ONCE(vcpu->power.on, vm->power.on);
		smp_mb();	/* after the settings: pairs with power_adjust() and power_ask() */
		set_bit(0, &vcpu->power.pending);
	}
}

/* And does, when this returns 0. One that is not initialised has not asked for anything. */
static int vm_adjust(struct keel_vm *vm)
{
	struct keel_vcpu *vcpu;
	unsigned int i;
	int ret = 0;

	vm_for_each_vcpu(i, vcpu, vm)
		if (vcpu_visit(vcpu, visit_adjust, NULL) == -EINTR)
			ret = -EINTR;
	return ret;
}

static bool power_bad(const struct keel_power *args)
{
	if (abi_bad_argument(args) || args->layout || args->nr_states || args->ipa ||
	    args->set & ~(KEEL_POWER_SET_POLICY | KEEL_POWER_SET_RANGE))
		return true;
	if (args->set & KEEL_POWER_SET_POLICY && args->policy > KEEL_POWER_CAP)
		return true;
	return args->set & KEEL_POWER_SET_RANGE &&
	       (!args->max || args->max > KEEL_POWER_FULL || args->min > args->max);
}

static void set_policy(struct keel_vm *vm, u32 policy)
{
	struct power_vm *pv = &vm->power;

	if (pv->policy == KEEL_POWER_OFF && policy != KEEL_POWER_OFF)
		power_qos_add(vm);
	else if (pv->policy != KEEL_POWER_OFF && policy == KEEL_POWER_OFF)
		power_qos_remove(vm);
	WRITE_ONCE(pv->policy, policy);
	if (policy != KEEL_POWER_OFF)
		pv->on = true;
}

static void power_tell(const struct power_vm *pv, struct keel_power *args)
{
	args->policy = pv->policy;
	args->min = pv->min;
	args->max = pv->max;
	args->nr_states = pv->nr_states;
	args->layout = pv->page ? pv->page->layout : 0;
	args->ipa = pv->page ? pv->page->region.base.v : 0;
}

int power_set(struct keel_vm *vm, struct keel_power *args)
{
	struct power_vm *pv = &vm->power;

	if (power_bad(args))
		return -EINVAL;
	mutex_lock(&pv->lock);
	if (args->set & KEEL_POWER_SET_RANGE) {
		WRITE_ONCE(pv->min, args->min);
		WRITE_ONCE(pv->max, args->max);
	}
	if (args->set & KEEL_POWER_SET_POLICY)
		set_policy(vm, args->policy);
	if (args->set)
		vm_mark(vm);
	power_tell(pv, args);
	mutex_unlock(&pv->lock);
	return args->set ? vm_adjust(vm) : 0;
}

static bool state_bad(const struct keel_power_state *s)
{
	size_t i, len = strnlen(s->name, sizeof(s->name));

	if (!len || len == sizeof(s->name) || s->flags & ~KEEL_POWER_STATE_DEEP)
		return true;
	for (i = 0; i < len; i++)
		if (s->name[i] <= ' ' || s->name[i] > '~')
			return true;
	return memchr_inv(s->name + len, 0, sizeof(s->name) - len);
}

static bool states_bad(const struct keel_power_states *args)
{
	unsigned int i, j;

	if (abi_bad_argument(args) || args->pad || !args->nr ||
	    args->nr > KEEL_POWER_MAX_STATES)
		return true;
	for (i = 0; i < args->nr; i++) {
		if (state_bad(&args->state[i]))
			return true;
		for (j = 0; j < i; j++)
			if (args->state[i].id == args->state[j].id)
				return true;
	}
	return memchr_inv(&args->state[i], 0, (KEEL_POWER_MAX_STATES - i) * sizeof(args->state[0]));
}

int power_states(struct keel_vm *vm, const struct keel_power_states *args)
{
	struct power_vm *pv = &vm->power;
	struct keel_vcpu *vcpu;
	unsigned int i;
	int ret = 0;

	if (states_bad(args))
		return -EINVAL;
	mutex_lock(&pv->lock);
	if (pv->nr_states) {
		ret = -EEXIST;
	} else {
		memcpy(pv->state, args->state, sizeof(pv->state));
		/* Pairs with power_suspend_state(). */
		smp_store_release(&pv->nr_states, args->nr);
		pv->on = true;
		vm_for_each_vcpu(i, vcpu, vm)
			WRITE_ONCE(vcpu->power.on, true);
	}
	mutex_unlock(&pv->lock);
	return ret;
}

/* --- what a vCPU has --- */

static u32 vcpu_power_state(const struct keel_vcpu *vcpu)
{
	if (READ_ONCE(vcpu->state.power_off))
		return KEEL_POWER_CPU_OFF;
	if (READ_ONCE(vcpu->state.suspended))
		return KEEL_POWER_SUSPENDED;
	return READ_ONCE(vcpu->power.sleeping);
}

int power_vcpu(struct keel_vm *vm, struct keel_power_vcpu *args)
{
	struct keel_vcpu *vcpu;
	struct power_vcpu *p;
	u64 now = power_now();

	if (abi_bad_argument(args))
		return -EINVAL;
	vcpu = vm_vcpu_by_id(vm, args->vcpu);
	if (!vcpu)
		return -ENOENT;
	p = &vcpu->power;
	args->state = vcpu_power_state(vcpu);
	args->asked = READ_ONCE(p->asked);
	args->target = power_target(&vm->power, args->asked);
	args->delivered = READ_ONCE(p->delivered);
	args->nice = READ_ONCE(p->task) ? READ_ONCE(p->nice_set) : 0;
	args->asks = READ_ONCE(p->asks);
	args->changes = READ_ONCE(p->changes);
	args->run = power_time(vcpu, POWER_RUN, now);
	args->wait = power_time(vcpu, POWER_WAIT, now);
	args->held = power_time(vcpu, POWER_HELD, now);
	args->polled = READ_ONCE(p->polled);
	args->wfe = READ_ONCE(p->wfe);
	memcpy(args->sleep, p->sleep, sizeof(args->sleep));
	return 0;
}

/* --- lifetime --- */

void power_vm_init(struct keel_vm *vm)
{
	mutex_init(&vm->power.lock);
	INIT_LIST_HEAD(&vm->power.link);
	vm->power.max = KEEL_POWER_FULL;
}

void power_vm_end(struct keel_vm *vm)
{
	if (vm->power.policy != KEEL_POWER_OFF)
		power_qos_remove(vm);
}

void power_vm_destroy(struct keel_vm *vm)
{
	power_page_free(vm->power.page);
	mutex_destroy(&vm->power.lock);
}

void power_vcpu_init(struct keel_vcpu *vcpu)
{
	struct power_vcpu *p = &vcpu->power;

	hrtimer_setup(&p->timer, look_again, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	p->asked = KEEL_POWER_UNASKED;
	p->target = KEEL_POWER_FULL;
	p->delivered = KEEL_POWER_FULL;
	p->home = -1;
}

void power_vcpu_added(struct keel_vcpu *vcpu)
{
	struct power_vm *pv = &vcpu->vm->power;

	mutex_lock(&pv->lock);
	power_page_attach(vcpu);
	if (pv->on) {
		set_bit(0, &vcpu->power.pending);
		WRITE_ONCE(vcpu->power.on, true);
	}
	mutex_unlock(&pv->lock);
}

void power_vcpu_destroy(struct keel_vcpu *vcpu)
{
	hrtimer_cancel(&vcpu->power.timer);
	power_nice_restore(vcpu);
}
