// SPDX-License-Identifier: GPL-2.0
/* What a guest expects of its GICv3 (GIC architecture, IHI 0069). */
#include "guest.h"
#include "vgic_irqs.h"

static u32 count[1024], last_cpu[1024];
static u32 order[64], n_order;
static void (*inside)(u32 intid);

static void ask(u32 what, u32 intid)
{
	sync(what | intid);
}

static void handler(u32 intid)
{
	ASSERT(intid < NR_IRQS);
	last_cpu[intid] = cpu_id();
	if (n_order < ARRAY_SIZE(order))
		order[n_order++] = intid;
	__atomic_add_fetch(&count[intid], 1, __ATOMIC_RELEASE);
	if (inside)
		inside(intid);
}

static u32 seen(u32 intid)
{
	return __atomic_load_n(&count[intid], __ATOMIC_ACQUIRE);
}

static void wait_count(u32 intid, u32 n)
{
	while (seen(intid) < n)
		cpu_relax();
}

static void enable(u32 intid)
{
	gic_set_bit(GICD_ISENABLER, intid);
}

static void disable(u32 intid)
{
	gic_set_bit(GICD_ICENABLER, intid);
}

/* The line stays up until the third time; each EOI before that brings the interrupt again. */
static void lower_at_third(u32 intid)
{
	ASSERT(gic_get_bit(GICD_ISACTIVER, intid));
	if (count[intid] % 3 == 0)
		ask(intid < 32 ? ASK_PPI_LOWER : ASK_LOWER, intid);
}

static void level_line(u32 intid, u32 raise, u32 lower)
{
	gic_edge(intid, false);
	enable(intid);
	inside = lower_at_third;
	irq_on();
	ask(raise, intid);
	wait_count(intid, 3);
	gic_settle();
	ASSERT_EQ(seen(intid), 3);
	inside = NULL;

	/* Up and down while disabled: nothing stays. */
	disable(intid);
	ask(raise, intid);
	ASSERT(gic_get_bit(GICD_ISPENDR, intid));
	ask(lower, intid);
	ASSERT(!gic_get_bit(GICD_ISPENDR, intid));
	enable(intid);
	gic_settle();
	ASSERT_EQ(seen(intid), 3);

	/* Up while disabled and kept up: comes when enabled. */
	disable(intid);
	ask(raise, intid);
	inside = lower_at_third;
	enable(intid);
	wait_count(intid, 6);
	gic_settle();
	ASSERT_EQ(seen(intid), 6);
}

static void part_level(void)
{
	level_line(SPI, ASK_RAISE, ASK_LOWER);
}

static void part_ppi(void)
{
	level_line(PPI, ASK_PPI_RAISE, ASK_PPI_LOWER);
}

static void pulse_once_inside(u32 intid)
{
	inside = NULL;
	ask(ASK_PULSE, intid);
	/* Active and pending at once. */
	ASSERT(gic_get_bit(GICD_ISACTIVER, intid));
	ASSERT(gic_get_bit(GICD_ISPENDR, intid));
}

static void part_edge(void)
{
	gic_edge(SPI, true);
	enable(SPI);
	irq_on();
	ask(ASK_PULSE, SPI);
	wait_count(SPI, 1);
	gic_settle();
	ASSERT_EQ(seen(SPI), 1);

	/* A line that stays up gives one interrupt, at its rise. */
	ask(ASK_RAISE, SPI);
	wait_count(SPI, 2);
	gic_settle();
	ASSERT_EQ(seen(SPI), 2);
	ask(ASK_LOWER, SPI);

	/* Several rises before it is taken are one. */
	irq_off();
	ask(ASK_PULSE, SPI);
	ask(ASK_PULSE, SPI);
	irq_on();
	wait_count(SPI, 3);
	gic_settle();
	ASSERT_EQ(seen(SPI), 3);

	/* A rise while it is active is another. */
	inside = pulse_once_inside;
	ask(ASK_PULSE, SPI);
	wait_count(SPI, 5);
	gic_settle();
	ASSERT_EQ(seen(SPI), 5);

	/* A rise while disabled is kept. */
	disable(SPI);
	ask(ASK_PULSE, SPI);
	gic_settle();
	ASSERT_EQ(seen(SPI), 5);
	ASSERT(gic_get_bit(GICD_ISPENDR, SPI));
	enable(SPI);
	wait_count(SPI, 6);

	/* And can be withdrawn. */
	disable(SPI);
	ask(ASK_PULSE, SPI);
	gic_set_bit(GICD_ICPENDR, SPI);
	enable(SPI);
	gic_settle();
	ASSERT_EQ(seen(SPI), 6);
}

static void second_cpu(u64 arg __always_unused)
{
	u32 i;

	gic_init();
	for (i = 0; i < 16; i++)
		enable(i);
	enable(SPI);
	irq_on();
	__atomic_add_fetch(&count[1023], 1, __ATOMIC_RELEASE);
	for (;;)
		cpu_relax();
}

static void part_sgi(void)
{
	u32 i;

	irq_on();
	for (i = 0; i < 16; i++) {
		gic_sgi(0, i);
		gic_settle();
		ASSERT_EQ(seen(i), 0);
		ASSERT(gic_get_bit(GICD_ISPENDR, i));
		enable(i);
		wait_count(i, 1);
		ASSERT_EQ(last_cpu[i], 0);
	}
	ASSERT_EQ(smp_start(1, second_cpu, 0), PSCI_SUCCESS);
	wait_count(1023, 1);
	for (i = 0; i < 16; i++) {
		gic_sgi(1, i);
		wait_count(i, 2);
		ASSERT_EQ(last_cpu[i], 1);
		/* To all the others: that is CPU 1. */
		dsb(ishst);
		icc_write(ICC_SGI1R_EL1, BIT(40) | (u64)i << 24);
		isb();
		wait_count(i, 3);
		ASSERT_EQ(last_cpu[i], 1);
	}
	/* To nobody. */
	icc_write(ICC_SGI1R_EL1, 0x30ULL << 16 | 1);
	icc_write(ICC_SGI1R_EL1, 0x4);
	gic_settle();
	ASSERT_EQ(seen(0), 3);
}

static void part_priority(void)
{
	static const u8 priorities[] = { 0x80, 0x20, 0xc0, 0x60, 0xa0, 0x10, 0x40, 0xe0 };
	u32 i;

	for (i = 0; i < 8; i++) {
		gic_priority(SPI + i, priorities[i]);
		gic_edge(SPI + i, true);
		enable(SPI + i);
		gic_set_bit(GICD_ISPENDR, SPI + i);
	}
	irq_on();
	for (i = 0; i < 8; i++)
		wait_count(SPI + i, 1);
	for (i = 1; i < 8; i++)
		ASSERT(priorities[order[i] - SPI] > priorities[order[i - 1] - SPI]);

	/* PMR: only what is above it. */
	irq_off();
	icc_write(ICC_PMR_EL1, 0x70);
	for (i = 0; i < 8; i++)
		gic_set_bit(GICD_ISPENDR, SPI + i);
	irq_on();
	gic_settle();
	for (i = 0; i < 8; i++)
		ASSERT_EQ(seen(SPI + i), priorities[i] < 0x70 ? 2 : 1);
	icc_write(ICC_PMR_EL1, 0xf0);
	isb();
	for (i = 0; i < 8; i++)
		wait_count(SPI + i, 2);

	/* The group switched off: nothing comes, nothing is lost. */
	icc_write(ICC_IGRPEN1_EL1, 0);
	isb();
	gic_set_bit(GICD_ISPENDR, SPI);
	gic_settle();
	ASSERT_EQ(seen(SPI), 2);
	icc_write(ICC_IGRPEN1_EL1, 1);
	isb();
	wait_count(SPI, 3);
}

/* Far more than there are list registers. */
static void part_many(void)
{
	u32 i, round;

	for (i = 32; i < 32 + 64; i++) {
		gic_edge(i, true);
		gic_priority(i, (i * 40) & 0xf0);
		enable(i);
	}
	for (round = 1; round <= 5; round++) {
		irq_off();
		mmio_write(gic_reg(GICD_ISPENDR, 1, 32), 4, ~0U);
		mmio_write(gic_reg(GICD_ISPENDR, 1, 64), 4, ~0U);
		irq_on();
		/* Priority 0xf0 is at PMR's value and so masked; lower ones come. */
		for (i = 32; i < 32 + 64; i++)
			if (((i * 40) & 0xf0) != 0xf0)
				wait_count(i, round);
		gic_settle();
		for (i = 32; i < 32 + 64; i++)
			ASSERT_EQ(seen(i), ((i * 40) & 0xf0) != 0xf0 ? round : 0);
	}
	/* The same many as lines, kept up over several interrupts each. */
	inside = lower_at_third;
	for (i = 32; i < 32 + 64; i++) {
		disable(i);
		gic_set_bit(GICD_ICPENDR, i);
		gic_edge(i, false);
		count[i] = 0;
		ask(ASK_RAISE, i);
	}
	for (i = 32; i < 32 + 64; i++) {
		gic_priority(i, 0x80);
		enable(i);
	}
	for (i = 32; i < 32 + 64; i++)
		wait_count(i, 3);
	gic_settle();
	for (i = 32; i < 32 + 64; i++)
		ASSERT_EQ(seen(i), 3);
}

static void check_rw(u64 addr, u32 mask)
{
	u32 old = mmio_read(addr, 4);

	mmio_write(addr, 4, ~0U);
	ASSERT_EQ(mmio_read(addr, 4) & mask, mask);
	mmio_write(addr, 4, 0);
	ASSERT_EQ(mmio_read(addr, 4) & mask, 0);
	mmio_write(addr, 4, old);
}

static void registers_identify(void)
{
	u32 typer = mmio_read(GICD_IPA + GICD_TYPER, 4);
	u64 redist = mmio_read(GICR_IPA + GICR_TYPER, 8);

	ASSERT_EQ((typer & 0x1f) + 1, NR_IRQS / 32);
	/* One security state. */
	ASSERT_EQ(typer >> 10 & 1, 0);
	ASSERT_EQ(redist >> 32, 0);
	ASSERT_EQ(redist >> 8 & 0xffff, 0);
	/* The only redistributor is the last. */
	ASSERT_EQ(redist >> 4 & 1, 1);
	ASSERT_EQ(mmio_read(GICR_IPA + GICR_TYPER + 4, 4), redist >> 32);
	ASSERT_EQ(mmio_read(GICR_IPA + GICR_TYPER, 4), (u32)redist);
	/* PIDR2: architecture revision 3. */
	ASSERT_EQ(mmio_read(GICD_IPA + 0xffe8, 4) >> 4 & 0xf, 3);
	ASSERT_EQ(mmio_read(GICR_IPA + 0xffe8, 4) >> 4 & 0xf, 3);
	/* CTLR: affinity routing and one security state are fixed. */
	ASSERT_EQ(mmio_read(GICD_IPA + GICD_CTLR, 4) & (BIT(4) | BIT(6)), BIT(4) | BIT(6));
}

static void part_registers(void)
{
	u32 i;

	registers_identify();
	/* Enable, pending, active: one state, two registers each. */
	for (i = 32; i < NR_IRQS; i += 31) {
		enable(i);
		ASSERT(gic_get_bit(GICD_ISENABLER, i) && gic_get_bit(GICD_ICENABLER, i));
		disable(i);
		ASSERT(!gic_get_bit(GICD_ISENABLER, i) && !gic_get_bit(GICD_ICENABLER, i));
		gic_edge(i, true);
		gic_set_bit(GICD_ISPENDR, i);
		ASSERT(gic_get_bit(GICD_ISPENDR, i) && gic_get_bit(GICD_ICPENDR, i));
		gic_set_bit(GICD_ICPENDR, i);
		ASSERT(!gic_get_bit(GICD_ISPENDR, i) && !gic_get_bit(GICD_ICPENDR, i));
		gic_set_bit(GICD_ISACTIVER, i);
		ASSERT(gic_get_bit(GICD_ISACTIVER, i) && gic_get_bit(GICD_ICACTIVER, i));
		gic_set_bit(GICD_ICACTIVER, i);
		ASSERT(!gic_get_bit(GICD_ISACTIVER, i) && !gic_get_bit(GICD_ICACTIVER, i));
		gic_priority(i, 0x50);
		ASSERT_EQ(mmio_read(gic_reg(GICD_IPRIORITYR, 8, i) + i % 4, 1) & 0xf0, 0x50);
		gic_route(i, 0);
		ASSERT_EQ(mmio_read(GICD_IPA + GICD_IROUTER + 8 * i, 8), 0);
	}
	check_rw(gic_reg(GICD_IPRIORITYR, 8, 64), 0xf0f0f0f0);
	check_rw(gic_reg(GICD_ICFGR, 2, 64), 0xaaaaaaaa);
	/* Zeros written to set and clear registers change nothing. */
	enable(SPI);
	mmio_write(gic_reg(GICD_ICENABLER, 1, SPI), 4, 0);
	mmio_write(gic_reg(GICD_ISENABLER, 1, SPI), 4, 0);
	ASSERT(gic_get_bit(GICD_ISENABLER, SPI));
	/* Active by hand: pending waits until it is inactive. */
	gic_edge(SPI, true);
	gic_set_bit(GICD_ISACTIVER, SPI);
	irq_on();
	gic_set_bit(GICD_ISPENDR, SPI);
	gic_settle();
	ASSERT_EQ(seen(SPI), 0);
	gic_set_bit(GICD_ICACTIVER, SPI);
	wait_count(SPI, 1);
	/* SGIs are edges, whatever is written. */
	mmio_write(gic_reg(GICD_ICFGR, 2, 0), 4, 0);
	ASSERT_EQ(mmio_read(gic_reg(GICD_ICFGR, 2, 0), 4), 0xaaaaaaaa);
	/* Beyond the last interrupt: reads as zero, writes ignored. */
	for (i = NR_IRQS; i < 1020; i += 32) {
		gic_set_bit(GICD_ISENABLER, i);
		ASSERT_EQ(mmio_read(gic_reg(GICD_ISENABLER, 1, i), 4), 0);
		gic_set_bit(GICD_ISPENDR, i);
		ASSERT_EQ(mmio_read(gic_reg(GICD_ISPENDR, 1, i), 4), 0);
		mmio_write(gic_reg(GICD_IPRIORITYR, 8, i), 4, ~0U);
		ASSERT_EQ(mmio_read(gic_reg(GICD_IPRIORITYR, 8, i), 4), 0);
	}
	/* Private interrupts are not in the distributor. */
	mmio_write(GICD_IPA + GICD_ISENABLER, 4, ~0U);
	ASSERT_EQ(mmio_read(GICD_IPA + GICD_ISENABLER, 4), 0);
}

/* Priority drop and deactivation apart. */
static void part_eoimode(void)
{
	u32 intid;

	icc_write(ICC_CTLR_EL1, 2);
	isb();
	ASSERT_EQ(icc_read(ICC_CTLR_EL1) & 2, 2);
	ASSERT_EQ(icc_read(ICC_IAR1_EL1), INTID_SPURIOUS);
	gic_edge(SPI, true);
	enable(SPI);
	gic_set_bit(GICD_ISPENDR, SPI);
	gic_settle();
	ASSERT_EQ(icc_read(ICC_HPPIR1_EL1), SPI);
	intid = icc_read(ICC_IAR1_EL1);
	ASSERT_EQ(intid, SPI);
	dsb(sy);
	ASSERT_EQ(icc_read(ICC_RPR_EL1) & 0xf0, 0xa0);
	/* Pending again while active: not before it is deactivated. */
	gic_set_bit(GICD_ISPENDR, SPI);
	icc_write(ICC_EOIR1_EL1, SPI);
	isb();
	ASSERT_EQ(icc_read(ICC_RPR_EL1), 0xff);
	gic_settle();
	ASSERT(gic_get_bit(GICD_ISACTIVER, SPI));
	ASSERT_EQ(icc_read(ICC_IAR1_EL1), INTID_SPURIOUS);
	icc_write(ICC_DIR_EL1, SPI);
	isb();
	gic_settle();
	ASSERT(!gic_get_bit(GICD_ISACTIVER, SPI));
	ASSERT_EQ(icc_read(ICC_IAR1_EL1), SPI);
	icc_write(ICC_EOIR1_EL1, SPI);
	icc_write(ICC_DIR_EL1, SPI);
	isb();
	gic_settle();
	ASSERT_EQ(icc_read(ICC_IAR1_EL1), INTID_SPURIOUS);
}

/* All offsets, all widths, all ones: the host survives, the GIC works after a new set-up. */
static void part_sweep(void)
{
	u64 addr, size = 2 * GICR_STRIDE;
	int len;

	for (addr = GICD_IPA; addr < GICD_IPA + 0x10000; addr += 4)
		mmio_read(addr, 4);
	for (addr = GICR_IPA; addr < GICR_IPA + size; addr += 12)
		mmio_read(addr, 4);
	for (len = 1; len <= 8; len *= 2) {
		/* A stride that reaches each register somewhere, at each alignment of its width. */
		for (addr = GICD_IPA; addr < GICD_IPA + 0x10000; addr += 24 + len) {
			mmio_read(addr & -len, len);
			mmio_write(addr & -len, len, ~0ULL);
		}
		for (addr = GICR_IPA; addr < GICR_IPA + size; addr += 56 + len) {
			mmio_read(addr & -len, len);
			mmio_write(addr & -len, len, ~0ULL);
		}
	}
	mmio_write(GICD_IPA + GICD_CTLR, 4, 0);
	for (addr = 32; addr < NR_IRQS; addr += 32) {
		mmio_write(gic_reg(GICD_ICENABLER, 1, addr), 4, ~0U);
		mmio_write(gic_reg(GICD_ICPENDR, 1, addr), 4, ~0U);
		mmio_write(gic_reg(GICD_ICACTIVER, 1, addr), 4, ~0U);
		mmio_write(gic_reg(GICD_ICFGR, 2, addr), 4, 0);
		mmio_write(gic_reg(GICD_ICFGR, 2, addr + 16), 4, 0);
	}
	mmio_write(gic_reg(GICD_ICENABLER, 1, 0), 4, ~0U);
	mmio_write(gic_reg(GICD_ICPENDR, 1, 0), 4, ~0U);
	mmio_write(gic_reg(GICD_ICACTIVER, 1, 0), 4, ~0U);
	gic_init();
	gic_route(SPI, 0);
	part_edge();
}

static void part_route(void)
{
	u32 i;

	ASSERT_EQ(smp_start(1, second_cpu, 0), PSCI_SUCCESS);
	wait_count(1023, 1);
	gic_edge(SPI, true);
	enable(SPI);
	irq_on();
	for (i = 1; i <= 20; i++) {
		gic_route(SPI, i % 2);
		ask(ASK_PULSE, SPI);
		wait_count(SPI, i);
		ASSERT_EQ(last_cpu[SPI], i % 2);
	}
	/* Moved while pending: taken by the new target. */
	irq_off();
	gic_route(SPI, 0);
	ask(ASK_PULSE, SPI);
	ASSERT(gic_get_bit(GICD_ISPENDR, SPI));
	gic_route(SPI, 1);
	wait_count(SPI, 21);
	ASSERT_EQ(last_cpu[SPI], 1);
}

/* A target that does not exist gets nothing; nothing is lost, the next target gets it. */
static void part_stray(void)
{
	gic_edge(SPI, true);
	enable(SPI);
	irq_on();
	gic_route(SPI, 7);
	ask(ASK_PULSE, SPI);
	gic_settle();
	ASSERT_EQ(seen(SPI), 0);
	ASSERT(gic_get_bit(GICD_ISPENDR, SPI));
	gic_route(SPI, 0);
	wait_count(SPI, 1);
}

static void part_wake(void)
{
	u32 i;

	gic_edge(SPI, true);
	enable(SPI);
	for (i = 1; i <= 20; i++) {
		irq_off();
		ask(ASK_LATER, SPI);
		while (!gic_get_bit(GICD_ISPENDR, SPI))
			wfi();
		irq_on();
		wait_count(SPI, i);
	}
}

static void part_irqfd(void)
{
	u32 i;

	gic_edge(SPI, true);
	enable(SPI);
	irq_on();
	for (i = 1; i <= 20; i++) {
		ask(ASK_EVENT, SPI);
		wait_count(SPI, i);
	}
	gic_settle();
	ASSERT_EQ(seen(SPI), 20);
}

/* A more urgent interrupt preempts the handler of another; the less urgent one waits. */
static void open_inside(u32 intid)
{
	if (intid != SPI)
		return;
	gic_set_bit(GICD_ISPENDR, SPI + 1);
	gic_set_bit(GICD_ISPENDR, SPI + 2);
	irq_on();
	gic_settle();
	wait_count(SPI + 1, seen(SPI));
	ASSERT_EQ(seen(SPI + 2), seen(SPI) - 1);
	irq_off();
}

static void part_nested(void)
{
	u32 i;

	gic_priority(SPI, 0x80);
	gic_priority(SPI + 1, 0x40);
	gic_priority(SPI + 2, 0xc0);
	for (i = SPI; i < SPI + 3; i++) {
		gic_edge(i, true);
		enable(i);
	}
	inside = open_inside;
	irq_on();
	for (i = 1; i <= 20; i++) {
		gic_set_bit(GICD_ISPENDR, SPI);
		wait_count(SPI, i);
		wait_count(SPI + 1, i);
		wait_count(SPI + 2, i);
	}
}

void guest_main(u64 part)
{
	static void (*const parts[])(void) = {
		[PART_LEVEL] = part_level,
		[PART_EDGE] = part_edge,
		[PART_PPI] = part_ppi,
		[PART_SGI] = part_sgi,
		[PART_PRIORITY] = part_priority,
		[PART_MANY] = part_many,
		[PART_REGISTERS] = part_registers,
		[PART_EOIMODE] = part_eoimode,
		[PART_SWEEP] = part_sweep,
		[PART_ROUTE] = part_route,
		[PART_STRAY] = part_stray,
		[PART_WAKE] = part_wake,
		[PART_IRQFD] = part_irqfd,
		[PART_NESTED] = part_nested,
	};

	gic_init();
	gic_handler(handler);
	parts[part]();
}
