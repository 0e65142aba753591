// SPDX-License-Identifier: GPL-2.0
/*
 * The virtual CPU interface's registers (Arm IHI 0069 12.4). While a vCPU is loaded ICH_VMCR_EL2
 * and the active priorities stay in the CPU; list registers are written for a pass only as far as
 * they are used, and those that the CPU holds beyond that are cleared then. A guest without
 * interrupts costs two writes: ICH_HCR_EL2, which is 0 while the host runs, so that no guest can
 * raise a maintenance interrupt there.
 */
#include <linux/irqchip/arm-gic-v3.h>
#include <asm/barrier.h>

#include <keel/compat.h>

#include "internal.h"

struct vgic_host vgic_host;

u64 __el2 vgic_probe_el2(void)
{
	return read_sysreg_s(SYS_ICH_VTR_EL2);
}

u64 __el2 vgic_vmcr_el2(void)
{
	return read_sysreg_s(SYS_ICH_VMCR_EL2);
}

/*
 * Registers have their number in the encoding: one after the other, until @n, at least one, are
 * done.
 */
#define LR_READ(i) do {							\
	if ((i) && n == (i))						\
		return;							\
	lr[i] = read_sysreg_s(SYS_ICH_LR ## i ## _EL2);			\
} while (0)

#define LR_WRITE(i) do {						\
	if ((i) && n == (i))						\
		return;							\
	write_sysreg_s(lr[i], SYS_ICH_LR ## i ## _EL2);			\
} while (0)

#define LR_EACH(op) do {						\
	op(0); op(1); op(2); op(3); op(4); op(5); op(6); op(7);		\
	op(8); op(9); op(10); op(11); op(12); op(13); op(14); op(15);	\
} while (0)

static __always_inline void lr_read(u64 *lr, unsigned int n)
{
	LR_EACH(LR_READ);
}

static __always_inline void lr_write(const u64 *lr, unsigned int n)
{
	LR_EACH(LR_WRITE);
}

#define APR_CASES(op)				\
	case 4:					\
		op(3);				\
		op(2);				\
		fallthrough;			\
	case 2:					\
		op(1);				\
		fallthrough;			\
	default:				\
		op(0)

#define AP0R_READ(i) (c->ap0r[i] = read_sysreg_s(SYS_ICH_AP0R ## i ## _EL2))
#define AP1R_READ(i) (c->ap1r[i] = read_sysreg_s(SYS_ICH_AP1R ## i ## _EL2))
#define AP0R_WRITE(i) write_sysreg_s(c->ap0r[i], SYS_ICH_AP0R ## i ## _EL2)
#define AP1R_WRITE(i) write_sysreg_s(c->ap1r[i], SYS_ICH_AP1R ## i ## _EL2)

void __el2 vgic_load_el2(struct keel_vcpu *vcpu, struct prda *p)
{
	struct vgic_cpuif *c = &vcpu->vgic.cpuif;

	/*
	 * Group 0 before group 1: another order is UNPREDICTABLE (Arm IHI 0069, ICH_AP0R<n>_EL2).
	 */
	switch (vgic_host.nr_aprs) {
	APR_CASES(AP0R_WRITE);
	}
	switch (vgic_host.nr_aprs) {
	APR_CASES(AP1R_WRITE);
	}
	write_sysreg_s(c->vmcr, SYS_ICH_VMCR_EL2);
	/* EL1 may not turn the system-register interface off: its ICC_SRE_EL1 accesses trap. */
	write_sysreg_s(read_sysreg_s(SYS_ICC_SRE_EL2) & ~ICC_SRE_EL2_ENABLE, SYS_ICC_SRE_EL2);
	c->live_lrs = 0;
}

void __el2 vgic_put_el2(struct keel_vcpu *vcpu, struct prda *p)
{
	struct vgic_cpuif *c = &vcpu->vgic.cpuif;
	static const u64 none[VGIC_MAX_LRS];

	if (c->live_lrs)
		lr_write(none, c->live_lrs);
	switch (vgic_host.nr_aprs) {
	APR_CASES(AP0R_READ);
	}
	switch (vgic_host.nr_aprs) {
	APR_CASES(AP1R_READ);
	}
	c->vmcr = read_sysreg_s(SYS_ICH_VMCR_EL2);
	write_sysreg_s(read_sysreg_s(SYS_ICC_SRE_EL2) | ICC_SRE_EL2_ENABLE, SYS_ICC_SRE_EL2);
}

void __el2 vgic_lrs_read_el2(struct keel_vcpu *vcpu)
{
	struct vgic_cpuif *c = &vcpu->vgic.cpuif;

	if (unlikely(c->hcr & ICH_HCR_LRENPIE))
		c->eoicount = (read_sysreg_s(SYS_ICH_HCR_EL2) & ICH_HCR_EOIcount_MASK) >>
			      ICH_HCR_EOIcount_SHIFT;
	if (c->used_lrs)
		lr_read(c->lr, c->used_lrs);
}

static __always_inline void lrs_write(struct vgic_cpuif *c)
{
	unsigned int i;

	for (i = c->used_lrs; i < c->live_lrs; i++)
		c->lr[i] = 0;
	lr_write(c->lr, i);
	c->live_lrs = c->used_lrs;
}

static __always_inline void hcr_write(struct keel_vcpu *vcpu)
{
	write_sysreg_s(vcpu->vgic.cpuif.hcr | vcpu->vm->traps.ich_hcr, SYS_ICH_HCR_EL2);
}

/* The ERET into the guest synchronises these writes. */
void __el2 vgic_enter_el2(struct keel_vcpu *vcpu, struct prda *p)
{
	struct vgic_cpuif *c = &vcpu->vgic.cpuif;

	if (c->used_lrs || c->live_lrs)
		lrs_write(c);
	hcr_write(vcpu);
}

/* Each write sets EOIcount, whose deactivations have been dealt with, to 0. */
void __el2 vgic_update_el2(struct keel_vcpu *vcpu, u64 hcr)
{
	struct vgic_cpuif *c = &vcpu->vgic.cpuif;

	if (c->used_lrs || c->live_lrs)
		lrs_write(c);
	if (c->hcr != hcr || hcr & ICH_HCR_LRENPIE)
		hcr_write(vcpu);
}

/*
 * The exit from the guest synchronised what its ICC accesses did to these registers. ICH_HCR_EL2 =
 * 0 ends the maintenance interrupt, which is a level, before the host opens interrupts.
 */
void __el2 vgic_leave_el2(struct keel_vcpu *vcpu, struct prda *p)
{
	vgic_lrs_read_el2(vcpu);
	write_sysreg_s(0, SYS_ICH_HCR_EL2);
}
