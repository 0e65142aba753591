// SPDX-License-Identifier: GPL-2.0
/*
 * Calls of the high bandwidth, as the host orders them, and a handler of data aborts, which brings
 * what the host says that is missing and goes on where the abort was.
 */
#include "guest.h"
#include "trial.h"
#include "backdoor_high.h"

#define EC_DABT_EL0	0x24
#define PSTATE_PAN	BIT(22)
#define SCTLR_M		BIT(0)
#define MMFR1_HAFDBS(r)	((r) & 0xf)
#define MMFR1_PAN(r)	((r) >> 20 & 0xf)
#define PAN2		2

/* TCR_EL1: both halves have 48 bits, 4 KB pages, write-back inner-shareable walks; 40 bits out */
#define TCR_HALF	(16ULL | 1 << 8 | 1 << 10 | 3 << 12)
#define TCR_TG1_4K	(2ULL << 30)
#define TCR_IPS_40	(2ULL << 32)
#define TCR		(TCR_HALF | TCR_HALF << 16 | TCR_TG1_4K | TCR_IPS_40)

#define INSN_HVC	0xd40010c2

static struct shared *const shared = (struct shared *)SHARED_IPA;

static struct order *order(void)
{
	return &shared->orders[cpu_id()];
}

static void tlb_flush(void)
{
	asm volatile("dsb ishst\n\ttlbi vmalle1is\n\tdsb ish\n\tisb" : : : "memory");
}

/* --- One instruction --- */

static bool is_dabt(const struct trial *t)
{
	u32 ec = ESR_EC(t->at.esr);

	return ec == EC_DABT_EL0 || ec == EC_DABT_EL1;
}

/* The abort comes before anything has changed. */
static bool repair(struct trial *t)
{
	struct order *o = order();
	u64 i = o->faults;

	if (!is_dabt(t))
		return false;
	check_state(t, t->x, 0, t->pstate);
	o->fault[i] = (struct fault){ t->at.esr, t->at.far };
	o->faults++;
	if (i == o->repairs)
		return false;
	WRITE_ONCE(*(u64 *)o->repair[i].entry, o->repair[i].value);
	tlb_flush();
	return true;
}

/* An instruction that was executed has changed what it may. */
static void check_end(const struct trial *t, u64 written)
{
	u64 want[31];
	u32 i;

	if (is_dabt(t))
		return;
	same(t, "esr", 0, t->at.esr, ESR_SVC);
	for (i = 0; i < ARRAY_SIZE(want); i++)
		want[i] = written & BIT(i) ? t->at.x[i] : t->x[i];
	check_state(t, want, 2, t->pstate);
}

static void op_trial(struct order *o)
{
	const struct level *l = &levels[o->el0 ? LEVEL_EL0 : LEVEL_EL1H];
	struct trial *t = trial();
	u64 x[31];
	u32 i;

	memcpy(x, o->x, sizeof(o->x));
	for (i = ARRAY_SIZE(o->x); i < ARRAY_SIZE(x); i++)
		x[i] = random();
	o->faults = 0;
	t->again = repair;
	code_put(l, o->insn, INSN_SVC, INSN_SVC);
	run_code(l, x, l->pstate | (o->pan ? PSTATE_PAN : 0));
	check_end(t, o->written);
	memcpy(o->x, t->at.x, sizeof(o->x));
}

/* --- The regime --- */

/* Changed with the MMU off: everything that is in use is mapped to itself. */
static void op_regime(struct order *o)
{
	u64 sctlr = sysreg_read(sctlr_el1) & ~SCTLR_M;

	sysreg_write(sctlr_el1, sctlr);
	isb();
	sysreg_write(tcr_el1, TCR | o->x[0]);
	sysreg_write(ttbr0_el1, TABLES_IPA);
	sysreg_write(ttbr1_el1, TABLES_IPA);
	isb();
	asm volatile("tlbi vmalle1\n\tdsb nsh\n\tisb" : : : "memory");
	if (o->x[1])
		return;
	sysreg_write(sctlr_el1, sctlr | SCTLR_M);
	isb();
}

/* --- Messages --- */

/* By HVC from EL1; with nothing in what is not part of it. Returns X1 to X3 in @x. */
static void call(u64 *x)
{
	const struct level *l = &levels[LEVEL_EL1H];
	const struct trial *t;

	code_put(l, INSN_HVC, INSN_SVC, INSN_SVC);
	t = run_code(l, x, l->pstate);
	same(t, "esr", 0, t->at.esr, ESR_SVC);
	memcpy(x, t->at.x, 8 * sizeof(*x));
}

static u32 low_call(const struct channel *c, u32 type, u32 value, u64 *size)
{
	u64 x[31] = { MAGIC, value, type << 16 | MESSAGE, (u64)c->number << 16 | PORT, c->high,
		      c->low, 0, IN_DX };

	call(x);
	if (size)
		*size = x[1];
	return x[2] >> 16;
}

static bool high_out(const struct channel *c, u64 from, u64 size)
{
	u64 x[31] = { 0, 1 << 16, size, (u64)c->number << 16 | PORT_HIGH, from, c->low, c->high,
		      W7_OUT };

	call(x);
	return x[1] >> 16 & SUCCESS;
}

static bool high_in(const struct channel *c, u64 to, u64 size)
{
	u64 x[31] = { 0, 1 << 16, size, (u64)c->number << 16 | PORT_HIGH, c->high, to, c->low,
		      W7_IN };

	call(x);
	return x[1] >> 16 & SUCCESS;
}

static void send(const struct channel *c, u64 from, u64 size)
{
	ASSERT_EQ(low_call(c, SENDSIZE, size, NULL), SUCCESS | HIGH);
	ASSERT(high_out(c, from, size));
}

static void receive(const struct channel *c, u64 to, u64 want)
{
	u64 size;

	ASSERT_EQ(low_call(c, RECVSIZE, 0, &size), SUCCESS | DORECV | HIGH);
	ASSERT_EQ(size, want);
	ASSERT(high_in(c, to, size));
	ASSERT_EQ(low_call(c, RECVSTATUS, 1, NULL), SUCCESS);
}

/* The agent replies with what it was sent, each bit the other way round. */
static void op_trips(struct order *o)
{
	u64 *words = (u64 *)o->buffer, i, k, seed = random();

	trial()->again = NULL;
	for (i = 0; i < o->trips; i++, seed += 0x1234567) {
		for (k = 0; k < MAX_SIZE / 8; k++)
			words[k] = seed * k;
		send(&o->channel, o->buffer, MAX_SIZE);
		receive(&o->channel, o->buffer, MAX_SIZE);
		for (k = 0; k < MAX_SIZE / 8; k++)
			ASSERT_EQ(words[k], ~(seed * k));
		__atomic_add_fetch(&shared->trips, 1, __ATOMIC_RELAXED);
	}
}

/* --- A page that comes and goes --- */

static void entry_set(const struct repair *r)
{
	WRITE_ONCE(*(u64 *)r->entry, r->value);
	dsb(ishst);
	isb();
}

static void entry_clear(const struct repair *r)
{
	WRITE_ONCE(*(u64 *)r->entry, 0);
	tlb_flush();
}

/*
 * The call is made again and again: until the other CPU has brought its page, and so often besides,
 * which needs nothing of the agent.
 */
static bool retry(struct trial *t)
{
	struct storm *s = &shared->storm;

	if (!is_dabt(t))
		return false;
	dsb(ish);
	WRITE_ONCE(s->faults, s->faults + 1);
	if (t->at.far == s->last_va && ++s->tries == STORM_TRIES)
		entry_set(&s->last);
	return true;
}

static void last_away(struct storm *s)
{
	entry_clear(&s->last);
	s->tries = 0;
}

static void op_calls(struct order *o)
{
	struct storm *s = &shared->storm;

	trial()->again = retry;
	while (!READ_ONCE(s->over)) {
		last_away(s);
		send(&o->channel, o->buffer, STORM_SIZE);
		WRITE_ONCE(s->out, s->out + 1);
		last_away(s);
		receive(&o->channel, o->buffer, STORM_SIZE);
		WRITE_ONCE(s->in, s->in + 1);
	}
}

static void page_fill(u64 page, u8 byte)
{
	u64 word = byte * 0x0101010101010101ULL, i;

	for (i = 0; i < 4096; i += 8)
		WRITE_ONCE(*(u64 *)(page + i), word);
}

static u64 attempts(const struct storm *s)
{
	return READ_ONCE(s->faults) + READ_ONCE(s->out) + READ_ONCE(s->in);
}

static void page_check(u64 page, u8 byte)
{
	u64 word = byte * 0x0101010101010101ULL, i;

	for (i = 0; i < 4096; i += 8)
		ASSERT_EQ(READ_ONCE(*(u64 *)(page + i)), word);
}

/* Until the call that was under way has come to its end, one way or the other. */
static void page_watch(const struct storm *s)
{
	u64 before = attempts(s);

	do {
		page_check(s->ipa, BYTE_OTHERS);
	} while (attempts(s) == before);
	dsb(ish);
	page_check(s->ipa, BYTE_OTHERS);
}

/* Until a call has had the page, then some time more: the next one may be anywhere. */
static void pause(const struct storm *s, u64 before)
{
	u64 r = random() >> 32, n = (r & 0xfff) >> (r >> 16) % 4;

	while (attempts(s) == before)
		cpu_relax();
	while (n--)
		cpu_relax();
}

/*
 * When the TLBI is complete no other CPU uses the translation any more (Arm ARM D8.16.5): who has
 * the page next can count on that.
 */
static void map_round(const struct storm *s)
{
	u64 before;

	entry_clear(&s->page);
	page_fill(s->ipa, BYTE_OTHERS);
	page_watch(s);
	page_fill(s->ipa, BYTE_OURS);
	dsb(ish);
	before = attempts(s);
	entry_set(&s->page);
	pause(s, before);
}

static void op_maps(struct order *o __always_unused)
{
	struct storm *s = &shared->storm;

	for (s->round = 0; s->round < s->rounds || READ_ONCE(s->in) < s->calls; s->round++)
		map_round(s);
	WRITE_ONCE(s->over, 1);
}

/* --- Sleep --- */

static void handler(u32 intid)
{
	ASSERT_EQ(intid, SPI);
	WRITE_ONCE(shared->woken, shared->woken + 1);
}

static void op_sleep(struct order *o __always_unused)
{
	gic_init();
	gic_handler(handler);
	gic_edge(SPI, true);
	gic_route(SPI, cpu_id());
	gic_set_bit(GICD_ISENABLER, SPI);
	irq_off();
	sync(0);
	while (!READ_ONCE(shared->woken)) {
		wfi();
		irq_on();
		irq_off();
	}
}

static void serve(u64 arg __always_unused)
{
	static void (*const ops[])(struct order *o) = {
		[OP_TRIAL] = op_trial,
		[OP_REGIME] = op_regime,
		[OP_CALLS] = op_calls,
		[OP_MAPS] = op_maps,
		[OP_TRIPS] = op_trips,
		[OP_SLEEP] = op_sleep,
	};

	for (;;) {
		sync(0);
		ops[order()->op](order());
	}
}

void guest_main(u64 arg)
{
	u64 mmfr1 = sysreg_read(id_aa64mmfr1_el1), cpus = arg & ~(u64)GUEST_NO_GIC;
	u32 cpu;

	trials_init();
	if (!(arg & GUEST_NO_GIC))
		gic_init();
	shared->pan = MMFR1_PAN(mmfr1) >= PAN2;
	shared->hafdbs = MMFR1_HAFDBS(mmfr1);
	shared->level1 = sysreg_read(ttbr0_el1);
	for (cpu = 1; cpu < cpus; cpu++)
		ASSERT_EQ(smp_start(cpu, serve, 0), PSCI_SUCCESS);
	serve(0);
}
