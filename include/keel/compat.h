/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where kernels differ: the core reads as if only the newest existed, this file makes it true on
 * older ones. Kernel versions are named nowhere else.
 */
#ifndef KEEL_COMPAT_H
#define KEEL_COMPAT_H

#include <linux/version.h>
#include <linux/kvm.h>
#include <asm/kvm_arm.h>
#include <asm/sysreg.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)

#include <linux/eventfd.h>

/* The counter's increment became implicit: it was always 1. */
#define eventfd_signal(ctx) eventfd_signal(ctx, 1)

/* An ABI that user space may have newer headers for than this kernel. */
#ifndef KVM_SET_USER_MEMORY_REGION2
struct kvm_userspace_memory_region2 {
	__u32 slot;
	__u32 flags;
	__u64 guest_phys_addr;
	__u64 memory_size;
	__u64 userspace_addr;
	__u64 guest_memfd_offset;
	__u32 guest_memfd;
	__u32 pad1;
	__u64 pad2[14];
};

#define KVM_SET_USER_MEMORY_REGION2 _IOW(KVMIO, 0x49, struct kvm_userspace_memory_region2)
#define KVM_CAP_USER_MEMORY2 231
#endif

#endif

/* Register names that are missing on some kernels. */
#ifndef SYS_HFGRTR2_EL2
#define SYS_HDFGRTR2_EL2	sys_reg(3, 4, 3, 1, 0)
#define SYS_HDFGWTR2_EL2	sys_reg(3, 4, 3, 1, 1)
#define SYS_HFGRTR2_EL2		sys_reg(3, 4, 3, 1, 2)
#define SYS_HFGWTR2_EL2		sys_reg(3, 4, 3, 1, 3)
#define SYS_HFGITR2_EL2		sys_reg(3, 4, 3, 1, 7)
#endif
#ifndef SYS_SP_EL1
#define SYS_SP_EL1		sys_reg(3, 4, 4, 1, 0)
#define SYS_VMPIDR_EL2		sys_reg(3, 4, 0, 0, 5)
#endif
#ifndef SYS_CNTPCT_EL0
#define SYS_CNTPCT_EL0		sys_reg(3, 3, 14, 0, 1)
#endif
#define SYS_PSTATE_PAN_FIELD	sys_reg(3, 0, 4, 2, 3)
#define SYS_PSTATE_DIT		sys_reg(3, 3, 4, 2, 5)	/* the field as a register */

/* Entering a guest is a quiescent state for RCU; the argument was never used. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
#define guest_note_quiescent() rcu_virt_note_context_switch()
#else
#define guest_note_quiescent() rcu_virt_note_context_switch(0)
#endif

#ifndef ISR_EL1_A
#define ISR_EL1_A BIT(8)
#define ISR_EL1_I BIT(7)
#endif

/*
 * kvm_run.immediate_exit has another name for kernel code that reads it, to say: once, it is
 * shared.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
#define kvm_run_immediate_exit(run) READ_ONCE((run)->immediate_exit__unsafe)
#else
#define kvm_run_immediate_exit(run) READ_ONCE((run)->immediate_exit)
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

#include <asm/neon.h>

/**
 * fp_begin() - the CPU's FP registers are the caller's until fp_end()
 *
 * The thread's own FP, SVE and SME state is saved. Context: task, interrupts on.
 */
static inline void fp_begin(void)
{
	kernel_neon_begin();
}

static inline void fp_end(void)
{
	kernel_neon_end();
}

/* Faults that wait for userfaultfd end on any signal, not only on fatal ones. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define FOLL_INTERRUPTIBLE 0
#endif

#include <linux/mm.h>

/** get_remote_page() - get_user_pages_remote() of one page, whose vmas are gone */
static inline long get_remote_page(struct mm_struct *mm, unsigned long addr, unsigned int flags,
				   struct page **page, int *locked)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
	return get_user_pages_remote(mm, addr, 1, flags, page, NULL, locked);
#else
	return get_user_pages_remote(mm, addr, 1, flags, page, locked);
#endif
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
struct follow_pfnmap_args {
	struct vm_area_struct *vma;
	unsigned long address;
	spinlock_t *lock;	/* of the page table, held until follow_pfnmap_end() */
	pte_t *ptep;
	unsigned long pfn;
	bool writable;
};

/** follow_pfnmap_start() - page frame behind a VM_IO or VM_PFNMAP address, locked until _end() */
static inline int follow_pfnmap_start(struct follow_pfnmap_args *args)
{
	int ret = follow_pte(args->vma->vm_mm, args->address, &args->ptep, &args->lock);

	if (ret)
		return ret;
	args->pfn = pte_pfn(*args->ptep);
	args->writable = pte_write(*args->ptep);
	return 0;
}

static inline void follow_pfnmap_end(struct follow_pfnmap_args *args)
{
	__acquire(args->lock);	/* for sparse: follow_pte() took it, which it does not say */
	pte_unmap_unlock(args->ptep, args->lock);
}
#endif

/* Timers get their callback when they are set up. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#include <linux/hrtimer.h>

static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*function)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = function;
}
#endif

#ifndef ICH_HCR_LRENPIE
#define ICH_HCR_LRENPIE BIT(2)
#endif

#endif /* KEEL_COMPAT_H */
