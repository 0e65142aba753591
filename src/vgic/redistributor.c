// SPDX-License-Identifier: GPL-2.0
/*
 * The redistributors' frames (Arm IHI 0069 12.10, 12.11), two a vCPU: RD_base and SGI_base. No
 * LPIs, and no power management: GICR_WAKER and GICR_CTLR are RAZ/WI, awake and nothing to switch.
 */
#include <linux/irqchip/arm-gic-v3.h>

#include <keel/compat.h>

#include "internal.h"

static u64 iidr_read(struct keel_vcpu *vcpu)
{
	return VGIC_IIDR;
}

static u64 typer_read(struct keel_vcpu *vcpu)
{
	u64 mpidr = vcpu->state.reg[VCPU_MPIDR_EL1];
	u64 affinity = (mpidr >> 32 & 0xff) << 24 | (mpidr & GENMASK_ULL(23, 0));

	return affinity << 32 | (vcpu->id & 0xffff) << 8 |
	       (vcpu->vgic.rd_last ? GICR_TYPER_LAST : 0);
}

static u64 pidr2_read(struct keel_vcpu *vcpu)
{
	return VGIC_PIDR2;
}

static const struct vgic_reg rd_regs[] = {
	{ GICR_IIDR, 4, 0, 4, .read = iidr_read },
	{ GICR_TYPER, 8, 0, 4 | 8, .read = typer_read },
	{ GICR_PIDR2, 4, 0, 4, .read = pidr2_read },
};

static const struct vgic_frame rd_frame = { rd_regs, ARRAY_SIZE(rd_regs), .irqs = false };
static const struct vgic_frame sgi_frame = { .irqs = true };

/* A region is RD_base, SGI_base, RD_base, SGI_base, … of consecutive vCPUs. */
static const struct vgic_frame *redist_frame(u64 offset)
{
	return offset & VGIC_FRAME ? &sgi_frame : &rd_frame;
}

static struct keel_vcpu *redist_vcpu(struct keel_vm *vm, struct mmio_region *r, u64 offset)
{
	const struct vgic_rd_region *rd = r->owner;

	return vm->vcpus[rd->first + offset / VGIC_RD_SIZE];
}

static int redist_read(struct keel_vcpu *vcpu, struct mmio_region *r, u64 offset, unsigned int len,
		       u64 *val)
{
	*val = vgic_frame_read(vcpu, redist_vcpu(vcpu->vm, r, offset), redist_frame(offset),
			       offset % VGIC_FRAME, len);
	return 0;
}

static int redist_write(struct keel_vcpu *vcpu, struct mmio_region *r, u64 offset,
			unsigned int len, u64 val)
{
	vgic_frame_write(vcpu, redist_vcpu(vcpu->vm, r, offset), redist_frame(offset),
			 offset % VGIC_FRAME, len, val);
	return 0;
}

const struct mmio_ops vgic_redist_ops = {
	.read = redist_read,
	.write = redist_write,
};
