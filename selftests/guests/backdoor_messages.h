/* SPDX-License-Identifier: GPL-2.0 */
/* What backdoor_messages and its guest share. */
#ifndef GUESTS_BACKDOOR_MESSAGES_H
#define GUESTS_BACKDOOR_MESSAGES_H

#include "backdoor.h"

#define CPUS		2

/* What the host orders; a CPU does it between two SYNCs. */
enum {
	OP_RAW,		/* the registers order.x, whatever they are */
	OP_CALL,	/* order.type with order.value in W1 */
	OP_SEND,	/* a message of order.size bytes */
	OP_RECEIVE,	/* a message, if there is one */
	OP_TRIP,	/* OP_SEND, then OP_RECEIVE */
	OP_POLL,	/* OP_RECEIVE until there is one */
	OP_REPLACE,	/* close the channel, open one of the same number, send an empty message */
	OP_TICKS,	/* interrupts on, and the virtual timer's come again and again */
	OP_MASK,	/* interrupts off again */
	OP_STORM,	/* STORM_CALLS calls of any kind to shared.common; both CPUs may */
};

#define STORM_CALLS	100
#define TICK_US		2000
#define SPI		40
#define NOTHING		(~0ULL)
/* Until a channel's number is used again, whichever is next. */
#define REOPENINGS	16

struct order {
	u64 op;
	u64 door;
	struct channel channel;
	u64 type;
	u64 value;
	u64 size;
	u64 seed;
	u64 x[8];	/* X0 to X7 of the last call, after it */
	u64 status;	/* of the last call */
	u64 received;	/* OP_RECEIVE: bytes, or NOTHING */
	u64 ticks;	/* taken by CPU 0 meanwhile */
};

/* In memory at SHARED_IPA. */
struct shared {
	struct order orders[CPUS];
	struct channel common;
	u64 ticks;	/* of the virtual timer */
	u64 spis;
	u64 polls;
};

/* What a CPU sends, and what it received. */
#define SENT_IPA(cpu)		(0x40400000ULL + (cpu) * 0x40000)
#define RECEIVED_IPA(cpu)	(SENT_IPA(cpu) + 0x20000)

#endif
