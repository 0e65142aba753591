// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's self-hosted debug in the hardware, from enter to leave.
 *
 * The guest's debug registers live in memory, and accesses trap, until the guest uses them in
 * earnest: then they are in the CPU for the rest of the pass, in place of the host's. So a pass of
 * a guest that does not debug costs one read of MDSCR_EL1. With FEAT_FGT they no longer trap there:
 * of MDCR_EL2 only TDCC is set, for the debug channel, and the fine-grained traps are opened.
 * Without it MDCR_EL2.TDA traps all of them, and EL2 accesses them in the guest's place.
 *
 * MDSCR_EL1 goes on trapping while the backdoor has a door of DCC or BRK open. Its TDCC stays 0 in
 * hardware whatever the guest wrote: with it EL0's DCC reads would go to EL1 and never reach the
 * trap.
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

/* As Op2 of their encodings counts them, from 4 */
enum { BVR, BCR, WVR, WCR };

/* HDFGRTR_EL2, HDFGWTR_EL2 */
#define FGT_DEBUG_PAIRS	GENMASK_ULL(3, 0)	/* DBGBCR, DBGBVR, DBGWCR, DBGWVR */
#define FGT_MDSCR	BIT_ULL(4)

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
		write_sysreg(cr[n], dbgbcr##n##_el1);		\
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
		write_sysreg(cr[n], dbgwcr##n##_el1);		\
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

static void __el2 bp_load(const u64 *vr, const u64 *cr)
{
	EACH_16(LOAD_BP);
}

static void __el2 wp_load(const u64 *vr, const u64 *cr)
{
	EACH_16(LOAD_WP);
}

/* What the guest's MDSCR_EL1 means for the CPU where it traps: nothing under its OS lock. */
static u64 __el2 mdscr_effective(const struct keel_vcpu *vcpu)
{
	if (vcpu->state.reg[VCPU_OSLSR_EL1] & OSLSR_OSLK)
		return 0;
	return vcpu->state.reg[VCPU_MDSCR_EL1] & (MDSCR_SS | MDSCR_KDE | MDSCR_MDE);
}

/* Loaded with the other traps of the VM; off and on again as the guest arms itself. */
static void __el2 brk_door_enter(u64 mdscr)
{
	u64 mdcr = read_sysreg(mdcr_el2) | MDCR_EL2_TDE;

	if (mdscr & (MDSCR_SS | MDSCR_MDE))
		mdcr &= ~(u64)MDCR_EL2_TDE;
	write_sysreg(mdcr, mdcr_el2);
}

/* The ERET synchronises the traps. */
static void __el2 fgt_open(const struct keel_vcpu *vcpu, u64 open)
{
	const u64 *fgt = vcpu->vm->traps.fgt;

	write_sysreg_s(fgt[EL2_HDFGRTR] & ~open, SYS_HDFGRTR_EL2);
	write_sysreg_s(fgt[EL2_HDFGWTR] & ~open, SYS_HDFGWTR_EL2);
}

/* MDSCR_EL1 is the guest's as a whole: neither door needs it, and there is no OS lock on it. */
static bool __el2 mdscr_may_be_direct(const struct keel_vcpu *vcpu)
{
	const u32 doors = KEEL_HOOK_BACKDOOR_DCC | KEEL_HOOK_BACKDOOR_BRK;

	return !(vcpu->backdoor.hooks & doors) &&
	       !(vcpu->state.reg[VCPU_OSLSR_EL1] & OSLSR_OSLK);
}

/*
 * The guest's registers into the CPU. Matches at EL2 that its DBGBCR and DBGWCR ask for (HMC) make
 * no exception there: TDE and TGE are 0 while the guest is armed, so debug exceptions belong to
 * EL1, and a higher level generates none (Arm ARM D2.3.1).
 */
static void __el2 debug_load(struct keel_vcpu *vcpu)
{
	struct vcpu_debug *d = &vcpu->state.debug;
	const u64 *reg = vcpu->state.reg;

	bp_save(d->host[BVR], d->host[BCR]);
	wp_save(d->host[WVR], d->host[WCR]);
	bp_load(reg + VCPU_DBGBVR0_EL1, reg + VCPU_DBGBCR0_EL1);
	wp_load(reg + VCPU_DBGWVR0_EL1, reg + VCPU_DBGWCR0_EL1);
	d->loaded = true;
	if (!host.fgt)
		return;
	d->mdscr_direct = mdscr_may_be_direct(vcpu);
	if (d->mdscr_direct)
		write_sysreg(reg[VCPU_MDSCR_EL1], mdscr_el1);
	fgt_open(vcpu, FGT_DEBUG_PAIRS | (d->mdscr_direct ? FGT_MDSCR : 0));
}

static void __el2 debug_unload(struct keel_vcpu *vcpu)
{
	struct vcpu_debug *d = &vcpu->state.debug;
	u64 *reg = vcpu->state.reg;

	bp_save(reg + VCPU_DBGBVR0_EL1, reg + VCPU_DBGBCR0_EL1);
	wp_save(reg + VCPU_DBGWVR0_EL1, reg + VCPU_DBGWCR0_EL1);
	if (d->mdscr_direct)
		reg[VCPU_MDSCR_EL1] = read_sysreg(mdscr_el1);
	d->mdscr_direct = false;
	d->loaded = false;
	if (host.fgt)
		fgt_open(vcpu, 0);
	bp_load(d->host[BVR], d->host[BCR]);
	wp_load(d->host[WVR], d->host[WCR]);
}

void __el2 vcpu_debug_enter_el2(struct keel_vcpu *vcpu, struct prda *p)
{
	u64 mdscr = mdscr_effective(vcpu);

	p->host_mdscr = read_sysreg(mdscr_el1);
	if (mdscr != p->host_mdscr)
		write_sysreg(mdscr, mdscr_el1);
	if (mdscr & MDSCR_MDE)
		debug_load(vcpu);
	if (unlikely(p->tde))
		brk_door_enter(mdscr);
}

/* Debug exceptions stay masked (PSTATE.D) until the host's own values are complete. */
void __el2 vcpu_debug_leave_el2(struct keel_vcpu *vcpu, struct prda *p)
{
	bool loaded = vcpu->state.debug.loaded;

	if (loaded)
		debug_unload(vcpu);
	if (loaded || mdscr_effective(vcpu) != p->host_mdscr)
		write_sysreg(p->host_mdscr, mdscr_el1);
}

/* --- Accesses that trap --- */

/* While TDE is set all of them trap anyway. */
static bool __el2 may_be_direct(void)
{
	return host.fgt && !prda()->tde;
}

#define ACCESS_BVR(n)	do { if (i == (n)) ACCESS(dbgbvr##n##_el1); } while (0)
#define ACCESS_BCR(n)	do { if (i == (n)) ACCESS(dbgbcr##n##_el1); } while (0)
#define ACCESS_WVR(n)	do { if (i == (n)) ACCESS(dbgwvr##n##_el1); } while (0)
#define ACCESS_WCR(n)	do { if (i == (n)) ACCESS(dbgwcr##n##_el1); } while (0)
#define ACCESS(name) do {						\
	if (write)							\
		write_sysreg(*val, name);				\
	else								\
		*val = read_sysreg(name);				\
} while (0)

/* Which @kind, and number @i of it, in the CPU. */
static noinline void __el2 access_loaded(unsigned int kind, unsigned int i, bool write, u64 *val)
{
	switch (kind) {
	case BVR:
		EACH_16(ACCESS_BVR);
		break;
	case BCR:
		EACH_16(ACCESS_BCR);
		break;
	case WVR:
		EACH_16(ACCESS_WVR);
		break;
	case WCR:
		EACH_16(ACCESS_WCR);
		break;
	}
}

void __el2 vcpu_debug_access_el2(struct keel_vcpu *vcpu, unsigned int kind, unsigned int i,
				 unsigned int home, bool write, u64 *val)
{
	struct vcpu_debug *d = &vcpu->state.debug;

	if (!d->loaded && may_be_direct())
		debug_load(vcpu);
	if (d->loaded)
		access_loaded(kind, i, write, val);
	else if (write)
		vcpu->state.reg[home] = *val;
	else
		*val = vcpu->state.reg[home];
}

/* switch.S has moved the value. */
bool __el2 vcpu_debug_mdscr_was_read_el2(struct keel_vcpu *vcpu)
{
	el2_skip();
	return true;
}

/* Apart: most writes of a kernel that debugs find its registers in the CPU, and no BRK door. */
static noinline void __el2 mdscr_arms(struct keel_vcpu *vcpu, u64 now)
{
	if (!vcpu->state.debug.loaded && (now & MDSCR_MDE || may_be_direct()))
		debug_load(vcpu);
	if (prda()->tde)
		brk_door_enter(now);
}

bool __el2 vcpu_debug_mdscr_write_el2(struct keel_vcpu *vcpu, u64 val)
{
	u64 before = mdscr_effective(vcpu), now;

	vcpu->state.reg[VCPU_MDSCR_EL1] = val;
	now = mdscr_effective(vcpu);
	if (now != before) {
		write_sysreg(now, mdscr_el1);
		if (!vcpu->state.debug.loaded || prda()->tde)
			mdscr_arms(vcpu, now);
	}
	el2_skip();
	return true;
}
