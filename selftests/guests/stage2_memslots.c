// SPDX-License-Identifier: GPL-2.0
/*
 * Eight CPUs go through memory for ever; each has a word of its own in every page, at either of two
 * addresses in turn.
 */
#include "guest.h"
#include "stage2_memslots.h"

#define PAGES	(MOVING_SLOTS * MOVING_PAGES)

static u64 word_of(u64 page, u64 turn)
{
	u64 base = turn & 1 ? MOVING_ALIAS : MOVING_IPA;

	return base + page * 4096 + 8 * cpu_id();
}

static void walk(u64 arg __always_unused)
{
	u64 cpu = cpu_id(), round, page, seen;

	for (round = 1;; round++) {
		for (page = 0; page < PAGES; page++) {
			seen = mmio_read(word_of(page, round + page), 8);
			ASSERT_EQ(seen, round == 1 ? 0 : page << 32 | (round - 1));
			mmio_write(word_of(page, round / 2 + page), 8, page << 32 | round);
		}
		mmio_write(SHARED_IPA + 8 * cpu, 8, round);
	}
}

void guest_main(u64 arg __always_unused)
{
	u32 cpu;

	for (cpu = 1; cpu < MOVING_CPUS; cpu++)
		ASSERT_EQ(smp_start(cpu, walk, 0), PSCI_SUCCESS);
	walk(0);
}
