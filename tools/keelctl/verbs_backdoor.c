// SPDX-License-Identifier: GPL-2.0
/* The verbs of the backdoor, and of what goes through it. */
#include "keelctl.h"
#include "verbs.h"

#define DOOR_HELP \
"  dcc  MRS XZR, MDCCSR_EL0, at EL0 and EL1\n" \
"  brk  BRK #0x86, at EL0 and EL1\n" \
"  hvc  HVC #0x86, at EL1\n" \
"\n"
#define SERVE_HELP	"keelctl backdoor serve must run for this VM.\n"

const struct verb verbs_backdoor[] = {
	{
		.name = "backdoor on",
		.vm = true,
		.rest = "[DOOR...]",
		.most = ANY_WORDS,
		.options = 1 << OPT_JSON,
		.summary = "open doors of VMware's backdoor to its guest",
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
		.most = ANY_WORDS,
		.options = 1 << OPT_JSON,
		.summary = "shut them",
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
		.summary = "which of them are on",
		.help =
"Print which doors of the backdoor are on, and the instruction of each.\n"
VM_HELP
JSON_HELP,
		.run = keelctl_backdoor_show,
	},
	{
		.name = "backdoor serve",
		.vm = true,
		.summary = "answer the messages of its guest until it ends",
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
		.least = 1,
		.most = 1,
		.summary = "ask the tools in its guest",
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
		.least = 1,
		.most = 1,
		.options = 1 << OPT_JSON,
		.summary = "print a variable that its guest or its host has set",
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
		.least = 2,
		.most = 2,
		.summary = "set one",
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
		.summary = "have the tools in its guest shut it down",
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
		.summary = "have them reboot it",
		.help =
"Ask the tools in the guest to reboot it, and wait until they have agreed.\n"
VM_HELP
SERVE_HELP
"\n",
		.run = keelctl_power_reboot,
	},
	{ .name = NULL },
};
