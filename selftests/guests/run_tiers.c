// SPDX-License-Identifier: GPL-2.0
/* Does each operation once to warm up, then TIER_ROUNDS times between two SYNCs. */
#include "guest.h"
#include "run_tiers.h"

#define SPI_IDLE	40	/* stays disabled */
#define SPI_OTHER	41
#define SGI_SELF	3
#define SGI_FIRST	4
#define SGI_SECOND	5
#define TRNG_VERSION	0x84000050
#define TRNG_GET_UUID	0x84000052
#define TRNG_RND64	0xc4000053
#define UNKNOWN_CALL	0x8400ffff

static u32 sgis, ticks;

static void handler(u32 intid)
{
	if (intid == SGI_SELF) {
		sgis++;
	} else if (intid == PPI_VTIMER) {
		sysreg_write(cntv_ctl_el0, 0);
		isb();
		ticks++;
	}
}

static void smccc_version(void)
{
	ASSERT(hvc(SMCCC_VERSION, 0, 0, 0) > 0);
}

static void smccc_features(void)
{
	ASSERT_EQ(hvc(SMCCC_ARCH_FEATURES, SMCCC_VERSION, 0, 0), 0);
}

static void smccc_unknown(void)
{
	ASSERT_EQ(hvc(UNKNOWN_CALL, 0, 0, 0), -1);
}

static void smccc_smc(void)
{
	register u64 x0 asm("x0") = SMCCC_VERSION;

	/* smc #0 */
	asm volatile(".inst 0xd4000003"
		     : "+r" (x0) : : "x1", "x2", "x3", "memory");
	ASSERT(x0 >= 0x10001);
}

static void psci_version(void)
{
	ASSERT(hvc(PSCI_VERSION, 0, 0, 0) >= 0x10000);
}

static void psci_features(void)
{
	ASSERT_EQ(hvc(PSCI_FEATURES, PSCI_CPU_ON, 0, 0), 0);
}

static void psci_affinity(void)
{
	ASSERT_EQ(hvc(PSCI_AFFINITY_INFO, 0, 0, 0), 0);
}

static void trng_version(void)
{
	ASSERT_EQ(hvc(TRNG_VERSION, 0, 0, 0), 0x10000);
}

static void trng_uuid(void)
{
	ASSERT(hvc(TRNG_GET_UUID, 0, 0, 0) != -1);
}

/* No word comes twice, and none is empty. */
static void trng_rnd64(void)
{
	static u64 last;
	struct smccc c = { .x = { TRNG_RND64, 192 } };

	smccc_hvc(&c);
	ASSERT_EQ(c.x[0], 0);
	ASSERT(c.x[1] && c.x[2] && c.x[3] && c.x[3] != last && c.x[1] != c.x[2]);
	last = c.x[1];
}

static void id_register(void)
{
	ASSERT(sysreg_read(id_aa64pfr0_el1) & 0xf);
}

static void id_reserved(void)
{
	ASSERT_EQ(sysreg_read(s3_0_c0_c4_7), 0);
}

static void id_fixed(void)
{
	sysreg_read(clidr_el1);
}

static void debug_read(void)
{
	sysreg_read(dbgbvr1_el1);
}

static void debug_write(void)
{
	static u64 value;

	value += 4;
	sysreg_write(dbgbvr1_el1, value);
}

static void mdscr_write(void)
{
	sysreg_write(mdscr_el1, 1 << 12);	/* TDCC */
}

static void ptimer_read(void)
{
	sysreg_read(cntp_ctl_el0);
}

static void ptimer_write(void)
{
	static u64 value;

	sysreg_write(cntp_cval_el0, ++value);
}

static void ptimer_arm(void)
{
	sysreg_write(cntp_ctl_el0, TIMER_ENABLE);
	sysreg_write(cntp_ctl_el0, 0);
}

static void sgi_self(void)
{
	u32 before = sgis;

	gic_sgi(0, SGI_SELF);
	ASSERT_EQ(READ_ONCE(sgis), before + 1);
}

static void dist_typer(void)
{
	ASSERT(mmio_read(GICD_IPA + GICD_TYPER, 4));
}

static void dist_ctlr(void)
{
	ASSERT_EQ(mmio_read(GICD_IPA + GICD_CTLR, 4) & 3, 2);
}

static void dist_router(void)
{
	ASSERT_EQ(mmio_read(GICD_IPA + GICD_IROUTER + 8 * SPI_IDLE, 8), 0);
}

static void dist_enabled(void)
{
	ASSERT(!gic_get_bit(GICD_ISENABLER, SPI_IDLE));
}

static void dist_enable(void)
{
	gic_set_bit(GICD_ISENABLER, SPI_OTHER);
	gic_set_bit(GICD_ICENABLER, SPI_OTHER);
}

static void dist_enable_many(void)
{
	mmio_write(gic_reg(GICD_ICENABLER, 1, SPI_IDLE), 4, 3 << SPI_IDLE % 32);
}

static void dist_pend(void)
{
	gic_set_bit(GICD_ISPENDR, SPI_IDLE);
	gic_set_bit(GICD_ICPENDR, SPI_IDLE);
}

static void redist_typer(void)
{
	ASSERT(mmio_read(GICR_IPA + GICR_TYPER, 8) & 1 << 4);
}

static void redist_priority(void)
{
	ASSERT_EQ(mmio_read(gic_reg(GICD_IPRIORITYR, 8, SGI_SELF), 4), 0xa0a0a0a0);
}

static void redist_enable(void)
{
	gic_set_bit(GICD_ICENABLER, 7);
	gic_set_bit(GICD_ISENABLER, 7);
}

static void redist_set_priority(void)
{
	gic_priority(SGI_SELF, 0xa0);
}

/* Each pass loads FP anew, on its first use; the call ends the pass. */
static void fp(void)
{
	psci_affinity();
	asm volatile("fmov d0, x0" : : : "v0");
}

static u32 acknowledge(void)
{
	u32 intid;

	do {
		intid = icc_read(ICC_IAR1_EL1);
	} while (intid >= 1020);
	return intid;
}

static void finish(u32 intid)
{
	icc_write(ICC_EOIR1_EL1, intid);
	isb();
}

/* Pending, but held back by one of its priority that is active: the CPU would wait. */
static void wfi_pending(void)
{
	irq_off();
	gic_sgi(0, SGI_FIRST);
	ASSERT_EQ(acknowledge(), SGI_FIRST);
	gic_sgi(0, SGI_SECOND);
	wfi();
	finish(SGI_FIRST);
	ASSERT_EQ(acknowledge(), SGI_SECOND);
	finish(SGI_SECOND);
	irq_on();
}

static void vtimer(void)
{
	u32 before = ticks;

	sysreg_write(cntv_cval_el0, timer_now() + timer_us(5));
	sysreg_write(cntv_ctl_el0, TIMER_ENABLE);
	isb();
	while (READ_ONCE(ticks) == before)
		cpu_relax();
}

static void (*const ops[])(void) = {
#define TIER_FN(name, row, first, second, host) name,
	TIER_OPS(TIER_FN)
};

void guest_main(u64 arg __always_unused)
{
	u32 op, i;

	sysreg_write(cpacr_el1, 3 << 20);
	gic_init();
	gic_handler(handler);
	for (i = 0; i < 16; i++)
		gic_set_bit(GICD_ISENABLER, i);
	gic_set_bit(GICD_ISENABLER, PPI_VTIMER);
	irq_on();
	for (op = 0; op < TIER_NR; op++) {
		/* As many as there are rounds, so that what comes in turns is where it was. */
		for (i = 0; i < TIER_ROUNDS; i++)
			ops[op]();
		sync(op);
		for (i = 0; i < TIER_ROUNDS; i++)
			ops[op]();
		sync(op);
	}
}
