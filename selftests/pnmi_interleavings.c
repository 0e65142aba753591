// SPDX-License-Identifier: GPL-2.0
/*
 * The doorbell's protocol (src/vm/ring_el2.c, src/run/loop.c, src/vm/wake.c), every interleaving
 * of it: two senders on CPUs of their own, and a vCPU that enters, leaves, moves between two CPUs
 * and sleeps. No interrupt is lost, none is taken twice, and a CPU has one doorbell on its way at
 * most. Each case but the first leaves one thing out of the protocol and must then see it fail.
 *
 * Memory is weak as far as the protocol needs: a store stays in its CPU's buffer for any time, and
 * the buffer empties in any order (one entry a variable: a second store replaces the first). A full
 * barrier waits until it is empty, a release until all that stands before it is. Loads are in
 * order, but for the two of the sender that an acquire orders. Who takes the queue's lock sees what
 * was queued under it before. List registers are never too few here.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/ktap.h"
#include "lib/soak.h"

enum omit {
	OMIT_NOTHING,
	OMIT_SENDER_BARRIER,	/* queue - mode */
	OMIT_SENDER_ACQUIRE,	/* mode - where it is */
	OMIT_REQUEST_BARRIER,	/* request - mode */
	OMIT_ENTRY_RELEASE,	/* where it is, rung - mode */
	OMIT_ENTRY_BARRIER,	/* mode - requests */
	OMIT_ENTRY_CHECK,	/* of requests */
	OMIT_TARGET_BARRIER,	/* rung - queue */
	OMIT_TARGET_ORDER,	/* rung is cleared after the look */
	OMIT_SLEEP_BARRIER,	/* asleep - queue */
	OMIT_TEST_AND_SET,	/* test, then set */
	OMIT_HOST_HANDLER,	/* the host's leaves rung set */
	OMIT_DEQUEUE,		/* the queue keeps what goes to a list register */
};

enum { OUTSIDE, IN_GUEST };

/* Where a sender is */
enum sender_pc {
	SEND_QUEUE, SEND_MODE, SEND_PRDA, SEND_RUNG, SEND_RUNG_SET, SEND_DOORBELL, SEND_REQUEST,
	SEND_KICK, SEND_WAKE,
};

/* Where the vCPU's thread is; PC_HOST, PC_AFTER, PC_CHECK and PC_BLOCKED with interrupts on */
enum vcpu_pc {
	PC_HOST, PC_FLUSH, PC_FILL, PC_ENTER, PC_LAST_CHECK, PC_GUEST, PC_CLEAR, PC_REFILL, PC_SYNC,
	PC_LEAVE, PC_AFTER, PC_CHECK, PC_BLOCKED,
};

/* Stores that nobody else sees yet: 0 is none, else the value plus one. */
struct buffer {
	u8 mode, prda, rung, asleep;
};

struct sender {
	u8 pc, nr, prda, early;
	u8 queued, request;	/* its buffer: bits of the queue, the request */
};

/* All bytes, so that two that are the same compare equal. */
struct state {
	u8 pc, cpu, exits, moves, sleeps;	/* the vCPU's thread */
	u8 lr, taken;
	u8 queue, mode, prda, rung[2], request, asleep;	/* memory */
	u8 doorbells[2], kicks[2];
	struct buffer buffer[2];
	struct sender sender[2];
};

#define MAX_MOVES	1
#define MAX_SLEEPS	1

/* --- states that were seen, in the order of their distance from the first --- */

#define MAX_STATES	BIT(22)
#define NR_SLOTS	(2 * MAX_STATES)

struct node {
	struct state state;
	u32 from;
	const char *step;
};

static struct node *nodes;
static u32 *slots;
static u32 nr_nodes, here;
static enum omit omit;
static int nr_irqs = 2, max_exits = 1;
static const char *failure;
static bool moved;	/* the state that is looked at has a step that it will take in any case */

static u64 hash(const struct state *s)
{
	const u8 *p = (const u8 *)s;
	u64 h = 0xcbf29ce484222325;
	size_t i;

	for (i = 0; i < sizeof(*s); i++)
		h = (h ^ p[i]) * 0x100000001b3;
	return h ^ h >> 29;
}

/* A state that can follow the one that is looked at. */
static void reach(const struct state *s, const char *step)
{
	u64 i;

	moved = true;
	for (i = hash(s) % NR_SLOTS; slots[i]; i = (i + 1) % NR_SLOTS)
		if (!memcmp(&nodes[slots[i]].state, s, sizeof(*s)))
			return;
	REQUIRE(nr_nodes < MAX_STATES);
	slots[i] = nr_nodes;
	nodes[nr_nodes++] = (struct node){ *s, here, step };
}

static void fail(const char *what)
{
	if (!failure)
		failure = what;
}

/* --- memory --- */

static bool buffer_empty(const struct buffer *b)
{
	return !b->mode && !b->prda && !b->rung && !b->asleep;
}

/* A buffered store becomes visible: one of each that there is. */
static void drain_cpus(const struct state *s)
{
	struct state n;
	int c;

	for (c = 0; c < 2; c++) {
		const struct buffer *b = &s->buffer[c];

		n = *s;
		if (b->mode) {
			n.mode = b->mode - 1;
			n.buffer[c].mode = 0;
			reach(&n, "mode is seen");
		}
		n = *s;
		if (b->prda) {
			n.prda = b->prda - 1;
			n.buffer[c].prda = 0;
			reach(&n, "prda is seen");
		}
		n = *s;
		if (b->rung) {
			n.rung[c] = b->rung - 1;
			n.buffer[c].rung = 0;
			reach(&n, "rung is seen clear");
		}
		n = *s;
		if (b->asleep) {
			n.asleep = b->asleep - 1;
			n.buffer[c].asleep = 0;
			reach(&n, "asleep is seen");
		}
	}
}

static void drain_senders(const struct state *s)
{
	struct state n;
	int i;

	for (i = 0; i < 2; i++) {
		n = *s;
		if (s->sender[i].queued) {
			n.queue |= s->sender[i].queued;
			n.sender[i].queued = 0;
			reach(&n, "the queue is seen");
		}
		n = *s;
		if (s->sender[i].request) {
			n.request = 1;
			n.sender[i].request = 0;
			reach(&n, "the request is seen");
		}
	}
}

/* The queue's lock is free for @but once what was done under it is visible; NULL: the vCPU's. */
static bool lock_free(const struct state *s, const struct sender *but)
{
	int i;

	for (i = 0; i < 2; i++)
		if (&s->sender[i] != but && s->sender[i].queued)
			return false;
	return true;
}

/* --- a sender: vgic_notify(), vcpu_ring_el2(), vcpu_kick() --- */

/* What it knows is of no use for the next one, and would only make states differ. */
static void send_done(struct sender *me)
{
	me->pc = SEND_QUEUE;
	me->prda = 0;
	me->early = 0;
}

static void send_queue(struct state *n, int i)
{
	struct sender *me = &n->sender[i];

	if (i + 2 * me->nr >= nr_irqs || !lock_free(n, me))
		return;
	/* Sender 0 sends the even ones. */
	me->queued |= BIT(i + 2 * me->nr);
	me->nr++;
	me->pc = SEND_MODE;
	reach(n, "sender: queues");
}

static void send_mode(struct state *n, int i)
{
	struct sender *me = &n->sender[i];
	struct state early;

	if (me->queued && omit != OMIT_SENDER_BARRIER)
		return;
	if (omit == OMIT_SENDER_ACQUIRE && !me->early) {
		early = *n;
		early.sender[i].early = 1;
		early.sender[i].prda = n->prda;
		reach(&early, "sender: reads where it is, early");
	}
	me->pc = n->mode == IN_GUEST ? SEND_PRDA : SEND_REQUEST;
	reach(n, "sender: reads mode");
}

static void send_rung(struct state *n, int i)
{
	struct sender *me = &n->sender[i];

	if (n->rung[me->prda]) {
		send_done(me);
	} else if (omit == OMIT_TEST_AND_SET) {
		me->pc = SEND_RUNG_SET;
	} else {
		n->rung[me->prda] = 1;
		me->pc = SEND_DOORBELL;
	}
	reach(n, "sender: tests and sets rung");
}

static void send_doorbell(struct state *n, int i)
{
	struct sender *me = &n->sender[i];

	if (n->doorbells[me->prda])
		fail("two doorbells on their way to a CPU");
	n->doorbells[me->prda] = 1;
	send_done(me);
	reach(n, "sender: rings");
}

static void send_kick(struct state *n, int i)
{
	struct sender *me = &n->sender[i];

	if (me->request && omit != OMIT_REQUEST_BARRIER)
		return;
	if (n->mode == IN_GUEST)
		n->kicks[n->cpu] = 1;
	me->pc = SEND_WAKE;
	reach(n, "sender: kicks if it is in the guest");
}

static void sender_step(const struct state *s, int i)
{
	struct state n = *s;
	struct sender *me = &n.sender[i];

	switch (me->pc) {
	case SEND_QUEUE:
		return send_queue(&n, i);
	case SEND_MODE:
		return send_mode(&n, i);
	case SEND_PRDA:
		if (!me->early)
			me->prda = n.prda;
		me->pc = SEND_RUNG;
		return reach(&n, "sender: reads where it is");
	case SEND_RUNG:
		return send_rung(&n, i);
	case SEND_RUNG_SET:
		n.rung[me->prda] = 1;
		me->pc = SEND_DOORBELL;
		return reach(&n, "sender: sets rung");
	case SEND_DOORBELL:
		return send_doorbell(&n, i);
	case SEND_REQUEST:
		me->request = 1;
		me->pc = SEND_KICK;
		return reach(&n, "sender: requests");
	case SEND_KICK:
		return send_kick(&n, i);
	case SEND_WAKE:
		n.asleep = 0;
		send_done(me);
		return reach(&n, "sender: wakes");
	}
}

/* --- the vCPU's thread: run_loop(), run_pass(), vcpu_block() --- */

static void go(struct state *n, enum vcpu_pc pc, const char *step)
{
	n->pc = pc;
	reach(n, step);
}

/* A full barrier is one only if it is not left out. */
static bool barrier(const struct state *s, enum omit which)
{
	return omit == which || buffer_empty(&s->buffer[s->cpu]);
}

/* smp_store_release() of mode: its own entry is replaced, the others are out before. */
static bool release(const struct state *s, enum omit which)
{
	struct buffer b = s->buffer[s->cpu];

	b.mode = 0;
	return omit == which || buffer_empty(&b);
}

static void vcpu_load(struct state *n, int cpu, const char *step)
{
	n->cpu = cpu;
	n->buffer[cpu].prda = cpu + 1;
	go(n, PC_HOST, step);
}

/* vgic_fill_el2(), after what was there is folded back */
static void fill(struct state *n)
{
	n->lr |= n->queue;
	if (omit != OMIT_DEQUEUE)
		n->queue = 0;
}

static void pass_enter(struct state *n)
{
	struct buffer *b = &n->buffer[n->cpu];

	switch (n->pc) {
	case PC_HOST:
		/* test_and_clear_bit(): a full barrier if it is set */
		if (n->request && !buffer_empty(b))
			return;
		n->request = 0;
		return go(n, PC_FLUSH, "vCPU: takes requests");
	case PC_FLUSH:
		return go(n, n->queue ? PC_FILL : PC_ENTER, "vCPU: is there anything to flush?");
	case PC_FILL:
		if (!lock_free(n, NULL))
			return;
		fill(n);
		return go(n, PC_ENTER, "vCPU: flushes");
	case PC_ENTER:
		if (!release(n, OMIT_ENTRY_RELEASE))
			return;
		b->mode = IN_GUEST + 1;
		return go(n, PC_LAST_CHECK, "vCPU: mode = IN_GUEST");
	case PC_LAST_CHECK:
		if (!barrier(n, OMIT_ENTRY_BARRIER))
			return;
		if (n->request && omit != OMIT_ENTRY_CHECK)
			return go(n, PC_SYNC, "vCPU: a request, not entered");
		return go(n, PC_GUEST, "vCPU: enters");
	}
}

static void guest_take(const struct state *s)
{
	struct state n = *s;

	if (!s->lr)
		return;
	if (s->taken & (s->lr & -s->lr))
		fail("an interrupt is taken twice");
	n.taken |= s->lr & -s->lr;
	n.lr &= s->lr - 1;
	reach(&n, "guest: takes an interrupt");
}

static void guest_step(const struct state *s)
{
	struct state n = *s;
	int c = s->cpu;

	guest_take(s);
	if (s->doorbells[c]) {
		n.doorbells[c] = 0;
		go(&n, omit == OMIT_TARGET_ORDER ? PC_REFILL : PC_CLEAR, "EL2: takes the doorbell");
	}
	n = *s;
	if (s->kicks[c]) {
		n.kicks[c] = 0;
		go(&n, PC_SYNC, "vCPU: kicked out");
	}
}

/* For whatever reason; nothing may depend on it. */
static void guest_exit(const struct state *s)
{
	struct state n = *s;

	if (s->pc != PC_GUEST || s->exits >= max_exits)
		return;
	n.exits++;
	go(&n, PC_SYNC, "vCPU: leaves");
}

/* pnmi_irq_el2() */
static void doorbell_step(struct state *n)
{
	bool late = omit == OMIT_TARGET_ORDER;

	if (n->pc == PC_CLEAR) {
		n->buffer[n->cpu].rung = 0 + 1;
		return go(n, late ? PC_GUEST : PC_REFILL, "EL2: rung = 0");
	}
	if (!lock_free(n, NULL) || !barrier(n, OMIT_TARGET_BARRIER))
		return;
	fill(n);
	go(n, late ? PC_CLEAR : PC_GUEST, "EL2: refills");
}

static void pass_leave(struct state *n)
{
	if (n->pc == PC_SYNC) {
		if (n->lr && !lock_free(n, NULL))
			return;
		n->queue |= n->lr;
		n->lr = 0;
		return go(n, PC_LEAVE, "vCPU: syncs");
	}
	if (!release(n, OMIT_NOTHING))
		return;
	n->buffer[n->cpu].mode = OUTSIDE + 1;
	go(n, PC_AFTER, "vCPU: mode = OUTSIDE");
}

/* Goes on, moves to the other CPU (a context switch is a full barrier), or sleeps. */
static void after_step(const struct state *s)
{
	struct state n = *s;

	go(&n, PC_HOST, "vCPU: goes on");
	n = *s;
	if (s->moves < MAX_MOVES && buffer_empty(&s->buffer[s->cpu])) {
		n.moves++;
		vcpu_load(&n, !s->cpu, "vCPU: moves");
	}
	n = *s;
	if (s->sleeps < MAX_SLEEPS) {
		n.sleeps++;
		n.buffer[s->cpu].asleep = 1 + 1;
		go(&n, PC_CHECK, "vCPU: asleep = 1");
	}
}

/* vcpu_runnable() is asked after the task is marked as asleep. */
static void sleep_step(const struct state *s)
{
	struct state n = *s, moved = *s;

	if (s->pc == PC_CHECK) {
		if (!barrier(s, OMIT_SLEEP_BARRIER))
			return;
		if (!s->queue && !s->request)
			return go(&n, PC_BLOCKED, "vCPU: sleeps");
		n.buffer[s->cpu].asleep = 0;
		n.asleep = 0;
		return vcpu_load(&n, s->cpu, "vCPU: does not sleep");
	}
	if (s->asleep || !buffer_empty(&s->buffer[s->cpu]))
		return;
	vcpu_load(&n, s->cpu, "vCPU: wakes");
	vcpu_load(&moved, !s->cpu, "vCPU: wakes on the other CPU");
}

static void vcpu_step(const struct state *s)
{
	struct state n = *s;

	switch (s->pc) {
	case PC_GUEST:
		return guest_step(s);
	case PC_CLEAR:
	case PC_REFILL:
		return doorbell_step(&n);
	case PC_SYNC:
	case PC_LEAVE:
		return pass_leave(&n);
	case PC_AFTER:
		return after_step(s);
	case PC_CHECK:
	case PC_BLOCKED:
		return sleep_step(s);
	default:
		return pass_enter(&n);
	}
}

/* --- the host on one of the two CPUs --- */

static bool interrupts_on(const struct state *s, int cpu)
{
	return s->cpu != cpu || s->pc == PC_HOST || s->pc >= PC_AFTER;
}

/* The host's handlers. The kernel's acknowledge is followed by a DSB, which empties the buffer. */
static void host_step(const struct state *s, int cpu)
{
	struct state n = *s;

	if (!interrupts_on(s, cpu))
		return;
	if (s->kicks[cpu]) {
		n.kicks[cpu] = 0;
		reach(&n, "host: takes the kick");
	}
	n = *s;
	if (s->doorbells[cpu] && buffer_empty(&s->buffer[cpu])) {
		n.doorbells[cpu] = 0;
		if (omit != OMIT_HOST_HANDLER)
			n.buffer[cpu].rung = 0 + 1;
		reach(&n, "host: takes the doorbell");
	}
}

/* --- all of it --- */

/* Nothing goes on by itself any more. */
static void check_end(const struct state *s)
{
	if (s->taken != BIT(nr_irqs) - 1)
		fail("an interrupt is lost");
	else if (s->rung[0] || s->rung[1])
		fail("a CPU's doorbell stays silent");
}

/*
 * A store into its own buffer, where none of that variable is: nobody sees it, and it hinders
 * nobody. It may be taken as soon as it can be, and the other orders left out.
 */
static bool vcpu_step_is_local(const struct state *s)
{
	const struct buffer *b = &s->buffer[s->cpu];

	switch (s->pc) {
	case PC_ENTER:
		return !b->mode && release(s, OMIT_ENTRY_RELEASE);
	case PC_LEAVE:
		return !b->mode && release(s, OMIT_NOTHING);
	case PC_CLEAR:
		return !b->rung;
	default:
		return false;
	}
}

static void expand(const struct state *s)
{
	int i;

	moved = false;
	if (vcpu_step_is_local(s))
		return vcpu_step(s);
	drain_cpus(s);
	drain_senders(s);
	vcpu_step(s);
	for (i = 0; i < 2; i++) {
		sender_step(s, i);
		host_step(s, i);
	}
	if (!moved)
		check_end(s);
	guest_exit(s);
}

static u32 show_path(u32 i, bool show)
{
	u32 n;

	if (!nodes[i].from)
		return 0;
	n = show_path(nodes[i].from, show);
	if (show)
		ktap_note("%s", nodes[i].step);
	return n + 1;
}

/* Breadth first, so that a failure is found on one of its shortest paths. */
static void explore(void)
{
	struct state first = { .pc = PC_HOST };
	struct state s;

	nodes = calloc(MAX_STATES, sizeof(*nodes));
	slots = calloc(NR_SLOTS, sizeof(*slots));
	REQUIRE(nodes && slots);
	/* 0 is an empty slot, and no predecessor. */
	nr_nodes = 1;
	reach(&first, "");
	for (here = 1; here < nr_nodes; here++) {
		s = nodes[here].state;
		expand(&s);
		if (failure)
			break;
	}
}

static void complete(void)
{
	omit = OMIT_NOTHING;
	nr_irqs = 3;
	max_exits = soak_rounds(1, 2);
	explore();
	ktap_note("%u states", nr_nodes - 1);
	if (failure) {
		show_path(here, true);
		ktap_fail("%s", failure);
	}
}

static void must_fail(enum omit what)
{
	omit = what;
	explore();
	if (!failure)
		ktap_fail("%u states, and nothing is wrong", nr_nodes - 1);
	ktap_note("after %u steps: %s", show_path(here, getenv("KEEL_PATHS")), failure);
}

#define MUST_FAIL(name, what)		\
	static void name(void)		\
	{				\
		must_fail(what);	\
	}

MUST_FAIL(no_sender_barrier, OMIT_SENDER_BARRIER)
MUST_FAIL(no_sender_acquire, OMIT_SENDER_ACQUIRE)
MUST_FAIL(no_request_barrier, OMIT_REQUEST_BARRIER)
MUST_FAIL(no_entry_release, OMIT_ENTRY_RELEASE)
MUST_FAIL(no_entry_barrier, OMIT_ENTRY_BARRIER)
MUST_FAIL(no_entry_check, OMIT_ENTRY_CHECK)
MUST_FAIL(no_target_barrier, OMIT_TARGET_BARRIER)
MUST_FAIL(rung_cleared_late, OMIT_TARGET_ORDER)
MUST_FAIL(no_sleep_barrier, OMIT_SLEEP_BARRIER)
MUST_FAIL(test_then_set, OMIT_TEST_AND_SET)
MUST_FAIL(host_keeps_rung, OMIT_HOST_HANDLER)
MUST_FAIL(not_dequeued, OMIT_DEQUEUE)

static const struct ktap_case cases[] = {
	{ "complete", complete },
	{ "no_sender_barrier", no_sender_barrier },
	{ "no_sender_acquire", no_sender_acquire },
	{ "no_request_barrier", no_request_barrier },
	{ "no_entry_release", no_entry_release },
	{ "no_entry_barrier", no_entry_barrier },
	{ "no_entry_check", no_entry_check },
	{ "no_target_barrier", no_target_barrier },
	{ "rung_cleared_late", rung_cleared_late },
	{ "no_sleep_barrier", no_sleep_barrier },
	{ "test_then_set", test_then_set },
	{ "host_keeps_rung", host_keeps_rung },
	{ "not_dequeued", not_dequeued },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
