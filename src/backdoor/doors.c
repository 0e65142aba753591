// SPDX-License-Identifier: GPL-2.0
/* The backdoor in the kernel: the clock for EL2, calls that EL2 leaves, and what is no call. */
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/timekeeping.h>
#include <asm/barrier.h>
#include <asm/sysreg.h>

#include <keel/backdoor.h>
#include <keel/esr.h>
#include <keel/vm.h>

#include "link.h"

void backdoor_flush(struct keel_vcpu *vcpu)
{
	isb();
	vcpu->backdoor.count = read_sysreg(cntpct_el0);
	vcpu->backdoor.ns = ktime_get_real_ns();
}

/* --- the link to the agent --- */

void backdoor_vm_init(struct keel_vm *vm)
{
	mutex_init(&vm->backdoor.lock);
}

/* One that is over is the VM's no more. */
static struct backdoor_link *link_locked(struct keel_vm *vm)
{
	struct backdoor_link *l = vm->backdoor.link;

	if (l && READ_ONCE(l->over)) {
		vm->backdoor.link = NULL;
		link_put(l);
		l = NULL;
	}
	return l;
}

struct backdoor_link *backdoor_link_get(struct keel_vm *vm)
{
	struct backdoor_link *l;

	mutex_lock(&vm->backdoor.lock);
	l = link_locked(vm);
	if (l)
		link_get(l);
	mutex_unlock(&vm->backdoor.lock);
	return l;
}

struct backdoor_link *backdoor_link_create(struct keel_vm *vm, bool observer)
{
	struct backdoor_link *l;

	mutex_lock(&vm->backdoor.lock);
	/* KEEL_OBSERVE 0 comes before this, or takes the lock after it and cuts it. */
	if (observer && !READ_ONCE(vm->observe)) {
		l = ERR_PTR(-EPERM);
		goto unlock;
	}
	if (link_locked(vm)) {
		l = ERR_PTR(-EBUSY);
		goto unlock;
	}
	l = link_create(observer) ?: ERR_PTR(-ENOMEM);
	if (IS_ERR(l))
		goto unlock;
	link_get(l);
	vm->backdoor.link = l;
unlock:
	mutex_unlock(&vm->backdoor.lock);
	return l;
}

static void end_link(struct keel_vm *vm, bool observers)
{
	struct backdoor_link *l = backdoor_link_get(vm);

	if (!l)
		return;
	if (!observers || l->observer)
		link_end(l);
	link_put(l);
}

void backdoor_vm_destroy(struct keel_vm *vm)
{
	end_link(vm, false);
	link_locked(vm);
	mutex_destroy(&vm->backdoor.lock);
}

void backdoor_cut_observer(struct keel_vm *vm)
{
	end_link(vm, true);
}

void backdoor_reset(struct keel_vm *vm)
{
	struct backdoor_link *l = backdoor_link_get(vm);

	if (!l)
		return;
	link_reset(l);
	link_put(l);
}

/* --- exits that the first tier leaves --- */

/* Without an agent none of them is on. */
static void answer_options(struct keel_vcpu *vcpu)
{
	struct backdoor_link *l = backdoor_link_get(vcpu->vm);

	vcpu->state.ctx.x[0] = l ? READ_ONCE(l->options) : 0;
	if (l)
		link_put(l);
}

bool backdoor_call(struct keel_vcpu *vcpu, u32 hook)
{
	bool done = true;

	if (!(vcpu->backdoor.hooks & hook))
		return false;
	switch (backdoor_service(vcpu->state.ctx.x)) {
	case BACKDOOR_NONE:
		return false;
	case BACKDOOR_OPTIONS:
		answer_options(vcpu);
		break;
	case BACKDOOR_MESSAGE:
		done = backdoor_message(vcpu);
		break;
	case BACKDOOR_HIGH:
		done = backdoor_high(vcpu);
		break;
	}
	if (done)
		vcpu_skip(vcpu);
	return true;
}

/*
 * MDCR_EL2.TDE, set for the BRK door, brings every BRK to EL2, which leaves to this the calls that
 * need the agent, and BKPT of AArch32 applications, whose class and syndrome are the same at EL1
 * (Arm ARM D24.2.40).
 */
int backdoor_handle_brk(struct keel_vcpu *vcpu)
{
	u64 esr = vcpu->state.ctx.esr;

	if (esr >> ESR_ELx_EC_SHIFT != ESR_ELx_EC_BRK64 ||
	    !backdoor_call(vcpu, KEEL_HOOK_BACKDOOR_BRK))
		vcpu_inject_sync(vcpu, esr);
	return 1;
}
