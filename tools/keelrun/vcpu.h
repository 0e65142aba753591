/* SPDX-License-Identifier: GPL-2.0 */
/* The vCPUs: a thread each. */
#ifndef KEELRUN_VCPU_H
#define KEELRUN_VCPU_H

#include <pthread.h>

#include "util.h"

struct vm;

/* Exit reasons counted one by one; a larger one counts as the last. */
#define VCPU_EXITS	48

/**
 * struct vcpu - a virtual CPU
 * @vm: its VM
 * @index: its number in the VM
 * @fd: its descriptor
 * @run: the page shared with the kernel
 * @run_size: bytes of it
 * @mpidr: its affinity, as the device tree names it
 * @thread: what runs it
 * @exits: how often KVM_RUN ended, by exit reason
 */
struct vcpu {
	struct vm *vm;
	unsigned int index;
	int fd;
	struct kvm_run *run;
	size_t run_size;
	u64 mpidr;
	pthread_t thread;
	u64 exits[VCPU_EXITS];
};

/**
 * vcpus_create() - create and initialise the vCPUs of a VM, or die
 * @vm: a VM that knows its nr_vcpus
 */
void vcpus_create(struct vm *vm);

/**
 * vcpus_start() - begin to run the guest
 * @vm: the VM
 * @entry: where vCPU 0 starts; the others wait for PSCI CPU_ON
 * @arg: its x0
 */
void vcpus_start(struct vm *vm, u64 entry, u64 arg);

/**
 * vcpus_join() - end the vCPU threads
 * @vm: a VM that vm_stop() has stopped
 */
void vcpus_join(struct vm *vm);

/**
 * vcpus_destroy() - close the vCPUs
 * @vm: the VM
 */
void vcpus_destroy(struct vm *vm);

#endif
