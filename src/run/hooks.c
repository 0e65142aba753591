// SPDX-License-Identifier: GPL-2.0
/* What a guest is offered beyond its architecture, switched on and off while it runs. */
#include <keel/compat.h>
#include <keel/exits.h>
#include <keel/vm.h>

/*
 * A vCPU that runs by the old traps meanwhile calls through a door that is not there yet, or not any
 * more, and gets what the architecture says. It takes the new ones over at its next entry: the
 * request makes it load them again.
 */
int run_set_hooks(struct keel_vm *vm, u32 on, u32 off)
{
	if (((on | off) & ~VM_HOOKS) || on & off)
		return -EINVAL;
	if (!on && !off)
		return 0;
	mutex_lock(&vm->config_lock);
	WRITE_ONCE(vm->hooks, (vm->hooks | on) & ~off);
	/* Until the first run it is not settled what the guest has. */
	if (vm->vcpu.ran)
		traps_compute(vm);
	mutex_unlock(&vm->config_lock);
	vm_request_all(vm, VCPU_REQ_TRAPS, NULL);
	vm_guest_barrier(vm);
	return 0;
}
