// SPDX-License-Identifier: GPL-2.0
/*
 * Offsets that the assembly uses, against the structs; in debug builds, host registers at each
 * leave, and what EL2 code does to the CPU.
 */
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <asm/sysreg.h>

#include <keel/compat.h>
#include <keel/vm.h>

/* The assembly has one pointer for both. */
static_assert(offsetof(struct keel_vcpu, state.ctx) == 0);
static_assert(offsetof(struct el2_ctx, exit) == CTX_EXIT && CTX_ESR == CTX_EXIT + 8);
static_assert(offsetof(struct el2_ctx, esr) == CTX_ESR);
static_assert(offsetof(struct el2_ctx, handlers) == CTX_HANDLERS);
static_assert(offsetof(struct el2_ctx, answered) == CTX_ANSWERED);
static_assert(offsetof(struct el2_ctx, x[30]) == CTX_X(30));
static_assert(offsetof(struct el2_ctx, sp_el0) == CTX_SP_EL0);
static_assert(offsetof(struct el2_ctx, pc) == CTX_PC);
static_assert(offsetof(struct el2_ctx, pstate) == CTX_PC + 8 && CTX_PSTATE == CTX_PC + 8);
static_assert(offsetof(struct keel_vcpu, state.reg[VCPU_MDSCR_EL1]) == VCPU_MDSCR);
static_assert(offsetof(struct prda, host_tpidr) == PRDA_HOST_TPIDR);
static_assert(offsetof(struct prda, host_sp_el0) == PRDA_HOST_SP_EL0);
static_assert(offsetof(struct prda, host_vbar) == PRDA_HOST_VBAR);
static_assert(offsetof(struct prda, host_hcr) == PRDA_HOST_HCR);
static_assert(offsetof(struct prda, host_mdcr) == PRDA_HOST_MDCR);
static_assert(offsetof(struct prda, host_cptr) == PRDA_HOST_CPTR);
static_assert(offsetof(struct prda, serror) == PRDA_SERROR);
static_assert(offsetof(struct prda, bhb_loops) == PRDA_BHB_LOOPS);

#ifdef KEEL_DEBUG
static_assert(offsetof(struct el2_counted, entries) == EL2_COUNTED_ENTRIES);
static_assert(offsetof(struct el2_counted, sysreg_writes) == EL2_COUNTED_WRITES);
static_assert(offsetof(struct el2_counted, isbs) == EL2_COUNTED_ISBS);

struct el2_counted el2_counted;

/* What the host must find after leave exactly as it was before enter. */
#define CHECKED_REGS(R)						\
	R(HCR_EL2, read_sysreg(hcr_el2))			\
	R(VBAR_EL2, read_sysreg(vbar_el2))			\
	R(CPTR_EL2, read_sysreg(cptr_el2))			\
	R(SCTLR_EL2, read_sysreg(sctlr_el2))			\
	R(TCR_EL2, read_sysreg(tcr_el2))			\
	R(TTBR0_EL2, read_sysreg(ttbr0_el2))			\
	R(TTBR1_EL2, read_sysreg_s(sys_reg(3, 4, 2, 0, 1)))	\
	R(MAIR_EL2, read_sysreg(mair_el2))			\
	R(TPIDR_EL2, read_sysreg(tpidr_el2))			\
	R(SP_EL0, host_sp_el0())				\
	R(MDSCR_EL1, read_sysreg(mdscr_el1))			\
	R(DAIF, read_sysreg(daif))				\
	R(PAN, read_sysreg_s(SYS_PSTATE_PAN_FIELD) | BIT(22))		\
	R(ICC_SRE_EL2, read_sysreg_s(SYS_ICC_SRE_EL2) | BIT(3))	\
	R(ICC_PMR_EL1, read_sysreg_s(SYS_ICC_PMR_EL1))

/* SP_EL0 is `current` here: the kernel's, before enter and after leave. */
static __always_inline u64 host_sp_el0(void)
{
	u64 v;

	asm volatile("mrs %0, sp_el0" : "=r" (v));
	return v;
}

#define CHECKED_VALUE(name, read) read,
#define CHECKED_NAME(name, read) #name,

const char * const el2_checked_names[EL2_NR_CHECKED] = { CHECKED_REGS(CHECKED_NAME) };

void __el2 el2_check_read(u64 value[EL2_NR_CHECKED])
{
	const u64 now[EL2_NR_CHECKED] = { CHECKED_REGS(CHECKED_VALUE) };
	unsigned int i;

	for (i = 0; i < EL2_NR_CHECKED; i++)
		value[i] = now[i];
}
#endif
