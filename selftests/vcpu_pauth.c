// SPDX-License-Identifier: GPL-2.0
/* Pointer authentication of guests, with the features and without, and the program's own. */
#include <sys/auxv.h>

#include "lib/vm.h"

GUEST_DECLARE(vcpu_pauth);

#define HWCAP_PACA_BIT	BIT(30)

static bool has_pauth(void)
{
	int sys = kvm_open();

	return ioctl(sys, KVM_CHECK_EXTENSION, KVM_CAP_ARM_PTRAUTH_ADDRESS) > 0 &&
	       ioctl(sys, KVM_CHECK_EXTENSION, KVM_CAP_ARM_PTRAUTH_GENERIC) > 0;
}

static void start(struct vm *vm, u64 seed)
{
	struct kvm_vcpu_init init;

	vm_create_guest(vm, guest_vcpu_pauth, guest_vcpu_pauth_end, 0);
	vcpu_create(vm, 0);
	REQUIRE_OK(ioctl(vm->fd, KVM_ARM_PREFERRED_TARGET, &init));
	init.features[0] |= BIT(KVM_ARM_VCPU_PSCI_0_2);
	if (seed)
		init.features[0] |= BIT(KVM_ARM_VCPU_PTRAUTH_ADDRESS) |
				    BIT(KVM_ARM_VCPU_PTRAUTH_GENERIC);
	REQUIRE_OK(ioctl(vm->vcpus[0].fd, KVM_ARM_VCPU_INIT, &init));
	vcpu_start_at(&vm->vcpus[0], RAM_IPA, seed);
}

/* The program's own signature of an address: by its keys, which the kernel loads. */
static u64 own_signature(void)
{
	u64 p = 0x12345678;

	if (getauxval(AT_HWCAP) & HWCAP_PACA_BIT)
		asm volatile(".arch armv8.3-a\n\tpacia %0, %1" : "+r" (p) : "r" (0x42ULL));
	return p;
}

static void two_vms(void)
{
	u64 own = own_signature(), i;
	struct report report[2];
	struct vm vm[2];

	if (!has_pauth()) {
		ktap_note("no pointer authentication");
		return;
	}
	for (i = 0; i < 2; i++)
		start(&vm[i], 0x1234567 * (i + 1));
	/* In turn, so that each entry must bring the VM's own keys. */
	do {
		for (i = 0; i < 2; i++) {
			report[i] = vcpu_run_report(&vm[i].vcpus[0]);
			CHECK_EQ(own_signature(), own);
		}
	} while (report[0].kind == REPORT_SYNC && report[1].kind == REPORT_SYNC);
	CHECK_EQ(report[0].kind, REPORT_DONE);
	CHECK_EQ(report[1].kind, REPORT_DONE);
	/* Other keys, other codes. */
	CHECK(report[0].value != report[1].value);
}

static void without(void)
{
	struct vm vm;

	start(&vm, 0);
	CHECK_EQ(vcpu_run_done(&vm.vcpus[0]), 0);
	vm_destroy(&vm);
}

/* Both features or none. */
static void one_feature(void)
{
	struct kvm_vcpu_init init;
	struct vm vm;

	if (!has_pauth())
		return;
	vm_create(&vm);
	vcpu_create(&vm, 0);
	REQUIRE_OK(ioctl(vm.fd, KVM_ARM_PREFERRED_TARGET, &init));
	init.features[0] |= BIT(KVM_ARM_VCPU_PTRAUTH_ADDRESS);
	CHECK(ioctl(vm.vcpus[0].fd, KVM_ARM_VCPU_INIT, &init) < 0);
	vm_destroy(&vm);
}

static const struct ktap_case cases[] = {
	{ "two_vms", two_vms },
	{ "without", without },
	{ "one_feature", one_feature },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
