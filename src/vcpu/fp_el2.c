// SPDX-License-Identifier: GPL-2.0
/*
 * Guest FP at EL2. The registers are the guest's only inside a pass that fp_begin() brackets; they
 * are loaded at the guest's first FP instruction of the pass, so a pass without FP costs nothing.
 */
#include <asm/sysreg.h>

#include <keel/compat.h>
#include <keel/esr.h>
#include <keel/vm.h>

#include "internal.h"

/* CPTR_EL2 with HCR_EL2.E2H has CPACR_EL1's layout: FPEN = 0b11 traps nothing. */
#define CPTR_FPEN (3ULL << 20)

bool __el2 vcpu_fp_el2(struct keel_vcpu *vcpu)
{
	struct vcpu_fp *fp = &vcpu->state.fp;

	/* SVE and SME come with classes of their own: hidden features, for the second tier. */
	if (!fp->used || fp->loaded)
		return false;
	write_sysreg(read_sysreg(cptr_el2) | CPTR_FPEN, cptr_el2);
	/* Arm ARM D19.1.2: the trap is off only after a context synchronisation */
	isb();
	fp_el2_load(&fp->state);
	fp->loaded = true;
	fp->idle = 0;
	vcpu->count[COUNT_FP_LOAD]++;
	return true;
}

void __el2 vcpu_fp_leave_el2(struct keel_vcpu *vcpu)
{
	struct vcpu_fp *fp = &vcpu->state.fp;

	if (!fp->loaded)
		return;
	fp_el2_save(&fp->state);
	fp->loaded = false;
}
