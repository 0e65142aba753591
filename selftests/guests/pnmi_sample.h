/* SPDX-License-Identifier: GPL-2.0 */
/* What pnmi_sample and its guest share. */
#ifndef GUESTS_PNMI_SAMPLE_H
#define GUESTS_PNMI_SAMPLE_H

#include "../lib/common.h"

/* In memory at SHARED_IPA. */
struct shared {
	u64 loop;	/* first instruction of the loop in which CPU 0 spins */
	u64 loop_end;	/* behind its last */
	u64 sp;		/* its stack pointer there */
	u64 rounds;	/* how often it went around */
	u64 stop;	/* it shall end */
	u64 taken;	/* the interrupt that CPU 0 took, | TAKEN */
	u64 running;	/* ICC_RPR_EL1 then */
};

#define SPIN_FP		0x5a5a0000f00dULL
#define TAKEN		(1ULL << 32)
#define SGI_ABOVE	6
#define SGI_BELOW	7

/* What CPU 0 does: SYNCs. */
enum { PART_SPIN, PART_INJECT };

#endif
