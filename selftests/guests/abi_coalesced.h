/* SPDX-License-Identifier: GPL-2.0 */
/* What the test and the guest of abi_coalesced agree on. */
#ifndef GUESTS_ABI_COALESCED_H
#define GUESTS_ABI_COALESCED_H

#define COALESCED_CPUS	3
#define COALESCED_N	500	/* stores of each CPU: more than the ring holds */

/* CPU and number of a store are its value. */
#define COALESCED_VALUE(cpu, n)	((u64)(cpu) << 32 | (n))

#endif
