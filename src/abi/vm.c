// SPDX-License-Identifier: GPL-2.0
/* The VM file: memory slots, interrupt lines, and what makes vCPUs, devices and event files. */
#include <linux/anon_inodes.h>
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/uaccess.h>
#include <linux/keel.h>

#include <keel/abi.h>
#include <keel/compat.h>
#include <keel/vm.h>

/* The older struct is the newer one's beginning, so one copy serves both ioctls. */
static_assert(sizeof(struct kvm_userspace_memory_region) ==
	      offsetof(struct kvm_userspace_memory_region2, guest_memfd_offset));

static int ioctl_set_memory(struct keel_vm *vm, const void __user *from, size_t size)
{
	struct kvm_userspace_memory_region2 r = {};

	if (copy_from_user(&r, from, size))
		return -EFAULT;
	return stage2_set_slot(vm, &r);
}

/* KVM_IRQ_LINE's irq: type [27:24], vCPU [23:16] and [31:28], number [15:0]. */
static unsigned int irq_line_vcpu(u32 irq)
{
	u32 low = (irq >> KVM_ARM_IRQ_VCPU_SHIFT) & KVM_ARM_IRQ_VCPU_MASK;
	u32 high = (irq >> KVM_ARM_IRQ_VCPU2_SHIFT) & KVM_ARM_IRQ_VCPU2_MASK;

	return high * (KVM_ARM_IRQ_VCPU_MASK + 1) + low;
}

static int ioctl_irq_line(struct keel_vm *vm, const struct kvm_irq_level __user *from)
{
	struct keel_vcpu *vcpu = NULL;
	struct kvm_irq_level line;
	u32 type, intid;

	if (copy_from_user(&line, from, sizeof(line)))
		return -EFAULT;
	type = (line.irq >> KVM_ARM_IRQ_TYPE_SHIFT) & KVM_ARM_IRQ_TYPE_MASK;
	intid = (line.irq >> KVM_ARM_IRQ_NUM_SHIFT) & KVM_ARM_IRQ_NUM_MASK;
	if (type > KVM_ARM_IRQ_TYPE_PPI)
		return -EINVAL;
	/* Lines to a CPU are for an interrupt controller in user space: keel has none such. */
	if (type == KVM_ARM_IRQ_TYPE_CPU || !READ_ONCE(vm->vgic.created))
		return -ENXIO;

	if (type == KVM_ARM_IRQ_TYPE_PPI) {
		vcpu = vm_vcpu_by_id(vm, irq_line_vcpu(line.irq));
		if (!vcpu || intid < VGIC_NR_SGIS || intid >= VGIC_NR_PRIVATE)
			return -EINVAL;
	} else if (intid < VGIC_NR_PRIVATE) {
		return -EINVAL;
	}
	return vgic_inject(vm, vcpu, intid, line.level);
}

static int ioctl_preferred_target(struct kvm_vcpu_init __user *to)
{
	struct kvm_vcpu_init init = {};

	vcpu_arch_preferred_target(&init);
	return copy_to_user(to, &init, sizeof(init)) ? -EFAULT : 0;
}

static int ioctl_irqfd(struct keel_vm *vm, const void __user *from)
{
	struct kvm_irqfd args;

	return copy_from_user(&args, from, sizeof(args)) ? -EFAULT : abi_irqfd(vm, &args);
}

static int ioctl_ioeventfd(struct keel_vm *vm, const void __user *from)
{
	struct kvm_ioeventfd args;

	return copy_from_user(&args, from, sizeof(args)) ? -EFAULT : abi_ioeventfd(vm, &args);
}

static int ioctl_coalesced(struct keel_vm *vm, unsigned int nr, const void __user *from)
{
	struct kvm_coalesced_mmio_zone zone;

	if (copy_from_user(&zone, from, sizeof(zone)))
		return -EFAULT;
	/* KVM_CAP_COALESCED_PIO is not there. */
	if (zone.pio)
		return -EINVAL;
	if (nr == KVM_REGISTER_COALESCED_MMIO)
		return coalesced_add(vm, ipa(zone.addr), zone.size);
	coalesced_remove(vm, ipa(zone.addr), zone.size);
	return 0;
}

static int ioctl_enable_cap(struct keel_vm *vm, const void __user *from)
{
	struct kvm_enable_cap cap;

	if (copy_from_user(&cap, from, sizeof(cap)))
		return -EFAULT;
	if (cap.flags || cap.cap != KVM_CAP_ARM_SYSTEM_SUSPEND)
		return -EINVAL;
	/* Read at EL2, by vCPUs that may be running. */
	WRITE_ONCE(vm->vcpu.system_suspend, true);
	return 0;
}

static int ioctl_set_name(struct keel_vm *vm, const void __user *from)
{
	struct keel_vm_name args;
	size_t len, i;

	if (copy_from_user(&args, from, sizeof(args)))
		return -EFAULT;
	len = strnlen(args.name, sizeof(args.name));
	if (args.size != sizeof(args) || args.flags || !len || len == sizeof(args.name))
		return -EINVAL;
	for (i = 0; i < len; i++)
		if (!isascii(args.name[i]) || !isprint(args.name[i]))
			return -EINVAL;
	/* What stands behind the NUL is nobody's business. */
	memset(args.name + len, 0, sizeof(args.name) - len);
	vm_set_name(vm, args.name);
	return 0;
}

static int ioctl_observe(struct keel_vm *vm, unsigned long arg)
{
	if (arg > 1)
		return -EINVAL;
	WRITE_ONCE(vm->observe, arg);
	if (!arg)
		backdoor_cut_observer(vm);
	return 0;
}

static long vm_ioctl(struct file *file, unsigned int nr, unsigned long arg)
{
	struct keel_vm *vm = file->private_data;
	void __user *argp = (void __user *)arg;

	if (vm->mm != current->mm)
		return -EIO;

	switch (nr) {
	case KVM_CREATE_VCPU:
		return abi_vcpu_create(vm, arg);
	case KVM_SET_USER_MEMORY_REGION:
		return ioctl_set_memory(vm, argp, sizeof(struct kvm_userspace_memory_region));
	case KVM_SET_USER_MEMORY_REGION2:
		return ioctl_set_memory(vm, argp, sizeof(struct kvm_userspace_memory_region2));
	case KVM_IRQ_LINE:
		return ioctl_irq_line(vm, argp);
	case KVM_IRQFD:
		return ioctl_irqfd(vm, argp);
	case KVM_IOEVENTFD:
		return ioctl_ioeventfd(vm, argp);
	case KVM_REGISTER_COALESCED_MMIO:
	case KVM_UNREGISTER_COALESCED_MMIO:
		return ioctl_coalesced(vm, nr, argp);
	case KVM_ENABLE_CAP:
		return ioctl_enable_cap(vm, argp);
	case KVM_CREATE_DEVICE:
		return abi_device_create(vm, argp);
	case KVM_CREATE_IRQCHIP:
		return -ENODEV;	/* it means a GICv2 */
	case KVM_ARM_PREFERRED_TARGET:
		return ioctl_preferred_target(argp);
	case KVM_CHECK_EXTENSION:
		return abi_check_extension(arg);
	case KVM_GET_STATS_FD:
		return abi_stats_vm(vm);
	case KEEL_SET_NAME:
		return ioctl_set_name(vm, argp);
	case KEEL_OBSERVE:
		return ioctl_observe(vm, arg);
	default:
		return abi_vm_keel_ioctl(vm, nr, arg);
	}
}

static int vm_file_release(struct inode *inode, struct file *file)
{
	struct keel_vm *vm = file->private_data;

	/* vCPU files may live on, but nobody is left who could detach an event file. */
	abi_eventfd_release(vm);
	vm_put(vm);
	return 0;
}

static const struct file_operations vm_fops = {
	.owner = THIS_MODULE,
	.release = vm_file_release,
	.unlocked_ioctl = vm_ioctl,
	.compat_ioctl = abi_no_compat_ioctl,
	.llseek = noop_llseek,
};

int abi_vm_create(unsigned long type)
{
	struct keel_vm *vm;
	struct file *file;
	int fd, ret;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	vm = vm_create(type);
	if (IS_ERR(vm)) {
		ret = PTR_ERR(vm);
		goto put_fd;
	}
	file = anon_inode_getfile("keel-vm", &vm_fops, vm, O_RDWR);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		goto put_vm;
	}
	fd_install(fd, file);
	return fd;

put_vm:
	vm_put(vm);
put_fd:
	put_unused_fd(fd);
	return ret;
}
