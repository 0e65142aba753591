// SPDX-License-Identifier: GPL-2.0
/*
 * What a VM costs the kernel is charged to the control group of its VMM and comes back when the VM
 * ends. At the group's limit the VMM gets an error or is killed; the host goes on.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/hostmem.h"
#include "lib/poke.h"
#include "lib/walk.h"

static void enter_group(void)
{
	host_mounts();
	cgroup_begin();
	cgroup_enter();
}

/* --- charges --- */

/*
 * Each CPU collects changes and the kernel adds them up when they are many: at any time up to 256
 * pages are not in this number yet, with two CPUs.
 */
static s64 kernel_pages(void)
{
	return cgroup_read("memory.stat", "kernel") / (s64)HOST_PAGE;
}

/* It must get there; some of it is freed by RCU, a little later. */
static void wait_for_fall_to(s64 pages)
{
	while (kernel_pages() > pages)
		host_pause();
}

/* A page in each of many pieces of 2 MB: each needs a table of its own. */
static void charge_tables(void)
{
	const s64 pieces = 640;
	char *mem = mem_map(pieces * HOST_HUGE, MAP_PRIVATE | MAP_NORESERVE, -1);
	s64 before, rise, i;
	struct vm vm;

	enter_group();
	REQUIRE_OK(madvise(mem, pieces * HOST_HUGE, MADV_NOHUGEPAGE));
	poke_create(&vm);
	REQUIRE_OK(vm_memslot(&vm, 1, 0, WALK_IPA, pieces * HOST_HUGE, mem));
	/* The host's own page tables are not what this is about. */
	for (i = 0; i < pieces; i++)
		mem[i * HOST_HUGE] = 1;
	before = kernel_pages();
	for (i = 0; i < pieces; i++)
		poke_write(&vm, WALK_IPA + i * HOST_HUGE, 8, i);
	rise = kernel_pages() - before;
	ktap_note("%lld tables, charged %lld pages", pieces, rise);
	CHECK(rise >= pieces / 2);
	vm_destroy(&vm);
	wait_for_fall_to(before + pieces / 2 - 1);
	cgroup_end();
}

/* VMs with vCPUs and interrupt controllers; the least that each vCPU takes is struct kvm_run. */
static void charge_vms(void)
{
	enum { VMS = 24, VCPUS = 16 };
	struct vm *vms = calloc(VMS, sizeof(*vms));
	s64 before, rise;
	int i, j;

	REQUIRE(vms);
	enter_group();
	before = kernel_pages();
	for (i = 0; i < VMS; i++) {
		vm_create(&vms[i]);
		for (j = 0; j < VCPUS; j++)
			vcpu_init(vcpu_create(&vms[i], j), j > 0);
		vm_gic_create(&vms[i], 512);
	}
	rise = kernel_pages() - before;
	ktap_note("%d VMs, %d vCPUs, charged %lld pages", VMS, VMS * VCPUS, rise);
	CHECK(rise >= VMS * VCPUS);
	for (i = 0; i < VMS; i++)
		vm_destroy(&vms[i]);
	wait_for_fall_to(before + VMS * VCPUS / 2);
	cgroup_end();
}

/* --- at the limit --- */

/*
 * Let the OOM killer pass by: then what cannot be charged fails. The program's own memory is all
 * there from now on, as a page fault of its own would not fail but come again for ever.
 */
static void cannot_be_killed(void)
{
	REQUIRE_OK(host_write("/proc/self/oom_score_adj", "-1000"));
	REQUIRE_OK(mlockall(MCL_CURRENT));
}

static void limit_to(s64 more)
{
	cgroup_limit(CGROUP_MAX, cgroup_read("memory.current", NULL) + more);
}

static void refused(void)
{
	enum { MANY = 400 };
	static int vms[MANY];
	int sys = kvm_open(), n, vcpu = 0;

	enter_group();
	cannot_be_killed();
	console_quiet();
	limit_to(HOST_HUGE / 2);
	for (n = 0; n < MANY && vcpu >= 0; n++) {
		vms[n] = ioctl(sys, KVM_CREATE_VM, 0);
		vcpu = vms[n] < 0 ? vms[n] : ioctl(vms[n], KVM_CREATE_VCPU, 0);
		if (vcpu >= 0)
			close(vcpu);
	}
	CHECK_ERR(vcpu, ENOMEM);
	ktap_note("the limit was met by VM %d", n);
	while (n--)
		if (vms[n] >= 0)
			close(vms[n]);
	/* What they held can be used again. */
	do {
		vms[0] = ioctl(sys, KVM_CREATE_VM, 0);
	} while (vms[0] < 0 && errno == ENOMEM);
	REQUIRE_OK(vms[0]);
	close(vms[0]);
	cgroup_limit(CGROUP_MAX, -1);
	console_loud();
	cgroup_end();
}

/* A fault of the guest meets the limit: KVM_RUN says so, and goes on when there is memory. */
static void refused_fault(void)
{
	struct walk w;
	int ret;

	enter_group();
	cannot_be_killed();
	walk_create(&w, mem_map(HOST_HUGE, MAP_PRIVATE, -1), HOST_HUGE, 1, 0);
	REQUIRE_OK(madvise(w.mem, HOST_HUGE, MADV_NOHUGEPAGE));
	console_quiet();
	limit_to(HOST_HUGE / 8);
	do {
		ret = vcpu_run(&w.vm.vcpus[0]);
	} while (ret == -EINTR);
	CHECK(ret == -EFAULT || ret == -ENOMEM);
	CHECK_EQ(w.args->rounds[0], 0);
	cgroup_limit(CGROUP_MAX, -1);
	console_loud();
	walk_start(&w);
	walk_rounds(&w, 1);
	walk_stop(&w);
	walk_check(&w);
	walk_destroy(&w);
	cgroup_end();
}

static void __attribute__((__noreturn__)) victim(void)
{
	struct walk w;

	cgroup_enter();
	walk_create(&w, mem_map(HOST_HUGE, MAP_PRIVATE, -1), HOST_HUGE, 2, 0);
	REQUIRE_OK(madvise(w.mem, HOST_HUGE, MADV_NOHUGEPAGE));
	limit_to(HOST_HUGE / 8);
	walk_start(&w);
	for (;;)
		pause();
}

static void killed(void)
{
	struct walk w;
	int status;
	pid_t pid;

	host_mounts();
	cgroup_begin();
	console_quiet();
	walk_create(&w, mem_map(HOST_HUGE, MAP_PRIVATE, -1), HOST_HUGE, 1, 0);
	walk_start(&w);
	pid = fork();
	if (!pid)
		victim();
	REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CHECK(cgroup_read("memory.events", "oom_kill") > 0);
	/* Another guest on the host has not noticed. */
	walk_rounds(&w, 1);
	walk_stop(&w);
	walk_check(&w);
	walk_destroy(&w);
	console_loud();
	cgroup_end();
}

static const struct ktap_case cases[] = {
	{ "charge_tables", charge_tables },
	{ "charge_vms", charge_vms },
	{ "refused", refused },
	{ "refused_fault", refused_fault },
	{ "killed", killed },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
