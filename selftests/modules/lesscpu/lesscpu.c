// SPDX-License-Identifier: GPL-2.0
/*
 * A CPU with fewer features than the others: keel reads of its ID registers what this leaves of
 * them. Load it after keel, with that CPU offline.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/smp.h>

static unsigned int cpu = 1;
module_param(cpu, uint, 0444);
MODULE_PARM_DESC(cpu, "which CPU");

static ulong clear;
module_param(clear, ulong, 0444);
MODULE_PARM_DESC(clear, "bits that are 0 in each ID register of it");

static int id_of_this_cpu_returns(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	if (raw_smp_processor_id() == cpu)
		regs->regs[0] &= ~clear;
	return 0;
}

static struct kretprobe probe = {
	.handler = id_of_this_cpu_returns,
	.kp.symbol_name = "keel:id_of_this_cpu",
};

static int __init lesscpu_init(void)
{
	return register_kretprobe(&probe);
}

static void __exit lesscpu_exit(void)
{
	unregister_kretprobe(&probe);
}

module_init(lesscpu_init);
module_exit(lesscpu_exit);
MODULE_DESCRIPTION("keel selftest: a CPU with fewer features");
MODULE_LICENSE("GPL");
