/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The face of src/backdoor/: VMware's backdoor. A guest's software, unprivileged too, names an x86
 * I/O instruction in W7 and its parameters in X0 to X6, and calls through a door: a read of the
 * debug channel's status, BRK, HVC (Documentation/backdoor.md). A door is there while its hook is
 * on.
 */
#ifndef KEEL_BACKDOOR_H
#define KEEL_BACKDOOR_H

#include <linux/mutex.h>
#include <linux/types.h>

struct keel_vcpu;
struct keel_vm;
struct backdoor_datagram;
struct backdoor_link;
struct keel_backdoor_message;
struct wait_queue_head;

#define BACKDOOR_IMM	0x86	/* of BRK and HVC; X7<63:32> of the DCC door */

/**
 * struct backdoor_vcpu - src/backdoor's member of struct keel_vcpu, for EL2: set at each entry
 * @hooks: the VM's, by which this pass goes
 * @ns: CLOCK_REALTIME; while one of @hooks is on
 * @count: CNTPCT_EL0 at that moment
 * @last: the latest time that a call was told, in ns
 */
struct backdoor_vcpu {
	u32 hooks;
	u64 ns;
	u64 count;
	u64 last;
};

/**
 * struct backdoor_vm - src/backdoor's member of struct keel_vm
 * @lock: of @link; outside the link's own
 * @link: the message channels, NULL: no agent
 */
struct backdoor_vm {
	struct mutex lock;	/* see above */
	struct backdoor_link *link;
};

/** backdoor_vm_init() - of a new VM */
void backdoor_vm_init(struct keel_vm *vm);

/** backdoor_vm_destroy() - the agent's file finds the VM gone; no vCPU runs any more */
void backdoor_vm_destroy(struct keel_vm *vm);

/**
 * backdoor_link_create() - KEEL_BACKDOOR_OPEN: channels for an agent
 * @observer: who is not the VMM
 *
 * Context: may sleep. Return: with a reference; ERR_PTR of -EBUSY (there is an agent), -EPERM
 * (observers are not wanted any more), -ENOMEM.
 */
struct backdoor_link *backdoor_link_create(struct keel_vm *vm, bool observer);

/** backdoor_cut_observer() - an agent that is not the VMM is not wanted any more; may sleep */
void backdoor_cut_observer(struct keel_vm *vm);

/** backdoor_reset() - the machine is set to its beginning: its channels are closed; may sleep */
void backdoor_reset(struct keel_vm *vm);

/* --- the agent's file, src/abi/backdoor.c: may sleep, touch no user memory --- */

/**
 * backdoor_take() - the oldest datagram for the agent
 * @room: of the reader, header included
 * @wait: until there is one
 *
 * Return: it, or ERR_PTR of -EMSGSIZE (no room: it stays), -EAGAIN, -ERESTARTSYS, -ENODEV (the VM
 * has ended).
 */
struct backdoor_datagram *backdoor_take(struct backdoor_link *l, size_t room, bool wait);

/** backdoor_datagram_read() - what is in it; @data: as many bytes as the header says */
const struct keel_backdoor_message *
backdoor_datagram_read(const struct backdoor_datagram *d, const u8 **data);

/** backdoor_forget() - it was handed on */
void backdoor_forget(struct backdoor_datagram *d);

/** backdoor_take_back() - it could not be: it is the oldest again */
void backdoor_take_back(struct backdoor_link *l, struct backdoor_datagram *d);

/**
 * backdoor_give() - a message for the guest
 * @data: taken if 0 is returned
 *
 * Return: 0, or an error of KEEL_BACKDOOR_OPEN's write().
 */
int backdoor_give(struct backdoor_link *l, const struct keel_backdoor_message *header, u8 *data);

/** backdoor_readable() / backdoor_is_over() - for poll(); backdoor_wait() - who is woken then */
bool backdoor_readable(struct backdoor_link *l);
bool backdoor_is_over(struct backdoor_link *l);
struct wait_queue_head *backdoor_wait(struct backdoor_link *l);

/** backdoor_release() - the agent closes its file */
void backdoor_release(struct backdoor_link *l);

/* --- calls --- */

/** backdoor_flush() - the wall clock for this pass, if a hook is on; interrupts off */
void backdoor_flush(struct keel_vcpu *vcpu);

/**
 * backdoor_dcc_el2() - a read of MDCCSR_EL0 into XZR as a call
 *
 * Context: first tier. Return: false: it is none, and nothing was done.
 */
bool backdoor_dcc_el2(struct keel_vcpu *vcpu);

/** backdoor_hvc_el2() - the same of HVC #0x86 */
bool backdoor_hvc_el2(struct keel_vcpu *vcpu);

/**
 * backdoor_call() - an exit as a call through the door of @hook
 *
 * Context: second tier, PC at the instruction; may sleep. Return: false: it is none. True: PC is
 * where the guest goes on: behind it, at it once more, or in the handler of a fault.
 */
bool backdoor_call(struct keel_vcpu *vcpu, u32 hook);

/* enum backdoor_service - what a call wants of the kernel */
enum backdoor_service {
	BACKDOOR_NONE,		/* nothing, or it is no call */
	BACKDOOR_OPTIONS,	/* GETGUIOPTIONS: what the agent wants the tools to do */
	BACKDOOR_MESSAGE,	/* MESSAGE */
	BACKDOOR_HIGH,		/* a message by the high bandwidth */
};

/** backdoor_service() - by the registers of a call; any tier */
enum backdoor_service backdoor_service(const u64 *x);

/** backdoor_brk_el2() - first tier of the row BRK: also those that are none of keel's */
bool backdoor_brk_el2(struct keel_vcpu *vcpu);

/** backdoor_handle_brk() - second tier: calls by BRK that need the agent, and BKPT */
int backdoor_handle_brk(struct keel_vcpu *vcpu);

#endif /* KEEL_BACKDOOR_H */
