// SPDX-License-Identifier: GPL-2.0
/*
 * Where the frames are in the guest's physical space. Redistributors stand in regions; vCPUs take
 * their places in order of creation, region by region.
 */
#include <linux/slab.h>

#include <keel/compat.h>

#include "internal.h"

static u64 region_size(struct keel_vm *vm, u32 count)
{
	return (u64)(count ?: vm->nr_vcpus) * VGIC_RD_SIZE;
}

static bool overlap(struct ipa a, u64 a_size, struct ipa b, u64 b_size)
{
	return a.v < b.v + b_size && b.v < a.v + a_size;
}

static bool overlaps_dist(struct keel_vm *vm, struct ipa base, u64 size)
{
	return vm->vgic.dist_base.v != VGIC_NO_ADDR &&
	       overlap(vm->vgic.dist_base, VGIC_FRAME, base, size);
}

static int frame_check(struct keel_vm *vm, struct ipa base, u64 size)
{
	u64 limit = BIT_ULL(vm->stage2.ipa_bits);

	if (!IS_ALIGNED(base.v, VGIC_FRAME) || base.v + size < base.v)
		return -EINVAL;
	return base.v >= limit || base.v + size > limit ? -E2BIG : 0;
}

int vgic_frames_set_dist(struct keel_vm *vm, struct ipa base)
{
	int ret;

	if (vm->vgic.dist_base.v != VGIC_NO_ADDR)
		return -EEXIST;
	ret = frame_check(vm, base, VGIC_FRAME);
	if (!ret)
		vm->vgic.dist_base = base;
	return ret;
}

/* Regions come in order of their index; one without a count stands alone. */
static int redist_check(struct keel_vm *vm, u32 index, struct ipa base, u32 count)
{
	u64 size = region_size(vm, count);
	struct vgic_rd_region *r, *last;

	if (base.v + size < base.v)
		return -EINVAL;
	last = list_empty(&vm->vgic.rd_regions) ? NULL :
	       list_last_entry(&vm->vgic.rd_regions, struct vgic_rd_region, link);
	if (last && !count)
		return last->count ? -EINVAL : -EEXIST;
	if (index != (last ? last->index + 1 : 0))
		return -EINVAL;
	if (overlaps_dist(vm, base, size))
		return -EINVAL;
	list_for_each_entry(r, &vm->vgic.rd_regions, link)
		if (overlap(base, size, r->base, region_size(vm, r->count)))
			return -EINVAL;
	return frame_check(vm, base, size);
}

int vgic_frames_add_redist(struct keel_vm *vm, u32 index, struct ipa base, u32 count)
{
	struct vgic_rd_region *r;
	int ret = redist_check(vm, index, base, count);

	if (ret)
		return ret;
	r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);
	if (!r)
		return -ENOMEM;
	r->index = index;
	r->base = base;
	r->count = count;
	list_add_tail(&r->link, &vm->vgic.rd_regions);
	return 0;
}

struct vgic_rd_region *vgic_frames_find_redist(struct keel_vm *vm, u32 index)
{
	struct vgic_rd_region *r;

	list_for_each_entry(r, &vm->vgic.rd_regions, link)
		if (r->index == index)
			return r;
	return NULL;
}

void vgic_frames_forget(struct keel_vm *vm)
{
	struct vgic_rd_region *r, *next;

	list_for_each_entry_safe(r, next, &vm->vgic.rd_regions, link) {
		list_del(&r->link);
		kfree(r);
	}
	vm->vgic.dist_base = ipa(VGIC_NO_ADDR);
}

/* Give each vCPU its frames; what overlaps shows only now, when their number is known. */
static int redists_assign(struct keel_vm *vm)
{
	struct vgic_rd_region *r, *o;
	unsigned int n = 0;

	list_for_each_entry(r, &vm->vgic.rd_regions, link) {
		r->first = n;
		r->used = vm->nr_vcpus - n;
		if (r->count)
			r->used = min(r->used, r->count);
		n += r->used;
	}
	if (n < vm->nr_vcpus || vm->vgic.dist_base.v == VGIC_NO_ADDR)
		return -ENXIO;
	list_for_each_entry(r, &vm->vgic.rd_regions, link) {
		u64 size = region_size(vm, r->count);

		if (overlaps_dist(vm, r->base, size))
			return -EINVAL;
		list_for_each_entry(o, &vm->vgic.rd_regions, link)
			if (o != r && overlap(r->base, size, o->base, region_size(vm, o->count)))
				return -EINVAL;
		if (frame_check(vm, r->base, size))
			return -EINVAL;
	}
	return 0;
}

/*
 * A guest walks frames upwards until GICR_TYPER.Last: the last of a region, unless another adjoins.
 */
static bool region_ends_run(struct keel_vm *vm, const struct vgic_rd_region *r)
{
	struct vgic_rd_region *o;

	list_for_each_entry(o, &vm->vgic.rd_regions, link)
		if (o->used && o->base.v == r->base.v + (u64)r->used * VGIC_RD_SIZE)
			return false;
	return true;
}

static int region_register(struct keel_vm *vm, struct vgic_rd_region *r)
{
	if (!r->used)
		return 0;
	vm->vcpus[r->first + r->used - 1]->vgic.rd_last = region_ends_run(vm, r);
	r->mmio = (struct mmio_region) {
		.base = r->base,
		.size = (u64)r->used * VGIC_RD_SIZE,
		.ops = &vgic_redist_ops,
		.owner = r,
	};
	return mmio_register(vm, &r->mmio);
}

static void frames_bounds(struct keel_vm *vm)
{
	u64 from = vm->vgic.dist_base.v, to = from + VGIC_FRAME;
	struct vgic_rd_region *r;

	list_for_each_entry(r, &vm->vgic.rd_regions, link) {
		from = min(from, r->base.v);
		to = max(to, r->base.v + (u64)r->used * VGIC_RD_SIZE);
	}
	vm->vgic.from = from;
	/* Pairs with the load-acquire in vgic_mmio_el2(). */
	smp_store_release(&vm->vgic.to, to);
}

int vgic_frames_register(struct keel_vm *vm)
{
	struct vgic_rd_region *r;
	int ret = redists_assign(vm);

	if (ret)
		return ret;
	if (!vm->vgic.initialised)
		return -EBUSY;
	vm->vgic.dist = (struct mmio_region) {
		.base = vm->vgic.dist_base,
		.size = VGIC_FRAME,
		.ops = &vgic_dist_ops,
	};
	ret = mmio_register(vm, &vm->vgic.dist);
	if (ret)
		return ret;
	list_for_each_entry(r, &vm->vgic.rd_regions, link) {
		ret = region_register(vm, r);
		if (ret)
			goto err_region;
	}
	frames_bounds(vm);
	return 0;

err_region:
	list_for_each_entry_continue_reverse(r, &vm->vgic.rd_regions, link)
		if (r->used)
			mmio_unregister(vm, &r->mmio);
	mmio_unregister(vm, &vm->vgic.dist);
	return ret;
}
