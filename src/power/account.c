// SPDX-License-Identifier: GPL-2.0
/*
 * What a vCPU's time went by, and so what performance was delivered: of the time in which it wanted
 * to run the part in which it did, by the speed of the CPU then.
 */
#include <linux/arch_topology.h>
#include <linux/cache.h>
#include <linux/math64.h>

#include <keel/compat.h>

#include "internal.h"

#define WINDOW_NS	(40 * NSEC_PER_MSEC)	/* of what is delivered: some periods of a cap */
#define WINDOW_WANTED_NS NSEC_PER_MSEC		/* in less of it nothing can be told */

u64 power_tick __ro_after_init;

void power_count(struct keel_vcpu *vcpu, enum power_doing doing)
{
	struct power_vcpu *p = &vcpu->power;
	u64 now = power_now();

	WRITE_ONCE(p->time[p->doing], power_time(vcpu, p->doing, now));
	WRITE_ONCE(p->since, now);
	WRITE_ONCE(p->doing, doing);
}

/* For others than the vCPU's thread it may be wrong for once, by what is being added. */
u64 power_time(const struct keel_vcpu *vcpu, enum power_doing doing, u64 now)
{
	const struct power_vcpu *p = &vcpu->power;
	u64 time = READ_ONCE(p->time[doing]), since = READ_ONCE(p->since);

	if (READ_ONCE(p->doing) == doing && since && now > since)
		time += now - since;
	return time;
}

/* Of the CPU that the thread is on: its speed now, its size in a machine of unequal ones. */
static u32 host_speed(void)
{
	unsigned int cpu = raw_smp_processor_id();

	return topology_get_freq_scale(cpu) * topology_get_cpu_scale(cpu) >> SCHED_CAPACITY_SHIFT;
}

void power_measure(struct keel_vcpu *vcpu, u64 now)
{
	struct power_vcpu *p = &vcpu->power;
	u64 time[POWER_NR_DOING], run, wanted;
	unsigned int i;

	if (now - p->window < WINDOW_NS)
		return;
	for (i = 0; i < POWER_NR_DOING; i++)
		time[i] = power_time(vcpu, i, now);
	run = time[POWER_RUN] - p->window_time[POWER_RUN];
	wanted = run + time[POWER_WAIT] - p->window_time[POWER_WAIT] +
		 time[POWER_HELD] - p->window_time[POWER_HELD];
	if (wanted < WINDOW_WANTED_NS)
		return;
	run = run * host_speed() >> SCHED_CAPACITY_SHIFT;
	WRITE_ONCE(p->delivered, div64_u64(run * KEEL_POWER_FULL + wanted / 2, wanted));
	p->window = now;
	memcpy(p->window_time, time, sizeof(time));
	power_page_deliver(vcpu, wanted, run);
}
