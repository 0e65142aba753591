// SPDX-License-Identifier: GPL-2.0
/* The verbs that go on. */
#include "keelctl.h"
#include "verbs.h"

const struct verb verbs_live[] = {
	{
		.name = "top",
		.rest = "[VM...]",
		.most = ANY_WORDS,
		.options = 1 << OPT_JSON | 1 << OPT_ONCE | 1 << OPT_INTERVAL,
		.summary = "exits per second and CPU time of each vCPU, refreshed",
		.help =
"Print, again and again, what vCPUs do: of the VMs named, or of all that you may\n"
"observe. Where standard output is no terminal, once: measured for one interval.\n"
VM_HELP
"  CPU%     of a host CPU, that the vCPU's thread took in guest, kernel and VMM; in the\n"
"           row \"all\" that all threads of the VMM took. The thread is told by its name\n"
"           (QEMU's, with -name debug-threads=on), by KVM_RUN in /proc/PID/task, or by\n"
"           the host CPU where it runs; -: cannot be told\n"
"  EXITS/S  exits per second in both tiers; EL2/S: of these answered at EL2\n"
"  ASKED%   and so on: where a VM has a power policy or performance registers: what its\n"
"           guest asks for; DELIV%: what it had lately, both of a host CPU; ASLEEP%: of\n"
"           the time; POWER: its state, as in keelctl power show. As far as the terminal\n"
"           is wide enough\n"
"  then     exits per second of each class that has occurred, in both tiers, the most\n"
"           frequent first, as far as the terminal is wide enough\n"
"\n"
"Keys: v by VM, c by CPU time, e by exits; q quits.\n"
"\n"
"  --interval S seconds from one measurement to the next: 1 unless given, from 0.1\n"
"  --once       print one table and end\n"
"  --json       print JSON, once: also the classes that have not occurred\n",
		.run = keelctl_top,
	},
	{
		.name = "trace",
		.vm = true,
		.options = 1 << OPT_JSON | 1 << OPT_ALL | 1 << OPT_COUNT,
		.summary = "exits as they come, decoded",
		.help =
"Print the exits of a VM as they come, from keel's tracepoints, until SIGINT or another\n"
"signal, or the VM's end. They are recorded in an instance of tracefs of their own,\n"
"which is removed then. Tracing needs root, and takes time from the VM.\n"
VM_HELP
"  TIME   in seconds, by CLOCK_MONOTONIC\n"
"  TIER   1: answered at EL2, 2: by the kernel\n"
"  CLASS  as in keelctl stats\n"
"  PC     where the guest was: at the instruction, or behind it for HVC\n"
"  WHAT   from the syndrome: system register, function of a hypercall, address (ipa)\n"
"         of an abort\n"
"\n"
"  --count N    end after this many exits\n"
"  --all        entries, stage-2 faults, interrupts and notes too\n"
"  --json       print JSON, an object a line; times are text\n",
		.run = keelctl_trace,
	},
	{ .name = NULL },
};
