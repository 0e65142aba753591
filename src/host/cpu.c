// SPDX-License-Identifier: GPL-2.0
/*
 * The CPUs: per-CPU data, the PPIs, hotplug, reboot.
 *
 * A CPU is ready for vCPUs between cpu_claim() and cpu_release(), which the hotplug state runs on
 * that CPU itself. Nothing of keel's stays in a CPU's registers outside load and put but the
 * enabled PPIs.
 */
#define pr_fmt(fmt) "keel: " fmt

#include <linux/arm-smccc.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/of.h>
#include <linux/of_irq.h>
#include <linux/percpu.h>
#include <linux/reboot.h>
#include <asm/cputype.h>
#include <asm/virt.h>

#include <keel/compat.h>
#include <keel/el2.h>
#include <keel/host.h>

#include "internal.h"

/* A PPI of keel's: the Linux interrupt and the cookie that request_percpu_irq() wants per CPU. */
struct ppi {
	const char *name;
	unsigned int irq;
	irq_handler_t handler;
	bool requested;
};

static struct prda __percpu *prdas;
static const struct host_ops *host_ops;
static enum cpuhp_state hotplug_state;
static bool vtimer_forwarded;

static irqreturn_t vtimer_handler(int irq, void *cookie)
{
	struct prda *p = cookie;

	p->vtimer_inactive = false;
	host_ops->vtimer_irq(p);
	return IRQ_HANDLED;
}

/*
 * The maintenance interrupt only has to get the guest out: leaving it disabled the interface
 * (ICH_HCR_EL2 is 0 in the host), so the level is gone by now, and the vGIC looks at the list
 * registers on the way.
 */
static irqreturn_t maintenance_handler(int irq, void *cookie)
{
	struct prda *p = cookie;

	/* It may be the doorbell as well (doorbell.c). */
	WRITE_ONCE(p->doorbell.rung, 0);
	return IRQ_HANDLED;
}

static struct ppi ppi_vtimer = { .name = "keel virtual timer", .handler = vtimer_handler };
static struct ppi ppi_maintenance = { .name = "keel vGIC", .handler = maintenance_handler };

struct prda *host_prda(void)
{
	return this_cpu_ptr(prdas);
}

unsigned int host_vtimer_irq(void)
{
	return ppi_vtimer.irq;
}

u32 host_maintenance_intid(void)
{
	return irqd_to_hwirq(irq_get_irq_data(ppi_maintenance.irq));
}

u32 host_vtimer_intid(void)
{
	return irqd_to_hwirq(irq_get_irq_data(ppi_vtimer.irq));
}

/* Debug builds: it is as we know it to be. */
static void vtimer_check_inactive(void)
{
#ifdef KEEL_DEBUG
	bool active = false;

	irq_get_irqchip_state(ppi_vtimer.irq, IRQCHIP_STATE_ACTIVE, &active);
	WARN_ONCE(active, "the virtual timer's interrupt is active, and should not be\n");
#endif
}

/*
 * Nobody else sets it: it becomes ACTIVE here, or when the interrupt is taken. So most of the time,
 * when there is nothing to clear, the redistributor need not be asked.
 */
void host_vtimer_set_active(bool active)
{
	struct prda *p = host_prda();

	lockdep_assert_irqs_disabled();
	if (!active && p->vtimer_inactive) {
		vtimer_check_inactive();
		return;
	}
	/* Fails only for an interrupt that does not exist. */
	irq_set_irqchip_state(ppi_vtimer.irq, IRQCHIP_STATE_ACTIVE, active);
	p->vtimer_inactive = !active;
}

/*
 * Branch history (Spectre-BHB): what a CPU needs follows from its ID registers, else its part
 * number, else what its firmware offers (Arm's white paper "Spectre-BHB", table of mitigations).
 */
static const struct {
	u32 model;
	unsigned int loops;
} bhb_loops[] = {
	{ MIDR_CORTEX_A76, 24 },
	{ MIDR_CORTEX_A77, 24 },
	{ MIDR_NEOVERSE_N1, 24 },
	{ MIDR_CORTEX_A78, 32 },
	{ MIDR_CORTEX_A78C, 32 },
	{ MIDR_CORTEX_X1, 32 },
	{ MIDR_CORTEX_A710, 32 },
	{ MIDR_CORTEX_X2, 32 },
	{ MIDR_NEOVERSE_N2, 32 },
	{ MIDR_NEOVERSE_V1, 32 },
};

static bool firmware_clears_bhb(void)
{
	struct arm_smccc_res res;

	if (arm_smccc_1_1_get_conduit() != SMCCC_CONDUIT_SMC)
		return false;
	arm_smccc_1_1_smc(ARM_SMCCC_ARCH_FEATURES_FUNC_ID, ARM_SMCCC_ARCH_WORKAROUND_3, &res);
	return (s32)res.a0 == SMCCC_RET_SUCCESS;
}

static void cpu_choose_vectors(struct prda *p)
{
	u64 pfr0 = read_sysreg(id_aa64pfr0_el1);
	u64 mmfr1 = read_sysreg(id_aa64mmfr1_el1);
	u64 isar2 = read_sysreg_s(SYS_ID_AA64ISAR2_EL1);
	unsigned int i;

	p->vectors = el2_vectors;
	/* CSV2 >= 3 or ECBHB: the history cannot be used across exception levels. */
	if (((pfr0 >> 56) & 0xf) >= 3 || (mmfr1 >> 60) & 0xf)
		return;
	if ((isar2 >> 28) & 0xf) {
		p->vectors = el2_vectors_clrbhb;
		return;
	}
	for (i = 0; i < ARRAY_SIZE(bhb_loops); i++) {
		if ((read_cpuid_id() & MIDR_CPU_MODEL_MASK) == bhb_loops[i].model) {
			p->bhb_loops = bhb_loops[i].loops;
			p->vectors = el2_vectors_loop;
			return;
		}
	}
	if (firmware_clears_bhb())
		p->vectors = el2_vectors_fw;
}

static void ppi_enable(struct ppi *ppi)
{
	enable_percpu_irq(ppi->irq, irq_get_trigger_type(ppi->irq));
}

/* Leave no trace: whoever requests this PPI next finds it neither pending nor active. */
static void ppi_disable(struct ppi *ppi)
{
	disable_percpu_irq(ppi->irq);
	irq_set_irqchip_state(ppi->irq, IRQCHIP_STATE_PENDING, false);
	irq_set_irqchip_state(ppi->irq, IRQCHIP_STATE_ACTIVE, false);
}

static int cpu_claim(unsigned int cpu)
{
	struct prda *p = host_prda();
	const char *lacks;

	if (!is_kernel_in_hyp_mode()) {
		pr_err("CPU %u came up outside EL2 and stays offline\n", cpu);
		return -ENODEV;
	}
	lacks = host_cpu_lacks();
	if (lacks) {
		pr_err("CPU %u has less than the others (%s) and stays offline\n", cpu, lacks);
		return -ENODEV;
	}
	p->cpu = cpu;
	cpu_choose_vectors(p);
	ppi_enable(&ppi_vtimer);
	ppi_enable(&ppi_maintenance);
	doorbell_claim_cpu(p);
	return 0;
}

static int cpu_release(unsigned int cpu)
{
	doorbell_release_cpu(host_prda());
	ppi_disable(&ppi_maintenance);
	ppi_disable(&ppi_vtimer);
	return 0;
}

static int reboot_notify(struct notifier_block *nb, unsigned long event, void *unused)
{
	host_ops->shutdown();
	return NOTIFY_OK;
}

static struct notifier_block reboot_notifier = { .notifier_call = reboot_notify };

/* By name where the device tree gives names, else by the binding's order. */
static int ppi_find_vtimer(void)
{
	struct device_node *np = of_find_compatible_node(NULL, NULL, "arm,armv8-timer");
	int irq;

	if (!np)
		return -ENOENT;
	irq = of_irq_get_byname(np, "virt");
	if (irq <= 0)
		irq = of_irq_get(np, 2);
	of_node_put(np);
	if (irq <= 0)
		return -ENOENT;
	ppi_vtimer.irq = irq;
	return 0;
}

static int ppi_find_maintenance(void)
{
	struct device_node *np = of_find_compatible_node(NULL, NULL, "arm,gic-v3");
	int irq = of_irq_get(np, 0);

	of_node_put(np);
	if (irq <= 0)
		return -ENOENT;
	ppi_maintenance.irq = irq;
	return 0;
}

/*
 * Both interrupts were mapped at boot by the kernel's own timer and GIC drivers, so there is no
 * mapping to dispose of afterwards.
 */
static int ppi_request(struct ppi *ppi)
{
	int ret = request_percpu_irq(ppi->irq, ppi->handler, ppi->name, prdas);

	if (ret == -EBUSY)
		pr_err("in-tree KVM is active: boot with kvm-arm.mode=none\n");
	else if (ret)
		pr_err("cannot have interrupt %u (%s): error %d\n", ppi->irq, ppi->name, ret);
	ppi->requested = !ret;
	return ret;
}

static void ppi_free(struct ppi *ppi)
{
	if (ppi->requested)
		free_percpu_irq(ppi->irq, prdas);
	ppi->requested = false;
}

static int ppis_request(void)
{
	int ret;

	if (ppi_find_vtimer()) {
		pr_err("no virtual timer interrupt in the device tree (arm,armv8-timer, \"virt\")\n");
		return -ENOENT;
	}
	if (ppi_find_maintenance()) {
		pr_err("no maintenance interrupt in the device tree (arm,gic-v3)\n");
		return -ENOENT;
	}
	ret = ppi_request(&ppi_vtimer);
	if (ret)
		return ret;
	ret = ppi_request(&ppi_maintenance);
	if (ret)
		return ret;
	/* One flag for all CPUs: the host's EOI drops priority only, the guest's deactivates. */
	ret = irq_set_vcpu_affinity(ppi_vtimer.irq, (void __force *)prdas);
	if (ret)
		pr_err("the GIC cannot forward interrupt %u: error %d\n", ppi_vtimer.irq, ret);
	vtimer_forwarded = !ret;
	return ret;
}

static void ppis_free(void)
{
	if (vtimer_forwarded)
		irq_set_vcpu_affinity(ppi_vtimer.irq, NULL);
	vtimer_forwarded = false;
	ppi_free(&ppi_maintenance);
	ppi_free(&ppi_vtimer);
}

int __init host_claim(const struct host_ops *ops)
{
	int ret;

	host_ops = ops;
	prdas = alloc_percpu(struct prda);
	if (!prdas)
		return -ENOMEM;
	ret = ppis_request();
	if (ret)
		goto err_ppis;
	ret = doorbell_init(prdas);
	if (ret)
		goto err_ppis;
	ret = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "keel:online", cpu_claim, cpu_release);
	if (ret < 0)
		goto err_doorbell;
	hotplug_state = ret;
	ret = register_reboot_notifier(&reboot_notifier);
	if (ret)
		goto err_hotplug;
	return 0;

err_hotplug:
	cpuhp_remove_state(hotplug_state);
err_doorbell:
	doorbell_exit(prdas);
err_ppis:
	ppis_free();
	free_percpu(prdas);
	return ret;
}

void host_release(void)
{
	unregister_reboot_notifier(&reboot_notifier);
	cpuhp_remove_state(hotplug_state);
	doorbell_exit(prdas);
	ppis_free();
	free_percpu(prdas);
}
