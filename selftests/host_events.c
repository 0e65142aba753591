// SPDX-License-Identifier: GPL-2.0
/* keel comes and goes, among VMs and with CPUs that are away; CPUs that it refuses. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/busy.h"
#include "lib/vm.h"

/* The CPU that is away: the last of the two that a host of `make check` has. */
#define CPU		1
#define CPU_ONLINE	"/sys/devices/system/cpu/cpu1/online"
#define CPU_FAIL	"/sys/devices/system/cpu/cpu1/hotplug/fail"

static void keel_load(void)
{
	REQUIRE_EQ(module_load("/keel.ko", ""), 0);
}

static void keel_remove(void)
{
	REQUIRE_EQ(module_remove("keel"), 0);
}

static void check_in_use(const char *by)
{
	int err = module_remove("keel");

	if (err != -EWOULDBLOCK)
		ktap_fail("rmmod beside %s: %s", by, err ? strerror(-err) : "done");
}

/* Whatever file of a VM is left keeps the module. */
static void check_files_hold(void)
{
	struct vm vm;
	int fd;

	vm_create(&vm);
	check_in_use("a VM");
	fd = ioctl(vm.fd, KVM_CREATE_VCPU, 0);
	REQUIRE_OK(fd);
	close(vm.fd);
	check_in_use("a vCPU");
	vm.fd = ioctl(fd, KVM_GET_STATS_FD, NULL);
	REQUIRE_OK(vm.fd);
	close(fd);
	check_in_use("statistics");
	close(vm.fd);
}

/* The pages that a vCPU shares with its VMM are all that is left of its VM. */
static void check_mapping_holds(void)
{
	int sys = kvm_open();
	long size = ioctl(sys, KVM_GET_VCPU_MMAP_SIZE, 0);
	struct vm vm;

	close(sys);
	vm_create(&vm);
	vcpu_create(&vm, 0);
	close(vm.vcpus[0].fd);
	close(vm.fd);
	check_in_use("a mapping");
	REQUIRE_OK(munmap(vm.vcpus[0].run, size));
}

static void stays_while_in_use(void)
{
	struct vm vm;

	busy_start(&vm);
	busy_wait(&vm);
	check_in_use("a guest that runs");
	busy_wait(&vm);
	busy_end(&vm);

	check_files_hold();
	check_mapping_holds();
	keel_remove();
	CHECK(access("/dev/keel", F_OK));
	keel_load();
	CHECK(!access("/dev/keel", F_OK));
}

/* All of a VM on the CPU that was away. */
static void check_runs_there(void)
{
	struct vm vm;
	int i;

	busy_start(&vm);
	for (i = 0; i < BUSY_CPUS; i++)
		busy_bind(&vm, i, CPU);
	busy_wait(&vm);
	busy_end(&vm);
}

static void cpu_away_meanwhile(void)
{
	/* away at insmod */
	cpu_online(CPU, false);
	keel_remove();
	keel_load();
	cpu_online(CPU, true);
	check_runs_there();
	/* away at rmmod */
	cpu_online(CPU, false);
	keel_remove();
	cpu_online(CPU, true);
	keel_load();
	check_runs_there();
	/* away and back while there is no keel */
	keel_remove();
	cpu_online(CPU, false);
	cpu_online(CPU, true);
	keel_load();
	check_runs_there();
}

static void check_stays_offline(struct vm *vm, int err)
{
	char online[8];

	CHECK_EQ(file_write(CPU_ONLINE, "1"), err);
	file_read(CPU_ONLINE, online, sizeof(online));
	CHECK_EQ(online[0], '0');
	busy_wait(vm);
}

/* One that lacks a feature which the others have: FEAT_XNX or FEAT_RAS, the size of addresses. */
static void smaller_cpu(void)
{
	static const char *const clear[] = { "clear=0xf0000000", "clear=0xf" };
	struct vm vm;
	u32 i;

	cpu_online(CPU, true);
	busy_start(&vm);
	for (i = 0; i < ARRAY_SIZE(clear); i++) {
		cpu_online(CPU, false);
		REQUIRE_EQ(module_load("/modules/lesscpu.ko", clear[i]), 0);
		check_stays_offline(&vm, -ENODEV);
		REQUIRE_EQ(module_remove("lesscpu"), 0);
		cpu_online(CPU, true);
		busy_bind(&vm, 0, CPU);
		busy_wait(&vm);
	}
	busy_end(&vm);
}

/* keel's state among those that a CPU passes through on its way up, and the one after it. */
static void hotplug_states(int states[2])
{
	FILE *f = fopen("/sys/devices/system/cpu/hotplug/states", "r");
	int found = 0, n;
	char name[64];

	REQUIRE(f);
	while (found < 2 && fscanf(f, "%d: %63[^\n]", &n, name) == 2)
		if (found || !strcmp(name, "keel:online"))
			states[found++] = n;
	fclose(f);
	REQUIRE_EQ(found, 2);
}

/* The way up ends just before keel's part of it, or just after. */
static void way_up_fails(void)
{
	int states[2], i;
	char state[16];
	struct vm vm;

	cpu_online(CPU, true);
	hotplug_states(states);
	busy_start(&vm);
	for (i = 0; i < 2; i++) {
		snprintf(state, sizeof(state), "%d", states[i]);
		cpu_online(CPU, false);
		REQUIRE_EQ(file_write(CPU_FAIL, state), 0);
		check_stays_offline(&vm, -EAGAIN);
		cpu_online(CPU, true);
		busy_bind(&vm, 0, CPU);
		busy_wait(&vm);
	}
	busy_end(&vm);
}

/* A refused insmod leaves nothing behind: the next one is fine. */
static void refused_parameters(void)
{
	static const char *const refused[] = {
		"vmid_bits=1", "vmid_bits=17", "vmid_bits=-1", "fwb=maybe", "kvm_node=2", "huge=x",
	};
	u32 i;

	keel_remove();
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		CHECK_EQ(module_load("/keel.ko", refused[i]), -EINVAL);
		CHECK(access("/dev/keel", F_OK));
	}
	keel_load();
	check_runs_there();
}

static const struct ktap_case cases[] = {
	{ "stays_while_in_use", stays_while_in_use },
	{ "cpu_away_meanwhile", cpu_away_meanwhile },
	{ "smaller_cpu", smaller_cpu },
	{ "way_up_fails", way_up_fails },
	{ "refused_parameters", refused_parameters },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
