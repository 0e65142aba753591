// SPDX-License-Identifier: GPL-2.0
/*
 * Trapped system registers, first tier: feature registers, and rows of the register table whose
 * answer needs nothing but the vCPU (sysregs.c lists them here at insmod).
 */
#include <linux/cache.h>
#include <linux/nospec.h>
#include <asm/esr.h>

#include <keel/compat.h>
#include <keel/esr.h>
#include <keel/vm.h>

#include "internal.h"

struct sysreg_el2_row sysreg_el2_rows[SYSREG_EL2_SLOTS] __ro_after_init;

/*
 * PFR0.GIC is open until a vCPU runs: VMMs read the ID registers before they create the vGIC and
 * write them back afterwards. The guest sees whether there is one.
 */
u64 __el2 idregs_get(const struct keel_vm *vm, unsigned int index)
{
	u64 val = vm->vcpu.id[index];

	if (index == ID_PFR0 && vm->vcpu.ran && !vm->vgic.created)
		val &= ~(0xfULL << PFR0_GIC);
	return val;
}

unsigned int __el2 idregs_field(const struct keel_vm *vm, unsigned int index, unsigned int shift)
{
	return (vm->vcpu.id[index] >> shift) & 0xf;
}

bool __el2 sysreg_read_el2(struct keel_vcpu *vcpu, const struct sysreg_el2_row *row, bool write,
			   u64 *val)
{
	*val = vcpu->state.reg[row->home];
	return !write;
}

bool __el2 sysreg_constant_el2(struct keel_vcpu *vcpu, const struct sysreg_el2_row *row,
			       bool write, u64 *val)
{
	*val = row->value;
	return !write;
}

/* Op2 4, 5: breakpoints, 6, 7: watchpoints; CRm: which. */
bool __el2 sysreg_debug_el2(struct keel_vcpu *vcpu, const struct sysreg_el2_row *row, bool write,
			    u64 *val)
{
	unsigned int kind = sys_reg_Op2(row->enc) - 4, n = sys_reg_CRm(row->enc);

	if (n > idregs_field(vcpu->vm, ID_DFR0, kind < 2 ? DFR0_BRPS : DFR0_WRPS))
		return false;
	vcpu_debug_access_el2(vcpu, kind, n, row->home, write, val);
	return true;
}

enum vtimer_reg __el2 sysreg_timer_reg(u32 enc)
{
	switch (enc) {
	case SYS_CNTP_TVAL_EL0:
		return VTIMER_TVAL;
	case SYS_CNTP_CTL_EL0:
		return VTIMER_CTL;
	case SYS_CNTP_CVAL_EL0:
		return VTIMER_CVAL;
	default:
		return VTIMER_CNT;
	}
}

bool __el2 sysreg_ptimer_el2(struct keel_vcpu *vcpu, const struct sysreg_el2_row *row, bool write,
			     u64 *val)
{
	return vtimer_phys_el2(vcpu, sysreg_timer_reg(row->enc), write, val);
}

bool __el2 sysreg_sgi_el2(struct keel_vcpu *vcpu, const struct sysreg_el2_row *row, bool write,
			  u64 *val)
{
	return write && vgic_sgi_el2(vcpu, *val);
}

/*
 * A read of op0 = 3, op1 = 0, CRn = 0, CRm = 1-7: every encoding is a row (vcpu_vm.id). @index:
 * VCPU_ID_INDEX().
 */
static __always_inline bool reads_id_register(u64 esr, unsigned int *index)
{
	const u64 fixed = ESR_ELx_SYS64_ISS_OP0_MASK | ESR_ELx_SYS64_ISS_OP1_MASK |
			  ESR_ELx_SYS64_ISS_CRN_MASK | ESR_ELx_SYS64_ISS_DIR_MASK;
	const u64 read = ESR_ELx_SYS64_ISS_SYS_VAL(3, 0, 0, 0, 0) | ESR_ELx_SYS64_ISS_DIR_READ;

	*index = VCPU_ID_INDEX(esr >> ESR_ELx_SYS64_ISS_CRM_SHIFT & 0xf,
			       esr >> ESR_ELx_SYS64_ISS_OP2_SHIFT & 7);
	return (esr & fixed) == read && *index < VCPU_NR_ID_REGS;
}

/* Open addressing; the table is at most half full, so a search ends. */
static __always_inline const struct sysreg_el2_row *find_row_el2(u32 key)
{
	const struct sysreg_el2_row *row;
	u32 i = sysreg_el2_hash(key);

	for (row = &sysreg_el2_rows[i]; row->answer; row = &sysreg_el2_rows[i]) {
		if (row->key == key)
			return row;
		i = (i + 1) % SYSREG_EL2_SLOTS;
	}
	return NULL;
}

#define MRS_XZR_MDCCSR	(ESR_ELx_EC_SYS64 << ESR_ELx_EC_SHIFT | ESR_ELx_IL |		\
			 ESR_ELx_SYS64_ISS_SYS_VAL(2, 3, 0, 0, 1) |			\
			 31 << ESR_ELx_SYS64_ISS_RT_SHIFT | ESR_ELx_SYS64_ISS_DIR_READ)

/* Apart, so that what reads an ID register does not pay for its frame. */
static noinline bool __el2 answer_by_row(struct keel_vcpu *vcpu, u64 esr)
{
	const struct sysreg_el2_row *row = find_row_el2(sysreg_el2_key(esr));
	bool write = !esr_sys_is_read(esr);
	unsigned int rt = esr_sys_rt(esr);
	u64 val = write ? ctx_get(&vcpu->state.ctx, rt) : 0;

	if (!row || !row->answer(vcpu, row, write, &val))
		return false;
	if (!write)
		ctx_set(&vcpu->state.ctx, rt, val);
	el2_skip();
	return !vcpu->vgic.owes;
}

bool __el2 vcpu_sysreg_el2(struct keel_vcpu *vcpu)
{
	struct el2_ctx *ctx = &vcpu->state.ctx;
	unsigned int index;

	if (!reads_id_register(ctx->esr, &index)) {
		/* A call through the backdoor, or the register table's for the second tier. */
		if ((u32)ctx->esr == MRS_XZR_MDCCSR)
			return backdoor_dcc_el2(vcpu);
		return answer_by_row(vcpu, ctx->esr);
	}
	index = array_index_nospec(index, VCPU_NR_ID_REGS);
	ctx_set(ctx, esr_sys_rt(ctx->esr), idregs_get(vcpu->vm, index));
	el2_skip();
	return true;
}
