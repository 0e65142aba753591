/* SPDX-License-Identifier: GPL-2.0 */
/* keelctl: a verb is a function; what it was asked for. */
#ifndef KEELCTL_H
#define KEELCTL_H

#include "util.h"

/* Exit statuses beside 0 and 1. */
#define EXIT_NO_VM	2	/* or no such vCPU */
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
 * @help: only say what the verb does
 * @once: one measurement, not one after the other
 * @raw: bytes as they are
 * @stats: what the scan took
 * @user: as an access of EL0's
 * @write: as a write
 * @map: path of the guest kernel's System.map, or of a picture; NULL without, as all that follow
 * @vcpu: id of a vCPU
 * @ranges: which half of the address space
 * @need: permissions that a leaf must have
 * @deny: permissions that it must not have
 * @interval: seconds from one measurement to the next
 * @count: how many exits
 * @policy: what follows from what a guest asks for
 * @min: least performance
 * @max: highest performance
 * @length: seconds to record
 * @every: milliseconds from one sample to the next
 * @output: path of a picture
 */
struct request {
	const char *node;
	const char *vm;
	char *const *rest;
	bool json;
	bool all;
	bool per_vcpu;
	bool help;
	bool once;
	bool raw;
	bool stats;
	bool user;
	bool write;
	const char *map;
	const char *vcpu;
	const char *ranges;
	const char *need;
	const char *deny;
	const char *interval;
	const char *count;
	const char *policy;
	const char *min;
	const char *max;
	const char *length;
	const char *every;
	const char *output;
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
 * keelctl_regs() - regs VM [VCPU]: the registers of its vCPUs
 * @r: the request
 */
void keelctl_regs(const struct request *r);

/**
 * keelctl_top() - top [VM...]: what the vCPUs do, again and again
 * @r: the request
 */
void keelctl_top(const struct request *r);

/**
 * keelctl_trace() - trace VM: its exits, as they come
 * @r: the request
 */
void keelctl_trace(const struct request *r);

/**
 * keelctl_gva_translate() - gva translate VM ADDRESS: where a guest virtual address is
 * @r: the request
 */
void keelctl_gva_translate(const struct request *r);

/**
 * keelctl_gva_scan() - gva scan VM [START [LAST]]: what the tables of a vCPU map
 * @r: the request
 */
void keelctl_gva_scan(const struct request *r);

/**
 * keelctl_gva_read() - gva read VM ADDRESS LENGTH: guest memory by its virtual address
 * @r: the request
 */
void keelctl_gva_read(const struct request *r);

/**
 * keelctl_pnmi_sample() - pnmi sample VM: where its vCPUs are, by pseudo-NMI
 * @r: the request
 */
void keelctl_pnmi_sample(const struct request *r);

/**
 * keelctl_power_show() - power show VM [VCPU]: what its vCPUs ask for and get
 * @r: the request
 */
void keelctl_power_show(const struct request *r);

/**
 * keelctl_power_set() - power set VM: how they are treated
 * @r: the request
 */
void keelctl_power_set(const struct request *r);

/**
 * keelctl_power_record() - power record VM [VCPU]: what they ask for and get, over time
 * @r: the request
 */
void keelctl_power_record(const struct request *r);

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
