// SPDX-License-Identifier: GPL-2.0
/*
 * The floor below every hypervisor on this CPU: HVC from EL1, an empty vector at EL2, ERET.
 *
 * Reading the parameter round_trips does a number of them on this CPU, with interrupts off, and
 * says what the counter saw. There is no guest: a few instructions run at EL1 with the MMU and
 * stage 2 off, and nothing stays behind. VHE hosts only.
 */
#include <linux/bitops.h>
#include <linux/io.h>
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/barrier.h>
#include <asm/cacheflush.h>
#include <asm/ptrace.h>
#include <asm/virt.h>

#include "roundtrip.h"

#define ROUNDS	10000

/* Where EL1 runs: physically contiguous, so that its physical address is good without an MMU. */
static void *stub;

/* EL1 fetches without cache: clean to the point of coherency, line by line. */
static void stub_clean(void)
{
	unsigned long p = (unsigned long)stub, end = p + STUB_SIZE;

	for (; p < end; p += 16)
		asm volatile("dc cvac, %0" : : "r" (p) : "memory");
	dsb(sy);
	asm volatile("ic iallu" : : : "memory");
	dsb(sy);
	isb();
}

static int round_trips_get(char *buf, const struct kernel_param *kp)
{
	unsigned long flags;
	u64 ticks;

	local_irq_save(flags);
	stub_clean();
	ticks = floor_round_trips(ROUNDS, virt_to_phys(stub));
	local_irq_restore(flags);
	return sysfs_emit(buf, "%llu ticks, %u rounds\n", ticks, ROUNDS);
}

static const struct kernel_param_ops round_trips_ops = {
	.get = round_trips_get,
};
module_param_cb(round_trips, &round_trips_ops, NULL, 0400);
MODULE_PARM_DESC(round_trips, "read: counter ticks that round trips from EL1 to EL2 took");

static int __init floor_init(void)
{
	if (!is_kernel_in_hyp_mode())
		return -EOPNOTSUPP;
	stub = (void *)get_zeroed_page(GFP_KERNEL);
	if (!stub)
		return -ENOMEM;
	memcpy(stub, floor_stub, STUB_SIZE);
	return 0;
}

static void __exit floor_exit(void)
{
	free_page((unsigned long)stub);
}

module_init(floor_init);
module_exit(floor_exit);
MODULE_DESCRIPTION("keel selftest: the cost of an empty vector");
MODULE_LICENSE("GPL");
