/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of the guest of run_signals. */
#ifndef GUESTS_RUN_SIGNALS_H
#define GUESTS_RUN_SIGNALS_H

#define PART_SPIN	0	/* count at SHARED_IPA for ever, without an exit */
#define PART_READS	1	/* read MMIO into READS_REGISTER, write it back plus one */
#define PART_COUNT	2	/* write 0, 1, 2 …, each value read from MMIO before */

#define READS_REGISTER	5
#define STORM_EXITS	2000
#define STORM_SIGNALS	200

#endif
