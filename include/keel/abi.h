/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The face of src/abi/: the nodes, and every ioctl of the system, VM, vCPU and device files.
 */
#ifndef KEEL_ABI_H
#define KEEL_ABI_H

#include <linux/fs.h>
#include <linux/kvm.h>
#include <linux/keel.h>

#include <keel/gva.h>

struct keel_vm;
struct keel_vcpu;
struct keel_vm_info;
struct keel_stats;

#define KEEL_VERSION "0.1.0"

/**
 * abi_init() - register the nodes: /dev/keel, and /dev/kvm when it is free and wanted
 *
 * Last step of insmod: user space can create VMs from here on. Return: 0 or -errno.
 */
int abi_init(void);

/** abi_exit() - take the nodes away; no file of keel's is open any more (they hold the module) */
void abi_exit(void);

/* --- among the files of src/abi/ --- */

/**
 * abi_check_extension() - KVM_CHECK_EXTENSION, on the system and on a VM file
 * @cap: KVM_CAP_*
 *
 * Return: the capability's value; 0 for one that is not there, which is never an error.
 */
int abi_check_extension(unsigned long cap);

/** abi_no_compat_ioctl() - 32-bit callers are refused with -EINVAL, as by KVM on arm64 */
long abi_no_compat_ioctl(struct file *file, unsigned int nr, unsigned long arg);

/**
 * abi_vm_create() - KVM_CREATE_VM
 * @type: 0 (40-bit guest physical addresses) or the number of bits
 *
 * Return: the VM's file descriptor, or -errno.
 */
int abi_vm_create(unsigned long type);

/** abi_vcpu_create() - KVM_CREATE_VCPU; takes vm->lock. Return: the vCPU's descriptor or -errno */
int abi_vcpu_create(struct keel_vm *vm, unsigned long id);

/**
 * abi_device_create() - KVM_CREATE_DEVICE
 * @cd: in user space; its fd is filled in on success
 *
 * Context: takes vm->lock. Return: 0 or -errno.
 */
int abi_device_create(struct keel_vm *vm, struct kvm_create_device __user *cd);

/** abi_stats_init() - make the descriptors; the exit table is complete. Return: 0 or -ENOMEM */
int abi_stats_init(void);

/** abi_stats_exit() - free them */
void abi_stats_exit(void);

/** abi_stats_vm() - KVM_GET_STATS_FD on a VM. Return: a descriptor that keeps the VM, or -errno */
int abi_stats_vm(struct keel_vm *vm);

/** abi_stats_vcpu() - KVM_GET_STATS_FD on a vCPU. Return: the same */
int abi_stats_vcpu(struct keel_vcpu *vcpu);

/**
 * abi_stats_observed() - KEEL_STATS_FD
 * @args: checked here
 *
 * Return: a descriptor that does not keep the VM, -EINVAL, -ENOENT (no such vCPU), -EMFILE,
 * -ENOMEM.
 */
int abi_stats_observed(struct keel_vm *vm, const struct keel_stats *args);

/* Is the beginning or the end of an argument of keel's own (a pointer) not what it has to be? */
#define abi_bad_argument(a)							\
	((a)->size != sizeof(*(a)) || (a)->flags ||				\
	 memchr_inv((a)->reserved, 0, sizeof((a)->reserved)))

/**
 * abi_next_vm() - KEEL_NEXT_VM
 * @info: its id says above which; filled in
 *
 * Context: may sleep, and may be who ends a VM. Return: 0, -EINVAL, -ENOENT.
 */
int abi_next_vm(struct keel_vm_info *info);

/** abi_open_vm() - KEEL_OPEN_VM. Return: a descriptor, -ENOENT, -EPERM, -EMFILE, -ENOMEM */
int abi_open_vm(unsigned long id);

/**
 * abi_observed_vm() - the VM of an observer, with a reference for the time of one call
 *
 * No user memory may be touched with it: a page fault can take for ever, and the VM's end would
 * wait. Return: the VM; -ENODEV: it has ended; -EPERM: it does not want to be observed.
 */
struct keel_vm *abi_observed_vm(u32 id);

/**
 * abi_vm_keel_ioctl() - an ioctl of keel's own on a VM file
 *
 * Those that stand in the table of src/abi/observer.c, which work on an observer file too.
 * Return: as the ioctl; -ENOTTY: there is none of that number.
 */
long abi_vm_keel_ioctl(struct keel_vm *vm, unsigned int nr, unsigned long arg);

/** struct abi_backdoor_open - its argument, and whether it came by an observer file */
struct abi_backdoor_open {
	struct keel_backdoor_open args;
	bool observer;
};

/**
 * abi_backdoor_open() - KEEL_BACKDOOR_OPEN, for the table of src/abi/observer.c
 * @arg: struct abi_backdoor_open; the arguments are checked here
 *
 * Return: a descriptor that does not keep the VM, or an error of <linux/keel.h>, -EMFILE, -ENOMEM.
 */
long abi_backdoor_open(struct keel_vm *vm, void *arg);

/* What a call on a VM returns that has to go on, see src/abi/observer.c; no errno, no descriptor */
#define ABI_AGAIN	LONG_MIN

/** struct abi_vcpu_regs - of KEEL_VCPU_REGS */
struct abi_vcpu_regs {
	struct keel_vcpu_regs args;
};

/** abi_vcpu_regs() - KEEL_VCPU_REGS, for the table of src/abi/observer.c. 0, or its errors */
long abi_vcpu_regs(struct keel_vm *vm, void *arg);

/** struct abi_gva_translate - of KEEL_GVA_TRANSLATE; @lookup begins with its argument */
struct abi_gva_translate {
	struct gva_lookup lookup;
};

/** struct abi_gva_scan - of KEEL_GVA_SCAN; @pause: the vCPU's own thread was taken out for it */
struct abi_gva_scan {
	struct gva_scan scan;
	bool pause;
};

/** struct abi_gva_read - of KEEL_GVA_READ */
struct abi_gva_read {
	struct gva_copy copy;
	bool pause;
};

/*
 * abi_gva_*() - KEEL_GVA_*, for that table; @arg: the struct of that name
 *
 * Return: 0, ABI_AGAIN, or the errors of <linux/keel.h>; _wait(): 0 or -EINTR; _finish():
 * what the ioctl returns.
 */
long abi_gva_translate(struct keel_vm *vm, void *arg);
long abi_gva_translate_wait(void *arg);
long abi_gva_scan(struct keel_vm *vm, void *arg);
long abi_gva_scan_wait(void *arg);
long abi_gva_scan_finish(void *arg, long ret);
long abi_gva_read(struct keel_vm *vm, void *arg);
long abi_gva_read_wait(void *arg);
long abi_gva_read_finish(void *arg, long ret);

/** abi_eventfd_init() - make the workqueue that detaches eventfds. Return: 0 or -ENOMEM */
int abi_eventfd_init(void);

/** abi_eventfd_exit() - free it */
void abi_eventfd_exit(void);

/**
 * abi_irqfd() - KVM_IRQFD: tie an eventfd to an SPI, or part them
 * @args: gsi is the SPI's number, INTID - 32; flags 0 or KVM_IRQFD_FLAG_DEASSIGN
 *
 * Context: takes vm->lock. Return: 0, -EAGAIN (vGIC not initialised), -EINVAL (flags, gsi, no
 * eventfd), -EBADF, -EBUSY (the eventfd drives an interrupt already), -ENOMEM.
 */
int abi_irqfd(struct keel_vm *vm, const struct kvm_irqfd *args);

/**
 * abi_ioeventfd() - KVM_IOEVENTFD: signal an eventfd on a guest's store, or cease to
 * @args: len 0 (any), 1, 2, 4 or 8 bytes
 *
 * Context: takes vm->lock. Return: 0, -EINVAL (length, flags, range, no eventfd), -EBADF,
 * -EEXIST (one store could match two), -ENOENT (deassign: none such), -ENOSPC, -ENOMEM.
 */
int abi_ioeventfd(struct keel_vm *vm, const struct kvm_ioeventfd *args);

/** abi_eventfd_release() - the VM file is closed: detach every irqfd and ioeventfd; may sleep */
void abi_eventfd_release(struct keel_vm *vm);

/**
 * abi_reg_list() - KVM_GET_REG_LIST
 * @list: in user space: its n is the room for ids on entry, and the number of ids on return
 *
 * Context: vcpu->mutex held, vCPU initialised, not loaded. Return: 0, -E2BIG (no room), -EFAULT.
 */
int abi_reg_list(struct keel_vcpu *vcpu, struct kvm_reg_list __user *list);

/**
 * abi_one_reg_get() - KVM_GET_ONE_REG
 * @reg: copied from user space; reg->addr still points there
 *
 * Context: as abi_reg_list(). Return: 0, -ENOENT (no such register), -EINVAL (size), -EFAULT.
 */
int abi_one_reg_get(struct keel_vcpu *vcpu, const struct kvm_one_reg *reg);

/**
 * abi_one_reg_set() - KVM_SET_ONE_REG
 * @reg: as for abi_one_reg_get()
 *
 * Context: as abi_reg_list(). Return: as abi_one_reg_get(), and -EINVAL for a value that cannot
 * be, -EBUSY for one that is fixed after the first run.
 */
int abi_one_reg_set(struct keel_vcpu *vcpu, const struct kvm_one_reg *reg);

#endif /* KEEL_ABI_H */
