/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of power and their guest share. Each CPU of the guest goes around a loop and
 * counts how often, and does what it is told meanwhile.
 */
#ifndef GUESTS_POWER_H
#define GUESTS_POWER_H

#include "../lib/common.h"

#define POWER_CPUS	4
#define POWER_IPA	0x0b000000	/* register pages; device memory to the guest */

/* struct power_cpu.command */
enum {
	POWER_COUNT,	/* nothing */
	POWER_STORE,	/* arg[0] address, [1] bytes, [2] value */
	POWER_LOAD,	/* arg[0] address, [1] bytes; result: value */
	POWER_WFI,	/* until a timer of arg[0] us */
	POWER_SUSPEND,	/* CPU_SUSPEND: function arg[0], state [1], timer of [2] us; result: x0 */
	POWER_OFF,	/* CPU_OFF */
	POWER_ON,	/* CPU_ON of CPU arg[0]; result: x0 */
	POWER_FLOOD,	/* stores of all kinds to all pages, arg[0] of them, from seed [1] */
	POWER_FLIP,	/* arg[0] stores of [2] and [3] in turn to address [1] */
	POWER_PAIR,	/* two registers at once to arg[0]; result: ESR_EL1 of the fault */
	POWER_END,	/* the guest ends */
};

/**
 * struct power_cpu - of one CPU, at SHARED_IPA for each
 * @rounds: of the loop
 * @command: POWER_*, cleared when it is done
 * @arg: its arguments
 * @result: of it
 * @alive: the CPU has been here
 * @ticks: interrupts of its timer
 * @late: ns between the timer of the last sleep and its handler
 */
struct power_cpu {
	u64 rounds;
	u64 command;
	u64 arg[4];
	u64 result;
	u64 alive;
	u64 ticks;
	u64 late;
	u64 unused[6];
};

#endif
