// SPDX-License-Identifier: GPL-2.0
/* Exceptions that keel raises in the guest, in memory and in its EL1 registers. */
#include <linux/kvm.h>
#include <asm/ptrace.h>

#include <keel/compat.h>
#include <keel/esr.h>
#include <keel/host.h>
#include <keel/vm.h>

#include "internal.h"

void vcpu_inject_sync(struct keel_vcpu *vcpu, u64 esr)
{
	struct el2_ctx *ctx = &vcpu->state.ctx;

	vcpu_write_reg(vcpu, VCPU_ESR_EL1, esr);
	vcpu_write_reg(vcpu, VCPU_ELR_EL1, ctx->pc);
	vcpu_write_reg(vcpu, VCPU_SPSR_EL1, ctx->pstate);
	vcpu_enter_vector(&ctx->pc, &ctx->pstate, vcpu_read_reg(vcpu, VCPU_VBAR_EL1),
			  vcpu_read_reg(vcpu, VCPU_SCTLR_EL1));
}

static bool from_el0(const struct el2_ctx *ctx)
{
	return (ctx->pstate & (PSR_MODE32_BIT | PSR_MODE_MASK)) == PSR_MODE_EL0t ||
	       (ctx->pstate & PSR_MODE32_BIT);
}

/* IL is 1 for EC 0 and for data aborts without a valid syndrome (Arm ARM D24.2.40). */
void vcpu_inject_undef(struct keel_vcpu *vcpu)
{
	vcpu_inject_sync(vcpu, ((u64)ESR_ELx_EC_UNKNOWN << ESR_ELx_EC_SHIFT) | ESR_ELx_IL);
}

static void inject_abort(struct keel_vcpu *vcpu, struct gva far, bool instr, u64 fsc)
{
	u64 ec = instr ? ESR_ELx_EC_IABT_LOW : ESR_ELx_EC_DABT_LOW;

	/* The class for an abort without a change of level is the next one up. */
	if (!from_el0(&vcpu->state.ctx))
		ec++;
	vcpu_write_reg(vcpu, VCPU_FAR_EL1, far.v);
	vcpu_inject_sync(vcpu, (ec << ESR_ELx_EC_SHIFT) | ESR_ELx_IL | fsc);
}

void vcpu_inject_dabt_fault(struct keel_vcpu *vcpu, struct gva far, u64 fsc, bool write)
{
	inject_abort(vcpu, far, false, fsc | (write ? ESR_ELx_WNR : 0));
}

void vcpu_inject_dabt(struct keel_vcpu *vcpu, struct gva far)
{
	inject_abort(vcpu, far, false, ESR_ELx_FSC_EXTABT);
}

void vcpu_inject_pabt(struct keel_vcpu *vcpu, struct gva far)
{
	inject_abort(vcpu, far, true, ESR_ELx_FSC_EXTABT);
}

/* Fault status 0: address size fault, level 0. */
void vcpu_inject_abt_size(struct keel_vcpu *vcpu, struct gva far, bool instr)
{
	inject_abort(vcpu, far, instr, 0);
}

/*
 * Stays pending until the guest unmasks PSTATE.A: HCR_EL2.VSE at the next entry, with VSESR_EL2 as
 * the syndrome where the CPU has FEAT_RAS.
 */
void vcpu_inject_serror(struct keel_vcpu *vcpu, u64 esr)
{
	vcpu->state.vserror_esr = esr & ESR_ELx_ISS_MASK;
	WRITE_ONCE(vcpu->state.vserror, true);
}

/*
 * An SError that the guest caused: the exit's own, or one that the way out collected (ctx.disr,
 * whose fields lie as in ESR_ELx). One that the CPU says is corrected or restartable (FEAT_RAS, AET
 * of Arm ARM D24.2.40) harmed nobody; everything else is that guest's.
 */
int vcpu_handle_serror(struct keel_vcpu *vcpu)
{
	u64 disr = vcpu->state.ctx.disr;
	u64 esr = disr ? disr & DISR_EL1_ESR_MASK : vcpu->state.ctx.esr;

	if (host.ras && !(esr & ESR_ELx_IDS) && (esr & ESR_ELx_FSC) == ESR_ELx_FSC_SERROR) {
		u64 aet = esr & ESR_ELx_AET;

		if (aet == ESR_ELx_AET_CE || aet == ESR_ELx_AET_UEO)
			return 1;
	}
	vcpu_inject_serror(vcpu, esr);
	return 1;
}

int vcpu_handle_undef(struct keel_vcpu *vcpu)
{
	vcpu_count(vcpu, COUNT_UNDEF);
	vcpu_inject_undef(vcpu);
	return 1;
}

int vcpu_events_get(struct keel_vcpu *vcpu, struct kvm_vcpu_events *ev)
{
	ev->exception.serror_pending = vcpu->state.vserror;
	ev->exception.serror_has_esr = host.ras;
	if (vcpu->state.vserror && host.ras)
		ev->exception.serror_esr = vcpu->state.vserror_esr;
	/* An external abort is taken by the guest as soon as it is set: never pending. */
	return 0;
}

int vcpu_events_set(struct keel_vcpu *vcpu, const struct kvm_vcpu_events *ev)
{
	u64 esr = 0;

	if (ev->exception.serror_pending && ev->exception.serror_has_esr) {
		esr = ev->exception.serror_esr;
		if (!host.ras || (esr & ~(u64)ESR_ELx_ISS_MASK))
			return -EINVAL;
	}
	if (ev->exception.serror_pending)
		vcpu_inject_serror(vcpu, esr);
	if (ev->exception.ext_dabt_pending) {
		/* Instead of the answer that userspace owes to the access it was asked for. */
		vcpu->run.mmio_pending = false;
		vcpu_inject_dabt(vcpu, gva(vcpu->state.ctx.far));
	}
	return 0;
}
