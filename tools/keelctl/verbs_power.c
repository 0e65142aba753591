// SPDX-License-Identifier: GPL-2.0
/* The verbs of power and performance. */
#include "keelctl.h"
#include "verbs.h"

const struct verb verbs_power[] = {
	{
		.name = "power show",
		.vm = true,
		.rest = "[VCPU]",
		.most = 1,
		.options = 1 << OPT_JSON,
		.summary = "the performance that its vCPUs ask for and get",
		.help =
"Print how a VM's vCPUs are treated, and what each of them, or VCPU (an id, as keelctl\n"
"show prints it), asks for and gets. Performance is in percent of a host CPU at its best.\n"
VM_HELP
"  policy      off: what the guest asks for is only noted; hint: the host's scheduler and\n"
"              frequency are told; cap: and no vCPU runs for more than its share\n"
"  range       what the guest asks for is brought between these\n"
"  registers   in which the guest asks: cpufreq, cppc or none\n"
"  states      how many idle states have a name\n"
"  STATE       run: awake; wfi; state0 to state7: CPU_SUSPEND to the VMM's first idle\n"
"              state and so on; other: to another; off; suspended\n"
"  ASKED%      by the guest; -: it has not asked. TARGET%: what comes of it; DELIVERED%:\n"
"              what the vCPU had lately, while it wanted to run\n"
"  NICE        of its thread, by the policy\n"
"  RUN S       seconds on a host CPU; WAIT S: in which others were; HELD S: in which the\n"
"              policy cap held it back\n"
"  ASKS        how often it wrote performance registers; CHANGES: how often the host was\n"
"              adjusted to it\n"
"\n"
"Times count from the first policy, registers or idle states on. Of VCPU also:\n"
"\n"
"  SLEEP       a state in which it has slept, COUNT times, TOTAL S seconds in all; the\n"
"              sleep that goes on has no time yet\n"
"  LATENCY US  from an event to the entry into the guest, on average, and MAX US at most\n"
"  polled      how long the end of a sleep was polled for\n"
"  wfe         WFE instructions that made room for others\n"
"\n"
JSON_HELP,
		.run = keelctl_power_show,
	},
	{
		.name = "power set",
		.vm = true,
		.options = 1 << OPT_POLICY | 1 << OPT_MIN | 1 << OPT_MAX,
		.summary = "how they are treated by what they ask for",
		.help =
"Set how a VM's vCPUs are treated, at once. What is not given stays. With the policy off\n"
"the threads' own nice values and clamps are back.\n"
VM_HELP
"  --policy P   off, hint or cap: see keelctl power show --help\n"
"  --min PCT    least performance, in percent of a host CPU: 0 to 100, with one decimal\n"
"               at most\n"
"  --max PCT    highest performance, above 0\n",
		.run = keelctl_power_set,
	},
	{
		.name = "power record",
		.vm = true,
		.rest = "[VCPU]",
		.most = 1,
		.options = 1 << OPT_JSON | 1 << OPT_OUTPUT | 1 << OPT_FOR | 1 << OPT_EVERY,
		.summary = "what they ask for and get, over time",
		.help =
"Take samples of what its vCPUs, or VCPU, ask for and get, for 10 seconds, or until\n"
"SIGINT or another signal, or the VM's end; then print them, or draw a chart of them.\n"
"Columns are those of keelctl power show.\n"
VM_HELP
"  --output FILE, -o FILE\n"
"               draw a chart into FILE, .svg or .png, and print no table\n"
"  --for S      seconds: 10 unless given, from 0.1\n"
"  --every MS   milliseconds from one sample to the next: 100 unless given\n"
JSON_HELP,
		.run = keelctl_power_record,
	},
	{ .name = NULL },
};
