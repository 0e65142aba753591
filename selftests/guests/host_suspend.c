// SPDX-License-Identifier: GPL-2.0
/* Sleeps until a timer goes off. */
#include "guest.h"
#include "host_suspend.h"

static u64 fired;

static void timer_irq(u32 intid)
{
	sysreg_write(cntv_ctl_el0, 0);
	sysreg_write(cntp_ctl_el0, 0);
	isb();
	WRITE_ONCE(fired, intid);
}

void guest_main(u64 arg)
{
	u64 ticks = timer_us((arg >> 32) * 1000);
	u32 timer = arg;

	gic_init();
	gic_handler(timer_irq);
	gic_set_bit(GICD_ISENABLER, timer);
	sync(0);
	if (timer == TIMER_VIRT) {
		sysreg_write(cntv_cval_el0, timer_now() + ticks);
		sysreg_write(cntv_ctl_el0, TIMER_ENABLE);
	} else {
		sysreg_write(cntp_cval_el0, sysreg_read(cntpct_el0) + ticks);
		sysreg_write(cntp_ctl_el0, TIMER_ENABLE);
	}
	isb();
	/* Masked from the look to WFI, which a pending interrupt ends all the same. */
	while (!READ_ONCE(fired)) {
		wfi();
		irq_on();
		irq_off();
	}
	done(READ_ONCE(fired));
}
