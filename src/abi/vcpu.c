// SPDX-License-Identifier: GPL-2.0
/*
 * The vCPU file: KVM_RUN, state in and out, and the page shared with the VMM.
 *
 * Every ioctl but unknown ones holds vcpu->mutex, so a vCPU's state is looked at only while it does
 * not run.
 */
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include <keel/abi.h>
#include <keel/compat.h>
#include <keel/vm.h>

static int ioctl_init(struct keel_vcpu *vcpu, const void __user *from)
{
	struct kvm_vcpu_init init;

	return copy_from_user(&init, from, sizeof(init)) ? -EFAULT : vcpu_arch_init(vcpu, &init);
}

static int ioctl_one_reg(struct keel_vcpu *vcpu, unsigned int nr, const void __user *from)
{
	struct kvm_one_reg reg;

	if (!vcpu->state.initialised)
		return -ENOEXEC;
	if (copy_from_user(&reg, from, sizeof(reg)))
		return -EFAULT;

	/* A PSCI CPU_ON that has not been taken over yet comes before what the VMM does. */
	if (vcpu_take_request(vcpu, VCPU_REQ_RESET))
		vcpu_reset(vcpu);
	return nr == KVM_SET_ONE_REG ? abi_one_reg_set(vcpu, &reg) : abi_one_reg_get(vcpu, &reg);
}

static int ioctl_get_mp_state(struct keel_vcpu *vcpu, struct kvm_mp_state __user *to)
{
	struct kvm_mp_state mp = { KVM_MP_STATE_RUNNABLE };

	if (READ_ONCE(vcpu->state.power_off))
		mp.mp_state = KVM_MP_STATE_STOPPED;
	else if (READ_ONCE(vcpu->state.suspended))
		mp.mp_state = KVM_MP_STATE_SUSPENDED;
	return copy_to_user(to, &mp, sizeof(mp)) ? -EFAULT : 0;
}

static int ioctl_set_mp_state(struct keel_vcpu *vcpu, const struct kvm_mp_state __user *from)
{
	struct kvm_mp_state mp;

	if (copy_from_user(&mp, from, sizeof(mp)))
		return -EFAULT;
	if (mp.mp_state != KVM_MP_STATE_RUNNABLE && mp.mp_state != KVM_MP_STATE_STOPPED &&
	    mp.mp_state != KVM_MP_STATE_SUSPENDED)
		return -EINVAL;

	/* It does not run, as vcpu->mutex is ours; other vCPUs' PSCI calls look on. */
	spin_lock(&vcpu->vm->vcpu.psci_lock);
	WRITE_ONCE(vcpu->state.suspended, mp.mp_state == KVM_MP_STATE_SUSPENDED);
	WRITE_ONCE(vcpu->state.power_off, mp.mp_state == KVM_MP_STATE_STOPPED);
	spin_unlock(&vcpu->vm->vcpu.psci_lock);
	return 0;
}

static int ioctl_set_signal_mask(struct keel_vcpu *vcpu, const struct kvm_signal_mask __user *from)
{
	struct kvm_signal_mask mask;
	sigset_t set;

	if (!from) {
		vcpu->sigset_active = false;
		return 0;
	}
	if (copy_from_user(&mask, from, sizeof(mask)))
		return -EFAULT;
	if (mask.len != sizeof(set))
		return -EINVAL;
	if (copy_from_user(&set, from->sigset, sizeof(set)))
		return -EFAULT;

	sigdelsetmask(&set, sigmask(SIGKILL) | sigmask(SIGSTOP));
	vcpu->sigset = set;
	vcpu->sigset_active = true;
	return 0;
}

static int ioctl_get_events(struct keel_vcpu *vcpu, struct kvm_vcpu_events __user *to)
{
	struct kvm_vcpu_events ev = {};
	int ret;

	if (!vcpu->state.initialised)
		return -ENOEXEC;
	ret = vcpu_events_get(vcpu, &ev);
	if (ret)
		return ret;
	return copy_to_user(to, &ev, sizeof(ev)) ? -EFAULT : 0;
}

static int ioctl_set_events(struct keel_vcpu *vcpu, const void __user *from)
{
	struct kvm_vcpu_events ev;

	if (!vcpu->state.initialised)
		return -ENOEXEC;
	if (copy_from_user(&ev, from, sizeof(ev)))
		return -EFAULT;
	if (memchr_inv(ev.reserved, 0, sizeof(ev.reserved)) ||
	    memchr_inv(ev.exception.pad, 0, sizeof(ev.exception.pad)))
		return -EINVAL;
	return vcpu_events_set(vcpu, &ev);
}

static int ioctl_attr(struct keel_vcpu *vcpu, const void __user *from,
		      int (*op)(struct keel_vcpu *, struct kvm_device_attr *))
{
	struct kvm_device_attr attr;

	if (copy_from_user(&attr, from, sizeof(attr)))
		return -EFAULT;
	/* The only group there is. */
	return attr.group == KVM_ARM_VCPU_TIMER_CTRL ? op(vcpu, &attr) : -ENXIO;
}

static long vcpu_ioctl_locked(struct keel_vcpu *vcpu, unsigned int nr, unsigned long arg)
{
	void __user *argp = (void __user *)arg;

	switch (nr) {
	case KVM_RUN:
		return arg ? -EINVAL : run_vcpu_run(vcpu);
	case KVM_ARM_VCPU_INIT:
		return ioctl_init(vcpu, argp);
	case KVM_GET_ONE_REG:
	case KVM_SET_ONE_REG:
		return ioctl_one_reg(vcpu, nr, argp);
	case KVM_GET_REG_LIST:
		return vcpu->state.initialised ? abi_reg_list(vcpu, argp) : -ENOEXEC;
	case KVM_GET_MP_STATE:
		return ioctl_get_mp_state(vcpu, argp);
	case KVM_SET_MP_STATE:
		return ioctl_set_mp_state(vcpu, argp);
	case KVM_SET_SIGNAL_MASK:
		return ioctl_set_signal_mask(vcpu, argp);
	case KVM_GET_VCPU_EVENTS:
		return ioctl_get_events(vcpu, argp);
	case KVM_SET_VCPU_EVENTS:
		return ioctl_set_events(vcpu, argp);
	case KVM_SET_DEVICE_ATTR:
		return ioctl_attr(vcpu, argp, vtimer_set_attr);
	case KVM_GET_DEVICE_ATTR:
		return ioctl_attr(vcpu, argp, vtimer_get_attr);
	case KVM_HAS_DEVICE_ATTR:
		return ioctl_attr(vcpu, argp, vtimer_has_attr);
	case KVM_GET_STATS_FD:
		return abi_stats_vcpu(vcpu);
	case KVM_SET_GUEST_DEBUG:
		return -EINVAL;	/* what KVM answers where its capability is 0 */
	default:
		return -ENOTTY;
	}
}

static long vcpu_ioctl(struct file *file, unsigned int nr, unsigned long arg)
{
	struct keel_vcpu *vcpu = file->private_data;
	long ret;

	if (vcpu->vm->mm != current->mm)
		return -EIO;
	/* isatty() and the like must not wait until the guest leaves */
	if (_IOC_TYPE(nr) != KVMIO)
		return -ENOTTY;

	if (mutex_lock_killable(&vcpu->mutex))
		return -EINTR;
	/*
	 * KVM_RUN does other work of this thread (run_user_work()), which may close this very file:
	 * a process with one thread has no reference of its own for a system call.
	 */
	get_file(file);
	ret = vcpu_ioctl_locked(vcpu, nr, arg);
	vcpu_unlock(vcpu);
	fput(file);
	return ret;
}

static vm_fault_t vcpu_file_fault(struct vm_fault *vmf)
{
	struct keel_vcpu *vcpu = vmf->vma->vm_file->private_data;

	switch (vmf->pgoff) {
	case 0:
		vmf->page = virt_to_page(vcpu->kvm_run);
		break;
	case KVM_COALESCED_MMIO_PAGE_OFFSET:
		vmf->page = virt_to_page(vcpu->vm->run.ring);
		break;
	default:
		return VM_FAULT_SIGBUS;
	}
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct vcpu_vm_ops = {
	.fault = vcpu_file_fault,
};

static int vcpu_file_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_ops = &vcpu_vm_ops;
	return 0;
}

static int vcpu_file_release(struct inode *inode, struct file *file)
{
	struct keel_vcpu *vcpu = file->private_data;

	/* NULL: abi_vcpu_create() failed half-way */
	if (vcpu)
		vm_put(vcpu->vm);
	return 0;
}

static const struct file_operations vcpu_fops = {
	.owner = THIS_MODULE,
	.release = vcpu_file_release,
	.unlocked_ioctl = vcpu_ioctl,
	.compat_ioctl = abi_no_compat_ioctl,
	.mmap = vcpu_file_mmap,
	.llseek = noop_llseek,
};

static struct keel_vcpu *create_locked(struct keel_vm *vm, u32 id)
{
	/* The vGIC's initialisation counted the redistributors: too late for one more. */
	if (vm->vgic.initialised)
		return ERR_PTR(-EBUSY);
	return vm_create_vcpu(vm, id);
}

/*
 * A vCPU cannot be taken back once its VM knows it, so all that may fail comes before: the
 * descriptor, and the file, which gets its vCPU last.
 */
int abi_vcpu_create(struct keel_vm *vm, unsigned long id)
{
	struct keel_vcpu *vcpu;
	struct file *file;
	char name[24];
	int fd, ret;

	if (id >= KEEL_MAX_VCPUS)
		return -EINVAL;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	snprintf(name, sizeof(name), "keel-vcpu:%lu", id);
	file = anon_inode_getfile(name, &vcpu_fops, NULL, O_RDWR);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		goto put_fd;
	}

	mutex_lock(&vm->lock);
	vcpu = create_locked(vm, id);
	mutex_unlock(&vm->lock);
	if (IS_ERR(vcpu)) {
		ret = PTR_ERR(vcpu);
		goto put_file;
	}
	vm_get(vm);
	file->private_data = vcpu;
	fd_install(fd, file);
	return fd;

put_file:
	fput(file);
put_fd:
	put_unused_fd(fd);
	return ret;
}
