/* SPDX-License-Identifier: GPL-2.0 */
/* What backdoor_high and its guest share. */
#ifndef GUESTS_BACKDOOR_HIGH_H
#define GUESTS_BACKDOOR_HIGH_H

#include "backdoor.h"

#define CPUS		2
#define GUEST_NO_GIC	0x100	/* in the argument, which is the number of CPUs */

#define PORT_HIGH	0x5659
#define W7_OUT		0x18	/* REP OUTSB */
#define W7_IN		0x1c	/* REP INSB */
#define DOOR_IMM	0x86ULL

/*
 * The guest's tables besides the library's, which the host fills. Translation starts at level 0, at
 * the first of them, for both halves of the address space.
 */
#define TABLES_IPA	0x50000000ULL
#define TABLE_ROOT	0
#define NR_TABLES	16
/* Memory of buffers, which the library's map has at the same virtual addresses, as blocks. */
#define BUFFER_IPA	0x60000000ULL
#define BUFFER_PAGES	32

#define TCR_HA		BIT(39)
#define TCR_HD		BIT(40)

enum {
	OP_TRIAL,	/* one instruction */
	OP_REGIME,	/* tables on with order.x[0] in TCR_EL1 besides; without when order.x[1] */
	OP_CALLS,	/* shared.storm: calls in its channel until the end */
	OP_MAPS,	/* shared.storm: takes a page of the buffer's away again and again */
	OP_TRIPS,	/* order.trips messages out and back, each of MAX_SIZE bytes */
	OP_SLEEP,	/* WFI until the SPI comes */
};

#define SPI		40
#define REPAIRS		4

/* A fault of the guest's own, as its handler sees it. */
struct fault {
	u64 esr;
	u64 far;
};

/* What the handler does: a descriptor is written. */
struct repair {
	u64 entry;	/* where */
	u64 value;
};

struct order {
	u64 op;
	u64 insn;
	u64 el0;
	u64 pan;
	u64 written;	/* registers that may change, as bits */
	u64 x[8];	/* before and after it */
	u64 repairs;
	struct repair repair[REPAIRS];
	u64 faults;	/* out: how many, one more than repairs at most: that one ends it */
	struct fault fault[REPAIRS + 1];
	struct channel channel;
	u64 buffer;	/* OP_TRIPS, OP_CALLS */
	u64 trips;
};

/* What OP_CALLS and OP_MAPS are about. */
struct storm {
	struct repair page;	/* the last but one, which OP_MAPS takes away, */
	u64 ipa;		/* and where it is */
	struct repair last;	/* OP_CALLS takes this one away itself, */
	u64 last_va;		/* and this is where it faults for it */
	u64 tries;
	u64 rounds;	/* that OP_MAPS makes at least */
	u64 calls;	/* and OP_CALLS each way */
	u64 round;
	u64 over;
	u64 out;	/* calls of each kind */
	u64 in;
	u64 faults;
};

/* Of 17 pages, the first and the last one in part. */
#define STORM_OFFSET	4000
#define STORM_SIZE	(96 + 15 * 4096 + 100)
/* So often a call moves all of a message but what is in the last page, before that comes. */
#define STORM_TRIES	30
/* Bytes of the page while it is the caller's, in messages to it, and while it is not. */
#define BYTE_OURS	0x11
#define BYTE_MESSAGE	0x55
#define BYTE_OTHERS	0xaa

/* In memory at SHARED_IPA. */
struct shared {
	struct order orders[CPUS];
	struct storm storm;
	u64 pan;		/* the CPU has FEAT_PAN2 */
	u64 hafdbs;		/* ID_AA64MMFR1_EL1.HAFDBS */
	u64 level1;		/* of the library's map */
	u64 trips;
	u64 woken;
};

#endif
