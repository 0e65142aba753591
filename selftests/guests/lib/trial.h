/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One instruction at a time, at EL0 or EL1, with all registers from a table. The exception that
 * ends it, its own or that of the SVC behind it, tells all registers again, the flags, PC and SP.
 */
#ifndef GUEST_TRIAL_H
#define GUEST_TRIAL_H

#include "guest.h"

#define TRIAL_CPUS	8

#define VECTOR_EL1T	0
#define VECTOR_EL0	8

#define PSTATE_EL1T	4
#define PSTATE_EL1H	5
#define DAIF_ALL	0x3c0

#define EC_SVC		0x15
#define ESR_IL		BIT(25)
#define ESR(ec, iss)	((u64)(ec) << 26 | ESR_IL | (iss))

#define SVC_IMM		0x4711
#define INSN_SVC	(0xd4000001 | SVC_IMM << 5)
#define ESR_SVC		ESR(EC_SVC, SVC_IMM)

/* EL0's: a page of code for each CPU, what else it may access, and SP, which is only kept. */
#define USER_CODE	FREE_IPA
#define USER_DATA	(FREE_IPA + 0x10000)
#define USER_SP		(FREE_IPA + 0x20000)

/**
 * struct level - where the instruction runs
 * @pstate: mode and masks
 * @vector: of exceptions from there
 * @el0: it is unprivileged
 */
struct level {
	u64 pstate;
	u32 vector;
	bool el0;
};

enum { LEVEL_EL0, LEVEL_EL1T, LEVEL_EL1H, LEVELS };

extern const struct level levels[LEVELS];

#define for_each_level(l) for ((l) = levels; (l) < levels + ARRAY_SIZE(levels); (l)++)

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
 * @x: registers before
 * @pstate: the same
 * @sp: the same
 * @back: way back
 * @at: registers at the exception that ended it
 * @sp_at: the same
 * @vector: of that exception
 * @running: only now an exception is one of these
 * @again: may be set: asked at each exception; true: it does not end the trial, which goes on
 *	where it was
 * @seed: for values of registers
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
	bool (*again)(struct trial *t);
	u64 seed;
};

/**
 * trials_init() - once, before the first trial: takes the vectors, and gives EL0 the block of
 *	USER_CODE
 */
void trials_init(void);

/**
 * trial() - this CPU's
 *
 * Return: the last one, or the next one's settings
 */
struct trial *trial(void);

/**
 * trial_run() - run code until its first exception
 * @l: where
 * @code: it
 * @x: all 31 registers
 * @pstate: as it shall be
 *
 * Return: how it ended; what it points to has to stay
 */
const struct trial *trial_run(const struct level *l, const u32 *code, const u64 *x, u64 pstate);

/**
 * trial_give_up() - in the handler of an interrupt: the trial ends here, without an exception
 * @frame: the interrupt's
 */
void trial_give_up(struct frame *frame);

/**
 * random() - something else each time
 *
 * Return: 64 bits of it
 */
u64 random(void);

/**
 * code_of() - where this CPU's code is for a level
 * @l: level
 *
 * Return: its first instruction
 */
u32 *code_of(const struct level *l);

/**
 * code_put() - three instructions, of which one ends the trial
 * @l: where they run
 * @first: instruction
 * @second: instruction
 * @third: instruction
 */
void code_put(const struct level *l, u32 first, u32 second, u32 third);

/**
 * run_code() - run what code_put() has put, with some flags
 * @l: where
 * @x: all 31 registers
 * @pstate: of the level, and what comes on top
 *
 * Return: how it ended
 */
const struct trial *run_code(const struct level *l, const u64 *x, u64 pstate);

/**
 * same() - ASSERT_EQ() that shows the trial when it fails
 * @t: trial
 * @what: is compared
 * @n: its number
 * @got: value found
 * @want: value expected
 */
void same(const struct trial *t, const char *what, u32 n, u64 got, u64 want);

/**
 * check_state() - all but the syndrome
 * @t: trial
 * @x: registers that are expected
 * @n: how many instructions were executed
 * @pstate: the flags and the mode
 */
void check_state(const struct trial *t, const u64 *x, u32 n, u64 pstate);

#endif
