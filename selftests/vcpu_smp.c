// SPDX-License-Identifier: GPL-2.0
/* Eight vCPUs on whatever CPUs there are: locks, atomic counters, interrupts between them. */
#include "guests/vcpu_smp.h"
#include "lib/vm.h"

GUEST_DECLARE(vcpu_smp);

static void run_part(u64 part)
{
	struct vm vm;

	vm_create_guest(&vm, guest_vcpu_smp, guest_vcpu_smp_end, SMP_CPUS);
	vm_gic_create(&vm, 64);
	vcpu_set(&vm.vcpus[0], REG_X(0), part);
	vm_start(&vm);
	CHECK_EQ(vm_wait(&vm), SMP_RESULT);
	vm_destroy(&vm);
}

static void locks(void)
{
	run_part(PART_LOCKS);
}

static void atomics(void)
{
	run_part(PART_ATOMICS);
}

static void sgi_ring(void)
{
	run_part(PART_RING);
}

static void sgi_broadcast(void)
{
	run_part(PART_BROADCAST);
}

static void tlb_shootdown(void)
{
	run_part(PART_TLB);
}

static const struct ktap_case cases[] = {
	{ "locks", locks },
	{ "atomics", atomics },
	{ "sgi_ring", sgi_ring },
	{ "sgi_broadcast", sgi_broadcast },
	{ "tlb_shootdown", tlb_shootdown },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
