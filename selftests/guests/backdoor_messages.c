// SPDX-License-Identifier: GPL-2.0
/*
 * Calls of the backdoor's message channels, as the host orders them: one by one, or as many as a
 * message takes. After each call all registers are looked at.
 */
#include "guest.h"
#include "backdoor_messages.h"

#define X1	BIT(1)
#define X2	BIT(2)
#define X3	BIT(3)
#define X4	BIT(4)
#define X5	BIT(5)
#define DOOR_IMM	0x86ULL
#define LOW		0xffffffffULL
#define LOW16		0xffffULL

static struct shared *const shared = (struct shared *)SHARED_IPA;

/* --- Calls --- */

static u64 noise(struct order *o)
{
	o->seed ^= o->seed << 13;
	o->seed ^= o->seed >> 7;
	o->seed ^= o->seed << 17;
	return o->seed;
}

#define REGISTERS \
	"+r" (x0), "+r" (x1), "+r" (x2), "+r" (x3), "+r" (x4), "+r" (x5), "+r" (x6), "+r" (x7)

static void through_door(struct order *o)
{
	register u64 x0 asm("x0") = o->x[0];
	register u64 x1 asm("x1") = o->x[1];
	register u64 x2 asm("x2") = o->x[2];
	register u64 x3 asm("x3") = o->x[3];
	register u64 x4 asm("x4") = o->x[4];
	register u64 x5 asm("x5") = o->x[5];
	register u64 x6 asm("x6") = o->x[6];
	register u64 x7 asm("x7") = o->x[7];

	if (o->door == DOOR_HVC)
		asm volatile("hvc #0x86" : REGISTERS : : "memory");
	else if (o->door == DOOR_BRK)
		asm volatile("brk #0x86" : REGISTERS : : "memory");
	else
		asm volatile(".inst 0xd533011f" : REGISTERS : : "memory");
	memcpy(o->x, (u64 []){ x0, x1, x2, x3, x4, x5, x6, x7 }, sizeof(o->x));
	o->status = (o->x[2] & LOW) >> 16;
}

/* The registers that a call writes. */
static u64 outputs(u32 type, u32 status)
{
	if (type == OPEN && status)
		return X2 | X3 | X4 | X5;
	if (type == RECVSIZE && status & DORECV)
		return X1 | X2 | X3;
	if (type == RECVPAYLOAD && status)
		return X1 | X2 | X3;
	return X2;
}

static void check_registers(const struct order *o, const u64 *before, u32 type)
{
	u64 written = outputs(type, o->status);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(o->x); i++) {
		if (written & BIT(i))
			ASSERT_EQ(o->x[i] >> 32, 0);
		else
			ASSERT_EQ(o->x[i], before[i]);
	}
	ASSERT_EQ(o->x[2] & LOW16, MESSAGE);
	ASSERT_EQ(o->x[3] & LOW16, PORT);
}

/*
 * The high bandwidth is offered for each message that is not empty. Nobody here takes the offer up:
 * backdoor_high does.
 */
static void check_offer(struct order *o, u32 type, u32 value)
{
	bool is_message = false;

	if (type == SENDSIZE)
		is_message = o->status && value;
	if (type == RECVSIZE)
		is_message = o->status & DORECV && o->x[1];
	ASSERT_EQ(!!(o->status & HIGH), is_message);
	o->status &= ~HIGH;
}

/* The upper halves, which are no part of the call, are anything. */
static void message(struct order *o, u32 type, u32 value)
{
	const u32 low[8] = {
		MAGIC, value, type << 16 | MESSAGE, o->channel.number << 16 | PORT,
		o->channel.high, o->channel.low, noise(o), IN_DX,
	};
	u64 before[8];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(before); i++)
		before[i] = noise(o) << 32 | low[i];
	if (o->door == DOOR_DCC)
		before[7] = DOOR_IMM << 32 | IN_DX;
	memcpy(o->x, before, sizeof(before));
	through_door(o);
	check_registers(o, before, type);
	check_offer(o, type, value);
}

/* --- Messages --- */

static u8 *buffer(u64 ipa)
{
	return (u8 *)ipa;
}

/* What is left of four bytes when the message ends is anything. */
static u32 payload_word(struct order *o, const u8 *data, u64 left)
{
	u32 word = noise(o), i;

	for (i = 0; i < 4 && i < left; i++) {
		word &= ~(0xffU << 8 * i);
		word |= (u32)data[i] << 8 * i;
	}
	return word;
}

static void send(struct order *o)
{
	const u8 *data = buffer(SENT_IPA(cpu_id()));
	u64 at;

	message(o, SENDSIZE, o->size);
	for (at = 0; at < o->size && o->status == SUCCESS; at += 4)
		message(o, SENDPAYLOAD, payload_word(o, data + at, o->size - at));
}

/* Behind its end there is nothing to be learnt. */
static void take_word(u8 *data, u64 left, u32 word)
{
	u32 i;

	for (i = 0; i < 4 && i < left; i++, word >>= 8)
		data[i] = word;
	if (left < 4)
		ASSERT_EQ(word, 0);
}

static void receive(struct order *o)
{
	u8 *data = buffer(RECEIVED_IPA(cpu_id()));
	u64 size, at;

	o->received = NOTHING;
	message(o, RECVSIZE, 0);
	if (o->status != (SUCCESS | DORECV))
		return;
	ASSERT_EQ(o->x[3] >> 16, 1);
	size = o->x[1];
	ASSERT(size <= MAX_SIZE);
	for (at = 0; at < size; at += 4) {
		message(o, RECVPAYLOAD, 1);
		if (o->status != SUCCESS)
			return;
		ASSERT_EQ(o->x[3] >> 16, 2);
		take_word(data + at, size - at, o->x[1]);
	}
	message(o, RECVSTATUS, 1);
	o->received = size;
}

/* --- Orders --- */

static void op_call(struct order *o)
{
	message(o, o->type, o->value);
}

static void op_trip(struct order *o)
{
	o->received = NOTHING;
	send(o);
	if (o->status == SUCCESS)
		receive(o);
}

static void op_poll(struct order *o)
{
	do {
		receive(o);
		WRITE_ONCE(shared->polls, shared->polls + 1);
	} while (o->status == SUCCESS && o->received == NOTHING);
}

static bool open_anew(struct order *o, u32 value)
{
	o->channel = (struct channel){};
	message(o, OPEN, value);
	if (!o->status)
		return false;
	o->channel.number = o->x[3] >> 16;
	o->channel.high = o->x[4];
	o->channel.low = o->x[5];
	return true;
}

static void op_replace(struct order *o)
{
	u32 number = o->channel.number, i;

	for (i = 0; i < REOPENINGS; i++) {
		message(o, CLOSE, 0);
		ASSERT_EQ(o->status, SUCCESS);
		ASSERT(open_anew(o, RPCI | COOKIES));
		if (o->channel.number == number)
			break;
	}
	ASSERT_EQ(o->channel.number, number);
	message(o, SENDSIZE, 0);
}

static void arm(void)
{
	sysreg_write(cntv_cval_el0, timer_now() + timer_us(TICK_US));
	sysreg_write(cntv_ctl_el0, TIMER_ENABLE);
	isb();
}

static void handler(u32 intid)
{
	if (intid == PPI_VTIMER) {
		arm();
		WRITE_ONCE(shared->ticks, shared->ticks + 1);
		return;
	}
	ASSERT_EQ(intid, SPI);
	WRITE_ONCE(shared->spis, shared->spis + 1);
}

static void op_ticks(struct order *o __always_unused)
{
	gic_set_bit(GICD_ISENABLER, PPI_VTIMER);
	gic_edge(SPI, true);
	gic_route(SPI, 0);
	gic_set_bit(GICD_ISENABLER, SPI);
	arm();
	irq_on();
}

static void op_mask(struct order *o __always_unused)
{
	irq_off();
}

static u32 storm_value(u32 type, u64 r)
{
	switch (type) {
	case OPEN:
		return (r & 1 ? RPCI : TCLO) | COOKIES;
	case SENDSIZE:
		return r % 32 ? r % 9 : r;
	default:
		return r;
	}
}

/* Only one of the two CPUs gets the old one, to close it. */
static void swap_common(struct channel *channel)
{
	static u32 lock;
	struct channel old;

	while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
		cpu_relax();
	old = shared->common;
	shared->common = *channel;
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
	*channel = old;
}

static void storm_open(struct order *o, u64 r)
{
	if (!open_anew(o, storm_value(OPEN, r)))
		return;
	swap_common(&o->channel);
	message(o, CLOSE, 0);
}

/* While the other CPU replaces the channel, this one may see half of each. */
static void storm_call(struct order *o)
{
	u64 r = noise(o);
	u32 type = (r >> 32) % (TYPES + 1), bad = (r >> 40) % 16;

	if (type == OPEN) {
		storm_open(o, r);
		return;
	}
	if (type == CLOSE && (r >> 48) % 4)
		type = SENDSIZE;
	o->channel = shared->common;
	if (bad == 0)
		o->channel.number = r & 0xffff;
	if (bad == 1)
		o->channel.low ^= r;
	message(o, type, storm_value(type, r));
}

static void op_storm(struct order *o)
{
	u32 i;

	for (i = 0; i < STORM_CALLS; i++)
		storm_call(o);
}

static void serve(u64 arg __always_unused)
{
	static void (*const ops[])(struct order *o) = {
		[OP_RAW] = through_door,
		[OP_CALL] = op_call,
		[OP_SEND] = send,
		[OP_RECEIVE] = receive,
		[OP_TRIP] = op_trip,
		[OP_POLL] = op_poll,
		[OP_REPLACE] = op_replace,
		[OP_TICKS] = op_ticks,
		[OP_MASK] = op_mask,
		[OP_STORM] = op_storm,
	};
	struct order *o = &shared->orders[cpu_id()];
	u64 ticks;

	gic_init();
	for (;;) {
		sync(0);
		ticks = READ_ONCE(shared->ticks);
		ops[o->op](o);
		o->ticks = READ_ONCE(shared->ticks) - ticks;
	}
}

void guest_main(u64 cpus)
{
	u32 cpu;

	gic_init();
	gic_handler(handler);
	for (cpu = 1; cpu < cpus; cpu++)
		ASSERT_EQ(smp_start(cpu, serve, 0), PSCI_SUCCESS);
	serve(0);
}
