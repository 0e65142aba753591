// SPDX-License-Identifier: GPL-2.0
/*
 * power_figures PID: what KEEL_POWER and KEEL_POWER_VCPU say of the VM of that process: lines
 * NAME=VALUE for scripts, those of a vCPU with its id in front, as 0.asked=512.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/observer.h"

static int observe(u32 tgid, struct keel_vm_info *info)
{
	int sys = kvm_open(), fd;
	u32 id = 0;

	do {
		*info = (struct keel_vm_info){ .size = sizeof(*info), .id = id };
		if (ioctl(sys, KEEL_NEXT_VM, info))
			ktap_fail("process %u has no VM", tgid);
		id = info->id;
	} while (info->tgid != tgid);
	fd = ioctl(sys, KEEL_OPEN_VM, id);
	REQUIRE_OK(fd);
	close(sys);
	return fd;
}

static void print_vm(int fd)
{
	struct keel_power vm = { .size = sizeof(vm) };

	REQUIRE_OK(ioctl(fd, KEEL_POWER, &vm));
	printf("policy=%u\nmin=%u\nmax=%u\nlayout=%u\nstates=%u\nipa=0x%llx\n", vm.policy, vm.min,
	       vm.max, vm.layout, vm.nr_states, vm.ipa);
}

static void print_vcpu(int fd, u32 id)
{
	struct keel_power_vcpu vcpu = { .size = sizeof(vcpu), .vcpu = id };
	u32 i;

	REQUIRE_OK(ioctl(fd, KEEL_POWER_VCPU, &vcpu));
	printf("%u.state=%u\n%u.asked=%u\n%u.target=%u\n%u.delivered=%u\n%u.nice=%d\n", id,
	       vcpu.state, id, vcpu.asked, id, vcpu.target, id, vcpu.delivered, id, vcpu.nice);
	printf("%u.asks=%llu\n%u.changes=%llu\n%u.run=%llu\n", id, vcpu.asks, id, vcpu.changes, id,
	       vcpu.run);
	for (i = 0; i < KEEL_POWER_NR_SLEEPS; i++)
		printf("%u.sleep%u=%llu\n%u.residency%u=%llu\n", id, i, vcpu.sleep[i].count, id, i,
		       vcpu.sleep[i].residency);
}

int main(int argc, char **argv)
{
	struct keel_vm_info info;
	u32 i;
	int fd;

	if (argc != 2)
		ktap_fail("usage: power_figures PID");
	fd = observe(atoi(argv[1]), &info);
	print_vm(fd);
	for (i = 0; i < info.nr_vcpus; i++) {
		struct keel_vcpu_info vcpu = { .size = sizeof(vcpu), .index = i };

		REQUIRE_OK(ioctl(fd, KEEL_VCPU_INFO, &vcpu));
		print_vcpu(fd, vcpu.id);
	}
	return ktap_failed();
}
