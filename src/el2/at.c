// SPDX-License-Identifier: GPL-2.0
/* Address translation by the CPU, while a guest's stage 1 is loaded. */
#include <asm/barrier.h>
#include <asm/daifflags.h>
#include <asm/sysreg.h>

#include <keel/compat.h>
#include <keel/vm.h>

/* The guest may be between an AT of its own and the read of its PAR_EL1. */
u64 __el2 el2_at(u64 (*at)(u64 va), struct gva va)
{
	u64 guest = read_sysreg_par();
	u64 pc = read_sysreg(elr_el2), pstate = read_sysreg(spsr_el2);
	u64 par = at(va.v) ? EL2_PAR_ABORT : read_sysreg_par();

	write_sysreg(guest, par_el1);
	/* An external abort on the walk is an exception to EL2 and has overwritten them. */
	write_sysreg(pc, elr_el2);
	write_sysreg(pstate, spsr_el2);
	return par;
}

/*
 * What el2_own_fault of switch.S gives back has to be there. Stage 1 is complete before stage 2,
 * and both before TGE is cleared (errata 1165522, 1319367, 1530923); of a loaded vCPU they have
 * been since load. No other vCPU can be loaded here: its thread would have to be this one.
 */
unsigned long __el2 el2_at_begin(struct keel_vcpu *vcpu, struct prda *p)
{
	unsigned long daif = read_sysreg(daif);

	write_sysreg(daif | DAIF_MASK, daif);
	if (p->vcpu != vcpu) {
		vcpu_stage1_load_el2(vcpu);
		stage2_load_el2(vcpu, p);
	}
	p->host_vbar = read_sysreg(vbar_el2);
	p->host_hcr = read_sysreg(hcr_el2);
	p->host_cptr = read_sysreg(cptr_el2);
	p->host_tpidr = read_sysreg(tpidr_el2);
	write_sysreg(p, tpidr_el2);
	write_sysreg(p->vectors, vbar_el2);
	isb();
	write_sysreg(vcpu->vm->traps.hcr, hcr_el2);
	isb();
	return daif;
}

void __el2 el2_at_end(struct keel_vcpu *vcpu, struct prda *p, unsigned long daif)
{
	write_sysreg(p->host_hcr, hcr_el2);
	isb();
	write_sysreg(p->host_vbar, vbar_el2);
	write_sysreg(p->host_tpidr, tpidr_el2);
	isb();
	if (p->vcpu != vcpu)
		stage2_put_el2(vcpu, p);
	write_sysreg(daif, daif);
}
