// SPDX-License-Identifier: GPL-2.0
/*
 * The vGICv3's device file. The one device of a VM, so its file stands for the VM.
 *
 * A VMM that tries interrupt controllers in turn (kvmtool: GICv3 with ITS, then without) creates
 * this device, fails later on, closes it and creates it again: until it is initialised the last
 * close undoes it.
 */
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include <keel/abi.h>
#include <keel/vm.h>

static int device_attr(struct keel_vm *vm, const void __user *from,
		       int (*op)(struct keel_vm *, struct kvm_device_attr *))
{
	struct kvm_device_attr attr;
	int ret;

	if (copy_from_user(&attr, from, sizeof(attr)))
		return -EFAULT;
	mutex_lock(&vm->lock);
	ret = op(vm, &attr);
	mutex_unlock(&vm->lock);
	return ret;
}

static long device_ioctl(struct file *file, unsigned int nr, unsigned long arg)
{
	struct keel_vm *vm = file->private_data;
	void __user *argp = (void __user *)arg;

	if (vm->mm != current->mm)
		return -EIO;

	switch (nr) {
	case KVM_SET_DEVICE_ATTR:
		return device_attr(vm, argp, vgic_set_attr);
	case KVM_GET_DEVICE_ATTR:
		return device_attr(vm, argp, vgic_get_attr);
	case KVM_HAS_DEVICE_ATTR:
		return device_attr(vm, argp, vgic_has_attr);
	default:
		return -ENOTTY;
	}
}

static int device_release(struct inode *inode, struct file *file)
{
	struct keel_vm *vm = file->private_data;

	/* NULL: abi_device_create() failed half-way */
	if (!vm)
		return 0;
	mutex_lock(&vm->lock);
	vgic_uncreate(vm);	/* does nothing once it is initialised */
	mutex_unlock(&vm->lock);
	vm_put(vm);
	return 0;
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.release = device_release,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = abi_no_compat_ioctl,
	.llseek = noop_llseek,
};

static int device_create_vgic(struct keel_vm *vm, struct file *file)
{
	int ret;

	mutex_lock(&vm->lock);
	ret = vgic_create(vm);
	if (!ret) {
		vm_get(vm);
		file->private_data = vm;
	}
	mutex_unlock(&vm->lock);
	return ret;
}

int abi_device_create(struct keel_vm *vm, struct kvm_create_device __user *to)
{
	struct kvm_create_device cd;
	struct file *file;
	int ret;

	if (copy_from_user(&cd, to, sizeof(cd)))
		return -EFAULT;
	if (cd.type != KVM_DEV_TYPE_ARM_VGIC_V3)
		return -ENODEV;
	if (cd.flags & ~KVM_CREATE_DEVICE_TEST)
		return -EINVAL;
	if (cd.flags & KVM_CREATE_DEVICE_TEST)
		return 0;

	ret = get_unused_fd_flags(O_CLOEXEC);
	if (ret < 0)
		return ret;
	cd.fd = ret;
	file = anon_inode_getfile("keel-vgic", &device_fops, NULL, O_RDWR);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		goto put_fd;
	}
	ret = device_create_vgic(vm, file);
	if (ret)
		goto put_file;
	if (copy_to_user(to, &cd, sizeof(cd))) {
		ret = -EFAULT;
		goto put_file;
	}
	fd_install(cd.fd, file);
	return 0;

put_file:
	fput(file);
put_fd:
	put_unused_fd(cd.fd);
	return ret;
}
