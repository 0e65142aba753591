// SPDX-License-Identifier: GPL-2.0
/*
 * What vCPUs ask for together, of the machine: a least frequency of each cpufreq policy on whose
 * CPUs they run, and a limit on how long each CPU may take to wake up.
 *
 * One worker looks at all vCPUs every QOS_SHORT_MS, as long as one of them runs, and changes only
 * requests that are to be others; while there are none, twice as long after each time, up to
 * QOS_LONG_MS. So nothing of it is in the way of a vCPU, and a guest cannot make the host change
 * frequencies or latencies more often than that. It takes qos_lock; inside that no lock of keel's
 * is taken.
 */
#include <linux/cpu.h>
#include <linux/cpufreq.h>
#include <linux/list.h>
#include <linux/pm_qos.h>
#include <linux/workqueue.h>

#include <keel/compat.h>

#include "internal.h"

#define QOS_SHORT_MS	10
#define QOS_LONG_MS	80
#define NO_LIMIT	PM_QOS_RESUME_LATENCY_NO_CONSTRAINT

/**
 * struct qos_cpu - requests about one CPU; under qos_lock
 * @latency: of the CPU
 * @has_latency: that request is made
 * @us: its value
 * @want_us: as the vCPUs of this round want it
 * @freq: of the cpufreq policy of which this is the first CPU online, if @policy is not NULL
 * @policy: that policy; keeps no reference, see policy_event()
 * @khz: its value
 * @want_khz: of this round
 */
struct qos_cpu {
	struct dev_pm_qos_request latency;
	bool has_latency;
	s32 us;
	s32 want_us;
	struct freq_qos_request freq;
	struct cpufreq_policy *policy;
	s32 khz;
	s32 want_khz;
};

static DEFINE_MUTEX(qos_lock);
static LIST_HEAD(qos_vms);
static DEFINE_PER_CPU(struct qos_cpu, qos_cpus);
static bool qos_idle = true;	/* the worker is not on its way */
static unsigned int qos_ms = QOS_SHORT_MS;	/* until its next round */
static bool qos_changed;	/* in this round a request was; under qos_lock */

/* --- requests --- */

static void latency_set(struct qos_cpu *q, unsigned int cpu, s32 us)
{
	if (q->has_latency ? q->us == us : us == NO_LIMIT)
		return;
	qos_changed = true;
	if (us == NO_LIMIT) {
		dev_pm_qos_remove_request(&q->latency);
		q->has_latency = false;
	} else if (q->has_latency) {
		dev_pm_qos_update_request(&q->latency, us);
	} else {
		q->has_latency = dev_pm_qos_add_request(get_cpu_device(cpu), &q->latency,
							DEV_PM_QOS_RESUME_LATENCY, us) >= 0;
	}
	q->us = us;
}

static void freq_drop(struct qos_cpu *q)
{
	if (!q->policy)
		return;
	freq_qos_remove_request(&q->freq);
	q->policy = NULL;
}

static void freq_set(struct qos_cpu *q, struct cpufreq_policy *policy, s32 khz)
{
	qos_changed |= q->policy ? q->khz != khz : policy && khz;
	if (!khz) {
		freq_drop(q);
	} else if (!q->policy) {
		if (freq_qos_add_request(&policy->constraints, &q->freq, FREQ_QOS_MIN, khz) >= 0)
			q->policy = policy;
	} else if (q->khz != khz) {
		freq_qos_update_request(&q->freq, khz);
	}
	q->khz = khz;
}

/* A policy ends with its driver: what hangs on it goes first. */
static int policy_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct cpufreq_policy *policy = data;
	unsigned int cpu;

	if (event != CPUFREQ_REMOVE_POLICY)
		return NOTIFY_DONE;
	mutex_lock(&qos_lock);
	for_each_possible_cpu(cpu)
		if (per_cpu(qos_cpus, cpu).policy == policy)
			freq_drop(&per_cpu(qos_cpus, cpu));
	mutex_unlock(&qos_lock);
	return NOTIFY_OK;
}

static struct notifier_block policy_nb = { .notifier_call = policy_event };

/* --- a round --- */

static void want_freq(unsigned int cpu, u32 target)
{
	struct cpufreq_policy *policy = cpufreq_cpu_get(cpu);
	struct qos_cpu *q;
	s32 khz;

	if (!policy)
		return;
	q = &per_cpu(qos_cpus, cpumask_first(policy->cpus));
	khz = (u64)policy->cpuinfo.max_freq * target / KEEL_POWER_FULL;
	q->want_khz = max(q->want_khz, khz);
	cpufreq_cpu_put(policy);
}

/* From the last state that it slept in: what the guest was told of that has to hold. */
static void want_latency(const struct keel_vcpu *vcpu, unsigned int cpu)
{
	u32 state = vcpu->power.qos_sleep;
	struct qos_cpu *q = &per_cpu(qos_cpus, cpu);

	if (state < KEEL_POWER_STATE || state >= KEEL_POWER_OTHER)
		return;
	q->want_us = min_t(s64, q->want_us,
			   vcpu->vm->power.state[state - KEEL_POWER_STATE].latency);
}

/* True: it ran for more than a moment since the last round. */
static bool want_vcpu(struct keel_vcpu *vcpu)
{
	struct power_vcpu *p = &vcpu->power;
	u64 run = power_time(vcpu, POWER_RUN, power_now());
	int cpu = READ_ONCE(vcpu->cpu);
	bool ran = run - p->qos_run >= POWER_MOMENT_NS;

	if (cpu < 0)
		cpu = READ_ONCE(vcpu->last_cpu);
	if (cpu < 0)
		return false;
	if (ran) {
		WRITE_ONCE(p->qos_run, run);
		want_freq(cpu, READ_ONCE(p->target));
	}
	WRITE_ONCE(p->qos_sleep, READ_ONCE(p->last_sleep));
	want_latency(vcpu, cpu);
	return ran;
}

static bool want_all(void)
{
	struct keel_vcpu *vcpu;
	struct keel_vm *vm;
	unsigned int i;
	bool ran = false;

	for_each_possible_cpu(i) {
		per_cpu(qos_cpus, i).want_us = NO_LIMIT;
		per_cpu(qos_cpus, i).want_khz = 0;
	}
	list_for_each_entry(vm, &qos_vms, power.link)
		vm_for_each_vcpu(i, vcpu, vm)
			ran |= want_vcpu(vcpu);
	return ran;
}

static void set_all(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		struct qos_cpu *q = &per_cpu(qos_cpus, cpu);
		struct cpufreq_policy *policy = cpufreq_cpu_get(cpu);

		latency_set(q, cpu, q->want_us);
		freq_set(q, policy, policy ? q->want_khz : 0);
		if (policy)
			cpufreq_cpu_put(policy);
	}
}

static void qos_round(struct work_struct *work)
{
	bool ran;

	/* First: a vCPU that runs from here on brings the worker back. */
	smp_store_mb(qos_idle, true);
	mutex_lock(&qos_lock);
	qos_changed = false;
	ran = want_all();
	set_all();
	WRITE_ONCE(qos_ms, qos_changed || !ran ? QOS_SHORT_MS : min(2 * qos_ms, QOS_LONG_MS));
	mutex_unlock(&qos_lock);
	if (ran)
		power_qos_note();
}

static DECLARE_DELAYED_WORK(qos_work, qos_round);

void power_qos_note(void)
{
	if (READ_ONCE(qos_idle) && xchg(&qos_idle, false))
		schedule_delayed_work(&qos_work, msecs_to_jiffies(READ_ONCE(qos_ms)));
}

void power_qos_hurry(void)
{
	if (READ_ONCE(qos_ms) == QOS_SHORT_MS || xchg(&qos_ms, QOS_SHORT_MS) == QOS_SHORT_MS)
		return;
	WRITE_ONCE(qos_idle, false);
	mod_delayed_work(system_wq, &qos_work, msecs_to_jiffies(QOS_SHORT_MS));
}

void power_qos_add(struct keel_vm *vm)
{
	mutex_lock(&qos_lock);
	list_add(&vm->power.link, &qos_vms);
	mutex_unlock(&qos_lock);
}

/* What it wanted goes with the next round; if it is the last VM, now: there may be no other. */
void power_qos_remove(struct keel_vm *vm)
{
	mutex_lock(&qos_lock);
	list_del_init(&vm->power.link);
	if (list_empty(&qos_vms)) {
		want_all();
		set_all();
	}
	mutex_unlock(&qos_lock);
	power_qos_note();
}

int __init power_init(void)
{
	power_tick = div64_u64((u64)NSEC_PER_SEC << 32, arch_timer_get_cntfrq());
	return cpufreq_register_notifier(&policy_nb, CPUFREQ_POLICY_NOTIFIER);
}

void power_exit(void)
{
	cpufreq_unregister_notifier(&policy_nb, CPUFREQ_POLICY_NOTIFIER);
	cancel_delayed_work_sync(&qos_work);
}
