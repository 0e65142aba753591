// SPDX-License-Identifier: GPL-2.0
/* Read a file of binary statistics: header, descriptors, data. */
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <unistd.h>

#include "kvm-stats.h"

/* Bounds on what a node may claim, far above what any has. */
#define DESCS_MAX	1024
#define DATA_MAX	0x100000

static bool is_counter(const struct kvm_stats_desc *d)
{
	u32 type = d->flags & KVM_STATS_TYPE_MASK;

	return d->size == 1 && d->offset < DATA_MAX &&
	       (type == KVM_STATS_TYPE_CUMULATIVE || type == KVM_STATS_TYPE_INSTANT ||
		type == KVM_STATS_TYPE_PEAK);
}

static struct kvm_stats_desc *desc_of(const struct kvm_stats_header *h, void *descs,
				      unsigned int i)
{
	struct kvm_stats_desc *d = (void *)((char *)descs + i * (sizeof(*d) + h->name_size));

	d->name[h->name_size - 1] = 0;
	return d;
}

/* All values in one read(), which belong together as well as they can. */
static char *read_data(int fd, const struct kvm_stats_header *h, void *descs)
{
	size_t size = sizeof(u64);
	char *data;

	for (unsigned int i = 0; i < h->num_desc; i++) {
		const struct kvm_stats_desc *d = desc_of(h, descs, i);

		if (is_counter(d) && d->offset + sizeof(u64) > size)
			size = d->offset + sizeof(u64);
	}
	data = xcalloc(1, size);
	if (!read_full(fd, data, size, h->data_offset))
		return data;
	free(data);
	return NULL;
}

static void take_counters(struct kvm_stats *s, const struct kvm_stats_header *h, char *data)
{
	s->nr = 0;
	s->stat = xcalloc(h->num_desc, sizeof(*s->stat));
	for (unsigned int i = 0; i < h->num_desc; i++) {
		const struct kvm_stats_desc *d = desc_of(h, s->names, i);

		if (is_counter(d))
			s->stat[s->nr++] = (struct kvm_stat){
				d->name, *(u64 *)(data + d->offset / sizeof(u64) * sizeof(u64)) };
	}
	free(data);
}

static bool stats_read(struct kvm_stats *s, int fd)
{
	struct kvm_stats_header h;
	size_t size;
	char *data;

	if (fd < 0 || read_full(fd, &h, sizeof(h), 0))
		return false;
	if (!h.name_size || h.name_size > KVM_STAT_NAME_MAX || h.num_desc > DESCS_MAX) {
		errno = EPROTO;
		return false;
	}
	size = h.num_desc * (sizeof(struct kvm_stats_desc) + h.name_size);
	s->names = xcalloc(1, size + 1);
	data = read_full(fd, s->names, size, h.desc_offset) ? NULL : read_data(fd, &h, s->names);
	if (!data) {
		free(s->names);
		return false;
	}
	take_counters(s, &h, data);
	return true;
}

bool kvm_stats_read(struct kvm_stats *s, int fd)
{
	bool ok = stats_read(s, fd);
	int err = errno;

	if (fd >= 0)
		close(fd);
	errno = err;
	return ok;
}

void kvm_stats_add(struct kvm_stats *to, const struct kvm_stats *s)
{
	for (unsigned int i = 0; i < to->nr && i < s->nr; i++)
		to->stat[i].value += s->stat[i].value;
}

void kvm_stats_free(struct kvm_stats *s)
{
	free(s->stat);
	free(s->names);
}
