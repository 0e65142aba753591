/* SPDX-License-Identifier: GPL-2.0 */
/* keelctl top: which thread of a VMM runs a vCPU, and how much CPU time threads have had. */
#ifndef KEELCTL_THREADS_H
#define KEELCTL_THREADS_H

#include "node.h"

/**
 * struct thread - a thread of a VMM
 * @tid: its id
 * @vcpu: the vCPU that it runs, or THREAD_NO_VCPU
 * @cpu: host CPU it was last on
 * @state: of /proc/PID/stat
 * @ns: CPU time it has had
 * @name: its name
 */
struct thread {
	u32 tid;
	s64 vcpu;
	int cpu;
	char state;
	u64 ns;
	char name[20];
};

#define THREAD_NO_VCPU	-1

/**
 * struct threads - all threads of a VMM
 * @nr: how many
 * @thread: they
 */
struct threads {
	size_t nr;
	struct thread *thread;
};

/**
 * threads_read() - look at a VMM, and see which vCPUs its threads run
 * @t: filled in, to be freed
 * @before: what was known of it the last time; NULL: nothing
 * @vm: the VM
 * @observer: its observer file
 * @alone: no other VM is in the same process
 *
 * A vCPU is told by its thread's name, as QEMU gives them; or by the file that a thread is in
 * KVM_RUN with; or by being the only thread that runs on the host CPU where the vCPU is loaded.
 * The first two know vCPUs by their numbers only, which two VMs of a process may both have.
 */
void threads_read(struct threads *t, const struct threads *before, const struct keel_vm_info *vm,
		  int observer, bool alone);

/**
 * threads_vcpu() - CPU time that the thread of a vCPU has had since it was looked at before
 * @t: of threads_read()
 * @before: what was given to it
 * @vcpu: its id
 * @ns: filled in
 *
 * Return: false: it is not known which thread that is, or it is new.
 */
bool threads_vcpu(const struct threads *t, const struct threads *before, u32 vcpu, u64 *ns);

/**
 * threads_free() - forget them
 * @t: of threads_read()
 */
void threads_free(struct threads *t);

#endif
