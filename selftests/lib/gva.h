/* SPDX-License-Identifier: GPL-2.0 */
/* Guest virtual addresses: the calls of an observer, and comparison with a walk of the test's. */
#ifndef SELFTESTS_GVA_H
#define SELFTESTS_GVA_H

#include <linux/keel.h>

#include "stage1.h"

/**
 * gva_translate() - KEEL_GVA_TRANSLATE
 * @fd: VM or observer file
 * @vcpu: id
 * @gva: address
 * @access: KEEL_GVA_*
 * @t: filled in
 *
 * Return: 0 or -errno
 */
int gva_translate(int fd, u32 vcpu, u64 gva, u32 access, struct keel_gva_translate *t);

/**
 * gva_read() - KEEL_GVA_READ
 * @fd: VM or observer file
 * @vcpu: id
 * @gva: address
 * @buffer: where to
 * @length: bytes
 * @r: filled in
 *
 * Return: 0 or -errno
 */
int gva_read(int fd, u32 vcpu, u64 gva, void *buffer, u64 length, struct keel_gva_read *r);

/**
 * gva_regs() - KEEL_VCPU_REGS
 * @fd: VM or observer file
 * @vcpu: id
 * @regs: filled in
 *
 * Return: 0 or -errno
 */
int gva_regs(int fd, u32 vcpu, struct keel_vcpu_regs *regs);

/**
 * gva_stage1() - the translation that a vCPU's registers describe
 * @regs: from gva_regs()
 * @pa_bits: of the guest's CPU
 * @s: filled in; it has no memory yet
 */
void gva_stage1(const struct keel_vcpu_regs *regs, u32 pa_bits, struct stage1 *s);

/**
 * struct gva_scan - a scan of a range, by as many calls as it takes
 * @call: the last call; @flags, @start, @last, @need and @deny are set before
 * @runs: what was found, from malloc()
 * @nr: how many
 * @calls: how many calls it took
 * @sum: statistics of all of them, else as @call
 */
struct gva_scan {
	struct keel_gva_scan call;
	struct keel_gva_run *runs;
	u32 nr;
	u32 calls;
	struct keel_gva_scan sum;
};

/**
 * gva_scan() - scan to the end
 * @fd: VM or observer file
 * @vcpu: id
 * @room: of the array of each call
 * @scan: filled in
 *
 * A call's statistics and results are checked for what is always so. Runs stay as they came: one
 * that was cut off by a call's end goes on in the next one.
 *
 * Return: 0 or -errno of the call that failed
 */
int gva_scan(int fd, u32 vcpu, u32 room, struct gva_scan *scan);

/**
 * gva_join() - put runs together that were cut off by a call's end
 * @scan: done
 */
void gva_join(struct gva_scan *scan);

/**
 * gva_same() - compare what was found with what there is
 * @got: found
 * @want: walked
 * @counts: the counts too: the calls' ends have cost no AT
 *
 * Shows the first differences.
 *
 * Return: true if there is none
 */
bool gva_same(const struct gva_scan *got, const struct stage1_scan *want, bool counts);

/**
 * gva_check() - scan everything twice, and in software, and compare with a walk of the test's
 * @fd: VM or observer file
 * @vcpu: id
 * @s: the vCPU's translation
 *
 * Return: true if there is no difference
 */
bool gva_check(int fd, u32 vcpu, const struct stage1 *s);

#endif
