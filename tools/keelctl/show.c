// SPDX-License-Identifier: GPL-2.0
/* keelctl show */
#include <stdio.h>

#include "node.h"
#include "output.h"

static void show_table(int observer, const struct keel_vm_info *vm)
{
	struct table t = { .columns = 5, .left = 1 << 1 };
	char owner[TEXT_SIZE], memory[TEXT_SIZE], age[TEXT_SIZE], cpu[16];
	struct keel_vcpu_info vcpu;

	printf("id       %u\nname     %s\nowner    %s\nprocess  %u\nmemory   %s\nuptime   %s\n\n",
	       vm->id, vm->name, user_text(vm->uid, owner), vm->tgid,
	       size_text(vm->memory, memory), age_text(vm->age, age));
	table_row(&t, "VCPU\tSTATE\tCPU\tEXITS\tEXITS AT EL2");
	for (u32 i = 0; node_vcpu(observer, vm, i, &vcpu); i++) {
		snprintf(cpu, sizeof(cpu), "%d", vcpu.cpu);
		table_row(&t, "%u\t%s\t%s\t%llu\t%llu", vcpu.id, node_state_text(vcpu.state),
			  vcpu.cpu < 0 ? "-" : cpu, vcpu.exits, vcpu.exits_el2);
	}
	table_print(&t);
}

static void show_json(int observer, const struct keel_vm_info *vm)
{
	struct keel_vcpu_info vcpu;

	json_open(NULL, '{');
	json_vm(vm);
	json_open("vcpus", '[');
	for (u32 i = 0; node_vcpu(observer, vm, i, &vcpu); i++) {
		json_open(NULL, '{');
		json_number("id", vcpu.id);
		json_string("state", node_state_text(vcpu.state));
		if (vcpu.cpu >= 0)
			json_number("cpu", vcpu.cpu);
		json_number("exits", vcpu.exits);
		json_number("exits_el2", vcpu.exits_el2);
		json_close('}');
	}
	json_close(']');
	json_close('}');
}

void keelctl_show(const struct request *r)
{
	struct keel_vm_info vm;
	int observer = node_open_vm(node_open(r->node), r->vm, &vm);

	if (r->json)
		show_json(observer, &vm);
	else
		show_table(observer, &vm);
}
