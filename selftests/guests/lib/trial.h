/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Trials: code that runs at EL0 or EL1 with all registers from a table. The exception that ends it
 * tells all registers again, the flags, PC and SP.
 */
#ifndef GUEST_TRIAL_H
#define GUEST_TRIAL_H

#include "guest.h"

#define VECTOR_EL1T	0
#define VECTOR_EL0	8

#define PSTATE_EL1T	4
#define PSTATE_EL1H	5
#define DAIF_ALL	0x3c0

/* A stack pointer, which is only kept. */
#define TRIAL_SP	(FREE_IPA + 0x20000)

/**
 * struct level - where code comes from
 * @pstate: mode and masks
 * @vector: of exceptions from there
 * @el0: it is unprivileged
 */
struct level {
	u64 pstate;
	u32 vector;
	bool el0;
};

#define LEVELS	3	/* EL0, EL1 with SP_EL0, EL1 */

extern const struct level trial_levels[LEVELS];

/**
 * struct back - where an exception leads back to
 * @sp: SP of EL1h when the code began
 * @pc: behind it
 */
struct back {
	u64 sp;
	u64 pc;
};

/**
 * struct trial - code that ran, and how it ended
 * @level: where it ran
 * @code: its first instruction
 * @x: x0 to x30 before
 * @pstate: the same
 * @sp: the same
 * @back: way back
 * @at: registers at the exception that ended it
 * @sp_at: the same
 * @vector: of that exception
 * @running: only now an exception is one of these
 */
struct trial {
	const struct level *level;
	const u32 *code;
	const u64 *x;
	u64 pstate;
	u64 sp;
	struct back back;
	struct frame at;
	u64 sp_at;
	u32 vector;
	bool running;
};

/**
 * trials_init() - take the vectors of synchronous exceptions, give EL0 the 2 MB at FREE_IPA
 */
void trials_init(void);

/**
 * trial() - this CPU's
 *
 * Return: what ran last, or runs
 */
struct trial *trial(void);

/**
 * trial_run() - run code until its first exception
 * @level: where
 * @code: it
 * @x: x0 to x30
 * @pstate: as it shall be
 *
 * Return: the trial; what it points to has to stay
 */
const struct trial *trial_run(const struct level *level, const u32 *code, const u64 *x, u64 pstate);

/**
 * trial_give_up() - in the handler of an interrupt: the trial ends here, without an exception
 * @frame: the interrupt's
 */
void trial_give_up(struct frame *frame);

#endif
