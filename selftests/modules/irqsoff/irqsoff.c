// SPDX-License-Identifier: GPL-2.0
/*
 * A CPU that spins with interrupts off, for a guest: only a pseudo-NMI can ask it where it is.
 *
 * insmod irqsoff.ko cpu=N returns at once; CPU N, not the one that runs insmod, is in
 * irqsoff_spin() from then until 1 is written to the parameter stop. Ask by the sysrq l meanwhile.
 * The module stays for good: nothing tells when CPU N has left it.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/smp.h>

static int cpu = 1;
module_param(cpu, int, 0444);
MODULE_PARM_DESC(cpu, "which CPU (default 1)");

static int stop;
module_param(stop, int, 0644);
MODULE_PARM_DESC(stop, "write 1: it spins no longer");

static int spinning;
module_param(spinning, int, 0444);
MODULE_PARM_DESC(spinning, "1 while it does");

/* Called by an inter-processor interrupt: interrupts are off. */
static noinline void irqsoff_spin(void *unused)
{
	WRITE_ONCE(spinning, 1);
	while (!READ_ONCE(stop))
		cpu_relax();
	WRITE_ONCE(spinning, 0);
}

static int __init irqsoff_init(void)
{
	int ret, here = get_cpu();

	/* The call would be made here, and this function never end. */
	ret = cpu == here ? -EINVAL : smp_call_function_single(cpu, irqsoff_spin, NULL, false);
	put_cpu();
	return ret;
}

module_init(irqsoff_init);
MODULE_DESCRIPTION("keel selftest: spins with interrupts off");
MODULE_LICENSE("GPL");
