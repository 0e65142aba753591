// SPDX-License-Identifier: GPL-2.0
/* Names of system registers and system instructions, by encoding (Arm ARM C5, D24). */
#include <stdio.h>

#include "decode.h"

#define E(op0, op1, crn, crm, op2) \
	((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

static const struct {
	u32 encoding;
	const char *name;
} names[] = {
	{ E(1, 0, 7, 1, 0), "IC_IALLUIS" },
	{ E(1, 0, 7, 5, 0), "IC_IALLU" },
	{ E(1, 0, 7, 6, 1), "DC_IVAC" },
	{ E(1, 0, 7, 6, 2), "DC_ISW" },
	{ E(1, 0, 7, 8, 0), "AT_S1E1R" },
	{ E(1, 0, 7, 8, 1), "AT_S1E1W" },
	{ E(1, 0, 7, 8, 2), "AT_S1E0R" },
	{ E(1, 0, 7, 8, 3), "AT_S1E0W" },
	{ E(1, 0, 7, 10, 2), "DC_CSW" },
	{ E(1, 0, 7, 14, 2), "DC_CISW" },
	{ E(1, 3, 7, 4, 1), "DC_ZVA" },
	{ E(1, 3, 7, 5, 1), "IC_IVAU" },
	{ E(1, 3, 7, 10, 1), "DC_CVAC" },
	{ E(1, 3, 7, 11, 1), "DC_CVAU" },
	{ E(1, 3, 7, 14, 1), "DC_CIVAC" },
	{ E(2, 0, 0, 0, 2), "OSDTRRX_EL1" },
	{ E(2, 0, 0, 2, 0), "MDCCINT_EL1" },
	{ E(2, 0, 0, 2, 2), "MDSCR_EL1" },
	{ E(2, 0, 0, 3, 2), "OSDTRTX_EL1" },
	{ E(2, 0, 0, 6, 2), "OSECCR_EL1" },
	{ E(2, 0, 1, 0, 0), "MDRAR_EL1" },
	{ E(2, 0, 1, 0, 4), "OSLAR_EL1" },
	{ E(2, 0, 1, 1, 4), "OSLSR_EL1" },
	{ E(2, 0, 1, 3, 4), "OSDLR_EL1" },
	{ E(2, 0, 1, 4, 4), "DBGPRCR_EL1" },
	{ E(2, 0, 7, 8, 6), "DBGCLAIMSET_EL1" },
	{ E(2, 0, 7, 9, 6), "DBGCLAIMCLR_EL1" },
	{ E(2, 0, 7, 14, 6), "DBGAUTHSTATUS_EL1" },
	{ E(2, 3, 0, 1, 0), "MDCCSR_EL0" },
	{ E(2, 3, 0, 4, 0), "DBGDTR_EL0" },
	{ E(2, 3, 0, 5, 0), "DBGDTRTX_EL0" },
	{ E(3, 0, 0, 0, 0), "MIDR_EL1" },
	{ E(3, 0, 0, 0, 5), "MPIDR_EL1" },
	{ E(3, 0, 0, 0, 6), "REVIDR_EL1" },
	{ E(3, 0, 0, 1, 0), "ID_PFR0_EL1" },
	{ E(3, 0, 0, 1, 1), "ID_PFR1_EL1" },
	{ E(3, 0, 0, 1, 2), "ID_DFR0_EL1" },
	{ E(3, 0, 0, 1, 3), "ID_AFR0_EL1" },
	{ E(3, 0, 0, 1, 4), "ID_MMFR0_EL1" },
	{ E(3, 0, 0, 1, 5), "ID_MMFR1_EL1" },
	{ E(3, 0, 0, 1, 6), "ID_MMFR2_EL1" },
	{ E(3, 0, 0, 1, 7), "ID_MMFR3_EL1" },
	{ E(3, 0, 0, 2, 0), "ID_ISAR0_EL1" },
	{ E(3, 0, 0, 2, 1), "ID_ISAR1_EL1" },
	{ E(3, 0, 0, 2, 2), "ID_ISAR2_EL1" },
	{ E(3, 0, 0, 2, 3), "ID_ISAR3_EL1" },
	{ E(3, 0, 0, 2, 4), "ID_ISAR4_EL1" },
	{ E(3, 0, 0, 2, 5), "ID_ISAR5_EL1" },
	{ E(3, 0, 0, 2, 6), "ID_MMFR4_EL1" },
	{ E(3, 0, 0, 2, 7), "ID_ISAR6_EL1" },
	{ E(3, 0, 0, 3, 0), "MVFR0_EL1" },
	{ E(3, 0, 0, 3, 1), "MVFR1_EL1" },
	{ E(3, 0, 0, 3, 2), "MVFR2_EL1" },
	{ E(3, 0, 0, 3, 4), "ID_PFR2_EL1" },
	{ E(3, 0, 0, 3, 5), "ID_DFR1_EL1" },
	{ E(3, 0, 0, 3, 6), "ID_MMFR5_EL1" },
	{ E(3, 0, 0, 4, 0), "ID_AA64PFR0_EL1" },
	{ E(3, 0, 0, 4, 1), "ID_AA64PFR1_EL1" },
	{ E(3, 0, 0, 4, 2), "ID_AA64PFR2_EL1" },
	{ E(3, 0, 0, 4, 4), "ID_AA64ZFR0_EL1" },
	{ E(3, 0, 0, 4, 5), "ID_AA64SMFR0_EL1" },
	{ E(3, 0, 0, 4, 7), "ID_AA64FPFR0_EL1" },
	{ E(3, 0, 0, 5, 0), "ID_AA64DFR0_EL1" },
	{ E(3, 0, 0, 5, 1), "ID_AA64DFR1_EL1" },
	{ E(3, 0, 0, 5, 4), "ID_AA64AFR0_EL1" },
	{ E(3, 0, 0, 5, 5), "ID_AA64AFR1_EL1" },
	{ E(3, 0, 0, 6, 0), "ID_AA64ISAR0_EL1" },
	{ E(3, 0, 0, 6, 1), "ID_AA64ISAR1_EL1" },
	{ E(3, 0, 0, 6, 2), "ID_AA64ISAR2_EL1" },
	{ E(3, 0, 0, 6, 3), "ID_AA64ISAR3_EL1" },
	{ E(3, 0, 0, 7, 0), "ID_AA64MMFR0_EL1" },
	{ E(3, 0, 0, 7, 1), "ID_AA64MMFR1_EL1" },
	{ E(3, 0, 0, 7, 2), "ID_AA64MMFR2_EL1" },
	{ E(3, 0, 0, 7, 3), "ID_AA64MMFR3_EL1" },
	{ E(3, 0, 0, 7, 4), "ID_AA64MMFR4_EL1" },
	{ E(3, 0, 1, 0, 0), "SCTLR_EL1" },
	{ E(3, 0, 1, 0, 1), "ACTLR_EL1" },
	{ E(3, 0, 1, 0, 2), "CPACR_EL1" },
	{ E(3, 0, 2, 0, 0), "TTBR0_EL1" },
	{ E(3, 0, 2, 0, 1), "TTBR1_EL1" },
	{ E(3, 0, 2, 0, 2), "TCR_EL1" },
	{ E(3, 0, 2, 1, 0), "APIAKEYLO_EL1" },
	{ E(3, 0, 2, 1, 1), "APIAKEYHI_EL1" },
	{ E(3, 0, 2, 1, 2), "APIBKEYLO_EL1" },
	{ E(3, 0, 2, 1, 3), "APIBKEYHI_EL1" },
	{ E(3, 0, 2, 2, 0), "APDAKEYLO_EL1" },
	{ E(3, 0, 2, 2, 1), "APDAKEYHI_EL1" },
	{ E(3, 0, 2, 2, 2), "APDBKEYLO_EL1" },
	{ E(3, 0, 2, 2, 3), "APDBKEYHI_EL1" },
	{ E(3, 0, 2, 3, 0), "APGAKEYLO_EL1" },
	{ E(3, 0, 2, 3, 1), "APGAKEYHI_EL1" },
	{ E(3, 0, 4, 6, 0), "ICC_PMR_EL1" },
	{ E(3, 0, 5, 1, 0), "AFSR0_EL1" },
	{ E(3, 0, 5, 1, 1), "AFSR1_EL1" },
	{ E(3, 0, 5, 2, 0), "ESR_EL1" },
	{ E(3, 0, 5, 3, 0), "ERRIDR_EL1" },
	{ E(3, 0, 5, 3, 1), "ERRSELR_EL1" },
	{ E(3, 0, 5, 4, 0), "ERXFR_EL1" },
	{ E(3, 0, 5, 4, 1), "ERXCTLR_EL1" },
	{ E(3, 0, 5, 4, 2), "ERXSTATUS_EL1" },
	{ E(3, 0, 5, 4, 3), "ERXADDR_EL1" },
	{ E(3, 0, 5, 5, 0), "ERXMISC0_EL1" },
	{ E(3, 0, 5, 5, 1), "ERXMISC1_EL1" },
	{ E(3, 0, 6, 0, 0), "FAR_EL1" },
	{ E(3, 0, 7, 4, 0), "PAR_EL1" },
	{ E(3, 0, 9, 9, 0), "PMSCR_EL1" },
	{ E(3, 0, 9, 14, 1), "PMINTENSET_EL1" },
	{ E(3, 0, 9, 14, 2), "PMINTENCLR_EL1" },
	{ E(3, 0, 10, 2, 0), "MAIR_EL1" },
	{ E(3, 0, 10, 3, 0), "AMAIR_EL1" },
	{ E(3, 0, 10, 4, 3), "LORC_EL1" },
	{ E(3, 0, 10, 4, 7), "LORID_EL1" },
	{ E(3, 0, 12, 0, 0), "VBAR_EL1" },
	{ E(3, 0, 12, 1, 1), "DISR_EL1" },
	{ E(3, 0, 12, 8, 0), "ICC_IAR0_EL1" },
	{ E(3, 0, 12, 8, 1), "ICC_EOIR0_EL1" },
	{ E(3, 0, 12, 8, 2), "ICC_HPPIR0_EL1" },
	{ E(3, 0, 12, 8, 3), "ICC_BPR0_EL1" },
	{ E(3, 0, 12, 11, 1), "ICC_DIR_EL1" },
	{ E(3, 0, 12, 11, 3), "ICC_RPR_EL1" },
	{ E(3, 0, 12, 11, 5), "ICC_SGI1R_EL1" },
	{ E(3, 0, 12, 11, 6), "ICC_ASGI1R_EL1" },
	{ E(3, 0, 12, 11, 7), "ICC_SGI0R_EL1" },
	{ E(3, 0, 12, 12, 0), "ICC_IAR1_EL1" },
	{ E(3, 0, 12, 12, 1), "ICC_EOIR1_EL1" },
	{ E(3, 0, 12, 12, 2), "ICC_HPPIR1_EL1" },
	{ E(3, 0, 12, 12, 3), "ICC_BPR1_EL1" },
	{ E(3, 0, 12, 12, 4), "ICC_CTLR_EL1" },
	{ E(3, 0, 12, 12, 5), "ICC_SRE_EL1" },
	{ E(3, 0, 12, 12, 6), "ICC_IGRPEN0_EL1" },
	{ E(3, 0, 12, 12, 7), "ICC_IGRPEN1_EL1" },
	{ E(3, 0, 13, 0, 1), "CONTEXTIDR_EL1" },
	{ E(3, 0, 13, 0, 4), "TPIDR_EL1" },
	{ E(3, 0, 14, 1, 0), "CNTKCTL_EL1" },
	{ E(3, 1, 0, 0, 0), "CCSIDR_EL1" },
	{ E(3, 1, 0, 0, 1), "CLIDR_EL1" },
	{ E(3, 1, 0, 0, 2), "CCSIDR2_EL1" },
	{ E(3, 1, 0, 0, 4), "GMID_EL1" },
	{ E(3, 1, 0, 0, 6), "SMIDR_EL1" },
	{ E(3, 1, 0, 0, 7), "AIDR_EL1" },
	{ E(3, 2, 0, 0, 0), "CSSELR_EL1" },
	{ E(3, 3, 0, 0, 1), "CTR_EL0" },
	{ E(3, 3, 0, 0, 7), "DCZID_EL0" },
	{ E(3, 3, 2, 4, 0), "RNDR" },
	{ E(3, 3, 2, 4, 1), "RNDRRS" },
	{ E(3, 3, 4, 4, 0), "FPCR" },
	{ E(3, 3, 4, 4, 1), "FPSR" },
	{ E(3, 3, 9, 12, 0), "PMCR_EL0" },
	{ E(3, 3, 9, 12, 1), "PMCNTENSET_EL0" },
	{ E(3, 3, 9, 12, 2), "PMCNTENCLR_EL0" },
	{ E(3, 3, 9, 12, 3), "PMOVSCLR_EL0" },
	{ E(3, 3, 9, 12, 4), "PMSWINC_EL0" },
	{ E(3, 3, 9, 12, 5), "PMSELR_EL0" },
	{ E(3, 3, 9, 12, 6), "PMCEID0_EL0" },
	{ E(3, 3, 9, 12, 7), "PMCEID1_EL0" },
	{ E(3, 3, 9, 13, 0), "PMCCNTR_EL0" },
	{ E(3, 3, 9, 13, 1), "PMXEVTYPER_EL0" },
	{ E(3, 3, 9, 13, 2), "PMXEVCNTR_EL0" },
	{ E(3, 3, 9, 14, 0), "PMUSERENR_EL0" },
	{ E(3, 3, 9, 14, 3), "PMOVSSET_EL0" },
	{ E(3, 3, 13, 0, 2), "TPIDR_EL0" },
	{ E(3, 3, 13, 0, 3), "TPIDRRO_EL0" },
	{ E(3, 3, 13, 0, 5), "TPIDR2_EL0" },
	{ E(3, 3, 14, 0, 0), "CNTFRQ_EL0" },
	{ E(3, 3, 14, 0, 1), "CNTPCT_EL0" },
	{ E(3, 3, 14, 0, 2), "CNTVCT_EL0" },
	{ E(3, 3, 14, 2, 0), "CNTP_TVAL_EL0" },
	{ E(3, 3, 14, 2, 1), "CNTP_CTL_EL0" },
	{ E(3, 3, 14, 2, 2), "CNTP_CVAL_EL0" },
	{ E(3, 3, 14, 3, 0), "CNTV_TVAL_EL0" },
	{ E(3, 3, 14, 3, 1), "CNTV_CTL_EL0" },
	{ E(3, 3, 14, 3, 2), "CNTV_CVAL_EL0" },
	{ E(3, 3, 14, 15, 7), "PMCCFILTR_EL0" },
};

void sysreg_encoding(u64 esr, unsigned int part[5])
{
	part[0] = esr >> 20 & 3;
	part[1] = esr >> 14 & 7;
	part[2] = esr >> 10 & 15;
	part[3] = esr >> 1 & 15;
	part[4] = esr >> 17 & 7;
}

/* Breakpoints and watchpoints: CRm is the number. */
static bool debug_text(const unsigned int *part, char *to)
{
	static const char *const kinds[] = { "BVR", "BCR", "WVR", "WCR" };

	if (part[0] != 2 || part[1] || part[2] || part[4] < 4)
		return false;
	snprintf(to, DECODE_SIZE, "DBG%s%u_EL1", kinds[part[4] - 4], part[3]);
	return true;
}

char *sysreg_text(u64 esr, char *to)
{
	unsigned int p[5];
	u32 encoding;

	sysreg_encoding(esr, p);
	encoding = E(p[0], p[1], p[2], p[3], p[4]);
	if (debug_text(p, to))
		return to;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].encoding == encoding) {
			snprintf(to, DECODE_SIZE, "%s", names[i].name);
			return to;
		}
	snprintf(to, DECODE_SIZE, "S%u_%u_C%u_C%u_%u", p[0], p[1], p[2], p[3], p[4]);
	return to;
}
