// SPDX-License-Identifier: GPL-2.0
/* KEEL_PNMI_INJECT: an interrupt above all others. */
#include <linux/keel.h>

#include <keel/compat.h>
#include <keel/vm.h>

int pnmi_inject(struct keel_vm *vm, const struct keel_pnmi_inject *in)
{
	struct keel_vcpu *vcpu;

	if (in->size != sizeof(*in) || in->flags ||
	    memchr_inv(in->reserved, 0, sizeof(in->reserved)))
		return -EINVAL;
	vcpu = vm_vcpu_by_id(vm, in->vcpu);
	if (!vcpu)
		return -ENOENT;
	if (READ_ONCE(vcpu->state.power_off))
		return -EHOSTDOWN;
	return vgic_inject_above(vcpu, in->intid);
}
