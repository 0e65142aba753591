/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What keel adds to the KVM ABI of <linux/kvm.h>. User space includes this file and nothing else
 * of keel's.
 *
 * All ioctls have magic 0xBE; the numbers come in blocks: 0x00 system, 0x10 pseudo-NMI.
 */
#ifndef _LINUX_KEEL_H
#define _LINUX_KEEL_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define KEELIO 0xBE

/* Changes when something that programs rely on does. */
#define KEEL_API_VERSION 1

/**
 * struct keel_info - what answers behind this node
 * @size: in and out: sizeof(struct keel_info)
 * @flags: in and out: 0
 * @api_version: out: KEEL_API_VERSION of the module
 * @ipa_bits: out: largest size of a guest's physical address space
 * @max_vcpus: out: most vCPUs of one VM
 * @pad: in and out: 0
 * @version: out: the module's version, NUL-terminated text
 * @reserved: in and out: 0
 */
struct keel_info {
	__u32 size;
	__u32 flags;
	__u32 api_version;
	__u32 ipa_bits;
	__u32 max_vcpus;
	__u32 pad;
	char version[32];
	__u64 reserved[8];
};

/**
 * KEEL_INFO - tell keel from in-tree KVM, and which keel it is
 *
 * On /dev/keel and on keel's /dev/kvm. -ENOTTY: the node is not keel's. -EINVAL: @size, @flags,
 * @pad or @reserved is not what this module knows. -EFAULT: bad address.
 */
#define KEEL_INFO _IOWR(KEELIO, 0x00, struct keel_info)

/* Where a vCPU was when it was sampled (keel_pnmi_vcpu.where). */
#define KEEL_PNMI_GUEST	0	/* in the guest, which went on: the values are of that moment */
#define KEEL_PNMI_HOST	1	/* outside: the values are those it will go on with */
#define KEEL_PNMI_OFF	2	/* powered off, or not initialised: the values mean nothing */

/**
 * struct keel_pnmi_vcpu - what one vCPU was doing
 * @vcpu: its id
 * @where: KEEL_PNMI_*
 * @pc: program counter
 * @pstate: PSTATE, as in SPSR_EL2
 * @sp: the stack pointer that PSTATE selects
 * @fp: x29
 * @reserved: 0
 */
struct keel_pnmi_vcpu {
	__u32 vcpu;
	__u32 where;
	__u64 pc;
	__u64 pstate;
	__u64 sp;
	__u64 fp;
	__u64 reserved[2];
};

/**
 * struct keel_pnmi_sample - KEEL_PNMI_SAMPLE
 * @size: in: sizeof(struct keel_pnmi_sample)
 * @flags: in: 0
 * @room: in: elements of the array at @vcpus
 * @nr: out: how many were filled in, or with -E2BIG how many there are
 * @vcpus: in: address of an array of struct keel_pnmi_vcpu
 * @reserved: in: 0
 */
struct keel_pnmi_sample {
	__u32 size;
	__u32 flags;
	__u32 room;
	__u32 nr;
	__u64 vcpus;
	__u64 reserved[4];
};

/**
 * KEEL_PNMI_SAMPLE - where is every vCPU now, without stopping any
 *
 * A vCPU in the guest is asked by a pseudo-NMI, which it answers whatever it has masked; on hosts
 * that have none (parameter pnmi) it leaves the guest for a moment. In order of creation. -EINVAL:
 * @size, @flags or @reserved. -E2BIG: @room. -EAGAIN: the last sample of this VM was less than
 * pnmi_interval microseconds ago (a parameter). -EINTR: a signal that kills came. -EFAULT.
 */
#define KEEL_PNMI_SAMPLE _IOWR(KEELIO, 0x10, struct keel_pnmi_sample)

/**
 * struct keel_pnmi_inject - KEEL_PNMI_INJECT
 * @size: in: sizeof(struct keel_pnmi_inject)
 * @flags: in: 0
 * @vcpu: in: id of the vCPU that shall take it
 * @intid: in: an SGI, a PPI, or an SPI that is routed to that vCPU
 * @reserved: in: 0
 */
struct keel_pnmi_inject {
	__u32 size;
	__u32 flags;
	__u32 vcpu;
	__u32 intid;
	__u64 reserved[4];
};

/**
 * KEEL_PNMI_INJECT - make an interrupt pending above all others
 *
 * Until the guest has finished it, it has the highest priority unless its own is higher than that
 * of every other interrupt of its group: a guest whose kernel masks by priority takes it in its
 * sections that mask interrupts. If the guest has not enabled it, it waits. -EINVAL: @size, @flags,
 * @reserved, @intid, or one that keel itself drives (timers). -ENOENT: no vCPU @vcpu. -ENXIO: the
 * SPI is routed elsewhere. -EBUSY: the VM has no running vGIC yet. -EHOSTDOWN: the vCPU is off.
 */
#define KEEL_PNMI_INJECT _IOW(KEELIO, 0x11, struct keel_pnmi_inject)

#endif /* _LINUX_KEEL_H */
