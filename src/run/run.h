/* SPDX-License-Identifier: GPL-2.0 */
/* Among the files of src/run/. */
#ifndef KEEL_RUN_RUN_H
#define KEEL_RUN_RUN_H

#include <keel/types.h>

struct keel_vcpu;

/** run_mmio_finish() - the data of an MMIO read that userspace answered goes to its register */
void run_mmio_finish(struct keel_vcpu *vcpu);

/**
 * coalesced_write() - put a store into the ring, if its zone is coalesced and there is room
 * @base: address, all @len bytes of it in one zone
 * @data: 8 bytes, as in kvm_run.mmio.data
 *
 * Context: task. Return: it is done; else userspace must be asked.
 */
bool coalesced_write(struct keel_vcpu *vcpu, struct ipa base, unsigned int len, const u8 *data);

#endif /* KEEL_RUN_RUN_H */
