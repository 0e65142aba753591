// SPDX-License-Identifier: GPL-2.0
/* More interrupts than list registers, in two groups, deactivated apart, nested. */
#include "guests/vgic_groups.h"
#include "lib/vm.h"

GUEST_DECLARE(vgic_groups);

static void run_part(u64 part)
{
	struct vm vm;

	vm_create_guest(&vm, guest_vgic_groups, guest_vgic_groups_end, 1);
	vm_gic_create(&vm, 128);
	vcpu_set(&vm.vcpus[0], REG_X(0), part);
	CHECK_EQ(vcpu_run_done(&vm.vcpus[0]), 0);
	vm_destroy(&vm);
}

static void two_groups(void)
{
	run_part(PART_GROUPS);
}

static void group_off_while_pending(void)
{
	run_part(PART_GROUP_OFF);
}

static void deactivate_apart(void)
{
	run_part(PART_DIR);
}

static void nested_deeply(void)
{
	run_part(PART_NESTED);
}

static void binary_point(void)
{
	run_part(PART_BINARY_POINT);
}

static const struct ktap_case cases[] = {
	{ "two_groups", two_groups },
	{ "group_off_while_pending", group_off_while_pending },
	{ "deactivate_apart", deactivate_apart },
	{ "nested_deeply", nested_deeply },
	{ "binary_point", binary_point },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
