// SPDX-License-Identifier: GPL-2.0
/*
 * Random calls of the backdoor, and of what looks like it, from four CPUs at EL0 and EL1; a fifth
 * one changes the page tables of the buffers that they name, a sixth opens and closes channels.
 * Whatever a call finds, it must end as one of the few ways that the instruction may end, with all
 * registers accounted for.
 */
#include "trial.h"
#include "backdoor_fuzz.h"

/* --- The instructions --- */

#define EC_SVC		0x15
#define EC_DABT		0x24	/* from EL0; from EL1 it is the next one */
#define EC_BRK		0x3c
#define ESR_IL		BIT(25)
#define ESR_ISS		(BIT(25) - 1)
#define ESR(ec, iss)	((u64)(ec) << 26 | ESR_IL | (iss))
#define ESR_SVC		ESR(EC_SVC, SVC_IMM)
#define ESR_UNDEF	ESR(EC_UNKNOWN, 0)
/* op0 = 2, op1 = 3, CRm = 1, a read; Rt comes on top. */
#define ISS_MDCCSR	(2 << 20 | 3 << 14 | 1 << 1 | 1)
#define ISS_WNR		BIT(6)
#define ISS_FSC		0x3f

#define MDSCR_TDCC	BIT(12)
#define MDSCR_KDE	BIT(13)
#define MDSCR_MDE	BIT(15)
#define PSTATE_I	BIT(7)
#define PSTATE_PAN	BIT(22)
#define DAF		(DAIF_ALL & ~PSTATE_I)

#define SVC_IMM		0x4711
#define INSN_SVC	(0xd4000001 | SVC_IMM << 5)
#define INSN_MDCCSR(rt)	(0xd5330100 | (rt))
#define INSN_BRK(imm)	(0xd4200000 | (imm) << 5)
#define INSN_HVC(imm)	(0xd4000002 | (imm) << 5)
#define INSN_RT		0x1f
#define INSN_IMM(insn)	((insn) >> 5 & 0xffff)
#define XZR		31

enum { DOOR_DCC, DOOR_BRK, DOOR_HVC, DOORS };

/* First the doors, then their neighbours. HVC #0 is for other things. */
static const u32 insns[] = {
	INSN_MDCCSR(XZR), INSN_BRK(0x86), INSN_HVC(0x86),
	INSN_MDCCSR(0), INSN_MDCCSR(5), INSN_MDCCSR(7), INSN_MDCCSR(30),
	INSN_BRK(0), INSN_BRK(0x85), INSN_BRK(0x87), INSN_BRK(0x186), INSN_BRK(0xffff),
	INSN_HVC(1), INSN_HVC(0x85), INSN_HVC(0x87), INSN_HVC(0x8600), INSN_HVC(0xffff),
};

#define INSNS		ARRAY_SIZE(insns)
/* Each with an SVC behind it, for EL0 and for EL1; all CPUs run these. */
#define USER_CODE	FREE_IPA

static u32 code_el1[2 * INSNS] __attribute__((aligned(4096)));

static u32 door_of(u32 insn)
{
	if ((insn & ~INSN_RT) == INSN_MDCCSR(0))
		return DOOR_DCC;
	return (insn & 0xff00001f) == 0xd4000000 ? DOOR_BRK : DOOR_HVC;
}

/* --- The calls --- */

#define MAGIC		0x564d5868
#define PORT		0x5658
#define PORT_HIGH	0x5659
#define DOOR_IMM	0x86ULL
#define IO_SIZE		3
#define IO_IN		BIT(2)
#define IO_TYPE(w7)	((w7) >> 3 & 3)
#define IO_DF		BIT(5)
#define IN_DX		0x0e
#define REP_OUT		0x18	/* a byte at a time, as the next one */
#define REP_IN		0x1c
#define UNKNOWN		0xffffffffULL

#define GETMHZ		1
#define GETVERSION	10
#define GETGUIOPTIONS	13
#define GETHWVERSION	17
#define GETTIME		23
#define MESSAGE		30
#define GETTIMEFULL	46
#define GETTIMEFULL_LAG	55

enum { OPEN, SENDSIZE, SENDPAYLOAD, RECVSIZE, RECVPAYLOAD, RECVSTATUS, CLOSE, TYPES };

#define COOKIES		0x80000000
#define SUCCESS		1
#define DORECV		2
#define HIGH		0x80	/* the high bandwidth may be used */
#define HIGH_SUCCESS	0x10000

#define LOW		0xffffffffULL
#define LOW16		0xffffULL

/* --- Memory --- */

/*
 * Buffers are at virtual addresses from 8 GB, by tables of their own, in pieces of 2 MB. What the
 * static one maps never changes; that of the others does meanwhile.
 */
#define WINDOW		(8ULL << 30)
#define PIECE		0x200000ULL
enum {
	PIECE_STATIC,
	PIECE_DYNAMIC,		/* its table is changed, and replaced */
	PIECE_LOST,		/* its table is in memory that the host takes away */
	PIECE_BUFFERS,		/* a block of such memory */
	PIECE_NOWHERE,		/* from here on: a table where no memory is */
	PIECE_MMIO,		/* a table among a device's registers */
	PIECE_FAR,		/* a table beyond what the guest may address */
	PIECE_NONE,
	PIECE_TRIP,		/* one for each fuzzer's own messages */
	PIECES = PIECE_TRIP + FUZZERS,
};

#define NOWHERE_IPA	0x70000000ULL
#define TABLE(n)	((u64 *)(FREE_IPA + 0x200000 + (n) * 0x1000))
#define LEVEL2		TABLE(0)
#define LEVEL3(piece)	TABLE(1 + (piece))
#define POOL_IPA	(FREE_IPA + 0x300000)
#define POOL_PAGES	64
/* Nobody may write here: stage 1 lets nobody. */
#define CANARY_IPA	(FREE_IPA + 0x380000)
#define CANARY_PAGES	32
#define TRIP_PAGES	64
#define TRIP_IPA(n)	(FREE_IPA + 0x400000 + (n) * TRIP_PAGES * 0x1000)
#define RAM_END		(RAM_IPA + RAM_SIZE)
#define PAGE		0x1000ULL

#define PTE_TABLE	3ULL
#define PTE_BLOCK	1ULL
#define PTE_PAGE	3ULL
#define PTE_ATTR(n)	((u64)(n) << 2)
#define PTE_USER	BIT(6)
#define PTE_READONLY	BIT(7)
#define PTE_INNER	(3ULL << 8)
#define PTE_AF		BIT(10)
#define PTE_XN		(3ULL << 53)
#define PTE_RW		(PTE_PAGE | PTE_INNER | PTE_AF | PTE_XN)
#define PTE_USER_RW	(PTE_RW | PTE_USER)

/* What may become of a byte of a buffer: it is moved, or a fault with one of these codes. */
#define MOVED		BIT(63)
#define FSC_SIZE	0x0fULL		/* address size, translation, access flag, permission */
#define FSC_TRANSLATION	0xf0ULL
#define FSC_AF		0xf00ULL
#define FSC_PERMISSION	0xf000ULL
#define FSC_EXTERNAL	BIT(0x10)	/* nothing is there */
#define FSC_WALK	(0xfULL << 0x14)	/* external abort on the walk */
#define FSC_ALL		0xffffULL
#define LEVEL_3(fsc)	((fsc) & 0x8888)

static struct shared *const shared = (struct shared *)SHARED_IPA;

/* --- Fuzzers --- */

struct channel {
	u32 number;
	u32 high;	/* cookies */
	u32 low;
	bool open;
};

/**
 * struct fuzzer - a CPU
 * @r: its generator
 * @mdscr: its MDSCR_EL1
 * @own: a channel that no other knows
 * @final: nothing is in the way of its messages any more
 */
struct fuzzer {
	u64 r;
	u64 mdscr;
	struct channel own;
	bool final;
};

static struct fuzzer fuzzers[CPUS];

static struct fuzzer *me(void)
{
	return &fuzzers[cpu_id()];
}

static struct fuzz_cpu *mine(void)
{
	return &shared->cpus[cpu_id()];
}

static u64 rnd(void)
{
	struct fuzzer *f = me();
	u64 z;

	f->r += 0x9e3779b97f4a7c15;
	z = (f->r ^ f->r >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static u64 below(u64 n)
{
	return (rnd() >> 8) % n;
}

static bool one_in(u64 n)
{
	return !below(n);
}

static void count(u32 kind)
{
	WRITE_ONCE(mine()->count[kind], mine()->count[kind] + 1);
}

static bool stopped(void)
{
	return READ_ONCE(shared->stop) && !me()->final;
}

/* Channels that all know. */
static struct channel common[4];
static u32 common_lock;

static void lock(void)
{
	while (__atomic_exchange_n(&common_lock, 1, __ATOMIC_ACQUIRE))
		cpu_relax();
}

static void unlock(void)
{
	__atomic_store_n(&common_lock, 0, __ATOMIC_RELEASE);
}

static struct channel some_channel(void)
{
	struct channel c;

	lock();
	c = common[below(ARRAY_SIZE(common))];
	unlock();
	return c;
}

static struct channel replace_channel(const struct channel *new)
{
	u32 i = below(ARRAY_SIZE(common));
	struct channel old;

	lock();
	old = common[i];
	common[i] = *new;
	unlock();
	return old;
}

/* --- Calls as they are made --- */

/**
 * struct call - registers, and what is known about it
 * @insn: index
 * @bad: it must not succeed
 */
struct call {
	const struct level *level;
	u32 insn;
	u64 x[31];
	u64 pstate;
	bool bad;
};

static void set_low(u64 *x, u32 value)
{
	*x = (*x & ~LOW) | value;
}

static void set_low16(u64 *x, u16 value)
{
	*x = (*x & ~LOW16) | value;
}

static void set_high16(u64 *x, u16 value)
{
	*x = (*x & ~(LOW16 << 16)) | (u64)value << 16;
}

/* Something in each half of each register; of a call the rest is filled in. */
static void call_init(struct call *c, u32 insn)
{
	u32 i;

	c->insn = insn;
	c->level = &levels[below(LEVELS)];
	c->bad = false;
	for (i = 0; i < ARRAY_SIZE(c->x); i++)
		c->x[i] = rnd() | BIT(63) | BIT(31);
	c->pstate = (c->level->pstate & ~DAIF_ALL) | DAF | (rnd() & 0xf) << 28;
	if (one_in(4))
		c->pstate |= PSTATE_I;
	if (one_in(8))
		c->pstate |= PSTATE_PAN;
}

static void call_io(struct call *c, u32 w7, u16 port)
{
	set_low(&c->x[0], MAGIC);
	set_low16(&c->x[3], port);
	c->x[7] = DOOR_IMM << 32 | w7;
	if (c->insn != DOOR_DCC && one_in(2))
		c->x[7] ^= rnd() << 32;
}

static void call_message(struct call *c, u32 type, u32 value, const struct channel *channel)
{
	call_io(c, IN_DX, PORT);
	set_low(&c->x[1], value);
	set_low(&c->x[2], type << 16 | MESSAGE);
	set_high16(&c->x[3], channel->number);
	set_low(&c->x[4], channel->high);
	set_low(&c->x[5], channel->low);
}

static void call_high(struct call *c, bool in, u64 va, u64 size, const struct channel *channel)
{
	call_io(c, in ? REP_IN : REP_OUT, PORT_HIGH);
	set_low16(&c->x[1], 0);
	c->x[2] = size;
	set_high16(&c->x[3], channel->number);
	c->x[in ? 5 : 4] = va;
	set_low(&c->x[in ? 4 : 6], channel->high);
	set_low(&c->x[in ? 6 : 5], channel->low);
}

static bool is_io(u32 w7)
{
	static const u32 rest[] = { 0x1fe7, 0x7, 0x27, 0x27 };

	return (w7 & IO_SIZE) != IO_SIZE && !(w7 & ~0x18 & ~rest[IO_TYPE(w7)]);
}

/* What the registers say that it is. */
static bool is_high(const struct call *c)
{
	u32 w7 = c->x[7];

	return is_io(w7) && IO_TYPE(w7) == 3 && (c->x[3] & LOW16) == PORT_HIGH;
}

static bool is_in(const struct call *c)
{
	return c->x[7] & IO_IN;
}

static u64 buffer(const struct call *c)
{
	return c->x[is_in(c) ? 5 : 4];
}

/* --- What is right: memory --- */

static u64 privilege(const struct call *c, bool user, bool readonly)
{
	if (c->level->el0 ? !user : user && c->pstate & PSTATE_PAN)
		return LEVEL_3(FSC_PERMISSION);
	return readonly && is_in(c) ? LEVEL_3(FSC_PERMISSION) : MOVED;
}

#define KINDS	16

/* A page of the static piece, by its number modulo KINDS; see static_fill(). */
static u64 static_fate(const struct call *c, u32 kind)
{
	u64 fate = privilege(c, kind != 5 && kind != 6, kind == 2 || kind == 6 || kind == 14);

	switch (kind) {
	case 4:
		return LEVEL_3(FSC_TRANSLATION);
	case 7:
		return LEVEL_3(FSC_AF);
	case 8:
	case 9:
		return fate == MOVED ? FSC_EXTERNAL : fate;
	case 10:
		return LEVEL_3(FSC_SIZE);
	case 11:
		return fate == MOVED ? MOVED | FSC_EXTERNAL : fate;
	case 12:
		return fate == MOVED && is_in(c) ? FSC_EXTERNAL : fate;
	default:
		return fate;
	}
}

static u64 window_fate(const struct call *c, u64 offset)
{
	switch (offset / PIECE) {
	case PIECE_STATIC:
		return static_fate(c, offset / PAGE % KINDS);
	case PIECE_DYNAMIC:
	case PIECE_LOST:
	case PIECE_BUFFERS:
		return MOVED | FSC_ALL | FSC_EXTERNAL | FSC_WALK;
	case PIECE_NOWHERE:
	case PIECE_MMIO:
		return FSC_WALK | FSC_EXTERNAL;
	case PIECE_FAR:
		return FSC_SIZE;
	}
	if (offset / PIECE >= PIECE_TRIP && offset / PIECE < PIECES &&
	    offset % PIECE < TRIP_PAGES * PAGE)
		return privilege(c, true, false);
	return FSC_TRANSLATION;
}

/* The rest is the identity map, of which is_harmless() leaves EL1 what is no memory. */
static u64 fate(const struct call *c, u64 va)
{
	if (va >= WINDOW && va - WINDOW < 1ULL << 30)
		return window_fate(c, va - WINDOW);
	if (va >= 4ULL << 30)
		return FSC_TRANSLATION;
	return c->level->el0 ? FSC_PERMISSION : FSC_EXTERNAL;
}

/* --- What is right: registers --- */

static void __noreturn fail(const struct call *c, const struct trial *t, const char *what)
{
	u32 i;

	print("%s: call %lld, insn %x, vector %d, pstate %llx, mdscr %llx, bad %d", what,
	      mine()->calls, insns[c->insn], t->level->vector, t->pstate, me()->mdscr, c->bad);
	print("ended at vector %d, esr %llx, far %llx, pc + %lld, pstate %llx, sp %llx (%llx)",
	      t->vector, t->at.esr, t->at.far, t->at.pc - (u64)t->code, t->at.pstate, t->sp_at,
	      t->sp);
	for (i = 0; i < ARRAY_SIZE(c->x); i++)
		if (i < 8 || c->x[i] != t->at.x[i])
			print("x%d %llx, then %llx", i, c->x[i], t->at.x[i]);
	ASSERT_EQ(c->insn, ~0ULL);
	__builtin_unreachable();
}

/* What an instruction does that is no call: to @x, and how it ends. */
static u64 no_call(const struct call *c, u64 *x)
{
	u32 insn = insns[c->insn], rt = insn & INSN_RT;

	switch (door_of(insn)) {
	case DOOR_DCC:
		if (c->level->el0 && me()->mdscr & MDSCR_TDCC)
			return ESR(EC_SYSREG, ISS_MDCCSR | rt << 5);
		if (rt != XZR)
			x[rt] = 0;
		return ESR_SVC;
	case DOOR_BRK:
		return ESR(EC_BRK, INSN_IMM(insn));
	default:
		if (c->level->el0)
			return ESR_UNDEF;
		x[0] = ~0ULL;
		return ESR_SVC;
	}
}

static bool may_be_call(const struct call *c)
{
	return c->insn < DOORS && (c->insn != DOOR_HVC || !c->level->el0) &&
	       (c->insn != DOOR_DCC || c->x[7] >> 32 == DOOR_IMM) && is_io(c->x[7]);
}

/* The registers that a message's call writes, besides x2. */
static u64 message_outputs(u32 type, u32 status)
{
	if (type == OPEN && status)
		return BIT(3) | BIT(4) | BIT(5);
	if ((type == RECVSIZE && status & DORECV) || (type == RECVPAYLOAD && status))
		return BIT(1) | BIT(3);
	return 0;
}

static bool message_is_right(const struct call *c, const u64 *x, u32 type, u32 status)
{
	u32 high = x[3] >> 16;

	if (!(status & SUCCESS))
		return !status;
	if (c->bad || type >= TYPES || status & ~(SUCCESS | DORECV | HIGH))
		return false;
	if (status & DORECV && type != RECVSIZE)
		return false;
	switch (type) {
	case OPEN:
		return high < MAX_CHANNELS;
	case RECVSIZE:
		return !(status & DORECV) || (high == 1 && x[1] <= MAX_SIZE);
	case RECVPAYLOAD:
		return high == 2;
	default:
		return true;
	}
}

/* @want: as before the call; then as they may be after it, now that they are @x. */
static bool message_answer(const struct call *c, const u64 *x, u64 *want)
{
	u32 type = (u32)c->x[2] >> 16, status = (u32)x[2] >> 16, i;
	u64 outputs = message_outputs(type, status);

	if (!message_is_right(c, x, type, status))
		return false;
	want[2] = (u64)status << 16 | MESSAGE;
	for (i = 0; i < 6; i++)
		if (outputs & BIT(i))
			want[i] = x[i] & LOW;
	if (outputs & BIT(3))
		want[3] = (want[3] & ~LOW16) | PORT;
	return true;
}

static bool command_answer(const struct call *c, const u64 *x, u64 *want)
{
	switch (c->x[2] & LOW16) {
	case MESSAGE:
		return message_answer(c, x, want);
	case GETVERSION:
		want[0] = 6;
		want[1] = MAGIC;
		want[2] = 4;
		return true;
	case GETHWVERSION:
		want[0] = x[0];
		want[1] = MAGIC;
		return x[0] && x[0] < UNKNOWN;
	case GETMHZ:
	case GETTIME:
		want[0] = x[0];
		return x[0] && x[0] < UNKNOWN;
	case GETGUIOPTIONS:
		want[0] = x[0] & LOW;
		return true;
	case GETTIMEFULL_LAG:
		want[5] = 0;
		/* fall through */
	case GETTIMEFULL:
		want[0] = MAGIC;
		want[1] = x[1];
		want[2] = 0;
		want[3] = x[3];
		want[4] = x[4];
		return x[1] < 1000000 && x[3] <= LOW && x[4] <= LOW && (x[3] || x[4]);
	default:
		want[0] = UNKNOWN;
		return true;
	}
}

/* Success takes that each byte could be moved. */
static bool may_move(const struct call *c)
{
	u64 va = buffer(c), size = c->x[2], at;

	if (c->bad || size > MAX_SIZE)
		return false;
	for (at = va; at - va < size; at = (at | (PAGE - 1)) + 1)
		if (!(fate(c, at) & MOVED))
			return false;
	return true;
}

static bool high_answer(const struct call *c, const u64 *x, u64 *want)
{
	want[1] = x[1];
	if (x[1] == HIGH_SUCCESS)
		return may_move(c);
	if (!x[1] || x[1] == (c->x[1] & LOW16))
		return true;
	/* It may be nobody's. */
	want[1] = c->x[1];
	if (is_in(c))
		want[0] = UNKNOWN;
	return c->bad;
}

static bool answer(const struct call *c, const u64 *x, u64 *want)
{
	u32 w7 = c->x[7];

	if (w7 == IN_DX && (c->x[3] & LOW16) == PORT && (u32)c->x[0] == MAGIC)
		return command_answer(c, x, want);
	if (is_high(c))
		return high_answer(c, x, want);
	if (w7 & IO_IN)
		want[0] = UNKNOWN;
	return true;
}

static bool equal(const u64 *a, const u64 *b)
{
	u32 i;

	for (i = 0; i < 31; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

/* A data abort at a byte of the buffer: the first one in a page that has such a fault. */
static bool is_abort(const struct call *c, const struct trial *t)
{
	u64 va = buffer(c), size = c->x[2], far = t->at.far, iss = t->at.esr & ESR_ISS;
	u32 ec = EC_DABT + !c->level->el0;

	if (!may_be_call(c) || !is_high(c) || t->at.esr != ESR(ec, iss))
		return false;
	if (is_in(c))
		iss ^= ISS_WNR;
	if (iss & ~ISS_FSC || far - va >= size)
		return false;
	if (far != va && far % PAGE)
		return false;
	return fate(c, far) & BIT(iss & ISS_FSC) & ~MOVED;
}

static u32 check_exception(const struct call *c, const struct trial *t)
{
	u64 want[31];

	if (t->at.pc != (u64)t->code)
		fail(c, t, "PC");
	if (!equal(c->x, t->at.x))
		fail(c, t, "registers");
	if (is_abort(c, t))
		return ABORTED;
	if (t->at.esr != no_call(c, want))
		fail(c, t, "exception");
	return NO_CALL;
}

static u32 check_end(const struct call *c, const struct trial *t)
{
	u64 want[31];

	if (t->at.pc != (u64)(t->code + 2))
		fail(c, t, "PC");
	memcpy(want, c->x, sizeof(want));
	if (may_be_call(c) && answer(c, t->at.x, want) && equal(want, t->at.x))
		return ANSWERED;
	memcpy(want, c->x, sizeof(want));
	if (no_call(c, want) != ESR_SVC || !equal(want, t->at.x))
		fail(c, t, "answer");
	return NO_CALL;
}

static bool accepted(const struct call *c, const u64 *x)
{
	return (c->x[2] & LOW16) == MESSAGE && (u32)c->x[7] == IN_DX && x[2] & SUCCESS << 16;
}

static void count_call(const struct call *c, u32 how)
{
	const u64 *x = trial()->at.x;

	count(how);
	if (how == ANSWERED && is_high(c) && x[1] == HIGH_SUCCESS)
		count(COPIED);
	else if (how == ANSWERED && accepted(c, x))
		count(ACCEPTED);
	WRITE_ONCE(mine()->calls, mine()->calls + 1);
}

static bool given_up[CPUS];

/* Return: how it ended; the registers are in trial()->at. */
static u32 call(const struct call *c)
{
	u32 *code = c->level->el0 ? (u32 *)USER_CODE : code_el1, how;
	const struct trial *t;

	given_up[cpu_id()] = false;
	t = trial_run(c->level, code + 2 * c->insn, c->x, c->pstate);
	if (given_up[cpu_id()]) {
		how = INTERRUPTED;
	} else {
		if (t->vector != c->level->vector || t->at.pstate != c->pstate || t->sp_at != t->sp)
			fail(c, t, "state");
		how = t->at.esr == ESR_SVC ? check_end(c, t) : check_exception(c, t);
	}
	count_call(c, how);
	return how;
}

/* --- Interrupts --- */

#define TIMER_US	2000

static void arm(void)
{
	sysreg_write(cntv_cval_el0, timer_now() + timer_us(TIMER_US + below(4 * TIMER_US)));
	sysreg_write(cntv_ctl_el0, TIMER_ENABLE);
	isb();
}

/* Before the call, which then has changed nothing; or behind it. */
static void check_interrupted(const struct frame *frame, const struct trial *t)
{
	if (frame->pc == (u64)t->code) {
		ASSERT(equal(frame->x, t->x));
		ASSERT_EQ(frame->pstate, t->pstate);
		return;
	}
	ASSERT_EQ(frame->pc, (u64)(t->code + 1));
}

/* It may be a call that waits for an answer: half of them give up. */
static void interrupt(struct frame *frame)
{
	u32 intid = icc_read(ICC_IAR1_EL1);

	if (intid == INTID_SPURIOUS)
		return;
	ASSERT_EQ(intid, PPI_VTIMER);
	arm();
	icc_write(ICC_EOIR1_EL1, intid);
	isb();
	check_interrupted(frame, trial());
	if (frame->pc != (u64)trial()->code || me()->final || one_in(2))
		return;
	given_up[cpu_id()] = true;
	trial_give_up(frame);
}

static void interrupts_init(void)
{
	gic_init();
	vector_set(VECTOR_EL1T + 1, interrupt);
	vector_set(VECTOR_SYNC + 1, interrupt);
	vector_set(VECTOR_EL0 + 1, interrupt);
	gic_set_bit(GICD_ISENABLER, PPI_VTIMER);
	arm();
}

/* --- Random calls --- */

static u64 some_size(void)
{
	switch (below(12)) {
	case 0:
		return 0;
	case 1:
		return MAX_SIZE + 1;
	case 2:
		return BIT(32) + below(64);
	case 3:
		return rnd() >> below(64);
	case 4:
		return -below(0x10000) - 1;
	case 5:
		return MAX_SIZE - below(2);
	case 6:
		return PAGE - 1 + below(3);
	default:
		return 1 + below(one_in(3) ? 20000 : 64);
	}
}

/* In a page, or some bytes before its end. */
static u64 some_offset(void)
{
	return one_in(2) ? below(PAGE) : PAGE - 1 - below(40);
}

static u64 strange_address(const struct call *c)
{
	switch (below(9)) {
	case 0:
		return BIT(39) - 1 - below(100);	/* the end of the low half */
	case 1:
		return BIT(39 + below(25)) + below(PAGE);
	case 2:
		return -1 - below(PAGE);		/* wraps round */
	case 3:
		return rnd() | BIT(40);
	case 4:
		return (rnd() << 56 | BIT(56)) | (WINDOW + below(PIECES * PIECE));	/* a tag */
	case 5:
		return GICD_IPA + below(0x10000);
	case 6:
		return (2ULL << 30) + below(2ULL << 30);
	case 7:
		return below(PAGE);
	default:
		/* The guest's own memory, which is not EL0's. */
		return c->level->el0 ? RAM_IPA + below(PIECE) : WINDOW - 1 - below(PAGE);
	}
}

static u64 some_address(const struct call *c)
{
	u64 r = below(16), piece = below(PIECE_TRIP);

	if (r < 3)
		return strange_address(c);
	if (r < 8)
		piece = PIECE_STATIC;
	if (r == 8)	/* from one piece into the next */
		return WINDOW + (piece + 1) * PIECE - 1 - below(2 * PAGE);
	return WINDOW + piece * PIECE + below(512) * PAGE + some_offset();
}

/* A call's buffer must not be the test's own memory, which EL1 could write. */
static bool is_harmless(const struct call *c)
{
	u64 va = buffer(c), size = c->x[2];

	if (c->level->el0 || size > MAX_SIZE)
		return true;
	return va + size <= RAM_IPA || va >= (2ULL << 30);
}

static void spoil(struct call *c, struct channel *channel)
{
	switch (below(32)) {
	case 0:
		channel->number ^= 1 + below(7);
		break;
	case 1:
		channel->number += MAX_CHANNELS << below(12);
		break;
	case 2:
		channel->high ^= BIT(below(32));
		break;
	case 3:
		channel->low ^= BIT(below(32));
		break;
	case 4:
		channel->low ^= rnd() | 1;
		channel->high = rnd();
		break;
	default:
		return;
	}
	c->bad = true;
}

static u32 some_value(struct call *c, u32 type)
{
	u64 size;

	switch (type) {
	case OPEN:
		if (!one_in(8))
			return (one_in(2) ? RPCI : TCLO) | COOKIES;
		c->bad = true;
		return one_in(2) ? RPCI : (RPCI ^ BIT(below(31))) | COOKIES;
	case SENDSIZE:
		size = some_size();
		c->bad |= (u32)size > MAX_SIZE;
		return size;
	default:
		return rnd();
	}
}

static void fill_message(struct call *c, u32 type)
{
	struct channel channel = some_channel();

	c->bad = false;
	if (type != OPEN)
		spoil(c, &channel);
	call_message(c, type, some_value(c, type), &channel);
}

static void fill_command(struct call *c)
{
	static const u16 commands[] = {
		GETVERSION, GETGUIOPTIONS, GETHWVERSION, GETMHZ, GETTIME, GETTIMEFULL,
		GETTIMEFULL_LAG, 0, 31,
	};

	if (!one_in(3)) {
		fill_message(c, one_in(20) ? rnd() & LOW16 : below(TYPES));
		return;
	}
	call_io(c, IN_DX, PORT);
	set_low16(&c->x[2], one_in(4) ? rnd() : commands[below(ARRAY_SIZE(commands))]);
	c->bad = (c->x[2] & LOW16) == MESSAGE;
}

static void fill_high(struct call *c)
{
	struct channel channel = some_channel();
	bool in = one_in(2);

	spoil(c, &channel);
	call_high(c, in, 0, some_size(), &channel);
	c->x[in ? 5 : 4] = some_address(c);
	if (one_in(16)) {
		set_low16(&c->x[1], 1 + below(0xffff));
		c->bad = true;
	}
	c->bad |= c->x[2] > MAX_SIZE;
}

static void fill_io(struct call *c)
{
	static const u16 ports[] = { PORT, PORT_HIGH, 0, 0x80, 0xffff };

	fill_high(c);
	call_io(c, rnd() & 0x3f, ports[below(ARRAY_SIZE(ports))]);
	if (one_in(2))
		set_low(&c->x[7], below(0x2000));
	c->x[4] = some_address(c);
	c->x[5] = some_address(c);
	c->bad = true;
}

/* One bit of what makes a call that one is not as it was. */
static void flip(struct call *c)
{
	static const u8 registers[] = { 0, 2, 3, 7 };
	u32 n = registers[below(ARRAY_SIZE(registers))], bit = below(64);

	c->x[n] ^= BIT(bit);
	/*
	 * Of x0 and x3 the upper half means nothing, and so it does of x7 for two of the doors; and
	 * nobody asks for the magic at the high bandwidth.
	 */
	if (n == 2)
		c->bad |= c->x[2] > MAX_SIZE;
	else if (bit < 32 && (n || !is_high(c)))
		c->bad = true;
}

static void fill(struct call *c)
{
	u64 r = below(100);

	if (r < 50)
		fill_command(c);
	else if (r < 85)
		fill_high(c);
	else if (r < 97)
		fill_io(c);
	else
		c->x[7] = one_in(2) ? rnd() : DOOR_IMM << 32 | (u32)rnd();
	if (one_in(24) && r >= 50)
		flip(c);
}

/* One that opened a channel lets all have it, and closes the one before. */
static void publish(const struct call *c)
{
	const u64 *x = trial()->at.x;
	struct channel channel;
	struct call old;

	if (!accepted(c, x) || (u32)c->x[2] >> 16 != OPEN || c->insn >= DOORS)
		return;
	channel = (struct channel){ x[3] >> 16, x[4], x[5], true };
	channel = replace_channel(&channel);
	if (!channel.open)
		return;
	call_init(&old, below(DOORS));
	call_message(&old, CLOSE, 0, &channel);
	call(&old);
}

static void random_call(void)
{
	struct call c;

	call_init(&c, one_in(8) ? below(INSNS) : below(DOORS));
	fill(&c);
	if (is_high(&c) && !is_harmless(&c))
		return;
	if (call(&c) == ANSWERED)
		publish(&c);
}

/* --- Messages of a fuzzer's own, there and back --- */

#define TRIES	64

static u64 trip_va(u32 page)
{
	u32 cpu = cpu_id();

	return WINDOW + (PIECE_TRIP + (cpu ? cpu - CPU_FUZZER : 0)) * PIECE + page * PAGE;
}

/* Until a door is open, and no interrupt comes first. */
static bool insist(struct call *c)
{
	u32 i, how;

	for (i = 0; i < TRIES && !stopped(); i++) {
		if (c->insn == DOOR_HVC && c->level->el0)
			c->level = &levels[LEVELS - 1];
		c->pstate = (c->level->pstate & ~DAIF_ALL) | DAF;
		how = call(c);
		if (how == ANSWERED)
			return true;
		if (how == ABORTED)
			fail(c, trial(), "a fault of good memory");
	}
	return false;
}

static void own_door(struct call *c)
{
	call_init(c, below(DOORS));
	c->x[7] = DOOR_IMM << 32;
}

/* Return: the status. */
static u32 own_message(u32 type, u32 value)
{
	struct call c;

	own_door(&c);
	call_message(&c, type, value, &me()->own);
	return insist(&c) ? (u32)trial()->at.x[2] >> 16 : 0;
}

static bool own_high(bool in, u64 va, u32 size)
{
	struct call c;

	own_door(&c);
	call_high(&c, in, va, size, &me()->own);
	return insist(&c) && trial()->at.x[1] == HIGH_SUCCESS;
}

static bool own_open(void)
{
	struct channel *own = &me()->own;
	const u64 *x = trial()->at.x;

	if (own->open)
		return true;
	if (!own_message(OPEN, RPCI | COOKIES))
		return false;
	*own = (struct channel){ x[3] >> 16, x[4], x[5], true };
	return true;
}

static void own_close(void)
{
	own_message(CLOSE, 0);
	me()->own.open = false;
}

/*
 * The message may go now, by the high bandwidth: from and to anywhere, until it does. Return: it is
 * gone.
 */
static bool probe(bool in, u32 size)
{
	struct call c;
	u32 i;

	for (i = below(8); i && !me()->final; i--) {
		call_init(&c, below(DOORS));
		call_high(&c, in, 0, size, &me()->own);
		do {
			c.x[in ? 5 : 4] = some_address(&c);
		} while (!is_harmless(&c));
		if (call(&c) == ANSWERED && trial()->at.x[1] == HIGH_SUCCESS)
			return true;
	}
	return false;
}

/* Four bytes a call take their time. */
static bool at_once(u32 status, u32 size)
{
	return status & HIGH && (size > 256 || !one_in(8));
}

enum sent { NOT_SENT, SENT, SENT_ANYTHING };

static enum sent own_send(const u8 *data, u32 size)
{
	u32 status = own_message(SENDSIZE, size), i, word;

	if (status & HIGH && probe(false, size))
		return SENT_ANYTHING;
	if (at_once(status, size))
		return own_high(false, (u64)data, size) ? SENT : NOT_SENT;
	for (i = 0; i < size && status; i += 4) {
		memcpy(&word, data + i, size - i < 4 ? size - i : 4);
		status = own_message(SENDPAYLOAD, word);
	}
	return status ? SENT : NOT_SENT;
}

#define GUARD		64
#define GUARD_BYTE	0xc3
#define NOTHING		0xffffffff

static bool own_take(u8 *data, u32 size, u32 status)
{
	u32 i, word;

	memset(data - GUARD, GUARD_BYTE, size + 2 * GUARD);
	if (at_once(status, size))
		return own_high(true, (u64)data, size);
	for (i = 0; i < size; i += 4) {
		if (!own_message(RECVPAYLOAD, 1))
			return false;
		word = trial()->at.x[1];
		memcpy(data + i, &word, size - i < 4 ? size - i : 4);
	}
	return true;
}

/* Return: its size, 0 if it is elsewhere; or NOTHING. */
static u32 own_receive(u8 *data)
{
	u32 i, size, status;

	for (i = 0; i < TRIES; i++) {
		status = own_message(RECVSIZE, 0);
		size = trial()->at.x[1];
		if (!status || status & DORECV)
			break;
	}
	if (!(status & DORECV))
		return NOTHING;
	if (status & HIGH && probe(true, size))
		return own_message(RECVSTATUS, 1) ? 0 : NOTHING;
	if (!own_take(data, size, status))
		return NOTHING;
	for (i = 0; i < GUARD; i++) {
		ASSERT_EQ(data[size + i], GUARD_BYTE);
		ASSERT_EQ(data[-1 - (int)i], GUARD_BYTE);
	}
	return own_message(RECVSTATUS, 1) ? size : NOTHING;
}

static void verify(const u8 *data, u32 size, u32 seed)
{
	struct trip_header h;

	if (!trip_read(data, REPLY_MAGIC, size, &h))
		return;
	ASSERT_EQ(h.size, size);
	ASSERT_EQ(h.seed, seed);
	ASSERT_EQ(trip_differs(data, &h, size), size);
	count(VERIFIED);
}

/* Small, four bytes a call; where the high bandwidth is there any size will do. */
static u32 trip_size(bool high)
{
	static const u32 sizes[] = { 4095, 4096, 4097, 8192, 20000, 65535, 65536 };

	if (high && one_in(4))
		return sizes[below(ARRAY_SIZE(sizes))];
	return sizeof(struct trip_header) + below(high ? 6000 : 40);
}

static void trip(void)
{
	static bool high;
	u8 *to = (u8 *)trip_va(0) + below(2 * PAGE);
	u8 *from = (u8 *)trip_va(TRIP_PAGES / 2) + GUARD + below(2 * PAGE);
	u32 size = trip_size(READ_ONCE(high)), seed = rnd(), received;
	enum sent sent;

	if (!own_open())
		return;
	trip_fill(to, REQUEST_MAGIC, seed, size);
	count(TRIPS);
	sent = own_send(to, size);
	if (!sent) {
		own_close();
		return;
	}
	received = own_receive(from);
	if (received == NOTHING)
		own_close();
	else if (sent == SENT)
		verify(from, received, seed + 1);
	WRITE_ONCE(high, mine()->count[COPIED] > 0);
}

/* --- CPUs --- */

static void random_mdscr(void)
{
	static const u64 values[] = { 0, MDSCR_TDCC, MDSCR_TDCC | MDSCR_KDE, MDSCR_MDE };

	me()->mdscr = values[below(ARRAY_SIZE(values))];
	sysreg_write(mdscr_el1, me()->mdscr);
	isb();
	ASSERT_EQ(sysreg_read(mdscr_el1), me()->mdscr);
}

static void fuzz(void)
{
	u32 i;

	for (i = 0; !stopped(); i++) {
		if (i % 64 == 0)
			random_mdscr();
		if (one_in(24))
			trip();
		else
			random_call();
	}
	own_close();
}

/* Messages of all types, often in the order that moves something on a channel. */
static void open_and_close(void)
{
	static const u8 types[] = {
		OPEN, OPEN, SENDSIZE, SENDPAYLOAD, SENDPAYLOAD, RECVSIZE, RECVPAYLOAD, RECVSTATUS,
		CLOSE,
	};
	struct call c;
	u32 i;

	for (i = 0; !stopped(); i++) {
		call_init(&c, below(DOORS));
		fill_message(&c, types[one_in(2) ? i % ARRAY_SIZE(types) :
					below(ARRAY_SIZE(types))]);
		if (call(&c) == ANSWERED)
			publish(&c);
	}
}

/* --- Page tables --- */

/* Break before make (Arm ARM D8.16.1) */
static void entry_change(u64 *entry, u64 value)
{
	mmio_write((u64)entry, 8, 0);
	dsb(ish);
	asm volatile("tlbi vmalle1is\n\tdsb ish" : : : "memory");
	mmio_write((u64)entry, 8, value);
	dsb(ish);
	isb();
}

static u64 pool_page(u64 n)
{
	return POOL_IPA + n % POOL_PAGES * PAGE;
}

static u64 canary_page(u64 n)
{
	return CANARY_IPA + n % CANARY_PAGES * PAGE;
}

/* The kinds of static_fate(). */
static u64 static_entry(u32 page)
{
	switch (page % KINDS) {
	case 2:
	case 14:
		return canary_page(page) | PTE_USER_RW | PTE_READONLY;
	case 4:
		return pool_page(page) & ~PTE_BLOCK;
	case 5:
		return pool_page(page) | PTE_RW;
	case 6:
		return canary_page(page) | PTE_RW | PTE_READONLY;
	case 7:
		return (pool_page(page) | PTE_USER_RW) & ~PTE_AF;
	case 8:
		return (one_in(2) ? RAM_END : NOWHERE_IPA) | PTE_USER_RW;
	case 9:
		return (GICD_IPA + page % 16 * PAGE) | PTE_USER_RW;
	case 10:
		return pool_page(page) | BIT(41) | PTE_USER_RW;
	case 11:
		return (BUFFERS_IPA + below(512) * PAGE) | PTE_USER_RW;
	case 12:
		return (READONLY_IPA + page % 64 * PAGE) | PTE_USER_RW;
	case 13:
		return (RAM_END - PAGE) | PTE_USER_RW;
	case 15:
		return pool_page(page) | PTE_USER_RW | PTE_ATTR(1);
	default:
		return pool_page(page) | PTE_USER_RW;
	}
}

static u64 random_entry(void)
{
	u64 bits = PTE_XN | PTE_AF | (rnd() & (PTE_ATTR(7) | PTE_USER | PTE_READONLY | PTE_INNER));
	u32 r = below(16);

	bits |= one_in(8) ? below(4) : PTE_PAGE;
	if (one_in(8))
		bits ^= PTE_AF;
	switch (r) {
	case 0:
		return canary_page(rnd()) | bits | PTE_READONLY;
	case 1:
		return NOWHERE_IPA | bits;
	case 2:
		return GICD_IPA | bits;
	case 3:
		return (READONLY_IPA + below(64) * PAGE) | bits;
	case 4:
		return 0;
	case 5:
		return pool_page(rnd()) | BIT(36 + below(12)) | bits;
	case 6:
	case 7:
	case 8:
		return (BUFFERS_IPA + below(512) * PAGE) | bits;
	default:
		return pool_page(rnd()) | bits | (one_in(2) ? PTE_USER : 0);
	}
}

static u64 dynamic_table(void)
{
	switch (below(8)) {
	case 0:
		return 0;
	case 1:
		return BUFFERS_IPA | PTE_BLOCK | PTE_INNER | PTE_AF | PTE_XN | PTE_USER;
	case 2:
		return NOWHERE_IPA | PTE_TABLE;
	case 3:
		return TABLES_IPA | PTE_TABLE;
	default:
		return (u64)LEVEL3(PIECE_DYNAMIC) | PTE_TABLE;
	}
}

static void check_canaries(void)
{
	u64 at;

	for (at = CANARY_IPA; at < CANARY_IPA + CANARY_PAGES * PAGE; at += 8)
		ASSERT_EQ(READ_ONCE(*(u64 *)at), ~at);
}

static void change_tables(void)
{
	u64 *tables[] = { LEVEL3(PIECE_DYNAMIC), (u64 *)TABLES_IPA };
	u32 i;

	for (i = 0; !stopped(); i++) {
		if (one_in(16))
			entry_change(&LEVEL2[PIECE_DYNAMIC], dynamic_table());
		else
			entry_change(&tables[below(2)][below(512)], random_entry());
		if (i % 1024 == 0)
			check_canaries();
		WRITE_ONCE(mine()->calls, i + 1);
	}
}

/* --- The beginning, and the end --- */

static void trip_tables(void)
{
	u64 i, n;

	/* What is side by side for the guest is not so in memory. */
	for (n = 0; n < FUZZERS; n++) {
		for (i = 0; i < TRIP_PAGES; i++)
			LEVEL3(PIECE_TRIP + n)[i] =
				(TRIP_IPA(n) + (i * 7 + 3) % TRIP_PAGES * PAGE) | PTE_USER_RW;
		LEVEL2[PIECE_TRIP + n] = (u64)LEVEL3(PIECE_TRIP + n) | PTE_TABLE;
	}
}

static void tables_init(void)
{
	u32 i;

	for (i = 0; i < 512; i++) {
		LEVEL3(PIECE_STATIC)[i] = static_entry(i);
		LEVEL3(PIECE_DYNAMIC)[i] = random_entry();
	}
	trip_tables();
	LEVEL2[PIECE_STATIC] = (u64)LEVEL3(PIECE_STATIC) | PTE_TABLE;
	LEVEL2[PIECE_DYNAMIC] = (u64)LEVEL3(PIECE_DYNAMIC) | PTE_TABLE;
	LEVEL2[PIECE_LOST] = TABLES_IPA | PTE_TABLE;
	LEVEL2[PIECE_BUFFERS] = BUFFERS_IPA | PTE_BLOCK | PTE_INNER | PTE_AF | PTE_XN | PTE_USER;
	LEVEL2[PIECE_NOWHERE] = NOWHERE_IPA | PTE_TABLE;
	LEVEL2[PIECE_MMIO] = GICD_IPA | PTE_TABLE;
	LEVEL2[PIECE_FAR] = BIT(41) | PTE_TABLE;
	mmu_table_at(WINDOW >> 30, (u64)LEVEL2);
}

static void memory_init(void)
{
	u64 at;
	u32 i;

	for (at = CANARY_IPA; at < CANARY_IPA + CANARY_PAGES * PAGE; at += 8)
		*(u64 *)at = ~at;
	for (i = 0; i < INSNS; i++) {
		code_el1[2 * i] = insns[i];
		code_el1[2 * i + 1] = INSN_SVC;
	}
	memcpy((void *)USER_CODE, code_el1, sizeof(code_el1));
	dsb(ish);
	asm volatile("ic ialluis\n\tdsb ish\n\tisb" : : : "memory");
}

static void cpu_main(u64 cpu)
{
	asm volatile("ic iallu\n\tdsb ish\n\tisb" : : : "memory");
	fuzzers[cpu].r = shared->seed + cpu * 0x632be59bd9b4e019;
	interrupts_init();
	if (cpu == CPU_TABLES)
		change_tables();
	else if (cpu == CPU_CHANNELS)
		open_and_close();
	else
		fuzz();
	__atomic_add_fetch(&shared->ended, 1, __ATOMIC_RELEASE);
}

static void boot(void)
{
	u32 cpu;

	tables_init();
	memory_init();
	for (cpu = 1; cpu < CPUS; cpu++)
		ASSERT_EQ(smp_start(cpu, cpu_main, cpu), PSCI_SUCCESS);
	done(0);
}

static void final(void)
{
	struct fuzz_cpu *cpu = mine();
	u32 i;

	check_canaries();
	fuzzers[0] = (struct fuzzer){ .r = shared->seed, .final = true };
	memset(cpu->count, 0, sizeof(cpu->count));
	interrupts_init();
	for (i = 0; i < FINAL_TRIPS; i++) {
		trip();
		ASSERT_EQ(cpu->count[VERIFIED], i + 1);
	}
	own_close();
	done(cpu->count[VERIFIED]);
}

void guest_main(u64 part)
{
	trials_init();
	if (part == BOOT)
		gic_init();
	sysreg_write(mdscr_el1, 0);
	if (part == BOOT)
		boot();
	final();
}
