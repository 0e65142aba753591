// SPDX-License-Identifier: GPL-2.0
/* keelctl list */
#include "node.h"
#include "output.h"

static void list_table(int node)
{
	struct table t = { .columns = 6, .left = 1 << 1 | 1 << 5 };
	char owner[TEXT_SIZE], memory[TEXT_SIZE], age[TEXT_SIZE];
	struct keel_vm_info vm = { .id = 0 };

	table_row(&t, "ID\tOWNER\tVCPUS\tMEMORY\tUPTIME\tNAME");
	while (node_next_vm(node, &vm))
		table_row(&t, "%u\t%s\t%u\t%s\t%s\t%s", vm.id, user_text(vm.uid, owner),
			  vm.nr_vcpus, size_text(vm.memory, memory), age_text(vm.age, age),
			  vm.name);
	table_print(&t);
}

static void list_json(int node)
{
	struct keel_vm_info vm = { .id = 0 };

	json_open(NULL, '[');
	while (node_next_vm(node, &vm)) {
		json_open(NULL, '{');
		json_vm(&vm);
		json_close('}');
	}
	json_close(']');
}

void keelctl_list(const struct request *r)
{
	int node = node_open(r->node);

	if (r->json)
		list_json(node);
	else
		list_table(node);
}
