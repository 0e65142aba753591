// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupt groups, priority drop and deactivation apart, nesting (GIC architecture, IHI 0069 4.6
 * to 4.8), each with more interrupts than there are list registers.
 */
#include "guest.h"
#include "vgic_groups.h"

/* A number of interrupts that no CPU has list registers for. */
#define MANY	20
#define FIRST0	40	/* those of group 0 */
#define FIRST1	60	/* those of group 1 */
#define SPARE	100

#define GROUP0	false
#define GROUP1	true

/* How often handlers ran: written there, polled by the code that they interrupt. */
static u32 taken0, taken1;

static void group_enable(bool group, bool on)
{
	if (group)
		icc_write(ICC_IGRPEN1_EL1, on);
	else
		icc_write(ICC_IGRPEN0_EL1, on);
	isb();
}

static void take_fiq(struct frame *frame __always_unused)
{
	u32 intid = icc_read(ICC_IAR0_EL1);

	if (intid >= 1020)
		return;
	ASSERT(intid >= FIRST0 && intid < FIRST0 + MANY);
	WRITE_ONCE(taken0, taken0 + 1);
	icc_write(ICC_EOIR0_EL1, intid);
	isb();
}

static void take_irq(u32 intid)
{
	ASSERT(intid >= FIRST1 && intid < FIRST1 + MANY);
	WRITE_ONCE(taken1, taken1 + 1);
}

static void wait_taken(u32 *count, u32 n)
{
	while (READ_ONCE(*count) < n)
		cpu_relax();
	ASSERT_EQ(READ_ONCE(*count), n);
}

static void configure(u32 first, u32 n, u8 priority, bool group)
{
	u32 i;

	for (i = first; i < first + n; i++) {
		gic_group(i, group);
		gic_priority(i, priority);
		gic_edge(i, true);
		gic_route(i, 0);
		gic_set_bit(GICD_ISENABLER, i);
	}
}

static void pend(u32 first, u32 n)
{
	u32 i;

	for (i = first; i < first + n; i++)
		gic_set_bit(GICD_ISPENDR, i);
}

static void both_groups(u8 priority0, u8 priority1)
{
	/* ARE, and both groups in the distributor. */
	mmio_write(GICD_IPA + GICD_CTLR, 4, BIT(4) | 3);
	vector_set(VECTOR_FIQ, take_fiq);
	gic_handler(take_irq);
	configure(FIRST0, MANY, priority0, GROUP0);
	configure(FIRST1, MANY, priority1, GROUP1);
}

/* Group 0 is FIQ, group 1 IRQ; one that the CPU interface has off keeps its interrupts back. */
static void part_groups(void)
{
	both_groups(0x20, 0x80);
	pend(FIRST0, MANY);
	pend(FIRST1, MANY);
	irq_on();
	fiq_on();
	/* The better ones of group 0 are in nobody's way. */
	wait_taken(&taken1, MANY);
	gic_settle();
	ASSERT_EQ(READ_ONCE(taken0), 0);
	group_enable(GROUP0, true);
	wait_taken(&taken0, MANY);

	/* The other way round. */
	group_enable(GROUP1, false);
	configure(FIRST0, MANY, 0x90, GROUP0);
	pend(FIRST1, MANY);
	pend(FIRST0, MANY);
	wait_taken(&taken0, 2 * MANY);
	gic_settle();
	ASSERT_EQ(READ_ONCE(taken1), MANY);
	group_enable(GROUP1, true);
	wait_taken(&taken1, 2 * MANY);
}

/* A group goes off when its interrupts hold all list registers. */
static void part_group_off(void)
{
	both_groups(0x90, 0x20);
	group_enable(GROUP0, true);
	pend(FIRST1, MANY);
	pend(FIRST0, MANY);
	gic_settle();
	group_enable(GROUP1, false);
	irq_on();
	fiq_on();
	wait_taken(&taken0, MANY);
	gic_settle();
	ASSERT_EQ(READ_ONCE(taken1), 0);
	fiq_off();
	group_enable(GROUP1, true);
	wait_taken(&taken1, MANY);
	irq_off();
}

static u32 acknowledge(void)
{
	return icc_read(ICC_IAR1_EL1);
}

static void end(u32 intid)
{
	icc_write(ICC_EOIR1_EL1, intid);
	isb();
}

/* EOImode = 1: EOIR drops the priority, DIR deactivates, in any order. */
static void part_dir(void)
{
	u32 i, intid;

	icc_write(ICC_CTLR_EL1, BIT(1));
	isb();
	configure(FIRST0, MANY, 0x80, GROUP1);
	pend(FIRST0, MANY);
	for (i = 0; i < MANY; i++) {
		intid = acknowledge();
		ASSERT_EQ(intid, FIRST0 + i);
		end(intid);
	}
	ASSERT_EQ(acknowledge(), INTID_SPURIOUS);
	for (i = 0; i < MANY; i++)
		ASSERT(gic_get_bit(GICD_ISACTIVER, FIRST0 + i));
	for (i = 0; i < MANY; i++) {
		intid = FIRST0 + i * 7 % MANY;
		icc_write(ICC_DIR_EL1, intid);
		isb();
		ASSERT(!gic_get_bit(GICD_ISACTIVER, intid));
	}
	for (i = 0; i < MANY; i++)
		ASSERT(!gic_get_bit(GICD_ISACTIVER, FIRST0 + i));
	pend(FIRST0 + 5, 1);
	ASSERT_EQ(acknowledge(), FIRST0 + 5);
}

#define DEPTH		12
#define LEVEL(n)	(0xc0 - 8 * ((n) + 1))

/*
 * One in the other, DEPTH deep, and one below them all. Then one is raised again while active, and
 * another of the same priority as one that is active: each waits until nothing of its priority or
 * better is active.
 */
static void part_nested(void)
{
	u32 i;

	for (i = 0; i < DEPTH; i++)
		configure(FIRST0 + i, 1, LEVEL(i), GROUP1);
	configure(FIRST1, 1, 0xd0, GROUP1);
	configure(SPARE, 1, LEVEL(7), GROUP1);
	pend(FIRST1, 1);
	ASSERT_EQ(acknowledge(), FIRST1);
	for (i = 0; i < DEPTH; i++) {
		pend(FIRST0 + i, 1);
		gic_settle();
		ASSERT_EQ(acknowledge(), FIRST0 + i);
	}
	for (i = 0; i < DEPTH; i++)
		ASSERT(gic_get_bit(GICD_ISACTIVER, FIRST0 + i));
	pend(FIRST0 + 4, 1);
	pend(SPARE, 1);
	for (i = DEPTH - 1; i > 7; i--) {
		ASSERT_EQ(acknowledge(), INTID_SPURIOUS);
		end(FIRST0 + i);
	}
	ASSERT_EQ(acknowledge(), INTID_SPURIOUS);
	end(FIRST0 + 7);
	ASSERT_EQ(acknowledge(), SPARE);
	end(SPARE);
	for (i = 6; i > 4; i--) {
		ASSERT_EQ(acknowledge(), INTID_SPURIOUS);
		end(FIRST0 + i);
	}
	ASSERT_EQ(acknowledge(), INTID_SPURIOUS);
	end(FIRST0 + 4);
	ASSERT_EQ(acknowledge(), FIRST0 + 4);
	end(FIRST0 + 4);
	for (i = 4; i-- > 0;)
		end(FIRST0 + i);
	end(FIRST1);
	ASSERT_EQ(acknowledge(), INTID_SPURIOUS);
	for (i = 0; i < DEPTH; i++)
		ASSERT(!gic_get_bit(GICD_ISACTIVER, FIRST0 + i));
	ASSERT(!gic_get_bit(GICD_ISACTIVER, FIRST1));
	ASSERT_EQ(icc_read(ICC_RPR_EL1), 0xff);
}

/* Priorities that differ only below the binary point do not preempt, but still rank. */
static void part_binary_point(void)
{
	configure(FIRST0, 1, 0xb0, GROUP1);
	configure(FIRST0 + 1, 1, 0xa0, GROUP1);
	configure(FIRST0 + 2, 1, 0xa8, GROUP1);
	configure(FIRST0 + 3, 1, 0x80, GROUP1);
	/* Bits 7:6 make a group of priorities: 0x80 to 0xb8 are one. */
	icc_write(ICC_BPR1_EL1, 6);
	isb();
	pend(FIRST0, 1);
	ASSERT_EQ(acknowledge(), FIRST0);
	pend(FIRST0 + 2, 1);
	pend(FIRST0 + 1, 1);
	pend(FIRST0 + 3, 1);
	gic_settle();
	ASSERT_EQ(acknowledge(), INTID_SPURIOUS);
	configure(SPARE, 1, 0x78, GROUP1);
	pend(SPARE, 1);
	gic_settle();
	ASSERT_EQ(acknowledge(), SPARE);
	end(SPARE);
	ASSERT_EQ(acknowledge(), INTID_SPURIOUS);
	end(FIRST0);
	ASSERT_EQ(acknowledge(), FIRST0 + 3);
	end(FIRST0 + 3);
	ASSERT_EQ(acknowledge(), FIRST0 + 1);
	end(FIRST0 + 1);
	ASSERT_EQ(acknowledge(), FIRST0 + 2);
	end(FIRST0 + 2);
	ASSERT_EQ(acknowledge(), INTID_SPURIOUS);
}

void guest_main(u64 part)
{
	static void (*const parts[])(void) = {
		[PART_GROUPS] = part_groups,
		[PART_GROUP_OFF] = part_group_off,
		[PART_DIR] = part_dir,
		[PART_NESTED] = part_nested,
		[PART_BINARY_POINT] = part_binary_point,
	};

	gic_init();
	parts[part]();
}
