/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The VM and the vCPU: one member a folder; lifetime, ids, references, requests, kick, wake,
 * counters.
 */
#ifndef KEEL_VM_H
#define KEEL_VM_H

#include <linux/cred.h>
#include <linux/kref.h>
#include <linux/kvm.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/rcuwait.h>
#include <linux/srcu.h>
#include <linux/wait.h>
#include <linux/xarray.h>
#include <linux/keel.h>

#include <keel/backdoor.h>
#include <keel/el2.h>
#include <keel/gva.h>
#include <keel/pnmi.h>
#include <keel/power.h>
#include <keel/run.h>
#include <keel/stage2.h>
#include <keel/vcpu.h>
#include <keel/vgic.h>
#include <keel/vtimer.h>

#define KEEL_MAX_VCPUS	512

/* Hooks that exist: KEEL_HOOK_* */
#define VM_HOOKS	(KEEL_HOOK_BACKDOOR_DCC | KEEL_HOOK_BACKDOOR_BRK | KEEL_HOOK_BACKDOOR_HVC)

/* Requests to a vCPU (bits of keel_vcpu.requests); looked at before each entry. */
enum vcpu_request {
	VCPU_REQ_RESET,		/* CPU_ON left a state to start from */
	VCPU_REQ_SLEEP,		/* powered off: block until it is not */
	VCPU_REQ_IRQ,		/* interrupt state changed: leave, flush, enter again */
	VCPU_REQ_TRAPS,		/* vm->traps have changed: load them */
	VCPU_REQ_LEAVE,		/* leave the guest once (memory or VM-wide change) */
	VCPU_REQ_HOLD,		/* stay outside until it is taken back: vm_hold() */
	VCPU_REQ_VISIT,		/* somebody wants to look at it: vcpu_visit() */
	VCPU_REQ_POWER,		/* its power settings or its share of time: power_may_enter() */
};

/* Where a vCPU is (keel_vcpu.mode); the Dekker pair with requests, see run/loop.c. */
enum vcpu_mode {
	VCPU_OUTSIDE,
	VCPU_IN_GUEST,
};

/* Counters of a VM and its vCPUs, by name, for KVM_GET_STATS_FD (src/abi/stats.c). */
enum vm_counter {
	VM_COUNT_REMOTE_TLB,		/* flushes of its VMID, all CPUs; under stage2.lock */
	VM_COUNT_VMID_ROLLOVER,		/* it needed a VMID and none was left; under vmid_lock */
	VM_COUNT_NR,
};

enum vcpu_counter {
	COUNT_EXITS,			/* exits to the second tier */
	COUNT_MMIO_USER,
	COUNT_MMIO_KERNEL,
	COUNT_MMIO_SHORT,		/* stores that an ioeventfd took, without a sync */
	COUNT_SIGNAL,
	COUNT_HALT_WAKEUP,		/* WFI sleeps */
	COUNT_S2_FAULT,			/* stage-2 pages mapped */
	COUNT_S2_BLOCK,			/* of these, blocks of 2 MB or 1 GB */
	COUNT_CACHE_CLEAN,		/* pages cleaned to PoC */
	COUNT_TLB_LOCAL,		/* local flushes because another vCPU ran here */
	COUNT_FP_LOAD,
	COUNT_IRQ_INJECT,
	COUNT_UNDEF,			/* UNDEF injected: no such register, or a stray trap */
	COUNT_NR,
};

/**
 * struct keel_vcpu - a virtual CPU
 * @vm: its VM; a reference is held by the vCPU's fd
 * @id: KVM_CREATE_VCPU's id
 * @mutex: held by KVM_RUN and every vCPU ioctl; inside vm->lock
 * @kvm_run: page shared with the VMM
 * @requests, @mode: the protocol at the top of vm/wake.c
 * @pass: entries into the guest so far, for vm_guest_barrier()
 * @task: thread inside KVM_RUN, for kick_process(); NULL outside; read under RCU
 * @wait: where a blocked vCPU sleeps
 * @preempt: preempt notifier that loads and puts
 * @cpu: where it is loaded, -1 when not
 * @last_cpu: where it was loaded last
 * @prda: PRDA of @cpu while loaded
 * @visits: struct vcpu_visit that wait, under @visit_lock; @visitors: where they do
 * @sigset, @sigset_active: KVM_SET_SIGNAL_MASK
 * @exits: second-tier exits of each row of the exit table (first tier: state.ctx.answered)
 * @count: COUNT_*
 */
struct keel_vcpu {
	struct vcpu_state state;	/* first, for the assembly */
	struct keel_vm *vm;
	u32 id;
	struct mutex mutex;		/* KVM_RUN and every vCPU ioctl */
	struct kvm_run *kvm_run;
	unsigned long requests;
	unsigned long pass;
	int mode;
	struct task_struct __rcu *task;
	struct rcuwait wait;
	spinlock_t visit_lock;		/* @visits; a leaf */
	struct list_head visits;
	wait_queue_head_t visitors;
	struct preempt_notifier preempt;
	int cpu;
	int last_cpu;
	struct prda *prda;
	sigset_t sigset;
	bool sigset_active;
	u64 exits[EL2_NR_EXITS];
	u64 count[COUNT_NR];

	struct run_vcpu run;
	struct stage2_vcpu stage2;
	struct vgic_vcpu vgic;
	struct vtimer_vcpu vtimer;
	struct pnmi_vcpu pnmi;
	struct backdoor_vcpu backdoor;
	struct power_vcpu power;
};

/**
 * struct keel_vm - a virtual machine
 *
 * Lock order, outermost first: vm->lock, vcpu->mutex, vm->config_lock, stage2.slots_lock,
 * mmap_lock, vm->srcu (read), stage2.lock; vgic's el2_locks are taken alone (order among
 * themselves: src/vgic/vgic.c). backdoor.lock and then the link's are inside vcpu->mutex; hold_lock
 * is inside all of these and outside vm->srcu. power.lock is inside vm->lock and outside slots_lock
 * and bus_lock. psci_lock is a leaf.
 *
 * @ref: VM fd, vCPU fds, device fds each hold one; an observer for the time of a call
 * @id: never reused
 * @lock: VM ioctls
 * @config_lock: once-only set-up at the first run, reached with a vcpu->mutex held
 * @mm: the creator's; only it may run the VM
 * @creator: credentials of the thread that made it, then; for observers
 * @tgid: its process
 * @created: when, ktime_get_boottime_ns()
 * @name: for people; under the list's lock, see vm_name()
 * @observe: KEEL_OBSERVE; read without a lock
 * @srcu: readers of slots and MMIO regions
 * @bus: MMIO regions; @bus_lock: changes of it, a leaf
 * @vcpus: by index (order of creation); @nr_vcpus: how many
 * @by_id: index by KVM_CREATE_VCPU id
 * @hooks: KEEL_HOOK_* that are on; changed under config_lock, read without a lock
 * @traps: EL2 control registers for this VM's vCPUs, see traps_compute()
 * @hold_lock: held while vm_hold() keeps vCPUs outside, and while one is added
 * @link: list of VMs
 */
struct keel_vm {
	struct kref ref;
	u32 id;
	struct mutex lock;		/* VM ioctls */
	struct mutex config_lock;	/* once-only set-up at the first run */
	struct mm_struct *mm;
	const struct cred *creator;
	struct pid *tgid;
	u64 created;
	char name[KEEL_NAME_SIZE];
	bool observe;
	struct srcu_struct srcu;
	struct mmio_bus __rcu *bus;
	struct mutex bus_lock;		/* changes of @bus */
	struct keel_vcpu *vcpus[KEEL_MAX_VCPUS];
	unsigned int nr_vcpus;
	u32 hooks;
	struct el2_traps traps;
	struct mutex hold_lock;		/* see above */
	struct list_head link;
	u64 count[VM_COUNT_NR];

	struct vcpu_vm vcpu;
	struct run_vm run;
	struct stage2 stage2;
	struct vgic vgic;
	struct vtimer_vm vtimer;
	struct pnmi_vm pnmi;
	struct backdoor_vm backdoor;
	struct power_vm power;
	struct list_head irqfds;	/* src/abi/eventfd.c, under vm->lock */
	struct list_head ioeventfds;
};

/*
 * vm_for_each_vcpu() - all published vCPUs of @vm; they live as long as the VM. The barrier in
 * vm_nr_vcpus() pairs with the store-release in vm_create_vcpu(): what is counted is there.
 */
#define vm_nr_vcpus(vm) smp_load_acquire(&(vm)->nr_vcpus)	/* see above */
#define vm_for_each_vcpu(i, v, vm)						\
	for ((i) = 0;								\
	     (i) < vm_nr_vcpus(vm) && ((v) = (vm)->vcpus[i], true);		\
	     (i)++)

/** vm_create() - a VM of current->mm; @type as KVM_CREATE_VM; ERR_PTR on failure */
struct keel_vm *vm_create(unsigned long type);
void vm_get(struct keel_vm *vm);
void vm_put(struct keel_vm *vm);

/**
 * vm_find() - the VM with this id, with a reference; NULL if there is none any more
 *
 * For those who do not keep a VM: whoever puts the last reference ends it, be it this one.
 * Context: may sleep.
 */
struct keel_vm *vm_find(u32 id);

/** vm_find_next() - as vm_find(), of the VM with the lowest id above @id */
struct keel_vm *vm_find_next(u32 id);

/** vm_lives() - would vm_find() find it; may sleep */
bool vm_lives(u32 id);

/** vm_ended - woken when a VM is found no more */
extern wait_queue_head_t vm_ended;

/** vm_name() / vm_set_name() - copy the VM's name, KEEL_NAME_SIZE bytes; may sleep */
void vm_name(struct keel_vm *vm, char *to);
void vm_set_name(struct keel_vm *vm, const char *from);

/** vm_create_vcpu() - vm->lock held; -EINVAL (id), -EEXIST, -ENOMEM */
struct keel_vcpu *vm_create_vcpu(struct keel_vm *vm, u32 id);

/** vm_vcpu_by_id() / vm_vcpu_by_mpidr() - or NULL */
struct keel_vcpu *vm_vcpu_by_id(struct keel_vm *vm, u32 id);
struct keel_vcpu *vm_vcpu_by_mpidr(struct keel_vm *vm, u64 mpidr);

/** vcpu_load() / vcpu_put() - bind the vCPU to this CPU, with its preempt notifier; task context */
void vcpu_load(struct keel_vcpu *vcpu);
void vcpu_put(struct keel_vcpu *vcpu);

/**
 * vcpu_request() - set a request and make the vCPU notice it: kick if in the guest, wake if blocked
 *
 * Context: any, also hard interrupt. Ordering: the bit is set before mode is read (pairs with the
 * store of mode and the check of requests in run/loop.c).
 */
void vcpu_request(struct keel_vcpu *vcpu, enum vcpu_request req);

/**
 * vcpu_ring_el2() - make @to look at its queues, without leaving the guest
 *
 * What it shall find is written before, under a lock that it takes or in front of a full barrier.
 * Context: any, at EL2 and in the kernel. Return: false if it is not in the guest, or this host has
 * no doorbell that EL2 may answer: vcpu_request() then.
 */
bool vcpu_ring_el2(struct keel_vcpu *to);

/** vcpu_kick() - out of the guest, if it is there, and awake; any context */
void vcpu_kick(struct keel_vcpu *vcpu);

/** vm_request_all() - vcpu_request() on every vCPU but @but (may be NULL) */
void vm_request_all(struct keel_vm *vm, enum vcpu_request req, struct keel_vcpu *but);

/**
 * vm_hold() / vm_release() - keep all vCPUs but @but out of the guest
 *
 * For what must look to the guest like one access of @but's: no other vCPU changes a translation
 * meanwhile. Context: task, may sleep. In between no page is faulted in, and nothing sleeps for
 * long.
 */
void vm_hold(struct keel_vcpu *but);
void vm_release(struct keel_vcpu *but);

/** vcpu_wait_held() - until the hold that was requested is over; the running thread */
void vcpu_wait_held(struct keel_vcpu *vcpu);

/**
 * vcpu_block() - sleep until the vCPU has a reason to run: a pending interrupt, a request, a signal
 * @state: why it sleeps, KEEL_POWER_WFI or another
 *
 * Context: task, vCPU loaded (it is put while it sleeps).
 */
void vcpu_block(struct keel_vcpu *vcpu, u32 state);

/** vcpu_sleep() - vcpu_block() without counting */
void vcpu_sleep(struct keel_vcpu *vcpu);

/** vcpu_block_ends() - has it such a reason, the signal aside */
bool vcpu_block_ends(struct keel_vcpu *vcpu);

/**
 * vcpu_block_until() - the same, until @over() says so
 * @over: read without a lock; who makes it true wakes vcpu->wait
 */
void vcpu_block_until(struct keel_vcpu *vcpu, bool (*over)(struct keel_vcpu *vcpu, void *arg),
		      void *arg);

/** vcpu_runnable() - would the vCPU leave now the WFI or the deeper sleep that it is in */
bool vcpu_runnable(struct keel_vcpu *vcpu);

/** vm_shut_down - the machine reboots: no vCPU enters a guest any more */
extern bool vm_shut_down;

/** vm_shutdown_all() - set @vm_shut_down and get every vCPU out of its guest; may sleep */
void vm_shutdown_all(void);

/** vcpu_preempt_init() - the preempt notifier of a new vCPU */
void vcpu_preempt_init(struct keel_vcpu *vcpu);

/* A quick look: an address that is none of the vGIC's frames. */
static __always_inline bool vgic_may_own(const struct keel_vm *vm, struct ipa a)
{
	return a.v >= vm->vgic.from && a.v < READ_ONCE(vm->vgic.to);
}

static inline bool vcpu_has_request(struct keel_vcpu *vcpu, enum vcpu_request req)
{
	return test_bit(req, &vcpu->requests);
}

/**
 * vcpu_take_request() - test and clear; what the requester wrote before it is visible afterwards
 */
static inline bool vcpu_take_request(struct keel_vcpu *vcpu, enum vcpu_request req)
{
	return test_bit(req, &vcpu->requests) && test_and_clear_bit(req, &vcpu->requests);
}

/**
 * vm_guest_barrier() - wait until each vCPU has left the guest or passed an entry (switch.md
 *	2.4)
 */
void vm_guest_barrier(struct keel_vm *vm);

static inline void vcpu_count(struct keel_vcpu *vcpu, enum vcpu_counter c)
{
	WRITE_ONCE(vcpu->count[c], vcpu->count[c] + 1);
}

/* Who counts holds the counter's lock. */
static inline void vm_count(struct keel_vm *vm, enum vm_counter c)
{
	WRITE_ONCE(vm->count[c], vm->count[c] + 1);
}

#endif /* KEEL_VM_H */
