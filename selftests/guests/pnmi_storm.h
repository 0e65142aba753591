/* SPDX-License-Identifier: GPL-2.0 */
/* What pnmi_storm.c and its guest share. */
#ifndef GUESTS_PNMI_STORM_H
#define GUESTS_PNMI_STORM_H

#include "../lib/common.h"

/* The guest's argument: what its CPUs do, whether each has a timer, and how many there are. */
#define STORM_BALLS	0
#define STORM_FLOOD	1
#define STORM_ARG(part, timers, cpus)	((part) << 16 | (timers) << 8 | (cpus))

#define STORM_MAX_CPUS	8
#define STORM_FIRST_SPI	40
#define STORM_SPIS	4
#define STORM_TIMER_US	100

/**
 * struct storm - at SHARED_IPA
 * @sent: how often a CPU (first index) has sent the SGI to another
 * @timer: interrupts of a CPU's timer
 * @spi: interrupts of an SPI
 */
struct storm {
	u64 sent[STORM_MAX_CPUS][STORM_MAX_CPUS];
	u64 timer[STORM_MAX_CPUS];
	u64 spi[STORM_SPIS];
};

#endif
