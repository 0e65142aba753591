/* SPDX-License-Identifier: GPL-2.0 */
/* Among the files of src/run/. */
#ifndef KEEL_RUN_RUN_H
#define KEEL_RUN_RUN_H

#include <keel/el2.h>
#include <keel/run.h>
#include <keel/types.h>

struct keel_vcpu;

/* --- mmio_el2.c: of an access with a syndrome; any context --- */

/** mmio_decode() - what ESR_EL2 says of it; @a->be is left false */
void mmio_decode(struct mmio_access *a, u64 esr, struct ipa ipa);

/** mmio_big_endian() - is the guest's data big-endian; @pstate, @sctlr: its SPSR_EL2, SCTLR_EL1 */
bool mmio_big_endian(u64 pstate, u64 sctlr);

/** mmio_store_value() - the number that a store hands to the device */
u64 mmio_store_value(const struct el2_ctx *ctx, const struct mmio_access *a);

/** mmio_load_value() - the number @v that the device gave, to the register of a load */
void mmio_load_value(struct el2_ctx *ctx, const struct mmio_access *a, u64 v);

/* --- the kernel's --- */

/** run_mmio_finish() - the data of an MMIO read that userspace answered goes to its register */
void run_mmio_finish(struct keel_vcpu *vcpu);

/**
 * run_mmio_short() - the short second tier: a store that a region takes with interrupts off
 *
 * Context: right after a data abort, interrupts off, the vCPU loaded and neither synced nor put.
 * Return: true: done, the guest may go on at once.
 */
bool run_mmio_short(struct keel_vcpu *vcpu);

/**
 * coalesced_write() - put a store into the ring, if its zone is coalesced and there is room
 * @base: address, all @len bytes of it in one zone
 * @data: 8 bytes, as in kvm_run.mmio.data
 *
 * Context: task. Return: it is done; else userspace must be asked.
 */
bool coalesced_write(struct keel_vcpu *vcpu, struct ipa base, unsigned int len, const u8 *data);

#endif /* KEEL_RUN_RUN_H */
