// SPDX-License-Identifier: GPL-2.0
/*
 * The nodes and the system file: /dev/keel always, /dev/kvm where in-tree KVM has not taken it.
 * The capability table is here: a capability stands in it only when all of it works.
 */
#include <linux/compat.h>
#include <linux/cpumask.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>
#include <linux/keel.h>

#include <keel/abi.h>
#include <keel/compat.h>
#include <keel/host.h>
#include <keel/vm.h>

static bool kvm_node = true;
module_param(kvm_node, bool, 0444);
MODULE_PARM_DESC(kvm_node, "also offer /dev/kvm when in-tree KVM does not (default: yes)");

static int cap_nr_vcpus(void)
{
	return min_t(unsigned int, num_online_cpus(), KEEL_MAX_VCPUS);
}

static int cap_ipa_bits(void)
{
	return stage2_max_ipa_bits();
}

static int cap_pauth(void)
{
	return host.pauth;
}

static int cap_serror_esr(void)
{
	return host.ras;	/* VSESR_EL2 exists with FEAT_RAS only */
}

static const struct {
	unsigned int cap;
	int value;
	int (*get)(void);	/* where it depends on the host */
} caps[] = {
	{ .cap = KVM_CAP_ARM_INJECT_EXT_DABT, .value = 1 },
	{ .cap = KVM_CAP_ARM_INJECT_SERROR_ESR, .get = cap_serror_esr },
	{ .cap = KVM_CAP_ARM_IRQ_LINE_LAYOUT_2, .value = 1 },
	{ .cap = KVM_CAP_ARM_PSCI, .value = 1 },
	{ .cap = KVM_CAP_ARM_PSCI_0_2, .value = 1 },
	{ .cap = KVM_CAP_ARM_PTRAUTH_ADDRESS, .get = cap_pauth },
	{ .cap = KVM_CAP_ARM_PTRAUTH_GENERIC, .get = cap_pauth },
	{ .cap = KVM_CAP_ARM_SYSTEM_SUSPEND, .value = 1 },
	{ .cap = KVM_CAP_ARM_VM_IPA_SIZE, .get = cap_ipa_bits },
	{ .cap = KVM_CAP_BINARY_STATS_FD, .value = 1 },
	{ .cap = KVM_CAP_CHECK_EXTENSION_VM, .value = 1 },
	{ .cap = KVM_CAP_COALESCED_MMIO, .value = KVM_COALESCED_MMIO_PAGE_OFFSET },
	{ .cap = KVM_CAP_DESTROY_MEMORY_REGION_WORKS, .value = 1 },
	{ .cap = KVM_CAP_DEVICE_CTRL, .value = 1 },
	{ .cap = KVM_CAP_ENABLE_CAP_VM, .value = 1 },
	{ .cap = KVM_CAP_IMMEDIATE_EXIT, .value = 1 },
	{ .cap = KVM_CAP_INTERNAL_ERROR_DATA, .value = 1 },
	{ .cap = KVM_CAP_IOEVENTFD, .value = 1 },
	{ .cap = KVM_CAP_IOEVENTFD_ANY_LENGTH, .value = 1 },
	{ .cap = KVM_CAP_IRQCHIP, .value = 1 },
	{ .cap = KVM_CAP_IRQFD, .value = 1 },
	{ .cap = KVM_CAP_JOIN_MEMORY_REGIONS_WORKS, .value = 1 },
	{ .cap = KVM_CAP_MAX_VCPUS, .value = KEEL_MAX_VCPUS },
	{ .cap = KVM_CAP_MAX_VCPU_ID, .value = KEEL_MAX_VCPUS },
	{ .cap = KVM_CAP_MP_STATE, .value = 1 },
	{ .cap = KVM_CAP_NR_MEMSLOTS, .value = STAGE2_MAX_SLOTS },
	{ .cap = KVM_CAP_NR_VCPUS, .get = cap_nr_vcpus },
	{ .cap = KVM_CAP_ONE_REG, .value = 1 },
	{ .cap = KVM_CAP_READONLY_MEM, .value = 1 },
	{ .cap = KVM_CAP_SYNC_MMU, .value = 1 },
	{ .cap = KVM_CAP_USER_MEMORY, .value = 1 },
	{ .cap = KVM_CAP_USER_MEMORY2, .value = 1 },
	{ .cap = KVM_CAP_VCPU_ATTRIBUTES, .value = 1 },
	{ .cap = KVM_CAP_VCPU_EVENTS, .value = 1 },
};

int abi_check_extension(unsigned long cap)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(caps); i++)
		if (caps[i].cap == cap)
			return caps[i].get ? caps[i].get() : caps[i].value;
	return 0;
}

long abi_no_compat_ioctl(struct file *file, unsigned int nr, unsigned long arg)
{
	return -EINVAL;
}

static int system_info(struct keel_info __user *to)
{
	struct keel_info info;

	if (copy_from_user(&info, to, sizeof(info)))
		return -EFAULT;
	if (abi_bad_argument(&info) || info.pad)
		return -EINVAL;

	memset(&info, 0, sizeof(info));
	info.size = sizeof(info);
	info.api_version = KEEL_API_VERSION;
	info.ipa_bits = stage2_max_ipa_bits();
	info.max_vcpus = KEEL_MAX_VCPUS;
	strscpy(info.version, KEEL_VERSION, sizeof(info.version));
	return copy_to_user(to, &info, sizeof(info)) ? -EFAULT : 0;
}

static int system_next_vm(struct keel_vm_info __user *to)
{
	struct keel_vm_info info;
	int ret;

	if (copy_from_user(&info, to, sizeof(info)))
		return -EFAULT;
	ret = abi_next_vm(&info);
	if (ret)
		return ret;
	return copy_to_user(to, &info, sizeof(info)) ? -EFAULT : 0;
}

static long system_ioctl(struct file *file, unsigned int nr, unsigned long arg)
{
	switch (nr) {
	case KVM_GET_API_VERSION:
		return arg ? -EINVAL : KVM_API_VERSION;
	case KVM_CREATE_VM:
		return abi_vm_create(arg);
	case KVM_CHECK_EXTENSION:
		return abi_check_extension(arg);
	case KVM_GET_VCPU_MMAP_SIZE:
		return arg ? -EINVAL : (KVM_COALESCED_MMIO_PAGE_OFFSET + 1) * PAGE_SIZE;
	case KEEL_INFO:
		return system_info((void __user *)arg);
	case KEEL_NEXT_VM:
		return system_next_vm((void __user *)arg);
	case KEEL_OPEN_VM:
		return abi_open_vm(arg);
	default:
		return -ENOTTY;
	}
}

/* The ABI's structs hold pointers: a 32-bit program cannot pass them. */
static int system_open(struct inode *inode, struct file *file)
{
	return is_compat_task() ? -ENODEV : 0;
}

static const struct file_operations system_fops = {
	.owner = THIS_MODULE,
	.open = system_open,
	.unlocked_ioctl = system_ioctl,
	.compat_ioctl = abi_no_compat_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice keel_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "keel",
	.fops = &system_fops,
};

static struct miscdevice kvm_misc = {
	.minor = KVM_MINOR,
	.name = "kvm",
	.fops = &system_fops,
};

static bool kvm_registered;

int abi_init(void)
{
	int ret;

	ret = abi_stats_init();
	if (ret)
		return ret;
	ret = abi_eventfd_init();
	if (ret)
		goto stats;
	ret = misc_register(&keel_misc);
	if (ret)
		goto eventfd;
	if (!kvm_node)
		return 0;

	/* -EBUSY: the minor is in-tree KVM's. Its users are served by it, ours by /dev/keel. */
	ret = misc_register(&kvm_misc);
	if (ret && ret != -EBUSY)
		goto keel;
	kvm_registered = !ret;
	return 0;

keel:
	misc_deregister(&keel_misc);
eventfd:
	abi_eventfd_exit();
stats:
	abi_stats_exit();
	return ret;
}

void abi_exit(void)
{
	if (kvm_registered)
		misc_deregister(&kvm_misc);
	misc_deregister(&keel_misc);
	abi_eventfd_exit();
	abi_stats_exit();
}
