// SPDX-License-Identifier: GPL-2.0
/*
 * Exceptions that keel raises in the guest: what AArch64.TakeException() of the Arm ARM (J1.1.2.4)
 * does for a synchronous exception to EL1; and the first tier's, done in the CPU.
 */
#include <linux/bits.h>
#include <asm/ptrace.h>
#include <asm/sysreg.h>

#include <keel/compat.h>
#include <keel/vm.h>

#include "internal.h"

/* SCTLR_EL1 */
#define SCTLR_SPAN	BIT(23)		/* 0: taking an exception sets PSTATE.PAN */
#define SCTLR_DSSBS	BIT(44)		/* PSTATE.SSBS at an exception */

/* By where the exception comes from (Arm ARM D1.3.1.5) */
static __always_inline unsigned int vector_offset(u64 pstate)
{
	if (pstate & PSR_MODE32_BIT)
		return 0x600;
	switch (pstate & PSR_MODE_MASK) {
	case PSR_MODE_EL1t:
		return 0x000;
	case PSR_MODE_EL1h:
		return 0x200;
	default:
		return 0x400;
	}
}

/*
 * NZCV and DIT stay, PAN is set or stays, SSBS comes from SCTLR_EL1; UAO, IL, SS, BTYPE and the
 * AArch32 fields are 0, as is TCO without FEAT_MTE2, which no guest has.
 */
static __always_inline u64 handler_pstate(u64 old, u64 sctlr)
{
	u64 new = PSR_MODE_EL1h | PSR_D_BIT | PSR_A_BIT | PSR_I_BIT | PSR_F_BIT;

	new |= old & (PSR_N_BIT | PSR_Z_BIT | PSR_C_BIT | PSR_V_BIT | PSR_DIT_BIT | PSR_PAN_BIT);
	if (!(sctlr & SCTLR_SPAN))
		new |= PSR_PAN_BIT;
	if (sctlr & SCTLR_DSSBS)
		new |= PSR_SSBS_BIT;
	return new;
}

void __el2 vcpu_enter_vector(u64 *pc, u64 *pstate, u64 vbar, u64 sctlr)
{
	*pc = vbar + vector_offset(*pstate);
	*pstate = handler_pstate(*pstate, sctlr);
}

void __el2 vcpu_inject_sync_el2(u64 esr)
{
	u64 pc = read_sysreg(elr_el2), pstate = read_sysreg(spsr_el2);

	write_sysreg_s(esr, SYS_ESR_EL12);
	write_sysreg_s(pc, SYS_ELR_EL12);
	write_sysreg_s(pstate, SYS_SPSR_EL12);
	vcpu_enter_vector(&pc, &pstate, read_sysreg_s(SYS_VBAR_EL12),
			  read_sysreg_s(SYS_SCTLR_EL12));
	write_sysreg(pc, elr_el2);
	write_sysreg(pstate, spsr_el2);
}
