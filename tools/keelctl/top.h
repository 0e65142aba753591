/* SPDX-License-Identifier: GPL-2.0 */
/* keelctl top: what the vCPUs were doing at one moment, and in an interval. */
#ifndef KEELCTL_TOP_H
#define KEELCTL_TOP_H

#include "power.h"
#include "threads.h"

#define TOP_CLASSES	48
#define TOP_CLASS_NAME	16

/* top_row.vcpu: the VM as a whole */
#define TOP_VM		-1

/**
 * struct top_row - a vCPU, or a VM
 * @vm: id of the VM
 * @name: its name
 * @vcpu: id of the vCPU, or TOP_VM
 * @state: KEEL_VCPU_*, or the number of vCPUs
 * @exits: answered by the kernel
 * @exits_el2: answered at EL2
 * @class: exits of each class, in both tiers
 * @ns: CPU time since the moment before of the vCPU's thread, or of all threads of the VMM
 * @timed: it is known
 * @percent: of a host CPU; below 0: not known
 * @power: its VM uses power management, of which the rest speaks
 * @asked: performance that the guest asks for, or KEEL_POWER_UNASKED
 * @delivered: what it had
 * @sleep: KEEL_POWER_RUN, WFI, ...
 * @slept: ns in sleeps that are over
 * @awake: ns in which it ran, or wanted to
 * @asleep: percent of an interval that it slept
 *
 * In a moment these are sums since the beginning, in an interval they are per second.
 */
struct top_row {
	u32 vm;
	char name[KEEL_NAME_SIZE];
	s64 vcpu;
	u32 state;
	u64 exits;
	u64 exits_el2;
	u64 class[TOP_CLASSES];
	u64 ns;
	bool timed;
	double percent;
	bool power;
	u32 asked;
	u32 delivered;
	u32 sleep;
	u64 slept;
	u64 awake;
	double asleep;
};

/**
 * struct top_moment - all of them
 * @at: when, in ns
 * @row: a VM, then its vCPUs, and so on
 * @nr: how many rows
 * @vms: how many VMs
 */
struct top_moment {
	u64 at;
	struct top_row *row;
	size_t nr;
	size_t vms;
};

/**
 * top_class() - name of a class
 * @i: its place in top_row.class
 *
 * Return: the name; NULL: there are no more.
 */
const char *top_class(size_t i);

/**
 * struct top_watched - a VM that is looked at
 * @vm: what it was when it was found
 * @observer: its observer file; -1: it has ended
 * @alone: no other VM is in the same process
 * @threads: its VMM's, as last seen
 */
struct top_watched {
	struct keel_vm_info vm;
	int observer;
	bool alone;
	struct threads threads;
};

/**
 * struct top_list - the VMs that are looked at
 * @node: of node_open()
 * @all: all VMs, also those that come
 * @nr: how many
 * @watched: they
 */
struct top_list {
	int node;
	bool all;
	size_t nr;
	struct top_watched *watched;
};

/**
 * top_look() - look at all VMs of a list
 * @l: the list; VMs that have ended are taken out, new ones come in if it is to have all
 * @m: filled in, to be freed
 */
void top_look(struct top_list *l, struct top_moment *m);

/**
 * top_rates() - what happened between two moments
 * @from: the first
 * @to: the second
 * @rates: filled in, to be freed: what is in both, with rates per second
 */
void top_rates(const struct top_moment *from, const struct top_moment *to,
	       struct top_moment *rates);

/**
 * top_free() - free the rows
 * @m: the moment or the interval
 */
void top_free(struct top_moment *m);

/* In which order rows are printed */
enum top_order {
	TOP_BY_VM,
	TOP_BY_CPU,
	TOP_BY_EXITS,
};

/**
 * top_print() - print a table
 * @rates: of top_rates(); its rows are sorted
 * @order: how
 * @columns: of the terminal; 0: no limit
 * @lines: how many rows at most; 0: no limit
 */
void top_print(struct top_moment *rates, enum top_order order, int columns, int lines);

/**
 * top_json() - print it as JSON
 * @rates: of top_rates()
 * @ns: length of the interval
 */
void top_json(const struct top_moment *rates, u64 ns);

#endif
