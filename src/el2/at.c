// SPDX-License-Identifier: GPL-2.0
/* Address translation by the CPU, while a guest's stage 1 is loaded. */
#include <asm/sysreg.h>

#include <keel/compat.h>
#include <keel/el2.h>

/* The guest may be between an AT of its own and the read of its PAR_EL1. */
u64 __el2 el2_at_s1e1r(struct gva va)
{
	u64 guest = read_sysreg_par();
	u64 par = el2_at_s1e1r_raw(va.v);

	write_sysreg(guest, par_el1);
	return par;
}
