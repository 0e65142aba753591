// SPDX-License-Identifier: GPL-2.0
/*
 * Trapped system registers, first tier: feature registers, and rows of the register table whose
 * answer needs nothing but the vCPU (sysregs.c lists them here at insmod).
 */
#include <linux/cache.h>
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

/*
 * Op2 4, 5: breakpoints, 6, 7: watchpoints; CRm: which. The second tier writes them while they are
 * in the CPU (debug_el2.c).
 */
bool __el2 sysreg_debug_el2(struct keel_vcpu *vcpu, const struct sysreg_el2_row *row, bool write,
			    u64 *val)
{
	unsigned int last = sys_reg_Op2(row->enc) < 6 ? DFR0_BRPS : DFR0_WRPS;

	if (sys_reg_CRm(row->enc) > idregs_field(vcpu->vm, ID_DFR0, last))
		return false;
	if (!write)
		return sysreg_read_el2(vcpu, row, write, val);
	if (vcpu->state.debug.loaded)
		return false;
	vcpu->state.reg[row->home] = *val;
	return true;
}

bool __el2 sysreg_mdscr_el2(struct keel_vcpu *vcpu, const struct sysreg_el2_row *row, bool write,
			    u64 *val)
{
	u64 *mdscr = &vcpu->state.reg[VCPU_MDSCR_EL1];

	if (!write)
		return sysreg_read_el2(vcpu, row, write, val);
	if (vcpu_debug_mdscr(vcpu, *mdscr) != vcpu_debug_mdscr(vcpu, *val))
		return false;
	*mdscr = *val;
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

/* op0 = 3, op1 = 0, CRn = 0, CRm = 1-7: every encoding is a row (vcpu_vm.id). */
static bool __el2 is_feature_register(u32 enc)
{
	return enc >= sys_reg(3, 0, 0, 1, 0) && enc <= sys_reg(3, 0, 0, 7, 7);
}

/* Open addressing; the table is at most half full, so a search ends. */
static const struct sysreg_el2_row * __el2 find_row_el2(u32 enc)
{
	const struct sysreg_el2_row *row;
	u32 i = sysreg_el2_hash(enc);

	for (row = &sysreg_el2_rows[i]; row->answer; row = &sysreg_el2_rows[i]) {
		if (row->enc == enc)
			return row;
		i = (i + 1) % SYSREG_EL2_SLOTS;
	}
	return NULL;
}

static bool __el2 answer_el2(struct keel_vcpu *vcpu, u32 enc, bool write, u64 *val)
{
	const struct sysreg_el2_row *row;

	if (is_feature_register(enc)) {
		*val = idregs_get(vcpu->vm, VCPU_ID_INDEX(sys_reg_CRm(enc), sys_reg_Op2(enc)));
		return !write;
	}
	row = find_row_el2(enc);
	return row && row->answer(vcpu, row, write, val);
}

bool __el2 vcpu_sysreg_el2(struct keel_vcpu *vcpu)
{
	struct el2_ctx *ctx = &vcpu->state.ctx;
	bool write = !esr_sys_is_read(ctx->esr);
	unsigned int rt = esr_sys_rt(ctx->esr);
	u64 val = write ? ctx_get(ctx, rt) : 0;

	if (!answer_el2(vcpu, esr_sys64_to_sysreg(ctx->esr), write, &val))
		return false;
	if (!write)
		ctx_set(ctx, rt, val);
	el2_skip();
	return !vcpu->vgic.owes;
}
