// SPDX-License-Identifier: GPL-2.0
/*
 * Caches. A guest with its caches off, or which maps memory Non-cacheable, reads at the point of
 * coherency: unless FEAT_S2FWB makes all its accesses cacheable, what the host wrote has to be
 * there.
 */
#include <linux/bitfield.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <asm/cacheflush.h>
#include <asm/cpufeature.h>

#include <keel/compat.h>
#include <keel/vm.h>

#include "tables.h"

#define CTR_DATA_LINE	GENMASK(19, 16)	/* smallest of any cache, log2 of words */
#define CTR_L1I_POLICY	GENMASK(15, 14)
#define L1I_PIPT	3

static unsigned long dcache_line(void)
{
	return 4ul << FIELD_GET(CTR_DATA_LINE, read_sanitised_ftr_reg(SYS_CTR_EL0));
}

static bool icache_is_pipt(void)
{
	return FIELD_GET(CTR_L1I_POLICY, read_sanitised_ftr_reg(SYS_CTR_EL0)) == L1I_PIPT;
}

/* How much is done between two offers of the CPU: 1 GB takes a good part of a second. */
#define CACHE_PART	SZ_2M

static void clean_to_poc(unsigned long addr, unsigned long end)
{
	unsigned long line = dcache_line();

	for (; addr < end; addr += line)
		asm volatile("dc civac, %0" : : "r" (addr) : "memory");
	dsb(sy);
}

static void clean_to_pou(unsigned long addr, unsigned long end)
{
	unsigned long line = dcache_line();

	for (; addr < end; addr += line)
		asm volatile("dc cvau, %0" : : "r" (addr) : "memory");
	dsb(ish);
}

static void clean_in_parts(struct hpa a, u64 size, void (*clean)(unsigned long, unsigned long))
{
	unsigned long addr = (unsigned long)__va(a.v);
	unsigned long end = addr + size;
	unsigned long part;

	for (; addr < end; addr += part) {
		part = min_t(unsigned long, end - addr, CACHE_PART);
		clean(addr, addr + part);
		cond_resched();
	}
}

void cache_clean_to_poc(struct hpa a, u64 size)
{
	clean_in_parts(a, size, clean_to_poc);
}

static void icache_flush_all(void)
{
	asm volatile("ic ialluis" : : : "memory");
	dsb(ish);
	isb();
}

void icache_make_coherent(struct hpa a, u64 size)
{
	unsigned long addr = (unsigned long)__va(a.v);

	/* By lines that would be millions of broadcasts. */
	if (size > CACHE_PART) {
		if (!host.cache_idc)
			clean_in_parts(a, size, clean_to_pou);
		icache_flush_all();
		return;
	}
	caches_clean_inval_pou(addr, addr + size);
	/* A cache that is indexed by virtual address keeps what the kernel's alias misses. */
	if (!host.cache_dic && !icache_is_pipt())
		icache_flush_all();
}
