/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest that goes through memory on demand (guests/touch.c), and what that has cost by keel's
 * counters. On in-tree KVM, which has no such counters, only the memory is checked.
 */
#ifndef SELFTESTS_TOUCH_H
#define SELFTESTS_TOUCH_H

#include "common.h"
#include "report.h"

/* The GB that the guest maps for it, and that IPA sizes of 34 bits still have. */
#define TOUCH_IPA	0x200000000ULL

enum touch_op {
	TOUCH_WRITE,	/* value plus address into each word */
	TOUCH_CHECK,	/* count the words that hold something else */
	TOUCH_ZERO,	/* count the words that are not 0 */
	TOUCH_EXEC,	/* call the address; bad is its result */
	TOUCH_TURN,	/* check and write for ever, value rising; bad is the last one */
};

/**
 * struct touch - one command, at SHARED_IPA
 * @op: enum touch_op
 * @addr: the first word
 * @size: bytes
 * @step: from word to word
 * @value: see enum touch_op
 * @bad: the answer
 */
struct touch {
	u64 op;
	u64 addr;
	u64 size;
	u64 step;
	u64 value;
	u64 bad;
};

#ifndef GUEST_H

#include "vm.h"

/**
 * struct touch_vm - a VM with that guest
 * @vm: with one vCPU, and a slot 1 for the memory
 * @stats: counters of the vCPU, -1 on in-tree KVM
 * @vm_stats: of the VM
 * @before: all of them before the last command
 * @spent: what it has cost
 */
struct touch_vm {
	struct vm vm;
	int stats;
	int vm_stats;
	struct touch_cost {
		u64 faults;	/* stage-2 faults taken */
		u64 maps;	/* pages and blocks mapped */
		u64 blocks;	/* of these, blocks */
		u64 cleaned;	/* pages cleaned to the point of coherency */
		u64 flushes;	/* TLB maintenance */
	} before, spent;
};

/**
 * touch_create() - a VM whose guest waits for commands
 * @t: filled in
 * @type: as for KVM_CREATE_VM
 */
void touch_create(struct touch_vm *t, unsigned long type);

/**
 * touch_destroy() - the end of it
 * @t: the VM
 */
void touch_destroy(struct touch_vm *t);

/**
 * touch_slot() - let the guest see memory at TOUCH_IPA plus an offset
 * @t: the VM
 * @offset: from TOUCH_IPA
 * @mem: the memory
 * @size: bytes
 */
void touch_slot(struct touch_vm *t, u64 offset, void *mem, u64 size);

/**
 * touch() - a word a page
 * @t: the VM; spent is filled in
 * @op: TOUCH_WRITE, TOUCH_CHECK or TOUCH_ZERO
 * @offset: of the first, from TOUCH_IPA
 * @size: bytes
 * @value: see enum touch_op
 *
 * Return: true if all of them were as they should be
 */
bool touch(struct touch_vm *t, u64 op, u64 offset, u64 size, u64 value);

/**
 * touch_run() - any command that ends
 * @t: the VM; spent is filled in
 * @cmd: the command
 *
 * Return: its answer
 */
u64 touch_run(struct touch_vm *t, const struct touch *cmd);

/**
 * touch_turn() - start a thread whose guest goes through memory with TOUCH_TURN
 * @t: the VM; the memory holds @value already
 * @offset: from TOUCH_IPA
 * @size: bytes, a word a page
 * @value: the first
 */
void touch_turn(struct touch_vm *t, u64 offset, u64 size, u64 value);

/**
 * touch_turned() - how far TOUCH_TURN is
 * @t: the VM
 *
 * Return: value of the last round that is over
 */
u64 touch_turned(struct touch_vm *t);

/**
 * touch_stop() - end that thread
 * @t: the VM
 */
void touch_stop(struct touch_vm *t);

/* A counter against what it should be; nothing on in-tree KVM. */
#define CHECK_COST(t, field, want)					\
	do {								\
		struct touch_vm *__t = (t);				\
									\
		if (__t->stats >= 0)					\
			CHECK_EQ(__t->spent.field, (want));		\
	} while (0)

#endif
#endif
