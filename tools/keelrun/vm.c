// SPDX-License-Identifier: GPL-2.0
/*
 * A VM of the KVM ABI.
 *
 * A reset destroys the VM and creates another: KVM_ARM_VCPU_INIT resets a vCPU, but nothing in the
 * ABI resets the vGIC or the timer's offset, and a new VM also starts with zeroed memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vcpu.h"
#include "vm.h"

static const struct {
	int cap;
	const char *name;
} needed_caps[] = {
	{ KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY" },
	{ KVM_CAP_IRQCHIP, "KVM_CAP_IRQCHIP" },
	{ KVM_CAP_DEVICE_CTRL, "KVM_CAP_DEVICE_CTRL" },
	{ KVM_CAP_ONE_REG, "KVM_CAP_ONE_REG" },
	{ KVM_CAP_ARM_PSCI_0_2, "KVM_CAP_ARM_PSCI_0_2" },
	{ KVM_CAP_IMMEDIATE_EXIT, "KVM_CAP_IMMEDIATE_EXIT" },
};

static const char *open_remedy(const char *path, int err)
{
	if (err == EACCES || err == EPERM)
		return "run keelrun as root or as a member of the node's group";
	if (!strcmp(path, "/dev/keel"))
		return "load keel.ko: insmod keel.ko, and boot the host with kvm-arm.mode=none";
	if (!strcmp(path, "/dev/kvm"))
		return "boot the host at EL2 without kvm-arm.mode=none, or give --dev /dev/keel";
	return "give a KVM node, such as --dev /dev/keel";
}

int vm_open_node(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	int version;

	if (fd < 0) {
		int err = errno;

		die("cannot open %s: %s; %s", path, strerror(err), open_remedy(path, err));
	}
	version = ioctl(fd, KVM_GET_API_VERSION, 0);
	if (version < 0)
		die("%s is not a KVM node: name one, such as --dev /dev/keel", path);
	if (version != KVM_API_VERSION)
		die("%s has version %d of the KVM ABI, keelrun %d: use another node",
		    path, version, KVM_API_VERSION);
	for (size_t i = 0; i < ARRAY_SIZE(needed_caps); i++)
		if (ioctl(fd, KVM_CHECK_EXTENSION, needed_caps[i].cap) <= 0)
			die("%s has no %s, which is needed: use a newer keel.ko or kernel", path,
			    needed_caps[i].name);
	return fd;
}

/*
 * The guest's physical address space: the smallest that holds its memory needs the fewest levels of
 * stage 2. The ABI has none below 32 bits; a node without the capability has 40 and no choice.
 */
static void create_vm_fd(struct vm *vm)
{
	int limit = ioctl(vm->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);
	bool choice = limit > 0;
	int bits = 64 - __builtin_clzll(RAM_BASE + vm->ram_size - 1);

	if (bits < 32)
		bits = 32;
	if (!choice)
		limit = 40;
	if (bits > limit)
		die("--mem is too large: a guest has %d bits of address here, give at most %lluM",
		    limit, (unsigned long long)(((1ULL << limit) - RAM_BASE) / SZ_1M));
	vm->fd = ioctl(vm->kvm_fd, KVM_CREATE_VM, choice ? KVM_VM_TYPE_ARM_IPA_SIZE(bits) : 0UL);
	if (vm->fd < 0)
		die("cannot create a VM: %s; the kernel log says more (dmesg)", strerror(errno));
}

static void add_ram(struct vm *vm)
{
	struct kvm_userspace_memory_region slot = {
		.guest_phys_addr = RAM_BASE,
		.memory_size = vm->ram_size,
	};

	/* Aligned so that the host can back it, and stage 2 map it, by 2 MB blocks. */
	vm->ram_map_size = vm->ram_size + SZ_2M;
	vm->ram_map = mmap(NULL, vm->ram_map_size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (vm->ram_map == MAP_FAILED)
		die("cannot get %lluM of memory for the guest: %s; use a smaller --mem",
		    (unsigned long long)(vm->ram_size / SZ_1M), strerror(errno));
	vm->ram = (u8 *)ALIGN_UP((uintptr_t)vm->ram_map, SZ_2M);
	madvise(vm->ram, vm->ram_size, MADV_HUGEPAGE);

	slot.userspace_addr = (uintptr_t)vm->ram;
	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &slot))
		die("cannot give the VM its memory: %s; use a smaller --mem", strerror(errno));
}

static void gic_set(struct vm *vm, u32 group, u64 attr, void *value, const char *what)
{
	struct kvm_device_attr a = {
		.group = group,
		.attr = attr,
		.addr = (uintptr_t)value,
	};

	if (ioctl(vm->gic_fd, KVM_SET_DEVICE_ATTR, &a))
		die("the vGICv3 refuses %s: %s; use a newer keel.ko or kernel", what,
		    strerror(errno));
}

static void create_gic(struct vm *vm)
{
	struct kvm_create_device dev = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	u64 dist = GICD_BASE, redist = GICR_BASE;
	u32 nr_irqs = NR_IRQS;

	if (ioctl(vm->fd, KVM_CREATE_DEVICE, &dev))
		die("cannot create a vGICv3: %s; the host needs a GICv3", strerror(errno));
	vm->gic_fd = dev.fd;
	gic_set(vm, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &dist,
		"the distributor's address");
	gic_set(vm, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST, &redist,
		"the redistributors' address");
	gic_set(vm, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &nr_irqs, "the number of interrupts");
	gic_set(vm, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL, "to start");
}

void vm_create(struct vm *vm, int kvm_fd, unsigned int cpus, u64 mem)
{
	int max_cpus = ioctl(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);

	if (max_cpus > 0 && cpus > (unsigned int)max_cpus)
		die("too many CPUs: this host gives a guest at most %d, use --cpus %d", max_cpus,
		    max_cpus);
	vm->kvm_fd = kvm_fd;
	vm->ram_size = mem;
	vm->nr_vcpus = cpus;
	vm->stop_event.fd = eventfd_make();
	vm->has_ioeventfd = ioctl(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_IOEVENTFD) > 0;
	vm->has_irqfd = ioctl(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_IRQFD) > 0;
	create_vm_fd(vm);
	add_ram(vm);
	vcpus_create(vm);
	/* Last: initialising the vGIC fixes the number of vCPUs, and irqfds need it. */
	create_gic(vm);
}

void vm_destroy(struct vm *vm)
{
	vcpus_destroy(vm);
	close(vm->gic_fd);
	close(vm->fd);
	munmap(vm->ram_map, vm->ram_map_size);
	close(vm->stop_event.fd);
}

void vm_stop(struct vm *vm, enum vm_end why)
{
	int running = VM_RUNNING;

	if (__atomic_compare_exchange_n(&vm->stop, &running, why, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		eventfd_signal(vm->stop_event.fd);
}

void *vm_ram(const struct vm *vm, u64 addr, u64 len)
{
	if (addr < RAM_BASE || len > vm->ram_size || addr - RAM_BASE > vm->ram_size - len)
		return NULL;
	return vm->ram + (addr - RAM_BASE);
}

void vm_irq_set(struct vm *vm, unsigned int spi, bool level)
{
	struct kvm_irq_level line = {
		.irq = (KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT) | (32 + spi),
		.level = level,
	};

	if (ioctl(vm->fd, KVM_IRQ_LINE, &line)) {
		message("cannot set interrupt %u of the guest: %s", 32 + spi, strerror(errno));
		vm_stop(vm, VM_CRASH);
	}
}

int vm_add_irqfd(struct vm *vm, unsigned int spi)
{
	/* KVM's default routing: global interrupt number n is SPI n. */
	struct kvm_irqfd irqfd = { .gsi = spi };

	if (!vm->has_irqfd)
		return -1;
	irqfd.fd = eventfd_make();
	if (ioctl(vm->fd, KVM_IRQFD, &irqfd))
		die("cannot bind interrupt %u to an eventfd: %s; use a newer keel.ko or kernel",
		    32 + spi, strerror(errno));
	return irqfd.fd;
}

void vm_add_ioeventfd(struct vm *vm, u64 addr, u32 value, int fd)
{
	struct kvm_ioeventfd io = {
		.datamatch = value,
		.addr = addr,
		.len = sizeof(value),
		.fd = fd,
		.flags = KVM_IOEVENTFD_FLAG_DATAMATCH,
	};

	if (!vm->has_ioeventfd)
		return;
	if (ioctl(vm->fd, KVM_IOEVENTFD, &io))
		die("cannot bind 0x%llx to an eventfd: %s; use a newer keel.ko or kernel",
		    (unsigned long long)addr, strerror(errno));
}
