/* SPDX-License-Identifier: GPL-2.0 */
/* The backdoor's messages, as the tests and their guests name what they are made of. */
#ifndef GUESTS_BACKDOOR_H
#define GUESTS_BACKDOOR_H

#include "../lib/common.h"

#define MAGIC		0x564d5868
#define PORT		0x5658
#define IN_DX		0xe	/* W7: IN EAX, DX */
#define GETVERSION	10
#define GETGUIOPTIONS	13
#define MESSAGE		30

/* Types of calls, and their status. */
enum { OPEN, SENDSIZE, SENDPAYLOAD, RECVSIZE, RECVPAYLOAD, RECVSTATUS, CLOSE, TYPES };

#define COOKIES		0x80000000	/* flag of OPEN */
#define SUCCESS		1
#define DORECV		2
#define HIGH		0x80	/* the high bandwidth is offered */

#define RPCI		0x49435052
#define TCLO		0x4f4c4354
#define MAX_SIZE	65536
#define MAX_CHANNELS	8

enum { DOOR_HVC, DOOR_DCC, DOOR_BRK, DOORS };

/* An open channel as its user knows it. */
struct channel {
	u32 number;
	u32 high;	/* cookies */
	u32 low;
	u32 pad;
};

#endif
