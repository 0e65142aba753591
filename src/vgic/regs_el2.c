// SPDX-License-Identifier: GPL-2.0
/*
 * The registers of the frames by description (struct vgic_reg), for the kernel (regs.c) and the
 * first tier (mmio_el2.c): the rows, the search, the cutting into fields. GICv3 with one Security
 * state, affinity routing always on (Arm IHI 0069 12.9 to 12.11).
 *
 * What has no row, or is accessed in a size that its row does not allow or not at a multiple of its
 * size, is RAZ/WI: Arm IHI 0069 12.1 leaves it UNPREDICTABLE or IMPLEMENTATION DEFINED.
 */
#include <linux/irqchip/arm-gic-v3.h>
#include <linux/nospec.h>
#include <asm/cputype.h>

#include <keel/compat.h>

#include "internal.h"

/* --- single interrupts --- */

static u64 __el2 get_group(const struct vgic_irq *irq)
{
	return irq->group;
}

static bool __el2 set_group(struct keel_vm *vm, struct vgic_irq *irq, u64 val)
{
	bool changed = irq->group != val;

	irq->group = val;
	vgic_irq_describe(irq);
	return changed;
}

static u64 __el2 get_enabled(const struct vgic_irq *irq)
{
	return irq->enabled;
}

static bool __el2 set_enabled(struct keel_vm *vm, struct vgic_irq *irq, u64 val)
{
	bool changed = !irq->enabled;

	irq->enabled = true;
	return changed;
}

static bool __el2 clear_enabled(struct keel_vm *vm, struct vgic_irq *irq, u64 val)
{
	bool changed = irq->enabled;

	irq->enabled = false;
	return changed;
}

static u64 __el2 get_pending(const struct vgic_irq *irq)
{
	return vgic_irq_pending(irq);
}

static bool __el2 set_pending(struct keel_vm *vm, struct vgic_irq *irq, u64 val)
{
	vgic_irq_latch(irq);
	return true;
}

/* A level stays pending while its input is up. */
static bool __el2 clear_pending(struct keel_vm *vm, struct vgic_irq *irq, u64 val)
{
	bool changed = irq->latch;

	irq->latch = false;
	irq->again = false;
	return changed;
}

static u64 __el2 get_active(const struct vgic_irq *irq)
{
	return irq->active;
}

bool __el2 vgic_irq_set_active(struct vgic_irq *irq, bool active)
{
	bool changed = irq->active != active || irq->in_lr;

	irq->active = active;
	irq->active_written = irq->in_lr;
	return changed;
}

static bool __el2 set_active(struct keel_vm *vm, struct vgic_irq *irq, u64 val)
{
	return vgic_irq_set_active(irq, true);
}

static bool __el2 clear_active(struct keel_vm *vm, struct vgic_irq *irq, u64 val)
{
	return vgic_irq_set_active(irq, false);
}

static u64 __el2 get_priority(const struct vgic_irq *irq)
{
	return irq->priority;
}

static bool __el2 set_priority(struct keel_vm *vm, struct vgic_irq *irq, u64 val)
{
	u8 old = irq->priority;

	irq->priority = val & ~(256 / VGIC_LEVELS - 1);
	vgic_irq_describe(irq);
	return irq->priority != old;
}

/* Int_config[1]: 1 edge, 0 level; bit 0 is RES0. */
static u64 __el2 get_config(const struct vgic_irq *irq)
{
	return irq->edge ? 2 : 0;
}

/* SGIs are edge-triggered by definition; the PPIs' inputs are levels, and ours to define. */
static bool __el2 set_config(struct keel_vm *vm, struct vgic_irq *irq, u64 val)
{
	bool edge = val & 2, changed = irq->edge != edge;

	if (irq->intid < VGIC_NR_PRIVATE)
		return false;
	irq->edge = edge;
	return changed;
}

static u64 __el2 get_router(const struct vgic_irq *irq)
{
	return irq->route;
}

static bool __el2 set_router(struct keel_vm *vm, struct vgic_irq *irq, u64 val)
{
	irq->route = val & (GICD_IROUTER_SPI_MODE_ANY | GENMASK_ULL(23, 0));
	irq->target = vgic_route(vm, irq->route);
	return true;
}

/* --- the rest --- */

static u64 __el2 ctlr_read(struct keel_vcpu *vcpu)
{
	return READ_ONCE(vcpu->vm->vgic.ctlr) | GICD_CTLR_ARE_NS | GICD_CTLR_DS;
}

/* INTIDs of 10 bits, no LPIs, no message-based SPIs, no Aff3, 1-of-N routing. */
static u64 __el2 dist_typer_read(struct keel_vcpu *vcpu)
{
	unsigned int nr = DIV_ROUND_UP(vcpu->vm->vgic.nr_spis + VGIC_NR_PRIVATE, 32);

	return (nr - 1) | (10 - 1) << 19;
}

static u64 __el2 redist_typer_read(struct keel_vcpu *vcpu)
{
	u64 mpidr = vcpu->state.reg[VCPU_MPIDR_EL1];
	u64 affinity = (mpidr >> 32 & 0xff) << 24 | (mpidr & GENMASK_ULL(23, 0));

	return affinity << 32 | (vcpu->id & 0xffff) << 8 |
	       (vcpu->vgic.rd_last ? GICR_TYPER_LAST : 0);
}

static u64 __el2 iidr_read(struct keel_vcpu *vcpu)
{
	return VGIC_IIDR;
}

static u64 __el2 pidr2_read(struct keel_vcpu *vcpu)
{
	return VGIC_PIDR2;
}

/* --- the frames --- */

/*
 * One row for all frames: the distributor has interrupts from 32 here, a redistributor those below.
 */
static const struct vgic_reg irq_regs[] = {
	{ GICD_IGROUPR, 128, 1, 4, .get = get_group, .set = set_group },
	{ GICD_ISENABLER, 128, 1, 4, .ones = true, .get = get_enabled, .set = set_enabled },
	{ GICD_ICENABLER, 128, 1, 4, .ones = true, .get = get_enabled, .set = clear_enabled },
	{ GICD_ISPENDR, 128, 1, 4, .ones = true, .sync = true,
	  .get = get_pending, .set = set_pending },
	{ GICD_ICPENDR, 128, 1, 4, .ones = true, .sync = true,
	  .get = get_pending, .set = clear_pending },
	{ GICD_ISACTIVER, 128, 1, 4, .ones = true, .sync = true,
	  .get = get_active, .set = set_active },
	{ GICD_ICACTIVER, 128, 1, 4, .ones = true, .sync = true,
	  .get = get_active, .set = clear_active },
	{ GICD_IPRIORITYR, 1024, 8, 1 | 4, .get = get_priority, .set = set_priority },
	{ GICD_ICFGR, 256, 2, 4, .get = get_config, .set = set_config },
};

/* GICD_CTLR is written in distributor.c. */
static const struct vgic_reg dist_regs[] = {
	{ GICD_CTLR, 4, 0, 4, .read = ctlr_read },
	{ GICD_TYPER, 4, 0, 4, .read = dist_typer_read },
	{ GICD_IIDR, 4, 0, 4, .read = iidr_read },
	{ GICD_IROUTER, 1024 * 8, 64, 4 | 8, .get = get_router, .set = set_router },
	{ GICD_PIDR2, 4, 0, 4, .read = pidr2_read },
};

static const struct vgic_reg rd_regs[] = {
	{ GICR_IIDR, 4, 0, 4, .read = iidr_read },
	{ GICR_TYPER, 8, 0, 4 | 8, .read = redist_typer_read },
	{ GICR_PIDR2, 4, 0, 4, .read = pidr2_read },
};

const struct vgic_frame vgic_dist_frame = {
	dist_regs, ARRAY_SIZE(dist_regs), .irqs = true,
};

const struct vgic_frame vgic_rd_frame = { rd_regs, ARRAY_SIZE(rd_regs), .irqs = false };
const struct vgic_frame vgic_sgi_frame = { .irqs = true };

static const struct vgic_reg * __el2 reg_find(const struct vgic_reg *regs, unsigned int nr,
					      u64 offset)
{
	unsigned int lo = 0, hi = nr;

	while (lo < hi) {
		unsigned int mid = lo + (hi - lo) / 2;
		const struct vgic_reg *r = &regs[mid];

		if (offset < r->offset)
			hi = mid;
		else if (offset >= r->offset + r->len)
			lo = mid + 1;
		else
			return r;
	}
	return NULL;
}

bool __el2 vgic_access_cut(struct vgic_access *a, const struct vgic_frame *f, u64 offset,
			   unsigned int len)
{
	const struct vgic_reg *r = reg_find(f->regs, f->nr, offset);
	u32 bit;

	if (!r && f->irqs)
		r = reg_find(irq_regs, ARRAY_SIZE(irq_regs), offset);
	if (!r || !(r->access & len) || !IS_ALIGNED(offset, len))
		return false;
	a->reg = r;
	if (!r->bits)
		return true;
	bit = (offset - r->offset) * 8;
	a->first = bit / r->bits;
	a->nr = max(len * 8 / r->bits, 1U);
	a->width = min_t(u32, r->bits, len * 8);
	a->shift = bit % r->bits;
	a->mask = GENMASK_ULL(a->width - 1, 0);
	return true;
}

/* Affinity routing is always on: what one kind of frame has is RAZ/WI in the other. */
struct vgic_irq * __el2 vgic_reg_irq(struct keel_vcpu *vcpu, struct keel_vcpu *of, u32 intid)
{
	if (of && intid >= VGIC_NR_PRIVATE)
		return NULL;
	return vgic_irq_get(vcpu->vm, of, intid);
}
