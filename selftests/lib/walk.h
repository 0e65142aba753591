/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest whose vCPUs go through memory for ever (guests/walk.c), each with a word of its own in
 * every page: it checks what it wrote the last time and writes what comes next. Whatever the host
 * does to that memory without changing it, the guest must not notice.
 */
#ifndef SELFTESTS_WALK_H
#define SELFTESTS_WALK_H

#include "common.h"
#include "report.h"

#define WALK_IPA	0x50000000ULL	/* where the memory is that it walks through */
#define WALK_CPUS	4
#define WALK_PAGE	4096ULL

#define WALK_FILLED	BIT(0)	/* memory holds walk_value(…, 0) at the start, else 0 */
#define WALK_READ	BIT(1)	/* only check; looked at before each round */
#define WALK_ZERO	BIT(2)	/* a word may be 0 again: the host threw the page away */

/**
 * struct walk_args - at SHARED_IPA, in its guest's memory
 * @size: of the memory at WALK_IPA
 * @cpus: how many vCPUs walk
 * @flags: WALK_*, may change; WALK_ZERO is set before pages go, and cleared when all vCPUs have
 *         been through since
 * @rounds: how often a vCPU has been through
 * @written: how often it has been through writing; its words say so, or one more
 * @zeros: words that a vCPU found to be 0 because of WALK_ZERO
 * @bad: address of a wrong word, 0 while there is none
 * @got: what stood there
 * @want: what should
 */
struct walk_args {
	u64 size;
	u64 cpus;
	u64 flags;
	u64 rounds[WALK_CPUS];
	u64 written[WALK_CPUS];
	u64 zeros[WALK_CPUS];
	u64 bad;
	u64 got;
	u64 want;
};

/**
 * walk_word() - where a vCPU has its word in a page
 * @page: address of the page
 * @cpu: number
 *
 * Return: offset in the page, other for every page
 */
static inline u64 walk_word(u64 page, u32 cpu)
{
	return page / WALK_PAGE % 64 * 64 + 8 * cpu;
}

/**
 * walk_value() - what a word says
 * @page: IPA of the page
 * @cpu: whose word it is
 * @written: rounds
 *
 * Return: the value, never 0
 */
static inline u64 walk_value(u64 page, u32 cpu, u64 written)
{
	return written << 40 | page | cpu;
}

#ifndef GUEST_H

#include "vm.h"

/**
 * struct walk - such a VM
 * @vm: it
 * @mem: mapping of the memory at WALK_IPA
 * @size: of it
 * @args: the guest's
 * @may_fail: KVM_RUN may give EFAULT for a while: memory is not there
 * @failures: how often it did
 * @interrupts: how often it gave EINTR
 * @stop: the threads are to end
 * @running: they run
 */
struct walk {
	struct vm vm;
	char *mem;
	u64 size;
	struct walk_args *args;
	bool may_fail;
	u64 failures;
	u64 interrupts;
	bool stop;
	bool running;
};

/**
 * walk_create() - a VM that walks through memory
 * @w: filled in
 * @mem: its memory
 * @size: of it
 * @cpus: vCPUs, WALK_CPUS at most
 * @flags: WALK_*
 */
void walk_create(struct walk *w, char *mem, u64 size, u32 cpus, u64 flags);

/**
 * walk_fill() - write what WALK_FILLED promises
 * @to: memory of at least @size
 * @size: bytes
 * @cpus: words in each page
 */
void walk_fill(char *to, u64 size, u32 cpus);

/**
 * walk_start() - let the vCPUs run, each in a thread
 * @w: the VM
 */
void walk_start(struct walk *w);

/**
 * walk_stop() - end the threads; the vCPUs stay where they are
 * @w: the VM
 */
void walk_stop(struct walk *w);

/**
 * walk_rounds() - wait until each vCPU has been through the whole memory again
 * @w: the VM, running
 * @n: how often; the round under way when this is called is not counted
 */
void walk_rounds(struct walk *w, u64 n);

/**
 * walk_flags() - replace the flags and wait until each vCPU has seen them
 * @w: the VM
 * @flags: WALK_*
 */
void walk_flags(struct walk *w, u64 flags);

/**
 * walk_zeros() - zeros found
 * @w: the VM
 *
 * Return: sum over the vCPUs
 */
u64 walk_zeros(struct walk *w);

/**
 * walk_check() - compare all of the memory with what the vCPUs say they wrote
 * @w: the VM, stopped
 */
void walk_check(struct walk *w);

/**
 * walk_destroy() - end the VM; its memory stays mapped
 * @w: the VM
 */
void walk_destroy(struct walk *w);

#endif
#endif
