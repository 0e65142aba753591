// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_GET_ONE_REG, KVM_SET_ONE_REG, KVM_GET_REG_LIST: ids to registers. Core registers are a table
 * here; firmware, timer and system registers belong to those who have them.
 */
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/uaccess.h>
#include <asm/ptrace.h>

#include <keel/abi.h>
#include <keel/compat.h>
#include <keel/vm.h>

/**
 * struct core_range - core registers that lie side by side in struct kvm_regs and in a vCPU
 * @id: of the first, in 32-bit words from the start of struct kvm_regs
 * @nr: how many
 * @size: bytes of each
 * @offset: of the first in struct keel_vcpu; the vCPU is not loaded, so memory is the truth
 */
struct core_range {
	u16 id;
	u16 nr;
	u16 size;
	size_t offset;
};

#define CORE(field, nr, home) {						\
	KVM_REG_ARM_CORE_REG(field), nr, sizeof_field(struct kvm_regs, field),	\
	offsetof(struct keel_vcpu, state.home)				\
}

static const struct core_range core[] = {
	CORE(regs.regs[0], 31, ctx.x),
	CORE(regs.sp, 1, ctx.sp_el0),
	CORE(regs.pc, 1, ctx.pc),
	CORE(regs.pstate, 1, ctx.pstate),
	CORE(sp_el1, 1, reg[VCPU_SP_EL1]),
	CORE(elr_el1, 1, reg[VCPU_ELR_EL1]),
	CORE(spsr[KVM_SPSR_EL1], 1, reg[VCPU_SPSR_EL1]),
	CORE(spsr[KVM_SPSR_ABT], 4, spsr_aarch32),
	CORE(fp_regs.vregs[0], 32, fp.state.vregs),
	CORE(fp_regs.fpsr, 1, fp.state.fpsr),
	CORE(fp_regs.fpcr, 1, fp.state.fpcr),
};

#define CORE_WORDS	(sizeof(struct kvm_regs) / sizeof(u32))

static u64 core_id(const struct core_range *r, unsigned int n)
{
	u64 size = (u64)ilog2(r->size) << KVM_REG_SIZE_SHIFT;

	return KVM_REG_ARM64 | KVM_REG_ARM_CORE | size | (r->id + n * r->size / sizeof(u32));
}

static unsigned int core_list(u64 *ids)
{
	unsigned int i, k, n = 0;

	for (i = 0; i < ARRAY_SIZE(core); i++)
		for (k = 0; k < core[i].nr; k++, n++)
			if (ids)
				ids[n] = core_id(&core[i], k);
	return n;
}

/* Where the register is, or NULL: not the start of one, or not of that size. */
static void *core_find(struct keel_vcpu *vcpu, u64 id)
{
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(core); i++)
		for (k = 0; k < core[i].nr; k++)
			if (core_id(&core[i], k) == id)
				return (void *)vcpu + core[i].offset + k * core[i].size;
	return NULL;
}

static int core_lookup(struct keel_vcpu *vcpu, u64 id, void **at)
{
	u64 word = id & ~(KVM_REG_ARCH_MASK | KVM_REG_SIZE_MASK | KVM_REG_ARM_CORE);

	/* In KVM's order: what reaches the end of struct kvm_regs is not there. */
	if (word >= CORE_WORDS || word + KVM_REG_SIZE(id) / sizeof(u32) >= CORE_WORDS)
		return -ENOENT;
	*at = core_find(vcpu, id);
	return *at ? 0 : -EINVAL;
}

static int core_get(struct keel_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	void __user *to = u64_to_user_ptr(reg->addr);
	void *at;
	int ret = core_lookup(vcpu, reg->id, &at);

	if (ret)
		return ret;
	return copy_to_user(to, at, KVM_REG_SIZE(reg->id)) ? -EFAULT : 0;
}

/* A guest starts at EL0 or EL1, in AArch64, or as an AArch32 application if the CPU has those. */
static bool pstate_valid(const struct keel_vcpu *vcpu, u64 pstate)
{
	switch (pstate & (PSR_MODE32_BIT | PSR_MODE_MASK)) {
	case PSR_MODE_EL0t:
	case PSR_MODE_EL1t:
	case PSR_MODE_EL1h:
		return true;
	case PSR_AA32_MODE_USR:
		return (vcpu->vm->vcpu.id[VCPU_ID_INDEX(4, 0)] & 0xf) == 2;
	default:
		return false;
	}
}

/* AArch32 applications have r0-r14 and a PC of 32 bits. */
static void core_narrow(struct el2_ctx *ctx)
{
	unsigned int i;

	for (i = 0; i < 15; i++)
		ctx->x[i] = lower_32_bits(ctx->x[i]);
	ctx->pc = lower_32_bits(ctx->pc);
}

static int core_set(struct keel_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	void __user *from = u64_to_user_ptr(reg->addr);
	__uint128_t val = 0;
	void *at;
	int ret = core_lookup(vcpu, reg->id, &at);

	if (ret)
		return ret;
	if (copy_from_user(&val, from, KVM_REG_SIZE(reg->id)))
		return -EFAULT;
	if (at == &vcpu->state.ctx.pstate && !pstate_valid(vcpu, val))
		return -EINVAL;
	memcpy(at, &val, KVM_REG_SIZE(reg->id));
	if (vcpu->state.ctx.pstate & PSR_MODE32_BIT)
		core_narrow(&vcpu->state.ctx);
	return 0;
}

/* The rest have up to 64 bits. Timer registers come first: they look like system registers. */
static int value_get(struct keel_vcpu *vcpu, u64 id, u64 *val)
{
	int ret = vtimer_reg_get(vcpu, id, val);

	if (ret == -ENOENT)
		ret = vcpu_fw_get(vcpu, id, val);
	if (ret == -ENOENT)
		ret = vcpu_sysreg_get(vcpu, id, val);
	return ret;
}

static int value_set(struct keel_vcpu *vcpu, u64 id, u64 val)
{
	int ret = vtimer_reg_set(vcpu, id, val);

	if (ret == -ENOENT)
		ret = vcpu_fw_set(vcpu, id, val);
	if (ret == -ENOENT)
		ret = vcpu_sysreg_set(vcpu, id, val);
	return ret;
}

static bool id_is_arm64(u64 id)
{
	return (id & ~KVM_REG_SIZE_MASK) >> 32 == KVM_REG_ARM64 >> 32;
}

static bool id_is_core(u64 id)
{
	return (id & KVM_REG_ARM_COPROC_MASK) == KVM_REG_ARM_CORE;
}

int abi_one_reg_get(struct keel_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	u64 val = 0;
	int ret;

	if (!id_is_arm64(reg->id))
		return -EINVAL;
	if (id_is_core(reg->id))
		return core_get(vcpu, reg);
	if (KVM_REG_SIZE(reg->id) > sizeof(val))
		return -ENOENT;
	ret = value_get(vcpu, reg->id, &val);
	if (ret)
		return ret;
	return copy_to_user(u64_to_user_ptr(reg->addr), &val, KVM_REG_SIZE(reg->id)) ? -EFAULT : 0;
}

int abi_one_reg_set(struct keel_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	u64 val = 0;

	if (!id_is_arm64(reg->id))
		return -EINVAL;
	if (id_is_core(reg->id))
		return core_set(vcpu, reg);
	if (KVM_REG_SIZE(reg->id) > sizeof(val))
		return -ENOENT;
	if (copy_from_user(&val, u64_to_user_ptr(reg->addr), KVM_REG_SIZE(reg->id)))
		return -EFAULT;
	return value_set(vcpu, reg->id, val);
}

static unsigned int list_all(struct keel_vcpu *vcpu, u64 *ids)
{
	unsigned int n = core_list(ids);

	n += vcpu_fw_list(vcpu, ids ? ids + n : NULL);
	n += vtimer_reg_list(vcpu, ids ? ids + n : NULL);
	n += vcpu_sysreg_list(vcpu, ids ? ids + n : NULL);
	return n;
}

int abi_reg_list(struct keel_vcpu *vcpu, struct kvm_reg_list __user *list)
{
	u64 room, n = list_all(vcpu, NULL);
	u64 *ids;
	int ret = 0;

	if (copy_from_user(&room, &list->n, sizeof(room)) || copy_to_user(&list->n, &n, sizeof(n)))
		return -EFAULT;
	if (room < n)
		return -E2BIG;

	ids = kmalloc_array(n, sizeof(*ids), GFP_KERNEL_ACCOUNT);
	if (!ids)
		return -ENOMEM;
	list_all(vcpu, ids);
	if (copy_to_user(list->reg, ids, n * sizeof(*ids)))
		ret = -EFAULT;
	kfree(ids);
	return ret;
}
