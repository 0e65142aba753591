// SPDX-License-Identifier: GPL-2.0
/* The verbs of guest virtual addresses. */
#include "keelctl.h"
#include "verbs.h"

#define ADDRESS_HELP	"An address is 0x and hexadecimal digits, or a decimal number.\n"

const struct verb verbs_gva[] = {
	{
		.name = "gva translate",
		.vm = true,
		.rest = "ADDRESS",
		.least = 1,
		.most = 1,
		.options = 1 << OPT_JSON | 1 << OPT_VCPU | 1 << OPT_WRITE | 1 << OPT_USER,
		.summary = "where a guest virtual address is",
		.help =
"Translate a guest virtual address as a vCPU would at this moment, by the CPU itself\n"
"(AT), and print where it is, its leaf, permissions and type of memory.\n"
ADDRESS_HELP
VM_HELP
"  status   mapped, or why not: the fault that this access would take\n"
"  ipa      guest physical address; also of a leaf that this access may not use\n"
"  leaf     descriptor, its level, and the size of what it maps\n"
"  host     what is behind it in the host\n"
"\n"
"  --write      as a write; without, as a read\n"
"  --user       as an access of EL0; without, of EL1\n"
VCPU_HELP
JSON_HELP,
		.run = keelctl_gva_translate,
	},
	{
		.name = "gva scan",
		.vm = true,
		.rest = "[START [LAST]]",
		.most = 2,
		.options = 1 << OPT_JSON | 1 << OPT_VCPU | 1 << OPT_RANGES | 1 << OPT_NEED |
			   1 << OPT_DENY | 1 << OPT_STATS | 1 << OPT_MAP,
		.summary = "what the page tables of a vCPU map",
		.help =
"Print what a vCPU's page tables map, from START to LAST, itself included; without\n"
"them everything. Neighbouring leaves that are alike are one row. The vCPU runs on\n"
"between slices of the scan.\n"
ADDRESS_HELP
VM_HELP
"  SIZE          of all its leaves; LEAF: of one of them\n"
"  IPA           guest physical address of the first byte\n"
"  EL1, EL0      what each may: read, write, execute\n"
"  MEMORY        type of memory; SHARED: its shareability\n"
"  NOTE          the access flag is clear, so the next access faults; the table changed\n"
"                while it was read; a table is where no memory is; the MMU is off\n"
"\n"
"  --ranges R    kernel or user: only that half of the address space\n"
"  --need FILTER only leaves with all these permissions: letters of rwx, for EL1\n"
"                unless el0: stands before them; several with commas. wx finds what\n"
"                the kernel may write and execute, el0:w,el1:w what both may write\n"
"  --deny FILTER only leaves with none of these\n"
"  --stats       sizes by permission, and what the scan took, as well\n"
"  --map FILE    draw the address space into FILE, .svg or .png, and print no table\n"
VCPU_HELP
JSON_HELP,
		.run = keelctl_gva_scan,
	},
	{
		.name = "gva read",
		.vm = true,
		.rest = "ADDRESS LENGTH",
		.least = 2,
		.most = 2,
		.options = 1 << OPT_JSON | 1 << OPT_VCPU | 1 << OPT_USER | 1 << OPT_RAW,
		.summary = "guest memory by its virtual address",
		.help =
"Print guest memory in hexadecimal and ASCII. LENGTH is in bytes, or with K or M. What\n"
"comes before a page that cannot be read is printed; then the exit status is 1.\n"
ADDRESS_HELP
VM_HELP
"  --user       only what EL0 may read\n"
"  --raw        the bytes themselves\n"
VCPU_HELP
JSON_HELP,
		.run = keelctl_gva_read,
	},
	{ .name = NULL },
};
