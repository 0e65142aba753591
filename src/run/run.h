/* SPDX-License-Identifier: GPL-2.0 */
/* Among the files of src/run/. */
#ifndef KEEL_RUN_RUN_H
#define KEEL_RUN_RUN_H

struct keel_vcpu;

/** run_mmio_finish() - the data of an MMIO read that userspace answered goes to its register */
void run_mmio_finish(struct keel_vcpu *vcpu);

#endif /* KEEL_RUN_RUN_H */
