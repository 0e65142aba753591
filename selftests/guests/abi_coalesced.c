// SPDX-License-Identifier: GPL-2.0
/* Stores to one register from several CPUs, as fast as they can. */
#include "guest.h"
#include "abi_coalesced.h"

static u32 finished;

static void store_all(u64 cpu)
{
	u32 n;

	for (n = 0; n < COALESCED_N; n++)
		mmio_write(MMIO_IPA + 8 * cpu, 8, COALESCED_VALUE(cpu, n));
	__atomic_add_fetch(&finished, 1, __ATOMIC_RELEASE);
}

void guest_main(u64 arg __always_unused)
{
	u32 cpu;

	for (cpu = 1; cpu < COALESCED_CPUS; cpu++)
		ASSERT_EQ(smp_start(cpu, store_all, cpu), PSCI_SUCCESS);
	store_all(0);
	while (__atomic_load_n(&finished, __ATOMIC_ACQUIRE) < COALESCED_CPUS)
		cpu_relax();
}
