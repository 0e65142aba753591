/* SPDX-License-Identifier: GPL-2.0 */
/* What backdoor_doors and its guest share. */
#ifndef GUESTS_BACKDOOR_DOORS_H
#define GUESTS_BACKDOOR_DOORS_H

#include "../lib/common.h"

/* The bits of KEEL_HOOKS, which guests have no header for, are those of the doors. */
enum { DOOR_DCC, DOOR_BRK, DOOR_HVC, DOORS };

#define HOOKS_ALL	(BIT(DOORS) - 1)

enum {
	PART_DOORS,	/* SYNCs, and checks each door as shared.hooks says, until shared.stop */
	PART_COMMANDS,	/* all doors are open */
	PART_DECODE,	/* all doors are open */
	PART_TIME,	/* all doors are open; SYNCs, fills shared.seconds */
	PART_FIRST,	/* asks the DCC door for the time until it gets it */
	PART_SPIN,	/* SYNC: hooks to be set, for which it waits by calling; SPIN_END */
	PART_SWITCH,	/* two CPUs; until shared.stop */
	PART_DEBUG,	/* SYNCs whenever the hooks may change */
	PART_DEBUG_STORM,	/* the same without SYNC, until shared.stop */
};

#define SPIN_END	0xff
#define CPUS		2

/* How far clocks may be apart that the two sides read one after the other. */
#define CLOCK_SLACK	2

/* In memory at SHARED_IPA. */
struct shared {
	u64 hooks;		/* those that are on */
	u64 phase;		/* odd while the host switches them */
	u64 seen[CPUS];		/* a CPU's last phase with a whole round of calls; or its rounds */
	u64 stop;
	u64 now;		/* seconds since 1970 when the guest was made */
	u64 seconds[3];		/* the guest's, by GETTIME, GETTIMEFULL, and that with the lag */
};

#endif
