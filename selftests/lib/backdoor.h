/* SPDX-License-Identifier: GPL-2.0 */
/* Calls of VMware's backdoor by a program of a Linux guest. */
#ifndef SELFTESTS_BACKDOOR_H
#define SELFTESTS_BACKDOOR_H

#include <string.h>

#include "common.h"

#define BACKDOOR_MAGIC	0x564d5868
#define BACKDOOR_PORT	0x5658
#define BACKDOOR_DCC	(0x86ULL << 32)	/* X7 for the DCC door */
#define BACKDOOR_IN	0xe		/* W7 of a command */

#define GETVERSION	10
#define GETVERSION_W0	6
#define GETVERSION_W2	4
#define MESSAGE		30
#define RECVSTATUS	5	/* in W2<31:16> */

/* Functions of the one instruction and a RET. */
void insn_dcc(void);
void insn_dcc_x9(void);
void insn_brk_85(void);
void insn_brk(void);
void insn_brk_87(void);

/**
 * backdoor_try() - one of the above with registers
 * @x: X0 to X7, before and after
 * @insn: which
 */
void backdoor_try(u64 *x, void (*insn)(void));

/** backdoor_version_set() - registers that ask for the version; upper halves that do not matter */
static inline void backdoor_version_set(u64 *x, u64 x7)
{
	static const u64 ask[] = {
		BACKDOOR_MAGIC | 1ULL << 40, ~(u64)BACKDOOR_MAGIC, GETVERSION | 5ULL << 32,
		BACKDOOR_PORT | 7ULL << 48, 0x4444, 0x5555, 0x6666,
	};

	memcpy(x, ask, sizeof(ask));
	x[7] = x7;
}

/** backdoor_version_answered() - does @x hold the answer, and else what was asked? */
static inline bool backdoor_version_answered(const u64 *x, u64 x7)
{
	u64 want[8];

	backdoor_version_set(want, x7);
	want[0] = GETVERSION_W0;
	want[1] = BACKDOOR_MAGIC;
	want[2] = GETVERSION_W2;
	return !memcmp(x, want, sizeof(want));
}

/** backdoor_version_kept() - does @x hold just what was asked? */
static inline bool backdoor_version_kept(const u64 *x, u64 x7)
{
	u64 want[8];

	backdoor_version_set(want, x7);
	return !memcmp(x, want, sizeof(want));
}

#endif
