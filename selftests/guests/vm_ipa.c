// SPDX-License-Identifier: GPL-2.0
/* Accesses to any physical address, through a window of one page in the guest's own map. */
#include "guest.h"
#include "vm_ipa.h"

#define WINDOW_GB	4
#define WINDOW		((u64)WINDOW_GB << 30)

#define PAGE_VALID	3ULL		/* a page; the same bits make a table */
#define PAGE_NORMAL	(3ULL << 8 | BIT(10))	/* attribute 0, inner shareable, accessed */

#define TCR_IPS(n)	((u64)(n) << 32)
#define TCR_IPS_48	5

static u64 level2[512] __attribute__((aligned(4096)));
static u64 level3[512] __attribute__((aligned(4096)));
static struct access *const access = (struct access *)SHARED_IPA;

/* The library's map has addresses of 40 bits; here they have all that the CPU has, up to 48. */
static void addresses_widen(void)
{
	u64 range = sysreg_read(id_aa64mmfr0_el1) & 0xf;
	u64 tcr = sysreg_read(tcr_el1) & ~TCR_IPS(7);

	sysreg_write(tcr_el1, tcr | TCR_IPS(range < TCR_IPS_48 ? range : TCR_IPS_48));
	isb();
}

/* Break before make (Arm ARM D8.16.1). */
static void window_move(u64 ipa)
{
	WRITE_ONCE(level3[0], 0);
	dsb(ish);
	asm volatile("tlbi vmalle1is\n\tdsb ish" : : : "memory");
	WRITE_ONCE(level3[0], (ipa & ~0xfffULL) | PAGE_NORMAL | PAGE_VALID);
	dsb(ish);
	isb();
}

static void note_exception(struct frame *frame)
{
	access->esr = frame->esr;
	/* An instruction abort comes from a call: go back to its caller. */
	if (ESR_EC(frame->esr) == EC_IABT_EL1)
		frame->pc = frame->x[30];
	else
		frame->pc += 4;
}

void guest_main(u64 arg __always_unused)
{
	u64 addr;

	addresses_widen();
	level2[0] = (u64)level3 | PAGE_VALID;
	mmu_table_at(WINDOW_GB, (u64)level2);
	vector_set(VECTOR_SYNC, note_exception);
	for (;;) {
		sync(0);
		addr = WINDOW + (access->ipa & 0xfff);
		window_move(access->ipa);
		switch (access->op) {
		case ACCESS_READ:
			access->value = mmio_read(addr, 8);
			break;
		case ACCESS_WRITE:
			mmio_write(addr, 8, access->value);
			break;
		case ACCESS_EXEC:
			asm volatile("ic iallu\n\tdsb nsh\n\tisb" : : : "memory");
			access->value = ((u64 (*)(void))addr)();
			break;
		}
	}
}
