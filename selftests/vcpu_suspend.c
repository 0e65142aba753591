// SPDX-License-Identifier: GPL-2.0
/* KVM_CAP_ARM_SYSTEM_SUSPEND: the guest's call goes to the VMM; KVM_MP_STATE_SUSPENDED. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

#include "guests/vcpu_suspend.h"
#include "lib/vm.h"

GUEST_DECLARE(vcpu_suspend);

static int enable_cap(struct vm *vm, u32 cap, u32 flags)
{
	struct kvm_enable_cap arg = { .cap = cap, .flags = flags };

	return ioctl(vm->fd, KVM_ENABLE_CAP, &arg);
}

static u32 mp_state(struct vcpu *vcpu)
{
	struct kvm_mp_state state = { .mp_state = 1000 };

	REQUIRE_OK(ioctl(vcpu->fd, KVM_GET_MP_STATE, &state));
	return state.mp_state;
}

static void set_mp_state(struct vcpu *vcpu, u32 value)
{
	struct kvm_mp_state state = { .mp_state = value };

	REQUIRE_OK(ioctl(vcpu->fd, KVM_SET_MP_STATE, &state));
	CHECK_EQ(mp_state(vcpu), value);
}

/* A vCPU that has found no SYSTEM_SUSPEND, and is told of it now. */
static struct vcpu *start(struct vm *vm)
{
	vm_create_guest(vm, guest_vcpu_suspend, guest_vcpu_suspend_end, 1);
	vm_gic_create(vm, 64);
	vcpu_run_sync(&vm->vcpus[0]);
	REQUIRE_OK(enable_cap(vm, KVM_CAP_ARM_SYSTEM_SUSPEND, 0));
	return &vm->vcpus[0];
}

static void run_to_event(struct vcpu *vcpu, u32 type)
{
	struct report report = vcpu_run_report(vcpu);

	if (report.kind || report.interrupted || vcpu->run->exit_reason != KVM_EXIT_SYSTEM_EVENT)
		vcpu_bad_exit(vcpu);
	CHECK_EQ(vcpu->run->system_event.type, type);
	CHECK_EQ(vcpu->run->system_event.ndata, 0);
}

static void run_to_suspend(struct vcpu *vcpu)
{
	run_to_event(vcpu, KVM_SYSTEM_EVENT_SUSPEND);
	CHECK_EQ(mp_state(vcpu), KVM_MP_STATE_RUNNABLE);
	CHECK_EQ(vcpu_get(vcpu, REG_X(0)), PSCI_SYSTEM_SUSPEND);
	CHECK_EQ(vcpu_get(vcpu, REG_X(1)), SUSPEND_ENTRY);
	CHECK_EQ(vcpu_get(vcpu, REG_X(2)), SUSPEND_CONTEXT);
}

/* Whether the vCPU sleeps by then or not, it must wake. */
static void *raise_line(void *arg)
{
	struct vm *vm = arg;

	CHECK_OK(vm_irq_line(vm, KVM_ARM_IRQ_TYPE_SPI, 0, WAKE_INTID, 1));
	return NULL;
}

/* From the guest's call to where it goes on. */
static void sleep_and_wake(struct vm *vm)
{
	struct vcpu *vcpu = &vm->vcpus[0];
	pthread_t thread;

	run_to_suspend(vcpu);
	CHECK_OK(vm_irq_line(vm, KVM_ARM_IRQ_TYPE_SPI, 0, WAKE_INTID, 0));
	set_mp_state(vcpu, KVM_MP_STATE_SUSPENDED);
	REQUIRE_EQ(pthread_create(&thread, NULL, raise_line, vm), 0);
	run_to_event(vcpu, KVM_SYSTEM_EVENT_WAKEUP);
	REQUIRE_EQ(pthread_join(thread, NULL), 0);
	/* It stays suspended, and the interrupt pending, until the VMM says otherwise. */
	CHECK_EQ(mp_state(vcpu), KVM_MP_STATE_SUSPENDED);
	run_to_event(vcpu, KVM_SYSTEM_EVENT_WAKEUP);
	CHECK_EQ(vcpu_get(vcpu, REG_X(0)), PSCI_SYSTEM_SUSPEND);

	set_mp_state(vcpu, KVM_MP_STATE_RUNNABLE);
	vcpu_set(vcpu, REG_X(0), 0);
}

/* The second time the guest's CPU interface lets no interrupt through: Linux closes it before. */
static void suspend(void)
{
	struct vcpu *vcpu;
	struct vm vm;

	vcpu = start(&vm);
	run_to_suspend(vcpu);
	vcpu_set(vcpu, REG_X(0), PSCI_DENIED_BY_VMM);
	sleep_and_wake(&vm);
	sleep_and_wake(&vm);
	CHECK_EQ(vcpu_run_done(vcpu), 0);
	vm_destroy(&vm);
}

static void ignore_signal(int sig __always_unused)
{
}

/* Nothing wakes it, and it executes nothing; a signal gets its thread out. */
static void signals(void)
{
	struct itimerval every = { { 0, 20000 }, { 0, 20000 } };
	struct sigaction sa = { .sa_handler = ignore_signal };
	struct vcpu *vcpu;
	struct vm vm;
	u64 pc;

	vcpu = start(&vm);
	run_to_suspend(vcpu);
	pc = vcpu_get(vcpu, REG_PC);
	set_mp_state(vcpu, KVM_MP_STATE_SUSPENDED);
	REQUIRE_OK(sigaction(SIGALRM, &sa, NULL));
	REQUIRE_OK(setitimer(ITIMER_REAL, &every, NULL));
	CHECK_EQ(vcpu_run(vcpu), -EINTR);
	timerclear(&every.it_value);
	REQUIRE_OK(setitimer(ITIMER_REAL, &every, NULL));
	CHECK_EQ(vcpu->run->exit_reason, KVM_EXIT_INTR);
	CHECK_EQ(vcpu_get(vcpu, REG_PC), pc);

	/* Off is off, and a new beginning runs. */
	set_mp_state(vcpu, KVM_MP_STATE_STOPPED);
	set_mp_state(vcpu, KVM_MP_STATE_SUSPENDED);
	vcpu_init(vcpu, false);
	CHECK_EQ(mp_state(vcpu), KVM_MP_STATE_RUNNABLE);
	vm_destroy(&vm);
}

static void errors(void)
{
	struct vm vm;

	vm_create(&vm);
	CHECK(ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_ENABLE_CAP_VM) > 0);
	CHECK(ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_SYSTEM_SUSPEND) > 0);
	CHECK_ERR(enable_cap(&vm, KVM_CAP_ARM_SYSTEM_SUSPEND, 1), EINVAL);
	CHECK_ERR(enable_cap(&vm, KVM_CAP_IRQCHIP, 0), EINVAL);
	CHECK_ERR(enable_cap(&vm, ~0U, 0), EINVAL);
	CHECK_ERR(ioctl(vm.fd, KVM_ENABLE_CAP, 8), EFAULT);
	CHECK_OK(enable_cap(&vm, KVM_CAP_ARM_SYSTEM_SUSPEND, 0));
	CHECK_OK(enable_cap(&vm, KVM_CAP_ARM_SYSTEM_SUSPEND, 0));
	vm_destroy(&vm);
}

static const struct ktap_case cases[] = {
	{ "suspend", suspend },
	{ "signals", signals },
	{ "errors", errors },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
