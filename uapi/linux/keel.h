/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What keel adds to the KVM ABI of <linux/kvm.h>. User space includes this file and nothing else
 * of keel's.
 *
 * All ioctls have magic 0xBE; the numbers come in blocks: 0x00 system, 0x10 pseudo-NMI, 0x20
 * backdoor, 0x30 guest virtual addresses, 0x40 power and performance.
 *
 * A struct begins with its own size and with flags, of which most have none yet; what is flags, pad
 * or reserved is 0, both ways. If one of them is not what this module knows: -EINVAL.
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

/* Room for a VM's name with its NUL. */
#define KEEL_NAME_SIZE 64

/**
 * struct keel_vm_info - a VM that the caller may observe
 * @size: in and out: sizeof(struct keel_vm_info)
 * @flags: in and out: 0
 * @id: in: any number; out: the id of the VM, which no other gets while the module is loaded
 * @nr_vcpus: out: how many vCPUs it has
 * @uid: out: the creator's user, in the caller's user namespace
 * @gid: out: and group
 * @tgid: out: the process that made it, in the caller's PID namespace; 0: not there, or gone
 * @pad: in and out: 0
 * @age: out: ns since it was made, suspend included
 * @memory: out: bytes of all its memory slots
 * @name: out: printable ASCII, NUL-terminated; unless KEEL_SET_NAME gave another, the name of the
 *	thread that made it, what is not printable as '?'
 * @reserved: in and out: 0
 */
struct keel_vm_info {
	__u32 size;
	__u32 flags;
	__u32 id;
	__u32 nr_vcpus;
	__u32 uid;
	__u32 gid;
	__u32 tgid;
	__u32 pad;
	__u64 age;
	__u64 memory;
	char name[KEEL_NAME_SIZE];
	__u64 reserved[8];
};

/**
 * KEEL_NEXT_VM - the VM with the lowest id above @id that the caller may observe
 *
 * On the system file; id 0 begins. -ENOENT: there is none. -EINVAL, -EFAULT as KEEL_INFO.
 */
#define KEEL_NEXT_VM _IOWR(KEELIO, 0x01, struct keel_vm_info)

/**
 * KEEL_OPEN_VM - an observer file of a VM
 *
 * On the system file; the argument is the id. Returns a descriptor, close-on-exec. It holds the
 * module, never the VM, which ends with the last of the VM's own descriptors: then every ioctl
 * fails with -ENODEV, and poll() reports POLLHUP and wakes up.
 *
 * Who may: a caller whose uid and gid are the real, effective and saved ids that the VM's creator
 * had, in the same user namespace, as long as the VMM is dumpable (prctl(2), PR_SET_DUMPABLE); or
 * one with CAP_SYS_PTRACE in the creator's user namespace. Nobody, where KEEL_OBSERVE says so.
 * -ENOENT: no such VM. -EPERM: not this caller.
 */
#define KEEL_OPEN_VM _IO(KEELIO, 0x02)

/**
 * struct keel_vm_name - for KEEL_SET_NAME
 * @size: sizeof(struct keel_vm_name)
 * @flags: 0
 * @name: from 1 to KEEL_NAME_SIZE - 1 characters of printable ASCII, NUL-terminated
 */
struct keel_vm_name {
	__u32 size;
	__u32 flags;
	char name[KEEL_NAME_SIZE];
};

/**
 * KEEL_SET_NAME - name the VM, for people; two VMs may have the same
 *
 * On a VM file. -EINVAL: @size, @flags or @name. -EFAULT: bad address.
 */
#define KEEL_SET_NAME _IOW(KEELIO, 0x03, struct keel_vm_name)

/**
 * KEEL_OBSERVE - may the VM be observed?
 *
 * On a VM file; the argument is 1 (as it begins) or 0, else -EINVAL. 0: nobody can list or open it,
 * whatever his capabilities, and on observer files that are open every ioctl fails with -EPERM.
 */
#define KEEL_OBSERVE _IO(KEELIO, 0x04)

/* Where a vCPU was when it was looked at (keel_vcpu_info.state). */
#define KEEL_VCPU_OUTSIDE	0	/* no thread is in KVM_RUN */
#define KEEL_VCPU_GUEST		1	/* runs in the guest */
#define KEEL_VCPU_HOST		2	/* in KVM_RUN, in the kernel */
#define KEEL_VCPU_BLOCKED	3	/* in KVM_RUN, sleeps in a WFI */
#define KEEL_VCPU_OFF		4	/* waits to be switched on (PSCI, KVM_SET_MP_STATE) */
#define KEEL_VCPU_SUSPENDED	5	/* KVM_MP_STATE_SUSPENDED */

/**
 * struct keel_vcpu_info - a vCPU at a glance, while it runs
 * @size: in and out: sizeof(struct keel_vcpu_info)
 * @flags: in and out: 0
 * @index: in and out: from 0, in order of creation
 * @id: out: KVM_CREATE_VCPU's
 * @state: out: KEEL_VCPU_*
 * @cpu: out: host CPU on which it is loaded, or -1
 * @exits: out: exits to the kernel
 * @exits_el2: out: exits answered at EL2
 * @reserved: in and out: 0
 */
struct keel_vcpu_info {
	__u32 size;
	__u32 flags;
	__u32 index;
	__u32 id;
	__u32 state;
	__s32 cpu;
	__u64 exits;
	__u64 exits_el2;
	__u64 reserved[4];
};

/**
 * KEEL_VCPU_INFO - look at a vCPU
 *
 * On a VM file and an observer file. -ENOENT: fewer vCPUs. -EINVAL, -EFAULT as KEEL_INFO.
 */
#define KEEL_VCPU_INFO _IOWR(KEELIO, 0x05, struct keel_vcpu_info)

/* keel_stats.vcpu: statistics of the VM itself */
#define KEEL_STATS_VM	0xffffffffu

/**
 * struct keel_stats - for KEEL_STATS_FD
 * @size: sizeof(struct keel_stats)
 * @flags: 0
 * @vcpu: a vCPU's id, or KEEL_STATS_VM
 * @pad: 0
 * @reserved: 0
 */
struct keel_stats {
	__u32 size;
	__u32 flags;
	__u32 vcpu;
	__u32 pad;
	__u64 reserved[2];
};

/**
 * KEEL_STATS_FD - KVM_GET_STATS_FD for observers
 *
 * On a VM file and an observer file. Returns a descriptor, close-on-exec, of a file in the format
 * of KVM_GET_STATS_FD that does not keep the VM: after its end read() fails with -ENODEV, and
 * with -EPERM while KEEL_OBSERVE is 0. -ENOENT: no such vCPU. -EINVAL, -EFAULT as KEEL_INFO.
 */
#define KEEL_STATS_FD _IOW(KEELIO, 0x06, struct keel_stats)

/*
 * What guests can be offered beyond their architecture; all of it is off until it is switched on,
 * by KEEL_HOOKS or, for new VMs, by the parameter hooks. The backdoor is VMware's: a call names an
 * x86 I/O instruction in W7, and parameters in X0 to X6 (Documentation/backdoor.md). Its doors:
 */
#define KEEL_HOOK_BACKDOOR_DCC	0x1	/* MRS XZR, MDCCSR_EL0 with 0x86 in X7<63:32> */
#define KEEL_HOOK_BACKDOOR_BRK	0x2	/* BRK #0x86 */
#define KEEL_HOOK_BACKDOOR_HVC	0x4	/* HVC #0x86, at EL1 only */

/**
 * struct keel_hooks - for KEEL_HOOKS
 * @size: in and out: sizeof(struct keel_hooks)
 * @flags: in and out: 0
 * @on: in: KEEL_HOOK_* to switch on
 * @off: in: KEEL_HOOK_* to switch off; none of @on
 * @hooks: in: 0; out: those that are on now
 * @known: in: 0; out: all that this module has
 * @reserved: in and out: 0
 */
struct keel_hooks {
	__u32 size;
	__u32 flags;
	__u32 on;
	__u32 off;
	__u32 hooks;
	__u32 known;
	__u64 reserved[4];
};

/**
 * KEEL_HOOKS - switch hooks of a VM on and off, or ask which are on
 *
 * On a VM file and an observer file, at any time. When it returns, every vCPU runs by it. -EINVAL:
 * @size, @flags, @hooks, @known, @reserved, a bit that is not known, or one in both @on and @off.
 * -EFAULT: bad address.
 */
#define KEEL_HOOKS _IOWR(KEELIO, 0x07, struct keel_hooks)

/**
 * struct keel_vcpu_regs - for KEEL_VCPU_REGS
 * @size: in and out: sizeof(struct keel_vcpu_regs)
 * @flags: in and out: 0
 * @vcpu: in and out: KVM_CREATE_VCPU's id
 * @pad: in and out: 0
 * @x: out: x0 to x30
 * @pc: out: program counter
 * @pstate: out: PSTATE, as in SPSR_EL2
 * @sp_el0, @sp_el1: out: stack pointers
 * @elr_el1, @spsr_el1, @esr_el1, @far_el1, @vbar_el1: out: exceptions
 * @sctlr_el1, @tcr_el1, @ttbr0_el1, @ttbr1_el1, @mair_el1, @contextidr_el1, @par_el1: out:
 *	translation
 * @tpidr_el0, @tpidrro_el0, @tpidr_el1: out: thread pointers
 * @cpacr_el1, @mpidr_el1: out
 * @reserved: in and out: 0
 */
struct keel_vcpu_regs {
	__u32 size;
	__u32 flags;
	__u32 vcpu;
	__u32 pad;
	__u64 x[31];
	__u64 pc;
	__u64 pstate;
	__u64 sp_el0;
	__u64 sp_el1;
	__u64 elr_el1;
	__u64 spsr_el1;
	__u64 esr_el1;
	__u64 far_el1;
	__u64 vbar_el1;
	__u64 sctlr_el1;
	__u64 tcr_el1;
	__u64 ttbr0_el1;
	__u64 ttbr1_el1;
	__u64 mair_el1;
	__u64 contextidr_el1;
	__u64 par_el1;
	__u64 tpidr_el0;
	__u64 tpidrro_el0;
	__u64 tpidr_el1;
	__u64 cpacr_el1;
	__u64 mpidr_el1;
	__u64 reserved[8];
};

/**
 * KEEL_VCPU_REGS - the registers of a vCPU, of one moment
 *
 * On a VM file and an observer file. A vCPU in the guest leaves it for that moment; one outside has
 * what it will go on with. -ENOENT: no such vCPU. -ENOEXEC: KVM_ARM_VCPU_INIT is still to come.
 * -EINTR: a signal came first. -EINVAL (@size, @flags, @pad, @reserved), -EFAULT as KEEL_INFO.
 */
#define KEEL_VCPU_REGS _IOWR(KEELIO, 0x08, struct keel_vcpu_regs)

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

/* Protocols of the backdoor's channels: what the guest asks, and what it is asked. */
#define KEEL_BACKDOOR_RPCI	0x49435052	/* the guest asks, and waits for the reply */
#define KEEL_BACKDOOR_TCLO	0x4f4c4354	/* the guest looks for requests, and replies */

/* The largest message */
#define KEEL_BACKDOOR_MAX	65536

/* keel_backdoor_message.kind */
#define KEEL_BACKDOOR_OPENED	0	/* read: the guest has opened the channel */
#define KEEL_BACKDOOR_CLOSED	1	/* read: the guest has closed it */
#define KEEL_BACKDOOR_MESSAGE	2	/* read: from the guest; write: to the guest */
#define KEEL_BACKDOOR_OPTIONS	3	/* write: a __u32, the answer to GETGUIOPTIONS */

/**
 * struct keel_backdoor_message - what stands before each message in the file of KEEL_BACKDOOR_OPEN
 * @channel: the channel's number; one that was closed can be used again; not looked at for
 *	KEEL_BACKDOOR_OPTIONS
 * @kind: KEEL_BACKDOOR_*
 * @protocol: KEEL_BACKDOOR_RPCI or TCLO, as the guest opened it; not looked at in a write
 * @length: bytes that follow, at most KEEL_BACKDOOR_MAX; 0 is legal, and so for the other kinds
 */
struct keel_backdoor_message {
	__u32 channel;
	__u32 kind;
	__u32 protocol;
	__u32 length;
};

/**
 * struct keel_backdoor_open - for KEEL_BACKDOOR_OPEN
 * @size: sizeof(struct keel_backdoor_open)
 * @flags: 0
 * @reserved: 0
 */
struct keel_backdoor_open {
	__u32 size;
	__u32 flags;
	__u64 reserved[4];
};

/**
 * KEEL_BACKDOOR_OPEN - the host's end of the backdoor's message channels
 *
 * On a VM file and an observer file. Returns a descriptor, close-on-exec, that does not keep the
 * VM. A guest can open channels while there is one. read() returns one datagram, the header and the
 * message, and waits for it unless O_NONBLOCK is set (-EAGAIN); -EMSGSIZE: it is longer than the
 * buffer, and stays. write() takes one: on an RPCI channel the reply to the request that was read,
 * for which the guest waits; on a TCLO channel a request; or, without a channel, what the guest
 * gets by GETGUIOPTIONS, as long as the file is open (else 0). -ENOENT: no such channel (any more).
 * -EBUSY: the guest has not fetched the last one yet. -EPROTO: RPCI, and nothing was asked.
 * -EMSGSIZE: @length, or too little data. -EINVAL: @kind. poll() knows of readable datagrams. After
 * the VM's end, or when an observer is not wanted any more (KEEL_OBSERVE), all of it fails with
 * -ENODEV, and poll() reports EPOLLHUP. Closing it closes the channels.
 *
 * -EINVAL, -EFAULT as KEEL_INFO. -EBUSY: somebody has it open.
 */
#define KEEL_BACKDOOR_OPEN _IOW(KEELIO, 0x20, struct keel_backdoor_open)

/*
 * Guest virtual addresses. The CPU translates by AT with the guest's own tables; nothing of the
 * guest changes by it, but for access flags where the guest lets the CPU set them (TCR_EL1.HA). The
 * vCPU may run, sleep, be paused by its VMM, or be off; one in the guest leaves it for a moment.
 */

/* keel_gva_translate.access, keel_gva_read.access: as which access; 0 is a read at EL1 */
#define KEEL_GVA_WRITE	0x1
#define KEEL_GVA_EL0	0x2
#define KEEL_GVA_LEAF	0x4	/* keel_gva_translate only: read the descriptor too */

/* What came of it: keel_gva_translate.status, keel_gva_read.status */
#define KEEL_GVA_MAPPED		0
#define KEEL_GVA_FAULT		1	/* the guest's tables do not allow it: @fault, @level */
#define KEEL_GVA_NO_TABLE	2	/* where a table should be, nothing can be read */
#define KEEL_GVA_ABORT		3	/* the walk met an external abort */
#define KEEL_GVA_NO_MEMORY	4	/* keel_gva_read: mapped, but nothing can be read there */

/* permissions: bits */
#define KEEL_GVA_EL1_R	0x01
#define KEEL_GVA_EL1_W	0x02
#define KEEL_GVA_EL1_X	0x04
#define KEEL_GVA_EL0_R	0x10
#define KEEL_GVA_EL0_W	0x20
#define KEEL_GVA_EL0_X	0x40

/* attributes: of memory */
#define KEEL_GVA_MAIR	0x0ff	/* a field of MAIR_EL1 */
#define KEEL_GVA_SHARED	0x300	/* shareability: 0 none, 0x200 outer, 0x300 inner */

/* keel_gva_translate.host: the host's page under @ipa */
#define KEEL_GVA_HOST_NONE	0	/* no memory slot: a device, or nothing */
#define KEEL_GVA_HOST_ABSENT	1	/* memory that stage 2 does not map at present */
#define KEEL_GVA_HOST_MAPPED	2

/**
 * struct keel_gva_translate - for KEEL_GVA_TRANSLATE
 * @size: in and out: sizeof(struct keel_gva_translate)
 * @flags: in and out: 0
 * @vcpu: in and out: KVM_CREATE_VCPU's id
 * @access: in and out: KEEL_GVA_WRITE, KEEL_GVA_EL0, KEEL_GVA_LEAF
 * @gva: in and out: the address
 * @ipa: out: where it is; KEEL_GVA_NO_TABLE: where the table's entry should be
 * @status: out: KEEL_GVA_MAPPED, FAULT, NO_TABLE or ABORT
 * @level: out: of the fault or of the missing table, from -1; with KEEL_GVA_LEAF that of the leaf
 * @fault: out: KEEL_GVA_FAULT: fault status, as in ESR_ELx.DFSC
 * @attributes: out: of memory, if it is mapped
 * @permissions: out: with KEEL_GVA_LEAF: KEEL_GVA_EL1_R and so on
 * @leaf_shift: out: with KEEL_GVA_LEAF: log2 of the leaf's size; 0: the guest's MMU is off
 * @host: out: KEEL_GVA_HOST_*
 * @pad: in and out: 0
 * @par: out: PAR_EL1, of the AT
 * @descriptor: out: with KEEL_GVA_LEAF: of the leaf; 0: there is none
 * @reserved: in and out: 0
 */
struct keel_gva_translate {
	__u32 size;
	__u32 flags;
	__u32 vcpu;
	__u32 access;
	__u64 gva;
	__u64 ipa;
	__u32 status;
	__s32 level;
	__u32 fault;
	__u32 attributes;
	__u32 permissions;
	__u32 leaf_shift;
	__u32 host;
	__u32 pad;
	__u64 par;
	__u64 descriptor;
	__u64 reserved[4];
};

/**
 * KEEL_GVA_TRANSLATE - where a guest virtual address is, as a vCPU sees it now
 *
 * On a VM file and an observer file. A leaf whose access flag is clear, or that this access is not
 * permitted to, is KEEL_GVA_FAULT; with KEEL_GVA_LEAF its descriptor, @ipa and the rest are told
 * all the same. -ENOENT: no such vCPU. -ENOEXEC: not initialised. -EINTR: a signal came first.
 * -EINVAL: @size, @flags, @access, @pad, @reserved. -EFAULT: bad address.
 */
#define KEEL_GVA_TRANSLATE _IOWR(KEELIO, 0x30, struct keel_gva_translate)

/* keel_gva_run.flags */
#define KEEL_GVA_RUN_NO_AF	0x1	/* the access flag is clear: the next access faults */
#define KEEL_GVA_RUN_UNSURE	0x2	/* no descriptor, or it changed: one page, no permissions */
#define KEEL_GVA_RUN_NO_TABLE	0x4	/* not mapped: no table can be read where it is, at ipa */
#define KEEL_GVA_RUN_ABORT	0x8	/* not mapped: the walk meets an external abort */
#define KEEL_GVA_RUN_FLAT	0x10	/* the guest's MMU is off: ipa is gva */

/**
 * struct keel_gva_run - neighbouring leaves that are alike, and neighbours in physical space too
 * @gva: of the first byte
 * @ipa: where that is
 * @length: in bytes
 * @leaf_shift: log2 of a leaf's size
 * @attributes: of memory: KEEL_GVA_MAIR, KEEL_GVA_SHARED
 * @permissions: KEEL_GVA_EL1_R and so on
 * @flags: KEEL_GVA_RUN_*
 */
struct keel_gva_run {
	__u64 gva;
	__u64 ipa;
	__u64 length;
	__u32 leaf_shift;
	__u32 attributes;
	__u32 permissions;
	__u32 flags;
};

/* keel_gva_scan.flags */
#define KEEL_GVA_SCAN_SOFTWARE	0x1	/* the tables as they are in memory, without AT and TLB */

/* The largest array of runs */
#define KEEL_GVA_MAX_RUNS	65536

/**
 * struct keel_gva_scan - for KEEL_GVA_SCAN
 * @size: in and out: sizeof(struct keel_gva_scan)
 * @flags: in and out: KEEL_GVA_SCAN_SOFTWARE, or 0
 * @vcpu: in and out: KVM_CREATE_VCPU's id
 * @room: in and out: elements of the array at @runs, 1 to KEEL_GVA_MAX_RUNS
 * @runs: in and out: address of an array of struct keel_gva_run
 * @start: in: first address; out: where the next call goes on, unless @end is 1
 * @last: in and out: last address, itself included; not below @start
 * @need: in and out: only leaves that have all these permissions
 * @deny: in and out: and none of these
 * @nr: out: runs filled in, ascending, clipped to the range
 * @end: out: 1: @last has been reached; 0: go on from @start
 * @ats: out: AT instructions; with KEEL_GVA_SCAN_SOFTWARE, which makes none: entries looked at
 * @leaves: out: of which found a leaf
 * @holes: out: of which found none, by the level of the missing entry: from -1 to 3
 * @stage2_holes: out: ATs repeated because stage 2 did not map a table, or that met no memory or an
 *	abort
 * @tables: out: tables of descriptors read
 * @slices: out: how often the vCPU was taken out
 * @reserved: in and out: 0
 *
 * ats is the sum of leaves, holes and stage2_holes.
 */
struct keel_gva_scan {
	__u32 size;
	__u32 flags;
	__u32 vcpu;
	__u32 room;
	__u64 runs;
	__u64 start;
	__u64 last;
	__u32 need;
	__u32 deny;
	__u32 nr;
	__u32 end;
	__u64 ats;
	__u64 leaves;
	__u64 holes[5];
	__u64 stage2_holes;
	__u64 tables;
	__u64 slices;
	__u64 reserved[4];
};

/**
 * KEEL_GVA_SCAN - what a vCPU's tables map
 *
 * On a VM file and an observer file. The range may span both halves: 0 and ~0 are everything. It
 * is scanned in slices (parameter gva_slice, in us), between which the vCPU runs on. It returns
 * when the array is full, after 2^20 ATs, or at a signal, with what there is so far; leaves are
 * reported as they were when they were looked at. -ENOENT, -ENOEXEC, -EFAULT as
 * KEEL_GVA_TRANSLATE. -EINVAL: @size, @flags, @room, @last below @start, @need, @deny, @reserved.
 * -EINTR: a signal came before there was anything. -ENOMEM.
 */
#define KEEL_GVA_SCAN _IOWR(KEELIO, 0x31, struct keel_gva_scan)

/* The largest keel_gva_read.length */
#define KEEL_GVA_MAX_READ	0x100000

/**
 * struct keel_gva_read - for KEEL_GVA_READ
 * @size: in and out: sizeof(struct keel_gva_read)
 * @flags: in and out: 0
 * @vcpu: in and out: KVM_CREATE_VCPU's id
 * @access: in and out: KEEL_GVA_EL0, or 0
 * @gva: in and out: from where
 * @buffer: in and out: address of the buffer to fill
 * @length: in and out: bytes, 1 to KEEL_GVA_MAX_READ; not beyond the end of the address space
 * @done: out: how many have been copied
 * @status: out: why not more, as keel_gva_translate.status; KEEL_GVA_MAPPED: nothing failed
 * @level: out: as there
 * @fault: out: as there
 * @pad: in and out: 0
 * @reserved: in and out: 0
 */
struct keel_gva_read {
	__u32 size;
	__u32 flags;
	__u32 vcpu;
	__u32 access;
	__u64 gva;
	__u64 buffer;
	__u64 length;
	__u64 done;
	__u32 status;
	__s32 level;
	__u32 fault;
	__u32 pad;
	__u64 reserved[4];
};

/**
 * KEEL_GVA_READ - copy guest memory by its virtual address, page by page
 *
 * On a VM file and an observer file. It copies up to the first page that cannot be had: that is no
 * error, see @done and @status. -ENOENT, -ENOEXEC, -EINTR, -EFAULT as KEEL_GVA_TRANSLATE. -EINVAL:
 * @size, @flags, @access, @length, @pad, @reserved. -ENOMEM.
 */
#define KEEL_GVA_READ _IOWR(KEELIO, 0x32, struct keel_gva_read)

/*
 * Power and performance of vCPUs: what the guest asks for, and what the host makes of it
 * (Documentation/power.md). Performance is told in parts of KEEL_POWER_FULL, which is a whole host
 * CPU at its best.
 */
#define KEEL_POWER_FULL		1024

/* keel_power.policy: what follows from what the guest asks for */
#define KEEL_POWER_OFF		0	/* nothing */
#define KEEL_POWER_HINT		1	/* host scheduler and frequency are told */
#define KEEL_POWER_CAP		2	/* that, and no vCPU runs for more than its share */

/* keel_power.set: what to set; of what is not set the value given means nothing */
#define KEEL_POWER_SET_POLICY	0x1
#define KEEL_POWER_SET_RANGE	0x2	/* @min and @max */

/**
 * struct keel_power - for KEEL_POWER
 * @size: in and out: sizeof(struct keel_power)
 * @flags: in and out: 0
 * @set: in and out: KEEL_POWER_SET_*; 0: only tell
 * @policy: in and out: KEEL_POWER_OFF, HINT or CAP; of a new VM OFF
 * @min: in and out: least performance, at most @max
 * @max: in and out: highest performance, 1 to KEEL_POWER_FULL; whatever the guest asks for, it is
 *	brought between @min and @max, which are 0 and KEEL_POWER_FULL of a new VM
 * @layout: in: 0; out: KEEL_POWER_PAGE_*, 0: the guest has no register pages
 * @nr_states: in: 0; out: how many idle states KEEL_POWER_STATES has named
 * @ipa: in: 0; out: of the register pages, if there are any
 * @reserved: in and out: 0
 */
struct keel_power {
	__u32 size;
	__u32 flags;
	__u32 set;
	__u32 policy;
	__u32 min;
	__u32 max;
	__u32 layout;
	__u32 nr_states;
	__u64 ipa;
	__u64 reserved[4];
};

/**
 * KEEL_POWER - how a VM's vCPUs are treated, all of them: set it or ask
 *
 * On a VM file and an observer file, at any time. What is set holds when it returns; a vCPU in the
 * guest follows at once. With KEEL_POWER_OFF the threads' own nice values and clamps are back.
 * -EINVAL: @size, @flags, @set, @policy, @min above @max, @max, @layout, @nr_states, @ipa,
 * @reserved. -EFAULT: bad address.
 */
#define KEEL_POWER _IOWR(KEELIO, 0x40, struct keel_power)

/* keel_power_page.layout */
#define KEEL_POWER_PAGE_CPUFREQ	1	/* Linux's device tree binding qemu,virtual-cpufreq */
#define KEEL_POWER_PAGE_CPPC	2	/* registers for ACPI's _CPC */

/* What one vCPU's registers take: the pages of ids 0, 1, ... follow each other at this distance. */
#define KEEL_POWER_STRIDE	0x1000

/* The most performance levels */
#define KEEL_POWER_MAX_LEVELS	32

/**
 * struct keel_power_page - for KEEL_POWER_PAGE
 * @size: sizeof(struct keel_power_page)
 * @flags: 0
 * @ipa: where the registers of the vCPU with id 0 are, in whole pages of the host
 * @layout: KEEL_POWER_PAGE_CPUFREQ or KEEL_POWER_PAGE_CPPC
 * @nr_vcpus: for ids below this one, 1 to what KVM_CAP_MAX_VCPUS says
 * @nr_levels: how many of @level; CPUFREQ: 1 (anything up to it) or more; CPPC: 4
 * @pad: 0
 * @level: CPUFREQ: frequencies in kHz, ascending; CPPC: lowest, lowest nonlinear, nominal and
 *	highest performance, none below the one before. The last one is KEEL_POWER_FULL. None is 0;
 *	behind the last one all are
 * @reserved: 0
 */
struct keel_power_page {
	__u32 size;
	__u32 flags;
	__u64 ipa;
	__u32 layout;
	__u32 nr_vcpus;
	__u32 nr_levels;
	__u32 pad;
	__u32 level[KEEL_POWER_MAX_LEVELS];
	__u64 reserved[4];
};

/**
 * KEEL_POWER_PAGE - give a guest registers in which it asks for performance
 *
 * On a VM file and an observer file, once in a VM's life. They are read as memory is and written by
 * a trap; no memory slot can be put there any more. -EEXIST: there are such pages, or something
 * else is there. -EINVAL: @size, @flags, @ipa (alignment, beyond the guest's address space),
 * @layout, @nr_vcpus, @nr_levels, @level, @pad, @reserved. -ENOMEM. -EFAULT: bad address.
 */
#define KEEL_POWER_PAGE _IOW(KEELIO, 0x41, struct keel_power_page)

/* The most idle states that have a name */
#define KEEL_POWER_MAX_STATES	8

/* keel_power_state.flags */
#define KEEL_POWER_STATE_DEEP	0x1	/* the host CPU may sleep as it likes */

/**
 * struct keel_power_state - an idle state that the guest is told of
 * @id: PSCI power_state, the parameter of CPU_SUSPEND
 * @flags: KEEL_POWER_STATE_*
 * @latency: from the wake-up event to the guest's next instruction at most, in us
 * @residency: from how many us of sleep on it pays
 * @name: printable ASCII, NUL-terminated, not empty
 */
struct keel_power_state {
	__u32 id;
	__u32 flags;
	__u32 latency;
	__u32 residency;
	char name[16];
};

/**
 * struct keel_power_states - for KEEL_POWER_STATES
 * @size: sizeof(struct keel_power_states)
 * @flags: 0
 * @nr: how many of @state, 1 to KEEL_POWER_MAX_STATES
 * @pad: 0
 * @state: from shallow to deep, each with another id; behind the last one all is 0
 * @reserved: 0
 */
struct keel_power_states {
	__u32 size;
	__u32 flags;
	__u32 nr;
	__u32 pad;
	struct keel_power_state state[KEEL_POWER_MAX_STATES];
	__u64 reserved[4];
};

/**
 * KEEL_POWER_STATES - name the states of PSCI CPU_SUSPEND that the VMM tells the guest of
 *
 * On a VM file and an observer file, once in a VM's life. From then on CPU_SUSPEND to any other
 * state is refused (INVALID_PARAMETERS). Without it any state is good, and counts as the last slot
 * of CPU_SUSPEND below. -EEXIST: they have been named. -EINVAL: @size, @flags, @nr, @pad, @state,
 * @reserved. -EFAULT: bad address.
 */
#define KEEL_POWER_STATES _IOW(KEELIO, 0x42, struct keel_power_states)

/* keel_power_vcpu.asked: the guest has not asked, or not since its vCPU was reset or switched on */
#define KEEL_POWER_UNASKED	0xffffffffu

/* keel_power_vcpu.state, and index of .sleep; from KEEL_POWER_STATE on: KEEL_POWER_STATES's */
#define KEEL_POWER_RUN		0	/* awake: in the guest, in the kernel or in the VMM */
#define KEEL_POWER_WFI		1
#define KEEL_POWER_STATE	2
#define KEEL_POWER_OTHER	10	/* CPU_SUSPEND to a state without name */
#define KEEL_POWER_CPU_OFF	11	/* CPU_OFF, or not switched on yet */
#define KEEL_POWER_SUSPENDED	12	/* KVM_MP_STATE_SUSPENDED: PSCI SYSTEM_SUSPEND */
#define KEEL_POWER_NR_SLEEPS	13

/**
 * struct keel_power_sleep - how often and how long a vCPU was in a state
 * @count: how often it went to sleep in it
 * @residency: ns in it, of sleeps that are over
 * @woken: sleeps that an event ended which keel saw come
 * @latency: of these: ns from the event to the entry into the guest, all together
 * @latency_max: the longest
 */
struct keel_power_sleep {
	__u64 count;
	__u64 residency;
	__u64 woken;
	__u64 latency;
	__u64 latency_max;
};

/**
 * struct keel_power_vcpu - for KEEL_POWER_VCPU
 * @size: in and out: sizeof(struct keel_power_vcpu)
 * @flags: in and out: 0
 * @vcpu: in and out: KVM_CREATE_VCPU's id
 * @state: out: KEEL_POWER_RUN, WFI, ...: where it is
 * @asked: out: performance that the guest asked for, KEEL_POWER_FULL at most, or KEEL_POWER_UNASKED
 * @target: out: what comes of it: brought between KEEL_POWER's @min and @max; unasked: @max
 * @delivered: out: what it had lately, while it wanted to run
 * @nice: out: the nice value that its thread has by the policy, -20 to 19; 0 with KEEL_POWER_OFF
 * @asks: out: writes to performance registers, by this vCPU
 * @changes: out: how often the host was adjusted to it
 * @run: out: ns on a host CPU
 * @wait: out: ns in which it wanted to run and others did
 * @held: out: ns in which KEEL_POWER_CAP held it back
 * @polled: out: ns for which a sleep was polled for its end
 * @wfe: out: WFE instructions that made room for others
 * @sleep: out: by state; the one of KEEL_POWER_RUN is 0
 * @reserved: in and out: 0
 *
 * run, wait, held and sleep count from the first KEEL_POWER with a policy other than OFF, or from
 * KEEL_POWER_PAGE or KEEL_POWER_STATES; before that they cost nothing, and are 0.
 */
struct keel_power_vcpu {
	__u32 size;
	__u32 flags;
	__u32 vcpu;
	__u32 state;
	__u32 asked;
	__u32 target;
	__u32 delivered;
	__s32 nice;
	__u64 asks;
	__u64 changes;
	__u64 run;
	__u64 wait;
	__u64 held;
	__u64 polled;
	__u64 wfe;
	struct keel_power_sleep sleep[KEEL_POWER_NR_SLEEPS];
	__u64 reserved[4];
};

/**
 * KEEL_POWER_VCPU - what a vCPU asks for and gets, while it runs
 *
 * On a VM file and an observer file. -ENOENT: no such vCPU. -EINVAL: @size, @flags, @reserved.
 * -EFAULT: bad address.
 */
#define KEEL_POWER_VCPU _IOWR(KEELIO, 0x43, struct keel_power_vcpu)

#endif /* _LINUX_KEEL_H */
