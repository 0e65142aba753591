// SPDX-License-Identifier: GPL-2.0
/* Calls through the doors of the backdoor, and what looks like one, at EL0 and EL1. */
#include "guest.h"
#include "trial.h"
#include "backdoor_doors.h"

#define EC_BREAKPOINT	0x30	/* these three from EL0; from EL1 it is the next one */
#define EC_STEP		0x32
#define EC_WATCHPOINT	0x34
#define EC_BRK		0x3c
#define ESR_UNDEF	ESR(EC_UNKNOWN, 0)
/* op0 = 2, op1 = 3, CRm = 1, a read; Rt comes on top. */
#define ISS_MDCCSR	(2 << 20 | 3 << 14 | 1 << 1 | 1)
#define DEBUG_STATUS	0x7f	/* of the ISS of debug exceptions: DFSC or IFSC, WnR or EX */
#define DFSC_DEBUG	0x22
#define WNR		BIT(6)

#define PSTATE_D	BIT(9)
#define PSTATE_SS	BIT(21)

#define MDSCR_SS	BIT(0)
#define MDSCR_TDCC	BIT(12)
#define MDSCR_KDE	BIT(13)
#define MDSCR_MDE	BIT(15)
/* DBGBCR, DBGWCR: enabled, at EL1 or EL0; all four bytes; stores to all eight bytes */
#define BCR(el0)	(1 | ((el0) ? 2 : 1) << 1 | 0xf << 5)
#define WCR(el0)	(1 | ((el0) ? 2 : 1) << 1 | 2 << 3 | 0xff << 5)

#define INSN_NOP	0xd503201f
#define INSN_STORE	0xf9000141	/* str x1, [x10] */
#define INSN_MDCCSR(rt)	(0xd5330100 | (rt))
#define INSN_BRK(imm)	(0xd4200000 | (imm) << 5)
#define INSN_HVC(imm)	(0xd4000002 | (imm) << 5)
#define INSN_RT		0x1f
#define INSN_IMM(insn)	((insn) >> 5 & 0xffff)
#define INSN_MDSCR_READ(rt)	(0xd5300240 | (rt))
#define INSN_MDSCR_WRITE(rt)	(0xd5100240 | (rt))
#define XZR		31

#define DOOR_IMM	0x86
#define MAGIC		0x564d5868
#define PORT		0x5658
#define PORT_UNKNOWN	0x1234
#define IO_IN		BIT(2)
#define IN_DX		0x0e	/* four bytes, as the next one */
#define OUT_DX		0x0a
#define UNKNOWN		0xffffffff

#define GETMHZ		1
#define GETVERSION	10
#define GETHWVERSION	17
#define GETTIME		23
#define GETTIMEFULL	46
#define GETTIMEFULL_LAG	55
#define VERSION		6

#define LOW		0xffffffffULL
#define LOW16		0xffffULL

static struct shared *const shared = (struct shared *)SHARED_IPA;

static const u32 door_insns[DOORS] = {
	[DOOR_DCC] = INSN_MDCCSR(XZR),
	[DOOR_BRK] = INSN_BRK(DOOR_IMM),
	[DOOR_HVC] = INSN_HVC(DOOR_IMM),
};

/* --- To run an instruction --- */

static const struct trial *run(const struct level *l, u32 insn, const u64 *x)
{
	code_put(l, insn, INSN_SVC, INSN_SVC);
	return run_code(l, x, l->pstate);
}

/* One instruction that ended in @esr: of the SVC behind it, or of its own. */
static void check(const struct trial *t, const u64 *x, u64 esr)
{
	same(t, "esr", 0, t->at.esr, esr);
	check_state(t, x, esr == ESR_SVC ? 2 : 0, t->pstate);
}

/* --- Calls --- */

struct regs {
	u64 x[31];
};

static void set_mdscr(u64 mdscr)
{
	sysreg_write(mdscr_el1, mdscr);
	isb();
	ASSERT_EQ(sysreg_read(mdscr_el1), mdscr);
}

/* Every register has something in both halves, and only the DCC door asks for that of x7. */
static void call_fill(struct regs *r, u32 door, u32 w7, u32 port, u32 command)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(r->x); i++)
		r->x[i] = random() | BIT(63) | BIT(31);
	r->x[0] = (r->x[0] & ~LOW) | MAGIC;
	r->x[2] = (r->x[2] & ~LOW16) | command;
	r->x[3] = (r->x[3] & ~LOW16) | port;
	r->x[7] = (r->x[7] & ~LOW) | w7;
	if (door == DOOR_DCC)
		r->x[7] = (u64)DOOR_IMM << 32 | w7;
}

/* HVC is undefined at EL0, whatever it asks for. */
static bool may_call(const struct level *l, u32 door)
{
	return !l->el0 || door != DOOR_HVC;
}

/*
 * What an instruction does that is no call: to @r, and how it ends. An HVC of an immediate that is
 * reserved (SMCCC 1.2, 2.9) says that it is not supported.
 */
static u64 no_call(const struct level *l, u32 door, u32 insn, struct regs *r)
{
	u32 rt = insn & INSN_RT;

	if (!may_call(l, door))
		return ESR_UNDEF;
	switch (door) {
	case DOOR_DCC:
		if (l->el0 && sysreg_read(mdscr_el1) & MDSCR_TDCC)
			return ESR(EC_SYSREG, ISS_MDCCSR | rt << 5);
		if (rt != XZR)
			r->x[rt] = 0;
		return ESR_SVC;
	case DOOR_BRK:
		return ESR(EC_BRK, INSN_IMM(insn));
	default:
		r->x[0] = ~0ULL;
		return ESR_SVC;
	}
}

static void expect_none(const struct level *l, u32 door, u32 insn, const struct regs *r)
{
	struct regs want = *r;
	u64 esr = no_call(l, door, insn, &want);

	check(run(l, insn, r->x), want.x, esr);
}

/* Outputs of a command: checked in @x, and what they are then goes to @want. */
static void answer_version(const u64 *x, struct regs *want)
{
	want->x[0] = VERSION;
	want->x[1] = MAGIC;
	ASSERT(x[2] == 2 || x[2] == 4);
	want->x[2] = x[2];
}

static void answer_hwversion(const u64 *x, struct regs *want)
{
	ASSERT(x[0] > 0 && x[0] < UNKNOWN);
	want->x[0] = x[0];
	want->x[1] = MAGIC;
}

static void answer_mhz(const u64 *x, struct regs *want)
{
	ASSERT(x[0] > 0 && x[0] < UNKNOWN);
	want->x[0] = x[0];
}

static void check_seconds(u64 seconds)
{
	/* No test takes so long. */
	if (seconds + CLOCK_SLACK < shared->now || seconds >= shared->now + 3600)
		ASSERT_EQ(seconds, shared->now);
}

static void answer_time(const u64 *x, struct regs *want)
{
	check_seconds(x[0]);
	want->x[0] = x[0];
}

static void answer_timefull(const u64 *x, struct regs *want)
{
	u32 i;

	for (i = 1; i < 5; i++) {
		ASSERT_EQ(x[i] & ~LOW, 0);
		want->x[i] = x[i];
	}
	check_seconds(x[4] << 32 | x[3]);
	ASSERT(x[1] < 1000000);
	want->x[0] = MAGIC;
}

static void answer_timefull_lag(const u64 *x, struct regs *want)
{
	answer_timefull(x, want);
	want->x[5] = 0;
}

static void answer_unknown(const u64 *x __always_unused, struct regs *want)
{
	want->x[0] = UNKNOWN;
}

static const struct command {
	u32 number;
	void (*answer)(const u64 *x, struct regs *want);
} commands[] = {
	{ GETVERSION, answer_version },
	{ GETHWVERSION, answer_hwversion },
	{ GETMHZ, answer_mhz },
	{ GETTIME, answer_time },
	{ GETTIMEFULL, answer_timefull },
	{ GETTIMEFULL_LAG, answer_timefull_lag },
	{ 0, answer_unknown },
	{ 0x7777, answer_unknown },
	{ 0xffff, answer_unknown },
};

#define COMMAND_VERSION	(&commands[0])
#define COMMAND_TIME	(&commands[3])

static const struct trial *expect_answer(const struct level *l, u32 door, const struct command *c)
{
	const struct trial *t;
	struct regs r, want;

	call_fill(&r, door, IN_DX, PORT, c->number);
	want = r;
	t = run(l, door_insns[door], r.x);
	same(t, "esr", 0, t->at.esr, ESR_SVC);
	c->answer(t->at.x, &want);
	check(t, want.x, ESR_SVC);
	return t;
}

/* Is the door open? What happens is right either way, to the last bit. */
static bool answers(const struct level *l, u32 door)
{
	const struct trial *t;
	struct regs r, want;
	u64 esr = ESR_SVC;
	bool yes;

	call_fill(&r, door, IN_DX, PORT, GETVERSION);
	want = r;
	t = run(l, door_insns[door], r.x);
	yes = t->at.esr == ESR_SVC && (u32)t->at.x[0] == VERSION;
	if (yes)
		answer_version(t->at.x, &want);
	else
		esr = no_call(l, door, door_insns[door], &want);
	check(t, want.x, esr);
	return yes;
}

/* --- The doors, open or shut --- */

/* Not those that the DCC and the others look at. */
static void check_no_match(const struct level *l, u32 door)
{
	static const u64 high[] = { 0, 1, 0x85, 0x87, 0x186, 0x80000086 };
	struct regs r;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(high) && door == DOOR_DCC; i++) {
		call_fill(&r, door, IN_DX, PORT, GETVERSION);
		r.x[7] = high[i] << 32 | IN_DX;
		expect_none(l, door, INSN_MDCCSR(XZR), &r);
	}
	call_fill(&r, door, IN_DX, PORT, GETVERSION);
	if (door == DOOR_DCC) {
		expect_none(l, door, INSN_MDCCSR(5), &r);
		expect_none(l, door, INSN_MDCCSR(0), &r);
	}
	for (i = DOOR_IMM - 1; i <= DOOR_IMM + 1; i += 2) {
		if (door == DOOR_BRK)
			expect_none(l, door, INSN_BRK(i), &r);
		if (door == DOOR_HVC)
			expect_none(l, door, INSN_HVC(i), &r);
	}
}

static void check_door(const struct level *l, u32 door, bool open)
{
	static const u32 invalid[] = { 0x0f, 0x10e, 0x8000000e };
	struct regs r;
	u32 i;

	if (open && may_call(l, door)) {
		expect_answer(l, door, COMMAND_VERSION);
	} else {
		call_fill(&r, door, IN_DX, PORT, GETVERSION);
		expect_none(l, door, door_insns[door], &r);
	}
	for (i = 0; i < ARRAY_SIZE(invalid); i++) {
		call_fill(&r, door, invalid[i], PORT, GETVERSION);
		expect_none(l, door, door_insns[door], &r);
	}
	check_no_match(l, door);
}

/*
 * MDSCR_EL1 is moved from and to the register that the instruction names, and nowhere else. All
 * others differ from it in TDCC.
 */
static void check_mdscr_moves(const struct level *l, u64 tdcc)
{
	struct regs r, want;
	u32 rt, i;

	for (rt = 0; rt <= XZR; rt++) {
		for (i = 0; i < ARRAY_SIZE(r.x); i++)
			r.x[i] = (random() & ~MDSCR_TDCC) | (tdcc ^ MDSCR_TDCC);
		sysreg_write(mdscr_el1, tdcc);
		want = r;
		if (rt != XZR)
			want.x[rt] = tdcc;
		check(run(l, INSN_MDSCR_READ(rt), r.x), want.x, ESR_SVC);
		sysreg_write(mdscr_el1, tdcc ^ MDSCR_TDCC);
		check(run(l, INSN_MDSCR_WRITE(rt), want.x), want.x, ESR_SVC);
		ASSERT_EQ(sysreg_read(mdscr_el1), rt == XZR ? 0 : tdcc);
	}
}

static void check_mdscr(void)
{
	const struct level *l;

	for_each_level(l) {
		if (l->el0)
			continue;
		check_mdscr_moves(l, 0);
		check_mdscr_moves(l, MDSCR_TDCC);
	}
}

static void check_doors(u64 hooks)
{
	static const u64 mdscr[] = { MDSCR_TDCC, MDSCR_TDCC | MDSCR_KDE, 0 };
	const struct level *l;
	u32 i, door;

	for (i = 0; i < ARRAY_SIZE(mdscr); i++) {
		set_mdscr(mdscr[i]);
		for_each_level(l)
			for (door = 0; door < DOORS; door++)
				check_door(l, door, hooks & BIT(door));
		ASSERT_EQ(sysreg_read(mdscr_el1), mdscr[i]);
	}
	check_mdscr();
}

static void part_doors(void)
{
	for (;;) {
		/* The host switches them here, also with the trap of the guest's own on. */
		set_mdscr(MDSCR_TDCC);
		sync(0);
		ASSERT_EQ(sysreg_read(mdscr_el1), MDSCR_TDCC);
		if (READ_ONCE(shared->stop))
			return;
		check_doors(READ_ONCE(shared->hooks));
	}
}

/* --- What is asked for --- */

static void all_calls(void (*fn)(const struct level *l, u32 door))
{
	const struct level *l;
	u32 door;

	for_each_level(l)
		for (door = 0; door < DOORS; door++)
			if (may_call(l, door))
				fn(l, door);
}

/* Nobody is there: ones for who reads, and nothing for who writes. */
static void expect_nobody(const struct level *l, u32 door, const struct regs *r)
{
	struct regs want = *r;

	if (r->x[7] & IO_IN)
		want.x[0] = UNKNOWN;
	check(run(l, door_insns[door], r->x), want.x, ESR_SVC);
}

static void check_commands(const struct level *l, u32 door)
{
	static const u32 w7[] = { IN_DX, OUT_DX };
	/* Not four bytes into EAX from the port in DX. */
	static const u32 other[] = { 0x0c, 0x0d, OUT_DX, 0x06 | 0x58 << 5, 0x12, 0x1a };
	struct regs r;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		expect_answer(l, door, &commands[i]);
	for (i = 0; i < ARRAY_SIZE(w7); i++) {
		call_fill(&r, door, w7[i], PORT_UNKNOWN, GETVERSION);
		expect_nobody(l, door, &r);
		call_fill(&r, door, w7[i], PORT, GETVERSION);
		r.x[0] ^= 1;
		expect_nobody(l, door, &r);
	}
	for (i = 0; i < ARRAY_SIZE(other); i++) {
		call_fill(&r, door, other[i], PORT, GETVERSION);
		expect_nobody(l, door, &r);
	}
}

static void part_commands(void)
{
	all_calls(check_commands);
	set_mdscr(MDSCR_TDCC);
	all_calls(check_commands);
}

/* Valid: mostly those that write, after which nothing has changed. */
static const u32 valid[] = {
	/* port in the instruction, and in DX */
	0x00, 0x01, 0x02, 0x02 | 0x58 << 5, 0x02 | 0xff << 5,
	0x04, 0x05, 0x06, 0x06 | 0x58 << 5, 0x06 | 0xff << 5,
	0x08, 0x09, OUT_DX, 0x0c, 0x0d, IN_DX,
	/* OUTS and REP OUTS, upwards and downwards */
	0x10, 0x11, 0x12, 0x30, 0x31, 0x32, 0x18, 0x19, 0x1a, 0x38, 0x39, 0x3a,
};

static const u32 invalid[] = {
	/* eight bytes */
	0x03, 0x07, 0x03 | 0x58 << 5, 0x0b, 0x0f, 0x13, 0x17, 0x33, 0x1b, 0x1f, 0x3b, ~0U,
	/* bits that the type has no use for */
	0x02 | BIT(13), 0x06 | BIT(13), 0x02 | 1U << 31, 0x0a | BIT(5), 0x0e | BIT(5),
	0x0e | BIT(6), 0x0a | BIT(12), 0x0e | BIT(13), 0x0e | BIT(16), 0x0e | 1U << 31,
	0x12 | BIT(6), 0x32 | BIT(6), 0x12 | BIT(13), 0x1a | BIT(6), 0x3a | BIT(12),
	0x1a | 1U << 31,
};

static void check_decode(const struct level *l, u32 door)
{
	struct regs r;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(valid); i++) {
		call_fill(&r, door, valid[i], PORT_UNKNOWN, GETVERSION);
		expect_nobody(l, door, &r);
	}
	for (i = 0; i < ARRAY_SIZE(invalid); i++) {
		call_fill(&r, door, invalid[i], PORT, GETVERSION);
		expect_none(l, door, door_insns[door], &r);
	}
}

/* With TDCC a read at EL0 that is no call tells itself apart, too. */
static void part_decode(void)
{
	set_mdscr(MDSCR_TDCC);
	all_calls(check_decode);
}

/* --- Time --- */

static u64 seconds_of(const u64 *x)
{
	return x[4] << 32 | x[3];
}

/* Microseconds since 1970, never less than the last time. */
static u64 time_full(const struct level *l, u32 door, u32 i)
{
	const u64 *x = expect_answer(l, door, COMMAND_TIME + 1 + i % 2)->at.x;
	static u64 last;
	u64 now = seconds_of(x) * 1000000 + x[1];

	ASSERT(now >= last);
	last = now;
	return now;
}

static u64 ticks_us(u64 ticks)
{
	return ticks * 1000000 / sysreg_read(cntfrq_el0);
}

/* The time goes as fast as the counter does. */
static void check_rate(const struct level *l, u32 door)
{
	u64 before, begin, after, last, now, end;

	before = timer_now();
	begin = time_full(l, door, 0);
	after = timer_now();
	do {
		last = timer_now();
		now = time_full(l, door, 0);
		end = timer_now();
	} while (now - begin < 20000 && ticks_us(end - before) < 5000000);
	ASSERT(now - begin >= 20000);
	ASSERT(now - begin + 2000 >= ticks_us(last - after));
	ASSERT(now - begin <= ticks_us(end - before) + 2000);
}

static void part_time(void)
{
	const struct level *l;
	u32 i, door;

	for (i = 0; i < 1800; i++) {
		l = &levels[i / DOORS % ARRAY_SIZE(levels)];
		door = i % DOORS;
		if (may_call(l, door))
			time_full(l, door, i);
		/* The time that userspace takes counts as well. */
		if (i % 100 == 0)
			sync(i);
	}
	all_calls(check_rate);
	l = &levels[0];
	shared->seconds[0] = expect_answer(l, DOOR_DCC, COMMAND_TIME)->at.x[0];
	shared->seconds[1] = seconds_of(expect_answer(l, DOOR_DCC, COMMAND_TIME + 1)->at.x);
	shared->seconds[2] = seconds_of(expect_answer(l, DOOR_DCC, COMMAND_TIME + 2)->at.x);
}

/* As often as possible, so that one call is the first that finds the door open. */
static void part_first(void)
{
	register u64 x0 asm("x0");
	register u64 x1 asm("x1");
	register u64 x2 asm("x2");
	register u64 x3 asm("x3");
	register u64 x4 asm("x4");
	register u64 x7 asm("x7");

	sync(0);
	do {
		x0 = MAGIC;
		x1 = ~0ULL;
		x2 = GETTIMEFULL;
		x3 = PORT;
		x4 = 0;
		x7 = (u64)DOOR_IMM << 32 | IN_DX;
		/* mrs xzr, mdccsr_el0 */
		asm volatile(".inst 0xd533011f"
			     : "+r" (x0), "+r" (x1), "+r" (x2), "+r" (x3), "+r" (x4)
			     : "r" (x7) : "memory");
	} while (x3 == PORT);
	ASSERT_EQ(x0, MAGIC);
	ASSERT(x1 < 1000000);
	check_seconds(x4 << 32 | x3);
}

/* --- Switched while it runs --- */

static void spin(const struct level *l, u32 door)
{
	sync(BIT(door));
	while (!answers(l, door))
		;
	sync(0);
	while (answers(l, door))
		;
}

static void part_spin(void)
{
	all_calls(spin);
	sync(SPIN_END);
}

/* A call that begins when the host has switched, and ends before it does so again, knows it. */
static void check_settled(const struct level *l, u32 door)
{
	u64 phase, hooks;
	bool open;

	phase = READ_ONCE(shared->phase);
	dsb(ish);
	hooks = READ_ONCE(shared->hooks);
	dsb(ish);
	isb();
	open = answers(l, door);
	dsb(ish);
	if (phase % 2 == 0 && READ_ONCE(shared->phase) == phase && open != !!(hooks & BIT(door))) {
		print("door %d, hooks %llx, phase %llx", door, hooks, phase);
		ASSERT_EQ(open, !open);
	}
}

static void switch_cpu(u64 cpu)
{
	u64 phase;

	set_mdscr(cpu ? 0 : MDSCR_TDCC);
	while (!READ_ONCE(shared->stop)) {
		phase = READ_ONCE(shared->phase);
		dsb(ish);
		all_calls(check_settled);
		if (READ_ONCE(shared->phase) == phase)
			WRITE_ONCE(shared->seen[cpu], phase);
	}
}

static void part_switch(void)
{
	ASSERT_EQ(smp_start(1, switch_cpu, 1), PSCI_SUCCESS);
	switch_cpu(0);
}

/* --- The guest's own debug --- */

/* A debug exception after @n instructions. */
static void check_debug(const struct trial *t, u32 ec, u64 status, const u64 *x, u32 n)
{
	same(t, "exception class", 0, ESR_EC(t->at.esr), ec + !t->level->el0);
	same(t, "status", 0, t->at.esr & DEBUG_STATUS, status);
	check_state(t, x, n, t->pstate & ~PSTATE_SS);
}

static u64 debug_pstate(const struct level *l)
{
	return l->pstate & ~PSTATE_D;
}

static void arm(u64 mdscr, bool quiet)
{
	set_mdscr(mdscr | MDSCR_KDE);
	if (!quiet)
		sync(0);
}

static void disarm(const struct level *l, bool quiet)
{
	set_mdscr(0);
	if (quiet)
		return;
	check_doors(READ_ONCE(shared->hooks));
	sync(0);
	/* One that the debugger armed itself before is not forgotten meanwhile. */
	set_mdscr(MDSCR_MDE);
	sync(0);
	set_mdscr(0);
	check_door(l, DOOR_BRK, READ_ONCE(shared->hooks) & BIT(DOOR_BRK));
}

static void single_step(const struct level *l, bool quiet)
{
	const struct trial *t;
	struct regs r, want;
	u32 door, i;
	u64 esr;

	call_fill(&r, DOOR_DCC, IN_DX, PORT, GETVERSION);
	arm(MDSCR_SS, quiet);
	code_put(l, INSN_NOP, INSN_NOP, INSN_SVC);
	for (i = 0; i < 2; i++) {
		t = run_code(l, r.x, debug_pstate(l) | PSTATE_SS);
		check_debug(t, EC_STEP, DFSC_DEBUG, r.x, 1);
	}
	/* What keel answers itself is a step as well, call or not. */
	for (door = 0; door < DOORS; door++) {
		if (door == DOOR_BRK || !may_call(l, door))
			continue;
		call_fill(&r, door, IN_DX, PORT, GETVERSION);
		want = r;
		code_put(l, door_insns[door], INSN_NOP, INSN_SVC);
		t = run_code(l, r.x, debug_pstate(l) | PSTATE_SS);
		esr = ESR_SVC;
		if ((u32)t->at.x[0] == VERSION)
			answer_version(t->at.x, &want);
		else
			esr = no_call(l, door, door_insns[door], &want);
		same(t, "esr without a step", 0, esr, ESR_SVC);
		check_debug(t, EC_STEP, DFSC_DEBUG, want.x, 1);
	}
	if (!l->el0) {
		want = r;
		want.x[20] = MDSCR_SS | MDSCR_KDE;
		code_put(l, INSN_MDSCR_READ(20), INSN_NOP, INSN_SVC);
		t = run_code(l, r.x, debug_pstate(l) | PSTATE_SS);
		check_debug(t, EC_STEP, DFSC_DEBUG, want.x, 1);
	}
	disarm(l, quiet);
}

static void breakpoint(const struct level *l, bool quiet)
{
	struct regs r;

	call_fill(&r, DOOR_BRK, IN_DX, PORT, GETVERSION);
	sysreg_write(dbgbvr0_el1, (u64)(code_of(l) + 1));
	sysreg_write(dbgbcr0_el1, BCR(l->el0));
	arm(MDSCR_MDE, quiet);
	code_put(l, INSN_NOP, INSN_NOP, INSN_SVC);
	check_debug(run_code(l, r.x, debug_pstate(l)), EC_BREAKPOINT, DFSC_DEBUG, r.x, 1);
	/* While the guest is armed, each BRK is its own. */
	expect_none(l, DOOR_BRK, INSN_BRK(0), &r);
	expect_none(l, DOOR_BRK, INSN_BRK(DOOR_IMM), &r);
	sysreg_write(dbgbcr0_el1, 0);
	disarm(l, quiet);
}

static void watchpoint(const struct level *l, bool quiet)
{
	u64 *data = (u64 *)USER_DATA;
	const struct trial *t;
	struct regs r;

	call_fill(&r, DOOR_DCC, IN_DX, PORT, GETVERSION);
	r.x[10] = USER_DATA;
	WRITE_ONCE(*data, 0);
	sysreg_write(dbgwvr0_el1, USER_DATA);
	sysreg_write(dbgwcr0_el1, WCR(l->el0));
	arm(MDSCR_MDE, quiet);
	code_put(l, INSN_STORE, INSN_SVC, INSN_SVC);
	t = run_code(l, r.x, debug_pstate(l));
	check_debug(t, EC_WATCHPOINT, WNR | DFSC_DEBUG, r.x, 0);
	same(t, "far", 0, t->at.far, USER_DATA);
	ASSERT_EQ(READ_ONCE(*data), 0);
	/* Without it the store is made. */
	sysreg_write(dbgwcr0_el1, 0);
	isb();
	check(run_code(l, r.x, debug_pstate(l)), r.x, ESR_SVC);
	ASSERT_EQ(READ_ONCE(*data), r.x[1]);
	disarm(l, quiet);
}

static void debug(bool quiet)
{
	const struct level *l;

	for_each_level(l) {
		single_step(l, quiet);
		breakpoint(l, quiet);
		watchpoint(l, quiet);
	}
}

static void part_debug(void)
{
	sysreg_write(oslar_el1, 0);
	isb();
	debug(false);
}

/* EL1 has debug exceptions masked, so that none comes, whatever is armed. */
static void arm_masked(void)
{
	u32 i;

	for (i = 0; i < 20; i++) {
		sysreg_write(mdscr_el1, i % 2 ? MDSCR_SS : MDSCR_SS | MDSCR_KDE);
		isb();
		sysreg_write(mdscr_el1, 0);
		isb();
	}
}

static void part_debug_storm(void)
{
	u32 i;

	sysreg_write(oslar_el1, 0);
	isb();
	for (i = 0; !READ_ONCE(shared->stop); i++) {
		if (i % 64)
			arm_masked();
		else
			debug(true);
		WRITE_ONCE(shared->seen[0], i + 1);
	}
}

void guest_main(u64 part)
{
	static void (*const parts[])(void) = {
		[PART_DOORS] = part_doors,
		[PART_COMMANDS] = part_commands,
		[PART_DECODE] = part_decode,
		[PART_TIME] = part_time,
		[PART_FIRST] = part_first,
		[PART_SPIN] = part_spin,
		[PART_SWITCH] = part_switch,
		[PART_DEBUG] = part_debug,
		[PART_DEBUG_STORM] = part_debug_storm,
	};

	trials_init();
	parts[part]();
}
