// SPDX-License-Identifier: GPL-2.0
/*
 * What this machine is: refusals, and the features the rest relies on (struct host_features).
 *
 * Features are the sanitised view, that is what all CPUs share; a CPU that comes online later is
 * held to it by the kernel itself, and by cpu.c for what only keel cares about.
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

static void __init probe_features(void)
{
	u64 ctr = read_sanitised_ftr_reg(SYS_CTR_EL0);

	host.fgt = fgt && id_field(SYS_ID_AA64MMFR0_EL1, 56) >= 1;
	host.fgt2 = host.fgt && id_field(SYS_ID_AA64MMFR0_EL1, 56) >= 2;
	host.amu_fgt = host.fgt && id_field(SYS_ID_AA64PFR0_EL1, 44);
	/*
	 * Not in every kernel's sanitised view; what one CPU has all have, or the kernel says so.
	 */
	host.hcx = (read_sysreg(id_aa64mmfr1_el1) >> 40) & 0xf;
	host.fwb = fwb && id_field(SYS_ID_AA64MMFR2_EL1, 40);
	host.cache_idc = ctr & BIT(28);
	host.cache_dic = ctr & BIT(29);
	host.xnx = id_field(SYS_ID_AA64MMFR1_EL1, 28);
	host.hafdbs = id_field(SYS_ID_AA64MMFR1_EL1, 0);
	host.ttl = id_field(SYS_ID_AA64MMFR2_EL1, 48);
	host.vmid16 = id_field(SYS_ID_AA64MMFR1_EL1, 4) == 2;
	host.ras = id_field(SYS_ID_AA64PFR0_EL1, 28);
	host.pauth = id_pauth();
	host.sve = id_field(SYS_ID_AA64PFR0_EL1, 32);
	host.sme = id_field(SYS_ID_AA64PFR1_EL1, 24);
	host.ecv = id_field(SYS_ID_AA64MMFR0_EL1, 60);
	host.amvoffen = id_field(SYS_ID_AA64PFR0_EL1, 44) >= 2;
	host.mte = id_field(SYS_ID_AA64PFR1_EL1, 8) >= 2;
	host.dit = id_field(SYS_ID_AA64PFR0_EL1, 48);
	host.irq_prio_masking = system_uses_irq_prio_masking();
	host.nr_brps = id_field(SYS_ID_AA64DFR0_EL1, 12) + 1;
	host.nr_wrps = id_field(SYS_ID_AA64DFR0_EL1, 20) + 1;
}

int __init host_probe(void)
{
	static const u8 pa_bits[] = { 32, 36, 40, 42, 44, 48, 52, 56 };
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
	host.pa_bits = pa_bits[min_t(unsigned int, id_field(SYS_ID_AA64MMFR0_EL1, 0),
				     ARRAY_SIZE(pa_bits) - 1)];
	return 0;
}
