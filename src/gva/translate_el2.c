// SPDX-License-Identifier: GPL-2.0
/* Translation by the CPU: a service, which runs in the guest's regime (src/el2/at.c). */
#include <asm/sysreg.h>

#include <keel/compat.h>
#include <keel/host.h>
#include <keel/vm.h>

typedef u64 (*at_t)(u64 va);

/* Without FEAT_PAN2 nobody asks by PAN: what EL0 may touch counts as EL1's too. */
static at_t __el2 at_for(unsigned int access)
{
	bool write = access & GVA_WRITE;

	if (access & GVA_EL0)
		return write ? el2_at_s1e0w : el2_at_s1e0r;
	if (access & GVA_PAN && host.pan2)
		return write ? el2_at_s1e1wp : el2_at_s1e1rp;
	return write ? el2_at_s1e1w : el2_at_s1e1r;
}

void __el2 gva_translate_el2(struct keel_vcpu *vcpu, struct prda *p, struct gva_pages *g)
{
	unsigned long daif = el2_at_begin(vcpu, p);
	u64 pan = host.pan2 ? read_sysreg_s(SYS_PSTATE_PAN_FIELD) : 0;
	at_t at = at_for(g->access);
	unsigned int i;

	if (host.pan2)
		asm volatile(SET_PSTATE_PAN(1));
	for (i = 0; i < g->nr; i++) {
		g->par[i] = el2_at(at, gva(g->va.v + i * PAGE_SIZE));
		if (g->par[i] & PAR_FAULT)
			break;
	}
	g->done = i;
	if (host.pan2 && !pan)
		asm volatile(SET_PSTATE_PAN(0));
	el2_at_end(vcpu, p, daif);
}
