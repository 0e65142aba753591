// SPDX-License-Identifier: GPL-2.0
/*
 * Guest accesses to what is no memory: what the syndrome says of them, and the first tier, where
 * the vGIC's frames are answered.
 */
#include <linux/swab.h>
#include <asm/ptrace.h>
#include <asm/sysreg.h>

#include <keel/compat.h>
#include <keel/esr.h>
#include <keel/vm.h>

#include "run.h"

void __el2 mmio_decode(struct mmio_access *a, u64 esr, struct ipa ipa)
{
	*a = (struct mmio_access) {
		.ipa = ipa,
		.len = esr_dabt_len(esr),
		.reg = esr_dabt_reg(esr),
		.write = esr_is_write(esr),
		.sign = esr_dabt_sign(esr),
		.sf = esr_dabt_sf(esr),
	};
}

/* SCTLR_EL1.EE and .E0E: data endianness at EL1 and EL0; AArch32 has it in PSTATE.E. */
bool __el2 mmio_big_endian(u64 pstate, u64 sctlr)
{
	if (pstate & PSR_MODE32_BIT)
		return pstate & PSR_AA32_E_BIT;
	if ((pstate & PSR_MODE_MASK) == PSR_MODE_EL0t)
		return sctlr & SCTLR_EL1_E0E;
	return sctlr & SCTLR_ELx_EE;
}

static u64 __el2 truncate_to(u64 v, unsigned int len)
{
	return len == 8 ? v : v & (BIT_ULL(len * 8) - 1);
}

/* Between a register's value and the number a device sees: bytes swapped if @be. */
static u64 __el2 swap_bytes(u64 v, unsigned int len, bool be)
{
	if (!be)
		return v;
	switch (len) {
	case 2:
		return swab16(v);
	case 4:
		return swab32(v);
	case 8:
		return swab64(v);
	default:
		return v;
	}
}

u64 __el2 mmio_store_value(const struct el2_ctx *ctx, const struct mmio_access *a)
{
	return swap_bytes(truncate_to(ctx_get(ctx, a->reg), a->len), a->len, a->be);
}

void __el2 mmio_load_value(struct el2_ctx *ctx, const struct mmio_access *a, u64 v)
{
	v = truncate_to(swap_bytes(v, a->len, a->be), a->len);
	if (a->sign && a->len < 8)
		v = sign_extend64(v, a->len * 8 - 1);
	if (!a->sf)
		v = (u32)v;
	ctx_set(ctx, a->reg, v);
}

/* Most vCPUs have no performance registers. */
static __always_inline bool may_be_power(const struct keel_vcpu *vcpu)
{
	return unlikely(READ_ONCE(vcpu->power.regs));
}

static noinline bool __el2 run_power_store_el2(struct keel_vcpu *vcpu, const struct mmio_access *a)
{
	if (!power_owns(vcpu, a->ipa) || !a->write ||
	    !power_store_el2(vcpu, a->ipa, a->len, mmio_store_value(&vcpu->state.ctx, a)))
		return false;
	el2_skip();
	return true;
}

bool __el2 run_device_el2(struct keel_vcpu *vcpu)
{
	struct el2_ctx *ctx = &vcpu->state.ctx;
	struct mmio_access a;
	u64 v;

	mmio_decode(&a, ctx->esr, ctx->fault_ipa);
	if (mmio_big_endian(read_sysreg(spsr_el2), read_sysreg_s(SYS_SCTLR_EL12)))
		return false;
	v = a.write ? mmio_store_value(ctx, &a) : 0;
	if (!vgic_mmio_el2(vcpu, a.ipa, a.len, a.write, &v))
		return may_be_power(vcpu) && run_power_store_el2(vcpu, &a);
	if (!a.write)
		mmio_load_value(ctx, &a, v);
	el2_skip();
	return !vcpu->vgic.owes;
}

/* Stores to the registers: permission faults, and until a page has been read translation faults. */
static noinline unsigned int __el2 run_dabt_power_el2(struct keel_vcpu *vcpu)
{
	const struct el2_ctx *ctx = &vcpu->state.ctx;

	if (!power_owns(vcpu, ctx->fault_ipa))
		return stage2_spurious_el2(vcpu);
	return esr_dabt_is_store(ctx->esr) && ctx->fault_ipa_valid ? EL2_DABT_DEVICE : false;
}

unsigned int __el2 run_dabt_el2(struct keel_vcpu *vcpu)
{
	struct el2_ctx *ctx = &vcpu->state.ctx;

	stage2_fault_el2(vcpu);
	if (vgic_may_own(vcpu->vm, ctx->fault_ipa))
		return esr_dabt_is_device(ctx->esr) ? EL2_DABT_DEVICE : false;
	if (may_be_power(vcpu))
		return run_dabt_power_el2(vcpu);
	return stage2_spurious_el2(vcpu);
}
