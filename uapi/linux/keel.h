/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What keel adds to the KVM ABI of <linux/kvm.h>. User space includes this file and nothing else
 * of keel's.
 *
 * All ioctls have magic 0xBE; the numbers come in blocks: 0x00 system.
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

#endif /* _LINUX_KEEL_H */
