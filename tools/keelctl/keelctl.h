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
 * @rest: what was given behind it, NULL ends it; empty for verbs that take no more
 * @json: JSON instead of tables
 * @all: counters that are 0 as well
 * @per_vcpu: vCPU by vCPU, not summed up
 * @map: path of the guest kernel's System.map; NULL without
 */
struct request {
	const char *node;
	const char *vm;
	char *const *rest;
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

/**
 * keelctl_backdoor_on() - backdoor on VM [DOOR...]: let the guest call through these doors
 * @r: the request
 */
void keelctl_backdoor_on(const struct request *r);

/**
 * keelctl_backdoor_off() - backdoor off VM [DOOR...]: no longer
 * @r: the request
 */
void keelctl_backdoor_off(const struct request *r);

/**
 * keelctl_backdoor_show() - backdoor show VM: which doors are on
 * @r: the request
 */
void keelctl_backdoor_show(const struct request *r);

/**
 * keelctl_backdoor_serve() - backdoor serve VM: answer the guest's messages until the VM ends
 * @r: the request
 */
void keelctl_backdoor_serve(const struct request *r);

/**
 * keelctl_backdoor_send() - backdoor send VM TEXT: ask the tools in the guest, print their reply
 * @r: the request
 */
void keelctl_backdoor_send(const struct request *r);

/**
 * keelctl_guestinfo_get() - guestinfo get VM KEY: print a variable of the guest's
 * @r: the request
 */
void keelctl_guestinfo_get(const struct request *r);

/**
 * keelctl_guestinfo_set() - guestinfo set VM KEY VALUE: set one
 * @r: the request
 */
void keelctl_guestinfo_set(const struct request *r);

/**
 * keelctl_power_off() - power off VM: have the tools in the guest shut it down
 * @r: the request
 */
void keelctl_power_off(const struct request *r);

/**
 * keelctl_power_reboot() - power reboot VM: have them reboot it
 * @r: the request
 */
void keelctl_power_reboot(const struct request *r);

#endif
