// SPDX-License-Identifier: GPL-2.0
/*
 * Guest accesses to what is no memory: the VM's regions first, then userspace, at once
 * (KVM_EXIT_MMIO) or for a store in a coalesced zone later (coalesced.c).
 */
#include <linux/slab.h>
#include <linux/sort.h>
#include <asm/ptrace.h>

#include <keel/compat.h>
#include <keel/esr.h>
#include <keel/vm.h>

#include "run.h"

/* An access belongs to the region that holds its first byte: an ioeventfd's is one byte long. */
static struct mmio_region *mmio_find(struct mmio_bus *bus, struct ipa ipa)
{
	unsigned int lo = 0, hi = bus ? bus->nr : 0;

	while (lo < hi) {
		unsigned int mid = lo + (hi - lo) / 2;
		struct mmio_region *r = bus->region[mid];

		if (ipa.v < r->base.v)
			hi = mid;
		else if (ipa.v - r->base.v >= r->size)
			lo = mid + 1;
		else
			return r;
	}
	return NULL;
}

/* True if a region answered. */
static bool mmio_in_kernel(struct keel_vcpu *vcpu, const struct mmio_access *a)
{
	struct keel_vm *vm = vcpu->vm;
	struct mmio_region *r;
	int idx, ret = -EOPNOTSUPP;
	u64 offset, v = 0;

	idx = srcu_read_lock(&vm->srcu);
	r = mmio_find(srcu_dereference(vm->bus, &vm->srcu), a->ipa);
	if (r) {
		offset = a->ipa.v - r->base.v;
		if (a->write) {
			v = mmio_store_value(&vcpu->state.ctx, a);
			ret = r->ops->write(vcpu, r, offset, a->len, v);
		} else {
			ret = r->ops->read(vcpu, r, offset, a->len, &v);
			if (!ret)
				mmio_load_value(&vcpu->state.ctx, a, v);
		}
	}
	srcu_read_unlock(&vm->srcu, idx);
	return !ret;
}

/* Most faults are on memory: told from two numbers, without the bus. */
static bool mmio_may_be_atomic(struct keel_vm *vm, struct ipa ipa)
{
	return ipa.v >= READ_ONCE(vm->run.atomic_from) && ipa.v < READ_ONCE(vm->run.atomic_to);
}

bool run_mmio_short(struct keel_vcpu *vcpu)
{
	const struct el2_ctx *ctx = &vcpu->state.ctx;
	struct keel_vm *vm = vcpu->vm;
	struct mmio_region *r;
	struct mmio_access a;
	int idx, ret = -EOPNOTSUPP;

	if (!mmio_may_be_atomic(vm, ctx->fault_ipa) || !esr_dabt_is_device(ctx->esr) ||
	    !esr_is_write(ctx->esr) || ctx->disr || !vgic_may_reenter(vcpu))
		return false;
	mmio_decode(&a, ctx->esr, ctx->fault_ipa);
	idx = srcu_read_lock(&vm->srcu);
	r = mmio_find(srcu_dereference(vm->bus, &vm->srcu), a.ipa);
	/* Where memory and a region overlap the memory is there. */
	if (r && r->ops->write_atomic && !stage2_find_slot(vm, a.ipa)) {
		a.be = mmio_big_endian(ctx->pstate, vcpu_read_reg(vcpu, VCPU_SCTLR_EL1));
		ret = r->ops->write_atomic(vcpu, r, a.ipa.v - r->base.v, a.len,
					   mmio_store_value(ctx, &a));
	}
	srcu_read_unlock(&vm->srcu, idx);
	if (ret)
		return false;
	vcpu_count(vcpu, COUNT_MMIO_SHORT);
	vcpu_skip(vcpu);
	return true;
}

static void mmio_put_bytes(u8 *data, u64 v, unsigned int len)
{
	put_unaligned_le64(0, data);
	switch (len) {
	case 1:
		*data = v;
		break;
	case 2:
		put_unaligned_le16(v, data);
		break;
	case 4:
		put_unaligned_le32(v, data);
		break;
	case 8:
		put_unaligned_le64(v, data);
		break;
	}
}

/* The bytes that a store puts on the bus, 8 of them; a load gives zeros. */
static void mmio_store_bytes(struct keel_vcpu *vcpu, const struct mmio_access *a, u8 *data)
{
	u64 v = a->write ? mmio_store_value(&vcpu->state.ctx, a) : 0;

	mmio_put_bytes(data, v, a->len);
}

static bool mmio_coalesced(struct keel_vcpu *vcpu, const struct mmio_access *a)
{
	u8 data[8];

	if (!a->write)
		return false;
	mmio_store_bytes(vcpu, a, data);
	return coalesced_write(vcpu, a->ipa, a->len, data);
}

static int mmio_to_user(struct keel_vcpu *vcpu, const struct mmio_access *a)
{
	struct kvm_run *run = vcpu->kvm_run;

	run->exit_reason = KVM_EXIT_MMIO;
	run->mmio.phys_addr = a->ipa.v;
	run->mmio.len = a->len;
	run->mmio.is_write = a->write;
	mmio_store_bytes(vcpu, a, run->mmio.data);
	vcpu_count(vcpu, COUNT_MMIO_USER);
	vcpu->run.mmio_pending = true;
	vcpu->run.mmio = *a;
	return 0;
}

/*
 * Not before the next KVM_RUN: until then the VMM sees the PC of the access, and may answer it by
 * an abort instead (KVM_SET_VCPU_EVENTS), which takes it back.
 */
void run_mmio_finish(struct keel_vcpu *vcpu)
{
	const struct mmio_access *a = &vcpu->run.mmio;

	if (!vcpu->run.mmio_pending)
		return;
	vcpu->run.mmio_pending = false;
	if (!a->write)
		mmio_load_value(&vcpu->state.ctx, a,
				get_unaligned_le64(vcpu->kvm_run->mmio.data));
	vcpu_skip(vcpu);
}

int run_mmio(struct keel_vcpu *vcpu, struct ipa ipa)
{
	struct el2_ctx *ctx = &vcpu->state.ctx;
	struct mmio_access a;

	/* No syndrome (pairs, write-back, SIMD): nobody can complete it, so it is an abort. */
	if (!esr_dabt_isv(ctx->esr)) {
		vcpu_inject_dabt(vcpu, gva(ctx->far));
		return 1;
	}
	mmio_decode(&a, ctx->esr, ipa);
	a.be = mmio_big_endian(ctx->pstate, vcpu_read_reg(vcpu, VCPU_SCTLR_EL1));
	if (mmio_in_kernel(vcpu, &a) || mmio_coalesced(vcpu, &a)) {
		vcpu_count(vcpu, COUNT_MMIO_KERNEL);
		vcpu_skip(vcpu);
		return 1;
	}
	return mmio_to_user(vcpu, &a);
}

static int mmio_cmp(const void *a, const void *b)
{
	const struct mmio_region *x = *(struct mmio_region * const *)a;
	const struct mmio_region *y = *(struct mmio_region * const *)b;

	return x->base.v < y->base.v ? -1 : x->base.v > y->base.v;
}

/* Who reads the old bounds with the new bus takes the long way. */
static void mmio_bounds(struct keel_vm *vm, const struct mmio_bus *bus)
{
	u64 from = U64_MAX, to = 0;
	unsigned int i;

	for (i = 0; i < bus->nr; i++) {
		const struct mmio_region *r = bus->region[i];

		if (!r->ops->write_atomic)
			continue;
		from = min(from, r->base.v);
		to = max(to, r->base.v + r->size);
	}
	WRITE_ONCE(vm->run.atomic_from, from);
	WRITE_ONCE(vm->run.atomic_to, to);
}

/* Publish @bus and wait for readers of the old one. Pairs with srcu_dereference() above. */
static void mmio_publish(struct keel_vm *vm, struct mmio_bus *bus)
{
	struct mmio_bus *old = rcu_dereference_protected(vm->bus, lockdep_is_held(&vm->bus_lock));

	mmio_bounds(vm, bus);
	rcu_assign_pointer(vm->bus, bus);
	synchronize_srcu_expedited(&vm->srcu);
	kfree(old);
}

static bool mmio_overlaps(const struct mmio_bus *bus, const struct mmio_region *r)
{
	unsigned int i;

	for (i = 0; bus && i < bus->nr; i++) {
		const struct mmio_region *o = bus->region[i];

		if (r->base.v < o->base.v + o->size && o->base.v < r->base.v + r->size)
			return true;
	}
	return false;
}

int mmio_register(struct keel_vm *vm, struct mmio_region *r)
{
	struct mmio_bus *old, *bus;
	unsigned int nr;
	int ret = -EEXIST;

	mutex_lock(&vm->bus_lock);
	old = rcu_dereference_protected(vm->bus, lockdep_is_held(&vm->bus_lock));
	nr = old ? old->nr : 0;
	if (mmio_overlaps(old, r))
		goto out;
	ret = -ENOMEM;
	bus = kmalloc(struct_size(bus, region, nr + 1), GFP_KERNEL_ACCOUNT);
	if (!bus)
		goto out;
	if (nr)
		memcpy(bus->region, old->region, nr * sizeof(*bus->region));
	bus->region[nr] = r;
	bus->nr = nr + 1;
	sort(bus->region, bus->nr, sizeof(*bus->region), mmio_cmp, NULL);
	mmio_publish(vm, bus);
	ret = 0;
out:
	mutex_unlock(&vm->bus_lock);
	return ret;
}

/* Cannot report failure: its callers tear down, and the array is small. */
void mmio_unregister(struct keel_vm *vm, struct mmio_region *r)
{
	struct mmio_bus *old, *bus;
	unsigned int i;

	mutex_lock(&vm->bus_lock);
	old = rcu_dereference_protected(vm->bus, lockdep_is_held(&vm->bus_lock));
	bus = kmalloc(struct_size(bus, region, old->nr), GFP_KERNEL_ACCOUNT | __GFP_NOFAIL);
	bus->nr = 0;
	for (i = 0; i < old->nr; i++)
		if (old->region[i] != r)
			bus->region[bus->nr++] = old->region[i];
	mmio_publish(vm, bus);
	mutex_unlock(&vm->bus_lock);
}

void mmio_destroy(struct keel_vm *vm)
{
	kfree(rcu_dereference_protected(vm->bus, true));
}
