// SPDX-License-Identifier: GPL-2.0
/*
 * The switch in C: load and put (per residence on a CPU), enter and leave (per pass). Its assembly
 * half, src/el2/switch.S, has the vectors and the first tier's dispatch.
 */
#include <asm/barrier.h>
#include <asm/sysreg.h>

#include <keel/compat.h>
#include <keel/esr.h>
#include <keel/host.h>
#include <keel/vm.h>

/* MDCR_EL2 fields that stay the host's: its PMU split, and who owns the profiling buffers. */
#define MDCR_HOST_KEEP	(MDCR_EL2_HPMN_MASK | \
			 (MDCR_EL2_E2PB_MASK << MDCR_EL2_E2PB_SHIFT) | \
			 (MDCR_EL2_E2TB_MASK << MDCR_EL2_E2TB_SHIFT))

/*
 * CNTHCTL_EL2.EVNTEN, EVNTDIR, EVNTI, EVNTIS: the host's event stream, which ends its WFEs
 * (udelay()) while a vCPU is loaded too.
 */
#define CNTHCTL_HOST_KEEP	(GENMASK(7, 2) | BIT(17))

#define FGT_SWAP(save, load, index, name) do {				\
	if (save)							\
		(save)[index] = read_sysreg_s(name);			\
	write_sysreg_s((load)[index], name);				\
} while (0)

/* Fine-grained traps: @load's values into the CPU, what was there to @save unless that is NULL. */
static void __el2 fgt_swap(u64 *save, const u64 *load)
{
	if (!host.fgt)
		return;
	FGT_SWAP(save, load, EL2_HFGRTR, SYS_HFGRTR_EL2);
	FGT_SWAP(save, load, EL2_HFGWTR, SYS_HFGWTR_EL2);
	FGT_SWAP(save, load, EL2_HFGITR, SYS_HFGITR_EL2);
	FGT_SWAP(save, load, EL2_HDFGRTR, SYS_HDFGRTR_EL2);
	FGT_SWAP(save, load, EL2_HDFGWTR, SYS_HDFGWTR_EL2);
	if (host.amu_fgt)
		FGT_SWAP(save, load, EL2_HAFGRTR, SYS_HAFGRTR_EL2);
	if (!host.fgt2)
		return;
	FGT_SWAP(save, load, EL2_HFGRTR2, SYS_HFGRTR2_EL2);
	FGT_SWAP(save, load, EL2_HFGWTR2, SYS_HFGWTR2_EL2);
	FGT_SWAP(save, load, EL2_HFGITR2, SYS_HFGITR2_EL2);
	FGT_SWAP(save, load, EL2_HDFGRTR2, SYS_HDFGRTR2_EL2);
	FGT_SWAP(save, load, EL2_HDFGWTR2, SYS_HDFGWTR2_EL2);
}

/*
 * Traps that leave the host alone while HCR_EL2.TGE is set, or concern EL0 only, which cannot run
 * while a vCPU is loaded: they change at load and put, not on each pass.
 */
static void __el2 traps_load(const struct el2_traps *t, struct prda *p)
{
	u64 mdcr = READ_ONCE(t->mdcr);	/* a hook may change it meanwhile */

	p->host_mdcr = read_sysreg(mdcr_el2);
	p->tde = mdcr & MDCR_EL2_TDE;
	write_sysreg((mdcr & ~MDCR_HOST_KEEP) | (p->host_mdcr & MDCR_HOST_KEEP), mdcr_el2);
	p->host_hstr = read_sysreg(hstr_el2);
	write_sysreg(t->hstr, hstr_el2);
	p->host_cnthctl = read_sysreg(cnthctl_el2);
	write_sysreg(t->cnthctl | (p->host_cnthctl & CNTHCTL_HOST_KEEP), cnthctl_el2);
	if (host.hcx) {
		p->host_hcrx = read_sysreg_s(SYS_HCRX_EL2);
		write_sysreg_s(t->hcrx, SYS_HCRX_EL2);
	}
	fgt_swap(p->host_fgt, t->fgt);
}

static void __el2 traps_put(struct prda *p)
{
	write_sysreg(p->host_mdcr, mdcr_el2);
	write_sysreg(p->host_hstr, hstr_el2);
	write_sysreg(p->host_cnthctl, cnthctl_el2);
	if (host.hcx)
		write_sysreg_s(p->host_hcrx, SYS_HCRX_EL2);
	fgt_swap(NULL, p->host_fgt);
}

void __el2 el2_load(struct keel_vcpu *vcpu, struct prda *p)
{
	p->vcpu = vcpu;
	traps_load(&vcpu->vm->traps, p);
	vcpu_state_load_el2(vcpu, p);
	stage2_load_el2(vcpu, p);
	vtimer_load_el2(vcpu, p);
	vgic_load_el2(vcpu, p);
}

void __el2 el2_put(struct keel_vcpu *vcpu, struct prda *p)
{
	vgic_put_el2(vcpu, p);
	vtimer_put_el2(vcpu, p);
	stage2_put_el2(vcpu, p);
	vcpu_state_put_el2(vcpu, p);
	traps_put(p);
	p->vcpu = NULL;
}

/* Host to guest; TGE is cleared last, with stage 2 and guest stage 1 complete (switch.md 5). */
static void __el2 enter_guest_regime(struct keel_vcpu *vcpu, struct prda *p)
{
	const struct el2_traps *t = &vcpu->vm->traps;
	u64 hcr = t->hcr;

	p->host_vbar = read_sysreg(vbar_el2);
	p->host_hcr = read_sysreg(hcr_el2);
	p->host_cptr = read_sysreg(cptr_el2);
	p->serror = 0;

	vcpu_state_enter_el2(vcpu, p);
	vgic_enter_el2(vcpu, p);
	if (vcpu->state.vserror) {
		hcr |= HCR_VSE;
		if (host.ras)
			write_sysreg_s(vcpu->state.vserror_esr, SYS_VSESR_EL2);
	}
	write_sysreg(t->cptr, cptr_el2);
	write_sysreg(p->vectors, vbar_el2);
	isb();
	write_sysreg(hcr, hcr_el2);
	/* The ERET of el2_switch() synchronises the rest. */
}

/*
 * An SError that the guest caused may still be on its way. Take it in here, under keel's vectors,
 * so that it is never the host's: ESB and DISR_EL1 with FEAT_RAS, a window otherwise.
 */
static void __el2 leave_collect_serror(struct el2_ctx *ctx, struct prda *p)
{
	ctx->disr = 0;
	if (host.ras) {
		asm volatile("hint #16" ::: "memory");	/* ESB */
		ctx->disr = read_sysreg_s(SYS_DISR_EL1);
		if (ctx->disr)
			write_sysreg_s(0, SYS_DISR_EL1);
		return;
	}
	dsb(sy);
	isb();
	if (!(read_sysreg(isr_el1) & ISR_EL1_A))
		return;
	write_sysreg(p, tpidr_el2);
	el2_serror_window();
	write_sysreg(p->host_tpidr, tpidr_el2);
	if (p->serror)
		ctx->disr = BIT(31) | (p->serror & ESR_ELx_ISS_MASK);
}

/* Guest to host. PAN and DIT are PSTATE bits that the guest's values leak into. */
static void __el2 leave_guest_regime(struct keel_vcpu *vcpu, struct prda *p, u64 dit)
{
	if (vcpu->state.vserror)
		vcpu->state.vserror = read_sysreg(hcr_el2) & HCR_VSE;
	leave_collect_serror(&vcpu->state.ctx, p);
	vcpu_fp_leave_el2(vcpu);

	write_sysreg(p->host_hcr, hcr_el2);
	isb();
	write_sysreg(p->host_vbar, vbar_el2);
	write_sysreg(p->host_cptr, cptr_el2);
	vgic_leave_el2(vcpu, p);
	vcpu_state_leave_el2(vcpu, p);
	asm volatile(SET_PSTATE_PAN(1));
	if (host.dit)
		write_sysreg_s(dit, SYS_PSTATE_DIT);
	isb();
}

unsigned int __el2 el2_enter(struct keel_vcpu *vcpu, struct prda *p)
{
	u64 dit = host.dit ? read_sysreg_s(SYS_PSTATE_DIT) : 0;

	/* A host SError is pending: the host takes it first. */
	if (read_sysreg(isr_el1) & ISR_EL1_A)
		return EL2_EXIT_IRQ;

#ifdef KEEL_DEBUG
	el2_check_read(p->checked[0]);
#endif
	enter_guest_regime(vcpu, p);
	el2_switch(&vcpu->state.ctx, p);
	leave_guest_regime(vcpu, p, dit);
#ifdef KEEL_DEBUG
	el2_check_read(p->checked[1]);
#endif
	return vcpu->state.ctx.exit;
}
