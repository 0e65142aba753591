// SPDX-License-Identifier: GPL-2.0
/* The generic timer of a guest: virtual and physical, by interrupt, by WFI, masked, many. */
#include "guest.h"
#include "vtimer_irq.h"

static u32 count[32];
static u64 fired_at;
static bool hold;

static void vtimer_handler(u32 intid)
{
	ASSERT(intid == PPI_VTIMER || intid == PPI_PTIMER);
	fired_at = timer_now();
	/* Level: switched off before EOI, else it comes again. */
	if (intid == PPI_VTIMER) {
		ASSERT(sysreg_read(cntv_ctl_el0) & TIMER_ISTATUS);
		ASSERT((s64)(fired_at - sysreg_read(cntv_cval_el0)) >= 0);
		sysreg_write(cntv_ctl_el0, 0);
	} else {
		ASSERT(sysreg_read(cntp_ctl_el0) & TIMER_ISTATUS);
		sysreg_write(cntp_ctl_el0, 0);
	}
	isb();
	__atomic_add_fetch(&count[intid], 1, __ATOMIC_RELEASE);
	if (hold) {
		hold = false;
		sync(0);
	}
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

static void registers_virtual(void)
{
	u64 a = timer_now(), b = timer_now();

	ASSERT(b >= a);
	sysreg_write(cntv_ctl_el0, TIMER_IMASK);
	sysreg_write(cntv_cval_el0, 0x123456789abcdef);
	isb();
	ASSERT_EQ(sysreg_read(cntv_cval_el0), 0x123456789abcdef);
	ASSERT_EQ(sysreg_read(cntv_ctl_el0) & 3, TIMER_IMASK);
	/* CVAL becomes the counter at that moment plus TVAL. */
	a = timer_now();
	sysreg_write(cntv_tval_el0, 1000000);
	b = timer_now();
	ASSERT(sysreg_read(cntv_cval_el0) >= a + 1000000);
	ASSERT(sysreg_read(cntv_cval_el0) <= b + 1000000);
	/* TVAL is signed, and 32 bits */
	sysreg_write(cntv_tval_el0, -1000);
	sysreg_write(cntv_ctl_el0, TIMER_IMASK | TIMER_ENABLE);
	isb();
	ASSERT_EQ(sysreg_read(cntv_ctl_el0) & 7, TIMER_IMASK | TIMER_ENABLE | TIMER_ISTATUS);
	ASSERT((int)sysreg_read(cntv_tval_el0) <= -1000);
	sysreg_write(cntv_ctl_el0, 0);
}

static void registers_physical(void)
{
	u64 a = sysreg_read(cntpct_el0), b;

	isb();
	b = sysreg_read(cntpct_el0);
	ASSERT(b >= a);
	sysreg_write(cntp_ctl_el0, TIMER_IMASK);
	sysreg_write(cntp_cval_el0, 0x123456789abcdef);
	isb();
	ASSERT_EQ(sysreg_read(cntp_cval_el0), 0x123456789abcdef);
	ASSERT_EQ(sysreg_read(cntp_ctl_el0) & 3, TIMER_IMASK);
	a = sysreg_read(cntpct_el0);
	isb();
	sysreg_write(cntp_tval_el0, 1000000);
	isb();
	b = sysreg_read(cntpct_el0);
	ASSERT(sysreg_read(cntp_cval_el0) >= a + 1000000);
	ASSERT(sysreg_read(cntp_cval_el0) <= b + 1000000);
	sysreg_write(cntp_tval_el0, -1000);
	sysreg_write(cntp_ctl_el0, TIMER_IMASK | TIMER_ENABLE);
	isb();
	ASSERT_EQ(sysreg_read(cntp_ctl_el0) & 7, TIMER_IMASK | TIMER_ENABLE | TIMER_ISTATUS);
	ASSERT((int)sysreg_read(cntp_tval_el0) <= -1000);
	sysreg_write(cntp_ctl_el0, 0);
}

static void arm_virtual(u64 us)
{
	sysreg_write(cntv_cval_el0, timer_now() + timer_us(us));
	sysreg_write(cntv_ctl_el0, TIMER_ENABLE);
	isb();
}

static void arm_physical(u64 us)
{
	sysreg_write(cntp_cval_el0, sysreg_read(cntpct_el0) + timer_us(us));
	sysreg_write(cntp_ctl_el0, TIMER_ENABLE);
	isb();
}

static void rounds(u32 intid, void (*arm)(u64 us))
{
	u32 i;

	gic_set_bit(GICD_ISENABLER, intid);
	irq_on();
	for (i = 1; i <= 50; i++) {
		arm(i % 5 * 100);
		wait_count(intid, i);
		ASSERT_EQ(seen(intid), i);
	}
	/* In the past already when armed. */
	arm(-1000);
	wait_count(intid, 51);
	/* Never enabled: never. */
	ASSERT_EQ(seen(intid == PPI_VTIMER ? PPI_PTIMER : PPI_VTIMER), 0);
}

static void sleep_until(u32 intid, u32 n)
{
	irq_off();
	while (seen(intid) < n) {
		wfi();
		irq_on();
		irq_off();
	}
	irq_on();
}

/* WFI ends by a timer that fires while the vCPU is not on any CPU. */
static void part_wfi(void)
{
	u32 i;

	gic_set_bit(GICD_ISENABLER, PPI_VTIMER);
	gic_set_bit(GICD_ISENABLER, PPI_PTIMER);
	for (i = 1; i <= 20; i++) {
		arm_virtual(2000);
		sleep_until(PPI_VTIMER, i);
		arm_physical(2000);
		sleep_until(PPI_PTIMER, i);
	}
	/* An interrupt that is masked in the CPU ends WFI as well, and is still there. */
	irq_off();
	arm_virtual(2000);
	while (!(sysreg_read(cntv_ctl_el0) & TIMER_ISTATUS))
		wfi();
	ASSERT_EQ(seen(PPI_VTIMER), 20);
	irq_on();
	wait_count(PPI_VTIMER, 21);
}

static void part_busy(void)
{
	u32 i;

	gic_set_bit(GICD_ISENABLER, PPI_VTIMER);
	irq_on();
	for (i = 1; i <= BUSY_ROUNDS; i++) {
		arm_virtual(100);
		if (i % 2)
			wait_count(PPI_VTIMER, i);
		else
			sleep_until(PPI_VTIMER, i);
		ASSERT_EQ(seen(PPI_VTIMER), i);
	}
}

/* Masked in the timer, disabled in the GIC: no interrupt; it comes when that changes. */
static void part_masked(void)
{
	irq_on();
	gic_set_bit(GICD_ISENABLER, PPI_VTIMER);
	sysreg_write(cntv_cval_el0, timer_now());
	sysreg_write(cntv_ctl_el0, TIMER_ENABLE | TIMER_IMASK);
	isb();
	mmio_read(GICD_IPA, 4);
	ASSERT_EQ(seen(PPI_VTIMER), 0);
	ASSERT(!gic_get_bit(GICD_ISPENDR, PPI_VTIMER));
	sysreg_write(cntv_ctl_el0, TIMER_ENABLE);
	isb();
	wait_count(PPI_VTIMER, 1);

	gic_set_bit(GICD_ICENABLER, PPI_VTIMER);
	sysreg_write(cntv_ctl_el0, TIMER_ENABLE);
	isb();
	while (!gic_get_bit(GICD_ISPENDR, PPI_VTIMER))
		cpu_relax();
	ASSERT_EQ(seen(PPI_VTIMER), 1);
	/* Level: gone with its cause. */
	sysreg_write(cntv_ctl_el0, 0);
	isb();
	while (gic_get_bit(GICD_ISPENDR, PPI_VTIMER))
		cpu_relax();
	sysreg_write(cntv_ctl_el0, TIMER_ENABLE);
	gic_set_bit(GICD_ISENABLER, PPI_VTIMER);
	wait_count(PPI_VTIMER, 2);
}

static void part_held(void)
{
	gic_set_bit(GICD_ISENABLER, PPI_VTIMER);
	irq_on();
	hold = true;
	arm_virtual(100);
	wait_count(PPI_VTIMER, 1);
	arm_virtual(100);
	wait_count(PPI_VTIMER, 2);
}

void guest_main(u64 part)
{
	gic_init();
	gic_handler(vtimer_handler);
	switch (part) {
	case PART_REGISTERS:
		registers_virtual();
		registers_physical();
		break;
	case PART_VIRTUAL:
		rounds(PPI_VTIMER, arm_virtual);
		break;
	case PART_PHYSICAL:
		rounds(PPI_PTIMER, arm_physical);
		break;
	case PART_WFI:
		part_wfi();
		break;
	case PART_BUSY:
		part_busy();
		break;
	case PART_MASKED:
		part_masked();
		break;
	case PART_HELD:
		part_held();
	}
}
