// SPDX-License-Identifier: GPL-2.0
/*
 * The share of CPU time that a target is worth to the host's scheduler: the thread's nice value,
 * and with it the utilization clamps of hosts that have them, which steer frequency and placement.
 *
 * A thread has a value of its own, to which the target is relative, and gets it back. If somebody
 * else changes it meanwhile, that is its own from then on. Threads of real-time classes are left
 * alone.
 */
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <uapi/linux/sched.h>
#include <uapi/linux/sched/types.h>

#include <keel/compat.h>

#include "internal.h"

/* 1024 / 1.25^n: what n more of nice value leave of a share. */
static const u16 nice_share[] = {
	1024, 819, 655, 524, 419, 336, 268, 215, 172, 137, 110, 88, 70, 56, 45, 36, 29, 23, 18, 15,
};

/* The step that comes nearest, as a ratio. */
static int nice_steps(u32 target)
{
	unsigned int n = 0;

	while (n + 1 < ARRAY_SIZE(nice_share) &&
	       (u32)nice_share[n] * nice_share[n + 1] > target * target)
		n++;
	return n;
}

/* Beside a cap one step less: the scheduler's share is a little more, so the cap is what counts. */
static int nice_steps_of(const struct keel_vcpu *vcpu)
{
	int steps = nice_steps(vcpu->power.target);

	return READ_ONCE(vcpu->vm->power.policy) == KEEL_POWER_CAP ? max(steps - 1, 0) : steps;
}

static bool is_fair(const struct task_struct *t)
{
	return t->policy == SCHED_NORMAL || t->policy == SCHED_BATCH;
}

#ifdef CONFIG_UCLAMP_TASK
static void clamps_note(struct power_vcpu *p, const struct task_struct *t)
{
	unsigned int i;

	for (i = 0; i < UCLAMP_CNT; i++)
		p->clamp_own[i] = t->uclamp_req[i].user_defined ? t->uclamp_req[i].value : -1;
}

static void clamps_fill(struct sched_attr *attr, u32 min, u32 max)
{
	attr->sched_flags |= SCHED_FLAG_UTIL_CLAMP_MIN | SCHED_FLAG_UTIL_CLAMP_MAX;
	attr->sched_util_min = min;
	attr->sched_util_max = max;
}
#else
static void clamps_note(struct power_vcpu *p, const struct task_struct *t)
{
}

static void clamps_fill(struct sched_attr *attr, u32 min, u32 max)
{
}
#endif

static void nice_apply(struct task_struct *t, int nice, u32 clamp_min, u32 clamp_max)
{
	struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = t->policy,
		.sched_nice = nice,
	};

	if (t->sched_reset_on_fork)
		attr.sched_flags |= SCHED_FLAG_RESET_ON_FORK;
	clamps_fill(&attr, clamp_min, clamp_max);
	sched_setattr_nocheck(t, &attr);
}

void power_nice_restore(struct keel_vcpu *vcpu)
{
	struct power_vcpu *p = &vcpu->power;
	struct task_struct *t = p->task;

	if (!t)
		return;
	if (is_fair(t) && task_nice(t) == p->nice_set)
		nice_apply(t, p->nice_own, p->clamp_own[0], p->clamp_own[1]);
	WRITE_ONCE(p->task, NULL);
	put_task_struct(t);
}

static void nice_take(struct power_vcpu *p, struct task_struct *t)
{
	p->nice_own = task_nice(t);
	p->nice_set = p->nice_own;
	clamps_note(p, t);
	WRITE_ONCE(p->task, get_task_struct(t));
}

void power_nice_set(struct keel_vcpu *vcpu, struct task_struct *thread)
{
	struct power_vcpu *p = &vcpu->power;
	int nice;

	if (p->task != thread)
		power_nice_restore(vcpu);
	if (!is_fair(thread))
		return;
	if (!p->task)
		nice_take(p, thread);
	if (task_nice(thread) != p->nice_set)
		p->nice_own = task_nice(thread);
	nice = min(p->nice_own + nice_steps_of(vcpu), MAX_NICE);
	WRITE_ONCE(p->nice_set, nice);
	nice_apply(thread, nice, min(READ_ONCE(vcpu->vm->power.min), p->target), p->target);
}
