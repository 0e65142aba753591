// SPDX-License-Identifier: GPL-2.0
/* PSCI: calls and their errors, secondaries, power-off and reset, KVM_MP_STATE. */
#include <errno.h>
#include <signal.h>
#include <sys/time.h>

#include "guests/vcpu_psci.h"
#include "lib/vm.h"

GUEST_DECLARE(vcpu_psci);

static void start(struct vm *vm, int nr_vcpus, u64 part)
{
	vm_create_guest(vm, guest_vcpu_psci, guest_vcpu_psci_end, nr_vcpus);
	vm_gic_create(vm, 64);
	vcpu_set(&vm->vcpus[0], REG_X(0), part);
}

static u32 mp_state(struct vcpu *vcpu)
{
	struct kvm_mp_state state = { .mp_state = 1000 };

	REQUIRE_OK(ioctl(vcpu->fd, KVM_GET_MP_STATE, &state));
	return state.mp_state;
}

static int set_mp_state(struct vcpu *vcpu, u32 value)
{
	struct kvm_mp_state state = { .mp_state = value };

	return ioctl(vcpu->fd, KVM_SET_MP_STATE, &state);
}

static void calls(void)
{
	struct vm vm;

	start(&vm, 2, PART_CALLS);
	CHECK_EQ(vcpu_run_done(&vm.vcpus[0]), 0);
	vm_destroy(&vm);
}

static void cpu_on_off(void)
{
	struct vm vm;

	start(&vm, 4, PART_ON_OFF);
	vm_start(&vm);
	CHECK_EQ(vm_wait(&vm), 0);
	vm_destroy(&vm);
}

static void suspend(void)
{
	struct vm vm;

	start(&vm, 1, PART_SUSPEND);
	CHECK_EQ(vcpu_run_done(&vm.vcpus[0]), 0);
	vm_destroy(&vm);
}

static bool take_system_event(struct vcpu *vcpu)
{
	if (vcpu->run->exit_reason != KVM_EXIT_SYSTEM_EVENT)
		return false;
	vm_finish(vcpu->vm, vcpu->run->system_event.type);
	return true;
}

/* The event comes from a secondary; all others are stopped by it. */
static void system_event(u64 part, u32 type)
{
	struct vm vm;
	int i;

	start(&vm, 4, part);
	vm.exit = take_system_event;
	vm_start(&vm);
	CHECK_EQ(vm_wait(&vm), type);
	for (i = 0; i < 4; i++)
		CHECK_EQ(mp_state(&vm.vcpus[i]), KVM_MP_STATE_STOPPED);
	/* Initialised again, the VM can start anew. */
	for (i = 0; i < 4; i++)
		vcpu_init(&vm.vcpus[i], i > 0);
	CHECK_EQ(mp_state(&vm.vcpus[0]), KVM_MP_STATE_RUNNABLE);
	vcpu_start_at(&vm.vcpus[0], RAM_IPA, PART_CALLS);
	CHECK_EQ(vcpu_run_done(&vm.vcpus[0]), 0);
	vm_destroy(&vm);
}

static void system_off(void)
{
	system_event(PART_OFF, KVM_SYSTEM_EVENT_SHUTDOWN);
}

static void system_reset(void)
{
	system_event(PART_RESET, KVM_SYSTEM_EVENT_RESET);
}

static void ignore_signal(int sig __always_unused)
{
}

/* SIGALRM once the thread has been asleep in KVM_RUN for a while, and again until it is out. */
static void timer_signal(bool on)
{
	struct itimerval every = { { 0, 20000 }, { 0, 20000 } };

	if (!on)
		timerclear(&every.it_value);
	REQUIRE_OK(setitimer(ITIMER_REAL, &every, NULL));
}

static void mp_states(void)
{
	struct sigaction sa = { .sa_handler = ignore_signal };
	struct vcpu *vcpu;
	struct vm vm;

	start(&vm, 2, PART_CALLS);
	vcpu = &vm.vcpus[0];
	CHECK_EQ(mp_state(vcpu), KVM_MP_STATE_RUNNABLE);
	CHECK_EQ(mp_state(&vm.vcpus[1]), KVM_MP_STATE_STOPPED);
	CHECK_ERR(set_mp_state(vcpu, KVM_MP_STATE_INIT_RECEIVED), EINVAL);
	CHECK_ERR(set_mp_state(vcpu, 1000), EINVAL);
	REQUIRE_OK(set_mp_state(vcpu, KVM_MP_STATE_STOPPED));
	CHECK_EQ(mp_state(vcpu), KVM_MP_STATE_STOPPED);

	/* A stopped vCPU does nothing; a signal gets its thread out. */
	REQUIRE_OK(sigaction(SIGALRM, &sa, NULL));
	timer_signal(true);
	CHECK_EQ(vcpu_run(vcpu), -EINTR);
	timer_signal(false);
	CHECK_EQ(vcpu_get(vcpu, REG_PC), RAM_IPA);
	REQUIRE_OK(set_mp_state(vcpu, KVM_MP_STATE_RUNNABLE));
	CHECK_EQ(vcpu_run_done(vcpu), 0);
	/* The other one as well, without PSCI. */
	REQUIRE_OK(set_mp_state(&vm.vcpus[1], KVM_MP_STATE_RUNNABLE));
	CHECK_EQ(mp_state(&vm.vcpus[1]), KVM_MP_STATE_RUNNABLE);
	vcpu_start_at(&vm.vcpus[1], RAM_IPA, PART_ALONE);
	CHECK_EQ(vcpu_run_done(&vm.vcpus[1]), 1);
	vm_destroy(&vm);
}

static const struct ktap_case cases[] = {
	{ "calls", calls },
	{ "cpu_on_off", cpu_on_off },
	{ "suspend", suspend },
	{ "system_off", system_off },
	{ "system_reset", system_reset },
	{ "mp_states", mp_states },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
