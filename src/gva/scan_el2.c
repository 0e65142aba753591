// SPDX-License-Identifier: GPL-2.0
/*
 * The inner loop of a scan: AT, PAR_EL1, next address. A hole is as large as what the missing entry
 * would have translated, which the level of the fault tells; a leaf's size AT does not tell.
 */
#include <asm/sysreg.h>

#include <keel/compat.h>
#include <keel/vm.h>

#include "scan.h"

void __el2 gva_scan_el2(struct keel_vcpu *vcpu, struct prda *p, struct scan_batch *b)
{
	unsigned long daif = el2_at_begin(vcpu, p);
	u64 last = b->shift ? b->row_last : b->last;
	u64 guest = read_sysreg_par();
	u64 va = b->va;
	unsigned int i = 0;

	do {
		b->par[i] = el2_at_s1e1r(va) ? EL2_PAR_ABORT : read_sysreg_par();
		va = scan_next(b, va, b->par[i]);
		i++;
	} while (i < SCAN_BATCH && va && va <= last);
	b->nr = i;
	write_sysreg(guest, par_el1);
	el2_at_end(vcpu, p, daif);
}
