// SPDX-License-Identifier: GPL-2.0
/* The virtual CPU interface's priorities: mask, running priority, binary points, preemption. */
#include "guests/vgic_priority.h"
#include "lib/vm.h"

GUEST_DECLARE(vgic_priority);

static void run_part(u64 part)
{
	struct vm vm;

	vm_create_guest(&vm, guest_vgic_priority, guest_vgic_priority_end, 2);
	vm_gic_create(&vm, 128);
	vcpu_set(&vm.vcpus[0], REG_X(0), part);
	vm_start(&vm);
	CHECK_EQ(vm_wait(&vm), 0);
	vm_destroy(&vm);
}

#define PART(name, part)		\
	static void name(void)		\
	{				\
		run_part(part);		\
	}

PART(mask, PART_MASK)
PART(running, PART_RUNNING)
PART(two_groups, PART_GROUPS)
PART(binary_point_0, PART_BINARY_POINT_0)
PART(common_binary_point, PART_COMMON_POINT)
PART(dropped, PART_DROPPED)

/* In-tree KVM leaves the best pending one out when active ones have all list registers. */
static void crowd(void)
{
	if (kvm_is_keel())
		run_part(PART_CROWD);
}

static const struct ktap_case cases[] = {
	{ "mask", mask },
	{ "running", running },
	{ "two_groups", two_groups },
	{ "binary_point_0", binary_point_0 },
	{ "common_binary_point", common_binary_point },
	{ "crowd", crowd },
	{ "dropped", dropped },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
