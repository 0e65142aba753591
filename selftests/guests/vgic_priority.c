// SPDX-License-Identifier: GPL-2.0
/*
 * What the priorities of the CPU interface decide (GIC architecture, IHI 0069 4.8): which pending
 * interrupt is shown, which is let through, and which preempts what is running. Five bits of
 * priority are implemented. Mostly by polling ICC_IAR<n>_EL1, with PSTATE masked.
 */
#include "guest.h"
#include "vgic_priority.h"

#define SPI		40
#define LEVELS		32
#define STEP		(256 / LEVELS)
#define RPR_IDLE	0xff
#define PMR_ALL		0xf8

#define GROUP0	0
#define GROUP1	1

static void configure(u32 intid, u8 priority, u32 group)
{
	gic_group(intid, group);
	gic_priority(intid, priority);
	gic_edge(intid, true);
	gic_set_bit(GICD_ISENABLER, intid);
}

static void pend(u32 intid)
{
	gic_set_bit(GICD_ISPENDR, intid);
	gic_settle();
}

static void set_pmr(u8 priority)
{
	icc_write(ICC_PMR_EL1, priority);
	isb();
}

static u32 running(void)
{
	return icc_read(ICC_RPR_EL1);
}

static u32 take(u32 group)
{
	u32 intid = group ? icc_read(ICC_IAR1_EL1) : icc_read(ICC_IAR0_EL1);

	dsb(sy);
	return intid;
}

static void end(u32 intid, u32 group)
{
	if (group)
		icc_write(ICC_EOIR1_EL1, intid);
	else
		icc_write(ICC_EOIR0_EL1, intid);
	isb();
}

/* Nothing of either group preempts. */
static void assert_nothing(void)
{
	ASSERT_EQ(take(GROUP0), INTID_SPURIOUS);
	ASSERT_EQ(take(GROUP1), INTID_SPURIOUS);
}

static void enable_groups(void)
{
	/* ARE, and both groups in the distributor. */
	mmio_write(GICD_IPA + GICD_CTLR, 4, BIT(4) | 3);
	icc_write(ICC_IGRPEN0_EL1, 1);
	isb();
}

/* PMR: what is strictly better gets through, at each of its values; what is pending is shown. */
static void part_mask(void)
{
	u32 level, pmr;

	for (level = 0; level < LEVELS; level++) {
		configure(SPI, level * STEP, GROUP1);
		for (pmr = 0; pmr < LEVELS; pmr++) {
			set_pmr(pmr * STEP);
			ASSERT_EQ(icc_read(ICC_PMR_EL1), pmr * STEP);
			if (!pmr)
				pend(SPI);
			ASSERT_EQ(icc_read(ICC_HPPIR1_EL1), SPI);
			if (pmr <= level) {
				ASSERT_EQ(take(GROUP1), INTID_SPURIOUS);
				continue;
			}
			ASSERT_EQ(take(GROUP1), SPI);
			ASSERT_EQ(running(), level * STEP);
			end(SPI, GROUP1);
			break;
		}
		ASSERT_EQ(running(), RPR_IDLE);
		/* The lowest priority is below every mask that can be written. */
		gic_set_bit(GICD_ICPENDR, SPI);
	}
	/* Only the implemented bits are there. */
	set_pmr(0xff);
	ASSERT_EQ(icc_read(ICC_PMR_EL1), PMR_ALL);
}

/* RPR and HPPIR on the way up and down; an equal priority waits, and is shown meanwhile. */
static void part_running(void)
{
	u32 i;

	for (i = 0; i < 3; i++)
		configure(SPI + i, 0xa0 - 0x20 * i, GROUP1);
	configure(SPI + 3, 0x60, GROUP1);
	for (i = 0; i < 3; i++) {
		pend(SPI + i);
		ASSERT_EQ(icc_read(ICC_HPPIR1_EL1), SPI + i);
		ASSERT_EQ(take(GROUP1), SPI + i);
		ASSERT_EQ(running(), 0xa0 - 0x20 * i);
		ASSERT_EQ(icc_read(ICC_HPPIR1_EL1), INTID_SPURIOUS);
	}
	pend(SPI + 3);
	ASSERT_EQ(icc_read(ICC_HPPIR1_EL1), SPI + 3);
	ASSERT_EQ(take(GROUP1), INTID_SPURIOUS);
	end(SPI + 2, GROUP1);
	ASSERT_EQ(running(), 0x80);
	ASSERT_EQ(take(GROUP1), SPI + 3);
	end(SPI + 3, GROUP1);
	for (i = 2; i-- > 0;) {
		ASSERT_EQ(running(), 0xa0 - 0x20 * i);
		end(SPI + i, GROUP1);
	}
	ASSERT_EQ(running(), RPR_IDLE);
}

static u32 fiqs, irqs;

static void take_fiq(struct frame *frame __always_unused)
{
	u32 intid = take(GROUP0);

	ASSERT(intid == SPI || intid == SPI + 1);
	WRITE_ONCE(fiqs, fiqs + 1);
	end(intid, GROUP0);
}

/* While this runs, of group 1, a better one of group 0 is taken as FIQ. */
static void take_irq(u32 intid)
{
	ASSERT_EQ(intid, SPI + 2);
	fiq_on();
	pend(SPI + 1);
	pend(SPI);
	while (READ_ONCE(fiqs) != 1)
		cpu_relax();
	gic_settle();
	ASSERT_EQ(READ_ONCE(fiqs), 1);
	fiq_off();
	WRITE_ONCE(irqs, irqs + 1);
}

/* Each IAR gives its own group's, if that is the best. */
static void groups_by_polling(void)
{
	pend(SPI + 2);
	pend(SPI);
	ASSERT_EQ(icc_read(ICC_HPPIR0_EL1), SPI);
	ASSERT_EQ(icc_read(ICC_HPPIR1_EL1), INTID_SPURIOUS);
	ASSERT_EQ(take(GROUP1), INTID_SPURIOUS);
	ASSERT_EQ(take(GROUP0), SPI);
	ASSERT_EQ(running(), 0x40);
	assert_nothing();
	pend(SPI + 3);
	ASSERT_EQ(take(GROUP0), INTID_SPURIOUS);
	ASSERT_EQ(take(GROUP1), SPI + 3);
	ASSERT_EQ(running(), 0x20);
	end(SPI + 3, GROUP1);
	end(SPI, GROUP0);
	ASSERT_EQ(take(GROUP1), SPI + 2);
	/* Equal, of the other group. */
	pend(SPI + 1);
	assert_nothing();
	end(SPI + 2, GROUP1);
	ASSERT_EQ(take(GROUP0), SPI + 1);
	end(SPI + 1, GROUP0);
	ASSERT_EQ(running(), RPR_IDLE);
}

/* The same by exceptions. */
static void groups_by_exceptions(void)
{
	vector_set(VECTOR_FIQ, take_fiq);
	gic_handler(take_irq);
	pend(SPI + 2);
	irq_on();
	while (!READ_ONCE(irqs))
		cpu_relax();
	fiq_on();
	while (READ_ONCE(fiqs) != 2)
		cpu_relax();
}

/* Two groups, one order of priorities. */
static void part_groups(void)
{
	enable_groups();
	configure(SPI, 0x40, GROUP0);
	configure(SPI + 1, 0x80, GROUP0);
	configure(SPI + 2, 0x80, GROUP1);
	configure(SPI + 3, 0x20, GROUP1);
	groups_by_polling();
	groups_by_exceptions();
}

/*
 * One at 0xb8 is active, and others that differ from it first in bit 3, 4, 5, 7 of their priority
 * come: which of them preempt says that the upper @bits make a group of priorities.
 */
static void check_preempts(u32 group, u32 bits)
{
	static const u8 priorities[] = { 0xb0, 0xa8, 0x98, 0x78 };
	u32 i, first = SPI, other = SPI + 1, mask = 0xff00 >> bits & 0xff;
	bool preempts;

	configure(first, 0xb8, group);
	pend(first);
	ASSERT_EQ(take(group), first);
	ASSERT_EQ(running(), 0xb8 & mask);
	for (i = 0; i < ARRAY_SIZE(priorities); i++) {
		configure(other, priorities[i], group);
		pend(other);
		preempts = (priorities[i] & mask) < (0xb8 & mask);
		ASSERT_EQ(take(group), preempts ? other : INTID_SPURIOUS);
		if (preempts)
			end(other, group);
		else
			gic_set_bit(GICD_ICPENDR, other);
		gic_settle();
	}
	end(first, group);
	ASSERT_EQ(running(), RPR_IDLE);
}

/* BPR0 = n: bits 7 to n + 1 decide for group 0; it has a least value that leaves all five. */
static void part_binary_point_0(void)
{
	u32 n;

	enable_groups();
	icc_write(ICC_BPR0_EL1, 0);
	isb();
	ASSERT_EQ(icc_read(ICC_BPR0_EL1), 2);
	for (n = 2; n < 8; n++) {
		icc_write(ICC_BPR0_EL1, n);
		isb();
		ASSERT_EQ(icc_read(ICC_BPR0_EL1), n);
		check_preempts(GROUP0, 7 - n);
		/* Not group 1's business. */
		check_preempts(GROUP1, 5);
	}
}

/* ICC_CTLR_EL1.CBPR: BPR0 decides for both; BPR1 shows it plus one, and takes no writes. */
static void part_common_point(void)
{
	u32 n;

	enable_groups();
	ASSERT_EQ(icc_read(ICC_BPR1_EL1), 3);
	icc_write(ICC_CTLR_EL1, BIT(0));
	isb();
	ASSERT_EQ(icc_read(ICC_CTLR_EL1) & BIT(0), 1);
	for (n = 2; n < 8; n++) {
		icc_write(ICC_BPR0_EL1, n);
		icc_write(ICC_BPR1_EL1, 5);
		isb();
		ASSERT_EQ(icc_read(ICC_BPR1_EL1), n < 7 ? n + 1 : 7);
		check_preempts(GROUP0, 7 - n);
		check_preempts(GROUP1, 7 - n);
	}
	icc_write(ICC_CTLR_EL1, 0);
	isb();
	ASSERT_EQ(icc_read(ICC_BPR1_EL1), 3);
	check_preempts(GROUP1, 5);
}

#define CROWD		40	/* more than list registers anywhere */
#define SGI_START	0
#define ROUNDS		20

static u32 taken[128], at_depth[128], depth, sent;

static u32 taken_of(u32 intid)
{
	return __atomic_load_n(&taken[intid], __ATOMIC_ACQUIRE);
}

/* Any of them, with interrupts open inside: SGIs wait here for the better one of the other CPU. */
static void take_open(u32 intid)
{
	at_depth[intid] = depth++;
	irq_on();
	if (intid < 8) {
		__atomic_store_n(&sent, intid + 1, __ATOMIC_RELEASE);
		while (taken_of(intid + 1) <= taken_of(intid))
			cpu_relax();
	}
	irq_off();
	depth--;
	__atomic_add_fetch(&taken[intid], 1, __ATOMIC_RELEASE);
}

/* The other CPU sends SGI n + 1 once CPU 0 is in the handler of n. */
static void send_better(u64 arg __always_unused)
{
	u32 round, i;

	for (round = 0; round < ROUNDS; round++) {
		for (i = 1; i <= 8; i++) {
			while (__atomic_load_n(&sent, __ATOMIC_ACQUIRE) != i)
				cpu_relax();
			gic_sgi(0, i);
		}
	}
}

/*
 * A crowd is pending while eight handlers preempt each other, each interrupt sent by another CPU
 * when the one before it runs: the best pending one always has a list register, and is signalled
 * into a guest that makes no exit of its own.
 */
static void part_crowd(void)
{
	u32 round, i;

	gic_handler(take_open);
	for (i = 0; i <= 8; i++) {
		gic_priority(i, 0xa0 - 0x10 * i);
		gic_set_bit(GICD_ISENABLER, i);
	}
	for (i = 0; i < CROWD; i++)
		configure(SPI + i, 0xb0 + i % 4 * STEP, GROUP1);
	ASSERT_EQ(smp_start(1, send_better, 0), PSCI_SUCCESS);
	for (round = 1; round <= ROUNDS; round++) {
		gic_sgi(0, SGI_START);
		for (i = 0; i < CROWD; i++)
			gic_set_bit(GICD_ISPENDR, SPI + i);
		irq_on();
		for (i = 0; i < CROWD; i++)
			while (taken_of(SPI + i) < round)
				cpu_relax();
		irq_off();
		for (i = 0; i <= 8; i++) {
			ASSERT_EQ(taken[i], round);
			ASSERT_EQ(at_depth[i], i);
		}
		ASSERT_EQ(running(), RPR_IDLE);
	}
}

static void deactivate(u32 intid)
{
	icc_write(ICC_DIR_EL1, intid);
	isb();
}

/* EOImode = 1: after its drop an active interrupt holds off nothing but itself. */
static void part_dropped(void)
{
	u32 i;

	icc_write(ICC_CTLR_EL1, BIT(1));
	isb();
	configure(SPI, 0x40, GROUP1);
	configure(SPI + 1, 0xa0, GROUP1);
	configure(SPI + 2, 0x80, GROUP1);
	pend(SPI);
	ASSERT_EQ(take(GROUP1), SPI);
	pend(SPI + 1);
	ASSERT_EQ(take(GROUP1), INTID_SPURIOUS);
	end(SPI, GROUP1);
	ASSERT_EQ(running(), RPR_IDLE);
	/* A worse one comes, and a better one preempts that, while the first is active. */
	ASSERT_EQ(take(GROUP1), SPI + 1);
	pend(SPI);
	ASSERT_EQ(take(GROUP1), INTID_SPURIOUS);
	pend(SPI + 2);
	ASSERT_EQ(take(GROUP1), SPI + 2);
	ASSERT_EQ(running(), 0x80);
	/* Deactivated at last: pending again, it preempts in turn. */
	deactivate(SPI);
	gic_settle();
	ASSERT_EQ(take(GROUP1), SPI);
	ASSERT_EQ(running(), 0x40);
	for (i = 0; i < 3; i++)
		ASSERT(gic_get_bit(GICD_ISACTIVER, SPI + i));
	end(SPI, GROUP1);
	ASSERT_EQ(running(), 0x80);
	end(SPI + 2, GROUP1);
	ASSERT_EQ(running(), 0xa0);
	end(SPI + 1, GROUP1);
	ASSERT_EQ(running(), RPR_IDLE);
	for (i = 0; i < 3; i++) {
		deactivate(SPI + i);
		ASSERT(!gic_get_bit(GICD_ISACTIVER, SPI + i));
	}
}

void guest_main(u64 part)
{
	static void (*const parts[])(void) = {
		[PART_MASK] = part_mask,
		[PART_RUNNING] = part_running,
		[PART_GROUPS] = part_groups,
		[PART_BINARY_POINT_0] = part_binary_point_0,
		[PART_COMMON_POINT] = part_common_point,
		[PART_CROWD] = part_crowd,
		[PART_DROPPED] = part_dropped,
	};

	gic_init();
	set_pmr(PMR_ALL);
	parts[part]();
}
