/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The face of src/run/: KVM_RUN. The loop, entry work, exits to userspace, MMIO regions.
 */
#ifndef KEEL_RUN_H
#define KEEL_RUN_H

#include <linux/kvm.h>
#include <linux/list.h>
#include <linux/spinlock_types.h>

#include <keel/types.h>

struct keel_vm;
struct keel_vcpu;
struct mmio_region;

/**
 * struct mmio_ops - what stands behind a region of guest physical space
 * @read: fill *@val, @len is 1, 2, 4 or 8, @offset is from the region's base, aligned to @len
 * @write: take @val
 *
 * @write_atomic: the same with interrupts off, right after the exit: must not sleep; may be NULL
 *
 * Context: task, may sleep, vcpu->mutex held, the vCPU loaded, vm->srcu held for reading.
 * Return: 0 done; -EOPNOTSUPP: not mine after all, ask userspace.
 */
struct mmio_ops {
	int (*read)(struct keel_vcpu *vcpu, struct mmio_region *r, u64 offset, unsigned int len,
		    u64 *val);
	int (*write)(struct keel_vcpu *vcpu, struct mmio_region *r, u64 offset, unsigned int len,
		     u64 val);
	int (*write_atomic)(struct keel_vcpu *vcpu, struct mmio_region *r, u64 offset,
			    unsigned int len, u64 val);
};

/**
 * struct mmio_region - [base, base + size) answered inside the kernel
 * @base: first address
 * @size: bytes
 * @ops: handlers
 * @owner: theirs
 *
 * An access belongs to the region that holds its first byte, and may reach past its end: the
 * handler looks at the length.
 */
struct mmio_region {
	struct ipa base;
	u64 size;
	const struct mmio_ops *ops;
	void *owner;
};

/** struct mmio_bus - the VM's regions, sorted by base; immutable once published */
struct mmio_bus {
	unsigned int nr;
	struct mmio_region *region[];
};

/**
 * struct mmio_access - a decoded access
 * @ipa: address
 * @len: 1, 2, 4 or 8 bytes
 * @reg: the register read or written (31: xzr)
 * @write: guest stores
 * @sign: loads: sign-extend
 * @sf: loads: the register is 64 bits wide, else 32
 * @be: the guest's data is big-endian
 */
struct mmio_access {
	struct ipa ipa;
	unsigned int len;
	unsigned int reg;
	bool write;
	bool sign;
	bool sf;
	bool be;
};

/**
 * struct run_vcpu - src/run's member of struct keel_vcpu
 * @mmio_pending: userspace has @mmio to answer; the next KVM_RUN completes it
 * @mmio: the access of the last KVM_EXIT_MMIO
 */
struct run_vcpu {
	bool mmio_pending;
	struct mmio_access mmio;
};

/**
 * struct run_vm - src/run's member of struct keel_vm: coalesced MMIO
 * @ring: a page, which the VMM shares
 * @ring_lock: writers of @ring; @zones; a leaf
 * @zones: struct coalesced_zone
 * @nr_zones: how many; written under @ring_lock
 * @atomic_from, @atomic_to: where the regions with write_atomic lie, and perhaps others
 */
struct run_vm {
	struct kvm_coalesced_mmio_ring *ring;
	spinlock_t ring_lock;	/* see above */
	struct list_head zones;
	unsigned int nr_zones;
	u64 atomic_from;
	u64 atomic_to;
};

/** run_vcpu_run() - KVM_RUN; vcpu->mutex held. 0 with kvm_run filled, or -errno */
int run_vcpu_run(struct keel_vcpu *vcpu);

/**
 * run_mmio() - the guest touched @a, which is no memory: ask the regions, then userspace
 *
 * Decodes the syndrome; without one (ISV = 0) a data abort is injected. Skips the instruction
 * when it is answered. Context: second tier. Return: > 0 answered, 0 kvm_run holds KVM_EXIT_MMIO,
 * < 0 error.
 */
int run_mmio(struct keel_vcpu *vcpu, struct ipa a);

/**
 * run_dabt_el2() - first tier of data aborts
 *
 * Return: true: it was spurious; false: for the second tier; EL2_DABT_DEVICE: run_device_el2() may
 * have the answer.
 */
unsigned int run_dabt_el2(struct keel_vcpu *vcpu);

/** run_device_el2() - first tier of accesses to the vGIC's frames; x0-x30 are in ctx */
bool run_device_el2(struct keel_vcpu *vcpu);

/** mmio_register() - publish @r; -EEXIST when it overlaps another; may sleep */
int mmio_register(struct keel_vm *vm, struct mmio_region *r);

/** mmio_unregister() - take @r out and wait until nobody uses it; may sleep; not inside vm->srcu */
void mmio_unregister(struct keel_vm *vm, struct mmio_region *r);

/** mmio_destroy() - free the bus itself (regions belong to their owners) */
void mmio_destroy(struct keel_vm *vm);

/** coalesced_create() - no zones, an empty ring; 0 or -ENOMEM */
int coalesced_create(struct keel_vm *vm);

/** coalesced_destroy() - no vCPU runs any more */
void coalesced_destroy(struct keel_vm *vm);

/**
 * coalesced_add() - from now on stores to [@base, @base + @size) go to the ring while it has room
 *
 * Return: 0, -ENOSPC (too many zones), -ENOMEM.
 */
int coalesced_add(struct keel_vm *vm, struct ipa base, u64 size);

/** coalesced_remove() - forget every zone that holds all of [@base, @base + @size) */
void coalesced_remove(struct keel_vm *vm, struct ipa base, u64 size);

/**
 * vcpu_visit() - look at a vCPU, wherever it is, while it does not run
 * @call: called once, with @vcpu->mutex held: by the vCPU's own thread, if that is in KVM_RUN, with
 *	the vCPU loaded and between two passes; else by the caller. It must not wait for others,
 *	and not for user memory
 *
 * Context: task, may sleep, no reference but the VM's. Return: 0: called by the caller; 1: by the
 * vCPU's thread; -EINTR: a signal came first; -ENOEXEC: the vCPU is not initialised.
 */
int vcpu_visit(struct keel_vcpu *vcpu, void (*call)(struct keel_vcpu *vcpu, void *arg), void *arg);

/** vcpu_serve_visits() - call what waits; the running thread, vCPU loaded */
void vcpu_serve_visits(struct keel_vcpu *vcpu);

/** vcpu_visit_init() - of a new vCPU */
void vcpu_visit_init(struct keel_vcpu *vcpu);

/** vcpu_unlock() - release @vcpu->mutex, for which visitors may wait */
void vcpu_unlock(struct keel_vcpu *vcpu);

/**
 * run_set_hooks() - switch hooks of a VM on and off
 * @on, @off: KEEL_HOOK_*
 *
 * Context: may sleep; takes vm->config_lock. Return: 0: every vCPU runs by it; -EINVAL: unknown, or
 * in both.
 */
int run_set_hooks(struct keel_vm *vm, u32 on, u32 off);

#endif /* KEEL_RUN_H */
