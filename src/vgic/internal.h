/* SPDX-License-Identifier: GPL-2.0 */
/* Among the files of src/vgic/. */
#ifndef KEEL_VGIC_INTERNAL_H
#define KEEL_VGIC_INTERNAL_H

#include <linux/irqchip/arm-gic-v3.h>
#include <linux/nospec.h>
#include <linux/sizes.h>

#include <keel/vm.h>

#define VGIC_NO_ADDR	(~0ULL)
#define VGIC_FRAME	SZ_64K
#define VGIC_RD_SIZE	(2 * VGIC_FRAME)	/* RD_base and SGI_base */

/* GICD_IIDR, GICR_IIDR: product "K", the architecture's implementer code, revision 0 */
#define VGIC_IIDR	((0x4b << 24) | 0x43b)
/* GICD_PIDR2, GICR_PIDR2: ArchRev 3 (GICv3), a JEDEC code is used, its upper part */
#define VGIC_PIDR2	0x3b

/**
 * struct vgic_irq - an interrupt of a VM; under the lock of its home
 * @link: in a queue of @home, or in its list of those that leave
 * @queue, @level: which queue, where in it; NULL outside
 * @home: whose lock protects it and where it is kept; changes under both homes' locks
 * @target: home that it is routed to; @home follows when it is idle
 * @route: GICD_IROUTER
 * @intid: its number
 * @host_intid: host interrupt behind it, if @mapped
 * @priority: the upper 5 bits
 * @above: the priority that counts while @raised, see vgic_inject_above()
 * @lr: its list register but for the state: vgic_irq_describe() keeps it
 * @group: 0 or 1
 * @enabled: as the guest set it
 * @edge: edge-triggered, else level-sensitive
 * @line: the input
 * @latch: pending without its input: an edge came, or the guest said so
 * @active: acknowledged and not yet deactivated; out of date while @in_lr
 * @in_lr: in a list register of @home's vCPU, or about to be
 * @lr_pending: was written there as pending
 * @again: latched once more while @in_lr
 * @active_written: the guest wrote @active while @in_lr: that counts, not the list register
 * @raised: above all others, until it is neither pending nor active
 * @special: one of these two
 * @owned: only vgic_set_line() changes its input
 * @mapped: a host interrupt is behind it
 * @host_active: that one's ACTIVE state on the CPU where the vCPU is loaded, as far as known
 */
struct vgic_irq {
	struct list_head link;
	struct vgic_queue *queue;
	struct vgic_home *home;
	struct vgic_home *target;
	u64 route;
	u64 lr;
	u32 intid;
	u32 host_intid;
	u8 level;
	u8 priority;
	u8 above;
	u8 group;
	bool enabled;
	bool edge;
	bool line;
	bool latch;
	bool active;
	bool in_lr;
	bool lr_pending;
	bool again;
	union {
		struct {
			bool active_written;
			bool raised;
		};
		u16 special;
	};
	bool owned;
	bool mapped;
	bool host_active;
};

/**
 * struct vgic_rd_region - frames of consecutive redistributors
 * @base: of the first
 * @index: KVM's number of the region
 * @count: how many fit; 0: as many as there are vCPUs (the one region of the older attribute)
 * @first, @used: which vCPUs have theirs here
 */
struct vgic_rd_region {
	struct list_head link;
	struct ipa base;
	u32 index;
	u32 count;
	u32 first;
	u32 used;
	struct mmio_region mmio;
};

/**
 * struct vgic_reg - registers of a frame
 * @offset, @len: in bytes
 * @bits: width of one interrupt's field; 0: the register is not about single interrupts
 * @access: or-ed sizes that the architecture allows, in bytes; others are RAZ/WI
 * @ones: only fields written as 1 act
 * @sync: the value may be in another vCPU's list registers: fetch it first
 * @read: for @bits = 0; @vcpu is the frame's (redistributor) or the accessing one
 * @get, @set: for one interrupt, its lock held; set returns whether something changed. The first
 *	tier gets without the lock: each field is one load
 *
 * What a row leaves out is RAZ or WI, and so is all that has no row.
 */
struct vgic_reg {
	u32 offset;
	u32 len;
	u8 bits;
	u8 access;
	bool ones;
	bool sync;
	u64 (*read)(struct keel_vcpu *vcpu);
	u64 (*get)(const struct vgic_irq *irq);
	bool (*set)(struct keel_vm *vm, struct vgic_irq *irq, u64 val);
};

/**
 * struct vgic_frame - a frame of registers
 * @regs, @nr: rows of its own, ascending
 * @irqs: it has the registers of interrupts too, which all frames have at the same offsets (regs.c)
 */
struct vgic_frame {
	const struct vgic_reg *regs;
	unsigned int nr;
	bool irqs;
};

/* --- vgic.c, queue_el2.c: the state of an interrupt --- */

/** vgic_home_init() - an empty home; one lockdep class for all */
void vgic_home_init(struct vgic_home *home, struct keel_vcpu *vcpu);

/** vgic_irq_init() - reset value of interrupt @intid, at @home */
void vgic_irq_init(struct vgic_irq *irq, u32 intid, struct vgic_home *home);

/** vgic_irq_get() - the interrupt, or NULL; @vcpu: whose private ones (may be NULL) */
struct vgic_irq *vgic_irq_get(struct keel_vm *vm, struct keel_vcpu *vcpu, u32 intid);

/**
 * struct vgic_hold - the lock of one home, held for one interrupt after the other
 * @home: whose lock is held, or NULL; a hold begins as {}
 * @flags: for the unlock
 * @look: the home's vCPU must look at its queues
 * @in_lr: an interrupt that was changed is in a list register, where the change is not yet; stays
 */
struct vgic_hold {
	struct vgic_home *home;
	unsigned long flags;
	bool look;
	bool in_lr;
};

/** vgic_hold_irq() - hold the lock of @irq's home, which @h may hold already */
void vgic_hold_irq(struct vgic_hold *h, struct vgic_irq *irq);

/**
 * vgic_hold_changed() - @irq, whose lock is held, was changed: to the queue where it belongs now
 */
void vgic_hold_changed(struct vgic_hold *h, struct vgic_irq *irq);

/** vgic_release() - unlock, if anything is held, and tell who must know */
void vgic_release(struct vgic_hold *h);

/** vgic_settle() - interrupts that leave @home go where they are routed; no lock held */
void vgic_settle(struct vgic_home *home);

/** vgic_irq_place() - vgic_irq_requeue() of one that is in no list register */
bool vgic_irq_place(struct vgic_home *home, struct vgic_irq *irq, bool head);

/** vgic_irq_dequeue() - out of its queue; home locked */
void vgic_irq_dequeue(struct vgic_irq *irq);

/** vgic_queue_first() - highest priority, oldest; NULL if empty; home locked */
struct vgic_irq *vgic_queue_first(struct vgic_queue *q);

/** vgic_notify() - the vCPU's queues have changed: doorbell, or out of the guest; any context */
void vgic_notify(struct keel_vcpu *vcpu);

/* MPIDR_EL1's affinity fields of target 0 in the list of ICC_SGI1R_EL1. */
static inline u64 vgic_sgi_cluster(u64 val)
{
	return ((val & ICC_SGI1R_AFFINITY_3_MASK) >> ICC_SGI1R_AFFINITY_3_SHIFT) << 32 |
	       ((val & ICC_SGI1R_AFFINITY_2_MASK) >> ICC_SGI1R_AFFINITY_2_SHIFT) << 16 |
	       ((val & ICC_SGI1R_AFFINITY_1_MASK) >> ICC_SGI1R_AFFINITY_1_SHIFT) << 8 |
	       ((val & ICC_SGI1R_RS_MASK) >> ICC_SGI1R_RS_SHIFT) << 4;
}

static inline bool vgic_irq_pending(const struct vgic_irq *irq)
{
	return irq->latch || (irq->line && !irq->edge);
}

/* Pending, and nothing in the distributor keeps it back; home locked. */
static inline bool vgic_irq_deliverable(const struct vgic_irq *irq, const struct keel_vm *vm)
{
	return irq->enabled && vgic_irq_pending(irq) &&
	       READ_ONCE(vm->vgic.ctlr) & BIT(irq->group);
}

/**
 * vgic_irq_requeue() - to the queue where it belongs; home locked
 * @head: before its equals
 *
 * Return: the home's vCPU must look.
 */
static inline bool vgic_irq_requeue(struct vgic_home *home, struct vgic_irq *irq, bool head)
{
	return irq->in_lr || vgic_irq_place(home, irq, head);
}

/* The priority that counts. */
static inline u8 vgic_irq_priority(const struct vgic_irq *irq)
{
	return irq->raised ? irq->above : irq->priority;
}

/** vgic_irq_describe() - @lr follows what it is made of; home locked */
static inline void vgic_irq_describe(struct vgic_irq *irq)
{
	u64 lr = irq->intid | (u64)vgic_irq_priority(irq) << ICH_LR_PRIORITY_SHIFT;

	if (irq->group)
		lr |= ICH_LR_GROUP;
	if (irq->mapped)
		lr |= ICH_LR_HW | (u64)irq->host_intid << ICH_LR_PHYS_ID_SHIFT;
	irq->lr = lr;
}

/** vgic_irq_latch() - make it pending; home locked */
static inline void vgic_irq_latch(struct vgic_irq *irq)
{
	irq->latch = true;
	irq->again = irq->in_lr;
}

/* --- route_el2.c --- */

/** vgic_vcpu_by_affinity() - the vCPU with these fields of MPIDR_EL1, or NULL */
struct keel_vcpu *vgic_vcpu_by_affinity(struct keel_vm *vm, u64 affinity);

/** vgic_vcpu_guess() - the same in a few instructions; NULL may also be a wrong guess */
struct keel_vcpu *vgic_vcpu_guess(struct keel_vm *vm, u64 affinity);

/** vgic_route() - the home that a value of GICD_IROUTER means */
struct vgic_home *vgic_route(struct keel_vm *vm, u64 route);

/* --- lr_el2.c: list registers; home locked, by the CPU that has the vCPU loaded --- */

/** vgic_fill_el2() - which interrupts get a list register, to cpuif; none is in use yet */
void vgic_fill_el2(struct vgic_vcpu *v);

/** vgic_fold_el2() - what became of them, from cpuif */
void vgic_fold_el2(struct vgic_vcpu *v);

/* --- cpuif_el2.c --- */

/** struct vgic_host - what the CPUs' virtual interface has (ICH_VTR_EL2); read-only after insmod */
struct vgic_host {
	unsigned int nr_lrs;
	unsigned int nr_aprs;
	bool dir_trap;		/* ICH_HCR_EL2.TDIR works */
};

extern struct vgic_host vgic_host;

/** vgic_probe_el2() - ICH_VTR_EL2 */
u64 vgic_probe_el2(void);

/** vgic_lrs_read_el2() - list registers in use to cpuif; guest state loaded */
void vgic_lrs_read_el2(struct keel_vcpu *vcpu);

/** vgic_vmcr_el2() - ICH_VMCR_EL2 as it is; vCPU loaded */
u64 vgic_vmcr_el2(void);

/**
 * vgic_update_el2() - list registers in use into the CPU, after a change in the first tier
 * @hcr: cpuif.hcr before that
 */
void vgic_update_el2(struct keel_vcpu *vcpu, u64 hcr);

/* --- lr_el2.c, first tier: on the CPU that runs the vCPU --- */

/**
 * vgic_open_el2() - the home locked, and what its interrupts became known: nothing is in a list
 * register until vgic_close_el2()
 */
void vgic_open_el2(struct keel_vcpu *vcpu);

/** vgic_close_el2() - the best into list registers again, unlocked, and into the CPU */
void vgic_close_el2(struct keel_vcpu *vcpu);

/** vgic_latch_own_el2() - @irq, an SGI of this vCPU, is latched, and into a list register */
void vgic_latch_own_el2(struct keel_vcpu *vcpu, struct vgic_irq *irq);

/** vgic_tell_el2() - @to has to look: by its doorbell, or else the second tier tells it */
void vgic_tell_el2(struct keel_vcpu *vcpu, struct keel_vcpu *to);

/* --- regs_el2.c: one description a register --- */

/**
 * struct vgic_access - an access as fields of interrupts
 * @reg: the register; the rest is for those about single interrupts
 * @first, @nr: which interrupts
 * @width: bits of each
 * @shift: where it begins in the field (not at 0 only for the upper half of a 64-bit one)
 * @mask: @width ones
 */
struct vgic_access {
	const struct vgic_reg *reg;
	u32 first;
	u32 nr;
	u32 width;
	u32 shift;
	u64 mask;
};

extern const struct vgic_frame vgic_dist_frame, vgic_rd_frame, vgic_sgi_frame;

/** vgic_access_cut() - @len bytes at @offset; false: RAZ/WI */
bool vgic_access_cut(struct vgic_access *a, const struct vgic_frame *f, u64 offset,
		     unsigned int len);

/** vgic_reg_irq() - interrupt @intid of an access, NULL: it has none in this frame */
struct vgic_irq *vgic_reg_irq(struct keel_vcpu *vcpu, struct keel_vcpu *of, u32 intid);

/** vgic_reg_read() - of a register that is not about single interrupts; @of: see struct vgic_reg */
static inline u64 vgic_reg_read(const struct vgic_reg *r, struct keel_vcpu *of, u64 offset,
				unsigned int len)
{
	u64 val = r->read ? r->read(of) >> (offset - r->offset) * 8 : 0;

	return len == 8 ? val : (u32)val;
}

/* A region is RD_base, SGI_base, RD_base, SGI_base, ... of consecutive vCPUs. */
static inline const struct vgic_frame *vgic_redist_frame(u64 offset)
{
	return offset & VGIC_FRAME ? &vgic_sgi_frame : &vgic_rd_frame;
}

static inline struct keel_vcpu *vgic_redist_vcpu(struct keel_vm *vm,
						 const struct vgic_rd_region *rd, u64 offset)
{
	return vm->vcpus[array_index_nospec(rd->first + offset / VGIC_RD_SIZE, KEEL_MAX_VCPUS)];
}

/** vgic_irq_set_active() - by the guest's word; home locked; returns whether something changed */
bool vgic_irq_set_active(struct vgic_irq *irq, bool active);

extern const struct mmio_ops vgic_dist_ops, vgic_redist_ops;	/* regs.c */

/** vgic_init() - KVM_DEV_ARM_VGIC_CTRL_INIT, once; vm->config_lock held; 0 or -ENOMEM (init.c) */
int vgic_init(struct keel_vm *vm);

/* --- frames.c: where the frames are; vm->config_lock held --- */

/** vgic_frames_set_dist() - the distributor's address; errnos of the attribute */
int vgic_frames_set_dist(struct keel_vm *vm, struct ipa base);

/** vgic_frames_add_redist() - a region of redistributors; @count = 0: the only one */
int vgic_frames_add_redist(struct keel_vm *vm, u32 index, struct ipa base, u32 count);

/** vgic_frames_find_redist() - region by index, or NULL */
struct vgic_rd_region *vgic_frames_find_redist(struct keel_vm *vm, u32 index);

/** vgic_frames_register() - let the guest reach them */
int vgic_frames_register(struct keel_vm *vm);

/** vgic_frames_forget() - drop all addresses; they are not registered, or the VM is gone */
void vgic_frames_forget(struct keel_vm *vm);

#endif /* KEEL_VGIC_INTERNAL_H */
