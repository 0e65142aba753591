// SPDX-License-Identifier: GPL-2.0
/*
 * The EL1 virtual timer in the CPU. Under E2H the _EL02 names reach it from EL2, where the plain
 * ones mean the host's own (FEAT_VHE). CNTHCTL_EL2 is the trap table's (el2/enter.c).
 */
#include <clocksource/arm_arch_timer.h>
#include <asm/barrier.h>

#include <keel/compat.h>

#include "internal.h"

#define CTL_ON (ARCH_TIMER_CTRL_ENABLE | ARCH_TIMER_CTRL_IT_MASK)

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

void __el2 vtimer_fired_el2(struct keel_vcpu *vcpu, struct prda *p)
{
	bool level = vtimer_sample_el2();

	vcpu->vtimer.virt.line = level;
	vgic_fired_el2(vcpu, p, level);
}
