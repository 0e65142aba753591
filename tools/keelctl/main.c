// SPDX-License-Identifier: GPL-2.0
/* keelctl: keel's VMs, looked at beside their VMMs. The table of verbs, options, help. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keelctl.h"
#include "output.h"

enum {
	OPT_ALL = 1,
	OPT_DEV,
	OPT_HELP,
	OPT_JSON,
	OPT_MAP,
	OPT_VCPUS,
};

static const struct option options[] = {
	{ "all", no_argument, NULL, OPT_ALL },
	{ "dev", required_argument, NULL, OPT_DEV },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "map", required_argument, NULL, OPT_MAP },
	{ "vcpus", no_argument, NULL, OPT_VCPUS },
	{ NULL, 0, NULL, 0 },
};

/**
 * struct verb - something that keelctl does
 * @name: one word, or several with a blank between two
 * @vm: it takes a VM
 * @rest: what may follow the VM, for its usage; NULL: nothing
 * @words: how many words must follow it; 0: any number, if @rest is not NULL
 * @options: bits of the OPT_* that it takes, beside --dev and --help
 * @summary: for the list of verbs
 * @help: what stands below its usage: what it prints, and its options
 * @run: does it
 */
struct verb {
	const char *name;
	bool vm;
	const char *rest;
	int words;
	unsigned int options;
	const char *summary;
	const char *help;
	void (*run)(const struct request *r);
};

#define VM_HELP		"VM is the id or the name that keelctl list shows; digits are an id.\n\n"
#define JSON_HELP	"  --json       print JSON\n"
#define DOOR_HELP \
"  dcc  MRS XZR, MDCCSR_EL0, at EL0 and EL1\n" \
"  brk  BRK #0x86, at EL0 and EL1\n" \
"  hvc  HVC #0x86, at EL1\n" \
"\n"
#define SERVE_HELP	"keelctl backdoor serve must run for this VM.\n"

static const struct verb verbs[] = {
	{
		.name = "list",
		.options = 1 << OPT_JSON,
		.summary = "the VMs that you may observe",
		.help =
"Print the VMs that you may observe: your own (same user and group, and the VMM\n"
"can be traced), and with CAP_SYS_PTRACE all others. A VMM can keep its VM out.\n"
"\n"
"  ID       number of the VM, never used again while keel.ko is loaded\n"
"  OWNER    user who made it\n"
"  VCPUS    virtual CPUs\n"
"  MEMORY   size of all memory slots\n"
"  UPTIME   since it was made\n"
"  NAME     given by the VMM, or the name of the thread that made the VM\n"
"\n"
JSON_HELP,
		.run = keelctl_list,
	},
	{
		.name = "show",
		.vm = true,
		.options = 1 << OPT_JSON,
		.summary = "one VM: where its vCPUs are",
		.help =
"Print what a VM is, and for each vCPU its state, the host CPU on which it is\n"
"loaded, its exits to the kernel, and those that were answered at EL2.\n"
VM_HELP
"  guest      runs in the guest\n"
"  host       in KVM_RUN, in the kernel\n"
"  blocked    in KVM_RUN, sleeps until an interrupt\n"
"  outside    in the VMM, not in KVM_RUN\n"
"  off        not switched on by the guest\n"
"  suspended  KVM_MP_STATE_SUSPENDED\n"
"\n"
JSON_HELP,
		.run = keelctl_show,
	},
	{
		.name = "stats",
		.vm = true,
		.options = 1 << OPT_JSON | 1 << OPT_ALL | 1 << OPT_VCPUS,
		.summary = "one VM: exits by class and tier, and counters",
		.help =
"Print a VM's exits by class: those that the first tier answered (at EL2, within\n"
"tens of instructions) and those that the second did (the kernel); then the\n"
"counters of its vCPUs, summed up, and of the VM. Rows of zeros are left out.\n"
VM_HELP
"  --all        rows of zeros too\n"
"  --vcpus      vCPU by vCPU\n"
"  --json       print JSON: vCPU by vCPU, with all rows\n",
		.run = keelctl_stats,
	},
	{
		.name = "pnmi sample",
		.vm = true,
		.options = 1 << OPT_JSON | 1 << OPT_MAP,
		.summary = "one VM: what its vCPUs execute now, even with interrupts masked",
		.help =
"Print where each vCPU is at this moment. One in the guest is asked by a pseudo-NMI:\n"
"it answers although it has masked interrupts, and is not stopped.\n"
VM_HELP
"  WHERE    guest: runs in the guest; host: outside, will go on with these values;\n"
"           off: not switched on by the guest\n"
"  PSTATE   exception level, t or h (SP_EL0 or its own), and of DAIF what is masked\n"
"  SP, FP   the stack pointer in use, and x29\n"
"  SYMBOL   with --map: the function that PC is in; -: user space, or not in the map\n"
"\n"
"  --map FILE   the guest kernel's System.map, or a copy of its /proc/kallsyms. KASLR is not\n"
"               undone: with a System.map, boot the guest with nokaslr\n"
"  --json       print JSON\n",
		.run = keelctl_pnmi_sample,
	},
	{
		.name = "backdoor on",
		.vm = true,
		.rest = "[DOOR...]",
		.options = 1 << OPT_JSON,
		.summary = "one VM: open doors of VMware's backdoor to its guest",
		.help =
"Open doors through which a VM's guest, unprivileged programs too, calls VMware's\n"
"backdoor. Without DOOR these are dcc and hvc: brk costs a guest that is being\n"
"debugged, as each BRK of its own, a breakpoint say, then comes to keel first.\n"
VM_HELP
DOOR_HELP
"Prints nothing without --json.\n"
"\n"
JSON_HELP,
		.run = keelctl_backdoor_on,
	},
	{
		.name = "backdoor off",
		.vm = true,
		.rest = "[DOOR...]",
		.options = 1 << OPT_JSON,
		.summary = "one VM: shut them",
		.help =
"Shut doors of the backdoor: their instructions do what the architecture says\n"
"again. Without DOOR these are all.\n"
VM_HELP
DOOR_HELP
"Prints nothing without --json.\n"
"\n"
JSON_HELP,
		.run = keelctl_backdoor_off,
	},
	{
		.name = "backdoor show",
		.vm = true,
		.options = 1 << OPT_JSON,
		.summary = "one VM: which of them are on",
		.help =
"Print which doors of the backdoor are on, and the instruction of each.\n"
VM_HELP
JSON_HELP,
		.run = keelctl_backdoor_show,
	},
	{
		.name = "backdoor serve",
		.vm = true,
		.summary = "one VM: answer the messages of its guest until it ends",
		.help =
"Be the host's end of the backdoor's messages, for VMware's tools (open-vm-tools) in\n"
"the guest, until the VM ends, or SIGINT or SIGTERM. One keelctl serves a VM. It keeps\n"
"the variables guestinfo.* in memory, and prints what happens:\n"
VM_HELP
"  guest: TEXT        the guest logs this; what is not printable is '?'\n"
"  tools VERSION      the tools in the guest are of this version\n"
"  tools are running  they can be asked: keelctl backdoor send, keelctl power\n"
"  tools have stopped\n"
"  VM ID has ended\n"
"\n"
"The guest reaches it through the doors that keelctl backdoor on opens.\n"
"\n",
		.run = keelctl_backdoor_serve,
	},
	{
		.name = "backdoor send",
		.vm = true,
		.rest = "TEXT",
		.words = 1,
		.summary = "one VM: ask the tools in its guest",
		.help =
"Send a request (TCLO) to the tools in the guest and print their reply, which begins\n"
"with OK or ERROR; after ERROR the exit status is 1. It waits 10 seconds for the tools\n"
"to run, and 30 for the reply.\n"
"\n"
"  Set_Option synctime 1   keep the guest's clock right, until the tools end; 0: do not\n"
"  Time_Synchronize 1      put it right once, back too\n"
"\n"
VM_HELP
SERVE_HELP
"\n",
		.run = keelctl_backdoor_send,
	},
	{
		.name = "guestinfo get",
		.vm = true,
		.rest = "KEY",
		.words = 1,
		.options = 1 << OPT_JSON,
		.summary = "one VM: print a variable that its guest or its host has set",
		.help =
"Print the variable guestinfo.KEY; KEY may begin with guestinfo. itself. The guest's\n"
"tools report its address as guestinfo.ip, and more in guestinfo.set.TYPE, where TYPE is\n"
"a number.\n"
VM_HELP
SERVE_HELP
"\n"
"  --json       print JSON; a value that is not UTF-8 as hex, not as value\n",
		.run = keelctl_guestinfo_get,
	},
	{
		.name = "guestinfo set",
		.vm = true,
		.rest = "KEY VALUE",
		.words = 2,
		.summary = "one VM: set one",
		.help =
"Set the variable guestinfo.KEY, which the guest can read and set too; KEY may begin\n"
"with guestinfo. itself. Variables are kept as long as the VM is served, 1M in all.\n"
VM_HELP
SERVE_HELP
"\n",
		.run = keelctl_guestinfo_set,
	},
	{
		.name = "power off",
		.vm = true,
		.summary = "one VM: have the tools in its guest shut it down",
		.help =
"Ask the tools in the guest to shut it down, and wait until they have agreed, not\n"
"until they have done it.\n"
VM_HELP
SERVE_HELP
"\n",
		.run = keelctl_power_off,
	},
	{
		.name = "power reboot",
		.vm = true,
		.summary = "one VM: have them reboot it",
		.help =
"Ask the tools in the guest to reboot it, and wait until they have agreed.\n"
VM_HELP
SERVE_HELP
"\n",
		.run = keelctl_power_reboot,
	},
};

static void print_help(void)
{
	printf("Usage: keelctl VERB [VM [WORD...]] [OPTION]...\n"
	       "Look at the VMs of keel.ko, whatever their VMM, and open them a backdoor.\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		printf("  %-14s %-2s %-9s  %s\n", verbs[i].name, verbs[i].vm ? "VM" : "",
		       verbs[i].rest ? verbs[i].rest : "", verbs[i].summary);
	printf("\n"
	       "  --dev PATH   keel's node, /dev/keel unless given\n"
	       "  --help       print this; after a verb, what it does and its options\n"
	       "\n"
	       "Exit status: 0 done; 1 wrong use, or something else failed; 2 no such VM, or several\n"
	       "of that name; 3 no permission; 4 keel.ko is not loaded, or the node is not keel's.\n"
	       "\n"
	       "Example:\n"
	       "  keelctl list\n"
	       "  keelctl stats 1 --vcpus\n");
}

static void print_verb_help(const struct verb *v)
{
	printf("Usage: keelctl %s%s%s%s [OPTION]...\n", v->name, v->vm ? " VM" : "",
	       v->rest ? " " : "", v->rest ? v->rest : "");
	printf("%s", v->help);
	printf("  --dev PATH   keel's node, /dev/keel unless given\n"
	       "  --help       print this\n");
}

/* How many of the words are the verb's name; 0: they are not this verb. */
static int verb_words(const struct verb *v, char **words, int n)
{
	const char *rest = v->name;
	int i;

	for (i = 0; i < n && *rest; i++) {
		size_t len = strcspn(rest, " ");

		if (strlen(words[i]) != len || strncmp(words[i], rest, len))
			return 0;
		rest += len + (rest[len] == ' ');
	}
	return *rest ? 0 : i;
}

static const struct verb *find_verb(char **words, int n, int *used)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		*used = verb_words(&verbs[i], words, n);
		if (*used)
			return &verbs[i];
	}
	return NULL;
}

static void set_option(struct request *r, int opt)
{
	switch (opt) {
	case OPT_ALL:
		r->all = true;
		break;
	case OPT_DEV:
		r->node = optarg;
		break;
	case OPT_JSON:
		r->json = true;
		break;
	case OPT_MAP:
		r->map = optarg;
		break;
	case OPT_VCPUS:
		r->per_vcpu = true;
		break;
	}
}

/* Return: bits of the OPT_* given; the words are then argv[optind] and so on. */
static unsigned int parse_options(struct request *r, int argc, char **argv)
{
	unsigned int given = 0;
	int opt;

	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		if (opt == ':')
			die("%s needs a value: see keelctl --help", argv[optind - 1]);
		if (opt == '?')
			die("%s is not an option, or not a whole one: see keelctl --help",
			    argv[optind - 1]);
		set_option(r, opt);
		given |= 1U << opt;
	}
	return given;
}

static void check_options(const struct verb *v, unsigned int given)
{
	unsigned int known = v->options | 1 << OPT_DEV | 1 << OPT_HELP;

	for (const struct option *o = options; o->name; o++)
		if (given & ~known & 1U << o->val)
			die("%s does not take --%s: see keelctl %s --help", v->name, o->name,
			    v->name);
}

static void take_vm(const struct verb *v, struct request *r, char **words, int n)
{
	if (n > v->vm && !v->rest)
		die("\"%s\" is too much: see keelctl %s --help", words[v->vm], v->name);
	if (n < v->vm)
		die("%s needs a VM: give its id or name, see keelctl list", v->name);
	if (v->words && n != v->vm + v->words)
		die("%s takes a VM and %s: see keelctl %s --help", v->name, v->rest, v->name);
	r->vm = v->vm ? words[0] : NULL;
	r->rest = words + v->vm;
}

int main(int argc, char **argv)
{
	struct request r = { .node = "/dev/keel" };
	unsigned int given = parse_options(&r, argc, argv);
	const struct verb *v;
	int used;

	v = find_verb(argv + optind, argc - optind, &used);
	if (optind < argc && !v)
		die("\"%s\" is not a verb: see keelctl --help", argv[optind]);
	if (!v && !(given & 1 << OPT_HELP))
		die("no verb: give list, show or another, see keelctl --help");
	if (given & 1 << OPT_HELP) {
		if (v)
			print_verb_help(v);
		else
			print_help();
	} else {
		check_options(v, given);
		take_vm(v, &r, argv + optind + used, argc - optind - used);
		v->run(&r);
	}
	output_end();
	return 0;
}
