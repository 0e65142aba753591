// SPDX-License-Identifier: GPL-2.0
/*
 * A machine that can suspend to RAM, for hosts whose firmware cannot (QEMU's PSCI has no
 * SYSTEM_SUSPEND): /sys/power/state takes "mem" and goes all the way, with the other CPUs offline
 * and this one's interrupts off. There the last CPU spends some time and wakes up again.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/suspend.h>

static unsigned int ms = 10;
module_param(ms, uint, 0644);
MODULE_PARM_DESC(ms, "how long the machine is off, in milliseconds");

static unsigned int entered;
module_param(entered, uint, 0444);
MODULE_PARM_DESC(entered, "how often it was");

static int sleeper_enter(suspend_state_t state)
{
	entered++;
	mdelay(ms);
	return 0;
}

static const struct platform_suspend_ops sleeper_ops = {
	.valid = suspend_valid_only_mem,
	.enter = sleeper_enter,
};

static int __init sleeper_init(void)
{
	suspend_set_ops(&sleeper_ops);
	return 0;
}

/* What a suspend under way uses stays: suspend_set_ops() waits for it. */
static void __exit sleeper_exit(void)
{
	suspend_set_ops(NULL);
}

module_init(sleeper_init);
module_exit(sleeper_exit);
MODULE_DESCRIPTION("keel selftest: a machine that can suspend");
MODULE_LICENSE("GPL");
