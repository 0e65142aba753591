// SPDX-License-Identifier: GPL-2.0
/* Arguments that are wrong: reserved bits, numbers out of range, calls in a wrong order. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/vm.h"

GUEST_DECLARE(run_ten);

#define PAGE		4096ULL
#define ADDR		KVM_DEV_ARM_VGIC_GRP_ADDR
#define IRQS		KVM_DEV_ARM_VGIC_GRP_NR_IRQS
#define CONTROL		KVM_DEV_ARM_VGIC_GRP_CTRL
#define VTIMER_IRQ	KVM_ARM_VCPU_TIMER_IRQ_VTIMER
#define PTIMER_IRQ	KVM_ARM_VCPU_TIMER_IRQ_PTIMER

static struct vm vm;
static struct vcpu *vcpu;
static bool is_keel;

static void setup(void)
{
	vm_create_guest(&vm, guest_run_ten, guest_run_ten_end, 1);
	vm_gic_create(&vm, 64);
	vcpu = &vm.vcpus[0];
}

/* Nothing of it has hurt the VM. */
static void teardown(void)
{
	REQUIRE_EQ(vcpu_run(vcpu), 0);
	CHECK_EQ(vcpu_run_done(vcpu), 42);
	vm_destroy(&vm);
}

static void system_file(void)
{
	static const unsigned long types[] = {
		1, 31, 64, 255, 256, 1UL << 8 | 40, 1UL << 31, 1UL << 32 | 40, ~0UL, -40UL,
	};
	int sys = kvm_open();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		CHECK_ERR(ioctl(sys, KVM_CREATE_VM, types[i]), EINVAL);
	CHECK_ERR(ioctl(sys, KVM_GET_API_VERSION, ~0UL), EINVAL);
	CHECK_ERR(ioctl(sys, KVM_GET_VCPU_MMAP_SIZE, ~0UL), EINVAL);
	CHECK_EQ(ioctl(sys, KVM_CHECK_EXTENSION, ~0UL), 0);
	CHECK_EQ(ioctl(sys, KVM_CHECK_EXTENSION, 1UL << 32 | KVM_CAP_USER_MEMORY), 0);
}

static void vcpu_ids(void)
{
	static const unsigned long ids[] = {
		1UL << 16, 1UL << 31, ~0U, 1UL << 32, 1UL << 32 | 1, 1UL << 63, ~0UL,
	};
	size_t i;

	vm_create(&vm);
	for (i = 0; i < ARRAY_SIZE(ids); i++)
		CHECK_ERR(ioctl(vm.fd, KVM_CREATE_VCPU, ids[i]), EINVAL);
	/* The highest is one, and may be the first. */
	CHECK_OK(ioctl(vm.fd, KVM_CREATE_VCPU,
		       ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPU_ID) - 1));
	vm_destroy(&vm);
}

static void vcpu_features(void)
{
	struct kvm_vcpu_init init, good;
	int i, bit;

	vm_create(&vm);
	vcpu = vcpu_create(&vm, 0);
	REQUIRE_OK(ioctl(vm.fd, KVM_ARM_PREFERRED_TARGET, &good));
	for (i = 0; i < 7; i++)
		for (bit = i ? 0 : KVM_ARM_VCPU_PMU_V3 + 8; bit < 32; bit++) {
			init = good;
			init.features[i] = 1U << bit;
			CHECK_ERR(ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &init), ENOENT);
		}
	init = good;
	init.features[0] = BIT(KVM_ARM_VCPU_EL1_32BIT);
	if (!ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_EL1_32BIT))
		CHECK_ERR(ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &init), EINVAL);
	/* One kind of pointer authentication without the other. */
	init.features[0] = BIT(KVM_ARM_VCPU_PTRAUTH_ADDRESS);
	CHECK_ERR(ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &init), EINVAL);
	init.features[0] = BIT(KVM_ARM_VCPU_PTRAUTH_GENERIC);
	CHECK_ERR(ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &init), EINVAL);
	for (i = 0; i < 5; i++) {
		init = good;
		init.target = i;
		CHECK_ERR(ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &init), EINVAL);
	}
	init.target = ~0U;
	CHECK_ERR(ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &init), EINVAL);
	/* None of these has initialised it. */
	CHECK_ERR(ioctl(vcpu->fd, KVM_RUN, 0), ENOEXEC);
	vm_destroy(&vm);
}

/* Before KVM_ARM_VCPU_INIT. */
static void before_init(void)
{
	struct kvm_vcpu_events events = {};
	struct kvm_reg_list list = {};
	struct kvm_mp_state mp = {};
	u64 value = 0;
	struct kvm_one_reg reg = { REG_PC, (u64)&value };
	struct kvm_device_attr attr = { .group = KVM_ARM_VCPU_TIMER_CTRL, .addr = (u64)&value };

	vm_create(&vm);
	vcpu = vcpu_create(&vm, 0);
	CHECK_ERR(ioctl(vcpu->fd, KVM_RUN, 0), ENOEXEC);
	CHECK_ERR(ioctl(vcpu->fd, KVM_GET_ONE_REG, &reg), ENOEXEC);
	CHECK_ERR(ioctl(vcpu->fd, KVM_SET_ONE_REG, &reg), ENOEXEC);
	CHECK_ERR(ioctl(vcpu->fd, KVM_GET_REG_LIST, &list), ENOEXEC);
	/* In-tree KVM 6.12 takes these. */
	if (is_keel) {
		CHECK_ERR(ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &events), ENOEXEC);
		CHECK_ERR(ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events), ENOEXEC);
	}
	/* These need no registers. */
	CHECK_OK(ioctl(vcpu->fd, KVM_GET_MP_STATE, &mp));
	CHECK_OK(ioctl(vcpu->fd, KVM_HAS_DEVICE_ATTR, &attr));
	CHECK_OK(ioctl(vcpu->fd, KVM_GET_DEVICE_ATTR, &attr));
	CHECK_ERR(ioctl(vcpu->fd, KVM_RUN, 1), EINVAL);
	vm_destroy(&vm);
}

static void run_argument(void)
{
	static const unsigned long args[] = { 1, 8, 1UL << 32, ~0UL };
	size_t i;

	setup();
	for (i = 0; i < ARRAY_SIZE(args); i++)
		CHECK_ERR(ioctl(vcpu->fd, KVM_RUN, args[i]), EINVAL);
	teardown();
}

static int one_reg(bool set, u64 id, u64 *value)
{
	struct kvm_one_reg reg = { id, (u64)value };

	return ioctl(vcpu->fd, set ? KVM_SET_ONE_REG : KVM_GET_ONE_REG, &reg);
}

static void register_ids(void)
{
	u64 value[32] = {}, id;
	int size, i;

	setup();
	/* Every size but its own, for the register of each kind. */
	for (size = 0; size < 16; size++) {
		id = (REG_PC & ~KVM_REG_SIZE_MASK) | (u64)size << KVM_REG_SIZE_SHIFT;
		if (id == REG_PC)
			continue;
		/* The larger ones reach beyond the end of struct kvm_regs. */
		CHECK_ERR(one_reg(false, id, value), size < 10 ? EINVAL : ENOENT);
		CHECK_ERR(one_reg(true, id, value), size < 10 ? EINVAL : ENOENT);
		id = (REG_MPIDR & ~KVM_REG_SIZE_MASK) | (u64)size << KVM_REG_SIZE_SHIFT;
		CHECK_ERR(one_reg(false, id, value), ENOENT);
		CHECK_ERR(one_reg(true, id, value), ENOENT);
	}
	/* Every other architecture, and bits between the fields. */
	for (i = 0; i < 256; i++) {
		id = (REG_PC & ~KVM_REG_ARCH_MASK) | (u64)i << 56;
		if (id != REG_PC)
			CHECK_ERR(one_reg(false, id, value), EINVAL);
	}
	for (i = 28; i < 52; i++)
		CHECK(one_reg(false, REG_MPIDR ^ BIT(i), value) < 0);
	/* All places in struct kvm_regs that no register starts at. */
	for (i = 0; i < 62; i++)
		CHECK_ERR(one_reg(true, REG_X(0) + i, value), i & 1 ? EINVAL : 0);
	CHECK_ERR(one_reg(false, ~0ULL, value), EINVAL);
	CHECK_ERR(one_reg(false, 0, value), EINVAL);
	vcpu_init(vcpu, false);
	vcpu_start_at(vcpu, RAM_IPA, 0);
	teardown();
}

/* PSTATE as the VMM may and may not set it. */
static void pstate(void)
{
	/* EL2, EL3, reserved modes, AArch32's privileged ones. */
	static const u64 bad[] = { 0x8, 0x9, 0xc, 0xd, 1, 2, 3, 6, 7, 0xf, 0x11, 0x12, 0x13, 0x16,
				   0x17, 0x1a, 0x1b, 0x1f };
	u64 value, good;
	size_t i;

	setup();
	good = vcpu_get(vcpu, REG_PSTATE);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		value = bad[i];
		CHECK_ERR(one_reg(true, REG_PSTATE, &value), EINVAL);
		value = ~0x1fULL | bad[i];
		CHECK_ERR(one_reg(true, REG_PSTATE, &value), EINVAL);
	}
	CHECK_EQ(vcpu_get(vcpu, REG_PSTATE), good);
	/* A mode that exists with everything else set: the guest may stumble, the host may not. */
	value = ~0xfULL & ~BIT(4);
	value |= 5;
	CHECK_OK(one_reg(true, REG_PSTATE, &value));
	vcpu->run->immediate_exit = 1;
	CHECK_EQ(vcpu_run(vcpu), -EINTR);
	vcpu->run->immediate_exit = 0;
	vcpu_set(vcpu, REG_PSTATE, good);
	teardown();
}

static void mp_states(void)
{
	static const u32 bad[] = { 1, 2, 3, 4, 6, 7, 8, 9, 11, 100, 1U << 31, ~0U };
	struct kvm_mp_state mp;
	size_t i;

	setup();
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		mp.mp_state = bad[i];
		CHECK_ERR(ioctl(vcpu->fd, KVM_SET_MP_STATE, &mp), EINVAL);
	}
	REQUIRE_OK(ioctl(vcpu->fd, KVM_GET_MP_STATE, &mp));
	CHECK_EQ(mp.mp_state, KVM_MP_STATE_RUNNABLE);
	teardown();
}

static void signal_masks(void)
{
	struct {
		struct kvm_signal_mask mask;
		u8 set[128];
	} arg = {};
	u32 len;

	setup();
	for (len = 0; len < 128; len++) {
		arg.mask.len = len;
		CHECK_ERR(ioctl(vcpu->fd, KVM_SET_SIGNAL_MASK, &arg), len == 8 ? 0 : EINVAL);
	}
	arg.mask.len = ~0U;
	CHECK_ERR(ioctl(vcpu->fd, KVM_SET_SIGNAL_MASK, &arg), EINVAL);
	/* All signals blocked, they say, and yet the process can be killed: vm_kill.c. */
	arg.mask.len = 8;
	memset(arg.set, 0xff, sizeof(arg.set));
	CHECK_OK(ioctl(vcpu->fd, KVM_SET_SIGNAL_MASK, &arg));
	teardown();
}

static void vcpu_events(void)
{
	struct kvm_vcpu_events ev;
	u8 *byte = (u8 *)&ev;
	size_t i;

	setup();
	/* Each reserved byte: behind the three flags up to the syndrome, and behind that. */
	for (i = 3; i < sizeof(ev); i++) {
		if (i >= offsetof(struct kvm_vcpu_events, exception.serror_esr) &&
		    i < offsetof(struct kvm_vcpu_events, reserved))
			continue;
		memset(&ev, 0, sizeof(ev));
		byte[i] = 1;
		CHECK_ERR(ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &ev), EINVAL);
		byte[i] = 0x80;
		CHECK_ERR(ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &ev), EINVAL);
	}
	for (i = 25; i < 64; i++) {
		memset(&ev, 0, sizeof(ev));
		ev.exception.serror_pending = 1;
		ev.exception.serror_has_esr = 1;
		ev.exception.serror_esr = BIT(i);
		CHECK_ERR(ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &ev), EINVAL);
	}
	REQUIRE_OK(ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &ev));
	CHECK_EQ(ev.exception.serror_pending, 0);
	teardown();
}

static int attr_of(int fd, unsigned int nr, u32 flags, u32 group, u64 attr, void *value)
{
	struct kvm_device_attr a = { flags, group, attr, (u64)value };

	return ioctl(fd, nr, &a);
}

static void timer_attributes(void)
{
	static const int bad[] = { 0, 15, 32, 1023, -1, 1 << 30, INT32_MIN };
	int fd, value = 0, timer;
	size_t i;

	setup();
	fd = vcpu->fd;
	for (timer = VTIMER_IRQ; timer <= PTIMER_IRQ; timer++)
		for (i = 0; i < ARRAY_SIZE(bad); i++) {
			value = bad[i];
			CHECK_ERR(attr_of(fd, KVM_SET_DEVICE_ATTR, 0, KVM_ARM_VCPU_TIMER_CTRL,
					  timer, &value), EINVAL);
		}
	value = 20;
	CHECK_ERR(attr_of(fd, KVM_HAS_DEVICE_ATTR, 0, KVM_ARM_VCPU_TIMER_CTRL, 100, NULL), ENXIO);
	CHECK_ERR(attr_of(fd, KVM_GET_DEVICE_ATTR, 0, KVM_ARM_VCPU_TIMER_CTRL, 100, &value),
		  ENXIO);
	CHECK_ERR(attr_of(fd, KVM_SET_DEVICE_ATTR, 0, KVM_ARM_VCPU_TIMER_CTRL, 100, &value),
		  ENXIO);
	CHECK_ERR(attr_of(fd, KVM_HAS_DEVICE_ATTR, 0, 100, 0, NULL), ENXIO);
	CHECK_ERR(attr_of(fd, KVM_GET_DEVICE_ATTR, 0, ~0U, 0, &value), ENXIO);
	CHECK_ERR(attr_of(fd, KVM_SET_DEVICE_ATTR, 0, ~0U, ~0ULL, &value), ENXIO);
	/* Both timers on one line: the first KVM_RUN finds out. */
	CHECK_OK(attr_of(fd, KVM_SET_DEVICE_ATTR, 0, KVM_ARM_VCPU_TIMER_CTRL, VTIMER_IRQ, &value));
	CHECK_OK(attr_of(fd, KVM_SET_DEVICE_ATTR, 0, KVM_ARM_VCPU_TIMER_CTRL, PTIMER_IRQ, &value));
	CHECK_EQ(vcpu_run(vcpu), -EINVAL);
	value = 27;
	CHECK_OK(attr_of(fd, KVM_SET_DEVICE_ATTR, 0, KVM_ARM_VCPU_TIMER_CTRL, VTIMER_IRQ, &value));
	value = 30;
	CHECK_OK(attr_of(fd, KVM_SET_DEVICE_ATTR, 0, KVM_ARM_VCPU_TIMER_CTRL, PTIMER_IRQ, &value));
	REQUIRE_EQ(vcpu_run(vcpu), 0);
	/* Now the lines are settled. */
	value = 25;
	CHECK_ERR(attr_of(fd, KVM_SET_DEVICE_ATTR, 0, KVM_ARM_VCPU_TIMER_CTRL, VTIMER_IRQ, &value),
		  EBUSY);
	CHECK_EQ(vcpu_run_done(vcpu), 42);
	vm_destroy(&vm);
}

static void vgic_attributes(void)
{
	static const u32 groups[] = { 1, 2, 9, 10, 100, 1U << 31, ~0U };
	struct kvm_create_device dev = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	u64 value = 0;
	size_t i;

	vm_create(&vm);
	vcpu_init(vcpu_create(&vm, 0), false);
	REQUIRE_OK(ioctl(vm.fd, KVM_CREATE_DEVICE, &dev));
	vm.gic = dev.fd;
	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		/* Register access, 1 and 2, may be there or not. */
		if (groups[i] < 3)
			continue;
		CHECK_ERR(attr_of(vm.gic, KVM_HAS_DEVICE_ATTR, 0, groups[i], 0, NULL), ENXIO);
		CHECK_ERR(attr_of(vm.gic, KVM_SET_DEVICE_ATTR, 0, groups[i], 0, &value), ENXIO);
		CHECK_ERR(attr_of(vm.gic, KVM_GET_DEVICE_ATTR, 0, groups[i], 0, &value), ENXIO);
	}
	for (i = 5; i < 64; i++) {
		CHECK_ERR(vm_gic_attr(&vm, true, ADDR, BIT(i), &value), ENXIO);
		CHECK_ERR(vm_gic_attr(&vm, false, ADDR, BIT(i), &value), ENXIO);
		CHECK_ERR(vm_gic_attr(&vm, true, CONTROL, BIT(i), &value), ENXIO);
	}
	for (value = 0; value < 64; value++)
		CHECK_ERR(vm_gic_attr(&vm, true, IRQS, 0, &value), EINVAL);
	value = ~0U;
	CHECK_ERR(vm_gic_attr(&vm, true, IRQS, 0, &value), EINVAL);
	value = 1U << 31;
	CHECK_ERR(vm_gic_attr(&vm, true, IRQS, 0, &value), EINVAL);
	value = 1056;
	CHECK_ERR(vm_gic_attr(&vm, true, IRQS, 0, &value), EINVAL);
	/* Places beyond the guest's memory, around its end, and not at 64 KB. */
	value = ~0xffffULL;
	CHECK(vm_gic_attr(&vm, true, ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &value) < 0);
	CHECK(vm_gic_attr(&vm, true, ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST, &value) < 0);
	value = (1ULL << 40) - 0x8000;
	CHECK(vm_gic_attr(&vm, true, ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &value) < 0);
	value = 1ULL << 40;
	CHECK_ERR(vm_gic_attr(&vm, true, ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &value), E2BIG);
	/* A region of 4095 redistributors that ends behind the guest's memory. */
	value = 0xfffULL << 52 | ((1ULL << 40) - 0x100000);
	CHECK_ERR(vm_gic_attr(&vm, true, ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION, &value),
		  E2BIG);
	value = 1ULL << 52 | 0x8000000 | 0xfff;
	CHECK_ERR(vm_gic_attr(&vm, true, ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION, &value),
		  EINVAL);
	value = 5;
	CHECK_ERR(vm_gic_attr(&vm, false, ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION, &value),
		  ENOENT);
	vm_destroy(&vm);
}

static void devices(void)
{
	static const u32 types[] = { 0, 1, 2, 3, 4, 6, 8, 9, 100, 1U << 31, ~0U };
	struct kvm_create_device dev, *page;
	size_t i;

	vm_create(&vm);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		/* In-tree KVM has the VFIO device, and its own ITS and ARM_PV_TIME numbers. */
		if (!is_keel && types[i] < 16)
			continue;
		dev = (struct kvm_create_device){ .type = types[i] };
		CHECK_ERR(ioctl(vm.fd, KVM_CREATE_DEVICE, &dev), ENODEV);
		dev.flags = KVM_CREATE_DEVICE_TEST;
		CHECK_ERR(ioctl(vm.fd, KVM_CREATE_DEVICE, &dev), ENODEV);
	}
	/* In-tree KVM looks at one flag only. */
	for (i = 1; is_keel && i < 32; i++) {
		dev = (struct kvm_create_device){ KVM_DEV_TYPE_ARM_VGIC_V3, 0, 1U << i };
		CHECK_ERR(ioctl(vm.fd, KVM_CREATE_DEVICE, &dev), EINVAL);
		dev.flags |= KVM_CREATE_DEVICE_TEST;
		CHECK_ERR(ioctl(vm.fd, KVM_CREATE_DEVICE, &dev), EINVAL);
	}
	/* No room for the answer: keel takes the device back, in-tree KVM leaves it in the VM. */
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(page != MAP_FAILED);
	page->type = KVM_DEV_TYPE_ARM_VGIC_V3;
	REQUIRE_OK(mprotect(page, PAGE, PROT_READ));
	CHECK_ERR(ioctl(vm.fd, KVM_CREATE_DEVICE, page), EFAULT);
	dev = (struct kvm_create_device){ .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	CHECK_ERR(ioctl(vm.fd, KVM_CREATE_DEVICE, &dev), is_keel ? 0 : EEXIST);
	vm_destroy(&vm);
}

static int slot2(u32 slot, u32 flags, u64 ipa, u64 size, u64 hva)
{
	struct kvm_userspace_memory_region2 r = { slot, flags, ipa, size, hva, 0, 0, 0, {} };

	return ioctl(vm.fd, KVM_SET_USER_MEMORY_REGION2, &r);
}

static void memory_slots(void)
{
	u64 hva = (u64)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	u64 ipa = 0x80000000;
	u32 i;

	setup();
	/* KVM_MEM_LOG_DIRTY_PAGES, KVM_MEM_READONLY, KVM_MEM_GUEST_MEMFD are 0 to 2. */
	for (i = 3; i < 32; i++) {
		CHECK_ERR(vm_memslot(&vm, 1, 1U << i, ipa, PAGE, (void *)hva), EINVAL);
		CHECK_ERR(slot2(1, 1U << i, ipa, PAGE, hva), EINVAL);
	}
	CHECK_ERR(slot2(1, 4, ipa, PAGE, hva), EINVAL);
	for (i = 0; i < 12; i++) {
		CHECK_ERR(slot2(1, 0, ipa + BIT(i), PAGE, hva), EINVAL);
		CHECK_ERR(slot2(1, 0, ipa, PAGE + BIT(i), hva), EINVAL);
		CHECK_ERR(slot2(1, 0, ipa, PAGE, hva + BIT(i)), EINVAL);
	}
	/* Address spaces of slots; numbers above the last; the top bit. */
	for (i = 16; i < 32; i++)
		CHECK_ERR(slot2(1 | 1U << i, 0, ipa, PAGE, hva), EINVAL);
	CHECK_ERR(slot2(ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_NR_MEMSLOTS), 0, ipa, PAGE, hva),
		  EINVAL);
	/* Sizes that wrap, that no page count holds, that reach the kernel. */
	CHECK_ERR(slot2(1, 0, ipa, -PAGE, hva), EINVAL);
	CHECK_ERR(slot2(1, 0, ipa, 1ULL << 63, hva), EINVAL);
	CHECK_ERR(slot2(1, 0, 0, 1ULL << 52, hva), EINVAL);
	CHECK_ERR(slot2(1, 0, 1ULL << 63, 1ULL << 43, 0), EINVAL);
	CHECK_ERR(slot2(1, 0, ipa, PAGE, 0xffff000000000000), EINVAL);
	CHECK_ERR(slot2(1, 0, ipa, PAGE, hva | 1ULL << 56), EINVAL);
	/* Outside the guest's 40 bits, at all of them. */
	for (i = 40; i < 63; i++)
		CHECK_ERR(slot2(1, 0, BIT(i), PAGE, hva), EFAULT);
	CHECK_ERR(slot2(1, 0, -PAGE, PAGE, hva), EINVAL);
	CHECK_ERR(slot2(1, 0, ipa, 0, hva), EINVAL);
	teardown();
}

static int irq_line(u32 irq)
{
	struct kvm_irq_level level = { .irq = irq, .level = 1 };

	return ioctl(vm.fd, KVM_IRQ_LINE, &level);
}

static void irq_lines(void)
{
	u32 type, i;

	/* No vGIC, then one that has not been initialised. */
	vm_create(&vm);
	vcpu_init(vcpu_create(&vm, 0), false);
	CHECK_ERR(irq_line(KVM_ARM_IRQ_TYPE_SPI << 24 | 32), ENXIO);
	CHECK_ERR(irq_line(KVM_ARM_IRQ_TYPE_PPI << 24 | 16), ENXIO);
	vm_destroy(&vm);

	setup();
	for (type = 3; type < 16; type++)
		CHECK_ERR(irq_line(type << 24 | 32), EINVAL);
	/* vCPUs that are not: the low eight bits of the number, and the four above them. */
	for (i = 0; i < 8; i++)
		CHECK_ERR(irq_line(KVM_ARM_IRQ_TYPE_PPI << 24 | 1U << (16 + i) | 16), EINVAL);
	for (i = 0; i < 4; i++)
		CHECK_ERR(irq_line(KVM_ARM_IRQ_TYPE_PPI << 24 | 1U << (28 + i) | 16), EINVAL);
	for (i = 5; i < 16; i++)
		CHECK_ERR(irq_line(KVM_ARM_IRQ_TYPE_PPI << 24 | 1U << i), EINVAL);
	for (i = 6; i < 16; i++)
		CHECK_ERR(irq_line(KVM_ARM_IRQ_TYPE_SPI << 24 | 1U << i), EINVAL);
	CHECK_ERR(irq_line(KVM_ARM_IRQ_TYPE_SPI << 24), EINVAL);
	CHECK_ERR(irq_line(~0U), EINVAL);
	teardown();
}

static int irqfd(int fd, u32 gsi, u32 flags)
{
	struct kvm_irqfd arg = { .fd = fd, .gsi = gsi, .flags = flags };

	return ioctl(vm.fd, KVM_IRQFD, &arg);
}

static void irqfds(void)
{
	int fd = eventfd(0, 0), pair[2], i;

	REQUIRE_OK(pipe(pair));
	vm_create(&vm);
	vcpu_init(vcpu_create(&vm, 0), false);
	CHECK_ERR(irqfd(fd, 0, 0), EAGAIN);
	vm_destroy(&vm);

	setup();
	for (i = 2; i < 32; i++)
		CHECK_ERR(irqfd(fd, 0, 1U << i), EINVAL);
	CHECK_ERR(irqfd(-1, 0, 0), EBADF);
	CHECK_ERR(irqfd(1000, 0, 0), EBADF);
	CHECK_ERR(irqfd(pair[0], 0, 0), EINVAL);
	CHECK_ERR(irqfd(vm.fd, 0, 0), EINVAL);
	CHECK_ERR(irqfd(-1, 0, KVM_IRQFD_FLAG_DEASSIGN), EBADF);
	CHECK_ERR(irqfd(vm.fd, 0, KVM_IRQFD_FLAG_DEASSIGN), EINVAL);
	/* An SPI that the vGIC has not: in-tree KVM finds out at the first signal. */
	if (is_keel) {
		CHECK_ERR(irqfd(fd, 32, 0), EINVAL);
		CHECK_ERR(irqfd(fd, 1U << 31, 0), EINVAL);
		CHECK_ERR(irqfd(fd, ~0U, 0), EINVAL);
		CHECK_ERR(irqfd(fd, -32U, 0), EINVAL);
	}
	CHECK_OK(irqfd(fd, 31, 0));
	CHECK_ERR(irqfd(fd, 30, 0), EBUSY);
	/* Nothing to take away is no error. */
	CHECK_OK(irqfd(fd, 5, KVM_IRQFD_FLAG_DEASSIGN));
	CHECK_OK(irqfd(fd, 31, KVM_IRQFD_FLAG_DEASSIGN));
	CHECK_OK(irqfd(fd, 31, KVM_IRQFD_FLAG_DEASSIGN));
	close(pair[0]);
	close(pair[1]);
	close(fd);
	teardown();
}

static void ioeventfds(void)
{
	struct kvm_ioeventfd arg;
	int fd = eventfd(0, 0);
	u32 i;

	setup();
	/* In-tree KVM has two flags more, for other machines, and takes them. */
	for (i = is_keel ? 3 : 5; i < 32; i++) {
		arg = (struct kvm_ioeventfd){ .addr = MMIO_IPA, .len = 4, .fd = fd,
					      .flags = 1U << i };
		CHECK_ERR(ioctl(vm.fd, KVM_IOEVENTFD, &arg), EINVAL);
	}
	for (i = 0; i < 64; i++) {
		arg = (struct kvm_ioeventfd){ .addr = MMIO_IPA + 16 * i, .len = i, .fd = fd };
		CHECK_ERR(ioctl(vm.fd, KVM_IOEVENTFD, &arg),
			  !i || i == 1 || i == 2 || i == 4 || i == 8 ? 0 : EINVAL);
	}
	arg = (struct kvm_ioeventfd){ .addr = MMIO_IPA, .len = ~0U, .fd = fd };
	CHECK_ERR(ioctl(vm.fd, KVM_IOEVENTFD, &arg), EINVAL);
	arg = (struct kvm_ioeventfd){ .addr = ~0ULL, .len = 8, .fd = fd };
	CHECK_ERR(ioctl(vm.fd, KVM_IOEVENTFD, &arg), EINVAL);
	arg = (struct kvm_ioeventfd){ .addr = MMIO_IPA, .len = 4, .fd = vm.fd };
	CHECK_ERR(ioctl(vm.fd, KVM_IOEVENTFD, &arg), EINVAL);
	arg.fd = -1;
	CHECK_ERR(ioctl(vm.fd, KVM_IOEVENTFD, &arg), EBADF);
	arg.flags = KVM_IOEVENTFD_FLAG_DEASSIGN;
	CHECK_ERR(ioctl(vm.fd, KVM_IOEVENTFD, &arg), EBADF);
	close(fd);
	teardown();
}

static int enable_cap(u32 cap, u32 flags)
{
	struct kvm_enable_cap arg = { .cap = cap, .flags = flags };

	return ioctl(vm.fd, KVM_ENABLE_CAP, &arg);
}

static void capabilities(void)
{
	u32 i;

	setup();
	/* What there is need not be there to be switched on. */
	CHECK_ERR(enable_cap(KVM_CAP_USER_MEMORY, 0), EINVAL);
	CHECK_ERR(enable_cap(KVM_CAP_IRQCHIP, 0), EINVAL);
	CHECK_ERR(enable_cap(100000, 0), EINVAL);
	CHECK_ERR(enable_cap(~0U, 0), EINVAL);
	for (i = 0; i < 32; i++)
		CHECK_ERR(enable_cap(KVM_CAP_ARM_SYSTEM_SUSPEND, 1U << i), EINVAL);
	teardown();
}

static void coalesced_zones(void)
{
	struct kvm_coalesced_mmio_zone zone = { .addr = MMIO_IPA, .size = 8 };
	int i;

	setup();
	for (i = 1; i < 32; i++) {
		zone.pio = 1U << i;
		CHECK_ERR(ioctl(vm.fd, KVM_REGISTER_COALESCED_MMIO, &zone), EINVAL);
		CHECK_ERR(ioctl(vm.fd, KVM_UNREGISTER_COALESCED_MMIO, &zone), EINVAL);
	}
	/* Zones that hold nothing, or wrap. */
	zone = (struct kvm_coalesced_mmio_zone){ .addr = ~0ULL, .size = ~0U };
	CHECK_OK(ioctl(vm.fd, KVM_REGISTER_COALESCED_MMIO, &zone));
	zone = (struct kvm_coalesced_mmio_zone){ .addr = 1ULL << 63, .size = 0 };
	CHECK_OK(ioctl(vm.fd, KVM_REGISTER_COALESCED_MMIO, &zone));
	teardown();
}

/*
 * A vGIC that lacks something at the first KVM_RUN; then it is put right. For in-tree KVM a VM
 * whose first KVM_RUN failed so is dead.
 */
static void vgic_order(void)
{
	struct kvm_create_device dev = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	u64 dist = GICD_IPA, redist = GICR_IPA;

	vm_create_guest(&vm, guest_run_ten, guest_run_ten_end, 1);
	vcpu = &vm.vcpus[0];
	REQUIRE_OK(ioctl(vm.fd, KVM_CREATE_DEVICE, &dev));
	vm.gic = dev.fd;
	CHECK_ERR(irq_line(KVM_ARM_IRQ_TYPE_CPU << 24), ENXIO);
	CHECK_EQ(vcpu_run(vcpu), -ENXIO);
	if (!is_keel) {
		CHECK_EQ(vcpu_run(vcpu), -EIO);
		return;
	}
	CHECK_OK(vm_gic_attr(&vm, true, ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &dist));
	CHECK_EQ(vcpu_run(vcpu), -ENXIO);
	CHECK_OK(vm_gic_attr(&vm, true, ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST, &redist));
	CHECK_EQ(vcpu_run(vcpu), -EBUSY);
	CHECK_OK(vm_gic_attr(&vm, true, CONTROL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL));
	teardown();
}

static const struct ktap_case cases[] = {
	{ "system_file", system_file },
	{ "vcpu_ids", vcpu_ids },
	{ "vcpu_features", vcpu_features },
	{ "before_init", before_init },
	{ "run_argument", run_argument },
	{ "register_ids", register_ids },
	{ "pstate", pstate },
	{ "mp_states", mp_states },
	{ "signal_masks", signal_masks },
	{ "vcpu_events", vcpu_events },
	{ "timer_attributes", timer_attributes },
	{ "vgic_attributes", vgic_attributes },
	{ "devices", devices },
	{ "memory_slots", memory_slots },
	{ "irq_lines", irq_lines },
	{ "irqfds", irqfds },
	{ "ioeventfds", ioeventfds },
	{ "capabilities", capabilities },
	{ "coalesced_zones", coalesced_zones },
	{ "vgic_order", vgic_order },
};

int main(int argc, char **argv)
{
	is_keel = kvm_is_keel();
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
