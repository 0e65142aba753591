/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Debug builds count what costs time at EL2 on a real CPU: entries, writes of system registers,
 * and ISBs. Kbuild puts this header before each EL2 object's own, so that the kernel's macros
 * count; the assembly says count_one. The counters are the module's; statistics of any vCPU show
 * them.
 */
#ifndef KEEL_COUNT_H
#define KEEL_COUNT_H

#define EL2_COUNTED_ENTRIES	0
#define EL2_COUNTED_WRITES	8
#define EL2_COUNTED_ISBS	16

#ifndef __ASSEMBLY__

#include <linux/types.h>
#include <asm/barrier.h>
#include <asm/sysreg.h>

/**
 * struct el2_counted - what EL2 code has done since insmod, on all CPUs
 * @entries: exits from a guest
 * @sysreg_writes: MSR of a register (not of a PSTATE field)
 * @isbs: ISB
 */
struct el2_counted {
	u64 entries;
	u64 sysreg_writes;
	u64 isbs;
};

extern struct el2_counted el2_counted;

#if defined(KEEL_EL2) && defined(KEEL_DEBUG)

/* Plain exclusives, as el2_lock() has. */
static __always_inline void el2_count(u64 *counter)
{
	u64 val;
	u32 fail;

	asm volatile("1:	ldxr	%0, %2\n"
	"	add	%0, %0, #1\n"
	"	stxr	%w1, %0, %2\n"
	"	cbnz	%w1, 1b\n"
	: "=&r" (val), "=&r" (fail), "+Q" (*counter));
}

#undef write_sysreg
#define write_sysreg(v, r) do {						\
	u64 __counted_val = (u64)(v);					\
	el2_count(&el2_counted.sysreg_writes);				\
	asm volatile("msr " __stringify(r) ", %x0" : : "rZ" (__counted_val));	\
} while (0)

#undef write_sysreg_s
#define write_sysreg_s(v, r) do {					\
	u64 __counted_val = (u64)(v);					\
	u32 __maybe_unused __counted_reg = (u32)(r);			\
	el2_count(&el2_counted.sysreg_writes);				\
	asm volatile(__msr_s(r, "%x0") : : "rZ" (__counted_val));	\
} while (0)

#undef isb
#define isb() do {							\
	el2_count(&el2_counted.isbs);					\
	asm volatile("isb" : : : "memory");				\
} while (0)

#endif
#endif /* !__ASSEMBLY__ */
#endif /* KEEL_COUNT_H */
