// SPDX-License-Identifier: GPL-2.0
/*
 * CPUs with two idle states, for hosts that have but one: the second one says that it takes 400 us
 * to leave. Both are a WFI; which one was chosen how often is in cpuidle's own files.
 */
#include <linux/cpuidle.h>
#include <linux/module.h>
#include <asm/barrier.h>

static int idle_enter(struct cpuidle_device *dev, struct cpuidle_driver *drv, int index)
{
	dsb(sy);
	wfi();
	return index;
}

static struct cpuidle_driver driver = {
	.name = "keel-selftest",
	/* None: each CPU would hold the module, which could never be removed. */
	.states = {
		{ .name = "light", .desc = "WFI", .enter = idle_enter,
		  .exit_latency = 1, .target_residency = 1 },
		{ .name = "heavy", .desc = "WFI again", .enter = idle_enter,
		  .exit_latency = 400, .target_residency = 500 },
	},
	.state_count = 2,
};

static int __init idle_init(void)
{
	return cpuidle_register(&driver, NULL);
}

static void __exit idle_exit(void)
{
	cpuidle_unregister(&driver);
}

module_init(idle_init);
module_exit(idle_exit);
MODULE_DESCRIPTION("keel selftest: CPUs with two idle states");
MODULE_LICENSE("GPL");
