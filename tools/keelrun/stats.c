// SPDX-License-Identifier: GPL-2.0
/*
 * --stats: exits to keelrun by reason, accesses by device, and what the node counts itself.
 */
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "kvm-stats.h"
#include "stats.h"
#include "vcpu.h"
#include "vm.h"

static void print(const char *group, const char *name, u64 value)
{
	if (value)
		message("%s %s %llu", group, name, (unsigned long long)value);
}

static void print_vm_stats(const struct vm *vm)
{
	struct kvm_stats s;

	if (!kvm_stats_read(&s, ioctl(vm->fd, KVM_GET_STATS_FD, NULL)))
		return;
	for (unsigned int i = 0; i < s.nr; i++)
		print("vm", s.stat[i].name, s.stat[i].value);
	kvm_stats_free(&s);
}

/* All vCPUs of a VM have the same statistics, in the same order. */
static void print_vcpu_stats(const struct vm *vm)
{
	struct kvm_stats sum, s;

	if (!kvm_stats_read(&sum, ioctl(vm->vcpus[0].fd, KVM_GET_STATS_FD, NULL)))
		return;
	for (unsigned int v = 1; v < vm->nr_vcpus; v++) {
		if (!kvm_stats_read(&s, ioctl(vm->vcpus[v].fd, KVM_GET_STATS_FD, NULL)))
			continue;
		kvm_stats_add(&sum, &s);
		kvm_stats_free(&s);
	}
	for (unsigned int i = 0; i < sum.nr; i++)
		print("vcpus", sum.stat[i].name, sum.stat[i].value);
	kvm_stats_free(&sum);
}

static void print_exits(const struct vm *vm)
{
	static const struct {
		unsigned int reason;
		const char *name;
	} known[] = {
		{ KVM_EXIT_MMIO, "mmio" },
		{ KVM_EXIT_INTR, "intr" },
		{ KVM_EXIT_SYSTEM_EVENT, "system_event" },
	};
	u64 by_reason[VCPU_EXITS] = { 0 };
	u64 all = 0;

	for (unsigned int v = 0; v < vm->nr_vcpus; v++)
		for (unsigned int r = 0; r < VCPU_EXITS; r++) {
			by_reason[r] += vm->vcpus[v].exits[r];
			all += vm->vcpus[v].exits[r];
		}
	print("exits", "all", all);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		print("exits", known[i].name, by_reason[known[i].reason]);
		all -= by_reason[known[i].reason];
	}
	print("exits", "other", all);
}

static void print_devices(const struct vm *vm)
{
	for (unsigned int i = 0; i < vm->bus.nr_regions; i++) {
		const struct mmio_region *r = &vm->bus.regions[i];

		print(r->name, "reads", r->reads);
		print(r->name, "writes", r->writes);
	}
	print("stray", "accesses", vm->bus.stray);
}

void stats_print(const struct vm *vm)
{
	print_exits(vm);
	print_devices(vm);
	print_vm_stats(vm);
	print_vcpu_stats(vm);
}
