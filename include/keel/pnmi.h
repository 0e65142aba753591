/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The face of src/pnmi/: the pseudo-NMI between CPUs. A doorbell says that something is new for the
 * vCPU that runs on a CPU, or that somebody wants to know where it is; it is answered at EL2, and
 * the guest goes on.
 */
#ifndef KEEL_PNMI_H
#define KEEL_PNMI_H

#include <linux/mutex.h>
#include <linux/types.h>

struct keel_vm;
struct keel_vcpu;
struct keel_pnmi_inject;
struct keel_pnmi_sample;
struct keel_pnmi_vcpu;

/**
 * struct pnmi_vcpu - src/pnmi's member of struct keel_vcpu: the sample of a vCPU in the guest
 * @want: number of the sample that is asked for
 * @have: number of the one that is here; @want and @have are equal when nothing is asked
 * @pc, @pstate, @sp, @fp: the sample
 */
struct pnmi_vcpu {
	u32 want;
	u32 have;
	u64 pc;
	u64 pstate;
	u64 sp;
	u64 fp;
};

/**
 * struct pnmi_vm - src/pnmi's member of struct keel_vm
 * @lock: one sample at a time
 * @last: CLOCK_MONOTONIC at the last one, in ns
 */
struct pnmi_vm {
	struct mutex lock;	/* one sample at a time */
	u64 last;
};

/** pnmi_irq_el2() - first tier of the interrupt row: keel's own interrupts, by their number */
bool pnmi_irq_el2(struct keel_vcpu *vcpu);

/** pnmi_vm_init() - of a new VM */
void pnmi_vm_init(struct keel_vm *vm);

/**
 * pnmi_sample() - KEEL_PNMI_SAMPLE
 * @s: checked here; its nr is filled in, also for -E2BIG
 *
 * Context: task, may sleep; touches no user memory. Return: @s->nr elements, for kvfree(), or
 * ERR_PTR of the errors in <linux/keel.h>, -ENOMEM.
 */
struct keel_pnmi_vcpu *pnmi_sample(struct keel_vm *vm, struct keel_pnmi_sample *s);

/** pnmi_inject() - KEEL_PNMI_INJECT; @in is checked here; task. Return: errors of <linux/keel.h> */
int pnmi_inject(struct keel_vm *vm, const struct keel_pnmi_inject *in);

#endif /* KEEL_PNMI_H */
