// SPDX-License-Identifier: GPL-2.0
/*
 * Hypercalls, second tier: SMCCC 1.2 by HVC and SMC. PSCI 1.1 and TRNG 1.0 are the services; what
 * does nothing but answer is in hypercalls_el2.c. SMCCC's vendor services are not offered, so a
 * guest that looks for KVM's finds none.
 */
#include <linux/arm-smccc.h>
#include <linux/random.h>
#include <linux/spinlock.h>
#include <uapi/linux/psci.h>
#include <asm/cpufeature.h>
#include <asm/cputype.h>

#include <keel/compat.h>
#include <keel/esr.h>
#include <keel/vm.h>

#include "internal.h"

#define IMM_MASK	0xffff
#define SCTLR_EE	BIT(25)

/**
 * struct smccc_call - a function that does something
 * @fn: its id; SMC32 ids get their arguments cut to 32 bits
 * @call: fills x0 (and x1-x3); > 0 back to the guest, 0 to userspace
 */
struct smccc_call {
	u32 fn;
	int (*call)(struct keel_vcpu *vcpu);
};

/* --- PSCI (Arm DEN0022) --- */

static int ret_x0(struct keel_vcpu *vcpu, s64 ret)
{
	vcpu->state.ctx.x[0] = ret;
	return 1;
}

/* Any power-down state may be answered with standby (5.4.2): WFI, back at the next instruction. */
static int psci_cpu_suspend(struct keel_vcpu *vcpu)
{
	u32 state = power_suspend_state(vcpu->vm, vcpu->state.ctx.x[1]);

	if (state == KEEL_POWER_RUN)
		return ret_x0(vcpu, PSCI_RET_INVALID_PARAMS);
	vcpu->state.ctx.x[0] = PSCI_RET_SUCCESS;
	WRITE_ONCE(vcpu->state.cpu_suspend, true);
	vcpu_block(vcpu, state);
	WRITE_ONCE(vcpu->state.cpu_suspend, false);
	return 1;
}

static void power_off(struct keel_vcpu *vcpu)
{
	spin_lock(&vcpu->vm->vcpu.psci_lock);
	WRITE_ONCE(vcpu->state.power_off, true);
	spin_unlock(&vcpu->vm->vcpu.psci_lock);
}

static int psci_cpu_off(struct keel_vcpu *vcpu)
{
	power_off(vcpu);
	power_vcpu_reset(vcpu);
	vcpu_request(vcpu, VCPU_REQ_SLEEP);
	return ret_x0(vcpu, PSCI_RET_SUCCESS);
}

/*
 * The request is visible before power_off is clear: a target that wakes for another reason must not
 * enter the guest with the state it was switched off with. One that is quicker than this function
 * waits for the lock in vcpu_reset().
 */
static int psci_start(struct keel_vcpu *target, const struct keel_vcpu *source, bool big_endian)
{
	const u64 *x = source->state.ctx.x;
	struct vcpu_state *s = &target->state;
	int ret = PSCI_RET_ALREADY_ON;

	spin_lock(&target->vm->vcpu.psci_lock);
	if (s->power_off) {
		s->reset.pc = x[2];
		s->reset.x0 = x[3];
		s->reset.big_endian = big_endian;
		s->reset.pending = true;
		WRITE_ONCE(s->suspended, false);
		vcpu_request(target, VCPU_REQ_RESET);
		/* Pairs with the read of power_off in run_requests(): the request comes first. */
		smp_store_release(&s->power_off, false);
		ret = PSCI_RET_SUCCESS;
	}
	spin_unlock(&target->vm->vcpu.psci_lock);
	if (!ret)
		vcpu_kick(target);
	return ret;
}

static int psci_cpu_on(struct keel_vcpu *vcpu)
{
	u64 affinity = vcpu->state.ctx.x[1];
	struct keel_vcpu *target = NULL;

	if (!(affinity & ~(u64)MPIDR_HWID_BITMASK))
		target = vm_vcpu_by_mpidr(vcpu->vm, affinity);
	if (!target)
		return ret_x0(vcpu, PSCI_RET_INVALID_PARAMS);
	return ret_x0(vcpu, psci_start(target, vcpu,
				       vcpu_read_reg(vcpu, VCPU_SCTLR_EL1) & SCTLR_EE));
}

static s64 psci_affinity(struct keel_vcpu *vcpu, u64 affinity, u64 level)
{
	struct keel_vcpu *v;
	bool found = false;
	unsigned int i;
	u64 mask;

	if (level > 3 || affinity & ~(u64)MPIDR_HWID_BITMASK)
		return PSCI_RET_INVALID_PARAMS;
	mask = MPIDR_HWID_BITMASK & ~(BIT_ULL(MPIDR_LEVEL_SHIFT(level)) - 1);

	vm_for_each_vcpu(i, v, vcpu->vm) {
		if ((v->state.reg[VCPU_MPIDR_EL1] ^ affinity) & mask)
			continue;
		if (!READ_ONCE(v->state.power_off))
			return PSCI_0_2_AFFINITY_LEVEL_ON;
		found = true;
	}
	return found ? PSCI_0_2_AFFINITY_LEVEL_OFF : PSCI_RET_INVALID_PARAMS;
}

static int psci_affinity_info(struct keel_vcpu *vcpu)
{
	const u64 *x = vcpu->state.ctx.x;

	return ret_x0(vcpu, psci_affinity(vcpu, x[1], x[2]));
}

void vcpu_system_event(struct keel_vcpu *vcpu, u32 type)
{
	struct kvm_run *run = vcpu->kvm_run;

	memset(&run->system_event, 0, sizeof(run->system_event));
	run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	run->system_event.type = type;
}

void vcpu_psci_system_event(struct keel_vcpu *vcpu, u32 type, u64 flags)
{
	struct kvm_run *run = vcpu->kvm_run;
	struct keel_vcpu *v;
	unsigned int i;

	vm_for_each_vcpu(i, v, vcpu->vm)
		power_off(v);
	vm_request_all(vcpu->vm, VCPU_REQ_SLEEP, NULL);

	vcpu_system_event(vcpu, type);
	run->system_event.ndata = 1;
	run->system_event.data[0] = flags;
}

/* x0 is for a VMM that runs the vCPU again although its machine is off. */
static int psci_event(struct keel_vcpu *vcpu, u32 type, u64 flags)
{
	vcpu_psci_system_event(vcpu, type, flags);
	vcpu->state.ctx.x[0] = (s64)PSCI_RET_INTERNAL_FAILURE;
	return 0;
}

static int psci_system_off(struct keel_vcpu *vcpu)
{
	return psci_event(vcpu, KVM_SYSTEM_EVENT_SHUTDOWN, 0);
}

static int psci_system_reset(struct keel_vcpu *vcpu)
{
	return psci_event(vcpu, KVM_SYSTEM_EVENT_RESET, 0);
}

/* Architectural warm reset, or a vendor's type, which is the VMM's to know. */
static int psci_system_reset2(struct keel_vcpu *vcpu)
{
	u32 type = vcpu->state.ctx.x[1];

	if (type > PSCI_1_1_RESET_TYPE_SYSTEM_WARM_RESET && type < PSCI_1_1_RESET_TYPE_VENDOR_START)
		return ret_x0(vcpu, PSCI_RET_INVALID_PARAMS);
	return psci_event(vcpu, KVM_SYSTEM_EVENT_RESET, KVM_SYSTEM_EVENT_RESET_FLAG_PSCI_RESET2);
}

/*
 * The VMM's to do, or to refuse: it finds the entry point in x1, the context id in x2, and puts its
 * answer into x0.
 */
static int psci_system_suspend(struct keel_vcpu *vcpu)
{
	vcpu_system_event(vcpu, KVM_SYSTEM_EVENT_SUSPEND);
	return 0;
}

/* --- TRNG (Arm DEN0098) --- */

/* The first tier has answered, but for want of entropy. */
static int trng_rnd(struct keel_vcpu *vcpu)
{
	struct vcpu_random *pool = &vcpu->state.random;

	get_random_bytes(pool->word, sizeof(pool->word));
	pool->left = ARRAY_SIZE(pool->word);
	trng_answer_el2(vcpu);
	return 1;
}

/* --- dispatch --- */

static const struct smccc_call calls[] = {
	{ PSCI_0_2_FN_CPU_SUSPEND, psci_cpu_suspend },
	{ PSCI_0_2_FN64_CPU_SUSPEND, psci_cpu_suspend },
	{ PSCI_0_2_FN_CPU_OFF, psci_cpu_off },
	{ PSCI_0_2_FN_CPU_ON, psci_cpu_on },
	{ PSCI_0_2_FN64_CPU_ON, psci_cpu_on },
	{ PSCI_0_2_FN_AFFINITY_INFO, psci_affinity_info },
	{ PSCI_0_2_FN64_AFFINITY_INFO, psci_affinity_info },
	{ PSCI_0_2_FN_SYSTEM_OFF, psci_system_off },
	{ PSCI_0_2_FN_SYSTEM_RESET, psci_system_reset },
	{ PSCI_1_0_FN_SYSTEM_SUSPEND, psci_system_suspend },
	{ PSCI_1_0_FN64_SYSTEM_SUSPEND, psci_system_suspend },
	{ PSCI_1_1_FN_SYSTEM_RESET2, psci_system_reset2 },
	{ PSCI_1_1_FN64_SYSTEM_RESET2, psci_system_reset2 },
	{ ARM_SMCCC_TRNG_RND32, trng_rnd },
	{ ARM_SMCCC_TRNG_RND64, trng_rnd },
};

/* The PC is past the call here, for HVC as for SMC. */
static int smccc_call(struct keel_vcpu *vcpu)
{
	u64 *x = vcpu->state.ctx.x;
	u32 fn = x[0];
	unsigned int i;
	u64 ret;

	/* Says what the VM has; false leaves those that have work to do. */
	if (smccc_answer_el2(vcpu->vm, fn, x[1], &ret))
		return ret_x0(vcpu, ret);
	if (!ARM_SMCCC_IS_64(fn))
		for (i = 1; i < 4; i++)
			x[i] = lower_32_bits(x[i]);
	for (i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i].fn == fn)
			return calls[i].call(vcpu);
	return ret_x0(vcpu, SMCCC_RET_NOT_SUPPORTED);
}

/* Nonzero immediates are reserved (SMCCC 1.2, 2.9); nobody has claimed this one. */
static int conduit(struct keel_vcpu *vcpu)
{
	if (vcpu->state.ctx.esr & IMM_MASK)
		return ret_x0(vcpu, SMCCC_RET_NOT_SUPPORTED);
	return smccc_call(vcpu);
}

/* The PC is past an HVC, the backdoor wants it at the instruction. */
static bool hvc_backdoor(struct keel_vcpu *vcpu)
{
	struct el2_ctx *ctx = &vcpu->state.ctx;

	ctx->pc -= 4;
	if (backdoor_call(vcpu, KEEL_HOOK_BACKDOOR_HVC))
		return true;
	ctx->pc += 4;
	return false;
}

int vcpu_handle_hvc(struct keel_vcpu *vcpu)
{
	if ((vcpu->state.ctx.esr & IMM_MASK) == BACKDOOR_IMM && hvc_backdoor(vcpu))
		return 1;
	return conduit(vcpu);
}

/* A trapped SMC, unlike an HVC, leaves the PC at the instruction (Arm ARM D1.3.4). */
int vcpu_handle_smc(struct keel_vcpu *vcpu)
{
	vcpu_skip(vcpu);
	return conduit(vcpu);
}

/* --- firmware registers --- */

/*
 * keel performs no workaround on a guest's behalf. Where the CPU does not need one the guest is
 * told so: branch targets are the CPU's business (CSV2), and so is branch history (CSV2 = 3 or
 * ECBHB).
 */
void __init hypercalls_init(void)
{
	u64 pfr0 = read_sanitised_ftr_reg(SYS_ID_AA64PFR0_EL1);
	u64 mmfr1 = read_sanitised_ftr_reg(SYS_ID_AA64MMFR1_EL1);
	unsigned int csv2 = (pfr0 >> PFR0_CSV2) & 0xf;

	smccc_workaround[0] = csv2 ? SMCCC_ARCH_WORKAROUND_RET_UNAFFECTED : SMCCC_RET_NOT_SUPPORTED;
	smccc_workaround[1] = SMCCC_RET_NOT_SUPPORTED;
	smccc_workaround[2] = csv2 >= 3 || (mmfr1 >> MMFR1_ECBHB) & 0xf ?
			      SMCCC_ARCH_WORKAROUND_RET_UNAFFECTED : SMCCC_RET_NOT_SUPPORTED;
}

void hypercalls_init_vm(struct keel_vm *vm)
{
	vm->vcpu.psci_version = PSCI_VERSION(1, 1);
	vm->vcpu.fw_bmap[FW_STD] = BIT(KVM_REG_ARM_STD_BIT_TRNG_V1_0);
}

static const u64 fw_ids[] = {
	KVM_REG_ARM_PSCI_VERSION,
	KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1,
	KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2,
	KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3,
	KVM_REG_ARM_STD_BMAP,
	KVM_REG_ARM_STD_HYP_BMAP,
	KVM_REG_ARM_VENDOR_HYP_BMAP,
};

unsigned int vcpu_fw_list(struct keel_vcpu *vcpu, u64 *ids)
{
	if (ids)
		memcpy(ids, fw_ids, sizeof(fw_ids));
	return ARRAY_SIZE(fw_ids);
}

static u64 workaround_level(unsigned int n)
{
	static const u64 unaffected[] = {
		KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1_NOT_REQUIRED,
		KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_NOT_REQUIRED,
		KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3_NOT_REQUIRED,
	};

	return smccc_workaround[n] == SMCCC_ARCH_WORKAROUND_RET_UNAFFECTED ? unaffected[n] : 0;
}

int vcpu_fw_get(struct keel_vcpu *vcpu, u64 id, u64 *val)
{
	const struct vcpu_vm *v = &vcpu->vm->vcpu;

	switch (id) {
	case KVM_REG_ARM_PSCI_VERSION:
		*val = v->features & BIT(KVM_ARM_VCPU_PSCI_0_2) ?
		       v->psci_version : PSCI_VERSION(0, 1);
		return 0;
	case KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1:
	case KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2:
	case KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_3:
		*val = workaround_level(id - KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1);
		return 0;
	case KVM_REG_ARM_STD_BMAP:
	case KVM_REG_ARM_STD_HYP_BMAP:
	case KVM_REG_ARM_VENDOR_HYP_BMAP:
		*val = v->fw_bmap[id - KVM_REG_ARM_STD_BMAP];
		return 0;
	default:
		return -ENOENT;
	}
}

static bool psci_version_valid(const struct vcpu_vm *v, u64 val)
{
	if (!(v->features & BIT(KVM_ARM_VCPU_PSCI_0_2)))
		return val == PSCI_VERSION(0, 1);
	return val == PSCI_VERSION(0, 2) || val == PSCI_VERSION(1, 0) || val == PSCI_VERSION(1, 1);
}

static bool fw_valid(const struct vcpu_vm *v, u64 id, u64 val)
{
	switch (id) {
	case KVM_REG_ARM_PSCI_VERSION:
		return psci_version_valid(v, val);
	case KVM_REG_ARM_STD_BMAP:
		return !(val & ~BIT(KVM_REG_ARM_STD_BIT_TRNG_V1_0));
	case KVM_REG_ARM_STD_HYP_BMAP:
	case KVM_REG_ARM_VENDOR_HYP_BMAP:
		return !val;
	default:
		/* A guest that was promised less elsewhere is safe here. */
		return val <= workaround_level(id - KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1);
	}
}

int vcpu_fw_set(struct keel_vcpu *vcpu, u64 id, u64 val)
{
	struct vcpu_vm *v = &vcpu->vm->vcpu;
	int ret;
	u64 now;

	ret = vcpu_fw_get(vcpu, id, &now);
	if (ret)
		return ret;
	if (!fw_valid(v, id, val))
		return -EINVAL;

	mutex_lock(&vcpu->vm->config_lock);
	if (val == now)
		goto out;
	ret = v->ran ? -EBUSY : 0;
	if (ret)
		goto out;
	if (id == KVM_REG_ARM_PSCI_VERSION)
		v->psci_version = val;
	else if (id >= KVM_REG_ARM_STD_BMAP)
		v->fw_bmap[id - KVM_REG_ARM_STD_BMAP] = val;
out:
	mutex_unlock(&vcpu->vm->config_lock);
	return ret;
}
