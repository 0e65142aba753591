// SPDX-License-Identifier: GPL-2.0
/*
 * gva_compare PID: stops the VMM, has KEEL_GVA_SCAN find what each of its vCPUs' tables map, and
 * compares that with a walk in a copy of the guest's memory. Status 0: no difference. Its memory is
 * one slot at RAM_IPA, as keelrun has it.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/gva.h"
#include "lib/hostmem.h"

#define CHUNK	(64ULL << 20)

static struct keel_vm_info info;
static char *copy;
static pid_t vmm;

static void let_go(void)
{
	kill(vmm, SIGCONT);
}

static bool is_stopped(const char *tid)
{
	char path[320], text[256] = "", *state;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%s/stat", vmm, tid);
	f = fopen(path, "r");
	if (!f)
		return true;	/* it has ended */
	REQUIRE(fgets(text, sizeof(text), f));
	fclose(f);
	state = strrchr(text, ')');
	return state && state[2] == 'T';
}

/* Every thread has seen the signal, so no vCPU is in the guest. */
static void stop(void)
{
	struct dirent *d;
	char path[32];
	bool all;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", vmm);
	REQUIRE_OK(kill(vmm, SIGSTOP));
	atexit(let_go);
	do {
		host_pause();
		dir = opendir(path);
		REQUIRE(dir);
		for (all = true; (d = readdir(dir));)
			if (*d->d_name != '.')
				all &= is_stopped(d->d_name);
		closedir(dir);
	} while (!all);
}

static int observe(void)
{
	int sys = kvm_open(), fd;
	u32 id = 0;

	do {
		info = (struct keel_vm_info){ .size = sizeof(info), .id = id };
		if (ioctl(sys, KEEL_NEXT_VM, &info))
			ktap_fail("process %d has no VM", vmm);
		id = info.id;
	} while (info.tgid != (u32)vmm);
	fd = ioctl(sys, KEEL_OPEN_VM, id);
	REQUIRE_OK(fd);
	close(sys);
	return fd;
}

/* Where the VMM has the guest's memory: aligned to 2 MB in the first mapping that holds so much. */
static u64 memory_at(void)
{
	unsigned long long start, end;
	char path[32], line[512];
	u64 found = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", vmm);
	f = fopen(path, "r");
	REQUIRE(f);
	while (!found && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llx-%llx", &start, &end) != 2)
			break;
		start = (start + HOST_HUGE - 1) & -HOST_HUGE;
		if (end > start && end - start >= info.memory)
			found = start;
	}
	fclose(f);
	if (!found)
		ktap_fail("process %d has no mapping of %llu bytes", vmm, info.memory);
	return found;
}

static void take_copy(void)
{
	struct iovec to, from;
	u64 at, n;

	copy = mmap(NULL, info.memory, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(copy != MAP_FAILED);
	for (at = 0; at < info.memory; at += n) {
		n = info.memory - at < CHUNK ? info.memory - at : CHUNK;
		to = (struct iovec){ copy + at, n };
		from = (struct iovec){ (void *)(memory_at() + at), n };
		REQUIRE_EQ(process_vm_readv(vmm, &to, 1, &from, 1, 0), n);
	}
}

static void show(int fd, u32 id)
{
	struct gva_scan got = { .call.last = ~0ULL };
	const struct keel_gva_scan *sum = &got.sum;

	REQUIRE_EQ(gva_scan(fd, id, KEEL_GVA_MAX_RUNS, &got), 0);
	CHECK_EQ(sum->ats, sum->leaves + sum->holes[0] + sum->holes[1] + sum->holes[2] +
			   sum->holes[3] + sum->holes[4]);
	ktap_note("vCPU %u: %u runs; %llu ATs, %llu tables read, %llu slices", id, got.nr, sum->ats,
		  sum->tables, sum->slices);
	ktap_note("vCPU %u: %llu leaves; holes of levels 0 to 3: %llu, %llu, %llu, %llu", id,
		  sum->leaves, sum->holes[1], sum->holes[2], sum->holes[3], sum->holes[4]);
	free(got.runs);
}

static void compare(int fd, u32 index)
{
	struct keel_vcpu_info vcpu = { .size = sizeof(vcpu), .index = index };
	struct keel_vcpu_regs regs;
	struct stage1 s;

	REQUIRE_OK(ioctl(fd, KEEL_VCPU_INFO, &vcpu));
	REQUIRE_EQ(gva_regs(fd, vcpu.id, &regs), 0);
	REQUIRE(regs.sctlr_el1 & SCTLR_M);
	/* Linux says in TCR_EL1.IPS what its CPU has. */
	gva_stage1(&regs, 52, &s);
	stage1_memory(&s, RAM_IPA, info.memory, copy);
	gva_check(fd, vcpu.id, &s);
	show(fd, vcpu.id);
}

int main(int argc, char **argv)
{
	u32 i;
	int fd;

	if (argc != 2)
		ktap_fail("usage: gva_compare PID");
	vmm = atoi(argv[1]);
	fd = observe();
	stop();
	take_copy();
	for (i = 0; i < info.nr_vcpus; i++)
		compare(fd, i);
	return ktap_failed();
}
