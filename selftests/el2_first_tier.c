// SPDX-License-Identifier: GPL-2.0
/*
 * What EL2 answers while the guest's state is loaded must rest on none of the guest's registers:
 * every kind of exit with SP_EL0, which is the kernel's "current", chosen by the guest.
 */
#include "lib/vm.h"

GUEST_DECLARE(el2_first_tier);

/* Where the linear map begins: a kernel address on hosts with 48 and with 52 bits. */
#define LINEAR_MAP_48 0xffff000000000000ULL
#define LINEAR_MAP_52 0xfff0000000000000ULL

static void run_with(u64 linear_map)
{
	struct report report;
	struct vcpu *vcpu;
	struct vm vm;

	vm_create_guest(&vm, guest_el2_first_tier, guest_el2_first_tier_end, 1);
	vm_gic_create(&vm, 64);
	vcpu = &vm.vcpus[0];
	vcpu_set(vcpu, REG_X(0), linear_map + 0x40000000);
	do {
		report = vcpu_run_report(vcpu);
	} while (report.kind == REPORT_SYNC);
	CHECK_EQ(report.kind, REPORT_DONE);
	vm_destroy(&vm);
}

static void sp_el0(void)
{
	run_with(LINEAR_MAP_48);
	run_with(LINEAR_MAP_52);
}

static const struct ktap_case cases[] = {
	{ "sp_el0", sp_el0 },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
