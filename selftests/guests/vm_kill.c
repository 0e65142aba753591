// SPDX-License-Identifier: GPL-2.0
/* Four busy CPUs: counting, sleeping, sending interrupts, leaving for the VMM. */
#include "guest.h"

static u64 woken;

static void count_sgi(u32 intid __always_unused)
{
	__atomic_add_fetch(&woken, 1, __ATOMIC_RELAXED);
}

static void work(u64 arg __always_unused)
{
	u32 cpu = cpu_id();
	u64 i;

	gic_init();
	gic_set_bit(GICD_ISENABLER, 1);
	irq_on();
	for (i = 0;; i++) {
		mmio_write(FREE_IPA + (i * 4096 * (cpu + 1) & 0x3fffff), 8, i);
		__atomic_add_fetch((u64 *)SHARED_IPA, 1, __ATOMIC_RELAXED);
		if (i % 16 == cpu)
			gic_sgi((cpu + 1) % 4, 1);
		if (cpu == 3 && i % 8 == 0)
			wfi();
		if (cpu == 2 && i % 32 == 0)
			sync(i);
	}
}

void guest_main(u64 arg __always_unused)
{
	u32 cpu;

	gic_handler(count_sgi);
	for (cpu = 1; cpu < 4; cpu++)
		ASSERT_EQ(smp_start(cpu, work, 0), PSCI_SUCCESS);
	work(0);
}
