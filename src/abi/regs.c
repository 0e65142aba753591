// SPDX-License-Identifier: GPL-2.0
/* KEEL_VCPU_REGS: the registers of a vCPU, for who looks at it beside its VMM. */
#include <linux/keel.h>

#include <keel/abi.h>
#include <keel/vm.h>

#define SYSREG(field, home)	{ offsetof(struct keel_vcpu_regs, field), VCPU_##home }

static const struct sysreg {
	size_t at;
	enum vcpu_reg home;
} sysregs[] = {
	SYSREG(sp_el1, SP_EL1),
	SYSREG(elr_el1, ELR_EL1),
	SYSREG(spsr_el1, SPSR_EL1),
	SYSREG(esr_el1, ESR_EL1),
	SYSREG(far_el1, FAR_EL1),
	SYSREG(vbar_el1, VBAR_EL1),
	SYSREG(sctlr_el1, SCTLR_EL1),
	SYSREG(tcr_el1, TCR_EL1),
	SYSREG(ttbr0_el1, TTBR0_EL1),
	SYSREG(ttbr1_el1, TTBR1_EL1),
	SYSREG(mair_el1, MAIR_EL1),
	SYSREG(contextidr_el1, CONTEXTIDR_EL1),
	SYSREG(par_el1, PAR_EL1),
	SYSREG(tpidr_el0, TPIDR_EL0),
	SYSREG(tpidrro_el0, TPIDRRO_EL0),
	SYSREG(tpidr_el1, TPIDR_EL1),
	SYSREG(cpacr_el1, CPACR_EL1),
	SYSREG(mpidr_el1, MPIDR_EL1),
};

static void regs_read(struct keel_vcpu *vcpu, void *arg)
{
	const struct el2_ctx *ctx = &vcpu->state.ctx;
	struct keel_vcpu_regs *r = arg;
	unsigned int i;

	memcpy(r->x, ctx->x, sizeof(r->x));
	r->pc = ctx->pc;
	r->pstate = ctx->pstate;
	r->sp_el0 = ctx->sp_el0;
	for (i = 0; i < ARRAY_SIZE(sysregs); i++)
		*(u64 *)((void *)r + sysregs[i].at) = vcpu_read_reg(vcpu, sysregs[i].home);
}

long abi_vcpu_regs(struct keel_vm *vm, void *arg)
{
	struct abi_vcpu_regs *a = arg;
	struct keel_vcpu *vcpu;
	int ret;

	if (abi_bad_argument(&a->args) || a->args.pad)
		return -EINVAL;
	vcpu = vm_vcpu_by_id(vm, a->args.vcpu);
	if (!vcpu)
		return -ENOENT;
	ret = vcpu_visit(vcpu, regs_read, &a->args);
	return min(ret, 0);
}
