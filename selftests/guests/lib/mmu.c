// SPDX-License-Identifier: GPL-2.0
/* The identity map: 4 KB granule, 39-bit addresses, so translation starts at level 1. */
#include "guest.h"

#define PTE_TABLE	3ULL
#define PTE_BLOCK	1ULL
#define PTE_PAGE	3ULL
#define PTE_ATTR(n)	((u64)(n) << 2)
#define PTE_INNER	(3ULL << 8)
#define PTE_AF		BIT(10)
#define PTE_USER	BIT(6)
#define PTE_PXN		BIT(53)
#define PTE_UXN		BIT(54)
#define PTE_NORMAL	(PTE_ATTR(0) | PTE_INNER | PTE_AF | PTE_UXN)
#define PTE_DEVICE	(PTE_ATTR(1) | PTE_AF | PTE_UXN | PTE_PXN)

/* MAIR: attribute 0 is normal write-back, 1 is device nGnRE. */
#define MAIR		0x04ffULL
/* TCR: T0SZ 25, write-back inner-shareable walks, TTBR1 off, 40-bit output. */
#define TCR		(25ULL | 1 << 8 | 1 << 10 | 3 << 12 | BIT(23) | 2ULL << 32)
#define SCTLR_M_C_I	(BIT(0) | BIT(2) | BIT(12))

static u64 level1[512] __attribute__((aligned(4096)));
static u64 level2[512] __attribute__((aligned(4096)));
static u64 level3[512] __attribute__((aligned(4096)));

/* CPU 0 fills the tables with its MMU off; the others start after that. */
static void map_fill(void)
{
	u64 i;

	level1[0] = PTE_BLOCK | PTE_DEVICE;
	level1[1] = (u64)level2 | PTE_TABLE;
	/* What lies above is no memory: accesses of tests to it exit as MMIO. */
	for (i = 2; i < 4; i++)
		level1[i] = i << 30 | PTE_BLOCK | PTE_DEVICE;
	for (i = 1; i < 512; i++)
		level2[i] = (RAM_IPA + (i << 21)) | PTE_BLOCK | PTE_NORMAL;
	for (i = 0; i < 512; i++)
		level3[i] = (RAM_IPA + (i << 12)) | PTE_PAGE | PTE_NORMAL;
	level2[0] = (u64)level3 | PTE_TABLE;
}

void mmu_enable(void)
{
	if (!level1[0])
		map_fill();
	dsb(sy);
	sysreg_write(mair_el1, MAIR);
	sysreg_write(tcr_el1, TCR);
	sysreg_write(ttbr0_el1, (u64)level1);
	isb();
	asm volatile("tlbi vmalle1\n\tdsb nsh" : : : "memory");
	sysreg_write(sctlr_el1, sysreg_read(sctlr_el1) | SCTLR_M_C_I);
	isb();
}

/* Break before make (Arm ARM D8.16.1): invalid and flushed, then the new entry. */
static void entry_change(u64 *entry, u64 value)
{
	WRITE_ONCE(*entry, 0);
	dsb(ish);
	asm volatile("tlbi vmalle1is\n\tdsb ish" : : : "memory");
	WRITE_ONCE(*entry, value);
	dsb(ish);
	isb();
}

void mmu_user_block(u64 addr)
{
	u64 *entry = &level2[addr >> 21 & 511];

	entry_change(entry, (*entry | PTE_USER) & ~PTE_UXN);
}

void mmu_table_at(u32 index, u64 addr)
{
	entry_change(&level1[index], addr | PTE_TABLE);
}

void mmu_memory_at(u32 index)
{
	entry_change(&level1[index], (u64)index << 30 | PTE_BLOCK | PTE_NORMAL);
}
