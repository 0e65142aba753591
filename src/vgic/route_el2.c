// SPDX-License-Identifier: GPL-2.0
/* Which vCPU an affinity means, for the kernel and for the first tier. */
#include <linux/irqchip/arm-gic-v3.h>
#include <linux/nospec.h>
#include <asm/cputype.h>

#include <keel/compat.h>

#include "internal.h"

/*
 * vCPU ids become affinities 16 to a cluster (src/vcpu/), and userspace creates vCPUs in order of
 * their ids: a guess, to be checked.
 */
static u64 __el2 affinity_id(u64 affinity)
{
	return (affinity & 0xf) | (affinity >> 8 & 0xff) << 4 | (affinity >> 16 & 0xff) << 12;
}

struct keel_vcpu * __el2 vgic_vcpu_guess(struct keel_vm *vm, u64 affinity)
{
	u64 id = affinity_id(affinity);
	struct keel_vcpu *vcpu;

	/* Pairs with the store-release in vm_create_vcpu(): what is counted is there. */
	if (id >= smp_load_acquire(&vm->nr_vcpus))
		return NULL;
	vcpu = vm->vcpus[array_index_nospec(id, KEEL_MAX_VCPUS)];
	return (vcpu->state.reg[VCPU_MPIDR_EL1] ^ affinity) & MPIDR_HWID_BITMASK ? NULL : vcpu;
}

struct keel_vcpu * __el2 vgic_vcpu_by_affinity(struct keel_vm *vm, u64 affinity)
{
	struct keel_vcpu *vcpu = vgic_vcpu_guess(vm, affinity);
	unsigned int i;

	if (vcpu)
		return vcpu;
	vm_for_each_vcpu(i, vcpu, vm)
		if (!((vcpu->state.reg[VCPU_MPIDR_EL1] ^ affinity) & MPIDR_HWID_BITMASK))
			return vcpu;
	return NULL;
}

/* 1 of N: the first that is on. */
static struct keel_vcpu * __el2 route_any(struct keel_vm *vm)
{
	struct keel_vcpu *vcpu;
	unsigned int i;

	vm_for_each_vcpu(i, vcpu, vm)
		if (!READ_ONCE(vcpu->state.power_off))
			return vcpu;
	return NULL;
}

struct vgic_home * __el2 vgic_route(struct keel_vm *vm, u64 route)
{
	struct keel_vcpu *vcpu;

	if (route & GICD_IROUTER_SPI_MODE_ANY)
		vcpu = route_any(vm);
	else
		vcpu = vgic_vcpu_by_affinity(vm, route & MPIDR_HWID_BITMASK);
	return vcpu ? &vcpu->vgic.home : &vm->vgic.nobody;
}
