/* SPDX-License-Identifier: GPL-2.0 */
/* keelctl: a verb is a function; what it was asked for. */
#ifndef KEELCTL_H
#define KEELCTL_H

#include "util.h"

/* Exit statuses beside 0 and 1. */
#define EXIT_NO_VM	2
#define EXIT_PERMISSION	3
#define EXIT_NO_KEEL	4

/**
 * struct request - the command line
 * @node: path of the node
 * @vm: the VM's id or name, as given; NULL for verbs without
 * @json: JSON instead of tables
 * @all: counters that are 0 as well
 * @per_vcpu: vCPU by vCPU, not summed up
 * @map: path of the guest kernel's System.map; NULL without
 */
struct request {
	const char *node;
	const char *vm;
	bool json;
	bool all;
	bool per_vcpu;
	const char *map;
};

/**
 * keelctl_list() - list: the VMs that the caller may observe
 * @r: the request
 *
 * As every verb: it prints its answer, or ends the program with an error.
 */
void keelctl_list(const struct request *r);

/**
 * keelctl_show() - show VM: what it is and where its vCPUs are
 * @r: the request
 */
void keelctl_show(const struct request *r);

/**
 * keelctl_stats() - stats VM: its exits and counters
 * @r: the request
 */
void keelctl_stats(const struct request *r);

/**
 * keelctl_pnmi_sample() - pnmi sample VM: where its vCPUs are, by pseudo-NMI
 * @r: the request
 */
void keelctl_pnmi_sample(const struct request *r);

#endif
