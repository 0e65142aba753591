// SPDX-License-Identifier: GPL-2.0
/*
 * Coalesced MMIO: a store to a zone that the VMM named goes to a ring in a page that it shares, and
 * the guest goes on. The VMM empties the ring at its next exit, before it looks at the reason.
 *
 * What the VMM writes to the page is its own business, so no index in it is trusted.
 */
#include <linux/list.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include <keel/vm.h>

#include "run.h"

#define COALESCED_MAX_ZONES 1000	/* of one VM: a store looks at all of them */

/**
 * struct coalesced_zone - guest addresses whose stores may wait
 * @link: in run_vm.zones
 * @base: first address
 * @size: bytes
 */
struct coalesced_zone {
	struct list_head link;
	struct ipa base;
	u64 size;
};

int coalesced_create(struct keel_vm *vm)
{
	vm->run.ring = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!vm->run.ring)
		return -ENOMEM;
	spin_lock_init(&vm->run.ring_lock);
	INIT_LIST_HEAD(&vm->run.zones);
	return 0;
}

void coalesced_destroy(struct keel_vm *vm)
{
	struct coalesced_zone *z, *next;

	list_for_each_entry_safe(z, next, &vm->run.zones, link)
		kfree(z);
	/* A VMM that still has the page mapped holds a reference of its own. */
	free_page((unsigned long)vm->run.ring);
}

int coalesced_add(struct keel_vm *vm, struct ipa base, u64 size)
{
	struct coalesced_zone *z = kmalloc(sizeof(*z), GFP_KERNEL_ACCOUNT);
	int ret = 0;

	if (!z)
		return -ENOMEM;
	z->base = base;
	z->size = size;
	spin_lock(&vm->run.ring_lock);
	if (vm->run.nr_zones < COALESCED_MAX_ZONES) {
		WRITE_ONCE(vm->run.nr_zones, vm->run.nr_zones + 1);
		list_add_tail(&z->link, &vm->run.zones);
	} else {
		ret = -ENOSPC;
	}
	spin_unlock(&vm->run.ring_lock);
	if (ret)
		kfree(z);
	return ret;
}

static bool zone_holds(const struct coalesced_zone *z, struct ipa base, u64 size)
{
	return base.v >= z->base.v && size <= z->size && base.v - z->base.v <= z->size - size;
}

void coalesced_remove(struct keel_vm *vm, struct ipa base, u64 size)
{
	struct coalesced_zone *z, *next;

	spin_lock(&vm->run.ring_lock);
	list_for_each_entry_safe(z, next, &vm->run.zones, link) {
		if (!zone_holds(z, base, size))
			continue;
		list_del(&z->link);
		kfree(z);
		WRITE_ONCE(vm->run.nr_zones, vm->run.nr_zones - 1);
	}
	spin_unlock(&vm->run.ring_lock);
}

static bool zone_find(struct keel_vm *vm, struct ipa base, u64 size)
{
	struct coalesced_zone *z;

	list_for_each_entry(z, &vm->run.zones, link)
		if (zone_holds(z, base, size))
			return true;
	return false;
}

/* One entry stays free, which tells a full ring from an empty one. */
static bool ring_put(struct kvm_coalesced_mmio_ring *ring, struct ipa base, unsigned int len,
		     const u8 *data)
{
	u32 last = READ_ONCE(ring->last), next;
	struct kvm_coalesced_mmio *entry;

	if (last >= KVM_COALESCED_MMIO_MAX)
		return false;
	next = (last + 1) % KVM_COALESCED_MMIO_MAX;
	if (next == READ_ONCE(ring->first))
		return false;
	entry = &ring->coalesced_mmio[array_index_nospec(last, KVM_COALESCED_MMIO_MAX)];
	entry->phys_addr = base.v;
	entry->len = len;
	entry->pio = 0;
	memcpy(entry->data, data, sizeof(entry->data));
	/* The entry before its number: pairs with the VMM's read of last before the entry. */
	smp_store_release(&ring->last, next);
	return true;
}

bool coalesced_write(struct keel_vcpu *vcpu, struct ipa base, unsigned int len, const u8 *data)
{
	struct keel_vm *vm = vcpu->vm;
	bool done;

	/* Most VMMs have none. */
	if (!READ_ONCE(vm->run.nr_zones))
		return false;
	spin_lock(&vm->run.ring_lock);
	done = zone_find(vm, base, len) && ring_put(vm->run.ring, base, len, data);
	spin_unlock(&vm->run.ring_lock);
	return done;
}
