// SPDX-License-Identifier: GPL-2.0
/* The smallest guest: ten instructions through entry, hypercall, MMIO exit and back. */
#include <string.h>

#include "lib/vm.h"

GUEST_DECLARE(run_ten);

static void check_mmio_exit(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	u32 version;

	REQUIRE_EQ(vcpu_run(vcpu), 0);
	REQUIRE_EQ(run->exit_reason, KVM_EXIT_MMIO);
	CHECK_EQ(run->mmio.phys_addr, REPORT_IPA);
	CHECK_EQ(run->mmio.is_write, 1);
	CHECK_EQ(run->mmio.len, 4);
	memcpy(&version, run->mmio.data, sizeof(version));
	/* SMCCC 1.1 or newer: major in bits 30:16 */
	CHECK(version >= 0x10001 && version < 0x20000);
}

static void ten_instructions(void)
{
	struct vcpu *vcpu;
	struct vm vm;
	u64 word;

	vm_create_guest(&vm, guest_run_ten, guest_run_ten_end, 1);
	vcpu = &vm.vcpus[0];
	check_mmio_exit(vcpu);
	CHECK_EQ(vcpu_run_done(vcpu), 42);
	memcpy(&word, vm_ptr(&vm, RAM_IPA + 0x100), sizeof(word));
	CHECK_EQ(word, 42);
	CHECK_EQ(vcpu_get(vcpu, REG_X(19)), REPORT_IPA);
	vm_destroy(&vm);
}

/* The same vCPU from the start again: KVM_ARM_VCPU_INIT resets it. */
static void ten_again(void)
{
	struct vcpu *vcpu;
	struct vm vm;
	int i;

	vm_create_guest(&vm, guest_run_ten, guest_run_ten_end, 1);
	vcpu = &vm.vcpus[0];
	for (i = 0; i < 100; i++) {
		vcpu_init(vcpu, false);
		vcpu_start_at(vcpu, RAM_IPA, 0);
		check_mmio_exit(vcpu);
		REQUIRE_EQ(vcpu_run_done(vcpu), 42);
		vcpu_complete(vcpu);
	}
	vm_destroy(&vm);
}

static const struct ktap_case cases[] = {
	{ "ten_instructions", ten_instructions },
	{ "ten_again", ten_again },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
