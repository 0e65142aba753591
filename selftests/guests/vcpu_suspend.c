// SPDX-License-Identifier: GPL-2.0
/*
 * PSCI SYSTEM_SUSPEND, not there, refused and carried out, at last with the CPU interface closed;
 * then the interrupt that ended it.
 */
#include "guest.h"
#include "vcpu_suspend.h"

#define SMC32(fn)	((fn) & ~BIT(30))

static u32 woken;

static void wake_interrupt(u32 intid)
{
	ASSERT_EQ(intid, WAKE_INTID);
	WRITE_ONCE(woken, woken + 1);
}

static s64 suspend(void)
{
	return hvc(PSCI_SYSTEM_SUSPEND, SUSPEND_ENTRY, SUSPEND_CONTEXT, 0);
}

static void features(s64 want)
{
	ASSERT_EQ((u32)hvc(PSCI_FEATURES, PSCI_SYSTEM_SUSPEND, 0, 0), (u32)want);
	ASSERT_EQ((u32)hvc(PSCI_FEATURES, SMC32(PSCI_SYSTEM_SUSPEND), 0, 0), (u32)want);
}

void guest_main(u64 arg __always_unused)
{
	u32 closed;

	gic_init();
	gic_handler(wake_interrupt);
	gic_edge(WAKE_INTID, true);
	gic_set_bit(GICD_ISENABLER, WAKE_INTID);

	features(PSCI_NOT_SUPPORTED);
	ASSERT_EQ(suspend(), PSCI_NOT_SUPPORTED);
	sync(0);
	features(PSCI_SUCCESS);
	ASSERT_EQ(suspend(), PSCI_DENIED_BY_VMM);
	for (closed = 0; closed < 2; closed++) {
		icc_write(ICC_IGRPEN1_EL1, !closed);
		ASSERT_EQ(suspend(), PSCI_SUCCESS);
		icc_write(ICC_IGRPEN1_EL1, 1);
		irq_on();
		while (READ_ONCE(woken) == closed)
			cpu_relax();
		irq_off();
	}
}
