/* SPDX-License-Identifier: GPL-2.0 */
/* What the test and the guest of keelctl_power agree on. */
#ifndef GUESTS_KEELCTL_POWER_H
#define GUESTS_KEELCTL_POWER_H

#include "../lib/report.h"

#define REGISTERS_IPA	MMIO_IPA
#define BEGUN_IPA	(SHARED_IPA + 0x1000)

/* PSCI's power_state of the two idle states, which keep registers */
#define STATE_SHALLOW	0x1
#define STATE_DEEP	0x2

enum power_op {
	POWER_ASK,	/* write value to the performance register */
	POWER_WFI,	/* sleep value times, until a timer fires */
	POWER_SUSPEND,	/* the same, by CPU_SUSPEND to STATE_DEEP */
	POWER_BUSY,	/* for ever */
	POWER_IDLE,	/* WFI for ever */
	POWER_TOGGLE,	/* ask for value and its double by turns, for ever */
};

/**
 * struct power_command - at SHARED_IPA
 * @op: enum power_op
 * @value: see there
 */
struct power_command {
	u64 op;
	u64 value;
};

#endif
