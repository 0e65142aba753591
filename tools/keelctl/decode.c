// SPDX-License-Identifier: GPL-2.0
/* Exits and exceptions by their syndromes. Names of system registers: sysregs.c. */
#include <stdio.h>

#include "decode.h"

#define EC(esr)		((unsigned int)((esr) >> 26 & 0x3f))
#define EC_SVC		0x15
#define EC_IABT		0x21
#define EC_DABT		0x25
#define EC_BRK		0x3c

#define ISS_WNR		(1 << 6)	/* an abort was a write */
#define ISS_S1PTW	(1 << 7)	/* in a walk of stage 1's tables */
#define ISS_CM		(1 << 8)	/* cache maintenance */
#define ISS_ISV		(1 << 24)	/* size and register are there */

/* By exception class; then the interrupts. Those of keel's exits have the names of stats. */
static const char *const classes[] = {
	[0x00] = "unknown", [0x01] = "wfx", [0x03] = "cp15_32", [0x04] = "cp15_64",
	[0x05] = "cp14_mr", [0x06] = "cp14_ls", [0x07] = "fp", [0x08] = "cp10_id",
	[0x09] = "pauth", [0x0c] = "cp14_64", [0x0d] = "bti", [0x0e] = "illegal",
	[0x15] = "svc", [0x16] = "hvc", [0x17] = "smc", [0x18] = "sysreg", [0x19] = "sve",
	[0x1c] = "fpac", [0x1d] = "sme", [0x20] = "iabt", [0x21] = "iabt", [0x22] = "pc_align",
	[0x24] = "dabt", [0x25] = "dabt", [0x26] = "sp_align", [0x2c] = "fp_exc",
	[0x2f] = "serror", [0x30] = "hw_bkpt", [0x31] = "hw_bkpt", [0x32] = "step",
	[0x33] = "step", [0x34] = "watchpt", [0x35] = "watchpt", [0x38] = "bkpt32",
	[0x3c] = "brk", [64] = "irq", [65] = "fiq", [66] = "serror",
};

const char *class_name(unsigned int class)
{
	return class < ARRAY_SIZE(classes) && classes[class] ? classes[class] : "unknown";
}

const char *function_name(u32 fn)
{
	static const struct {
		u32 fn;
		const char *name;
	} names[] = {
		{ 0x80000000, "SMCCC_VERSION" }, { 0x80000001, "SMCCC_ARCH_FEATURES" },
		{ 0x80000002, "SMCCC_ARCH_SOC_ID" }, { 0x80008000, "SMCCC_ARCH_WORKAROUND_1" },
		{ 0x80007fff, "SMCCC_ARCH_WORKAROUND_2" },
		{ 0x80003fff, "SMCCC_ARCH_WORKAROUND_3" },
		{ 0xc5000020, "PV_TIME_FEATURES" }, { 0xc5000021, "PV_TIME_ST" },
		{ 0x8600ff01, "VENDOR_HYP_UID" }, { 0x86000000, "VENDOR_HYP_FEATURES" },
		{ 0x86000001, "VENDOR_HYP_PTP" },
		{ 0x84000050, "TRNG_VERSION" }, { 0x84000051, "TRNG_FEATURES" },
		{ 0x84000052, "TRNG_GET_UUID" }, { 0x84000053, "TRNG_RND" },
		{ 0xc4000053, "TRNG_RND" },
	};
	static const char *const psci[] = {
		"VERSION", "CPU_SUSPEND", "CPU_OFF", "CPU_ON", "AFFINITY_INFO", "MIGRATE",
		"MIGRATE_INFO_TYPE", "MIGRATE_INFO_UP_CPU", "SYSTEM_OFF", "SYSTEM_RESET",
		"FEATURES", "CPU_FREEZE", "CPU_DEFAULT_SUSPEND", "NODE_HW_STATE",
		"SYSTEM_SUSPEND", "SET_SUSPEND_MODE", "STAT_RESIDENCY", "STAT_COUNT",
		"SYSTEM_RESET2", "MEM_PROTECT", "MEM_PROTECT_CHECK_RANGE",
	};
	static char text[40];
	u32 n = fn & ~0x40000000;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].fn == fn)
			return names[i].name;
	if (n < 0x84000000 || n - 0x84000000 >= ARRAY_SIZE(psci))
		return NULL;
	snprintf(text, sizeof(text), "PSCI_%s", psci[n - 0x84000000]);
	return text;
}

char *fault_text(u32 status, char *to)
{
	static const char *const kinds[] = {
		"address size fault", "translation fault", "access flag fault", "permission fault",
	};

	if (status < 0x10)
		snprintf(to, DECODE_SIZE, "%s, level %u", kinds[status >> 2], status & 3);
	else if (status == 0x10)
		snprintf(to, DECODE_SIZE, "external abort");
	else if (status == 0x13)
		snprintf(to, DECODE_SIZE, "external abort in the walk, level -1");
	else if (status >= 0x14 && status < 0x18)
		snprintf(to, DECODE_SIZE, "external abort in the walk, level %u", status & 3);
	else if (status == 0x21)
		snprintf(to, DECODE_SIZE, "alignment fault");
	else if (status == 0x29)
		snprintf(to, DECODE_SIZE, "address size fault, level -1");
	else if (status == 0x2b)
		snprintf(to, DECODE_SIZE, "translation fault, level -1");
	else if (status == 0x30)
		snprintf(to, DECODE_SIZE, "TLB conflict");
	else
		snprintf(to, DECODE_SIZE, "fault status 0x%x", status);
	return to;
}

static void call_text(unsigned int class, u64 esr, u64 x0, char *to)
{
	const char *name = function_name(x0);

	snprintf(to, DECODE_SIZE, "%s #%llu: %s%s0x%llx", class == EC_HVC ? "HVC" : "SMC",
		 esr & 0xffff, name ? name : "", name ? ", " : "", name ? (u64)(u32)x0 : x0);
}

static void access_text(u64 esr, char *to)
{
	char name[DECODE_SIZE];
	unsigned int rt = esr >> 5 & 31;
	char reg[8];

	snprintf(reg, sizeof(reg), rt == 31 ? "xzr" : "x%u", rt);
	snprintf(to, DECODE_SIZE, esr & 1 ? "MRS %s, %s" : "MSR %s, %s",
		 esr & 1 ? reg : sysreg_text(esr, name), esr & 1 ? sysreg_text(esr, name) : reg);
}

static void dabt_text(u64 esr, u64 ipa, char *to)
{
	const char *what = esr & ISS_WNR ? "write" : "read";
	char fault[DECODE_SIZE / 2], reg[8];
	unsigned int rt = esr >> 16 & 31;
	char status[DECODE_SIZE];

	if (esr & ISS_CM)
		what = "cache maintenance";
	else if (esr & ISS_S1PTW)
		what = "table walk";
	snprintf(reg, sizeof(reg), rt == 31 ? "xzr" : "x%u", rt);
	snprintf(fault, sizeof(fault), "%s", fault_text(esr & 0x3f, status));
	if (esr & ISS_ISV)
		snprintf(to, DECODE_SIZE, "ipa 0x%llx: %s %u %s %s", ipa, what,
			 1U << (esr >> 22 & 3), esr & ISS_WNR ? "from" : "into", reg);
	else
		snprintf(to, DECODE_SIZE, "ipa 0x%llx: %s, %s", ipa, what, fault);
}

u64 abort_ipa(u64 esr, u64 ipa)
{
	return esr & ISS_S1PTW ? ipa & ~(SZ_4K - 1) : ipa;
}

char *exit_text(unsigned int class, u64 esr, u64 arg, char *to)
{
	static const char *const wfx[] = { "WFI", "WFE", "WFIT", "WFET" };
	char status[DECODE_SIZE];

	*to = 0;
	switch (class) {
	case EC_WFX:
		snprintf(to, DECODE_SIZE, "%s", wfx[esr & 3]);
		break;
	case EC_HVC:
	case EC_SMC:
		call_text(class, esr, arg, to);
		break;
	case EC_SYSREG:
		access_text(esr, to);
		break;
	case EC_IABT_LOW:
		snprintf(to, DECODE_SIZE, "ipa 0x%llx: %s, %.64s", abort_ipa(esr, arg),
			 esr & ISS_S1PTW ? "table walk" : "fetch", fault_text(esr & 0x3f, status));
		break;
	case EC_DABT_LOW:
		dabt_text(esr, abort_ipa(esr, arg), to);
		break;
	case EC_BRK:
		snprintf(to, DECODE_SIZE, "BRK #0x%llx", esr & 0xffff);
		break;
	}
	return to;
}

char *esr_text(u64 esr, char *to)
{
	char status[DECODE_SIZE];
	size_t n;

	n = snprintf(to, DECODE_SIZE, "%s", class_name(EC(esr)));
	switch (EC(esr)) {
	case EC_SVC:
		snprintf(to + n, DECODE_SIZE - n, " #%llu", esr & 0xffff);
		break;
	case EC_IABT_LOW:
	case EC_DABT_LOW:
	case EC_IABT:
	case EC_DABT:
		snprintf(to + n, DECODE_SIZE - n, " from EL%u: %.64s", EC(esr) & 1,
			 fault_text(esr & 0x3f, status));
		break;
	}
	return to;
}
