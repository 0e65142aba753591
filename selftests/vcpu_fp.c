// SPDX-License-Identifier: GPL-2.0
/*
 * FP, SVE and SME state of guests and of host programs beside each other: in the thread that runs
 * a vCPU, in other threads, on the same CPU, while threads move. Everybody compares everything.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "guests/vcpu_fp.h"
#include "lib/fp.h"
#include "lib/vm.h"

GUEST_DECLARE(vcpu_fp);

#define HWCAP_SVE_BIT	BIT(22)
#define HWCAP2_SME_BIT	BIT(23)
#define ZA_MAX		65536

static bool has_sve(void)
{
	return getauxval(AT_HWCAP) & HWCAP_SVE_BIT;
}

static bool has_sme(void)
{
	return getauxval(AT_HWCAP2) & HWCAP2_SME_BIT;
}

static void fill(void *buf, size_t size, u32 seed)
{
	u32 *word = buf;
	size_t i;

	for (i = 0; i < size / 4; i++)
		word[i] = seed * 0x9e3779b9 + i * 0x01000193;
}

static void start(struct vm *vm, u64 part, u64 seed)
{
	vm_create_guest(vm, guest_vcpu_fp, guest_vcpu_fp_end, 1);
	vm_gic_create(vm, 64);
	vcpu_set(&vm->vcpus[0], REG_X(0), seed << 32 | part);
}

/* True until the guest is done; the exit in kvm_run must be a report. */
static bool goes_on(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	u64 word;

	REQUIRE_EQ(run->exit_reason, KVM_EXIT_MMIO);
	REQUIRE_EQ(run->mmio.phys_addr, REPORT_IPA);
	memcpy(&word, run->mmio.data, sizeof(word));
	if (word >> REPORT_SHIFT == REPORT_SYNC)
		return true;
	if (word >> REPORT_SHIFT == REPORT_DONE)
		return false;
	/* The guest's own comparison failed: this says where. */
	vcpu_run_report(vcpu);
	ktap_fail("the guest's FP registers changed");
}

/* The thread's own registers are the same after each KVM_RUN, whatever the guest's are. */
static void run_with_fp(u64 part)
{
	u32 in[128], out[128], round = 0;
	struct vm vm;
	long ret;

	start(&vm, part, 7);
	do {
		fill(in, sizeof(in), round++);
		memset(out, 0, sizeof(out));
		ret = fp_ioctl(vm.vcpus[0].fd, KVM_RUN, in, out);
		REQUIRE_EQ(ret, 0);
		REQUIRE(!memcmp(in, out, sizeof(in)));
	} while (goes_on(&vm.vcpus[0]));
	CHECK(round > FP_ROUNDS / 8);
	vm_destroy(&vm);
}

static void own_thread(void)
{
	run_with_fp(PART_HOLD);
	run_with_fp(PART_NONE);
	run_with_fp(PART_LATE);
}

static void check_za(const void *row, const char *za, u64 length)
{
	u64 i;

	for (i = 0; i < length; i++)
		REQUIRE(!memcmp(row, za + i * length, length));
}

/* ZA lives over a system call, so over a KVM_RUN too. */
static void run_with_za(u64 part)
{
	char row[256], *out = malloc(ZA_MAX);
	u64 length = fp_sme_length();
	struct vm vm;
	u32 round = 0;

	start(&vm, part, 9);
	do {
		fill(row, sizeof(row), round++);
		memset(out, 0, ZA_MAX);
		REQUIRE_EQ(fp_za_ioctl(vm.vcpus[0].fd, KVM_RUN, row, out), 0);
		check_za(row, out, length);
	} while (goes_on(&vm.vcpus[0]));
	vm_destroy(&vm);
	free(out);
}

static void own_thread_za(void)
{
	if (!has_sme()) {
		ktap_note("no SME");
		return;
	}
	run_with_za(PART_HOLD);
	run_with_za(PART_NONE);
	run_with_za(PART_LATE);
}

static bool stop;

#define HOLD_LOOPS 200000

static void hold_q(u32 seed)
{
	u32 in[128], out[128];

	fill(in, sizeof(in), seed);
	/* An ioctl that does nothing but enter the kernel. */
	fp_ioctl(-1, 0, in, out);
	if (memcmp(in, out, sizeof(in)))
		ktap_fail("FP registers of another thread changed");
}

static void hold_sve(u32 seed)
{
	u64 length = fp_sve_length(), size = 32 * length + 16 * length / 8;
	char *in = malloc(size), *out = malloc(size);

	fill(in, size, seed);
	fp_sve_hold(in, out, HOLD_LOOPS);
	if (memcmp(in, out, size))
		ktap_fail("SVE registers of another thread changed");
	free(in);
	free(out);
}

static void hold_za(u32 seed)
{
	char row[256], *out = malloc(ZA_MAX);
	u64 i, length = fp_sme_length();

	fill(row, sizeof(row), seed);
	fp_za_hold(row, out, HOLD_LOOPS);
	for (i = 0; i < length; i++)
		if (memcmp(row, out + i * length, length))
			ktap_fail("ZA of another thread changed");
	free(out);
}

/* Goes from CPU to CPU and holds each kind of state for a while. */
static void *host_thread(void *arg)
{
	u32 seed = (u64)arg;
	cpu_set_t set;

	while (!READ_ONCE(stop)) {
		CPU_ZERO(&set);
		CPU_SET(seed++ % sysconf(_SC_NPROCESSORS_ONLN), &set);
		sched_setaffinity(0, sizeof(set), &set);
		hold_q(seed);
		if (has_sve())
			hold_sve(seed);
		if (has_sme())
			hold_za(seed);
		sched_yield();
	}
	return NULL;
}

static void answer_sync(struct vcpu *vcpu __always_unused, u64 value __always_unused)
{
	/* Now and then the vCPU's thread changes place. */
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(value % 16 / 8 % sysconf(_SC_NPROCESSORS_ONLN), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* Three VMs and three host threads on the CPUs there are. */
static void many_threads(void)
{
	static const u64 parts[] = { PART_HOLD, PART_HOLD, PART_LATE };
	pthread_t threads[3];
	struct vm vm[3];
	u64 i;

	for (i = 0; i < 3; i++) {
		start(&vm[i], parts[i], 1000 * i);
		vm[i].sync = answer_sync;
	}
	for (i = 0; i < 3; i++)
		REQUIRE(!pthread_create(&threads[i], NULL, host_thread, (void *)(100 * i)));
	for (i = 0; i < 3; i++)
		vm_start(&vm[i]);
	for (i = 0; i < 3; i++)
		CHECK_EQ(vm_wait(&vm[i]), 0);
	WRITE_ONCE(stop, true);
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	for (i = 0; i < 3; i++)
		vm_destroy(&vm[i]);
}

static const struct ktap_case cases[] = {
	{ "own_thread", own_thread },
	{ "own_thread_za", own_thread_za },
	{ "many_threads", many_threads },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
