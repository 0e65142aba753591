// SPDX-License-Identifier: GPL-2.0
/* PSCI as a guest sees it. */
#include "guest.h"
#include "vcpu_psci.h"

#define AFFINITY_ON	0
#define AFFINITY_OFF	1
#define CONTEXT		0x1234567887654321
/* The 32-bit calling convention's number of a 64-bit function */
#define SMC32(fn)	((fn) & ~BIT(30))

static u32 started[MAX_CPUS];
static u32 gate;

static s64 affinity_info(u32 cpu)
{
	return hvc(PSCI_AFFINITY_INFO, smp_mpidr(cpu), 0, 0);
}

static void features(void)
{
	static const u32 there[] = {
		PSCI_VERSION, PSCI_CPU_SUSPEND, PSCI_CPU_OFF, PSCI_CPU_ON, PSCI_AFFINITY_INFO,
		PSCI_SYSTEM_OFF, PSCI_SYSTEM_RESET, PSCI_FEATURES, SMCCC_VERSION,
		SMC32(PSCI_CPU_ON), SMC32(PSCI_CPU_SUSPEND), SMC32(PSCI_AFFINITY_INFO),
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(there); i++)
		ASSERT_EQ(hvc(PSCI_FEATURES, there[i], 0, 0), 0);
	ASSERT_EQ((u32)hvc(PSCI_FEATURES, 0x840000fe, 0, 0), (u32)PSCI_NOT_SUPPORTED);
	ASSERT_EQ((u32)hvc(PSCI_FEATURES, 0, 0, 0), (u32)PSCI_NOT_SUPPORTED);
}

static void calls(void)
{
	u32 version = hvc(PSCI_VERSION, 0, 0, 0);

	ASSERT(version >= 0x10000 && version < 0x20000);
	features();
	/* No trusted OS to migrate. */
	ASSERT_EQ(hvc(PSCI_MIGRATE_INFO_TYPE, 0, 0, 0), 2);
	ASSERT_EQ(affinity_info(0), AFFINITY_ON);
	ASSERT_EQ(affinity_info(1), AFFINITY_OFF);
	ASSERT_EQ(affinity_info(5), PSCI_INVALID_PARAMS);
	ASSERT_EQ(hvc(PSCI_AFFINITY_INFO, 0, 4, 0), PSCI_INVALID_PARAMS);
	/* A level above that of CPUs is on when one in it is. */
	ASSERT_EQ(hvc(PSCI_AFFINITY_INFO, 0, 1, 0), AFFINITY_ON);
	ASSERT_EQ(hvc(PSCI_CPU_ON, smp_mpidr(0), RAM_IPA, 0), PSCI_ALREADY_ON);
	ASSERT_EQ(hvc(PSCI_CPU_ON, smp_mpidr(5), RAM_IPA, 0), PSCI_INVALID_PARAMS);
	ASSERT_EQ(hvc(PSCI_CPU_ON, ~0xffffULL, RAM_IPA, 0), PSCI_INVALID_PARAMS);
	ASSERT_EQ((u32)hvc(0x840000fe, 0, 0, 0), (u32)PSCI_NOT_SUPPORTED);
}

static void secondary(u64 arg)
{
	u32 cpu = cpu_id();

	ASSERT_EQ(arg, CONTEXT + cpu);
	__atomic_add_fetch(&started[cpu], 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&gate, __ATOMIC_ACQUIRE))
		cpu_relax();
}

static void wait_off(u32 cpu)
{
	while (affinity_info(cpu) != AFFINITY_OFF)
		cpu_relax();
}

static void wait_started(u32 cpu, u32 n)
{
	while (__atomic_load_n(&started[cpu], __ATOMIC_ACQUIRE) < n)
		cpu_relax();
}

static void on_off_round(u32 round)
{
	u32 cpu;

	__atomic_store_n(&gate, 0, __ATOMIC_RELEASE);
	for (cpu = 1; cpu < 4; cpu++)
		ASSERT_EQ(smp_start(cpu, secondary, CONTEXT + cpu), PSCI_SUCCESS);
	for (cpu = 1; cpu < 4; cpu++) {
		wait_started(cpu, round);
		ASSERT_EQ(affinity_info(cpu), AFFINITY_ON);
		ASSERT_EQ(hvc(PSCI_CPU_ON, smp_mpidr(cpu), RAM_IPA, 0), PSCI_ALREADY_ON);
	}
	__atomic_store_n(&gate, 1, __ATOMIC_RELEASE);
	for (cpu = 1; cpu < 4; cpu++)
		wait_off(cpu);
}

/* Ends only by a system event of CPU 3. */
static void spin_or_event(u64 fn)
{
	if (cpu_id() == 3)
		hvc(fn, 0, 0, 0);
	for (;;)
		cpu_relax();
}

static void event(u32 fn)
{
	u32 cpu;

	for (cpu = 1; cpu < 4; cpu++)
		ASSERT_EQ(smp_start(cpu, spin_or_event, fn), PSCI_SUCCESS);
	spin_or_event(fn);
}

static void no_interrupt(u32 intid)
{
	ASSERT_EQ(intid, PPI_VTIMER);
	sysreg_write(cntv_ctl_el0, 0);
}

/*
 * Standby: returns when an interrupt is there, although it is masked. Every other time it is there
 * before, and the CPU interface has its group switched off, as Linux does.
 */
static void suspend(void)
{
	int i;

	gic_init();
	gic_handler(no_interrupt);
	gic_set_bit(GICD_ISENABLER, PPI_VTIMER);
	for (i = 0; i < 10; i++) {
		sysreg_write(cntv_tval_el0, timer_us(1000));
		sysreg_write(cntv_ctl_el0, TIMER_ENABLE);
		icc_write(ICC_IGRPEN1_EL1, i % 2);
		isb();
		while (!(i % 2) && !(sysreg_read(cntv_ctl_el0) & TIMER_ISTATUS))
			cpu_relax();
		ASSERT_EQ(hvc(PSCI_CPU_SUSPEND, 0, 0, 0), PSCI_SUCCESS);
		while (!(sysreg_read(cntv_ctl_el0) & TIMER_ISTATUS))
			ASSERT_EQ(hvc(PSCI_CPU_SUSPEND, 0, 0, 0), PSCI_SUCCESS);
		icc_write(ICC_IGRPEN1_EL1, 1);
		irq_on();
		while (sysreg_read(cntv_ctl_el0))
			cpu_relax();
		irq_off();
	}
}

void guest_main(u64 part)
{
	u32 i;

	switch (part) {
	case PART_CALLS:
		calls();
		break;
	case PART_ON_OFF:
		for (i = 1; i <= 20; i++)
			on_off_round(i);
		break;
	case PART_SUSPEND:
		suspend();
		break;
	case PART_OFF:
		event(PSCI_SYSTEM_OFF);
		break;
	case PART_RESET:
		event(PSCI_SYSTEM_RESET);
		break;
	case PART_ALONE:
		done(cpu_id());
	}
}
