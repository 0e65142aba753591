// SPDX-License-Identifier: GPL-2.0
/* A guest that does what no guest should: it gets its own exceptions, and the host goes on. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "guests/guest_hostile.h"
#include "lib/vm.h"

GUEST_DECLARE(guest_hostile);

#define RET 0xd65f03c0

static struct vm vm;
static struct vcpu *vcpu;
/* MMIO exits that were no reports: how many, and the last store's bytes. */
static u32 exits, stores;
static u8 stored[8];

/* A device that answers everything everywhere. */
static bool answer(struct vcpu *v)
{
	struct kvm_run *run = v->run;
	u64 value = MMIO_VALUE;

	if (run->exit_reason != KVM_EXIT_MMIO)
		return false;
	exits++;
	if (run->mmio.is_write) {
		stores++;
		memcpy(stored, run->mmio.data, sizeof(stored));
	} else {
		memcpy(run->mmio.data, &value, sizeof(value));
	}
	return true;
}

/*
 * Memory that the guest cannot write: an instruction to execute, then a table of blocks that nobody
 * has accessed, as the walker sees it.
 */
static void make_readonly(void)
{
	u64 i, *table;
	u32 *code;
	char *p = mmap(NULL, READONLY_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	REQUIRE(p != MAP_FAILED);
	code = (u32 *)p;
	*code = RET;
	table = (u64 *)(p + 0x1000);
	for (i = 0; i < 512; i++)
		table[i] = (RAM_IPA + (i << 21)) | 3 << 8 | 1;
	REQUIRE_OK(vm_memslot(&vm, 1, KVM_MEM_READONLY, READONLY_IPA, READONLY_SIZE, p));
}

static void start(u64 part, int nr_vcpus)
{
	vm_create_guest(&vm, guest_guest_hostile, guest_guest_hostile_end, nr_vcpus);
	vm_gic_create(&vm, 128);
	make_readonly();
	vm.exit = answer;
	vcpu = &vm.vcpus[0];
	vcpu_set(vcpu, REG_X(0), part);
}

static void run_part(u64 part)
{
	start(part, 2);
	CHECK_EQ(vcpu_run_done(vcpu), 0);
	vm_destroy(&vm);
}

static void calls(void)
{
	run_part(PART_CALLS);
}

/* HOSTILE_PHASE, from 0 to PHASES - 1: in that many runs all offsets, which takes minutes. */
static void vgic_frames(void)
{
	const char *phase = getenv("HOSTILE_PHASE");

	run_part(PART_FRAMES | (phase ? ARG_PHASE(atoi(phase)) : 0));
	/* None of it was a device's of ours. */
	CHECK_EQ(exits, 0);
}

static void vgic_frames_unaligned(void)
{
	run_part(PART_FRAMES_UNALIGNED);
	CHECK_EQ(exits, 0);
}

static void cpu_interface(void)
{
	run_part(PART_CPU_INTERFACE);
}

/*
 * In-tree KVM ends KVM_RUN with ENOSYS at an access that does not describe itself; step over it.
 */
static void no_syndrome(void)
{
	bool keel = kvm_is_keel();
	int ret, steps = 0;

	start(PART_NO_SYNDROME | (keel ? ARG_ABORTS : 0), 2);
	do {
		ret = vcpu_run(vcpu);
		if (ret) {
			REQUIRE(!keel);
			REQUIRE_EQ(ret, -ENOSYS);
			vcpu_set(vcpu, REG_PC, vcpu_get(vcpu, REG_PC) + 4);
			steps++;
		}
	} while (ret);
	if (!keel)
		CHECK(steps > 50);
	REQUIRE_EQ(vcpu->run->exit_reason, KVM_EXIT_MMIO);
	CHECK_EQ(vcpu->run->mmio.phys_addr, REPORT_IPA);
	CHECK_EQ(vcpu->run->mmio.data[7], REPORT_DONE);
	vm_destroy(&vm);
}

static void odd_syndrome(void)
{
	run_part(PART_ODD_SYNDROME);
	CHECK_EQ(exits, 10);
	CHECK_EQ(stores, 4);
}

static void fetches(void)
{
	run_part(PART_FETCHES);
	CHECK_EQ(exits, 0);
}

static void walks(void)
{
	run_part(PART_WALKS);
	CHECK_EQ(exits, 0);
}

static void modes(void)
{
	run_part(PART_MODES);
}

static void no_caches(void)
{
	run_part(PART_NO_CACHES);
	CHECK_EQ(exits, 6);
}

static void big_endian(void)
{
	static const u8 bytes[] = { 1, 2, 3, 4 };

	run_part(PART_BIG_ENDIAN);
	CHECK_EQ(exits, 2);
	CHECK(!memcmp(stored, bytes, sizeof(bytes)));
}

static void code_changes(void)
{
	start(PART_CODE_CHANGES, 2);
	vm_start(&vm);
	CHECK_EQ(vm_wait(&vm), 0);
	vm_destroy(&vm);
}

/* ---- Guests that never come out by themselves ---- */

static pid_t runner_tid;
static bool runner_done;
static int runner_ret;

static void no_action(int sig __always_unused)
{
}

static void *runner(void *arg)
{
	struct vcpu *v = arg;

	WRITE_ONCE(runner_tid, gettid());
	runner_ret = vcpu_run(v);
	WRITE_ONCE(runner_done, true);
	return NULL;
}

static pthread_t start_runner(void)
{
	struct sigaction sa = { .sa_handler = no_action };
	pthread_t thread;

	REQUIRE_OK(sigaction(SIGUSR2, &sa, NULL));
	runner_tid = 0;
	runner_done = false;
	REQUIRE(!pthread_create(&thread, NULL, runner, vcpu));
	while (!READ_ONCE(runner_tid))
		sched_yield();
	return thread;
}

static bool sleeps(pid_t tid)
{
	char path[64], line[256], *p;
	int fd, n;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return false;
	n = read(fd, line, sizeof(line) - 1);
	close(fd);
	if (n <= 0)
		return false;
	line[n] = 0;
	p = strrchr(line, ')');
	return p && p[2] == 'S';
}

static u64 used_ns(pthread_t thread)
{
	struct timespec used = {};
	clockid_t clock;

	if (!pthread_getcpuclockid(thread, &clock))
		clock_gettime(clock, &used);
	return used.tv_sec * 1000000000ULL + used.tv_nsec;
}

/* Until the runner has used a millisecond of the CPU, sleeps, or is done. */
static void wait_busy(pthread_t thread)
{
	u64 start = used_ns(thread);

	while (!READ_ONCE(runner_done) && used_ns(thread) < start + 1000000 &&
	       !sleeps(READ_ONCE(runner_tid)))
		sched_yield();
}

/*
 * A signal can come before KVM_RUN: until one ends it. The thread gets to do something between two,
 * or it would see nothing but signals.
 */
static void interrupt(pthread_t thread)
{
	while (!READ_ONCE(runner_done)) {
		pthread_kill(thread, SIGUSR2);
		wait_busy(thread);
	}
	pthread_join(thread, NULL);
}

static void run_for_a_while(void)
{
	pthread_t thread = start_runner();

	wait_busy(thread);
	interrupt(thread);
	CHECK_EQ(runner_ret, -EINTR);
}

/* The image as it was: a guest that was stopped anywhere has left half-made tables behind. */
static void reset_guest(u64 part)
{
	memset(vm.ram, 0, SHARED_IPA - RAM_IPA);
	memcpy(vm.ram, guest_guest_hostile, guest_guest_hostile_end - guest_guest_hostile);
	vcpu_init(vcpu, false);
	vcpu_start_at(vcpu, RAM_IPA, part);
}

/* After KVM_ARM_VCPU_INIT the VM is as good as new. */
static void vcpu_recovers(void)
{
	reset_guest(PART_MODES);
	CHECK_EQ(vcpu_run_done(vcpu), 0);
	vm_destroy(&vm);
}

static void wfi(void)
{
	pthread_t thread;

	start(PART_WFI, 1);
	thread = start_runner();
	while (!sleeps(READ_ONCE(runner_tid)))
		sched_yield();
	CHECK(!READ_ONCE(runner_done));
	interrupt(thread);
	CHECK_EQ(runner_ret, -EINTR);
	vcpu_recovers();
}

static void wfe(void)
{
	start(PART_WFE, 1);
	run_for_a_while();
	vcpu_recovers();
}

static void no_vectors(void)
{
	start(PART_NO_VECTORS, 1);
	/* Until it is in the middle of it, and on. */
	while (vcpu_get(vcpu, REG_PC) != NOWHERE_IPA + 0x200)
		run_for_a_while();
	run_for_a_while();
	CHECK_EQ(vcpu_get(vcpu, REG_PC), NOWHERE_IPA + 0x200);
	vcpu_recovers();
}

/* A PSTATE and an SPSR with bits that mean something else, or nothing. */
static void pstate_bits(void)
{
	u64 value;
	int bit;

	start(PART_SPIN, 1);
	for (bit = 4; bit <= 64; bit++) {
		value = bit == 64 ? ~0x1aULL : 0x3c5 | BIT(bit);
		if (bit == 4)
			value = 0x3c4;
		reset_guest(PART_SPIN);
		vcpu_set(vcpu, REG_PSTATE, value);
		vcpu_set(vcpu, REG_CORE(spsr[0]), ~value);
		vcpu_set(vcpu, REG_CORE(elr_el1), value);
		vcpu_set(vcpu, REG_CORE(sp_el1), ~value);
		run_for_a_while();
	}
	vcpu_recovers();
}

static const struct ktap_case cases[] = {
	{ "calls", calls },
	{ "vgic_frames", vgic_frames },
	{ "vgic_frames_unaligned", vgic_frames_unaligned },
	{ "cpu_interface", cpu_interface },
	{ "no_syndrome", no_syndrome },
	{ "odd_syndrome", odd_syndrome },
	{ "fetches", fetches },
	{ "walks", walks },
	{ "modes", modes },
	{ "no_caches", no_caches },
	{ "big_endian", big_endian },
	{ "code_changes", code_changes },
	{ "wfi", wfi },
	{ "wfe", wfe },
	{ "no_vectors", no_vectors },
	{ "pstate_bits", pstate_bits },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
