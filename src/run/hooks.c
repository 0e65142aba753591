// SPDX-License-Identifier: GPL-2.0
/* What a guest is offered beyond its architecture, switched on and off while it runs. */
#include <keel/compat.h>
#include <keel/exits.h>
#include <keel/vm.h>

/*
 * Each vCPU goes by the hooks and the traps of its last entry; the request makes it enter again, by
 * the new ones.
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
