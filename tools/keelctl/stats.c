// SPDX-License-Identifier: GPL-2.0
/* keelctl stats */
#include <stdio.h>

#include "classes.h"
#include "node.h"
#include "output.h"

static void exits_table(const struct kvm_stats *s, bool all)
{
	struct table t = { .columns = 3, .left = 1 };

	table_row(&t, "EXIT\tFIRST TIER\tSECOND TIER");
	for (unsigned int i = 0; i < s->nr; i++) {
		const char *class = classes_name(s->stat[i].name);
		u64 first = class ? classes_first(s, class) : 0, second = s->stat[i].value;

		if (class && (all || first || second))
			table_row(&t, "%s\t%llu\t%llu", class, first, second);
	}
	table_print(&t);
}

/* With a blank line before it; nothing if there is nothing to say. */
static void counters_table(const char *whose, const struct kvm_stats *s, bool all)
{
	struct table t = { .columns = 2, .left = 1 };

	table_row(&t, "%s COUNTER\tVALUE", whose);
	for (unsigned int i = 0; i < s->nr; i++)
		if (classes_is_other(s->stat[i].name) && (all || s->stat[i].value))
			table_row(&t, "%s\t%llu", s->stat[i].name, s->stat[i].value);
	if (t.rows > 1) {
		putchar('\n');
		table_print(&t);
	}
	table_free(&t);
}

static void vcpu_tables(const struct kvm_stats *s, bool all)
{
	exits_table(s, all);
	counters_table("VCPU", s, all);
}

static void stats_tables(int observer, const struct keel_vm_info *vm, const struct request *r)
{
	struct kvm_stats sum = { .nr = 0 }, s;
	struct keel_vcpu_info vcpu;

	for (u32 i = 0; node_vcpu(observer, vm, i, &vcpu); i++) {
		classes_read(observer, vm, vcpu.id, &s);
		if (r->per_vcpu) {
			printf("%svCPU %u\n", i ? "\n" : "", vcpu.id);
			vcpu_tables(&s, r->all);
		} else if (i) {
			kvm_stats_add(&sum, &s);
		} else {
			sum = s;
			continue;
		}
		kvm_stats_free(&s);
	}
	if (!r->per_vcpu)
		vcpu_tables(&sum, r->all);
	kvm_stats_free(&sum);
	classes_read(observer, vm, KEEL_STATS_VM, &s);
	counters_table("VM", &s, r->all);
	kvm_stats_free(&s);
}

static void json_counters(const struct kvm_stats *s)
{
	json_open("counters", '{');
	for (unsigned int i = 0; i < s->nr; i++)
		if (classes_is_other(s->stat[i].name))
			json_number(s->stat[i].name, s->stat[i].value);
	json_close('}');
}

static void json_vcpu(u32 id, const struct kvm_stats *s)
{
	json_open(NULL, '{');
	json_number("id", id);
	json_open("exits", '{');
	for (unsigned int i = 0; i < s->nr; i++) {
		const char *class = classes_name(s->stat[i].name);

		if (!class)
			continue;
		json_open(class, '{');
		json_number("first_tier", classes_first(s, class));
		json_number("second_tier", s->stat[i].value);
		json_close('}');
	}
	json_close('}');
	json_counters(s);
	json_close('}');
}

static void stats_json(int observer, const struct keel_vm_info *vm)
{
	struct keel_vcpu_info vcpu;
	struct kvm_stats s;

	json_open(NULL, '{');
	json_number("id", vm->id);
	classes_read(observer, vm, KEEL_STATS_VM, &s);
	json_counters(&s);
	kvm_stats_free(&s);
	json_open("vcpus", '[');
	for (u32 i = 0; node_vcpu(observer, vm, i, &vcpu); i++) {
		classes_read(observer, vm, vcpu.id, &s);
		json_vcpu(vcpu.id, &s);
		kvm_stats_free(&s);
	}
	json_close(']');
	json_close('}');
}

void keelctl_stats(const struct request *r)
{
	struct keel_vm_info vm;
	int observer = node_open_vm(node_open(r->node), r->vm, &vm);

	if (r->json)
		stats_json(observer, &vm);
	else
		stats_tables(observer, &vm, r);
}
