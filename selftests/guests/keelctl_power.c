// SPDX-License-Identifier: GPL-2.0
/* Asks for performance and sleeps, as the test says. */
#include "guest.h"
#include "keelctl_power.h"

#define SET_PERF	4
#define NAP_US		10000
#define TOGGLE_US	30000

static const struct power_command *const cmd = (struct power_command *)SHARED_IPA;

static void ask(u64 khz)
{
	mmio_write(REGISTERS_IPA + SET_PERF, 4, khz);
}

static void timer_start(u64 us)
{
	sysreg_write(cntv_cval_el0, timer_now() + timer_us(us));
	sysreg_write(cntv_ctl_el0, TIMER_ENABLE);
	isb();
}

static bool timer_fired(void)
{
	isb();
	return sysreg_read(cntv_ctl_el0) & TIMER_ISTATUS;
}

/* Its interrupt is masked in the CPU, and wakes it all the same. */
static void nap(bool suspend)
{
	timer_start(NAP_US);
	while (!timer_fired())
		if (suspend)
			ASSERT_EQ(hvc(PSCI_CPU_SUSPEND, STATE_DEEP, 0, 0), PSCI_SUCCESS);
		else
			wfi();
	sysreg_write(cntv_ctl_el0, 0);
	isb();
}

static void begun(void)
{
	WRITE_ONCE(*(u64 *)BEGUN_IPA, 1);
}

static void toggle(u64 khz)
{
	for (;;) {
		ask(khz);
		begun();
		timer_start(TOGGLE_US);
		while (!timer_fired())
			cpu_relax();
		ask(2 * khz);
		timer_start(TOGGLE_US);
		while (!timer_fired())
			cpu_relax();
	}
}

static void command(void)
{
	u64 op = READ_ONCE(cmd->op), value = READ_ONCE(cmd->value), i;

	switch (op) {
	case POWER_ASK:
		ask(value);
		break;
	case POWER_WFI:
	case POWER_SUSPEND:
		for (i = 0; i < value; i++)
			nap(op == POWER_SUSPEND);
		break;
	case POWER_BUSY:
		begun();
		for (;;)
			cpu_relax();
	case POWER_IDLE:
		begun();
		for (;;)
			wfi();
	case POWER_TOGGLE:
		toggle(value);
	}
}

void guest_main(u64 arg __always_unused)
{
	gic_init();
	gic_set_bit(GICD_ISENABLER, PPI_VTIMER);
	for (;;) {
		sync(0);
		command();
	}
}
