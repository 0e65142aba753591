// SPDX-License-Identifier: GPL-2.0
/*
 * Every EL2 control register while a guest runs. Hiding an ID field traps nothing by itself, so
 * what the ID registers do not show is trapped here: for controls that say "trap" the bit is set
 * unless the feature is shown, for controls that say "enable" it is clear unless the feature is
 * shown. Registers and bits that are not in the table are 0. The bits of the exit map (src/exits.c)
 * come on top: HCR_EL2.{VM, TWI, TWE, TSC, IMO, FMO, AMO}.
 */
#include <linux/bits.h>
#include <linux/stddef.h>
#include <asm/cpufeature.h>

#include <keel/compat.h>
#include <keel/host.h>
#include <keel/vm.h>

#include "internal.h"

/* Names that <asm/kvm_arm.h> of some kernels lacks. */
#define TRAP_HCR_TID4		BIT(49)
#define TRAP_HCRX_TALLINT	BIT(6)
#define TRAP_CPTR_TTA		BIT(28)		/* CPTR_EL2 with E2H: the layout of CPACR_EL1 */
#define TRAP_CPTR_TAM		BIT(30)
#define TRAP_CNTHCTL_EL1PCTEN	BIT(10)		/* CNTHCTL_EL2 with E2H */
#define TRAP_ICH_TC		BIT(10)
#define TRAP_ICH_TALL0		BIT(11)
#define TRAP_ICH_TALL1		BIT(12)
#define TRAP_ICH_TDIR		BIT(14)

/* HFGRTR_EL2 and, where a register can be written, HFGWTR_EL2 */
#define FGT_RO		(BIT(2) | BIT(9) | BIT(10) | BIT(21) | BIT(28) | BIT(40) | BIT(42) |	\
			 BIT(46))
#define FGT_KEYS	GENMASK(8, 4)
#define FGT_CACHE_ID	(BIT(9) | BIT(10) | BIT(13))	/* CCSIDR, CLIDR, CSSELR */
#define FGT_CPU_ID	(BIT(2) | BIT(28))		/* AIDR, REVIDR */
#define FGT_LOR		GENMASK(23, 19)
#define FGT_SCXTNUM	GENMASK(31, 30)
#define FGT_RAS		GENMASK(49, 40)

/* HFGITR_EL2 */
#define FGT_SPECRES	GENMASK(50, 48)			/* CFP, DVP, CPP RCTX */
#define FGT_COSP	BIT_ULL(60)
#define FGT_ATS1E1A	BIT_ULL(63)

/*
 * HDFGRTR_EL2, HDFGWTR_EL2: self-hosted debug is emulated; PMU, SPE, trace, TRBE and BRBE are
 * hidden: so all that traps by a 1 does, and all that traps by a 0 (BRBE, PMSNEVFR) too.
 */
#define FGT_DEBUG_READ	(GENMASK_ULL(7, 0) | GENMASK_ULL(19, 9) | GENMASK_ULL(37, 22) |	\
			 GENMASK_ULL(41, 40) | GENMASK_ULL(48, 43) | GENMASK_ULL(58, 50) |	\
			 BIT_ULL(63))
#define FGT_DEBUG_WRITE	(GENMASK_ULL(5, 0) | GENMASK_ULL(8, 7) | GENMASK_ULL(21, 10) |	\
			 GENMASK_ULL(29, 23) | GENMASK_ULL(33, 31) | GENMASK_ULL(37, 35) |	\
			 GENMASK_ULL(42, 41) | GENMASK_ULL(46, 44) | GENMASK_ULL(50, 48) |	\
			 GENMASK_ULL(57, 52))

/* HAFGRTR_EL2: AMU counters */
#define FGT_AMU		(GENMASK_ULL(49, 17) | GENMASK_ULL(4, 0))

static bool has_ptrauth(const struct keel_vm *vm)
{
	return vm->vcpu.ptrauth;
}

static bool lacks_ptrauth(const struct keel_vm *vm)
{
	return !vm->vcpu.ptrauth;
}

static bool lacks_specres(const struct keel_vm *vm)
{
	return !idregs_field(vm, ID_ISAR1, ISAR1_SPECRES);
}

static bool lacks_gic(const struct keel_vm *vm)
{
	return !vm->vgic.created;
}

static bool host_fwb(const struct keel_vm *vm)
{
	return host.fwb;
}

static bool host_fgt(const struct keel_vm *vm)
{
	return host.fgt;
}

static bool host_no_fgt(const struct keel_vm *vm)
{
	return !host.fgt;
}

static bool host_ras(const struct keel_vm *vm)
{
	return host.ras;
}

/*
 * FEAT_NMI: without it HCRX_EL2.TALLINT is RES0. The CPU is asked itself: the kernel's view lacks
 * what the kernel does not use.
 */
static bool host_nmi(const struct keel_vm *vm)
{
	return (read_sysreg_s(SYS_ID_AA64PFR1_EL1) >> 36) & 0xf;
}

/*
 * FEAT_EVT splits the cache ID traps from CTR_EL0, which EL0 reads often. CTR_EL0 must trap only
 * where CPUs differ: then the kernel traps its own EL0 too.
 */
static bool host_evt(const struct keel_vm *vm)
{
	u64 mmfr2 = read_sanitised_ftr_reg(SYS_ID_AA64MMFR2_EL1);

	return (mmfr2 >> 56) & 0xf && !cpus_have_cap(ARM64_MISMATCHED_CACHE_TYPE);
}

static bool host_no_evt(const struct keel_vm *vm)
{
	return !host_evt(vm);
}

/**
 * struct trap_row - bits of a control register
 * @offset: register, in struct el2_traps
 * @bits: set in it
 * @when: if this holds; NULL: always
 */
struct trap_row {
	unsigned int offset;
	u64 bits;
	bool (*when)(const struct keel_vm *vm);
};

#define ROW_IF(reg, set, cond) {						\
	.offset = offsetof(struct el2_traps, reg), .bits = set, .when = cond	\
}

#define ROW(reg, set)		ROW_IF(reg, set, NULL)
#define FGT_IF(reg, set, cond)	ROW_IF(fgt[EL2_H##reg], set, cond)
#define FGT(reg, set)		ROW_IF(fgt[EL2_H##reg], set, NULL)

static const struct trap_row traps[] = {
	/* HCR_EL2: how the guest runs */
	ROW(hcr, HCR_E2H),		/* as for the host; TGE is clear: this is a guest */
	ROW(hcr, HCR_RW),		/* EL1 is AArch64 */
	ROW(hcr, HCR_FB | HCR_BSU_IS),	/* what is meant locally reaches where the vCPU may move */
	ROW(hcr, HCR_PTW),		/* stage-1 walks do not read devices, they fault */
	ROW_IF(hcr, HCR_FWB, host_fwb),
	ROW_IF(hcr, HCR_API | HCR_APK, has_ptrauth),	/* else instructions and keys trap */
	ROW_IF(hcr, HCR_TEA, host_ras),	/* external aborts come to EL2: the host's memory failed */
	/* HCR_EL2: what traps. Clear: HCD (HVC works), TDZ, TPC, TPU, TOCU, TICAB, TTLB, TVM */
	ROW(hcr, HCR_TID0),		/* JIDR, FPSID of AArch32 */
	ROW(hcr, HCR_TID1),		/* REVIDR, AIDR, SMIDR */
	ROW_IF(hcr, TRAP_HCR_TID4, host_evt),	/* CCSIDR, CLIDR, CSSELR */
	ROW_IF(hcr, HCR_TID2, host_no_evt),	/* these and CTR_EL0 */
	ROW(hcr, HCR_TID3),		/* ID registers */
	ROW(hcr, HCR_TID5),		/* GMID: MTE, with ATA and DCT clear */
	ROW(hcr, HCR_TSW),		/* cache maintenance by set/way */
	ROW(hcr, HCR_TACR),		/* ACTLR */
	ROW(hcr, HCR_TIDCP),		/* IMPLEMENTATION DEFINED functionality */
	ROW(hcr, HCR_TLOR),		/* LORegions */
	ROW_IF(hcr, HCR_TERR, host_ras),	/* error records; FIEN clear: no fault injection */
	/* Clear, so trapped: EnSCXT, NV, AT (nested), AMVOFFEN, TME, GPF */

	/*
	 * HCRX_EL2: clear means trapped for EnAS0, EnALS, EnASR (LS64), MSCEn (MOPS), TCR2En,
	 * SCTLR2En, D128En, GCSEn, EnFPM, EnIDCP128, EnSNERR, EnSDERR, PACMEn
	 */
	ROW_IF(hcrx, TRAP_HCRX_TALLINT, host_nmi),

	/* CPTR_EL2: FPEN is clear until the guest uses FP (fp_el2.c); so are ZEN, SMEN, E0POE */
	ROW(cptr, TRAP_CPTR_TTA),	/* trace */
	ROW(cptr, TRAP_CPTR_TAM),	/* AMU */

	/* MDCR_EL2: HPMN is the host's; so are E2PB and E2TB, which trap SPE and TRBE buffers */
	ROW(mdcr, MDCR_EL2_TPM | MDCR_EL2_TPMCR),	/* PMU */
	ROW(mdcr, MDCR_EL2_TPMS),	/* SPE */
	ROW(mdcr, MDCR_EL2_TTRF),	/* TRFCR_EL1 */
	/* debug: emulated, but for breakpoints and watchpoints in use (debug_el2.c) */
	ROW(mdcr, MDCR_EL2_TDRA | MDCR_EL2_TDOSA),
	ROW_IF(mdcr, MDCR_EL2_TDCC, host_fgt),
	ROW_IF(mdcr, MDCR_EL2_TDA, host_no_fgt),

	ROW(hstr, BIT(15)),		/* AArch32 applications: CP15 c15, IMPLEMENTATION DEFINED */

	/* CNTHCTL_EL2: the physical timer traps (EL1PTEN); its counter, without offset, does not */
	ROW(cnthctl, TRAP_CNTHCTL_EL1PCTEN),

	/* ICH_HCR_EL2: without a vGIC there is no CPU interface */
	ROW_IF(ich_hcr, TRAP_ICH_TC | TRAP_ICH_TALL0 | TRAP_ICH_TALL1 | TRAP_ICH_TDIR, lacks_gic),
	/* ICC_DIR_EL1 may name an interrupt that is in no list register */
	ROW_IF(ich_hcr, TRAP_ICH_TDIR, vgic_traps_dir),

	/*
	 * Fine-grained traps. Clear means trapped for the n* controls: ACCDATA, GCS, SMPRI, TPIDR2,
	 * RCWMASK, PIR, POR, S2POR, MAIR2, AMAIR2, BRB*, GCS*, and all of HFG*2 and HDFG*2.
	 */
	FGT_IF(FGRTR, FGT_KEYS, lacks_ptrauth),
	FGT(FGRTR, FGT_CPU_ID | FGT_CACHE_ID | FGT_LOR | FGT_SCXTNUM | FGT_RAS),
	FGT_IF(FGWTR, FGT_KEYS, lacks_ptrauth),
	FGT(FGWTR, (FGT_CPU_ID | FGT_CACHE_ID | FGT_LOR | FGT_SCXTNUM | FGT_RAS) & ~FGT_RO),
	FGT_IF(FGITR, FGT_SPECRES, lacks_specres),
	FGT(FGITR, FGT_COSP | FGT_ATS1E1A),	/* PSB CSYNC is a hint: a NOP where SPE is not */
	FGT(DFGRTR, FGT_DEBUG_READ),
	FGT(DFGWTR, FGT_DEBUG_WRITE),
	FGT(AFGRTR, FGT_AMU),
};

void vcpu_traps_base(struct keel_vm *vm, struct el2_traps *t)
{
	unsigned int i;

	memset(t, 0, sizeof(*t));
	for (i = 0; i < ARRAY_SIZE(traps); i++) {
		const struct trap_row *row = &traps[i];

		if (!row->when || row->when(vm))
			*(u64 *)((void *)t + row->offset) |= row->bits;
	}
}
