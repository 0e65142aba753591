// SPDX-License-Identifier: GPL-2.0
/* keelctl list */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "node.h"
#include "output.h"

#define MEASURED_US	200000

/**
 * struct listed - a VM of the list
 * @vm: what it is
 * @observer: its observer file, -1 without
 * @exits: exits at the beginning
 * @since: when that was, in ns
 * @rate: exits a second
 * @known: @rate is
 */
struct listed {
	struct keel_vm_info vm;
	int observer;
	u64 exits;
	u64 since;
	u64 rate;
	bool known;
};

/* Of all vCPUs, in both tiers. False: the VM has ended, or may not be observed any more. */
static bool count_exits(int observer, u64 *exits)
{
	struct keel_vcpu_info v;

	*exits = 0;
	for (u32 i = 0;; i++) {
		v = (struct keel_vcpu_info){ .size = sizeof(v), .index = i };
		if (ioctl(observer, KEEL_VCPU_INFO, &v))
			return errno == ENOENT;
		*exits += v.exits + v.exits_el2;
	}
}

static struct listed *list_vms(int node, size_t *nr)
{
	struct keel_vm_info vm = { .id = 0 };
	struct listed *all = NULL;

	for (*nr = 0; node_next_vm(node, &vm); ++*nr) {
		all = xgrow(all, *nr + 1, sizeof(*all));
		all[*nr] = (struct listed){ .vm = vm };
	}
	return all;
}

static void measure(int node, struct listed *all, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		all[i].observer = ioctl(node, KEEL_OPEN_VM, all[i].vm.id);
		all[i].known = count_exits(all[i].observer, &all[i].exits);
		all[i].since = now_ns();
	}
	if (nr)
		usleep(MEASURED_US);
	for (size_t i = 0; i < nr; i++) {
		u64 exits, ns;

		all[i].known = all[i].known && count_exits(all[i].observer, &exits);
		ns = now_ns() - all[i].since;
		if (all[i].known)
			all[i].rate = (double)(exits - all[i].exits) * 1e9 / ns + 0.5;
		if (all[i].observer >= 0)
			close(all[i].observer);
	}
}

static void list_table(const struct listed *all, size_t nr)
{
	struct table t = { .columns = 7, .left = 1 << 1 | 1 << 6 };
	char owner[TEXT_SIZE], memory[TEXT_SIZE], age[TEXT_SIZE], rate[TEXT_SIZE];

	table_row(&t, "ID\tOWNER\tVCPUS\tMEMORY\tUPTIME\tEXITS/S\tNAME");
	for (const struct listed *l = all; l < all + nr; l++) {
		snprintf(rate, sizeof(rate), "%llu", l->rate);
		table_row(&t, "%u\t%s\t%u\t%s\t%s\t%s\t%s", l->vm.id, user_text(l->vm.uid, owner),
			  l->vm.nr_vcpus, size_text(l->vm.memory, memory),
			  age_text(l->vm.age, age), l->known ? rate : "-", l->vm.name);
	}
	table_print(&t);
}

static void list_json(const struct listed *all, size_t nr)
{
	json_open(NULL, '[');
	for (const struct listed *l = all; l < all + nr; l++) {
		json_open(NULL, '{');
		json_vm(&l->vm);
		if (l->known)
			json_number("exits_per_second", l->rate);
		json_close('}');
	}
	json_close(']');
}

void keelctl_list(const struct request *r)
{
	int node = node_open(r->node);
	struct listed *all;
	size_t nr;

	all = list_vms(node, &nr);
	measure(node, all, nr);
	if (r->json)
		list_json(all, nr);
	else
		list_table(all, nr);
	free(all);
}
