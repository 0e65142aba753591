// SPDX-License-Identifier: GPL-2.0
/*
 * TLB maintenance for guests. All of it runs with interrupts off, called by the kernel or by EL2
 * code with HCR_EL2.TGE set.
 *
 * With E2H and TGE set, TLBI of EL1 names means the host's own EL2&0 regime. So TGE is cleared
 * around it, and VTTBR_EL2 names the VMID. Meanwhile nothing may fill the TLB with walks that mix
 * one VM's stage 1 with the other's stage 2: speculative AT instructions do that on Cortex-A55,
 * A57, A72 and A76 (errata 1530923, 1319367, 1165522). EPD0, EPD1 with M set make every stage-1
 * walk fault.
 */
#include <asm/barrier.h>
#include <asm/pgtable-hwdef.h>
#include <asm/sysreg.h>
#include <asm/tlbflush.h>

#include <keel/compat.h>
#include <keel/host.h>
#include <keel/el2.h>

#define TLBI_IPA	GENMASK_ULL(35, 0)	/* IPA[47:12] */
#define TLBI_TTL_SHIFT	44
#define TLBI_TTL_4K	4			/* TTL[3:2] = 0b01, TTL[1:0] = level */

struct regime {
	u64 hcr;
	u64 vttbr;
	u64 vtcr;
	u64 tcr;
	u64 sctlr;
};

static void __el2 regime_enter(struct regime *r, u64 vttbr, u64 vtcr)
{
	r->hcr = read_sysreg(hcr_el2);
	r->vttbr = read_sysreg(vttbr_el2);
	r->vtcr = read_sysreg(vtcr_el2);
	r->tcr = read_sysreg_s(SYS_TCR_EL12);
	r->sctlr = read_sysreg_s(SYS_SCTLR_EL12);

	write_sysreg_s(r->tcr | TCR_EPD0_MASK | TCR_EPD1_MASK, SYS_TCR_EL12);
	write_sysreg_s(r->sctlr | SCTLR_ELx_M, SYS_SCTLR_EL12);
	isb();
	write_sysreg(vtcr, vtcr_el2);
	write_sysreg(vttbr, vttbr_el2);
	isb();
	write_sysreg(r->hcr & ~HCR_TGE, hcr_el2);
	isb();
}

static void __el2 regime_leave(const struct regime *r)
{
	write_sysreg(r->hcr, hcr_el2);
	isb();
	write_sysreg(r->vtcr, vtcr_el2);
	write_sysreg(r->vttbr, vttbr_el2);
	isb();
	write_sysreg_s(r->tcr, SYS_TCR_EL12);
	write_sysreg_s(r->sctlr, SYS_SCTLR_EL12);
	isb();
}

void __el2 el2_tlb_flush_vmid(u64 vttbr, u64 vtcr)
{
	struct regime r;

	dsb(ishst);
	regime_enter(&r, vttbr, vtcr);
	__tlbi(vmalls12e1is);
	dsb(ish);
	isb();
	regime_leave(&r);
}

void __el2 el2_tlb_flush_vmid_local(u64 vttbr, u64 vtcr)
{
	struct regime r;

	regime_enter(&r, vttbr, vtcr);
	__tlbi(vmalle1);
	asm volatile("ic iallu" : : : "memory");
	dsb(nsh);
	isb();
	regime_leave(&r);
}

void __el2 el2_tlb_flush_ipa(u64 vttbr, u64 vtcr, struct ipa ipa, int level)
{
	u64 arg = (ipa.v >> PAGE_SHIFT) & TLBI_IPA;
	struct regime r;

	if (level >= 0 && host.ttl)
		arg |= (u64)(TLBI_TTL_4K | level) << TLBI_TTL_SHIFT;

	dsb(ishst);
	regime_enter(&r, vttbr, vtcr);
	__tlbi(ipas2e1is, arg);
	/*
	 * That leaves entries which combine both stages: they are found by virtual address only, so
	 * all of stage 1 goes; and after the DSB, or a walk could still combine with the old entry
	 * (Arm ARM D8.16.5).
	 */
	dsb(ish);
	__tlbi(vmalle1is);
	dsb(ish);
	isb();
	regime_leave(&r);
}

void __el2 el2_tlb_flush_all(void)
{
	dsb(ishst);
	__tlbi(alle1is);	/* of every VMID, whatever TGE says */
	/* Instruction caches may be tagged by VMID. */
	asm volatile("ic ialluis" : : : "memory");
	dsb(ish);
	isb();
}
