/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FLOOR_ROUNDTRIP_H
#define FLOOR_ROUNDTRIP_H

#define STUB_SIZE	16

#ifndef __ASSEMBLY__
#include <linux/types.h>

/**
 * floor_round_trips() - HVC and back, @rounds times
 * @rounds: at least 1
 * @stub: physical address of a copy of floor_stub
 *
 * Context: interrupts off, EL2 with HCR_EL2.E2H = 1, no vCPU loaded on this CPU.
 *
 * Return: ticks of the counter from the first instruction at EL1 to the last exception
 */
u64 floor_round_trips(u64 rounds, phys_addr_t stub);

extern const char floor_stub[];
#endif
#endif
