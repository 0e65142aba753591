/* SPDX-License-Identifier: GPL-2.0 */
/* Among the files of src/vtimer/. */
#ifndef KEEL_VTIMER_INTERNAL_H
#define KEEL_VTIMER_INTERNAL_H

#include <clocksource/arm_arch_timer.h>

#include <keel/vm.h>

#define CTL_ON (ARCH_TIMER_CTRL_ENABLE | ARCH_TIMER_CTRL_IT_MASK)

/* By CNT*_CTL_EL0: its condition raises the line. */
static inline bool vtimer_armed(u64 ctl)
{
	return (ctl & CTL_ON) == ARCH_TIMER_CTRL_ENABLE;
}

/** vtimer_ctx_read() - a register of a timer that is in memory; @count: its counter now */
u64 vtimer_ctx_read(const struct vtimer_ctx *t, enum vtimer_reg r, u64 count);

/** vtimer_ctx_write() - the same for writing; no callback runs meanwhile */
void vtimer_ctx_write(struct vtimer_ctx *t, enum vtimer_reg r, u64 val, u64 count);

/**
 * vtimer_sample_el2() - does CNTV in this CPU assert its interrupt now; interrupts off, vCPU loaded
 */
bool vtimer_sample_el2(void);

#endif /* KEEL_VTIMER_INTERNAL_H */
