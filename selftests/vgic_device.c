// SPDX-License-Identifier: GPL-2.0
/* The vGICv3 as a device: creation, addresses, initialisation, what goes wrong in which order. */
#include <errno.h>

#include "lib/poke.h"
#include "lib/vm.h"

GUEST_DECLARE(poke);

#define ADDR	KVM_DEV_ARM_VGIC_GRP_ADDR
#define DIST	KVM_VGIC_V3_ADDR_TYPE_DIST
#define REDIST	KVM_VGIC_V3_ADDR_TYPE_REDIST
#define REGION	KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION
#define IRQS	KVM_DEV_ARM_VGIC_GRP_NR_IRQS
#define CONTROL	KVM_DEV_ARM_VGIC_GRP_CTRL
#define INIT	KVM_DEV_ARM_VGIC_CTRL_INIT
#define TYPER	8
#define MB	0x100000ULL

static void device_create(struct vm *vm)
{
	struct kvm_create_device dev = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };

	REQUIRE_OK(ioctl(vm->fd, KVM_CREATE_DEVICE, &dev));
	vm->gic = dev.fd;
}

static int set_addr(struct vm *vm, u64 type, u64 addr)
{
	return vm_gic_attr(vm, true, ADDR, type, &addr);
}

static u64 get_addr(struct vm *vm, u64 type, u64 in)
{
	REQUIRE_OK(vm_gic_attr(vm, false, ADDR, type, &in));
	return in;
}

static int set_irqs(struct vm *vm, u32 n)
{
	return vm_gic_attr(vm, true, IRQS, 0, &n);
}

static int has_attr(struct vm *vm, u32 group, u64 attr)
{
	struct kvm_device_attr a = { .group = group, .attr = attr };

	return ioctl(vm->gic, KVM_HAS_DEVICE_ATTR, &a);
}

/* A region: how many redistributors, where, its index. */
static u64 region(u64 count, u64 addr, u64 index)
{
	return count << 52 | addr | index;
}

static void attributes(void)
{
	struct vm vm;
	int state;

	vm_create(&vm);
	vcpu_init(vcpu_create(&vm, 0), false);
	device_create(&vm);
	CHECK_OK(has_attr(&vm, ADDR, DIST));
	CHECK_OK(has_attr(&vm, ADDR, REDIST));
	CHECK_OK(has_attr(&vm, ADDR, REGION));
	CHECK_OK(has_attr(&vm, IRQS, 0));
	CHECK_OK(has_attr(&vm, CONTROL, INIT));
	/* Access to the state: all of it or nothing, for a client that finds one part uses all. */
	state = has_attr(&vm, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, 0);
	CHECK_EQ(has_attr(&vm, KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, 0), state);
	CHECK_EQ(has_attr(&vm, KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO, 0), state);
	CHECK_ERR(has_attr(&vm, ADDR, 100), ENXIO);
	CHECK_ERR(has_attr(&vm, CONTROL, 100), ENXIO);
	CHECK_ERR(has_attr(&vm, 100, 0), ENXIO);
	CHECK_ERR(vm_gic_attr(&vm, true, 100, 0, NULL), ENXIO);
	vm_destroy(&vm);
}

static void second_device(void)
{
	struct kvm_create_device dev = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	struct vm vm;

	vm_create(&vm);
	device_create(&vm);
	CHECK_ERR(ioctl(vm.fd, KVM_CREATE_DEVICE, &dev), EEXIST);
	vm_destroy(&vm);
}

static void addresses(void)
{
	struct vm vm;

	vm_create(&vm);
	device_create(&vm);
	CHECK_ERR(set_addr(&vm, DIST, GICD_IPA + 0x1000), EINVAL);
	CHECK_ERR(set_addr(&vm, DIST, 1ULL << 60), E2BIG);
	CHECK_OK(set_addr(&vm, DIST, GICD_IPA));
	CHECK_ERR(set_addr(&vm, DIST, GICD_IPA + MB), EEXIST);
	CHECK_EQ(get_addr(&vm, DIST, 0), GICD_IPA);
	CHECK_ERR(set_addr(&vm, REDIST, GICR_IPA + 0x1000), EINVAL);
	CHECK_OK(set_addr(&vm, REDIST, GICR_IPA));
	CHECK_EQ(get_addr(&vm, REDIST, 0), GICR_IPA);
	/* One way or the other. */
	CHECK_ERR(set_addr(&vm, REGION, region(1, 0x10000000, 0)), EINVAL);
	vm_destroy(&vm);
}

static void regions(void)
{
	struct vm vm;

	vm_create(&vm);
	device_create(&vm);
	CHECK_OK(set_addr(&vm, DIST, GICD_IPA));
	CHECK_ERR(set_addr(&vm, REGION, region(0, GICR_IPA, 0)), EINVAL);
	CHECK_ERR(set_addr(&vm, REGION, region(1, GICR_IPA, 1)), EINVAL);
	CHECK_ERR(set_addr(&vm, REGION, region(1, GICR_IPA, 0) | 0x1000), EINVAL);
	CHECK_OK(set_addr(&vm, REGION, region(2, GICR_IPA, 0)));
	CHECK_ERR(set_addr(&vm, REGION, region(2, GICR_IPA, 1)), EINVAL);
	CHECK_ERR(set_addr(&vm, REGION, region(2, GICR_IPA + MB, 0)), EINVAL);
	CHECK_OK(set_addr(&vm, REGION, region(2, GICR_IPA + MB, 1)));
	CHECK_EQ(get_addr(&vm, REGION, 1), region(2, GICR_IPA + MB, 1));
	CHECK_ERR(set_addr(&vm, REDIST, GICR_IPA + 2 * MB), EINVAL);
	vm_destroy(&vm);
}

static void interrupts(void)
{
	u32 value = 0;
	struct vm vm;

	vm_create(&vm);
	device_create(&vm);
	CHECK_ERR(set_irqs(&vm, 32), EINVAL);
	CHECK_ERR(set_irqs(&vm, 33), EINVAL);
	CHECK_ERR(set_irqs(&vm, 2048), EINVAL);
	CHECK_OK(set_irqs(&vm, 96));
	CHECK_OK(vm_gic_attr(&vm, false, IRQS, 0, &value));
	CHECK_EQ(value, 96);
	CHECK_ERR(set_irqs(&vm, 128), EBUSY);
	vm_destroy(&vm);
}

static void irq_line_errors(void)
{
	struct vm vm;

	vm_create(&vm);
	vcpu_init(vcpu_create(&vm, 0), false);
	vcpu_init(vcpu_create(&vm, 1), false);
	vm_gic_create(&vm, 96);
	CHECK_OK(vm_irq_line(&vm, KVM_ARM_IRQ_TYPE_SPI, 0, 32, 1));
	CHECK_OK(vm_irq_line(&vm, KVM_ARM_IRQ_TYPE_SPI, 0, 95, 1));
	CHECK_ERR(vm_irq_line(&vm, KVM_ARM_IRQ_TYPE_SPI, 0, 96, 1), EINVAL);
	CHECK_ERR(vm_irq_line(&vm, KVM_ARM_IRQ_TYPE_SPI, 0, 31, 1), EINVAL);
	CHECK_ERR(vm_irq_line(&vm, KVM_ARM_IRQ_TYPE_SPI, 0, 0xffff, 1), EINVAL);
	CHECK_OK(vm_irq_line(&vm, KVM_ARM_IRQ_TYPE_PPI, 1, 16, 1));
	CHECK_ERR(vm_irq_line(&vm, KVM_ARM_IRQ_TYPE_PPI, 1, 15, 1), EINVAL);
	CHECK_ERR(vm_irq_line(&vm, KVM_ARM_IRQ_TYPE_PPI, 1, 32, 1), EINVAL);
	CHECK_ERR(vm_irq_line(&vm, KVM_ARM_IRQ_TYPE_PPI, 2, 16, 1), EINVAL);
	/* The vGIC is in the kernel, so there are no bare CPU lines; nor other types. */
	CHECK_ERR(vm_irq_line(&vm, KVM_ARM_IRQ_TYPE_CPU, 0, 0, 1), ENXIO);
	CHECK_ERR(vm_irq_line(&vm, 5, 0, 32, 1), EINVAL);
	vm_destroy(&vm);
}

static void order(void)
{
	struct vm vm;

	vm_create(&vm);
	device_create(&vm);
	vcpu_init(vcpu_create(&vm, 0), false);
	CHECK_OK(set_irqs(&vm, 64));
	/* Initialised before it has addresses, then again, as some clients do. */
	CHECK_OK(vm_gic_attr(&vm, true, CONTROL, INIT, NULL));
	CHECK_OK(set_addr(&vm, DIST, GICD_IPA));
	CHECK_OK(set_addr(&vm, REDIST, GICR_IPA));
	CHECK_OK(vm_gic_attr(&vm, true, CONTROL, INIT, NULL));
	CHECK_ERR(set_irqs(&vm, 96), EBUSY);
	/* No more vCPUs now. */
	CHECK_ERR(ioctl(vm.fd, KVM_CREATE_VCPU, 1), EBUSY);
	vm_destroy(&vm);
}

/* After a vCPU has run without one it is too late. */
static void too_late(void)
{
	struct kvm_create_device dev = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	struct vm vm;

	poke_create(&vm);
	CHECK_ERR(ioctl(vm.fd, KVM_CREATE_DEVICE, &dev), EBUSY);
	vm_destroy(&vm);
}

/* Two regions of one redistributor each; accesses beside the frames exit. */
static void frames(void)
{
	struct vm vm;

	vm_create_guest(&vm, guest_poke, guest_poke_end, 2);
	device_create(&vm);
	REQUIRE_OK(set_irqs(&vm, 64));
	REQUIRE_OK(set_addr(&vm, DIST, GICD_IPA));
	REQUIRE_OK(set_addr(&vm, REGION, region(1, GICR_IPA, 0)));
	REQUIRE_OK(set_addr(&vm, REGION, region(1, GICR_IPA + MB, 1)));
	REQUIRE_OK(vm_gic_attr(&vm, true, CONTROL, INIT, NULL));
	vcpu_run_sync(&vm.vcpus[0]);
	CHECK_EQ(poke_read(&vm, GICD_IPA + 0xffe8, 4) >> 4 & 0xf, 3);
	CHECK_EQ(poke_read(&vm, GICR_IPA + 0xffe8, 4) >> 4 & 0xf, 3);
	CHECK_EQ(poke_read(&vm, GICR_IPA + TYPER, 8) >> 32, 0);
	CHECK_EQ(poke_read(&vm, GICR_IPA + MB + TYPER, 8) >> 32, 1);
	CHECK(poke_exits(&vm, false, GICD_IPA + 0x10000, 4, 1));
	CHECK(poke_exits(&vm, true, GICD_IPA - 4, 4, 1));
	CHECK(poke_exits(&vm, false, GICR_IPA + 0x20000, 4, 1));
	CHECK(poke_exits(&vm, false, GICR_IPA + MB + 0x20000, 4, 1));
	vm_destroy(&vm);
}

static const struct ktap_case cases[] = {
	{ "attributes", attributes },
	{ "second_device", second_device },
	{ "addresses", addresses },
	{ "regions", regions },
	{ "interrupts", interrupts },
	{ "irq_line_errors", irq_line_errors },
	{ "order", order },
	{ "too_late", too_late },
	{ "frames", frames },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
