/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The face of src/stage2/: guest memory. Memory slots, stage-2 tables, faults, MMU notifier, VMIDs.
 */
#ifndef KEEL_STAGE2_H
#define KEEL_STAGE2_H

#include <linux/kvm.h>
#include <linux/mmu_notifier.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>

#include <keel/types.h>

struct keel_vm;
struct keel_vcpu;
struct prda;
struct kvm_userspace_memory_region2;	/* <keel/compat.h> on kernels before 6.8 */

#define STAGE2_MAX_SLOTS 512

/**
 * struct memslot - one KVM_SET_USER_MEMORY_REGION slot
 * @base: IPA of its first byte
 * @npages: length in host pages
 * @hva: where the VMM mapped it
 * @id: slot number (bits 15:0 of kvm_userspace_memory_region.slot)
 * @flags: KVM_MEM_READONLY, and MEMSLOT_GOING while a delete or a move takes its pages away
 */
struct memslot {
	struct ipa base;
	u64 npages;
	struct hva hva;
	u32 id;
	u32 flags;
};

/* Faults no longer see the slot, MMU notifiers still do; above the ABI's flags. */
#define MEMSLOT_GOING	BIT(31)

/**
 * struct memslots - the VM's slots, sorted by IPA; immutable once published, freed after SRCU
 */
struct memslots {
	unsigned int nr;
	struct memslot slot[];
};

/**
 * struct stage2_lent - pages of the kernel's that the guest may read, from @base on
 * @base: IPA
 * @nr: of @page
 * @page: allocated, theirs who lends them
 */
struct stage2_lent {
	struct ipa base;
	unsigned int nr;
	struct page *page[];
};

/** stage2_lent_size() - bytes of them */
static inline u64 stage2_lent_size(const struct stage2_lent *lent)
{
	return (u64)lent->nr << PAGE_SHIFT;
}

/**
 * struct stage2 - src/stage2's member of struct keel_vm
 * @slots: published set, read under vm->srcu; changed under @slots_lock
 * @slots_lock: serialises slot changes (sleeps); taken inside vm->lock and vcpu->mutex
 * @lock: protects the tables and @inval_*; a spinlock, taken by notifiers (innermost but for
 *	vgic locks, which never nest with it)
 * @root: first-level table (concatenated when the IPA size asks for it), pages
 * @root_hpa: its address as VTTBR_EL2 wants it
 * @ipa_bits: size of the IPA space (32 to the host's maximum)
 * @vtcr: VTCR_EL2
 * @start_level: level of @root
 * @vmid: VMID and its generation, see vmid.c; 0 until a vCPU has entered the guest
 * @last_vcpu: by CPU number, the vCPU of this VM that was loaded there last
 * @notifier: MMU notifier on the VMM's mm
 * @maps: counts what faults have mapped; written under @lock
 * @inval_seq: bumped at the end of each invalidation, and at each change of a slot
 * @inval_count: invalidations under way
 * @inval_start: lowest address they cover
 * @inval_end: end of the highest
 * @watches: what faults that take long want to hear of (struct stage2_watch)
 * @lent: pages of the kernel's, or NULL; set once, under @slots_lock
 * @unflushed_start: debug builds: first IPA of what was broken and no TLBI has followed yet
 * @unflushed_end: IPA after its last; 0 if there is nothing
 */
struct stage2 {
	struct memslots __rcu *slots;
	struct mutex slots_lock;	/* changes of @slots */
	spinlock_t lock;		/* the tables, and inval_* */
	void *root;
	struct hpa root_hpa;
	unsigned int ipa_bits;
	u64 vtcr;
	int start_level;
	u64 vmid;
	struct keel_vcpu **last_vcpu;
	struct mmu_notifier notifier;
	u64 maps;
	unsigned long inval_seq;
	unsigned long inval_count;
	unsigned long inval_start;
	unsigned long inval_end;
	struct list_head watches;
	const struct stage2_lent *lent;
#ifdef KEEL_DEBUG
	u64 unflushed_start;
	u64 unflushed_end;
#endif
};

/**
 * struct stage2_watch - memory that a fault works on for long before it maps it
 * @link: in stage2.watches, under stage2.lock
 * @start: in the VMM
 * @end: in the VMM
 * @hit: some of it was taken away meanwhile
 */
struct stage2_watch {
	struct list_head link;
	unsigned long start;
	unsigned long end;
	bool hit;
};

/**
 * struct stage2_vcpu - src/stage2's member of struct keel_vcpu
 * @cache: page-table pages set aside before @lock is taken, so that a fault cannot fail half-way
 * @nr_cache: how many
 * @watch: for a fault that takes long
 * @maps: stage2.maps when this vCPU mapped last, or looked in vain at what others had mapped
 */
struct stage2_vcpu {
	void *cache[8];
	unsigned int nr_cache;
	struct stage2_watch watch;
	u64 maps;
};

/** stage2_init() - once at insmod: VMID allocator, IPA limits of this host; 0 or -errno */
int stage2_init(void);
void stage2_exit(void);

/** stage2_max_ipa_bits() - what KVM_CAP_ARM_VM_IPA_SIZE answers */
unsigned int stage2_max_ipa_bits(void);

/**
 * stage2_create() - empty tables and notifier for a new VM, current->mm
 * @type: KVM_CREATE_VM's type: 0 (40 bits) or an IPA size from 32 to the maximum
 *
 * Return: 0, -EINVAL (type), -ENOMEM.
 */
int stage2_create(struct keel_vm *vm, unsigned long type);

/** stage2_destroy() - notifier off, tables freed; no vCPU runs; also after the mm's exit */
void stage2_destroy(struct keel_vm *vm);

int stage2_vcpu_create(struct keel_vcpu *vcpu);
void stage2_vcpu_destroy(struct keel_vcpu *vcpu);

/**
 * stage2_set_slot() - KVM_SET_USER_MEMORY_REGION and REGION2
 *
 * Context: may sleep; takes @slots_lock. Return: 0 or KVM's errno: -EINVAL (alignment, flags,
 * range, size change, delete of nothing), -EEXIST (overlap), -EFAULT (beyond the IPA space),
 * -ENOMEM.
 */
int stage2_set_slot(struct keel_vm *vm, const struct kvm_userspace_memory_region2 *r);

/**
 * stage2_lend() - pages of the kernel's for the guest to read, until the VM's end
 * @lent: stays as it is until stage2_destroy() has returned
 *
 * What the guest writes there is MMIO. Context: may sleep; takes @slots_lock. Return: 0, -EEXIST: a
 * slot is there, or there are such pages.
 */
int stage2_lend(struct keel_vm *vm, const struct stage2_lent *lent);

/** stage2_memory() - bytes of all slots; takes vm->srcu */
u64 stage2_memory(struct keel_vm *vm);

/** stage2_find_slot() - the slot that holds @a, or NULL; caller holds vm->srcu */
const struct memslot *stage2_find_slot(struct keel_vm *vm, struct ipa a);

/**
 * stage2_handle_fault() - exit handler for instruction and data aborts from the guest
 *
 * Translation fault inside a slot: fault the page in and map it. Outside any slot, or a write to a
 * READONLY slot: MMIO through run_mmio(). What the architecture gives a syndrome for and nobody can
 * answer is injected into the guest. Return: > 0 go on, 0 to userspace, < 0 error (-EFAULT: the
 * VMM's mapping is bad).
 */
int stage2_handle_fault(struct keel_vcpu *vcpu);

/**
 * stage2_fault_in() - have the page at @a mapped, as if the guest had missed it there
 *
 * Context: the running thread, may sleep. Return: > 0: it was, or will be at another try; -ENOENT:
 * no memory there, or none that the guest may write; another error: the VMM's mapping is bad.
 */
int stage2_fault_in(struct keel_vcpu *vcpu, struct ipa a, bool write);

/**
 * stage2_copy() - @n bytes inside a page of guest memory to @buf, or from it if @write
 *
 * Context: the running thread; faults nothing in. Return: 0; -ENOENT: no memory there, or none that
 * the guest may write; -EFAULT: the VMM's page is not there: stage2_touch(), and try again.
 */
int stage2_copy(struct keel_vm *vm, struct ipa a, void *buf, unsigned int n, bool write);

/** stage2_touch() - fault in what stage2_copy() missed; 0, -ENOENT, -EFAULT: it cannot be had */
int stage2_touch(struct keel_vm *vm, struct ipa a, unsigned int n, bool write);

/**
 * struct vmm_page - a page of the VMM's that has to be waited for
 * @mm: holds its users; NULL: there is none
 * @addr: an address in it
 * @write: it is to be written
 */
struct vmm_page {
	struct mm_struct *mm;
	unsigned long addr;
	bool write;
};

/**
 * stage2_peek() - @n bytes inside a page of guest memory, for anybody
 * @missing: out, for -EAGAIN: for stage2_wait() or stage2_wait_not()
 *
 * Context: task; it waits for nothing that user space can hold up. Return: 0; -EAGAIN; -ENOENT: no
 * memory there; -EFAULT: the VMM's mapping is bad, or a driver's; -ENODEV: its memory is gone.
 */
int stage2_peek(struct keel_vm *vm, struct ipa a, void *buf, unsigned int n,
		struct vmm_page *missing);

/**
 * stage2_fault_in_now() - as stage2_fault_in(), for anybody, and without waiting, as stage2_peek()
 *
 * Context: vcpu->mutex held. Return: > 0, or an error as stage2_peek()'s.
 */
int stage2_fault_in_now(struct keel_vcpu *vcpu, struct ipa a, bool write, struct vmm_page *missing);

/**
 * stage2_wait() - until the page is there, or cannot be had, as the next try tells; releases it
 *
 * That can take for ever: no VM and no lock is held. Return: 0; -EINTR: a signal came.
 */
int stage2_wait(struct vmm_page *missing);

/** stage2_wait_not() - release it, if there is one */
void stage2_wait_not(struct vmm_page *missing);

/** stage2_is_memory() - is there a memory slot at @a; takes vm->srcu */
bool stage2_is_memory(struct keel_vm *vm, struct ipa a);

/** stage2_is_mapped() - does stage 2 map @a at present; takes stage2.lock */
bool stage2_is_mapped(struct keel_vm *vm, struct ipa a);

/** stage2_fault_el2() - first tier: find the IPA of the fault (HPFAR, or AT); always false */
bool stage2_fault_el2(struct keel_vcpu *vcpu);

/** stage2_spurious_el2() - the data access that stage2_fault_el2() looked at would succeed now */
bool stage2_spurious_el2(struct keel_vcpu *vcpu);

/** stage2_load/put_el2() - VTTBR, VTCR in and out; local flush when switch.md 5 asks */
void stage2_load_el2(struct keel_vcpu *vcpu, struct prda *p);
void stage2_put_el2(struct keel_vcpu *vcpu, struct prda *p);

/**
 * stage2_vmid_check() - make sure the VM's VMID is of the current generation
 *
 * Context: interrupts off, before el2_enter() on each pass; reloads VTTBR if it changed.
 */
void stage2_vmid_check(struct keel_vcpu *vcpu, struct prda *p);

/**
 * stage2_refault() - unmap all guest memory: each page comes back by a fault, which makes caches
 *	coherent as for a new page (to PoC without FEAT_S2FWB, instructions on first execution)
 *
 * Context: may sleep, vm->srcu not needed.
 */
void stage2_refault(struct keel_vm *vm);

#endif /* KEEL_STAGE2_H */
