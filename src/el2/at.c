// SPDX-License-Identifier: GPL-2.0
/* Address translation by the CPU, while a guest's stage 1 is loaded. */
#include <asm/sysreg.h>

#include <keel/compat.h>
#include <keel/el2.h>

/* The guest may be between an AT of its own and the read of its PAR_EL1. */
u64 __el2 el2_at(u64 (*at)(u64 va), struct gva va)
{
	u64 guest = read_sysreg_par();
	u64 pc = read_sysreg(elr_el2), pstate = read_sysreg(spsr_el2);
	u64 par = at(va.v);

	write_sysreg(guest, par_el1);
	/* An external abort on the walk is an exception to EL2 and has overwritten them. */
	write_sysreg(pc, elr_el2);
	write_sysreg(pstate, spsr_el2);
	return par;
}
