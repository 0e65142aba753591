// SPDX-License-Identifier: GPL-2.0
/* The verbs that look at VMs. */
#include "keelctl.h"
#include "verbs.h"

const struct verb verbs_vm[] = {
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
"  EXITS/S  exits of all its vCPUs to the kernel and to EL2, per second, measured\n"
"           for 200 ms; -: the VM ended meanwhile\n"
"  NAME     given by the VMM, or the name of the thread that made the VM\n"
"\n"
JSON_HELP,
		.run = keelctl_list,
	},
	{
		.name = "show",
		.vm = true,
		.options = 1 << OPT_JSON,
		.summary = "where its vCPUs are",
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
		.summary = "exits by class and tier, and counters",
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
		.name = "regs",
		.vm = true,
		.rest = "[VCPU]",
		.most = 1,
		.options = 1 << OPT_JSON,
		.summary = "the registers of its vCPUs",
		.help =
"Print the registers of all vCPUs, or of VCPU (an id, as keelctl show prints it). A\n"
"vCPU that runs leaves the guest for a moment; one outside has what it will go on with.\n"
VM_HELP
"  pstate   decoded: exception level, t or h (SP_EL0 or its own); of DAIF what is\n"
"           masked; NZCV, a capital letter where it is set; PAN and others if set\n"
"  esr_el1  decoded: the class of the guest's last exception to EL1\n"
"\n"
JSON_HELP,
		.run = keelctl_regs,
	},
	{
		.name = "pnmi sample",
		.vm = true,
		.options = 1 << OPT_JSON | 1 << OPT_MAP,
		.summary = "what its vCPUs execute now, even with interrupts masked",
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
	{ .name = NULL },
};
