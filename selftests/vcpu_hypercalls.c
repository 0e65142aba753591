// SPDX-License-Identifier: GPL-2.0
/* Hypercalls of the SMC Calling Convention. */
#include "lib/vm.h"

GUEST_DECLARE(vcpu_hypercalls);

static void run_part(u64 part)
{
	struct vm vm;

	vm_create_guest(&vm, guest_vcpu_hypercalls, guest_vcpu_hypercalls_end, 1);
	vcpu_set(&vm.vcpus[0], REG_X(0), part);
	CHECK_EQ(vcpu_run_done(&vm.vcpus[0]), 0);
	vm_destroy(&vm);
}

static void arch_calls(void)
{
	run_part(0);
}

static void unknown_calls(void)
{
	run_part(1);
}

static void unknown_smc(void)
{
	run_part(2);
}

static void trng(void)
{
	run_part(3);
}

static void registers_kept(void)
{
	run_part(4);
}

static const struct ktap_case cases[] = {
	{ "arch_calls", arch_calls },
	{ "unknown_calls", unknown_calls },
	{ "unknown_smc", unknown_smc },
	{ "trng", trng },
	{ "registers_kept", registers_kept },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
