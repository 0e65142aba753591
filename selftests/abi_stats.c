// SPDX-License-Identifier: GPL-2.0
/* KVM_GET_STATS_FD: header, descriptors and data are well formed, and counters count. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/poke.h"
#include "lib/vm.h"

struct stats {
	int fd;
	struct kvm_stats_header header;
	char *descs;
	size_t desc_size;
	u64 *data;
	size_t data_size;
};

static struct kvm_stats_desc *desc_of(struct stats *s, u32 i)
{
	return (struct kvm_stats_desc *)(s->descs + i * s->desc_size);
}

static void read_at(int fd, void *buf, size_t size, u32 offset)
{
	REQUIRE_EQ(pread(fd, buf, size, offset), size);
}

static void check_desc(struct stats *s, u32 i)
{
	struct kvm_stats_desc *d = desc_of(s, i);
	u32 k;

	CHECK((d->flags & KVM_STATS_TYPE_MASK) <= KVM_STATS_TYPE_MAX);
	CHECK((d->flags & KVM_STATS_UNIT_MASK) <= KVM_STATS_UNIT_MAX);
	CHECK((d->flags & KVM_STATS_BASE_MASK) <= KVM_STATS_BASE_MAX);
	CHECK(d->size >= 1 && d->size < 1024);
	CHECK(d->offset % 8 == 0);
	CHECK(strnlen(d->name, s->header.name_size) < s->header.name_size);
	CHECK(d->name[0]);
	for (k = 0; k < i; k++)
		CHECK(strcmp(d->name, desc_of(s, k)->name));
	if (d->offset + 8UL * d->size > s->data_size)
		s->data_size = d->offset + 8UL * d->size;
}

static void stats_open(struct stats *s, int fd)
{
	u32 i;

	memset(s, 0, sizeof(*s));
	s->fd = ioctl(fd, KVM_GET_STATS_FD, NULL);
	REQUIRE_OK(s->fd);
	read_at(s->fd, &s->header, sizeof(s->header), 0);
	REQUIRE(s->header.num_desc > 0 && s->header.num_desc < 1000);
	REQUIRE(s->header.name_size > 1 && s->header.name_size < 256);
	CHECK_EQ(s->header.flags, 0);
	CHECK(s->header.id_offset >= sizeof(s->header));
	s->desc_size = sizeof(struct kvm_stats_desc) + s->header.name_size;
	s->descs = calloc(s->header.num_desc, s->desc_size);
	read_at(s->fd, s->descs, s->header.num_desc * s->desc_size, s->header.desc_offset);
	for (i = 0; i < s->header.num_desc; i++)
		check_desc(s, i);
	s->data = calloc(1, s->data_size);
	read_at(s->fd, s->data, s->data_size, s->header.data_offset);
}

static void data_reread(struct stats *s)
{
	read_at(s->fd, s->data, s->data_size, s->header.data_offset);
}

/* Sum of the values of a counter; false if there is none of that name. */
static bool value_of(struct stats *s, const char *name, u64 *value)
{
	struct kvm_stats_desc *d;
	u32 i;

	for (i = 0; i < s->header.num_desc; i++) {
		d = desc_of(s, i);
		if (!strcmp(d->name, name)) {
			*value = s->data[d->offset / 8];
			return true;
		}
	}
	return false;
}

static void offsets(struct stats *s)
{
	size_t end = s->header.data_offset + s->data_size;
	char byte;

	/* Any part, also across the borders of the blocks; nothing behind the end. */
	CHECK_EQ(pread(s->fd, &byte, 1, s->header.desc_offset - 1), 1);
	CHECK_EQ(pread(s->fd, &byte, 1, end - 1), 1);
	CHECK_EQ(pread(s->fd, &byte, 1, end), 0);
	CHECK_EQ(pread(s->fd, &byte, 1, end + 4096), 0);
	CHECK_ERR(syscall(SYS_pread64, s->fd, 8, 8, 0), EFAULT);
	CHECK(write(s->fd, &byte, 1) < 0);
}

static void format(void)
{
	struct stats s;
	struct vm vm;

	poke_create(&vm);
	stats_open(&s, vm.fd);
	offsets(&s);
	stats_open(&s, vm.vcpus[0].fd);
	offsets(&s);
	/* The file outlives the VM's. */
	vm_destroy(&vm);
	data_reread(&s);
}

static void counters_rise(struct stats *s, const u64 *before)
{
	struct kvm_stats_desc *d;
	u32 i, k;

	for (i = 0; i < s->header.num_desc; i++) {
		d = desc_of(s, i);
		if ((d->flags & KVM_STATS_TYPE_MASK) != KVM_STATS_TYPE_CUMULATIVE)
			continue;
		for (k = 0; k < d->size; k++)
			CHECK(s->data[d->offset / 8 + k] >= before[d->offset / 8 + k]);
	}
}

static void counting(void)
{
	u64 *before, exits = 0, mmio = 0, then = 0, i;
	struct stats s;
	struct vm vm;

	poke_create(&vm);
	stats_open(&s, vm.vcpus[0].fd);
	before = malloc(s.data_size);
	memcpy(before, s.data, s.data_size);
	REQUIRE(value_of(&s, "exits", &exits));
	REQUIRE(value_of(&s, "mmio_exit_user", &mmio));
	for (i = 0; i < 100; i++)
		CHECK(poke_exits(&vm, true, MMIO_IPA, 4, i));
	data_reread(&s);
	counters_rise(&s, before);
	/* Each access and the SYNC after it. */
	value_of(&s, "mmio_exit_user", &then);
	CHECK_EQ(then - mmio, 200);
	value_of(&s, "exits", &then);
	CHECK(then - exits >= 200);
	vm_destroy(&vm);
}

static const struct ktap_case cases[] = {
	{ "format", format },
	{ "counting", counting },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
