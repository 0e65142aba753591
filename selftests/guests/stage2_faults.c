// SPDX-License-Identifier: GPL-2.0
/* Four CPUs go through memory for ever; each has a word of its own in every page. */
#include "guest.h"
#include "stage2_faults.h"

static void walk(u64 arg __always_unused)
{
	u64 cpu = cpu_id(), round, page;

	for (round = 1;; round++) {
		for (page = FAULT_IPA; page < FAULT_IPA + FAULT_SIZE; page += 4096) {
			ASSERT_EQ(mmio_read(page + 8 * cpu, 8), round == 1 ? 0 : page + round - 1);
			mmio_write(page + 8 * cpu, 8, page + round);
		}
		mmio_write(SHARED_IPA + 8 * cpu, 8, round);
	}
}

void guest_main(u64 arg __always_unused)
{
	u32 cpu;

	for (cpu = 1; cpu < FAULT_CPUS; cpu++)
		ASSERT_EQ(smp_start(cpu, walk, 0), PSCI_SUCCESS);
	walk(0);
}
