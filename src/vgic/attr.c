// SPDX-License-Identifier: GPL-2.0
/*
 * The device as a VMM sees it (Documentation/virt/kvm/devices/arm-vgic-v3.rst): addresses, number
 * of interrupts, initialisation. State access is not offered: a VMM that asks for a part of it
 * wants all.
 */
#include <linux/bitfield.h>
#include <linux/uaccess.h>

#include <keel/compat.h>

#include "internal.h"

/* KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION */
#define REGION_COUNT	GENMASK_ULL(63, 52)
#define REGION_BASE	GENMASK_ULL(51, 16)
#define REGION_FLAGS	GENMASK_ULL(15, 12)
#define REGION_INDEX	GENMASK_ULL(11, 0)

static int redist_region_set(struct keel_vm *vm, u64 val)
{
	u32 count = FIELD_GET(REGION_COUNT, val);

	if (!count || val & REGION_FLAGS)
		return -EINVAL;
	return vgic_frames_add_redist(vm, val & REGION_INDEX, ipa(val & REGION_BASE), count);
}

static int addr_set(struct keel_vm *vm, u64 type, u64 val)
{
	switch (type) {
	case KVM_VGIC_V3_ADDR_TYPE_DIST:
		return vgic_frames_set_dist(vm, ipa(val));
	case KVM_VGIC_V3_ADDR_TYPE_REDIST:
		return vgic_frames_add_redist(vm, 0, ipa(val), 0);
	case KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION:
		return redist_region_set(vm, val);
	default:
		return -ENXIO;
	}
}

/* @val: in, the index of a region; out, what was set. */
static int addr_get(struct keel_vm *vm, u64 type, u64 *val)
{
	struct vgic_rd_region *r;

	switch (type) {
	case KVM_VGIC_V3_ADDR_TYPE_DIST:
		*val = vm->vgic.dist_base.v;
		return 0;
	case KVM_VGIC_V3_ADDR_TYPE_REDIST:
		r = vgic_frames_find_redist(vm, 0);
		*val = r ? r->base.v : VGIC_NO_ADDR;
		return 0;
	case KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION:
		r = vgic_frames_find_redist(vm, *val & REGION_INDEX);
		if (!r)
			return -ENOENT;
		*val = r->base.v | r->index | FIELD_PREP(REGION_COUNT, r->count);
		return 0;
	default:
		return -ENXIO;
	}
}

/* 32 SPIs at least; 1024 counts the special INTIDs 1020 to 1023, which are no SPIs. */
static int nr_irqs_set(struct keel_vm *vm, u32 nr)
{
	if (nr < VGIC_NR_PRIVATE + 32 || nr > 1024 || nr % 32)
		return -EINVAL;
	if (vm->vgic.nr_spis)
		return -EBUSY;
	vm->vgic.nr_spis = min_t(u32, nr - VGIC_NR_PRIVATE, VGIC_MAX_SPIS);
	return 0;
}

static u32 nr_irqs_get(struct keel_vm *vm)
{
	return round_up(vm->vgic.nr_spis + VGIC_NR_PRIVATE, 32);
}

int vgic_set_attr(struct keel_vm *vm, struct kvm_device_attr *attr)
{
	void __user *from = u64_to_user_ptr(attr->addr);
	int ret = -ENXIO;
	u64 addr;
	u32 nr;

	switch (attr->group) {
	case KVM_DEV_ARM_VGIC_GRP_ADDR:
		if (get_user(addr, (u64 __user *)from))
			return -EFAULT;
		mutex_lock(&vm->config_lock);
		ret = addr_set(vm, attr->attr, addr);
		mutex_unlock(&vm->config_lock);
		break;
	case KVM_DEV_ARM_VGIC_GRP_NR_IRQS:
		if (get_user(nr, (u32 __user *)from))
			return -EFAULT;
		mutex_lock(&vm->config_lock);
		ret = nr_irqs_set(vm, nr);
		mutex_unlock(&vm->config_lock);
		break;
	case KVM_DEV_ARM_VGIC_GRP_CTRL:
		if (attr->attr != KVM_DEV_ARM_VGIC_CTRL_INIT)
			break;
		mutex_lock(&vm->config_lock);
		ret = vgic_init(vm);
		mutex_unlock(&vm->config_lock);
		break;
	}
	return ret;
}

int vgic_get_attr(struct keel_vm *vm, struct kvm_device_attr *attr)
{
	void __user *to = u64_to_user_ptr(attr->addr);
	u64 addr = 0;
	int ret;

	switch (attr->group) {
	case KVM_DEV_ARM_VGIC_GRP_ADDR:
		if (attr->attr == KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION &&
		    get_user(addr, (u64 __user *)to))
			return -EFAULT;
		mutex_lock(&vm->config_lock);
		ret = addr_get(vm, attr->attr, &addr);
		mutex_unlock(&vm->config_lock);
		return ret ?: put_user(addr, (u64 __user *)to);
	case KVM_DEV_ARM_VGIC_GRP_NR_IRQS:
		return put_user(nr_irqs_get(vm), (u32 __user *)to);
	default:
		return -ENXIO;
	}
}

int vgic_has_attr(struct keel_vm *vm, struct kvm_device_attr *attr)
{
	switch (attr->group) {
	case KVM_DEV_ARM_VGIC_GRP_ADDR:
		switch (attr->attr) {
		case KVM_VGIC_V3_ADDR_TYPE_DIST:
		case KVM_VGIC_V3_ADDR_TYPE_REDIST:
		case KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION:
			return 0;
		}
		return -ENXIO;
	case KVM_DEV_ARM_VGIC_GRP_NR_IRQS:
		return 0;
	case KVM_DEV_ARM_VGIC_GRP_CTRL:
		return attr->attr == KVM_DEV_ARM_VGIC_CTRL_INIT ? 0 : -ENXIO;
	default:
		return -ENXIO;
	}
}
