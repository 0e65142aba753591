/* SPDX-License-Identifier: GPL-2.0 */
/* Among the files of src/power/. */
#ifndef KEEL_POWER_INTERNAL_H
#define KEEL_POWER_INTERNAL_H

#include <linux/math64.h>
#include <linux/time64.h>
#include <clocksource/arm_arch_timer.h>

#include <keel/stage2.h>
#include <keel/vm.h>

/* What a vCPU that is idle runs now and then, for which the host need not do anything. */
#define POWER_MOMENT_NS		NSEC_PER_MSEC

/* Between two adjustments of the host to one vCPU, however often the guest writes. */
#define POWER_CHANGE_NS		NSEC_PER_MSEC

/**
 * struct power_page - the register pages of a VM
 * @region: their place on the MMIO bus, where stores arrive
 * @layout, @nr_levels, @level: KEEL_POWER_PAGE's
 * @nr_vcpus: for ids below
 * @lent: the pages
 */
struct power_page {
	struct mmio_region region;
	u32 layout;
	u32 nr_vcpus;
	u32 nr_levels;
	u32 level[KEEL_POWER_MAX_LEVELS];
	struct stage2_lent *lent;
};

/* Registers: index into power_vcpu.regs. Layout CPUFREQ: */
enum {
	CPUFREQ_CUR = 0x00 / 4,		/* kHz delivered */
	CPUFREQ_SET = 0x04 / 4,		/* written: kHz asked for */
	CPUFREQ_LEN = 0x08 / 4,		/* how many levels */
	CPUFREQ_SEL = 0x0c / 4,		/* written: which one RD tells */
	CPUFREQ_RD = 0x10 / 4,		/* kHz of it, 0: there is none */
	CPUFREQ_DOMAIN = 0x14 / 4,	/* vCPUs of one number share a frequency: none do */
};

/* Layout CPPC, as Documentation/power.md tells it for _CPC: */
enum {
	CPPC_HIGHEST = 0x00 / 4,
	CPPC_NOMINAL = 0x04 / 4,
	CPPC_LOWEST_NONLINEAR = 0x08 / 4,
	CPPC_LOWEST = 0x0c / 4,
	CPPC_DESIRED = 0x10 / 4,	/* written */
	CPPC_MIN = 0x14 / 4,		/* written; 0: lowest */
	CPPC_MAX = 0x18 / 4,		/* written; 0: highest */
	CPPC_REFERENCE = 0x1c / 4,	/* performance at which the reference counter counts */
	CPPC_REFERENCE_COUNT = 0x20 / 4,	/* 64 bits: ns in which it wanted to run */
	CPPC_DELIVERED_COUNT = 0x28 / 4,	/* 64 bits: the same in proportion to what it got */
};

#define POWER_REGS_END	0x30	/* offset behind them, of either layout */

/* CPPC: from lowest to highest, as in power_page.level */
enum { LEVEL_LOWEST, LEVEL_LOWEST_NONLINEAR, LEVEL_NOMINAL, LEVEL_HIGHEST };

/* ns of a tick of the system counter, << 32 */
extern u64 power_tick;

/**
 * power_now() - ns by the system counter, in any context
 *
 * A tenth of what the kernel's clocks take, whose corrections do not matter here.
 */
static inline u64 power_now(void)
{
	return mul_u64_u64_shr(arch_timer_read_counter(), power_tick, 32);
}

/* --- page.c, page_el2.c --- */

/** power_page_top() - the level that is KEEL_POWER_FULL */
static inline u32 power_page_top(const struct power_page *page)
{
	return page->level[page->nr_levels - 1];
}

/**
 * power_page_asks() - would a store of @val at @offset change what is asked, and to what
 * @asked: out, KEEL_POWER_VCPU's
 *
 * Any tier. Return: false: the register is not about performance, or there is none.
 */
bool power_page_asks(const struct power_page *page, const u32 *regs, unsigned int offset,
		     unsigned int len, u32 val, u32 *asked);

/** power_page_store() - do it; what is read-only or not there stays as it is. Any tier */
void power_page_store(const struct power_page *page, u32 *regs, unsigned int offset,
		      unsigned int len, u32 val);

/** power_page_publish() - what was written to @regs is what the guest reads. Any tier */
void power_page_publish(const u32 *regs);

/** power_page_reset() - @regs as they are when the guest begins */
void power_page_reset(const struct power_page *page, u32 *regs, u32 id);

/** power_page_attach() - @vcpu's registers, if its VM has any for it; power.lock held */
void power_page_attach(struct keel_vcpu *vcpu);

/** power_page_deliver() - tell the guest: @wanted ns more, of which it got @got, after scaling */
void power_page_deliver(struct keel_vcpu *vcpu, u64 wanted, u64 got);

/** power_page_free() - stage 2 is gone */
void power_page_free(struct power_page *page);

/* --- power.c --- */

/** power_ask() - the guest wants @vcpu to have @asked; second tier, any vCPU of the VM */
void power_ask(struct keel_vcpu *vcpu, u32 asked);

/** power_look_at() - have @vcpu's thread look again at @at ns, or before; that thread */
void power_look_at(struct keel_vcpu *vcpu, u64 at);

/* --- account.c --- */

/** power_time() - ns that @vcpu has done @doing, until @now */
u64 power_time(const struct keel_vcpu *vcpu, enum power_doing doing, u64 now);

/** power_measure() - make @delivered anew if its window is over; the vCPU's thread, loaded */
void power_measure(struct keel_vcpu *vcpu, u64 now);

/* --- cap.c --- */

/** power_cap_ready() - may @vcpu run now? If not it has slept; the vCPU's thread, loaded */
bool power_cap_ready(struct keel_vcpu *vcpu, u64 now);

/** power_cap_leave() - it does not want to run any more */
void power_cap_leave(struct keel_vcpu *vcpu);

/* --- nice.c --- */

/** power_nice_set() - @thread's share of CPU time for @vcpu's target; vcpu->mutex held */
void power_nice_set(struct keel_vcpu *vcpu, struct task_struct *thread);

/** power_nice_restore() - the thread that has one gets its own back; vcpu->mutex held, or nobody */
void power_nice_restore(struct keel_vcpu *vcpu);

/* --- sleep.c --- */

/** power_slept() - the guest is about to be entered after a sleep; the vCPU's thread */
void power_slept(struct keel_vcpu *vcpu, u64 now);

/* --- qos.c --- */

/** power_qos_note() - a vCPU of a policy other than OFF runs: let the worker look; any thread */
void power_qos_note(void);

/** power_qos_hurry() - a target has changed: the worker shall not wait long; task context */
void power_qos_hurry(void);

/** power_qos_add() / power_qos_remove() - a VM whose policy is not OFF; may sleep */
void power_qos_add(struct keel_vm *vm);
void power_qos_remove(struct keel_vm *vm);

#endif /* KEEL_POWER_INTERNAL_H */
