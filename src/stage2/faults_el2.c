// SPDX-License-Identifier: GPL-2.0
/* Stage 2 at EL2: into the CPU and out of it, and where a fault was. */
#include <asm/barrier.h>
#include <asm/sysreg.h>

#include <keel/compat.h>
#include <keel/esr.h>
#include <keel/vm.h>

#include "tables.h"

#define HPFAR_FIPA		GENMASK_ULL(43, 4)	/* IPA[51:12] */
#define HPFAR_TO_IPA_SHIFT	8

/*
 * Two vCPUs of a VM share its VMID but not their stage-1 tables: where another one ran last, its
 * entries have to go (switch.md 5). vcpu->cpu may differ from the CPU of before, so the record is
 * per CPU and VM.
 */
void __el2 stage2_load_el2(struct keel_vcpu *vcpu, struct prda *p)
{
	struct stage2 *s2 = &vcpu->vm->stage2;
	u64 vttbr = stage2_vttbr(s2);
	struct keel_vcpu **last = &s2->last_vcpu[p->cpu];

	write_sysreg(s2->vtcr, vtcr_el2);
	write_sysreg(vttbr, vttbr_el2);
	/* Complete before anything clears TGE (errata 1165522, 1319367, 1530923). */
	isb();
	if (*last == vcpu)
		return;
	if (*last) {
		el2_tlb_flush_vmid_local(vttbr, s2->vtcr);
		vcpu_count(vcpu, COUNT_TLB_LOCAL);
	}
	*last = vcpu;
}

/* No CPU keeps a table address of a VM that may be gone tomorrow. TGE is set and complete here. */
void __el2 stage2_put_el2(struct keel_vcpu *vcpu, struct prda *p)
{
	write_sysreg(0, vttbr_el2);
	isb();
}

/* HPFAR_EL2 holds the address for these only (Arm ARM D19.2.56); not for permission faults. */
static bool __el2 hpfar_is_valid(u64 esr)
{
	unsigned int type = esr & ESR_ELx_FSC_TYPE;

	return esr_abt_s1ptw(esr) || type == ESR_ELx_FSC_FAULT || type == ESR_ELx_FSC_ACCESS;
}

bool __el2 stage2_fault_el2(struct keel_vcpu *vcpu)
{
	struct el2_ctx *ctx = &vcpu->state.ctx;
	u64 page, par;

	ctx->far = read_sysreg(far_el2);
	if (hpfar_is_valid(ctx->esr)) {
		page = (read_sysreg(hpfar_el2) & HPFAR_FIPA) << HPFAR_TO_IPA_SHIFT;
		ctx->fault_ipa_valid = true;
	} else {
		par = el2_at(el2_at_s1e1r, gva(ctx->far));
		page = par & PAR_PA;
		ctx->fault_ipa_valid = !(par & PAR_FAULT);
	}
	ctx->fault_ipa = ipa(page | (ctx->far & ~PAGE_MASK));
	return false;
}

/*
 * Another vCPU faulted here too, and the page has come meanwhile. AT asks whether it is there, by a
 * read: a write to one that came read-only faults again, for the permission. (QEMU 10 stops at an
 * assertion when stage 2 does not permit what AT S12E1W asks.) Not for execute permission, so data
 * only. While no other vCPU maps anything it need not be asked.
 */
bool __el2 stage2_spurious_el2(struct keel_vcpu *vcpu)
{
	u64 esr = vcpu->state.ctx.esr;
	u64 maps = READ_ONCE(vcpu->vm->stage2.maps);
	bool el0;

	if (maps == vcpu->stage2.maps || esr_abt_s1ptw(esr) ||
	    (esr & ESR_ELx_FSC_TYPE) != ESR_ELx_FSC_FAULT)
		return false;
	vcpu->stage2.maps = maps;
	el0 = (read_sysreg(spsr_el2) & PSR_MODE_MASK) == PSR_MODE_EL0t;
	return !(el2_at(el0 ? el2_at_s12e0r : el2_at_s12e1r, gva(vcpu->state.ctx.far)) &
		 PAR_FAULT);
}
