// SPDX-License-Identifier: GPL-2.0
/* KVM_IOEVENTFD and KVM_IRQFD: matching, removal, errors. */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/poke.h"
#include "lib/vm.h"

static int event_new(void)
{
	int fd = eventfd(0, EFD_NONBLOCK);

	REQUIRE_OK(fd);
	return fd;
}

static u64 event_count(int fd)
{
	u64 count = 0;

	if (read(fd, &count, sizeof(count)) < 0)
		REQUIRE_EQ(errno, EAGAIN);
	return count;
}

static int ioeventfd(struct vm *vm, int fd, u64 addr, u32 len, u32 flags, u64 match)
{
	struct kvm_ioeventfd io = {
		.fd = fd, .addr = addr, .len = len, .flags = flags, .datamatch = match,
	};

	return ioctl(vm->fd, KVM_IOEVENTFD, &io);
}

static void match(void)
{
	int one = event_new(), two = event_new();
	struct vm vm;

	poke_create(&vm);
	REQUIRE_OK(ioeventfd(&vm, one, MMIO_IPA, 4, KVM_IOEVENTFD_FLAG_DATAMATCH, 1));
	REQUIRE_OK(ioeventfd(&vm, two, MMIO_IPA, 4, KVM_IOEVENTFD_FLAG_DATAMATCH, 2));
	poke_write(&vm, MMIO_IPA, 4, 1);
	CHECK_EQ(event_count(one), 1);
	CHECK_EQ(event_count(two), 0);
	poke_write(&vm, MMIO_IPA, 4, 2);
	poke_write(&vm, MMIO_IPA, 4, 2);
	CHECK_EQ(event_count(one), 0);
	CHECK_EQ(event_count(two), 2);
	/* Other values, widths, addresses, and reads exit. */
	CHECK(poke_exits(&vm, true, MMIO_IPA, 4, 3));
	CHECK(poke_exits(&vm, true, MMIO_IPA, 2, 1));
	CHECK(poke_exits(&vm, true, MMIO_IPA, 8, 1));
	CHECK(poke_exits(&vm, true, MMIO_IPA + 4, 4, 1));
	CHECK(poke_exits(&vm, true, MMIO_IPA - 4, 4, 1));
	CHECK(poke_exits(&vm, false, MMIO_IPA, 4, 1));
	CHECK_EQ(event_count(one) + event_count(two), 0);
	REQUIRE_OK(ioeventfd(&vm, one, MMIO_IPA, 4, KVM_IOEVENTFD_FLAG_DATAMATCH |
			     KVM_IOEVENTFD_FLAG_DEASSIGN, 1));
	CHECK(poke_exits(&vm, true, MMIO_IPA, 4, 1));
	poke_write(&vm, MMIO_IPA, 4, 2);
	CHECK_EQ(event_count(two), 1);
	vm_destroy(&vm);
}

static void any_value(void)
{
	int fd = event_new(), any = event_new(), len, i;
	struct vm vm;

	poke_create(&vm);
	REQUIRE_OK(ioeventfd(&vm, fd, MMIO_IPA, 2, 0, 0));
	for (i = 0; i < 1000; i++)
		poke_write(&vm, MMIO_IPA, 2, i);
	CHECK_EQ(event_count(fd), 1000);
	CHECK(poke_exits(&vm, true, MMIO_IPA, 4, 1));
	/* Length 0: any width. */
	REQUIRE_OK(ioeventfd(&vm, any, MMIO_IPA + 0x100, 0, 0, 0));
	for (len = 1; len <= 8; len *= 2)
		poke_write(&vm, MMIO_IPA + 0x100, len, len);
	CHECK_EQ(event_count(any), 4);
	CHECK(poke_exits(&vm, true, MMIO_IPA + 0x108, 4, 1));
	/* 8 bytes with a match in the upper half. */
	REQUIRE_OK(ioeventfd(&vm, any, MMIO_IPA + 0x200, 8, KVM_IOEVENTFD_FLAG_DATAMATCH,
			     1ULL << 63 | 5));
	poke_write(&vm, MMIO_IPA + 0x200, 8, 1ULL << 63 | 5);
	CHECK_EQ(event_count(any), 1);
	CHECK(poke_exits(&vm, true, MMIO_IPA + 0x200, 8, 5));
	vm_destroy(&vm);
}

static u64 taken_short(int stats)
{
	return kvm_is_keel() ? kvm_stat(stats, "mmio_exit_short") : 0;
}

/*
 * keel's counter says that a store neither leaves the pass nor is taken twice, and the general way
 * is there for those that no ioeventfd wants.
 */
static void short_way(void)
{
	int fd = event_new(), stats, i;
	u64 before;
	struct vm vm;

	poke_create(&vm);
	stats = kvm_stats_open(vm.vcpus[0].fd);
	REQUIRE_OK(ioeventfd(&vm, fd, MMIO_IPA, 4, KVM_IOEVENTFD_FLAG_DATAMATCH, 1));
	before = taken_short(stats);
	for (i = 1; i <= 10; i++) {
		poke_write(&vm, MMIO_IPA, 4, 1);
		CHECK(!kvm_is_keel() || taken_short(stats) == before + i);
	}
	CHECK(poke_exits(&vm, true, MMIO_IPA, 4, 2));
	CHECK(!kvm_is_keel() || taken_short(stats) == before + 10);
	CHECK_EQ(event_count(fd), 10);
	close(stats);
	close(fd);
	vm_destroy(&vm);
}

static void many(void)
{
	int fd[64], i;
	struct vm vm;

	poke_create(&vm);
	for (i = 0; i < 64; i++) {
		fd[i] = event_new();
		REQUIRE_OK(ioeventfd(&vm, fd[i], MMIO_IPA + i * 37 % 64 * 8, 4, 0, 0));
	}
	for (i = 0; i < 64; i++)
		poke_write(&vm, MMIO_IPA + i * 37 % 64 * 8, 4, 1);
	for (i = 0; i < 64; i++)
		CHECK_EQ(event_count(fd[i]), 1);
	/* The VMM's file may go: the event stays with the VM. */
	for (i = 0; i < 64; i++)
		close(fd[i]);
	poke_write(&vm, MMIO_IPA, 4, 1);
	vm_destroy(&vm);
}

static void errors(void)
{
	int fd = event_new(), pair[2];
	struct vm vm;

	vm_create(&vm);
	REQUIRE_OK(pipe(pair));
	CHECK_ERR(ioeventfd(&vm, fd, MMIO_IPA, 3, 0, 0), EINVAL);
	CHECK_ERR(ioeventfd(&vm, fd, MMIO_IPA, 16, 0, 0), EINVAL);
	CHECK_ERR(ioeventfd(&vm, fd, -4ULL, 8, 0, 0), EINVAL);
	CHECK_ERR(ioeventfd(&vm, fd, MMIO_IPA, 0, KVM_IOEVENTFD_FLAG_DATAMATCH, 1), EINVAL);
	CHECK_ERR(ioeventfd(&vm, fd, MMIO_IPA, 4, 1U << 30, 0), EINVAL);
	CHECK_ERR(ioeventfd(&vm, -1, MMIO_IPA, 4, 0, 0), EBADF);
	CHECK_ERR(ioeventfd(&vm, pair[0], MMIO_IPA, 4, 0, 0), EINVAL);
	CHECK_ERR(ioeventfd(&vm, fd, MMIO_IPA, 4, KVM_IOEVENTFD_FLAG_DEASSIGN, 0), ENOENT);
	REQUIRE_OK(ioeventfd(&vm, fd, MMIO_IPA, 4, 0, 0));
	CHECK_ERR(ioeventfd(&vm, fd, MMIO_IPA, 4, 0, 0), EEXIST);
	CHECK_ERR(ioeventfd(&vm, fd, MMIO_IPA, 4, KVM_IOEVENTFD_FLAG_DATAMATCH, 1), EEXIST);
	CHECK_ERR(ioeventfd(&vm, fd, MMIO_IPA, 4, KVM_IOEVENTFD_FLAG_DATAMATCH |
			    KVM_IOEVENTFD_FLAG_DEASSIGN, 1), ENOENT);
	CHECK_ERR(ioctl(vm.fd, KVM_IOEVENTFD, 8), EFAULT);
	vm_destroy(&vm);
}

static int irqfd(struct vm *vm, int fd, u32 gsi, u32 flags)
{
	struct kvm_irqfd arg = { .fd = fd, .gsi = gsi, .flags = flags };

	return ioctl(vm->fd, KVM_IRQFD, &arg);
}

static void irqfds(void)
{
	int fd = event_new(), pair[2];
	struct vm vm;

	vm_create(&vm);
	vcpu_init(vcpu_create(&vm, 0), false);
	REQUIRE_OK(pipe(pair));
	/* There is no interrupt controller yet. */
	CHECK_ERR(irqfd(&vm, fd, 10, 0), EAGAIN);
	vm_gic_create(&vm, 64);
	CHECK_ERR(irqfd(&vm, fd, 10, 1U << 30), EINVAL);
	CHECK_ERR(irqfd(&vm, -1, 10, 0), EBADF);
	CHECK_ERR(irqfd(&vm, pair[0], 10, 0), EINVAL);
	REQUIRE_OK(irqfd(&vm, fd, 10, 0));
	CHECK_ERR(irqfd(&vm, fd, 11, 0), EBUSY);
	REQUIRE_OK(irqfd(&vm, fd, 10, KVM_IRQFD_FLAG_DEASSIGN));
	REQUIRE_OK(irqfd(&vm, fd, 11, 0));
	/* Closed while in use: the kernel takes it away by itself. */
	close(fd);
	fd = event_new();
	CHECK_OK(irqfd(&vm, fd, 11, 0));
	/* Removing one that is not there is no error. */
	CHECK_OK(irqfd(&vm, fd, 12, KVM_IRQFD_FLAG_DEASSIGN));
	CHECK_ERR(ioctl(vm.fd, KVM_IRQFD, 8), EFAULT);
	vm_destroy(&vm);
}

static const struct ktap_case cases[] = {
	{ "match", match },
	{ "any_value", any_value },
	{ "short_way", short_way },
	{ "many", many },
	{ "errors", errors },
	{ "irqfds", irqfds },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
