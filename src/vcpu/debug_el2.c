// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's self-hosted debug in the hardware, from enter to leave.
 *
 * The guest's debug registers live in memory, and accesses trap. The hardware gets them only while
 * the guest is armed (MDSCR_EL1.MDE), so a pass of a guest that does not debug costs one read of
 * MDSCR_EL1. With FEAT_FGT the guest then also accesses them directly, its MDSCR_EL1 and the debug
 * channel trapping by controls of their own; without it MDCR_EL2.TDA traps all.
 *
 * MDSCR_EL1.TDCC stays 0 in hardware whatever the guest wrote: with it EL0's DCC reads would go to
 * EL1 and never reach the trap.
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
 * DBGBCR and DBGWCR: HMC (13) and SSC (15:14) extend a match to EL2 and other security states. Their
 * exceptions go to EL1 while the guest's values are in the CPU (TDE and TGE are 0), and those of a
 * higher level are not generated then (Arm ARM D2.3.1); keel need not rely on that where it writes
 * them itself.
 */
#define DBGCR_GUEST	(host.fgt ? ~0ULL : ~(u64)GENMASK(15, 13))

/* HDFGRTR_EL2, HDFGWTR_EL2: DBGBCR, DBGBVR, DBGWCR, DBGWVR */
#define FGT_DEBUG_PAIRS	GENMASK_ULL(3, 0)

#define EACH_16(M) do {					\
	M(0); M(1); M(2); M(3); M(4); M(5); M(6); M(7);		\
	M(8); M(9); M(10); M(11); M(12); M(13); M(14); M(15);	\
} while (0)

#define SAVE_BP(n) do {						\
	if ((n) < host.nr_brps) {				\
		vr[n] = read_sysreg(dbgbvr##n##_el1);		\
		cr[n] = read_sysreg(dbgbcr##n##_el1);		\
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
		vr[n] = read_sysreg(dbgwvr##n##_el1);		\
		cr[n] = read_sysreg(dbgwcr##n##_el1);		\
	}							\
} while (0)

#define LOAD_WP(n) do {						\
	if ((n) < host.nr_wrps) {				\
		write_sysreg(vr[n], dbgwvr##n##_el1);		\
		write_sysreg(cr[n] & mask, dbgwcr##n##_el1);	\
	}							\
} while (0)

static void __el2 bp_save(u64 *vr, u64 *cr)
{
	EACH_16(SAVE_BP);
}

static void __el2 wp_save(u64 *vr, u64 *cr)
{
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

static void __el2 guest_load(struct keel_vcpu *vcpu)
{
	const u64 *reg = vcpu->state.reg;

	bp_load(reg + VCPU_DBGBVR0_EL1, reg + VCPU_DBGBCR0_EL1, DBGCR_GUEST);
	wp_load(reg + VCPU_DBGWVR0_EL1, reg + VCPU_DBGWCR0_EL1, DBGCR_GUEST);
}

/* The ERET synchronises the traps. */
static void __el2 fgt_write(const struct keel_vcpu *vcpu, u64 direct)
{
	const u64 *fgt = vcpu->vm->traps.fgt;

	write_sysreg_s(fgt[EL2_HDFGRTR] & ~direct, SYS_HDFGRTR_EL2);
	write_sysreg_s(fgt[EL2_HDFGWTR] & ~direct, SYS_HDFGWTR_EL2);
}

static void __el2 debug_load(struct keel_vcpu *vcpu)
{
	struct vcpu_debug *d = &vcpu->state.debug;

	bp_save(d->host[BVR], d->host[BCR]);
	wp_save(d->host[WVR], d->host[WCR]);
	guest_load(vcpu);
	if (host.fgt)
		fgt_write(vcpu, FGT_DEBUG_PAIRS);
	d->loaded = true;
}

static void __el2 debug_unload(struct keel_vcpu *vcpu)
{
	struct vcpu_debug *d = &vcpu->state.debug;
	u64 *reg = vcpu->state.reg;

	if (host.fgt) {
		bp_save(reg + VCPU_DBGBVR0_EL1, reg + VCPU_DBGBCR0_EL1);
		wp_save(reg + VCPU_DBGWVR0_EL1, reg + VCPU_DBGWCR0_EL1);
		fgt_write(vcpu, 0);
	}
	bp_load(d->host[BVR], d->host[BCR], ~0ULL);
	wp_load(d->host[WVR], d->host[WCR], ~0ULL);
	d->loaded = false;
}

void __el2 vcpu_debug_enter_el2(struct keel_vcpu *vcpu, struct prda *p)
{
	u64 mdscr = mdscr_effective(vcpu);

	p->host_mdscr = read_sysreg(mdscr_el1);
	if (mdscr & MDSCR_MDE)
		debug_load(vcpu);
	if (mdscr != p->host_mdscr)
		write_sysreg(mdscr, mdscr_el1);
	if (unlikely(p->tde))
		brk_door_enter(mdscr);
}

/* Debug exceptions stay masked (PSTATE.D) until the host's own values are complete. */
void __el2 vcpu_debug_leave_el2(struct keel_vcpu *vcpu, struct prda *p)
{
	if (vcpu->state.debug.loaded)
		debug_unload(vcpu);
	if (mdscr_effective(vcpu) != p->host_mdscr)
		write_sysreg(p->host_mdscr, mdscr_el1);
}

void __el2 vcpu_debug_arm_el2(struct keel_vcpu *vcpu)
{
	u64 mdscr = mdscr_effective(vcpu);
	bool armed = mdscr & MDSCR_MDE;

	write_sysreg(mdscr, mdscr_el1);
	if (armed && !vcpu->state.debug.loaded)
		debug_load(vcpu);
	if (!armed && vcpu->state.debug.loaded)
		debug_unload(vcpu);
	if (unlikely(prda()->tde))
		brk_door_enter(mdscr);
}

void __el2 vcpu_debug_set_el2(struct keel_vcpu *vcpu, unsigned int home, u64 val)
{
	vcpu->state.reg[home] = val;
	if (vcpu->state.debug.loaded)
		guest_load(vcpu);
}
