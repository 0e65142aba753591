// SPDX-License-Identifier: GPL-2.0
/*
 * What an instruction that keel answered leaves behind, and the two exits that consist of little
 * else: WFI/WFE, and AArch32 applications at coprocessor registers.
 */
#include <linux/bitfield.h>
#include <linux/sched.h>
#include <asm/debug-monitors.h>
#include <asm/ptrace.h>

#include <keel/compat.h>
#include <keel/esr.h>
#include <keel/vm.h>

#include "internal.h"

/* The IT state of T32, spread over the AArch32 PSTATE: IT[7:2] in 15:10, IT[1:0] in 26:25. */
#define PSR32_IT_HIGH	GENMASK(15, 10)
#define PSR32_IT_LOW	GENMASK(26, 25)
#define PSR32_T		BIT(5)

#define ESR_COND	GENMASK(23, 20)
#define ESR_CV		BIT(24)

static unsigned int it_state(u64 pstate)
{
	return FIELD_GET(PSR32_IT_HIGH, pstate) << 2 | FIELD_GET(PSR32_IT_LOW, pstate);
}

/* AArch32.ITAdvance(): the next condition of the block, or none when it was the last. */
static u64 it_advance(u64 pstate)
{
	unsigned int it = it_state(pstate);

	it = (it & 7) ? (it & 0xe0) | ((it << 1) & 0x1f) : 0;
	pstate &= ~(u64)(PSR32_IT_HIGH | PSR32_IT_LOW);
	return pstate | FIELD_PREP(PSR32_IT_HIGH, it >> 2) | FIELD_PREP(PSR32_IT_LOW, it & 3);
}

void vcpu_skip(struct keel_vcpu *vcpu)
{
	struct el2_ctx *ctx = &vcpu->state.ctx;

	if (ctx->pstate & PSR_MODE32_BIT) {
		ctx->pc = (u32)(ctx->pc + esr_il(ctx->esr));
		if (ctx->pstate & PSR32_T)
			ctx->pstate = it_advance(ctx->pstate);
	} else {
		ctx->pc += 4;
		ctx->pstate &= ~(u64)PSR_BTYPE_MASK;
	}
	/* The instruction counts as executed: a guest that steps gets its exception after it. */
	ctx->pstate &= ~(u64)DBG_SPSR_SS;
}

/* ConditionHolds() */
static bool condition_holds(unsigned int cond, u64 pstate)
{
	bool n = pstate & PSR_N_BIT, z = pstate & PSR_Z_BIT;
	bool c = pstate & PSR_C_BIT, v = pstate & PSR_V_BIT;
	bool holds;

	switch (cond >> 1) {
	case 0:
		holds = z;
		break;
	case 1:
		holds = c;
		break;
	case 2:
		holds = n;
		break;
	case 3:
		holds = v;
		break;
	case 4:
		holds = c && !z;
		break;
	case 5:
		holds = n == v;
		break;
	case 6:
		holds = n == v && !z;
		break;
	default:
		return true;
	}
	return holds != (cond & 1);
}

/*
 * It is IMPLEMENTATION DEFINED whether a conditional instruction that fails its condition traps
 * (Arm ARM G1.17.1): one that would not have executed is only skipped.
 */
static bool would_execute(const struct el2_ctx *ctx)
{
	unsigned int it = it_state(ctx->pstate);

	if (ctx->esr & ESR_CV)
		return condition_holds(FIELD_GET(ESR_COND, ctx->esr), ctx->pstate);
	return !it || condition_holds(it >> 4, ctx->pstate);
}

/* The physical timer by MCR/MRC and MCRR/MRRC: CNTP_TVAL, CNTP_CTL, CNTP_CVAL. */
static bool cp15_timer(const struct el2_ctx *ctx, enum vtimer_reg *reg)
{
	u64 iss = esr_iss(ctx->esr);
	unsigned int crm = (iss >> 1) & 0xf;

	if (esr_ec(ctx->esr) == ESR_ELx_EC_CP15_64) {
		*reg = VTIMER_CVAL;
		return crm == 14 && ((iss >> 16) & 0xf) == 2;
	}
	if (esr_ec(ctx->esr) != ESR_ELx_EC_CP15_32)
		return false;
	*reg = (iss >> 17) & 7 ? VTIMER_CTL : VTIMER_TVAL;
	return ((iss >> 10) & 0xf) == 14 && crm == 2 && !((iss >> 14) & 7) &&
	       ((iss >> 17) & 7) <= 1;
}

static void cp15_timer_access(struct keel_vcpu *vcpu, enum vtimer_reg reg)
{
	struct el2_ctx *ctx = &vcpu->state.ctx;
	u64 iss = esr_iss(ctx->esr);
	unsigned int rt = (iss >> 5) & 0x1f, rt2 = (iss >> 10) & 0x1f;
	u64 val;

	if (iss & 1) {
		val = vtimer_phys_read(vcpu, reg);
		ctx_set(ctx, rt, lower_32_bits(val));
		if (reg == VTIMER_CVAL)
			ctx_set(ctx, rt2, upper_32_bits(val));
		return;
	}
	val = lower_32_bits(ctx_get(ctx, rt));
	if (reg == VTIMER_CVAL)
		val |= (u64)lower_32_bits(ctx_get(ctx, rt2)) << 32;
	vtimer_phys_write(vcpu, reg, val);
}

int vcpu_handle_cp15(struct keel_vcpu *vcpu)
{
	struct el2_ctx *ctx = &vcpu->state.ctx;
	enum vtimer_reg reg;

	if (would_execute(ctx)) {
		if (!cp15_timer(ctx, &reg))
			return vcpu_handle_undef(vcpu);
		cp15_timer_access(vcpu, reg);
	}
	vcpu_skip(vcpu);
	return 1;
}

/* WFI sleeps until something would wake it; WFE (and its timed form) gives way to other tasks. */
int vcpu_handle_wfx(struct keel_vcpu *vcpu)
{
	bool wfe = vcpu->state.ctx.esr & ESR_ELx_WFx_ISS_WFE;

	vcpu_skip(vcpu);
	if (!wfe) {
		vcpu_block(vcpu, KEEL_POWER_WFI);
	} else {
		vcpu->power.wfe++;
		cond_resched();
	}
	return 1;
}
