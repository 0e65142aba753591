/* SPDX-License-Identifier: GPL-2.0 */
/* Which timer the guest of host_suspend waits for, and how long: its argument. */
#ifndef GUESTS_HOST_SUSPEND_H
#define GUESTS_HOST_SUSPEND_H

#define TIMER_VIRT	27
#define TIMER_PHYS	30
#define TIMER_ARG(timer, ms)	((u64)(ms) << 32 | (timer))

#endif
