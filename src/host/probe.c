// SPDX-License-Identifier: GPL-2.0
/*
 * What this machine is: refusals, and the features the rest relies on (struct host_features).
 *
 * Features are the sanitised view, that is what all CPUs share. The kernel itself holds a CPU that
 * comes online later to what it uses, and cpu.c to what keel does, for kernels without KVM do not
 * look at that.
 */
#define pr_fmt(fmt) "keel: " fmt

#include <linux/bitfield.h>
#include <linux/moduleparam.h>
#include <linux/of.h>
#include <linux/printk.h>
#include <asm/cpufeature.h>
#include <asm/virt.h>

#include <keel/compat.h>
#include <keel/host.h>

static bool fwb = true;
module_param(fwb, bool, 0444);
MODULE_PARM_DESC(fwb, "use FEAT_S2FWB where the CPU has it (default on; off for tests)");

static bool fgt = true;
module_param(fgt, bool, 0444);
MODULE_PARM_DESC(fgt, "use fine-grained traps where the CPU has them (default on; off for tests)");

struct host_features host __ro_after_init;

/* Fields of the sanitised ID registers; all of them are 4 bits wide. */
static unsigned int id_field(u32 reg, unsigned int shift)
{
	return (read_sanitised_ftr_reg(reg) >> shift) & 0xf;
}

static bool id_pauth(void)
{
	u64 isar1 = read_sanitised_ftr_reg(SYS_ID_AA64ISAR1_EL1);
	u64 isar2 = read_sanitised_ftr_reg(SYS_ID_AA64ISAR2_EL1);

	/* APA, API, APA3: QARMA5, an algorithm of the implementation, QARMA3 */
	return (isar1 & 0xff0) || (isar2 & 0xf000);
}

/*
 * CPUs with FEAT_VHE on which the kernel nevertheless runs at EL1 are told apart from those whose
 * firmware or hypervisor keeps EL2: the raw register is not touched by id_aa64mmfr1.vh=0.
 */
static int probe_el2(void)
{
	u64 pfr0 = read_sysreg(id_aa64pfr0_el1);
	u64 mmfr1 = read_sysreg(id_aa64mmfr1_el1);

	if (is_kernel_in_hyp_mode())
		return 0;
	if ((pfr0 >> 8) & 0xf && !((mmfr1 >> 8) & 0xf)) {
		pr_err("this CPU has no VHE: keel needs Armv8.1 or newer\n");
		return -EOPNOTSUPP;
	}
	if ((pfr0 >> 8) & 0xf && !id_field(SYS_ID_AA64MMFR1_EL1, 8)) {
		pr_err("VHE is switched off: boot without id_aa64mmfr1.vh=0 and kvm-arm.mode=nvhe or protected\n");
		return -EOPNOTSUPP;
	}
	pr_err("the kernel does not run at EL2: boot it on the bare machine, not in a VM\n");
	return -ENODEV;
}

static int probe_gic(void)
{
	struct device_node *np;

	if (!id_field(SYS_ID_AA64PFR0_EL1, 24)) {
		pr_err("no GICv3 system registers: keel needs a GICv3 host\n");
		return -ENXIO;
	}
	np = of_find_compatible_node(NULL, NULL, "arm,gic-v3");
	of_node_put(np);
	if (!np) {
		pr_err("no GICv3 in the device tree: keel needs a GICv3 described by device tree\n");
		return -ENXIO;
	}
	/*
	 * EOImode: Linux splits EOI into drop and deactivate when it booted at EL2; keel relies
	 * on it.
	 */
	if (!(read_sysreg_s(SYS_ICC_CTLR_EL1) & BIT(1))) {
		pr_err("the kernel's GIC driver does not split EOI: it was not booted at EL2\n");
		return -ENXIO;
	}
	return 0;
}

/*
 * What keel uses where it is there, field by field: a feature that the CPUs share, and that one
 * which comes online later must have, too.
 */
#define FEATURE(member, reg, shift, least) \
	{ offsetof(struct host_features, member), shift, least, reg, #member }

static const struct {
	u8 offset;
	u8 shift;
	u8 least;
	u32 reg;
	const char *name;
} features[] = {
	FEATURE(fgt,		SYS_ID_AA64MMFR0_EL1, 56, 1),
	FEATURE(fgt2,		SYS_ID_AA64MMFR0_EL1, 56, 2),
	FEATURE(ecv,		SYS_ID_AA64MMFR0_EL1, 60, 1),
	FEATURE(hafdbs,		SYS_ID_AA64MMFR1_EL1, 0, 1),
	FEATURE(vmid16,		SYS_ID_AA64MMFR1_EL1, 4, 2),
	FEATURE(pan2,		SYS_ID_AA64MMFR1_EL1, 20, 2),
	FEATURE(xnx,		SYS_ID_AA64MMFR1_EL1, 28, 1),
	FEATURE(hcx,		SYS_ID_AA64MMFR1_EL1, 40, 1),
	FEATURE(fwb,		SYS_ID_AA64MMFR2_EL1, 40, 1),
	FEATURE(ttl,		SYS_ID_AA64MMFR2_EL1, 48, 1),
	FEATURE(ras,		SYS_ID_AA64PFR0_EL1, 28, 1),
	FEATURE(sve,		SYS_ID_AA64PFR0_EL1, 32, 1),
	FEATURE(amu_fgt,	SYS_ID_AA64PFR0_EL1, 44, 1),
	FEATURE(amvoffen,	SYS_ID_AA64PFR0_EL1, 44, 2),
	FEATURE(dit,		SYS_ID_AA64PFR0_EL1, 48, 1),
	FEATURE(mte,		SYS_ID_AA64PFR1_EL1, 8, 2),
	FEATURE(sme,		SYS_ID_AA64PFR1_EL1, 24, 1),
};

static bool *feature(unsigned int i)
{
	return (void *)&host + features[i].offset;
}

static unsigned int pa_bits(u64 mmfr0)
{
	static const u8 bits[] = { 32, 36, 40, 42, 44, 48, 52, 56 };

	return bits[min_t(unsigned int, mmfr0 & 0xf, ARRAY_SIZE(bits) - 1)];
}

/* Out of line, so that a test can put another CPU's answer in its place. */
static noinline u64 id_of_this_cpu(u32 reg)
{
	switch (reg) {
	case SYS_ID_AA64MMFR0_EL1:
		return read_sysreg_s(SYS_ID_AA64MMFR0_EL1);
	case SYS_ID_AA64MMFR1_EL1:
		return read_sysreg_s(SYS_ID_AA64MMFR1_EL1);
	case SYS_ID_AA64MMFR2_EL1:
		return read_sysreg_s(SYS_ID_AA64MMFR2_EL1);
	case SYS_ID_AA64PFR0_EL1:
		return read_sysreg_s(SYS_ID_AA64PFR0_EL1);
	default:
		return read_sysreg_s(SYS_ID_AA64PFR1_EL1);
	}
}

const char *host_cpu_lacks(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(features); i++) {
		u64 id = id_of_this_cpu(features[i].reg);

		if (*feature(i) && ((id >> features[i].shift) & 0xf) < features[i].least)
			return features[i].name;
	}
	if (pa_bits(id_of_this_cpu(SYS_ID_AA64MMFR0_EL1)) < host.pa_bits)
		return "pa_bits";
	return NULL;
}

static void __init probe_features(void)
{
	u64 ctr = read_sanitised_ftr_reg(SYS_CTR_EL0);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(features); i++)
		*feature(i) = id_field(features[i].reg, features[i].shift) >= features[i].least;
	/* Not in every kernel's sanitised view; each CPU is held to it as it is claimed. */
	host.hcx = (read_sysreg(id_aa64mmfr1_el1) >> 40) & 0xf;
	host.fgt &= fgt;
	host.fgt2 &= fgt;
	host.amu_fgt &= host.fgt;
	host.fwb &= fwb;
	host.cache_idc = ctr & BIT(28);
	host.cache_dic = ctr & BIT(29);
	host.pauth = id_pauth();
	host.irq_prio_masking = system_uses_irq_prio_masking();
	host.pa_bits = pa_bits(read_sanitised_ftr_reg(SYS_ID_AA64MMFR0_EL1));
	host.nr_brps = id_field(SYS_ID_AA64DFR0_EL1, 12) + 1;
	host.nr_wrps = id_field(SYS_ID_AA64DFR0_EL1, 20) + 1;
}

int __init host_probe(void)
{
	int ret;

	if (PAGE_SIZE != SZ_4K) {
		pr_err("%lu KB pages: keel needs a kernel with 4 KB pages\n", PAGE_SIZE / SZ_1K);
		return -EINVAL;
	}
	ret = probe_el2();
	if (ret)
		return ret;
	ret = probe_gic();
	if (ret)
		return ret;
	probe_features();
	return 0;
}
