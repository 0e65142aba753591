/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of the guest of vtimer_irq. */
#ifndef GUESTS_VTIMER_IRQ_H
#define GUESTS_VTIMER_IRQ_H

#define PART_REGISTERS	0
#define PART_VIRTUAL	1
#define PART_PHYSICAL	2
#define PART_WFI	3
#define PART_BUSY	4	/* 100 us timers, each counted, with work between them */
#define PART_MASKED	5
#define PART_HELD	6	/* a sync in the handler, then another interrupt */

#define BUSY_ROUNDS	400

#endif
