/* SPDX-License-Identifier: GPL-2.0 */
/* What the guest of stage2_memslots goes through, and where the test lets it appear. */
#ifndef GUESTS_STAGE2_MEMSLOTS_H
#define GUESTS_STAGE2_MEMSLOTS_H

#define MOVING_CPUS	8
#define MOVING_SLOTS	6
#define MOVING_PAGES	4	/* of each slot */
#define MOVING_SIZE	(MOVING_PAGES * 4096ULL)
/* Each slot is at one of the two, or nowhere; the guest uses both addresses all the same. */
#define MOVING_IPA	0x60000000ULL
#define MOVING_ALIAS	0x68000000ULL
/* MOVING_CPUS counters at SHARED_IPA say how often a CPU has been through all of it. */

#endif
