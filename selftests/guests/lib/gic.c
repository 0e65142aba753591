// SPDX-License-Identifier: GPL-2.0
/* GICv3 with one security state and affinity routing, as KVM presents it. */
#include "guest.h"

#define GICD_CTLR_ENABLE	(BIT(4) | BIT(1))	/* ARE, group 1 */
#define GICD_CTLR_RWP		BIT(31)
#define GICR_WAKER_SLEEP	BIT(1)
#define GICR_WAKER_ASLEEP	BIT(2)

static void (*irq_fn)(u32 intid);

static u64 redist(void)
{
	return GICR_IPA + (u64)cpu_id() * GICR_STRIDE;
}

u64 gic_reg(u32 offset, u32 bits, u32 intid)
{
	u64 base = intid < 32 ? redist() + GICR_SGI_OFFSET : GICD_IPA;

	return base + offset + intid * bits / 32 * 4;
}

void gic_set_bit(u32 offset, u32 intid)
{
	mmio_write(gic_reg(offset, 1, intid), 4, BIT(intid % 32));
}

bool gic_get_bit(u32 offset, u32 intid)
{
	return mmio_read(gic_reg(offset, 1, intid), 4) >> (intid % 32) & 1;
}

void gic_priority(u32 intid, u8 priority)
{
	mmio_write(gic_reg(GICD_IPRIORITYR, 8, intid) + intid % 4, 1, priority);
}

void gic_edge(u32 intid, bool edge)
{
	u64 addr = gic_reg(GICD_ICFGR, 2, intid);
	u32 mask = 2 << (intid % 16 * 2);
	u32 value = mmio_read(addr, 4) & ~mask;

	mmio_write(addr, 4, edge ? value | mask : value);
}

void gic_route(u32 intid, u32 cpu)
{
	mmio_write(GICD_IPA + GICD_IROUTER + 8 * intid, 8, smp_mpidr(cpu));
}

void gic_group(u32 intid, u32 group)
{
	u64 addr = gic_reg(GICD_IGROUPR, 1, intid);
	u32 word = mmio_read(addr, 4) & ~BIT(intid % 32);

	mmio_write(addr, 4, group ? word | BIT(intid % 32) : word);
}

void gic_settle(void)
{
	int i;

	for (i = 0; i < 4; i++)
		mmio_read(GICD_IPA + GICD_TYPER, 4);
	isb();
}

void gic_sgi(u32 cpu, u32 intid)
{
	u64 aff1 = cpu >> 4;

	/* What the receiver reads must be visible before the interrupt (Arm ARM B2.3.12). */
	dsb(ishst);
	icc_write(ICC_SGI1R_EL1, aff1 << 16 | (u64)intid << 24 | BIT(cpu & 0xf));
	isb();
}

static void gic_irq(struct frame *frame __always_unused)
{
	u32 intid = icc_read(ICC_IAR1_EL1);

	if (intid >= 1020)
		return;
	if (irq_fn)
		irq_fn(intid);
	icc_write(ICC_EOIR1_EL1, intid);
	isb();
}

void gic_handler(void (*fn)(u32 intid))
{
	irq_fn = fn;
	vector_set(VECTOR_IRQ, gic_irq);
}

static void redist_init(void)
{
	u64 waker = redist() + GICR_WAKER;
	u32 i;

	mmio_write(waker, 4, mmio_read(waker, 4) & ~GICR_WAKER_SLEEP);
	while (mmio_read(waker, 4) & GICR_WAKER_ASLEEP)
		cpu_relax();
	mmio_write(gic_reg(GICD_IGROUPR, 1, 0), 4, ~0U);
	mmio_write(gic_reg(GICD_ICENABLER, 1, 0), 4, ~0U);
	for (i = 0; i < 32; i += 4)
		mmio_write(gic_reg(GICD_IPRIORITYR, 8, i), 4, 0xa0a0a0a0);
}

static void dist_init(void)
{
	u32 i, n = 32 * ((mmio_read(GICD_IPA + GICD_TYPER, 4) & 0x1f) + 1);

	mmio_write(GICD_IPA + GICD_CTLR, 4, GICD_CTLR_ENABLE);
	while (mmio_read(GICD_IPA + GICD_CTLR, 4) & GICD_CTLR_RWP)
		cpu_relax();
	for (i = 32; i < n; i += 32)
		mmio_write(gic_reg(GICD_IGROUPR, 1, i), 4, ~0U);
	for (i = 32; i < n; i += 4)
		mmio_write(gic_reg(GICD_IPRIORITYR, 8, i), 4, 0xa0a0a0a0);
}

void gic_init(void)
{
	if (!cpu_id())
		dist_init();
	redist_init();
	icc_write(ICC_SRE_EL1, 7);
	isb();
	icc_write(ICC_PMR_EL1, 0xf0);
	icc_write(ICC_BPR1_EL1, 0);
	icc_write(ICC_CTLR_EL1, 0);
	icc_write(ICC_IGRPEN1_EL1, 1);
	isb();
}
