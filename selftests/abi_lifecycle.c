// SPDX-License-Identifier: GPL-2.0
/* Files of the KVM ABI: opening, creating, closing in every order, and their errors. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/vm.h"

GUEST_DECLARE(run_ten);

/* No ioctl of KVM's has this number. */
#define KVM_UNKNOWN _IO(KVMIO, 0x1f)

static void version_and_caps(void)
{
	static const int required[] = {
		KVM_CAP_USER_MEMORY, KVM_CAP_DESTROY_MEMORY_REGION_WORKS,
		KVM_CAP_JOIN_MEMORY_REGIONS_WORKS, KVM_CAP_INTERNAL_ERROR_DATA, KVM_CAP_IRQCHIP,
		KVM_CAP_ONE_REG, KVM_CAP_ARM_PSCI, KVM_CAP_ARM_PSCI_0_2, KVM_CAP_DEVICE_CTRL,
		KVM_CAP_IOEVENTFD, KVM_CAP_IOEVENTFD_ANY_LENGTH, KVM_CAP_IRQFD,
		KVM_CAP_IMMEDIATE_EXIT, KVM_CAP_MP_STATE, KVM_CAP_READONLY_MEM,
		KVM_CAP_CHECK_EXTENSION_VM, KVM_CAP_BINARY_STATS_FD, KVM_CAP_SYNC_MMU,
	};
	int sys = kvm_open();
	struct vm vm;
	size_t i;

	vm_create(&vm);
	CHECK_EQ(ioctl(sys, KVM_GET_API_VERSION, 0), 12);
	CHECK_ERR(ioctl(sys, KVM_GET_API_VERSION, 1), EINVAL);
	CHECK_EQ(ioctl(sys, KVM_CHECK_EXTENSION, 100000), 0);
	CHECK_EQ(ioctl(vm.fd, KVM_CHECK_EXTENSION, 100000), 0);
	for (i = 0; i < ARRAY_SIZE(required); i++) {
		if (ioctl(sys, KVM_CHECK_EXTENSION, required[i]) <= 0 ||
		    ioctl(vm.fd, KVM_CHECK_EXTENSION, required[i]) <= 0)
			ktap_note("capability %d is missing", required[i]);
		CHECK(ioctl(vm.fd, KVM_CHECK_EXTENSION, required[i]) > 0);
	}
	CHECK(ioctl(sys, KVM_CHECK_EXTENSION, KVM_CAP_NR_VCPUS) >= 1);
	CHECK(ioctl(sys, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS) >= 8);
	CHECK(ioctl(sys, KVM_CHECK_EXTENSION, KVM_CAP_NR_MEMSLOTS) >= 101);
	CHECK(ioctl(sys, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE) >= 40);
	CHECK(ioctl(sys, KVM_GET_VCPU_MMAP_SIZE, 0) >= (long)sizeof(struct kvm_run));
	CHECK_ERR(ioctl(sys, KVM_GET_VCPU_MMAP_SIZE, 1), EINVAL);
}

/* keel answers ENOTTY, in-tree KVM on arm64 EINVAL. */
static void unknown_ioctls(void)
{
	struct vm vm;
	int err = kvm_is_keel() ? ENOTTY : EINVAL;

	vm_create(&vm);
	vcpu_create(&vm, 0);
	vcpu_init(&vm.vcpus[0], false);
	CHECK_ERR(ioctl(kvm_open(), KVM_UNKNOWN, 0), err);
	CHECK_ERR(ioctl(vm.fd, KVM_UNKNOWN, 0), err);
	CHECK_ERR(ioctl(vm.vcpus[0].fd, KVM_UNKNOWN, 0), err);
	/* Known ones on the wrong kind of file. */
	CHECK_ERR(ioctl(kvm_open(), KVM_RUN, 0), err);
	CHECK_ERR(ioctl(vm.fd, KVM_RUN, 0), err);
	CHECK_ERR(ioctl(vm.fd, KVM_GET_API_VERSION, 0), err);
	CHECK_ERR(ioctl(vm.vcpus[0].fd, KVM_CREATE_VCPU, 1), err);
	CHECK(read(vm.fd, &err, sizeof(err)) < 0);
	CHECK(write(vm.vcpus[0].fd, &err, sizeof(err)) < 0);
}

static void vm_types(void)
{
	int sys = kvm_open(), fd, bits;
	int max = ioctl(sys, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);

	for (bits = 32; bits <= max; bits++) {
		fd = ioctl(sys, KVM_CREATE_VM, KVM_VM_TYPE_ARM_IPA_SIZE(bits));
		REQUIRE_OK(fd);
		/* Closed at exec: the new program is no part of the VM. */
		CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		close(fd);
	}
	CHECK_ERR(ioctl(sys, KVM_CREATE_VM, 31), EINVAL);
	CHECK_ERR(ioctl(sys, KVM_CREATE_VM, max + 1), EINVAL);
	CHECK_ERR(ioctl(sys, KVM_CREATE_VM, 1UL << 30), EINVAL);
	CHECK_ERR(ioctl(sys, KVM_CREATE_VM, 1UL << 63), EINVAL);
}

static void vcpu_errors(void)
{
	struct kvm_vcpu_init init;
	struct kvm_one_reg reg = { .id = REG_PC, .addr = (u64)&init };
	struct vcpu *vcpu;
	struct vm vm;

	vm_create(&vm);
	vcpu = vcpu_create(&vm, 0);
	CHECK_ERR(ioctl(vm.fd, KVM_CREATE_VCPU, 0), EEXIST);
	CHECK_ERR(ioctl(vm.fd, KVM_CREATE_VCPU, -1), EINVAL);
	CHECK_ERR(ioctl(vm.fd, KVM_CREATE_VCPU,
			ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS)), EINVAL);
	/* Not initialised yet. */
	CHECK_ERR(ioctl(vcpu->fd, KVM_RUN, 0), ENOEXEC);
	CHECK_ERR(ioctl(vcpu->fd, KVM_GET_ONE_REG, &reg), ENOEXEC);
	CHECK_ERR(ioctl(vcpu->fd, KVM_SET_ONE_REG, &reg), ENOEXEC);

	REQUIRE_OK(ioctl(vm.fd, KVM_ARM_PREFERRED_TARGET, &init));
	init.target = 1000;
	CHECK_ERR(ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &init), EINVAL);
	REQUIRE_OK(ioctl(vm.fd, KVM_ARM_PREFERRED_TARGET, &init));
	init.features[0] |= BIT(30);
	CHECK_ERR(ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &init), ENOENT);
	REQUIRE_OK(ioctl(vm.fd, KVM_ARM_PREFERRED_TARGET, &init));
	init.features[6] = 1;
	CHECK_ERR(ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &init), ENOENT);
	CHECK_ERR(ioctl(vcpu->fd, KVM_RUN, 0), ENOEXEC);

	vcpu_init(vcpu, false);
	vcpu_init(vcpu, false);
	/* Features do not change once chosen; POWER_OFF is none of them. */
	vcpu_init(vcpu, true);
	REQUIRE_OK(ioctl(vm.fd, KVM_ARM_PREFERRED_TARGET, &init));
	CHECK_ERR(ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &init), EINVAL);
	vm_destroy(&vm);
}

static void run_page(void)
{
	int size = ioctl(kvm_open(), KVM_GET_VCPU_MMAP_SIZE, 0);
	struct vcpu *vcpu;
	struct vm vm;
	void *p;

	vm_create(&vm);
	vcpu = vcpu_create(&vm, 0);
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	REQUIRE(p != MAP_FAILED);
	/* Two mappings, one page. */
	vcpu->run->immediate_exit = 1;
	CHECK_EQ(((struct kvm_run *)p)->immediate_exit, 1);
	munmap(p, size);
	/* Behind its end there is nothing: either mmap or the access says so. */
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, vcpu->fd, 1UL << 30);
	if (p != MAP_FAILED)
		CHECK_ERR(write(STDOUT_FILENO, p, 1), EFAULT);
	vm_destroy(&vm);
}

#define PIECES 5

/* Close one piece of a VM; each may be the last that is left. */
static void close_piece(struct vm *vm, int piece)
{
	switch (piece) {
	case 0:
		close(vm->fd);
		break;
	case 1:
		close(vm->vcpus[0].fd);
		break;
	case 2:
		close(vm->vcpus[1].fd);
		break;
	case 3:
		munmap(vm->vcpus[0].run, ioctl(kvm_open(), KVM_GET_VCPU_MMAP_SIZE, 0));
		break;
	case 4:
		close(vm->gic);
		break;
	}
}

/* The n-th of all orders of PIECES things. */
static void permutation(int n, int *order)
{
	int left[PIECES], i, k, count;

	for (i = 0; i < PIECES; i++)
		left[i] = i;
	for (count = PIECES, i = 0; count; count--, i++) {
		k = n % count;
		n /= count;
		order[i] = left[k];
		left[k] = left[count - 1];
	}
}

static void close_orders(void)
{
	int order[PIECES], n, i;
	struct vm vm;

	for (n = 0; n < 120; n++) {
		vm_create_guest(&vm, guest_run_ten, guest_run_ten_end, 2);
		vm_gic_create(&vm, 64);
		REQUIRE_EQ(vcpu_run(&vm.vcpus[0]), 0);
		permutation(n, order);
		for (i = 0; i < PIECES; i++)
			close_piece(&vm, order[i]);
		munmap(vm.vcpus[1].run, ioctl(kvm_open(), KVM_GET_VCPU_MMAP_SIZE, 0));
		munmap(vm.ram, RAM_SIZE);
	}
}

/* A vCPU keeps its VM: it runs after the VM's file is closed. */
static void run_after_close(void)
{
	struct vcpu *vcpu;
	struct vm vm;

	vm_create_guest(&vm, guest_run_ten, guest_run_ten_end, 1);
	vcpu = &vm.vcpus[0];
	close(vm.fd);
	REQUIRE_EQ(vcpu_run(vcpu), 0);
	CHECK_EQ(vcpu->run->exit_reason, KVM_EXIT_MMIO);
	CHECK_EQ(vcpu_run_done(vcpu), 42);
}

/* The guest's memory goes first, the VM after it. */
static void memory_before_vm(void)
{
	struct vm vm;

	vm_create_guest(&vm, guest_run_ten, guest_run_ten_end, 1);
	REQUIRE_EQ(vcpu_run(&vm.vcpus[0]), 0);
	munmap(vm.ram, RAM_SIZE);
	/* The next instruction's page is gone. */
	CHECK_EQ(vcpu_run(&vm.vcpus[0]), -EFAULT);
	vm.ram = NULL;
	vm_destroy(&vm);
}

static void many_vms(void)
{
	static struct vm vms[40];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vms); i++) {
		vm_create_guest(&vms[i], guest_run_ten, guest_run_ten_end, 1);
		REQUIRE_EQ(vcpu_run(&vms[i].vcpus[0]), 0);
	}
	for (i = 0; i < ARRAY_SIZE(vms); i++)
		CHECK_EQ(vcpu_run_done(&vms[i].vcpus[0]), 42);
	/* Half closed here, half by the end of the process. */
	for (i = 0; i < ARRAY_SIZE(vms); i += 2)
		vm_destroy(&vms[i]);
}

static const struct ktap_case cases[] = {
	{ "version_and_caps", version_and_caps },
	{ "unknown_ioctls", unknown_ioctls },
	{ "vm_types", vm_types },
	{ "vcpu_errors", vcpu_errors },
	{ "run_page", run_page },
	{ "close_orders", close_orders },
	{ "run_after_close", run_after_close },
	{ "memory_before_vm", memory_before_vm },
	{ "many_vms", many_vms },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
