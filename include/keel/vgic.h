/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The face of src/vgic/: a virtual GICv3. Distributor, redistributors, list registers, SGIs.
 */
#ifndef KEEL_VGIC_H
#define KEEL_VGIC_H

#include <linux/kvm.h>
#include <linux/list.h>

#include <keel/el2.h>
#include <keel/run.h>

#define VGIC_NR_SGIS	16
#define VGIC_NR_PRIVATE	32
#define VGIC_MAX_SPIS	988	/* INTIDs 32 to 1019 */
#define VGIC_MAX_LRS	16
#define VGIC_MAX_APRS	4
#define VGIC_MAX_OWED	4	/* SGI targets that the first tier serves at once */
#define VGIC_LEVELS	32	/* priorities: 5 bits are implemented */

struct keel_vm;
struct keel_vcpu;
struct vgic_irq;

/**
 * struct vgic_queue - interrupts by priority; taking one out and putting one in cost the same for
 * any number
 * @map: bit n set: @level[n] is not empty
 * @level: first in, first out; level 0 is the highest priority
 */
struct vgic_queue {
	u32 map;
	struct list_head level[VGIC_LEVELS];
};

/**
 * struct vgic_home - where interrupts are kept: a vCPU, or (for SPIs routed to nobody) the VM
 * @lock: protects the queues and every interrupt whose home this is, see src/vgic/vgic.c
 * @vcpu: NULL for the VM's
 * @ready: pending, enabled, not active: to be signalled; by group
 * @active: active
 * @nr: how many are in these queues; those in a list register are in none
 * @leaving: routed elsewhere, and nothing keeps them here any more
 */
struct vgic_home {
	struct el2_lock lock;
	struct keel_vcpu *vcpu;
	struct vgic_queue ready[2];
	struct vgic_queue active;
	unsigned int nr;
	struct list_head leaving;
};

/**
 * struct vgic_cpuif - the virtual CPU interface's registers as EL2 loads them
 * @vmcr: ICH_VMCR_EL2; in the CPU while the vCPU is loaded
 * @ap0r, @ap1r: active priorities; the same
 * @hcr: ICH_HCR_EL2 for the next pass, without trap bits (they come from el2_traps.ich_hcr)
 * @lr: list registers of the next pass, or as the last pass left them
 * @used_lrs: how many of @lr are in use
 * @eoicount: deactivations in the last pass that found no list register
 * @live_lrs: how many list registers of the CPU may hold something
 */
struct vgic_cpuif {
	u64 vmcr;
	u64 ap0r[VGIC_MAX_APRS];
	u64 ap1r[VGIC_MAX_APRS];
	u64 hcr;
	u64 lr[VGIC_MAX_LRS];
	unsigned int used_lrs;
	unsigned int eoicount;
	unsigned int live_lrs;
};

/**
 * struct vgic_vcpu - src/vgic's member of struct keel_vcpu
 * @cpuif: the CPU interface
 * @home: interrupts of this vCPU
 * @private: SGIs and PPIs, VGIC_NR_PRIVATE of them
 * @lr_irq: which interrupt is in which list register; the vCPU's own thread only
 * @mapped: the PPI that a host interrupt stands behind, or NULL
 * @set_active: writes that host interrupt's ACTIVE state on this CPU
 * @owes: the first tier has answered an exit, and the second has the rest to do: vgic_pay_owed()
 * @owed, @nr_owed: vCPUs that have to look, and left the guest at that moment
 * @settle: a home that interrupts want to leave, other than this vCPU's
 * @sgi1r: what ICC_SGI1R_EL1 takes to send SGI 0 to this vCPU alone
 * @rd_last: this redistributor is the last of its run of frames (GICR_TYPER.Last)
 * @ran: has passed vgic_first_run()
 */
struct vgic_vcpu {
	struct vgic_cpuif cpuif;
	struct vgic_home home;
	struct vgic_irq *private;
	struct vgic_irq *lr_irq[VGIC_MAX_LRS];
	struct vgic_irq *mapped;
	void (*set_active)(bool active);
	bool owes;
	unsigned int nr_owed;
	struct keel_vcpu *owed[VGIC_MAX_OWED];
	struct vgic_home *settle;
	u64 sgi1r;
	bool rd_last;
	bool ran;
};

/**
 * struct vgic - src/vgic's member of struct keel_vm
 *
 * All but @ctlr and @nobody is written under vm->config_lock.
 *
 * @created: KVM_CREATE_DEVICE was done
 * @initialised: KVM_DEV_ARM_VGIC_CTRL_INIT was done: interrupts exist
 * @ready: the frames are registered, the guest can use it (since the first KVM_RUN)
 * @nr_spis: how many; 0 until it was chosen
 * @spi: SPIs, from INTID 32
 * @nobody: home of SPIs that are routed to no vCPU
 * @ctlr: GICD_CTLR.EnableGrp0 and EnableGrp1
 * @dist_base: the distributor's frame, VGIC_NO_ADDR until it is set
 * @rd_regions: struct vgic_rd_region by index
 * @from, @to: all frames lie between, and perhaps other things; @to is 0 until @ready
 * @dist: the distributor's MMIO region
 */
struct vgic {
	bool created;
	bool initialised;
	bool ready;
	unsigned int nr_spis;
	struct vgic_irq *spi;
	struct vgic_home nobody;
	u32 ctlr;
	struct ipa dist_base;
	struct list_head rd_regions;
	u64 from;
	u64 to;
	struct mmio_region dist;
};

/**
 * vgic_init_host() - at insmod: what the CPU's virtual interface has
 *
 * Return: 0, -ENXIO if the list registers cannot be used.
 */
int vgic_init_host(void);

/**
 * vgic_traps_dir() - must ICC_DIR_EL1 be trapped, and can it (ICH_HCR_EL2.TDIR); vgic_dir_write()
 */
bool vgic_traps_dir(const struct keel_vm *vm);

/** vgic_vm_init() - empty state of a new VM, no device yet */
void vgic_vm_init(struct keel_vm *vm);

/** vgic_vm_destroy() - the end of it; no vCPU runs any more */
void vgic_vm_destroy(struct keel_vm *vm);

/**
 * vgic_vcpu_create() - private interrupts of a new vCPU, before or after the device; vm->lock held
 *
 * Return: 0, -EBUSY (the vGIC is initialised: its vCPUs are counted), -ENOMEM.
 */
int vgic_vcpu_create(struct keel_vcpu *vcpu);

/** vgic_vcpu_destroy() - frees them */
void vgic_vcpu_destroy(struct keel_vcpu *vcpu);

/**
 * vgic_create() - KVM_CREATE_DEVICE of VGIC_V3; vm->lock held
 *
 * Return: 0, -EEXIST (there is one), -EBUSY (a vCPU runs or has run).
 */
int vgic_create(struct keel_vm *vm);

/** vgic_uncreate() - the device fd was closed before initialisation: undo creation and addresses */
void vgic_uncreate(struct keel_vm *vm);

/**
 * vgic_set_attr(), vgic_get_attr(), vgic_has_attr() - the device's attributes; vm->lock held
 *
 * Errors as in arm-vgic-v3.rst; -ENXIO for a group or attribute that is not there.
 */
int vgic_set_attr(struct keel_vm *vm, struct kvm_device_attr *attr);
int vgic_get_attr(struct keel_vm *vm, struct kvm_device_attr *attr);
int vgic_has_attr(struct keel_vm *vm, struct kvm_device_attr *attr);

/**
 * vgic_first_run() - a vCPU runs for the first time: register the frames
 *
 * Context: takes vm->config_lock; 0 at once when done or when there is no vGIC. Return: 0, -ENXIO
 * (addresses missing), -EINVAL (frames overlap), -EBUSY (not initialised), -EEXIST (something else
 * is registered there), -ENOMEM.
 */
int vgic_first_run(struct keel_vcpu *vcpu);

/** vgic_vcpu_reset() - the CPU interface at its reset value; vCPU not loaded */
void vgic_vcpu_reset(struct keel_vcpu *vcpu);

/**
 * vgic_inject() - change the input line of an interrupt
 * @vcpu: whose PPI; ignored for SPIs (may be NULL)
 * @intid: 16 to 1019
 * @level: line state; an edge interrupt latches each time it is raised
 *
 * Context: any, interrupts on or off, no vgic lock held. Kicks or wakes the target vCPU. Return: 0,
 * -EINVAL (no such INTID, or it has an owner), -EBUSY (not initialised), -ENODEV (no vGIC).
 */
int vgic_inject(struct keel_vm *vm, struct keel_vcpu *vcpu, u32 intid, bool level);

/** vgic_spi() - SPI @spi (INTID 32 + @spi), NULL: there is none, or none yet; any context */
struct vgic_irq *vgic_spi(struct keel_vm *vm, u32 spi);

/** vgic_pulse() - the input of an SPI rises and falls; any context, no vgic lock held */
void vgic_pulse(struct keel_vm *vm, struct vgic_irq *irq);

/**
 * vgic_inject_above() - make an interrupt of @vcpu pending, above all others until it is done
 * @intid: 0 to 1019
 *
 * Context: as vgic_inject(). Return: 0, -EBUSY (no running vGIC), -EINVAL (no such INTID, or it has
 * an owner), -ENXIO (an SPI that is routed to another vCPU).
 */
int vgic_inject_above(struct keel_vcpu *vcpu, u32 intid);

/** vgic_own() - the PPI is a part of keel's: vgic_inject() refuses it; config_lock held */
void vgic_own(struct keel_vcpu *vcpu, u32 intid);

/** vgic_set_line() - vgic_inject() for the owner of a PPI; the vGIC is ready */
void vgic_set_line(struct keel_vcpu *vcpu, u32 intid, bool level);

/**
 * vgic_map_phys() - own a PPI, and tie a PPI to the host interrupt whose deactivation the guest's
 * EOI does
 * @host_intid: the host interrupt, one per vCPU
 * @set_active: writes its ACTIVE state on this CPU
 *
 * Context: config_lock held, vCPU not loaded.
 */
void vgic_map_phys(struct keel_vcpu *vcpu, u32 intid, u32 host_intid,
		   void (*set_active)(bool active));

/**
 * vgic_map_load() - the mapped PPI's vCPU came to this CPU: write the host's ACTIVE state, either
 * way
 *
 * Whoever was here before left its own. Context: interrupts off, vCPU loaded.
 */
void vgic_map_load(struct keel_vcpu *vcpu);

/** vgic_map_flush() - write the host's ACTIVE state if it is not what it must be; interrupts off */
void vgic_map_flush(struct keel_vcpu *vcpu);

/** vgic_map_fired() - the host took the mapped interrupt, which is ACTIVE now; @level: its line */
void vgic_map_fired(struct keel_vcpu *vcpu, bool level);

/**
 * vgic_pending() - something outside the list registers would interrupt the guest: for WFI
 *
 * Context: any, takes no lock. The guest's priority mask is that of the last put.
 */
bool vgic_pending(struct keel_vcpu *vcpu);

/**
 * vgic_wakes() - the same, whatever the CPU interface lets through: for sleeps in which it may be
 * off (Arm IHI 0069, 11.1: the redistributor's WakeRequest)
 *
 * Context: as vgic_pending().
 */
bool vgic_wakes(struct keel_vcpu *vcpu);

/** vgic_flush() - software to list registers; interrupts off, vCPU loaded */
void vgic_flush(struct keel_vcpu *vcpu);

/** vgic_sync() - list registers back to software; the same; also after a pass that did not enter */
void vgic_sync(struct keel_vcpu *vcpu);

/**
 * vgic_may_reenter() - the guest may be entered again without vgic_sync() and vgic_flush()
 *
 * Not with work left by the first tier, or deactivations that ICH_HCR_EL2 counts from 0 at each
 * entry.
 */
bool vgic_may_reenter(struct keel_vcpu *vcpu);

/** vgic_load_el2() - the CPU interface's registers into the CPU; vgic_put_el2() - out of it */
void vgic_load_el2(struct keel_vcpu *vcpu, struct prda *p);
void vgic_put_el2(struct keel_vcpu *vcpu, struct prda *p);

/** vgic_enter_el2() - list registers that are in use into the CPU; vgic_leave_el2() - back */
void vgic_enter_el2(struct keel_vcpu *vcpu, struct prda *p);
void vgic_leave_el2(struct keel_vcpu *vcpu, struct prda *p);

/**
 * vgic_refill_el2() - what came into the vCPU's queues since it entered the guest, into the CPU
 *
 * Context: first tier, on the CPU that runs the vCPU.
 */
void vgic_refill_el2(struct keel_vcpu *vcpu);

/**
 * vgic_sgi_write() - row handler: the guest wrote ICC_SGI1R_EL1, ICC_ASGI1R_EL1 or ICC_SGI0R_EL1
 * @group1: SGIs of group 1 may be sent too (ICC_SGI1R_EL1 only)
 */
void vgic_sgi_write(struct keel_vcpu *vcpu, u64 val, bool group1);

/**
 * vgic_sgi_el2() - the same of ICC_SGI1R_EL1 in the first tier
 *
 * Return: true: sent, but for what vgic_pay_owed() does if vgic.owes is set.
 */
bool vgic_sgi_el2(struct keel_vcpu *vcpu, u64 val);

/**
 * vgic_pay_owed() - the rest of what the first tier answered, which only the kernel can do
 *
 * Context: second tier of any exit. Return: false: nothing; true: the exit is answered.
 */
bool vgic_pay_owed(struct keel_vcpu *vcpu);

/**
 * vgic_mmio_el2() - a guest's access to a frame in the first tier
 * @val: of a store, or filled in; truncated to @len bytes
 *
 * Context: first tier, on the CPU that runs the vCPU. Return: true: answered, but for what
 * vgic_pay_owed() does if vgic.owes is set. False: not a frame, or the second tier's business;
 * nothing was done.
 */
bool vgic_mmio_el2(struct keel_vcpu *vcpu, struct ipa ipa, unsigned int len, bool write, u64 *val);

/** vgic_wakes_el2() - something pending would interrupt the guest: for WFI in the first tier */
bool vgic_wakes_el2(struct keel_vcpu *vcpu);

/** vgic_fired_el2() - vgic_map_fired() in the first tier, and into a list register with it */
void vgic_fired_el2(struct keel_vcpu *vcpu, bool level);

/** vgic_dir_write() - row handler: the guest wrote ICC_DIR_EL1 (trapped by ICH_HCR_EL2.TDIR) */
void vgic_dir_write(struct keel_vcpu *vcpu, u64 val);

#endif /* KEEL_VGIC_H */
