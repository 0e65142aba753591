// SPDX-License-Identifier: GPL-2.0
/*
 * Bad input: every ioctl number with bad pointers and with structures of zeros, ones and noise, on
 * every kind of file. Nothing but an error may come of it, and a VM works as before.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/vm.h"

GUEST_DECLARE(run_ten);

#define KEELIO 0xbe

static void still_works(void)
{
	struct vm vm;

	vm_create_guest(&vm, guest_run_ten, guest_run_ten_end, 1);
	REQUIRE_EQ(vcpu_run(&vm.vcpus[0]), 0);
	CHECK_EQ(vcpu_run_done(&vm.vcpus[0]), 42);
	vm_destroy(&vm);
}

static void bad_pointers_on(int fd, unsigned int request)
{
	static const u64 bad[] = { 8, 0xffff000000000000, 0xfffffffffffff000, 1ULL << 55 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK_ERR(ioctl(fd, request, bad[i]), EFAULT);
	CHECK_ERR(ioctl(fd, request, NULL), EFAULT);
}

static void bad_pointers(void)
{
	static const unsigned int of_vm[] = {
		KVM_SET_USER_MEMORY_REGION, KVM_CREATE_DEVICE, KVM_IRQ_LINE, KVM_IOEVENTFD,
		KVM_IRQFD, KVM_ARM_PREFERRED_TARGET,
	};
	static const unsigned int of_vcpu[] = {
		KVM_ARM_VCPU_INIT, KVM_GET_ONE_REG, KVM_SET_ONE_REG, KVM_GET_REG_LIST,
		KVM_GET_MP_STATE, KVM_SET_MP_STATE,
	};
	static const unsigned int of_device[] = {
		KVM_SET_DEVICE_ATTR, KVM_GET_DEVICE_ATTR, KVM_HAS_DEVICE_ATTR,
	};
	struct vm vm;
	size_t i;

	vm_create(&vm);
	vcpu_init(vcpu_create(&vm, 0), false);
	vm_gic_create(&vm, 64);
	for (i = 0; i < ARRAY_SIZE(of_vm); i++)
		bad_pointers_on(vm.fd, of_vm[i]);
	for (i = 0; i < ARRAY_SIZE(of_vcpu); i++)
		bad_pointers_on(vm.vcpus[0].fd, of_vcpu[i]);
	for (i = 0; i < ARRAY_SIZE(of_device); i++)
		bad_pointers_on(vm.gic, of_device[i]);
	/* 0 means no mask; any other bad address does not. */
	CHECK_ERR(ioctl(vm.vcpus[0].fd, KVM_SET_SIGNAL_MASK, 8), EFAULT);
	CHECK_OK(ioctl(vm.vcpus[0].fd, KVM_SET_SIGNAL_MASK, NULL));
	vm_destroy(&vm);
	still_works();
}

/* A structure that ends where memory does: no byte beyond it is touched. */
static void page_end(void)
{
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region *region;
	struct kvm_one_reg *reg;
	struct vm vm;

	REQUIRE(p != MAP_FAILED);
	REQUIRE_OK(mprotect(p + 4096, 4096, PROT_NONE));
	vm_create(&vm);
	vcpu_init(vcpu_create(&vm, 0), false);
	region = (struct kvm_userspace_memory_region *)(p + 4096) - 1;
	*region = (struct kvm_userspace_memory_region){ 0, 0, 0, 4096, (u64)p };
	CHECK_OK(ioctl(vm.fd, KVM_SET_USER_MEMORY_REGION, region));
	reg = (struct kvm_one_reg *)(p + 4096) - 1;
	*reg = (struct kvm_one_reg){ REG_PC, (u64)(p + 4096 - 8) };
	CHECK_OK(ioctl(vm.vcpus[0].fd, KVM_GET_ONE_REG, reg));
	*reg = (struct kvm_one_reg){ REG_PC, (u64)(p + 4096 - 4) };
	CHECK_ERR(ioctl(vm.vcpus[0].fd, KVM_GET_ONE_REG, reg), EFAULT);
	CHECK_ERR(ioctl(vm.vcpus[0].fd, KVM_SET_ONE_REG, reg), EFAULT);
	vm_destroy(&vm);
}

static void wrong_files(void)
{
	int null = open("/dev/null", O_RDWR), event = eventfd(0, 0), sys = kvm_open();
	struct kvm_create_device dev = { .type = 1000 };
	struct vm vm;

	vm_create(&vm);
	CHECK_ERR(ioctl(null, KVM_RUN, 0), ENOTTY);
	CHECK_ERR(ioctl(event, KVM_CREATE_VCPU, 0), ENOTTY);
	CHECK_ERR(ioctl(vm.fd, KVM_CREATE_DEVICE, &dev), ENODEV);
	dev = (struct kvm_create_device){ .type = 1000, .flags = KVM_CREATE_DEVICE_TEST };
	CHECK_ERR(ioctl(vm.fd, KVM_CREATE_DEVICE, &dev), ENODEV);
	dev = (struct kvm_create_device){ KVM_DEV_TYPE_ARM_VGIC_V3, 0, KVM_CREATE_DEVICE_TEST };
	CHECK_OK(ioctl(vm.fd, KVM_CREATE_DEVICE, &dev));
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, vm.fd, 0) == MAP_FAILED);
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, sys, 0) == MAP_FAILED);
	vm_destroy(&vm);
}

/* Structures of zeros, ones, small numbers, noise. */
static void make_struct(void *buf, size_t size, int kind)
{
	u32 *word = buf;
	size_t i;

	for (i = 0; i < size / 4; i++)
		switch (kind) {
		case 0:
			word[i] = 0;
			break;
		case 1:
			word[i] = ~0U;
			break;
		case 2:
			word[i] = 1 + i % 3;
			break;
		default:
			word[i] = random();
		}
}

/*
 * All numbers, with the sizes that a structure of KVM's may have: 0 to 128 bytes in steps and some
 * large ones, each direction. What happens to succeed may; KVM_RUN leaves at once.
 */
static void sweep_file(int fd, struct kvm_run *run, u32 magic)
{
	static const u32 sizes[] = { 0, 4, 8, 12, 16, 20, 24, 32, 36, 40, 48, 64, 128, 160, 832 };
	static u32 buf[4096];
	u32 nr, dir, i;
	int kind;

	for (nr = 0; nr < 256; nr++)
		for (dir = 0; dir < 4; dir++)
			for (i = 0; i < ARRAY_SIZE(sizes); i++) {
				kind = (nr + dir + i) % 4;
				make_struct(buf, 192, kind);
				if (run)
					run->immediate_exit = 1;
				ioctl(fd, _IOC(dir, magic, nr, sizes[i]),
				      kind == 2 ? (unsigned long)nr : (unsigned long)buf);
			}
}

static void sweep(u32 magic)
{
	struct vm vm;

	srandom(20260101);
	vm_create_guest(&vm, guest_run_ten, guest_run_ten_end, 2);
	vm_gic_create(&vm, 64);
	sweep_file(kvm_open(), NULL, magic);
	sweep_file(vm.fd, NULL, magic);
	sweep_file(vm.gic, NULL, magic);
	sweep_file(vm.vcpus[0].fd, vm.vcpus[0].run, magic);
	sweep_file(vm.vcpus[1].fd, vm.vcpus[1].run, magic);
	/* Whatever files that made. */
	syscall(SYS_close_range, 3, ~0U, 0);
	still_works();
}

static void kvm_sweep(void)
{
	sweep(KVMIO);
}

static void keel_sweep(void)
{
	sweep(KEELIO);
}

/* What lies in kvm_run is the VMM's to write: the kernel trusts none of it. */
static void run_page_noise(void)
{
	struct vcpu *vcpu;
	struct vm vm;
	int i, ret;

	srandom(20260102);
	vm_create_guest(&vm, guest_run_ten, guest_run_ten_end, 1);
	vcpu = &vm.vcpus[0];
	for (i = 0; i < 300; i++) {
		vcpu_init(vcpu, false);
		vcpu_start_at(vcpu, RAM_IPA, 0);
		/* In-tree KVM compares s.regs.device_irq_level, and leaves when it is noise. */
		ret = vcpu_run(vcpu);
		REQUIRE(!ret || ret == -EINTR);
		make_struct(vcpu->run, sizeof(*vcpu->run), i % 4);
		vcpu->run->immediate_exit = 0;
		vcpu_run(vcpu);
		make_struct(vcpu->run, sizeof(*vcpu->run), (i + 1) % 4);
		vcpu_complete(vcpu);
	}
	vm_destroy(&vm);
	still_works();
}

static const struct ktap_case cases[] = {
	{ "bad_pointers", bad_pointers },
	{ "page_end", page_end },
	{ "wrong_files", wrong_files },
	{ "kvm_sweep", kvm_sweep },
	{ "keel_sweep", keel_sweep },
	{ "run_page_noise", run_page_noise },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
