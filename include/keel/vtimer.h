/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The face of src/vtimer/: the guest's generic timers. CNTV runs in hardware and its PPI is
 * forwarded; CNTP is trapped and emulated by an hrtimer.
 */
#ifndef KEEL_VTIMER_H
#define KEEL_VTIMER_H

#include <linux/hrtimer.h>
#include <linux/kvm.h>

#include <keel/el2.h>

#define VTIMER_VIRT_PPI	27
#define VTIMER_PHYS_PPI	30

struct keel_vm;
struct keel_vcpu;

/**
 * struct vtimer_ctx - one timer of a vCPU
 * @ctl: CNT*_CTL_EL0 while not in the CPU
 * @cval: CNT*_CVAL_EL0
 * @line: level last given to the vGIC
 * @soft: stands for the hardware while the vCPU is blocked (virtual) or always (physical)
 * @vcpu: whose
 */
struct vtimer_ctx {
	u64 ctl;
	u64 cval;
	bool line;
	struct hrtimer soft;
	struct keel_vcpu *vcpu;
};

/** struct vtimer_vcpu - src/vtimer's member of struct keel_vcpu: the two timers */
struct vtimer_vcpu {
	struct vtimer_ctx virt;
	struct vtimer_ctx phys;
};

/**
 * struct vtimer_vm - src/vtimer's member of struct keel_vm
 * @voffset: CNTVOFF_EL2: CNTVCT = CNTPCT - @voffset
 * @ppi_virt, @ppi_phys: INTIDs, settable before the first run; under config_lock
 * @fixed: a vCPU has run
 */
struct vtimer_vm {
	u64 voffset;
	u32 ppi_virt;
	u32 ppi_phys;
	bool fixed;
};

/** vtimer_vm_init() - a new VM: its virtual counter starts at 0 */
void vtimer_vm_init(struct keel_vm *vm);

/** vtimer_vcpu_create() - both timers off */
void vtimer_vcpu_create(struct keel_vcpu *vcpu);

/** vtimer_vcpu_destroy() - no callback of this vCPU's timers runs any more */
void vtimer_vcpu_destroy(struct keel_vcpu *vcpu);

/** vtimer_vcpu_reset() - both timers off, their lines down; vCPU not loaded */
void vtimer_vcpu_reset(struct keel_vcpu *vcpu);

/**
 * vtimer_first_run() - tie the PPIs to the vGIC; vm->config_lock held, after vgic_first_run()
 *
 * Return: 0, -EINVAL (both timers have the same PPI).
 */
int vtimer_first_run(struct keel_vcpu *vcpu);

/**
 * vtimer_load() - kernel half: the timer's line, and the host PPI's ACTIVE state, set or cleared
 *
 * Context: interrupts off since vtimer_load_el2(): the host must not take the timer's interrupt
 * before; calls irq_set_irqchip_state().
 */
void vtimer_load(struct keel_vcpu *vcpu);

/** vtimer_flush() - host PPI's ACTIVE state as the vGIC needs it; interrupts off, vCPU loaded */
void vtimer_flush(struct keel_vcpu *vcpu);

/** vtimer_sync() - a line that the guest lowered is lowered in the vGIC; the same */
void vtimer_sync(struct keel_vcpu *vcpu);

/** vtimer_block() / vtimer_unblock() - around a WFI sleep: soft timer instead of CNTV; vCPU put */
void vtimer_block(struct keel_vcpu *vcpu);
void vtimer_unblock(struct keel_vcpu *vcpu);

/** vtimer_host_irq() - the host took the virtual timer's PPI (hard interrupt context) */
void vtimer_host_irq(struct keel_vcpu *vcpu);

/** vtimer_fired_el2() - the same taken in the first tier: to the vGIC, and into the CPU */
void vtimer_fired_el2(struct keel_vcpu *vcpu);

/** vtimer_load_el2() - CNTVOFF and CNTV into the CPU; vtimer_put_el2() - saved, and CNTV off */
void vtimer_load_el2(struct keel_vcpu *vcpu, struct prda *p);
void vtimer_put_el2(struct keel_vcpu *vcpu, struct prda *p);

enum vtimer_reg { VTIMER_CTL, VTIMER_CVAL, VTIMER_TVAL, VTIMER_CNT };

/** vtimer_phys_read() - row handler: trapped read of CNTP_*_EL0 or CNTPCT_EL0; any second tier */
u64 vtimer_phys_read(struct keel_vcpu *vcpu, enum vtimer_reg r);

/** vtimer_phys_write() - row handler: trapped write of CNTP_*_EL0; the counter is read-only */
void vtimer_phys_write(struct keel_vcpu *vcpu, enum vtimer_reg r, u64 val);

/**
 * vtimer_phys_el2() - the same in the first tier
 *
 * Return: true: done; false: a write that arms or disarms, or undefined: the second tier's.
 */
bool vtimer_phys_el2(struct keel_vcpu *vcpu, enum vtimer_reg r, bool write, u64 *val);

/** vtimer_reg_list() - ids of KVM_REG_ARM_TIMER_* and PTIMER_* to @ids (NULL: count them) */
unsigned int vtimer_reg_list(struct keel_vcpu *vcpu, u64 *ids);

/** vtimer_reg_get() - value of one; vCPU not loaded; -ENOENT: not a timer register */
int vtimer_reg_get(struct keel_vcpu *vcpu, u64 id, u64 *val);

/**
 * vtimer_reg_set() - set one; vCPU not loaded; -ENOENT: not a timer register
 *
 * KVM_REG_ARM_TIMER_CNT moves the virtual counter of the whole VM. The physical counter is the
 * host's: KVM_REG_ARM_PTIMER_CNT is accepted and has no effect.
 */
int vtimer_reg_set(struct keel_vcpu *vcpu, u64 id, u64 val);

/**
 * vtimer_set_attr(), vtimer_get_attr(), vtimer_has_attr() - vCPU attributes, group
 * KVM_ARM_VCPU_TIMER_CTRL
 *
 * Return: 0, -ENXIO (no such attribute), -EINVAL (no vGIC, or not a PPI), -EBUSY (a vCPU has run),
 * -EFAULT. Context: vcpu->mutex held.
 */
int vtimer_set_attr(struct keel_vcpu *vcpu, struct kvm_device_attr *attr);
int vtimer_get_attr(struct keel_vcpu *vcpu, struct kvm_device_attr *attr);
int vtimer_has_attr(struct keel_vcpu *vcpu, struct kvm_device_attr *attr);

#endif /* KEEL_VTIMER_H */
