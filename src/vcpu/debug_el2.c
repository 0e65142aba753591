// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's self-hosted debug in the hardware, from enter to leave.
 *
 * The guest's debug registers are always trapped (MDCR_EL2.TDA) and live in memory. The hardware
 * gets them only while the guest uses breakpoints or watchpoints, so a pass of a guest that does
 * not debug costs one read of MDSCR_EL1. MDSCR_EL1.TDCC stays 0 in hardware whatever the guest
 * wrote: with it EL0's DCC reads would go to EL1 and never reach the trap.
 *
 * MDCR_EL2.TDE, for the backdoor's BRK, would bring all debug exceptions to EL2, those of EL1 even
 * where the guest has masked them (Arm ARM D2.3.1). So it is set only while the guest has armed
 * none: a guest that debugs gets each of its exceptions as without it, BRK among them.
 */
#include <asm/sysreg.h>

#include <keel/compat.h>
#include <keel/host.h>
#include <keel/vm.h>

#include "internal.h"

enum { BVR, BCR, WVR, WCR };

/*
 * DBGBCR and DBGWCR: HMC (13) and SSC (15:14) extend a match to EL2 and other security states. A
 * guest has none of them, and keel's own code must not be stopped by it.
 */
#define DBGCR_GUEST	(~(u64)GENMASK(15, 13))

#define EACH_16(M) do {					\
	M(0); M(1); M(2); M(3); M(4); M(5); M(6); M(7);		\
	M(8); M(9); M(10); M(11); M(12); M(13); M(14); M(15);	\
} while (0)

#define SAVE_BP(n) do {						\
	if ((n) < host.nr_brps) {				\
		h[BVR][n] = read_sysreg(dbgbvr##n##_el1);	\
		h[BCR][n] = read_sysreg(dbgbcr##n##_el1);	\
	}							\
} while (0)

#define LOAD_BP(n) do {						\
	if ((n) < host.nr_brps) {				\
		write_sysreg(vr[n], dbgbvr##n##_el1);		\
		write_sysreg(cr[n] & mask, dbgbcr##n##_el1);	\
	}							\
} while (0)

#define SAVE_WP(n) do {						\
	if ((n) < host.nr_wrps) {				\
		h[WVR][n] = read_sysreg(dbgwvr##n##_el1);	\
		h[WCR][n] = read_sysreg(dbgwcr##n##_el1);	\
	}							\
} while (0)

#define LOAD_WP(n) do {						\
	if ((n) < host.nr_wrps) {				\
		write_sysreg(vr[n], dbgwvr##n##_el1);		\
		write_sysreg(cr[n] & mask, dbgwcr##n##_el1);	\
	}							\
} while (0)

static void __el2 host_save(u64 (*h)[16])
{
	EACH_16(SAVE_BP);
	EACH_16(SAVE_WP);
}

static void __el2 bp_load(const u64 *vr, const u64 *cr, u64 mask)
{
	EACH_16(LOAD_BP);
}

static void __el2 wp_load(const u64 *vr, const u64 *cr, u64 mask)
{
	EACH_16(LOAD_WP);
}

u64 __el2 vcpu_debug_mdscr(const struct keel_vcpu *vcpu, u64 mdscr)
{
	if (vcpu->state.reg[VCPU_OSLSR_EL1] & OSLSR_OSLK)
		return 0;
	return mdscr & (MDSCR_SS | MDSCR_KDE | MDSCR_MDE);
}

static u64 __el2 mdscr_effective(const struct keel_vcpu *vcpu)
{
	return vcpu_debug_mdscr(vcpu, vcpu->state.reg[VCPU_MDSCR_EL1]);
}

/* Loaded with the other traps of the VM; off and on again as the guest arms itself. */
static void __el2 brk_door_enter(u64 mdscr)
{
	u64 mdcr = read_sysreg(mdcr_el2) | MDCR_EL2_TDE;

	if (mdscr & (MDSCR_SS | MDSCR_MDE))
		mdcr &= ~(u64)MDCR_EL2_TDE;
	write_sysreg(mdcr, mdcr_el2);
}

void __el2 vcpu_debug_enter_el2(struct keel_vcpu *vcpu, struct prda *p)
{
	struct vcpu_debug *d = &vcpu->state.debug;
	const u64 *reg = vcpu->state.reg;
	u64 mdscr = mdscr_effective(vcpu);

	p->host_mdscr = read_sysreg(mdscr_el1);
	if (mdscr & MDSCR_MDE) {
		host_save(d->host);
		bp_load(reg + VCPU_DBGBVR0_EL1, reg + VCPU_DBGBCR0_EL1, DBGCR_GUEST);
		wp_load(reg + VCPU_DBGWVR0_EL1, reg + VCPU_DBGWCR0_EL1, DBGCR_GUEST);
		d->loaded = true;
	}
	if (mdscr != p->host_mdscr)
		write_sysreg(mdscr, mdscr_el1);
	if (unlikely(p->tde))
		brk_door_enter(mdscr);
}

/* Debug exceptions stay masked (PSTATE.D) until the host's own values are complete. */
void __el2 vcpu_debug_leave_el2(struct keel_vcpu *vcpu, struct prda *p)
{
	struct vcpu_debug *d = &vcpu->state.debug;

	if (d->loaded) {
		bp_load(d->host[BVR], d->host[BCR], ~0ULL);
		wp_load(d->host[WVR], d->host[WCR], ~0ULL);
		d->loaded = false;
	}
	if (mdscr_effective(vcpu) != p->host_mdscr)
		write_sysreg(p->host_mdscr, mdscr_el1);
}
