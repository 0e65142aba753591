// SPDX-License-Identifier: GPL-2.0
/* Times what a guest asks of a hypervisor, by the virtual counter. */
#include "guest.h"
#include "bench_exits.h"

#define ROUNDS		1000
#define ROUNDS_SLOW	200	/* the counter field holds 4 s */
#define SGI_BENCH	5

static u64 ipi_seen, stop, timer_seen, timer_late, fault_page = BENCH_FAULT_IPA;

static void handler(u32 intid)
{
	if (intid == PPI_VTIMER) {
		timer_late = timer_now() - sysreg_read(cntv_cval_el0);
		sysreg_write(cntv_ctl_el0, 0);
		isb();
		WRITE_ONCE(timer_seen, timer_seen + 1);
	} else if (intid == SGI_BENCH) {
		WRITE_ONCE(ipi_seen, ipi_seen + 1);
	}
}

static void run_hvc(int n)
{
	while (n--)
		hvc(SMCCC_VERSION, 0, 0, 0);
}

static void run_hvc_host(int n)
{
	while (n--)
		hvc(PSCI_AFFINITY_INFO, 0, 0, 0);
}

static void run_sysreg(int n)
{
	while (n--)
		sysreg_read(id_aa64pfr0_el1);
}

static void run_mmio_user(int n)
{
	while (n--)
		mmio_read(MMIO_IPA, 4);
}

static void run_mmio_gic(int n)
{
	while (n--)
		mmio_read(GICD_IPA + GICD_IIDR, 4);
}

static void run_fault(int n)
{
	for (; n--; fault_page += 4096)
		mmio_write(fault_page, 8, 1);
}

/* One EOI at a time is timed: the SGI to oneself before it is not. */
static u64 eoi_ticks(int n)
{
	u64 sum = 0, start;
	u32 intid;

	while (n--) {
		gic_sgi(0, SGI_BENCH);
		do {
			intid = icc_read(ICC_IAR1_EL1);
		} while (intid >= 1020);
		start = timer_now();
		icc_write(ICC_EOIR1_EL1, intid);
		isb();
		sum += timer_now() - start;
	}
	return sum;
}

static u64 ipi_ticks(int n)
{
	u64 start = timer_now(), seen;

	while (n--) {
		seen = READ_ONCE(ipi_seen);
		gic_sgi(1, SGI_BENCH);
		while (READ_ONCE(ipi_seen) == seen)
			cpu_relax();
	}
	return timer_now() - start;
}

static u64 timer_ticks(int n)
{
	u64 sum = 0, seen;

	irq_on();
	while (n--) {
		seen = READ_ONCE(timer_seen);
		sysreg_write(cntv_cval_el0, timer_now() + timer_us(20));
		sysreg_write(cntv_ctl_el0, TIMER_ENABLE);
		isb();
		while (READ_ONCE(timer_seen) == seen)
			cpu_relax();
		sum += timer_late;
	}
	irq_off();
	return sum;
}

static void other_cpu(u64 arg __always_unused)
{
	gic_init();
	gic_handler(handler);
	gic_set_bit(GICD_ISENABLER, SGI_BENCH);
	irq_on();
	WRITE_ONCE(ipi_seen, 1);
	while (!READ_ONCE(stop))
		cpu_relax();
	irq_off();
}

static void batches(int op, void (*run)(int n), u64 (*ticks)(int n), int rounds)
{
	u64 start, sum;
	int i;

	for (i = 0; i <= BENCH_BATCHES; i++) {
		if (ticks) {
			sum = ticks(rounds);
		} else {
			start = timer_now();
			run(rounds);
			sum = timer_now() - start;
		}
		if (i)
			sync(BENCH_REPORT(op, sum, rounds));
	}
}

void guest_main(u64 arg __always_unused)
{
	gic_init();
	gic_handler(handler);
	gic_set_bit(GICD_ISENABLER, SGI_BENCH);
	gic_set_bit(GICD_ISENABLER, PPI_VTIMER);
	batches(BENCH_HVC, run_hvc, NULL, ROUNDS);
	batches(BENCH_HVC_HOST, run_hvc_host, NULL, ROUNDS);
	batches(BENCH_SYSREG, run_sysreg, NULL, ROUNDS);
	batches(BENCH_MMIO_USER, run_mmio_user, NULL, ROUNDS_SLOW);
	batches(BENCH_MMIO_GIC, run_mmio_gic, NULL, ROUNDS);
	batches(BENCH_FAULT, run_fault, NULL, BENCH_FAULTS);
	batches(BENCH_EOI, NULL, eoi_ticks, ROUNDS_SLOW);
	batches(BENCH_TIMER, NULL, timer_ticks, ROUNDS_SLOW);
	ASSERT_EQ(smp_start(1, other_cpu, 0), 0);
	while (!READ_ONCE(ipi_seen))
		cpu_relax();
	batches(BENCH_IPI, NULL, ipi_ticks, ROUNDS_SLOW);
	WRITE_ONCE(stop, 1);
	done(0);
}
