// SPDX-License-Identifier: GPL-2.0
/*
 * The EL1 virtual timer in the CPU. Under E2H the _EL02 names reach it from EL2, where the plain
 * ones mean the host's own (FEAT_VHE). CNTHCTL_EL2 is the trap table's (el2/enter.c).
 */
#include <asm/barrier.h>

#include <keel/compat.h>

#include "internal.h"

void __el2 vtimer_load_el2(struct keel_vcpu *vcpu, struct prda *p)
{
	struct vtimer_ctx *t = &vcpu->vtimer.virt;

	write_sysreg(READ_ONCE(vcpu->vm->vtimer.voffset), cntvoff_el2);
	write_sysreg_s(t->cval, SYS_CNTV_CVAL_EL02);
	/* Offset and comparator first, or the timer fires by the ones before. */
	isb();
	write_sysreg_s(t->ctl, SYS_CNTV_CTL_EL02);
	/* ISTATUS is read next. */
	isb();
}

/*
 * Off before the CPU goes on to something else: the interrupt is a level, it goes with the timer.
 */
void __el2 vtimer_put_el2(struct keel_vcpu *vcpu, struct prda *p)
{
	struct vtimer_ctx *t = &vcpu->vtimer.virt;

	t->ctl = read_sysreg_s(SYS_CNTV_CTL_EL02) & CTL_ON;
	t->cval = read_sysreg_s(SYS_CNTV_CVAL_EL02);
	write_sysreg_s(0, SYS_CNTV_CTL_EL02);
	isb();
	write_sysreg(0, cntvoff_el2);
}

bool __el2 vtimer_sample_el2(void)
{
	u64 ctl = read_sysreg_s(SYS_CNTV_CTL_EL02);

	return (ctl & (CTL_ON | ARCH_TIMER_CTRL_IT_STAT)) ==
	       (ARCH_TIMER_CTRL_ENABLE | ARCH_TIMER_CTRL_IT_STAT);
}

void __el2 vtimer_fired_el2(struct keel_vcpu *vcpu)
{
	bool level = vtimer_sample_el2();

	vcpu->vtimer.virt.line = level;
	vgic_fired_el2(vcpu, level);
}

u64 __el2 vtimer_ctx_read(const struct vtimer_ctx *t, enum vtimer_reg r, u64 count)
{
	switch (r) {
	case VTIMER_CTL:
		/* ISTATUS is UNKNOWN while the timer is off. */
		return t->ctl | (count >= t->cval ? ARCH_TIMER_CTRL_IT_STAT : 0);
	case VTIMER_CVAL:
		return t->cval;
	case VTIMER_TVAL:
		return (u32)(t->cval - count);
	case VTIMER_CNT:
	default:
		return count;
	}
}

void __el2 vtimer_ctx_write(struct vtimer_ctx *t, enum vtimer_reg r, u64 val, u64 count)
{
	switch (r) {
	case VTIMER_CTL:
		t->ctl = val & CTL_ON;
		break;
	case VTIMER_CVAL:
		t->cval = val;
		break;
	case VTIMER_TVAL:
		t->cval = count + (s32)val;
		break;
	case VTIMER_CNT:
		break;
	}
}

/* A timer that is off and stays off has no hrtimer and no line to lower. */
bool __el2 vtimer_phys_el2(struct keel_vcpu *vcpu, enum vtimer_reg r, bool write, u64 *val)
{
	struct vtimer_ctx *t = &vcpu->vtimer.phys;
	u64 count;

	if (write && (r == VTIMER_CNT || vtimer_armed(t->ctl) ||
		      (r == VTIMER_CTL && vtimer_armed(*val))))
		return false;
	/* The guest's access comes after what it did before (Arm ARM D12.1). */
	isb();
	count = read_sysreg(cntpct_el0);
	if (write)
		vtimer_ctx_write(t, r, *val, count);
	else
		*val = vtimer_ctx_read(t, r, count);
	return true;
}
