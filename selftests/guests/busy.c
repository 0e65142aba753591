// SPDX-License-Identifier: GPL-2.0
/* Four CPUs with timers, interrupts for each other, memory, sleep. What they count must go on. */
#include "guest.h"
#include "../lib/busy.h"

#define SGI_HELLO	3
#define VIRT_US		10000
#define PHYS_US		20000
#define PAGES		8
#define AREA		(PAGES * 4096ULL)

static struct busy *mine(void)
{
	return (struct busy *)SHARED_IPA + cpu_id();
}

static void count(u64 *counter)
{
	WRITE_ONCE(*counter, *counter + 1);
}

static void count_irq(u32 intid)
{
	switch (intid) {
	case PPI_VTIMER:
		/* A level, and gone with the new time. */
		sysreg_write(cntv_tval_el0, timer_us(VIRT_US));
		isb();
		count(&mine()->virt);
		break;
	case PPI_PTIMER:
		sysreg_write(cntp_tval_el0, timer_us(PHYS_US));
		isb();
		count(&mine()->phys);
		break;
	default:
		ASSERT_EQ(intid, SGI_HELLO);
		count(&mine()->sgi);
	}
}

static void timers_start(void)
{
	gic_set_bit(GICD_ISENABLER, PPI_VTIMER);
	gic_set_bit(GICD_ISENABLER, PPI_PTIMER);
	sysreg_write(cntv_tval_el0, timer_us(VIRT_US));
	sysreg_write(cntv_ctl_el0, TIMER_ENABLE);
	sysreg_write(cntp_tval_el0, timer_us(PHYS_US));
	sysreg_write(cntp_ctl_el0, TIMER_ENABLE);
}

/* Time does not go back, whichever CPU of the host this was on before. */
static void look_at_clock(void)
{
	u64 now = timer_now();

	ASSERT(now >= mine()->now);
	WRITE_ONCE(mine()->now, now);
}

static void work(u64 arg __always_unused)
{
	u64 area = FREE_IPA + AREA * cpu_id(), addr, i;

	/* The distributor is CPU 0's business, and on before the others are. */
	if (cpu_id())
		gic_init();
	gic_set_bit(GICD_ISENABLER, SGI_HELLO);
	timers_start();
	irq_on();
	for (i = 0;; i++) {
		addr = area + i % PAGES * 4096 + cpu_id() * 8;
		ASSERT_EQ(mmio_read(addr, 8), i < PAGES ? 0 : i - PAGES);
		mmio_write(addr, 8, i);
		count(&mine()->work);
		look_at_clock();
		if (i % 256 == cpu_id())
			gic_sgi((cpu_id() + 1) % BUSY_CPUS, SGI_HELLO);
		if (i % 256 == 128)
			wfi();
	}
}

void guest_main(u64 arg __always_unused)
{
	u32 cpu;

	gic_handler(count_irq);
	gic_init();
	for (cpu = 1; cpu < BUSY_CPUS; cpu++)
		ASSERT_EQ(smp_start(cpu, work, 0), PSCI_SUCCESS);
	work(0);
}
