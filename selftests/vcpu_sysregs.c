// SPDX-License-Identifier: GPL-2.0
/*
 * Every system register encoding of op0 = 2 and 3, read and written by a guest: what must work,
 * what must be undefined, which features the ID registers hide.
 */
#include <string.h>

#include "guests/vcpu_sysregs.h"
#include "lib/vm.h"

GUEST_DECLARE(vcpu_sysregs);

struct expect {
	u32 op0;
	u32 encoding;
	const char *name;
};

/* Read and written back by any kernel. */
static const struct expect works[] = {
	{ 3, ENC(0, 1, 0, 0), "SCTLR_EL1" },
	{ 3, ENC(0, 1, 0, 2), "CPACR_EL1" },
	{ 3, ENC(0, 2, 0, 0), "TTBR0_EL1" },
	{ 3, ENC(0, 2, 0, 1), "TTBR1_EL1" },
	{ 3, ENC(0, 2, 0, 2), "TCR_EL1" },
	{ 3, ENC(0, 4, 0, 0), "SPSR_EL1" },
	{ 3, ENC(0, 4, 0, 1), "ELR_EL1" },
	{ 3, ENC(0, 4, 1, 0), "SP_EL0" },
	{ 3, ENC(0, 5, 1, 0), "AFSR0_EL1" },
	{ 3, ENC(0, 5, 1, 1), "AFSR1_EL1" },
	{ 3, ENC(0, 5, 2, 0), "ESR_EL1" },
	{ 3, ENC(0, 6, 0, 0), "FAR_EL1" },
	{ 3, ENC(0, 7, 4, 0), "PAR_EL1" },
	{ 3, ENC(0, 10, 2, 0), "MAIR_EL1" },
	{ 3, ENC(0, 10, 3, 0), "AMAIR_EL1" },
	{ 3, ENC(0, 12, 0, 0), "VBAR_EL1" },
	{ 3, ENC(0, 13, 0, 1), "CONTEXTIDR_EL1" },
	{ 3, ENC(0, 13, 0, 4), "TPIDR_EL1" },
	{ 3, ENC(0, 14, 1, 0), "CNTKCTL_EL1" },
	{ 3, ENC(2, 0, 0, 0), "CSSELR_EL1" },
	{ 3, ENC(3, 4, 4, 0), "FPCR" },
	{ 3, ENC(3, 4, 4, 1), "FPSR" },
	{ 3, ENC(3, 13, 0, 2), "TPIDR_EL0" },
	{ 3, ENC(3, 13, 0, 3), "TPIDRRO_EL0" },
	{ 3, ENC(3, 14, 2, 1), "CNTP_CTL_EL0" },
	{ 3, ENC(3, 14, 2, 2), "CNTP_CVAL_EL0" },
	{ 3, ENC(3, 14, 3, 1), "CNTV_CTL_EL0" },
	{ 3, ENC(3, 14, 3, 2), "CNTV_CVAL_EL0" },
	{ 3, ENC(0, 4, 6, 0), "ICC_PMR_EL1" },
	{ 3, ENC(0, 12, 12, 3), "ICC_BPR1_EL1" },
	{ 3, ENC(0, 12, 12, 4), "ICC_CTLR_EL1" },
	{ 3, ENC(0, 12, 12, 7), "ICC_IGRPEN1_EL1" },
	{ 2, ENC(0, 0, 2, 2), "MDSCR_EL1" },
	{ 2, ENC(0, 0, 0, 4), "DBGBVR0_EL1" },
	{ 2, ENC(0, 0, 0, 5), "DBGBCR0_EL1" },
	{ 2, ENC(0, 1, 3, 4), "OSDLR_EL1" },
};

static const struct expect reads[] = {
	{ 3, ENC(0, 0, 0, 0), "MIDR_EL1" },
	{ 3, ENC(0, 0, 0, 5), "MPIDR_EL1" },
	{ 3, ENC(0, 0, 0, 6), "REVIDR_EL1" },
	{ 3, ENC(0, 0, 4, 0), "ID_AA64PFR0_EL1" },
	{ 3, ENC(0, 0, 4, 4), "ID_AA64ZFR0_EL1" },
	{ 3, ENC(0, 0, 5, 0), "ID_AA64DFR0_EL1" },
	{ 3, ENC(0, 0, 7, 7), "the last of the ID space" },
	{ 3, ENC(0, 0, 1, 0), "ID_PFR0_EL1" },
	{ 3, ENC(0, 4, 2, 2), "CurrentEL" },
	{ 3, ENC(0, 12, 1, 0), "ISR_EL1" },
	{ 3, ENC(0, 12, 12, 0), "ICC_IAR1_EL1" },
	{ 3, ENC(0, 12, 11, 3), "ICC_RPR_EL1" },
	{ 3, ENC(1, 0, 0, 0), "CCSIDR_EL1" },
	{ 3, ENC(1, 0, 0, 1), "CLIDR_EL1" },
	{ 3, ENC(3, 0, 0, 1), "CTR_EL0" },
	{ 3, ENC(3, 0, 0, 7), "DCZID_EL0" },
	{ 3, ENC(3, 14, 0, 0), "CNTFRQ_EL0" },
	{ 3, ENC(3, 14, 0, 1), "CNTPCT_EL0" },
	{ 3, ENC(3, 14, 0, 2), "CNTVCT_EL0" },
	{ 2, ENC(0, 1, 1, 4), "OSLSR_EL1" },
};

static const struct expect writes[] = {
	{ 3, ENC(0, 12, 12, 1), "ICC_EOIR1_EL1" },
	{ 3, ENC(0, 12, 11, 1), "ICC_DIR_EL1" },
	{ 3, ENC(0, 12, 11, 5), "ICC_SGI1R_EL1" },
	{ 2, ENC(0, 1, 0, 4), "OSLAR_EL1" },
};

/* Hidden, or not the guest's: EL2, EL3, VHE aliases, SVE, SME, SPE, trace buffer, PMU, MTE. */
static const struct expect undefined[] = {
	{ 3, ENC(0, 1, 2, 0), "ZCR_EL1" },
	{ 3, ENC(0, 1, 2, 6), "SMCR_EL1" },
	{ 3, ENC(0, 1, 2, 4), "SMPRI_EL1" },
	{ 3, ENC(3, 4, 2, 2), "SVCR" },
	{ 3, ENC(3, 13, 0, 5), "TPIDR2_EL0" },
	{ 3, ENC(0, 9, 9, 0), "PMSCR_EL1" },
	{ 3, ENC(0, 9, 10, 0), "PMBLIMITR_EL1" },
	{ 3, ENC(0, 9, 11, 0), "TRBLIMITR_EL1" },
	{ 3, ENC(3, 9, 12, 0), "PMCR_EL0" },
	{ 3, ENC(3, 9, 13, 0), "PMCCNTR_EL0" },
	{ 3, ENC(0, 9, 14, 1), "PMINTENSET_EL1" },
	{ 3, ENC(0, 5, 6, 0), "TFSR_EL1" },
	{ 3, ENC(0, 1, 0, 5), "RGSR_EL1" },
	{ 3, ENC(0, 1, 0, 6), "GCR_EL1" },
	{ 3, ENC(4, 1, 1, 0), "HCR_EL2" },
	{ 3, ENC(4, 2, 1, 0), "VTTBR_EL2" },
	{ 3, ENC(4, 12, 0, 0), "VBAR_EL2" },
	{ 3, ENC(4, 4, 1, 0), "SP_EL1" },
	{ 3, ENC(4, 12, 11, 0), "ICH_HCR_EL2" },
	{ 3, ENC(4, 14, 0, 3), "CNTVOFF_EL2" },
	{ 3, ENC(4, 13, 0, 2), "TPIDR_EL2" },
	{ 3, ENC(5, 1, 0, 0), "SCTLR_EL12" },
	{ 3, ENC(5, 14, 3, 1), "CNTV_CTL_EL02" },
	{ 3, ENC(6, 1, 1, 0), "SCR_EL3" },
	{ 3, ENC(0, 11, 0, 0), "IMPLEMENTATION DEFINED" },
	{ 3, ENC(3, 15, 15, 7), "IMPLEMENTATION DEFINED" },
	{ 2, ENC(1, 0, 0, 1), "TRCTRACEIDR" },
	{ 2, ENC(4, 0, 7, 0), "DBGVCR32_EL2" },
};

/*
 * All that a guest of keel reaches, on any CPU: the two tables of src/vcpu/ (registers kept or
 * emulated, and traps with "default: trap") leave nothing else open. op2 is a mask.
 */
static const struct {
	u8 op0, op1, crn, crm_first, crm_last, op2;
} reachable[] = {
	{ 2, 0, 0, 0, 15, 0xf0 },	/* DBGBVR, DBGBCR, DBGWVR, DBGWCR */
	{ 2, 0, 0, 0, 3, 0x05 },	/* OSDTRRX, MDCCINT, MDSCR, OSDTRTX */
	{ 2, 0, 0, 6, 6, 0x04 },	/* OSECCR */
	{ 2, 0, 1, 0, 4, 0x11 },	/* MDRAR, OSLAR, OSLSR, OSDLR, DBGPRCR */
	{ 2, 0, 7, 8, 14, 0x40 },	/* DBGCLAIMSET, DBGCLAIMCLR, DBGAUTHSTATUS */
	{ 2, 3, 0, 1, 5, 0x01 },	/* MDCCSR, DBGDTR */
	{ 3, 0, 0, 0, 7, 0xff },	/* ID registers */
	{ 3, 0, 1, 0, 0, 0x07 },	/* SCTLR, ACTLR, CPACR */
	{ 3, 0, 2, 0, 0, 0x07 },	/* TTBR0, TTBR1, TCR */
	{ 3, 0, 2, 1, 3, 0x0f },	/* pointer authentication keys */
	{ 3, 0, 4, 0, 2, 0x1d },	/* SPSR, ELR, SP_EL0, SPSel, CurrentEL, PAN, UAO */
	{ 3, 0, 4, 0, 0, 0x02 },	/* ELR */
	{ 3, 0, 4, 3, 3, 0x01 },	/* ALLINT: HCRX_EL2.TALLINT traps writes only */
	{ 3, 0, 4, 6, 6, 0x01 },	/* ICC_PMR */
	{ 3, 0, 5, 1, 3, 0x03 },	/* AFSR, ESR, ERRIDR, ERRSELR */
	{ 3, 0, 6, 0, 0, 0x01 },	/* FAR */
	{ 3, 0, 7, 4, 4, 0x01 },	/* PAR */
	{ 3, 0, 10, 2, 3, 0x01 },	/* MAIR, AMAIR */
	{ 3, 0, 12, 0, 1, 0x03 },	/* VBAR, ISR, DISR */
	{ 3, 0, 12, 8, 12, 0xff },	/* ICC_* */
	{ 3, 0, 13, 0, 0, 0x12 },	/* CONTEXTIDR, TPIDR_EL1 */
	{ 3, 0, 14, 1, 1, 0x01 },	/* CNTKCTL */
	{ 3, 1, 0, 0, 0, 0x83 },	/* CCSIDR, CLIDR, AIDR */
	{ 3, 2, 0, 0, 0, 0x01 },	/* CSSELR */
	{ 3, 3, 0, 0, 0, 0x82 },	/* CTR, DCZID */
	{ 3, 3, 2, 4, 4, 0x03 },	/* RNDR, RNDRRS */
	{ 3, 3, 4, 2, 2, 0xe3 },	/* NZCV, DAIF, DIT, SSBS, TCO */
	{ 3, 3, 4, 4, 4, 0x03 },	/* FPCR, FPSR */
	{ 3, 3, 13, 0, 0, 0x0c },	/* TPIDR_EL0, TPIDRRO_EL0 */
	{ 3, 3, 14, 0, 0, 0x67 },	/* CNTFRQ, CNTPCT, CNTVCT, CNTPCTSS, CNTVCTSS */
	{ 3, 3, 14, 2, 3, 0x07 },	/* CNTP, CNTV */
};

static bool may_reach(u32 op0, u32 encoding)
{
	u32 op1 = encoding >> 11, crn = encoding >> 7 & 15, crm = encoding >> 3 & 15;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(reachable); i++)
		if (reachable[i].op0 == op0 && reachable[i].op1 == op1 &&
		    reachable[i].crn == crn && reachable[i].crm_first <= crm &&
		    crm <= reachable[i].crm_last && reachable[i].op2 >> (encoding & 7) & 1)
			return true;
	return false;
}

static void check_nothing_else(const u8 table[2][NR_ENCODINGS], const char *what)
{
	u32 op0, i;

	for (op0 = 2; op0 <= 3; op0++)
		for (i = 0; i < NR_ENCODINGS; i++)
			if (table[op0 - 2][i] == DID_VALUE && !CHECK(may_reach(op0, i)))
				ktap_note("%s of S%u_%u_C%u_C%u_%u", what, op0, i >> 11,
					  i >> 7 & 15, i >> 3 & 15, i & 7);
}

static void check_did(const struct expect *list, size_t n, const u8 table[2][NR_ENCODINGS], u8 did,
		      const char *what)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!CHECK_EQ(table[list[i].op0 - 2][list[i].encoding], did))
			ktap_note("%s of %s", what, list[i].name);
}

static u32 count(const u8 table[NR_ENCODINGS], u8 did)
{
	u32 i, n = 0;

	for (i = 0; i < NR_ENCODINGS; i++)
		n += table[i] == did;
	return n;
}

/*
 * FEAT_IDST: what is undefined in the space of feature registers, op1 = 0, 1 or 3 with CRn = 0 and
 * CRm below 8, comes with EC 0x18.
 */
static void normalise_feature_space(struct sysregs *regs)
{
	u32 i;

	for (i = 0; i < NR_ENCODINGS; i++)
		if ((i >> 11 <= 1 || i >> 11 == 3) && (i & ENC(0, 15, 8, 0)) == 0 &&
		    regs->read[1][i] == DID_TRAP)
			regs->read[1][i] = DID_UNDEFINED;
}

static void summary(const struct sysregs *regs)
{
	int op0;

	for (op0 = 2; op0 <= 3; op0++) {
		ktap_note("op0 = %d: %u readable, %u writable", op0,
			  count(regs->read[op0 - 2], DID_VALUE),
			  count(regs->write[op0 - 2], DID_VALUE));
		/* Each one was tried, and did something that a guest may see. */
		CHECK_EQ(count(regs->read[op0 - 2], DID_NOTHING), 0);
		CHECK_EQ(count(regs->write[op0 - 2], DID_NOTHING), 0);
		CHECK_EQ(count(regs->read[op0 - 2], DID_OTHER), 0);
		CHECK_EQ(count(regs->write[op0 - 2], DID_OTHER), 0);
		CHECK_EQ(count(regs->read[op0 - 2], DID_TRAP), 0);
		CHECK_EQ(count(regs->write[op0 - 2], DID_TRAP), 0);
	}
}

/* ID fields that must read as zero: CRm, op2, lowest bit, width. */
static const struct {
	u32 crm, op2, shift, bits;
	const char *name;
} hidden[] = {
	{ 4, 0, 32, 4, "ID_AA64PFR0_EL1.SVE" },
	{ 4, 0, 44, 4, "ID_AA64PFR0_EL1.AMU" },
	{ 4, 1, 8, 4, "ID_AA64PFR1_EL1.MTE" },
	{ 4, 1, 24, 4, "ID_AA64PFR1_EL1.SME" },
	{ 4, 4, 0, 64, "ID_AA64ZFR0_EL1" },
	{ 4, 5, 0, 64, "ID_AA64SMFR0_EL1" },
	{ 5, 0, 8, 4, "ID_AA64DFR0_EL1.PMUVer" },
	{ 5, 0, 32, 4, "ID_AA64DFR0_EL1.PMSVer" },
	{ 5, 0, 40, 4, "ID_AA64DFR0_EL1.TraceFilt" },
	{ 5, 0, 44, 4, "ID_AA64DFR0_EL1.TraceBuffer" },
};

static void id_registers(const struct sysregs *regs)
{
	u64 field;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hidden); i++) {
		field = regs->id[hidden[i].crm][hidden[i].op2] >> hidden[i].shift;
		if (hidden[i].bits < 64)
			field &= BIT(hidden[i].bits) - 1;
		if (!CHECK_EQ(field, 0))
			ktap_note("%s is not hidden", hidden[i].name);
	}
	/* Nested virtualization; some versions of in-tree KVM show it to guests without EL2. */
	if (kvm_is_keel())
		CHECK_EQ(regs->id[7][2] >> 24 & 0xf, 0);
	/* EL1 and EL0 in AArch64 only or both; a GIC by system registers. */
	CHECK((regs->id[4][0] & 0xf) && (regs->id[4][0] & 0xf0));
	CHECK_EQ(regs->id[4][0] >> 24 & 0xf, 1);
}

static struct sysregs found;

static void run_all(void)
{
	struct vm vm;

	vm_create_guest(&vm, guest_vcpu_sysregs, guest_vcpu_sysregs_end, 1);
	vm_gic_create(&vm, 64);
	CHECK_EQ(vcpu_run_done(&vm.vcpus[0]), 0);
	memcpy(&found, vm_ptr(&vm, SHARED_IPA), sizeof(found));
	vm_destroy(&vm);
}

static void all_encodings(void)
{
	run_all();
	normalise_feature_space(&found);
	summary(&found);
	check_did(works, ARRAY_SIZE(works), found.read, DID_VALUE, "read");
	check_did(works, ARRAY_SIZE(works), found.write, DID_VALUE, "write");
	check_did(reads, ARRAY_SIZE(reads), found.read, DID_VALUE, "read");
	check_did(writes, ARRAY_SIZE(writes), found.write, DID_VALUE, "write");
	check_did(undefined, ARRAY_SIZE(undefined), found.read, DID_UNDEFINED, "read");
	check_did(undefined, ARRAY_SIZE(undefined), found.write, DID_UNDEFINED, "write");
	/* Other hypervisors leave other registers open. */
	if (kvm_is_keel()) {
		check_nothing_else(found.read, "read");
		check_nothing_else(found.write, "write");
	}
	id_registers(&found);
}

static const struct ktap_case cases[] = {
	{ "all_encodings", all_encodings },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
