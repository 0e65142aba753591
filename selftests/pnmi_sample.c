// SPDX-License-Identifier: GPL-2.0
/*
 * KEEL_PNMI_SAMPLE finds a vCPU that has masked every interrupt, and does not stop it;
 * KEEL_PNMI_INJECT gets through a mask by priority.
 */
#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/keel.h>

#include "guests/pnmi_sample.h"
#include "lib/vm.h"

GUEST_DECLARE(pnmi_sample);

#define VCPUS	3
#define SAMPLES	200

static struct vm vm;
static struct shared *shared;

static void create(u64 part)
{
	vm_create_guest(&vm, guest_pnmi_sample, guest_pnmi_sample_end, VCPUS);
	vm_gic_create(&vm, 64);
	shared = vm_ptr(&vm, SHARED_IPA);
	memset(shared, 0, sizeof(*shared));
	vcpu_set(&vm.vcpus[0], REG_X(0), part);
}

static void start(u64 part)
{
	create(part);
	vm_start(&vm);
}

static void wait_for(const u64 *word, u64 old)
{
	while (READ_ONCE(*word) == old)
		sched_yield();
}

static void stop(void)
{
	WRITE_ONCE(shared->stop, 1);
	CHECK_EQ(vm_wait(&vm), 0);
	vm_destroy(&vm);
}

static int sample_ioctl(struct keel_pnmi_sample *s)
{
	return ioctl(vm.fd, KEEL_PNMI_SAMPLE, s) ? -errno : 0;
}

/* As soon as the module lets us: one sample a millisecond. */
static void sample(struct keel_pnmi_vcpu *out)
{
	struct keel_pnmi_sample s = {
		.size = sizeof(s), .room = VCPUS, .vcpus = (uintptr_t)out,
	};
	int ret;

	memset(out, 0xff, VCPUS * sizeof(*out));
	do {
		ret = sample_ioctl(&s);
	} while (ret == -EAGAIN);
	REQUIRE_EQ(ret, 0);
	REQUIRE_EQ(s.nr, VCPUS);
}

/* Outside the guest is also who has only been preempted: until it sleeps in its WFI. */
static void wait_asleep(u32 index)
{
	struct keel_vcpu_info info;

	do {
		info = (struct keel_vcpu_info){ .size = sizeof(info), .index = index };
		REQUIRE_OK(ioctl(vm.fd, KEEL_VCPU_INFO, &info));
	} while (info.state != KEEL_VCPU_BLOCKED);
}

/* A host interrupt may have it outside just then: where it will go on is in the loop as well. */
static bool check_spinning(const struct keel_pnmi_vcpu *v)
{
	CHECK_EQ(v->vcpu, 0);
	CHECK(v->where == KEEL_PNMI_GUEST || v->where == KEEL_PNMI_HOST);
	CHECK(v->pc >= shared->loop && v->pc < shared->loop_end);
	CHECK_EQ(v->pstate & 0x3cf, 0x3c5);	/* DAIF, EL1h */
	CHECK_EQ(v->sp, shared->sp);
	CHECK_EQ(v->fp, SPIN_FP);
	CHECK_EQ(v->reserved[0] | v->reserved[1], 0);
	return v->where == KEEL_PNMI_GUEST;
}

static void masked(void)
{
	struct keel_pnmi_vcpu out[VCPUS];
	int i, live = 0;
	u64 rounds;

	start(PART_SPIN);
	wait_for(&shared->rounds, 0);
	sample(out);
	wait_asleep(1);
	for (i = 0; i < SAMPLES; i++) {
		rounds = shared->rounds;
		sample(out);
		live += check_spinning(&out[0]);
		CHECK_EQ(out[1].vcpu, 1);
		CHECK_EQ(out[1].where, KEEL_PNMI_HOST);
		CHECK_EQ(out[2].where, KEEL_PNMI_OFF);
		wait_for(&shared->rounds, rounds);
	}
	printf("# %d of %d samples found it in the guest\n", live, SAMPLES);
	CHECK(live > SAMPLES / 2);
	stop();
}

/*
 * The vCPU goes on: whenever it was found in the guest, an interrupt was taken at EL2, and of these
 * some were answered there without leaving the guest. How many depends on how busy the host is: one
 * of its own interrupts that is pending at the same time takes the vCPU to the kernel after the
 * answer (irq_must_leave()), and is counted there.
 */
static void not_stopped(void)
{
	struct keel_pnmi_vcpu out[VCPUS];
	u64 irqs, answered, found = 0;
	int stats, i;

	create(PART_SPIN);
	stats = kvm_stats_open(vm.vcpus[0].fd);
	vm_start(&vm);
	wait_for(&shared->rounds, 0);
	sample(out);
	irqs = kvm_stat(stats, "exit_irq");
	answered = kvm_stat(stats, "exit_irq_el2");
	for (i = 0; i < SAMPLES; i++) {
		sample(out);
		found += out[0].where == KEEL_PNMI_GUEST;
	}
	irqs = kvm_stat(stats, "exit_irq") - irqs;
	answered = kvm_stat(stats, "exit_irq_el2") - answered;
	ktap_note("%llu of %d samples found it in the guest", found, SAMPLES);
	ktap_note("%llu interrupts answered at EL2, %llu by the kernel", answered, irqs);
	CHECK(found);
	CHECK(answered);
	CHECK(answered + irqs >= found);
	close(stats);
	stop();
}

static void rate(void)
{
	struct keel_pnmi_vcpu out[VCPUS];
	struct keel_pnmi_sample s = {
		.size = sizeof(s), .room = VCPUS, .vcpus = (uintptr_t)out,
	};
	long own = keel_parameter("pnmi_interval");
	int i, refused = 0;

	/* Longer than the slowest host takes for one. */
	keel_parameter_set("pnmi_interval", 100000);
	start(PART_SPIN);
	wait_for(&shared->rounds, 0);
	for (i = 0; i < 1000; i++) {
		int ret = sample_ioctl(&s);

		CHECK(!ret || ret == -EAGAIN);
		refused += ret == -EAGAIN;
	}
	CHECK(refused > 0);
	CHECK(refused < 1000);
	keel_parameter_set("pnmi_interval", own);
	stop();
}

static void sample_errors(void)
{
	struct keel_pnmi_vcpu out[VCPUS];
	const struct keel_pnmi_sample good = {
		.size = sizeof(good), .room = VCPUS, .vcpus = (uintptr_t)out,
	};
	struct keel_pnmi_sample s;

	/* Not one of them has run. */
	vm_create_guest(&vm, guest_pnmi_sample, guest_pnmi_sample_end, VCPUS);
	s = good;
	s.size--;
	CHECK_EQ(sample_ioctl(&s), -EINVAL);
	s = good;
	s.flags = 1;
	CHECK_EQ(sample_ioctl(&s), -EINVAL);
	s = good;
	s.reserved[3] = 1;
	CHECK_EQ(sample_ioctl(&s), -EINVAL);
	s = good;
	s.room = VCPUS - 1;
	CHECK_EQ(sample_ioctl(&s), -E2BIG);
	CHECK_EQ(s.nr, VCPUS);
	CHECK_EQ(ioctl(vm.fd, KEEL_PNMI_SAMPLE, NULL) ? errno : 0, EFAULT);
	s = good;
	CHECK_EQ(sample_ioctl(&s), 0);
	CHECK_EQ(out[0].where, KEEL_PNMI_HOST);
	CHECK_EQ(out[0].pc, RAM_IPA);
	CHECK_EQ(out[2].where, KEEL_PNMI_OFF);
	usleep(2000);
	s = good;
	s.vcpus = 8;
	CHECK_EQ(sample_ioctl(&s), -EFAULT);
	vm_destroy(&vm);

	vm_create(&vm);
	s = good;
	CHECK_EQ(sample_ioctl(&s), 0);
	CHECK_EQ(s.nr, 0);
	vm_destroy(&vm);
}

static int inject(u32 vcpu, u32 intid)
{
	struct keel_pnmi_inject in = { .size = sizeof(in), .vcpu = vcpu, .intid = intid };

	return ioctl(vm.fd, KEEL_PNMI_INJECT, &in) ? -errno : 0;
}

static void above(void)
{
	start(PART_INJECT);
	wait_for(&shared->loop, 0);
	CHECK_EQ(shared->taken, 0);
	CHECK_EQ(inject(0, SGI_ABOVE), 0);
	wait_for(&shared->taken, 0);
	CHECK_EQ(shared->taken, TAKEN | SGI_ABOVE);
	CHECK_EQ(shared->running, 0);
	stop();
}

static void inject_errors(void)
{
	struct keel_pnmi_inject in = { .size = sizeof(in), .intid = SGI_ABOVE };

	create(PART_INJECT);
	CHECK_EQ(inject(0, SGI_ABOVE), -EBUSY);
	vm_destroy(&vm);

	start(PART_SPIN);
	wait_for(&shared->rounds, 0);
	CHECK_EQ(inject(VCPUS, SGI_ABOVE), -ENOENT);
	CHECK_EQ(inject(~0U, SGI_ABOVE), -ENOENT);
	CHECK_EQ(inject(0, 64), -EINVAL);
	CHECK_EQ(inject(0, 1020), -EINVAL);
	CHECK_EQ(inject(0, ~0U), -EINVAL);
	CHECK_EQ(inject(0, 27), -EINVAL);	/* the virtual timer's */
	CHECK_EQ(inject(1, 40), -ENXIO);	/* routed to CPU 0 */
	CHECK_EQ(inject(2, SGI_ABOVE), -EHOSTDOWN);
	in.size++;
	CHECK_EQ(ioctl(vm.fd, KEEL_PNMI_INJECT, &in) ? errno : 0, EINVAL);
	in.size--;
	in.flags = 1;
	CHECK_EQ(ioctl(vm.fd, KEEL_PNMI_INJECT, &in) ? errno : 0, EINVAL);
	in.flags = 0;
	in.reserved[0] = 1;
	CHECK_EQ(ioctl(vm.fd, KEEL_PNMI_INJECT, &in) ? errno : 0, EINVAL);
	CHECK_EQ(ioctl(vm.fd, KEEL_PNMI_INJECT, NULL) ? errno : 0, EFAULT);
	stop();
}

static const struct ktap_case cases[] = {
	{ "masked", masked },
	{ "not_stopped", not_stopped },
	{ "rate", rate },
	{ "sample_errors", sample_errors },
	{ "above", above },
	{ "inject_errors", inject_errors },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
