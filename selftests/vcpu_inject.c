// SPDX-License-Identifier: GPL-2.0
/* Exceptions made for the guest: undefined instructions, aborts, SError by KVM_SET_VCPU_EVENTS. */
#include <errno.h>
#include <string.h>

#include "guests/vcpu_inject.h"
#include "lib/vm.h"

GUEST_DECLARE(vcpu_inject);

static void start(struct vm *vm, u64 part)
{
	vm_create_guest(vm, guest_vcpu_inject, guest_vcpu_inject_end, 1);
	vcpu_set(&vm->vcpus[0], REG_X(0), part);
}

static void run_part(u64 part)
{
	struct vm vm;

	start(&vm, part);
	CHECK_EQ(vcpu_run_done(&vm.vcpus[0]), 0);
	vm_destroy(&vm);
}

static void undefined(void)
{
	run_part(PART_UNDEFINED);
}

static void undefined_el0(void)
{
	run_part(PART_UNDEF_EL0);
}

static void fetch_outside(void)
{
	run_part(PART_FETCH);
}

static void walk_outside(void)
{
	run_part(PART_WALK);
}

static void maintenance_outside(void)
{
	run_part(PART_MAINTAIN);
}

/*
 * Two registers in one load: no syndrome, so no MMIO exit. keel gives the guest an abort; in-tree
 * KVM fails KVM_RUN, and the VMM may step over the load.
 */
static void no_syndrome(void)
{
	struct vcpu *vcpu;
	struct vm vm;

	start(&vm, PART_NO_SYNDROME);
	vcpu = &vm.vcpus[0];
	vcpu_run_sync(vcpu);
	if (!kvm_is_keel()) {
		CHECK(vcpu_run(vcpu) < 0);
		vcpu_set(vcpu, REG_PC, vcpu_get(vcpu, REG_PC) + 4);
	}
	CHECK_EQ(vcpu_run_done(vcpu), kvm_is_keel());
	vm_destroy(&vm);
}

static bool has(struct vm *vm, int cap)
{
	return ioctl(vm->fd, KVM_CHECK_EXTENSION, cap) > 0;
}

static void events(void)
{
	struct kvm_vcpu_events ev;
	struct vcpu *vcpu;
	struct vm vm;
	u64 iss = 0;

	start(&vm, PART_SERROR);
	vcpu = &vm.vcpus[0];
	if (!has(&vm, KVM_CAP_VCPU_EVENTS)) {
		ktap_note("no KVM_CAP_VCPU_EVENTS");
		return;
	}
	REQUIRE_OK(ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &ev));
	CHECK_EQ(ev.exception.serror_pending, 0);
	vcpu_run_sync(vcpu);
	vcpu_complete(vcpu);
	memset(&ev, 0, sizeof(ev));
	ev.exception.serror_pending = 1;
	ev.exception.serror_has_esr = has(&vm, KVM_CAP_ARM_INJECT_SERROR_ESR);
	if (ev.exception.serror_has_esr) {
		iss = BIT(24) | 0x123;
		ev.exception.serror_esr = iss;
	}
	REQUIRE_OK(ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &ev));
	memset(&ev, 0, sizeof(ev));
	REQUIRE_OK(ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &ev));
	CHECK_EQ(ev.exception.serror_pending, 1);
	CHECK_EQ(vcpu_run_done(vcpu), iss);
	REQUIRE_OK(ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &ev));
	CHECK_EQ(ev.exception.serror_pending, 0);
	/* Bad ones: reserved bytes, an ISS of more than 25 bits. */
	memset(&ev, 0, sizeof(ev));
	ev.exception.pad[0] = 1;
	CHECK_ERR(ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &ev), EINVAL);
	memset(&ev, 0, sizeof(ev));
	ev.reserved[3] = 1;
	CHECK_ERR(ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &ev), EINVAL);
	memset(&ev, 0, sizeof(ev));
	ev.exception.serror_pending = 1;
	ev.exception.serror_has_esr = 1;
	ev.exception.serror_esr = 1ULL << 26;
	CHECK_ERR(ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &ev), EINVAL);
	vm_destroy(&vm);
}

static void external_abort(void)
{
	struct kvm_vcpu_events ev = { .exception.ext_dabt_pending = 1 };
	struct vm vm;

	start(&vm, PART_DABT);
	if (!has(&vm, KVM_CAP_ARM_INJECT_EXT_DABT)) {
		ktap_note("no KVM_CAP_ARM_INJECT_EXT_DABT");
		return;
	}
	vcpu_run_sync(&vm.vcpus[0]);
	vcpu_complete(&vm.vcpus[0]);
	REQUIRE_OK(ioctl(vm.vcpus[0].fd, KVM_SET_VCPU_EVENTS, &ev));
	CHECK_EQ(vcpu_run_done(&vm.vcpus[0]), 0);
	vm_destroy(&vm);
}

static const struct ktap_case cases[] = {
	{ "undefined", undefined },
	{ "undefined_el0", undefined_el0 },
	{ "fetch_outside", fetch_outside },
	{ "walk_outside", walk_outside },
	{ "maintenance_outside", maintenance_outside },
	{ "no_syndrome", no_syndrome },
	{ "events", events },
	{ "external_abort", external_abort },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
