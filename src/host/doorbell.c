// SPDX-License-Identifier: GPL-2.0
/*
 * The interrupt by which CPUs call each other out of guests without leaving EL2 (pseudo-NMI), and
 * the priorities that make EL2's acknowledging safe.
 *
 * It is an SGI that Linux does not use, where the firmware leaves SGIs 8-15 to the non-secure side;
 * otherwise the maintenance PPI, made pending in the other CPU's redistributor. EL2 acknowledges
 * only what is above everything else in priority (switch.md 4.1), so the PPIs of keel's own are
 * raised above the kernel's, the doorbell highest. Where the kernel masks by priority they keep the
 * kernel's, and EL2 acknowledges nothing.
 */
#define pr_fmt(fmt) "keel: " fmt

#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/irq.h>
#include <linux/irqchip/arm-gic-v3.h>
#include <linux/irqdomain.h>
#include <linux/moduleparam.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/sizes.h>
#include <asm/cputype.h>
#include <asm/smp_plat.h>

#include <keel/compat.h>
#include <keel/el2.h>
#include <keel/host.h>

#include "internal.h"

#define DOORBELL_SGI	15
#define FRAME		SZ_64K
#define PRIORITY_STEP	0x20	/* five bits of priority are the least that a GICv3 may have */

static char *pnmi = "auto";
module_param(pnmi, charp, 0444);
MODULE_PARM_DESC(pnmi, "doorbell between CPUs: sgi, ppi, off, or auto (default: sgi if there is one)");

/* A run of redistributor frames, as the device tree gives it. */
struct region {
	void __iomem *base;
	u64 size;
};

static struct region *regions;
static unsigned int nr_regions;
static u64 stride;
static unsigned int sgi_irq;	/* Linux interrupt of the SGI; 0: none */
static bool sgi_requested;
static bool use_sgi, use_ppi;

static irqreturn_t doorbell_handler(int irq, void *cookie)
{
	struct prda *p = cookie;

	/* The vCPU that it was for has left the guest: the next entry looks at the queues. */
	WRITE_ONCE(p->doorbell.rung, 0);
	return IRQ_HANDLED;
}

/* --- redistributors --- */

static u64 frame_stride(u64 typer)
{
	if (stride)
		return stride;
	return typer & GICR_TYPER_VLPIS ? 4 * FRAME : 2 * FRAME;
}

static u64 typer_affinity(u64 mpidr)
{
	return MPIDR_AFFINITY_LEVEL(mpidr, 3) << 24 | MPIDR_AFFINITY_LEVEL(mpidr, 2) << 16 |
	       MPIDR_AFFINITY_LEVEL(mpidr, 1) << 8 | MPIDR_AFFINITY_LEVEL(mpidr, 0);
}

/* SGI_base of this CPU's redistributor: the frame whose GICR_TYPER names it. */
static void __iomem *frame_find(u64 mpidr)
{
	u64 affinity = typer_affinity(mpidr), offset, typer;
	unsigned int i;

	for (i = 0; i < nr_regions; i++) {
		for (offset = 0; offset + 2 * FRAME <= regions[i].size;
		     offset += frame_stride(typer)) {
			typer = readq_relaxed(regions[i].base + offset + GICR_TYPER);
			if (typer >> 32 == affinity)
				return regions[i].base + offset + FRAME;
			if (typer & GICR_TYPER_LAST)
				break;
		}
	}
	return NULL;
}

static int regions_map(struct device_node *np)
{
	struct resource res;
	u32 count = 1;

	of_property_read_u32(np, "#redistributor-regions", &count);
	of_property_read_u64(np, "redistributor-stride", &stride);
	regions = kcalloc(count, sizeof(*regions), GFP_KERNEL);
	if (!regions)
		return -ENOMEM;
	for (; nr_regions < count; nr_regions++) {
		if (of_address_to_resource(np, 1 + nr_regions, &res))
			return -ENXIO;
		regions[nr_regions].size = resource_size(&res);
		regions[nr_regions].base = ioremap(res.start, resource_size(&res));
		if (!regions[nr_regions].base)
			return -ENOMEM;
	}
	return 0;
}

static void regions_unmap(void)
{
	while (nr_regions)
		iounmap(regions[--nr_regions].base);
	kfree(regions);
	regions = NULL;
}

/* --- this CPU --- */

static void priority_write(void __iomem *sgi_base, u32 intid, u8 priority)
{
	writeb_relaxed(priority, sgi_base + GICR_IPRIORITYR0 + intid);
}

static u8 priority_read(void __iomem *sgi_base, u32 intid)
{
	return readb_relaxed(sgi_base + GICR_IPRIORITYR0 + intid);
}

void doorbell_claim_cpu(struct prda *p)
{
	u64 mpidr = read_cpuid_mpidr();

	if (!use_sgi && !use_ppi)
		return;
	p->doorbell.frame = frame_find(mpidr);
	if (!p->doorbell.frame)
		return;
	p->doorbell.kernel_priority = priority_read(p->doorbell.frame, host_maintenance_intid());
	p->doorbell.maintenance = host_maintenance_intid();
	p->doorbell.vtimer = host_vtimer_intid();
	p->doorbell.intid = use_sgi ? DOORBELL_SGI : host_maintenance_intid();
	p->doorbell.sgi1r = use_sgi ? sgi1r_target(mpidr) |
				     DOORBELL_SGI << ICC_SGI1R_SGI_ID_SHIFT : 0;
	if (use_sgi)
		enable_percpu_irq(sgi_irq, IRQ_TYPE_NONE);
	if (host.irq_prio_masking || p->doorbell.kernel_priority < 2 * PRIORITY_STEP)
		return;
	priority_write(p->doorbell.frame, host_vtimer_intid(),
		       p->doorbell.kernel_priority - PRIORITY_STEP);
	priority_write(p->doorbell.frame, host_maintenance_intid(),
		       p->doorbell.kernel_priority - 2 * PRIORITY_STEP);
	if (use_sgi)
		priority_write(p->doorbell.frame, DOORBELL_SGI,
			       p->doorbell.kernel_priority - 2 * PRIORITY_STEP);
	WRITE_ONCE(p->doorbell.rung, 0);
	WRITE_ONCE(p->doorbell.el2, true);
}

void doorbell_release_cpu(struct prda *p)
{
	if (!p->doorbell.frame)
		return;
	if (use_sgi)
		disable_percpu_irq(sgi_irq);
	/* A sender may still be looking: the rest stays as it is. */
	if (p->doorbell.el2) {
		u8 priority = p->doorbell.kernel_priority;

		priority_write(p->doorbell.frame, host_vtimer_intid(), priority);
		priority_write(p->doorbell.frame, host_maintenance_intid(), priority);
		if (use_sgi)
			priority_write(p->doorbell.frame, DOORBELL_SGI, priority);
		WRITE_ONCE(p->doorbell.el2, false);
	}
}

/* --- all CPUs --- */

static int sgi_request(struct device_node *np, struct prda __percpu *prdas)
{
	struct irq_fwspec fwspec = {
		.fwnode = of_fwnode_handle(np),
		.param_count = 1,
		.param = { DOORBELL_SGI },
	};
	int ret;

	sgi_irq = irq_create_fwspec_mapping(&fwspec);
	if (!sgi_irq)
		return -ENXIO;
	ret = request_percpu_irq(sgi_irq, doorbell_handler, "keel doorbell", prdas);
	sgi_requested = !ret;
	return ret;
}

/* SGIs that the firmware keeps to itself are RAZ/WI here. */
static bool sgi_is_ours(void)
{
	void __iomem *frame;
	bool ours = false;
	u8 old;

	preempt_disable();
	frame = frame_find(read_cpuid_mpidr());
	if (frame) {
		old = priority_read(frame, DOORBELL_SGI);
		priority_write(frame, DOORBELL_SGI, 0x80);
		ours = priority_read(frame, DOORBELL_SGI) == 0x80;
		priority_write(frame, DOORBELL_SGI, old);
	}
	preempt_enable();
	return ours;
}

static int doorbell_choose(struct device_node *np, struct prda __percpu *prdas)
{
	bool want_sgi = !strcmp(pnmi, "sgi"), want_any = !strcmp(pnmi, "auto");

	if (!want_sgi && !want_any && strcmp(pnmi, "ppi")) {
		pr_err("pnmi=%s: sgi, ppi, off or auto\n", pnmi);
		return -EINVAL;
	}
	if ((want_sgi || want_any) && sgi_is_ours() && !sgi_request(np, prdas))
		use_sgi = true;
	else if (want_sgi)
		return -ENXIO;
	use_ppi = !use_sgi;
	return 0;
}

int doorbell_init(struct prda __percpu *prdas)
{
	struct device_node *np;
	int ret;

	if (!strcmp(pnmi, "off"))
		return 0;
	np = of_find_compatible_node(NULL, NULL, "arm,gic-v3");
	ret = regions_map(np);
	if (!ret)
		ret = doorbell_choose(np, prdas);
	of_node_put(np);
	if (ret)
		doorbell_exit(prdas);
	return ret;
}

void doorbell_exit(struct prda __percpu *prdas)
{
	if (sgi_requested)
		free_percpu_irq(sgi_irq, prdas);
	sgi_requested = false;
	/*
	 * The mapping stays, and the next insmod finds it: when one of a per-CPU interrupt goes the
	 * kernel forgets what it has allocated for it (irq_desc.percpu_enabled).
	 */
	sgi_irq = 0;
	regions_unmap();
}
