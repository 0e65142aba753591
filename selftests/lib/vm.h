/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small VMM for tests, over the KVM ABI. Functions without a result end the case as failed when
 * the kernel refuses; tests of errors use the file descriptors directly.
 */
#ifndef SELFTESTS_VM_H
#define SELFTESTS_VM_H

#include <linux/kvm.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/ioctl.h>

#include "ktap.h"
#include "report.h"

#define VM_MAX_VCPUS	64

/* ONE_REG ids: a core register by its member of struct kvm_regs, a system register by encoding. */
#define REG_CORE(m) \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | KVM_REG_ARM_CORE_REG(m))
#define REG_X(n)	(REG_CORE(regs.regs[0]) + 2 * (n))
#define REG_PC		REG_CORE(regs.pc)
#define REG_PSTATE	REG_CORE(regs.pstate)
#define REG_SYS(op0, op1, crn, crm, op2) ARM64_SYS_REG(op0, op1, crn, crm, op2)
#define REG_MPIDR	REG_SYS(3, 0, 0, 0, 5)

/* Headers older than Linux 6.7 lack this one. */
#ifndef KVM_SET_USER_MEMORY_REGION2
#define KVM_CAP_USER_MEMORY2 231
#define KVM_SET_USER_MEMORY_REGION2 \
	_IOW(KVMIO, 0x49, struct kvm_userspace_memory_region2)
struct kvm_userspace_memory_region2 {
	__u32 slot;
	__u32 flags;
	__u64 guest_phys_addr;
	__u64 memory_size;
	__u64 userspace_addr;
	__u64 guest_memfd_offset;
	__u32 guest_memfd;
	__u32 pad1;
	__u64 pad2[14];
};
#endif

struct vm;

/**
 * struct vcpu - a virtual CPU
 * @vm: its VM
 * @id: its number
 * @fd: vCPU file descriptor
 * @run: the shared page
 * @thread: the thread that vm_start() made for it
 * @stop: the thread is to end
 */
struct vcpu {
	struct vm *vm;
	int id;
	int fd;
	struct kvm_run *run;
	pthread_t thread;
	bool stop;
};

/**
 * struct vm - a virtual machine
 * @fd: VM file descriptor
 * @gic: vGICv3 device, -1 without one
 * @ram: mapping of the memslot at RAM_IPA
 * @nr_vcpus: how many of @vcpus exist
 * @vcpus: the vCPUs
 * @exit: called on an exit that is no report; true: it is dealt with, the guest goes on
 * @fault: called when KVM_RUN gives EFAULT; true: try again
 * @sync: called on SYNC in a thread of vm_start()
 * @done: value of the first DONE of any vCPU thread
 * @finished: one vCPU thread has seen the guest's end
 * @over: posted then
 */
struct vm {
	int fd;
	int gic;
	void *ram;
	int nr_vcpus;
	struct vcpu vcpus[VM_MAX_VCPUS];
	bool (*exit)(struct vcpu *vcpu);
	bool (*fault)(struct vcpu *vcpu);
	void (*sync)(struct vcpu *vcpu, u64 value);
	u64 done;
	bool finished;
	sem_t over;
};

/**
 * struct report - what a guest said
 * @kind: REPORT_SYNC or REPORT_DONE; 0 when the exit was something else
 * @interrupted: KVM_RUN gave EINTR
 * @value: its value
 */
struct report {
	u32 kind;
	bool interrupted;
	u64 value;
};

/* A guest linked into the program: GUEST(run_ten) names guests/run_ten. */
#define GUEST_DECLARE(name) \
	extern const char guest_##name[], guest_##name##_end[]

/**
 * kvm_node() - the device under test
 *
 * Return: path from KEEL_DEV, else /dev/keel, else /dev/kvm.
 */
const char *kvm_node(void);

/**
 * kvm_is_keel() - is the device under test keel's?
 *
 * Return: true when /dev/keel exists: then /dev/kvm is keel's too, for in-tree KVM is off.
 */
bool kvm_is_keel(void);

/**
 * keel_parameter() - a parameter of the module that is loaded
 * @name: its name
 *
 * Return: Y and N as 1 and 0, or the number; -1 without keel
 */
long keel_parameter(const char *name);

/**
 * keel_parameter_set() - set one that can be set while the module is loaded
 * @name: its name
 * @value: number; put the old one back afterwards
 */
void keel_parameter_set(const char *name, long value);

/**
 * kvm_open() - open the device under test
 *
 * Return: a file descriptor; ends the case without one.
 */
int kvm_open(void);

/**
 * kvm_stats_open() - KVM_GET_STATS_FD
 * @fd: VM, or vCPU that does not run (the call would wait)
 *
 * Return: a file descriptor for kvm_stat(), at any time
 */
int kvm_stats_open(int fd);

/**
 * kvm_stat() - read a counter
 * @stats: from kvm_stats_open()
 * @name: of the counter; ends the case if there is none
 *
 * Return: its value now
 */
u64 kvm_stat(int stats, const char *name);

/**
 * vm_create() - a VM of default type, without memory or vCPUs
 * @vm: filled in
 */
void vm_create(struct vm *vm);

/**
 * vm_create_type() - a VM without memory or vCPUs
 * @vm: filled in
 * @type: as for KVM_CREATE_VM: 0, or bits of its physical address space
 */
void vm_create_type(struct vm *vm, unsigned long type);

/**
 * vm_create_guest() - a VM with RAM, a guest image and vCPUs, without interrupt controller
 * @vm: filled in
 * @image: guest, linked at RAM_IPA
 * @end: its end
 * @nr_vcpus: vCPU 0 starts at RAM_IPA, the others wait for PSCI
 */
void vm_create_guest(struct vm *vm, const char *image, const char *end, int nr_vcpus);

/**
 * vm_add_guest() - what vm_create_guest() adds to a VM that vm_create_type() has made
 * @vm: the VM
 * @image: guest, linked at RAM_IPA
 * @end: its end
 * @nr_vcpus: vCPU 0 starts at RAM_IPA, the others wait for PSCI
 */
void vm_add_guest(struct vm *vm, const char *image, const char *end, int nr_vcpus);

/**
 * vm_memslot() - set a memslot
 * @vm: the VM
 * @slot: its number
 * @flags: KVM_MEM_*
 * @ipa: where the guest sees it
 * @size: bytes, 0 removes it
 * @hva: mapping
 *
 * Return: of the ioctl
 */
int vm_memslot(struct vm *vm, u32 slot, u32 flags, u64 ipa, u64 size, void *hva);

/**
 * vm_gic_create() - create and initialise the vGICv3, after the vCPUs
 * @vm: the VM
 * @nr_irqs: INTIDs, a multiple of 32
 */
void vm_gic_create(struct vm *vm, u32 nr_irqs);

/**
 * vm_gic_attr() - read or write a device attribute
 * @vm: the VM
 * @set: write
 * @group: KVM_DEV_ARM_VGIC_GRP_*
 * @attr: attribute
 * @value: pointer to the value
 *
 * Return: of the ioctl
 */
int vm_gic_attr(struct vm *vm, bool set, u32 group, u64 attr, void *value);

/**
 * vm_irq_line() - set the level of an interrupt line
 * @vm: the VM
 * @type: KVM_ARM_IRQ_TYPE_*
 * @cpu: vCPU for a PPI
 * @intid: interrupt
 * @level: 0 or 1
 *
 * Return: of the ioctl
 */
int vm_irq_line(struct vm *vm, u32 type, u32 cpu, u32 intid, int level);

/**
 * vm_destroy() - close everything
 * @vm: the VM
 */
void vm_destroy(struct vm *vm);

/**
 * vm_start() - run every vCPU in a thread of its own until the guest says DONE
 * @vm: the VM
 */
void vm_start(struct vm *vm);

/**
 * vm_stop() - end the threads of vm_start()
 * @vm: the VM
 */
void vm_stop(struct vm *vm);

/**
 * vm_wait() - wait until the guest says DONE, then end the threads of vm_start()
 * @vm: the VM
 *
 * Return: value of DONE
 */
u64 vm_wait(struct vm *vm);

/**
 * vm_finish() - let vm_wait() return, as if the guest had said DONE
 * @vm: the VM
 * @value: its result, unless it is over already
 */
void vm_finish(struct vm *vm, u64 value);

/**
 * vcpu_create() - create a vCPU without initialising it
 * @vm: the VM
 * @id: its number
 *
 * Return: the vCPU
 */
struct vcpu *vcpu_create(struct vm *vm, int id);

/**
 * vcpu_init() - KVM_ARM_VCPU_INIT with the preferred target and PSCI 0.2
 * @vcpu: the vCPU
 * @power_off: it waits for PSCI CPU_ON
 */
void vcpu_init(struct vcpu *vcpu, bool power_off);

/**
 * vcpu_get() - read a 64-bit register
 * @vcpu: the vCPU
 * @id: REG_*
 *
 * Return: its value
 */
u64 vcpu_get(struct vcpu *vcpu, u64 id);

/**
 * vcpu_set() - write a 64-bit register
 * @vcpu: the vCPU
 * @id: REG_*
 * @value: its value
 */
void vcpu_set(struct vcpu *vcpu, u64 id, u64 value);

/**
 * vcpu_start_at() - set what the guest's entry code looks at
 * @vcpu: the vCPU
 * @pc: first instruction
 * @x0: argument
 */
void vcpu_start_at(struct vcpu *vcpu, u64 pc, u64 x0);

/**
 * vcpu_run() - one KVM_RUN
 * @vcpu: the vCPU
 *
 * Return: 0 or -errno
 */
int vcpu_run(struct vcpu *vcpu);

/**
 * vcpu_complete() - finish the MMIO access of the last exit without entering the guest
 * @vcpu: the vCPU
 *
 * Until then its registers are not those after the access (KVM's api.rst, KVM_EXIT_MMIO).
 */
void vcpu_complete(struct vcpu *vcpu);

/**
 * vcpu_run_report() - run until SYNC, DONE or an exit that is no report
 * @vcpu: the vCPU
 *
 * PRINT is shown, ASSERT ends the case as failed, other exits go to @vcpu->vm->exit.
 *
 * Return: the report; kind 0 for another exit, see @vcpu->run
 */
struct report vcpu_run_report(struct vcpu *vcpu);

/**
 * vcpu_run_sync() - run until SYNC; any other exit ends the case as failed
 * @vcpu: the vCPU
 *
 * Return: its value
 */
u64 vcpu_run_sync(struct vcpu *vcpu);

/**
 * vcpu_run_done() - run until DONE; any other exit ends the case as failed
 * @vcpu: the vCPU
 *
 * Return: its value
 */
u64 vcpu_run_done(struct vcpu *vcpu);

/**
 * vcpu_bad_exit() - end the case as failed because of an exit nobody expected
 * @vcpu: the vCPU
 */
void vcpu_bad_exit(struct vcpu *vcpu) __noreturn;

/**
 * vm_ptr() - where guest RAM is mapped
 * @vm: the VM
 * @ipa: an address in the memslot at RAM_IPA
 *
 * Return: pointer; ends the case if @ipa is outside
 */
void *vm_ptr(struct vm *vm, u64 ipa);

#endif
