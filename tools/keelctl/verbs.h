/* SPDX-License-Identifier: GPL-2.0 */
/* keelctl: the tables of verbs, and what they say with --help. */
#ifndef KEELCTL_VERBS_H
#define KEELCTL_VERBS_H

#include "keelctl.h"

enum {
	OPT_ALL,
	OPT_COUNT,
	OPT_DENY,
	OPT_DEV,
	OPT_EVERY,
	OPT_FOR,
	OPT_HELP,
	OPT_INTERVAL,
	OPT_JSON,
	OPT_MAP,
	OPT_MAX,
	OPT_MIN,
	OPT_NEED,
	OPT_ONCE,
	OPT_OUTPUT,
	OPT_POLICY,
	OPT_RANGES,
	OPT_RAW,
	OPT_STATS,
	OPT_USER,
	OPT_VCPU,
	OPT_VCPUS,
	OPT_WRITE,
	OPTIONS,
};

/* verb.most: no limit */
#define ANY_WORDS	0x7fffffff

/**
 * struct verb - something that keelctl does
 * @name: one word, or several with a blank between two
 * @vm: it takes a VM
 * @rest: what may follow the VM, for its usage; NULL: nothing
 * @least: how many words must follow it
 * @most: how many may
 * @options: bits of the OPT_* that it takes, beside --dev and --help
 * @summary: for the list of verbs
 * @help: what stands below its usage: what it prints, and its options
 * @run: does it
 */
struct verb {
	const char *name;
	bool vm;
	const char *rest;
	int least;
	int most;
	unsigned int options;
	const char *summary;
	const char *help;
	void (*run)(const struct request *r);
};

/* Each ends with a verb without a name. */
extern const struct verb verbs_vm[];
extern const struct verb verbs_live[];
extern const struct verb verbs_gva[];
extern const struct verb verbs_power[];
extern const struct verb verbs_backdoor[];

#define VM_HELP		"VM is the id or the name that keelctl list shows; digits are an id.\n\n"
#define JSON_HELP	"  --json       print JSON\n"
#define VCPU_HELP	"  --vcpu N     as this vCPU sees it; without, the first\n"

#endif
