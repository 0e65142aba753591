// SPDX-License-Identifier: GPL-2.0
/*
 * Hypercalls, first tier: SMCCC and PSCI calls whose answer follows from the VM's configuration,
 * and those that nobody implements.
 */
#include <linux/arm-smccc.h>
#include <linux/cache.h>
#include <uapi/linux/psci.h>

#include <keel/compat.h>
#include <keel/esr.h>
#include <keel/vm.h>

#include "internal.h"

#define NOT_SUPPORTED	((u64)SMCCC_RET_NOT_SUPPORTED)
#define CONDUIT_IMM	0xffff
#define TRNG_1_0	0x10000
#define TRNG_INVALID	-2

u64 smccc_workaround[3] __ro_after_init;

/*
 * What PSCI_FEATURES says exists. The 1.x functions need that version; a VMM may ask for 0.2. All
 * of PSCI needs KVM_ARM_VCPU_PSCI_0_2.
 */
static bool __el2 psci_has(const struct keel_vm *vm, u32 fn)
{
	if (!(vm->vcpu.features & BIT(KVM_ARM_VCPU_PSCI_0_2)))
		return false;
	switch (fn) {
	case PSCI_0_2_FN_PSCI_VERSION:
	case PSCI_0_2_FN_CPU_SUSPEND:
	case PSCI_0_2_FN64_CPU_SUSPEND:
	case PSCI_0_2_FN_CPU_OFF:
	case PSCI_0_2_FN_CPU_ON:
	case PSCI_0_2_FN64_CPU_ON:
	case PSCI_0_2_FN_AFFINITY_INFO:
	case PSCI_0_2_FN64_AFFINITY_INFO:
	case PSCI_0_2_FN_MIGRATE_INFO_TYPE:
	case PSCI_0_2_FN_SYSTEM_OFF:
	case PSCI_0_2_FN_SYSTEM_RESET:
		return true;
	case PSCI_1_0_FN_PSCI_FEATURES:
		return vm->vcpu.psci_version >= PSCI_VERSION(1, 0);
	case PSCI_1_0_FN_SYSTEM_SUSPEND:
	case PSCI_1_0_FN64_SYSTEM_SUSPEND:
		return vm->vcpu.psci_version >= PSCI_VERSION(1, 0) &&
		       READ_ONCE(vm->vcpu.system_suspend);
	case PSCI_1_1_FN_SYSTEM_RESET2:
	case PSCI_1_1_FN64_SYSTEM_RESET2:
		return vm->vcpu.psci_version >= PSCI_VERSION(1, 1);
	default:
		return false;
	}
}

static bool __el2 trng_has(const struct keel_vm *vm, u32 fn)
{
	if (!(vm->vcpu.fw_bmap[FW_STD] & BIT(KVM_REG_ARM_STD_BIT_TRNG_V1_0)))
		return false;
	return fn == ARM_SMCCC_TRNG_VERSION || fn == ARM_SMCCC_TRNG_FEATURES ||
	       fn == ARM_SMCCC_TRNG_GET_UUID || fn == ARM_SMCCC_TRNG_RND32 ||
	       fn == ARM_SMCCC_TRNG_RND64;
}

/* SMCCC 1.2, 7.3: 0 or a positive value if @fn may be called. */
static u64 __el2 arch_features(u32 fn)
{
	switch (fn) {
	case ARM_SMCCC_VERSION_FUNC_ID:
	case ARM_SMCCC_ARCH_FEATURES_FUNC_ID:
		return SMCCC_RET_SUCCESS;
	case ARM_SMCCC_ARCH_WORKAROUND_1:
		return smccc_workaround[0];
	case ARM_SMCCC_ARCH_WORKAROUND_2:
		return smccc_workaround[1];
	case ARM_SMCCC_ARCH_WORKAROUND_3:
		return smccc_workaround[2];
	default:
		return NOT_SUPPORTED;
	}
}

static bool __el2 trng_answer(const struct keel_vm *vm, u32 fn, u64 arg, u64 *ret)
{
	if (fn == ARM_SMCCC_TRNG_VERSION)
		*ret = TRNG_1_0;
	else if (fn == ARM_SMCCC_TRNG_FEATURES)
		*ret = trng_has(vm, arg) ? 0 : NOT_SUPPORTED;
	else
		return false;
	return true;
}

static bool __el2 psci_answer(const struct keel_vm *vm, u32 fn, u64 arg, u64 *ret)
{
	if (fn == PSCI_0_2_FN_PSCI_VERSION)
		*ret = vm->vcpu.psci_version;
	else if (fn == PSCI_0_2_FN_MIGRATE_INFO_TYPE)
		*ret = PSCI_0_2_TOS_MP;	/* no trusted OS that would have to migrate */
	else if (fn == PSCI_1_0_FN_PSCI_FEATURES)
		*ret = psci_has(vm, arg) || (u32)arg == ARM_SMCCC_VERSION_FUNC_ID ?
		       0 : NOT_SUPPORTED;
	else
		return false;
	return true;
}

/* What the VM may have or not; apart from the calls before it, which are shorter. */
static noinline bool __el2 service_answer(const struct keel_vm *vm, u32 fn, u64 arg, u64 *ret)
{
	if (trng_has(vm, fn))
		return trng_answer(vm, fn, arg, ret);
	if (psci_has(vm, fn))
		return psci_answer(vm, fn, arg, ret);
	*ret = NOT_SUPPORTED;
	return true;
}

static __always_inline bool smccc_answer(const struct keel_vm *vm, u32 fn, u64 arg, u64 *ret)
{
	if (fn == ARM_SMCCC_VERSION_FUNC_ID)
		*ret = ARM_SMCCC_VERSION_1_2;
	else if (fn == ARM_SMCCC_ARCH_FEATURES_FUNC_ID)
		*ret = arch_features(arg);
	else
		return service_answer(vm, fn, arg, ret);
	return true;
}

bool __el2 smccc_answer_el2(const struct keel_vm *vm, u32 fn, u64 arg, u64 *ret)
{
	return smccc_answer(vm, fn, arg, ret);
}

/* --- TRNG: what returns more than one register (Arm DEN0098) --- */

static const u32 trng_uuid[4] = { 0x3c6b57e1, 0x4bd20f9a, 0xa1c81e93, 0x72d405b6 };

/* The lowest of @bits bits in x3; what is beyond them is 0. Words are used once. */
static bool __el2 trng_fill(struct keel_vcpu *vcpu, u64 bits, unsigned int reg_bits)
{
	struct vcpu_random *pool = &vcpu->state.random;
	u64 *x = vcpu->state.ctx.x;
	unsigned int r;

	if (!bits || bits > 3 * reg_bits) {
		x[0] = TRNG_INVALID;
		return true;
	}
	if (pool->left < 3)
		return false;
	for (r = 3; r; r--) {
		unsigned int here = bits < reg_bits ? bits : reg_bits;
		u64 word = pool->word[--pool->left];

		pool->word[pool->left] = 0;
		x[r] = here ? word >> (64 - here) : 0;
		bits -= here;
	}
	x[0] = SMCCC_RET_SUCCESS;
	return true;
}

bool __el2 trng_answer_el2(struct keel_vcpu *vcpu)
{
	u64 *x = vcpu->state.ctx.x;
	unsigned int i;

	switch ((u32)x[0]) {
	case ARM_SMCCC_TRNG_GET_UUID:
		if (!trng_has(vcpu->vm, x[0]))
			return false;
		for (i = 0; i < 4; i++)
			x[i] = trng_uuid[i];
		return true;
	case ARM_SMCCC_TRNG_RND32:
		return trng_has(vcpu->vm, x[0]) && trng_fill(vcpu, (u32)x[1], 32);
	case ARM_SMCCC_TRNG_RND64:
		return trng_has(vcpu->vm, x[0]) && trng_fill(vcpu, x[1], 64);
	default:
		return false;
	}
}

/* --- the conduits --- */

/* TRNG's functions have consecutive numbers, in either calling convention. */
static __always_inline bool is_trng(u32 fn)
{
	return (fn & ~BIT(30)) - ARM_SMCCC_TRNG_VERSION <=
	       ARM_SMCCC_TRNG_RND32 - ARM_SMCCC_TRNG_VERSION;
}

static __always_inline bool conduit_el2(struct keel_vcpu *vcpu)
{
	struct el2_ctx *ctx = &vcpu->state.ctx;

	return smccc_answer(vcpu->vm, ctx->x[0], ctx->x[1], &ctx->x[0]) ||
	       (is_trng(ctx->x[0]) && trng_answer_el2(vcpu));
}

/* ELR_EL2 of an HVC points past it already: nothing to skip. */
bool __el2 vcpu_hvc_el2(struct keel_vcpu *vcpu)
{
	u32 imm = vcpu->state.ctx.esr & CONDUIT_IMM;

	if (unlikely(imm))
		return imm == BACKDOOR_IMM && backdoor_hvc_el2(vcpu);
	return conduit_el2(vcpu);
}

/* A trapped SMC, unlike an HVC, leaves the PC at the instruction (Arm ARM D1.3.4). */
bool __el2 vcpu_smc_el2(struct keel_vcpu *vcpu)
{
	if (vcpu->state.ctx.esr & CONDUIT_IMM || !conduit_el2(vcpu))
		return false;
	el2_skip();
	return true;
}

bool __el2 vcpu_wfx_el2(struct keel_vcpu *vcpu)
{
	if (vcpu->state.ctx.esr & ESR_ELx_WFx_ISS_WFE || !vgic_wakes_el2(vcpu))
		return false;
	el2_skip();
	return true;
}
