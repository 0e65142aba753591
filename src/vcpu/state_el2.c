// SPDX-License-Identifier: GPL-2.0
/*
 * A vCPU's system registers into the CPU and out of it.
 *
 * Who keeps each register that host and guest share, because HCR_EL2.E2H and TGE do not bank it:
 *
 * TPIDR_EL0, TPIDRRO_EL0, PAR_EL1          load and put
 * APIB, APDA, APDB, APGA keys              load and put (VMs with pointer authentication)
 * APIA key                                 enter and leave (the kernel signs its returns with it)
 * MDSCR_EL1, DBGBVR, DBGBCR, DBGWVR, DBGWCR  enter and leave (debug_el2.c)
 * VMPIDR_EL2, VDISR_EL2                    load and put
 * VPIDR_EL2                                the host's, MIDR_EL1: guests see the CPU they run on
 * CNTHCTL (the host's CNTKCTL), MDCR, HSTR, HCRX, HFG*  load and put (src/el2/enter.c, traps.c)
 * HCR, CPTR                                enter and leave (src/el2/enter.c)
 * V0-V31, FPSR, FPCR                       on first use in a pass (fp_el2.c)
 * SP_EL0, x18, DAIF, PAN, DIT              enter and leave (src/el2/)
 * CSSELR_EL1                               trapped (HCR_EL2.TID2 or TID4)
 * MDCCINT, OSLAR, OSDLR, DBGCLAIM, DBGDTR  trapped (MDCR_EL2.TDA, TDOSA)
 * PMUSERENR, PMSELR and all of the PMU     trapped (MDCR_EL2.TPM)
 * ZCR, SMCR, TPIDR2, POR, PIR, FPMR, GCSPR, SCXTNUM, TFSR, RGSR, GCR  trapped: hidden features
 *					    (CPTR_EL2, HCRX_EL2, HCR_EL2.ATA and EnSCXT, HFG*)
 *
 * CONTEXTIDR_EL1 and all else in EL1_REGS below is banked: at EL2 with E2H the plain names are the
 * host's registers at EL2, the _EL12 names the guest's.
 *
 * The split of the keys keeps 32 instructions off each pass. It is sound because the kernel never
 * computes with the four user keys: it installs them when it switches to a task, which is after
 * put and before load (preempt notifier), and KVM_RUN puts before it returns to user space.
 */
#include <asm/sysreg.h>

#include <keel/compat.h>
#include <keel/host.h>
#include <keel/vm.h>

#include "internal.h"

/* M(index, name at EL2): registers in the CPU from load to put. */
#define EL1_REGS(M) do {				\
	M(SCTLR_EL1, SYS_SCTLR_EL12);			\
	M(CPACR_EL1, SYS_CPACR_EL12);			\
	M(TTBR0_EL1, SYS_TTBR0_EL12);			\
	M(TTBR1_EL1, SYS_TTBR1_EL12);			\
	M(TCR_EL1, SYS_TCR_EL12);			\
	M(ESR_EL1, SYS_ESR_EL12);			\
	M(AFSR0_EL1, SYS_AFSR0_EL12);			\
	M(AFSR1_EL1, SYS_AFSR1_EL12);			\
	M(FAR_EL1, SYS_FAR_EL12);			\
	M(MAIR_EL1, SYS_MAIR_EL12);			\
	M(VBAR_EL1, SYS_VBAR_EL12);			\
	M(CONTEXTIDR_EL1, SYS_CONTEXTIDR_EL12);		\
	M(AMAIR_EL1, SYS_AMAIR_EL12);			\
	M(CNTKCTL_EL1, SYS_CNTKCTL_EL12);		\
	M(ELR_EL1, SYS_ELR_EL12);			\
	M(SPSR_EL1, SYS_SPSR_EL12);			\
	M(PAR_EL1, SYS_PAR_EL1);			\
	M(TPIDR_EL0, SYS_TPIDR_EL0);			\
	M(TPIDRRO_EL0, SYS_TPIDRRO_EL0);		\
	M(TPIDR_EL1, SYS_TPIDR_EL1);			\
	M(SP_EL1, SYS_SP_EL1);				\
} while (0)

/* With pointer authentication, from load to put. */
#define KEY_REGS(M) do {				\
	M(APIBKEYLO_EL1, SYS_APIBKEYLO_EL1);		\
	M(APIBKEYHI_EL1, SYS_APIBKEYHI_EL1);		\
	M(APDAKEYLO_EL1, SYS_APDAKEYLO_EL1);		\
	M(APDAKEYHI_EL1, SYS_APDAKEYHI_EL1);		\
	M(APDBKEYLO_EL1, SYS_APDBKEYLO_EL1);		\
	M(APDBKEYHI_EL1, SYS_APDBKEYHI_EL1);		\
	M(APGAKEYLO_EL1, SYS_APGAKEYLO_EL1);		\
	M(APGAKEYHI_EL1, SYS_APGAKEYHI_EL1);		\
} while (0)

/* The same, from enter to leave. */
#define IA_KEY_REGS(M) do {				\
	M(APIAKEYLO_EL1, SYS_APIAKEYLO_EL1);		\
	M(APIAKEYHI_EL1, SYS_APIAKEYHI_EL1);		\
} while (0)

#define HOST_KEY(r)		(p->host_keys[VCPU_##r - VCPU_APIAKEYLO_EL1])
#define LOAD(r, name)		write_sysreg_s(reg[VCPU_##r], name)
#define SAVE(r, name)		(reg[VCPU_##r] = read_sysreg_s(name))
#define HOST_SAVE(r, name)	(HOST_KEY(r) = read_sysreg_s(name))
#define HOST_LOAD(r, name)	write_sysreg_s(HOST_KEY(r), name)

/* prda.host_el0[] */
enum { HOST_TPIDR_EL0, HOST_TPIDRRO_EL0, HOST_PAR_EL1 };

static void __el2 host_save(struct prda *p)
{
	p->host_el0[HOST_TPIDR_EL0] = read_sysreg(tpidr_el0);
	p->host_el0[HOST_TPIDRRO_EL0] = read_sysreg(tpidrro_el0);
	p->host_el0[HOST_PAR_EL1] = read_sysreg(par_el1);
}

static void __el2 host_restore(struct prda *p)
{
	write_sysreg(p->host_el0[HOST_TPIDR_EL0], tpidr_el0);
	write_sysreg(p->host_el0[HOST_TPIDRRO_EL0], tpidrro_el0);
	write_sysreg(p->host_el0[HOST_PAR_EL1], par_el1);
}

/*
 * The guest's stage 1 is complete here, before stage2_load_el2() writes VTTBR_EL2 and long before
 * TGE is cleared (errata 1165522, 1319367, 1530923).
 */
void __el2 vcpu_state_load_el2(struct keel_vcpu *vcpu, struct prda *p)
{
	u64 *reg = vcpu->state.reg;

	host_save(p);
	EL1_REGS(LOAD);
	write_sysreg_s(reg[VCPU_MPIDR_EL1], SYS_VMPIDR_EL2);
	if (host.ras)
		write_sysreg_s(reg[VCPU_DISR_EL1], SYS_VDISR_EL2);
	if (vcpu->vm->vcpu.ptrauth) {
		KEY_REGS(HOST_SAVE);
		KEY_REGS(LOAD);
	}
	vcpu->state.sysregs_loaded = true;
}

void __el2 vcpu_state_put_el2(struct keel_vcpu *vcpu, struct prda *p)
{
	u64 *reg = vcpu->state.reg;

	EL1_REGS(SAVE);
	write_sysreg_s(read_sysreg(mpidr_el1), SYS_VMPIDR_EL2);
	if (host.ras) {
		reg[VCPU_DISR_EL1] = read_sysreg_s(SYS_VDISR_EL2);
		write_sysreg_s(0, SYS_VDISR_EL2);
	}
	if (vcpu->vm->vcpu.ptrauth) {
		KEY_REGS(SAVE);
		KEY_REGS(HOST_LOAD);
	}
	host_restore(p);
	/* The registers come first: pairs with the load-acquire in src/pnmi/sample.c. */
	smp_store_release(&vcpu->state.sysregs_loaded, false);
}

/* The ERET that follows makes the key visible to the guest; EL2 code itself signs nothing. */
void __el2 vcpu_state_enter_el2(struct keel_vcpu *vcpu, struct prda *p)
{
	u64 *reg = vcpu->state.reg;

	if (vcpu->vm->vcpu.ptrauth) {
		IA_KEY_REGS(HOST_SAVE);
		IA_KEY_REGS(LOAD);
	}
	vcpu_debug_enter_el2(vcpu, p);
}

void __el2 vcpu_state_leave_el2(struct keel_vcpu *vcpu, struct prda *p)
{
	u64 *reg = vcpu->state.reg;

	vcpu_debug_leave_el2(vcpu, p);
	if (vcpu->vm->vcpu.ptrauth) {
		IA_KEY_REGS(SAVE);
		IA_KEY_REGS(HOST_LOAD);
	}
}

/* They are nobody's while no vCPU is loaded: put leaves its own there too. */
void __el2 vcpu_stage1_load_el2(struct keel_vcpu *vcpu)
{
	u64 *reg = vcpu->state.reg;

	LOAD(SCTLR_EL1, SYS_SCTLR_EL12);
	LOAD(TCR_EL1, SYS_TCR_EL12);
	LOAD(TTBR0_EL1, SYS_TTBR0_EL12);
	LOAD(TTBR1_EL1, SYS_TTBR1_EL12);
	LOAD(MAIR_EL1, SYS_MAIR_EL12);
	LOAD(AMAIR_EL1, SYS_AMAIR_EL12);
}

#define READ_IF(r, name) do {			\
	if (which == VCPU_##r)			\
		*val = read_sysreg_s(name);	\
} while (0)

#define WRITE_IF(r, name) do {			\
	if (which == VCPU_##r)			\
		write_sysreg_s(val, name);	\
} while (0)

void __el2 vcpu_reg_read_el2(const struct keel_vcpu *vcpu, enum vcpu_reg which, u64 *val)
{
	EL1_REGS(READ_IF);
	if (vcpu->vm->vcpu.ptrauth)
		KEY_REGS(READ_IF);
	if (host.ras)
		READ_IF(DISR_EL1, SYS_VDISR_EL2);
}

void __el2 vcpu_reg_write_el2(const struct keel_vcpu *vcpu, enum vcpu_reg which, u64 val)
{
	EL1_REGS(WRITE_IF);
	if (vcpu->vm->vcpu.ptrauth)
		KEY_REGS(WRITE_IF);
	if (host.ras)
		WRITE_IF(DISR_EL1, SYS_VDISR_EL2);
}
