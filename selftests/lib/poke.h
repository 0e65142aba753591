/* SPDX-License-Identifier: GPL-2.0 */
/* A guest that does single accesses on demand (guests/poke.c), and the calls that drive it. */
#ifndef SELFTESTS_POKE_H
#define SELFTESTS_POKE_H

#include "common.h"
#include "report.h"

enum poke_op {
	POKE_READ,
	POKE_WRITE,
	POKE_EXEC,	/* call a function at addr, value becomes its result */
	POKE_LOOP,	/* add 1 to the u64 at addr and read value's address, for ever */
};

/**
 * struct poke - one command, at SHARED_IPA
 * @op: enum poke_op
 * @addr: where
 * @len: 1, 2, 4 or 8
 * @value: to write, or read
 * @esr: syndrome if it took an exception, else 0
 * @far: fault address then
 */
struct poke {
	u64 op;
	u64 addr;
	u64 len;
	u64 value;
	u64 esr;
	u64 far;
};

#ifndef GUEST_H

#include "vm.h"

/**
 * poke_create() - a VM with one vCPU that waits for commands
 * @vm: filled in
 */
void poke_create(struct vm *vm);

/**
 * poke_command() - give the guest a command and run it
 * @vm: the VM
 * @cmd: the command; result, esr and far are filled in if it is over
 *
 * Return: true when it is over; false when it has led to an exit, see kvm_run, after which
 * poke_resume() goes on.
 */
bool poke_command(struct vm *vm, struct poke *cmd);

/**
 * poke_resume() - go on with a command after an exit
 * @vm: the VM
 * @cmd: as for poke_command()
 *
 * Return: as poke_command()
 */
bool poke_resume(struct vm *vm, struct poke *cmd);

/**
 * poke_read() - a read that ends without an exit
 * @vm: the VM
 * @addr: where
 * @len: bytes
 *
 * Return: the value
 */
u64 poke_read(struct vm *vm, u64 addr, u64 len);

/**
 * poke_write() - a write that ends without an exit
 * @vm: the VM
 * @addr: where
 * @len: bytes
 * @value: the value
 */
void poke_write(struct vm *vm, u64 addr, u64 len, u64 value);

/**
 * poke_exits() - does an access exit as MMIO, in the right way?
 * @vm: the VM
 * @write: direction
 * @addr: where
 * @len: bytes
 * @value: written; or what the exit answers, and the guest must see
 *
 * Return: true if it exits with exactly this access and goes on well
 */
bool poke_exits(struct vm *vm, bool write, u64 addr, u64 len, u64 value);

#endif
#endif
