/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The face of src/pnmi/: the pseudo-NMI between CPUs. A doorbell only says that something is new for
 * the vCPU that runs on a CPU; it is answered at EL2, and the guest goes on.
 */
#ifndef KEEL_PNMI_H
#define KEEL_PNMI_H

#include <linux/types.h>

struct keel_vcpu;

/**
 * pnmi_ring_el2() - make @to look at its queues, without leaving the guest
 *
 * What it shall find is written before, under a lock that it takes or in front of a full barrier.
 * Context: any, at EL2 and in the kernel. Return: false if it is not in the guest, or this host has
 * no doorbell that EL2 may answer: vcpu_request() then.
 */
bool pnmi_ring_el2(struct keel_vcpu *to);

/** pnmi_irq_el2() - first tier of the interrupt row: keel's own interrupts, by their number */
bool pnmi_irq_el2(struct keel_vcpu *vcpu);

#endif /* KEEL_PNMI_H */
