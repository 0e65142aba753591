// SPDX-License-Identifier: GPL-2.0
/*
 * --stats: exits to keelrun by reason, accesses by device, and what the node counts itself: binary
 * statistics, KVM_GET_STATS_FD in the kernel's Documentation/virt/kvm/api.rst, without histograms.
 */
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "stats.h"
#include "vcpu.h"
#include "vm.h"

/* Bounds on what a node may claim, far above what any has. */
#define DESCS_MAX	1024
#define NAME_MAX_LEN	256

struct stats_fd {
	int fd;
	struct kvm_stats_header header;
	struct kvm_stats_desc *desc;
	size_t desc_size;
};

static void print(const char *group, const char *name, u64 value)
{
	if (value)
		message("%s %s %llu", group, name, (unsigned long long)value);
}

static bool stats_open(struct stats_fd *s, int owner)
{
	s->desc = NULL;
	s->fd = ioctl(owner, KVM_GET_STATS_FD, NULL);
	if (s->fd < 0)
		return false;
	if (read_full(s->fd, &s->header, sizeof(s->header), 0) || !s->header.name_size ||
	    s->header.name_size > NAME_MAX_LEN || s->header.num_desc > DESCS_MAX)
		return false;
	s->desc_size = sizeof(*s->desc) + s->header.name_size;
	s->desc = xcalloc(s->header.num_desc, s->desc_size);
	return !read_full(s->fd, s->desc, s->header.num_desc * s->desc_size,
			  s->header.desc_offset);
}

static void stats_close(struct stats_fd *s)
{
	free(s->desc);
	if (s->fd >= 0)
		close(s->fd);
}

static struct kvm_stats_desc *stats_desc(const struct stats_fd *s, unsigned int i)
{
	struct kvm_stats_desc *d = (void *)((char *)s->desc + i * s->desc_size);

	d->name[s->header.name_size - 1] = 0;
	return d;
}

static bool is_counter(const struct kvm_stats_desc *d)
{
	u32 type = d->flags & KVM_STATS_TYPE_MASK;

	return d->size == 1 && (type == KVM_STATS_TYPE_CUMULATIVE ||
				type == KVM_STATS_TYPE_INSTANT || type == KVM_STATS_TYPE_PEAK);
}

static u64 stats_value(const struct stats_fd *s, const struct kvm_stats_desc *d)
{
	u64 value;

	if (read_full(s->fd, &value, sizeof(value), s->header.data_offset + d->offset))
		return 0;
	return value;
}

static void print_vm_stats(const struct vm *vm)
{
	struct stats_fd s;

	if (stats_open(&s, vm->fd)) {
		for (unsigned int i = 0; i < s.header.num_desc; i++) {
			struct kvm_stats_desc *d = stats_desc(&s, i);

			if (is_counter(d))
				print("vm", d->name, stats_value(&s, d));
		}
	}
	stats_close(&s);
}

/* All vCPUs of a VM have the same statistics, in the same order. */
static void print_vcpu_stats(const struct vm *vm)
{
	struct stats_fd *s = xcalloc(vm->nr_vcpus, sizeof(*s));
	unsigned int opened = 0;

	while (opened < vm->nr_vcpus && stats_open(&s[opened], vm->vcpus[opened].fd))
		opened++;
	for (unsigned int i = 0; opened == vm->nr_vcpus && i < s[0].header.num_desc; i++) {
		struct kvm_stats_desc *d = stats_desc(&s[0], i);
		u64 sum = 0;

		if (!is_counter(d))
			continue;
		for (unsigned int v = 0; v < opened; v++)
			sum += stats_value(&s[v], d);
		print("vcpus", d->name, sum);
	}
	for (unsigned int v = 0; v < vm->nr_vcpus && v <= opened; v++)
		stats_close(&s[v]);
	free(s);
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
