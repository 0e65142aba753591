// SPDX-License-Identifier: GPL-2.0
/*
 * Each allocation of each call fails once: the first, the second, and so on until the call needs no
 * more. The call then fails clean, or does without; said again it works, and the guest runs. Copies
 * from and to user space fail in the same way. What is lost on the way kmemleak tells in the end.
 *
 * /proc/self/task/TID/fail-nth counts only what this thread asks for
 * (Documentation/fault-injection/fault-injection.rst).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include "lib/poke.h"
#include "lib/vm.h"

GUEST_DECLARE(run_ten);

#ifndef KVM_GET_STATS_FD
#define KVM_GET_STATS_FD _IO(KVMIO, 0xce)
#endif

#define DEBUGFS		"/sys/kernel/debug"
#define PAGE		4096UL
#define SLOT_SIZE	0x10000UL
#define SLOT_IPA	0x80000000UL
#define MOVED_IPA	0xc0000000UL
/* No call needs as many allocations; if one seems to, the counting is broken. */
#define MANY		5000

static struct vm vm;
static int sys, nth_fd = -1;
static void *memory;
/* What the call of the last round has made. */
static int made;

static void put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0)
		ktap_fail("%s: %s", path, strerror(errno));
	REQUIRE_EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* All allocations may fail, those that may wait too; and quietly. */
static void fault_setup(void)
{
	if (mount("debugfs", DEBUGFS, "debugfs", 0, NULL) && errno != EBUSY)
		ktap_fail("%s: %s", DEBUGFS, strerror(errno));
	put_text(DEBUGFS "/failslab/ignore-gfp-wait", "N");
	put_text(DEBUGFS "/failslab/verbose", "0");
	put_text(DEBUGFS "/fail_page_alloc/ignore-gfp-wait", "N");
	put_text(DEBUGFS "/fail_page_alloc/ignore-gfp-highmem", "N");
	put_text(DEBUGFS "/fail_page_alloc/min-order", "0");
	put_text(DEBUGFS "/fail_page_alloc/verbose", "0");
	put_text(DEBUGFS "/fail_usercopy/verbose", "0");
	nth_fd = open("/proc/self/fail-nth", O_RDWR);
	REQUIRE_OK(nth_fd);
}

static void fault_arm(int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", n);

	REQUIRE_EQ(pwrite(nth_fd, text, len, 0), len);
}

/* Has it hit? Reading and writing the file are copies that count, and may be hit instead. */
static bool fault_disarm(void)
{
	char text[16] = "";
	bool left = pread(nth_fd, text, sizeof(text) - 1, 0) < 0 || atoi(text);

	while (pwrite(nth_fd, "0", 1, 0) != 1)
		continue;
	return !left;
}

static int lowest_fd(void)
{
	int fd = dup(sys);

	close(fd);
	return fd;
}

/**
 * struct step - a call under test
 * @name: for messages
 * @prepare: makes what it needs
 * @call: does it; negative: failed, errno says how
 * @after: it has worked: does what it made work?
 * @destroy: undoes @prepare
 */
struct step {
	const char *name;
	void (*prepare)(void);
	int (*call)(void);
	void (*after)(void);
	void (*destroy)(void);
};

/* One round: the @n-th allocation fails. False: the call makes fewer. */
static bool step_round(const struct step *s, int n)
{
	int ret, err, fd;
	bool hit;

	s->prepare();
	fd = lowest_fd();
	fault_arm(n);
	ret = s->call();
	err = errno;
	hit = fault_disarm();
	if (ret < 0) {
		if (!hit || (err != ENOMEM && err != EFAULT))
			ktap_fail("%s, allocation %d: %s%s", s->name, n, strerror(err),
				  hit ? "" : ", and none has failed");
		/* A call that has failed leaves no file. */
		CHECK_EQ(lowest_fd(), fd);
		ret = s->call();
		if (ret < 0)
			ktap_fail("%s, again after allocation %d: %s", s->name, n,
				  strerror(errno));
	}
	made = ret;
	if (s->after)
		s->after();
	s->destroy();
	return hit;
}

static void run_steps(const struct step *steps, size_t n_steps)
{
	size_t i;
	int n;

	sys = kvm_open();
	fault_setup();
	memory = mmap(NULL, SLOT_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(memory != MAP_FAILED);
	for (i = 0; i < n_steps; i++) {
		for (n = 1; step_round(&steps[i], n); n++)
			REQUIRE(n < MANY);
		ktap_note("%s: %d", steps[i].name, n - 1);
		/* Something was there to fail, or this tests nothing. */
		CHECK(n > 1);
	}
}

static void nothing(void)
{
}

static void close_made(void)
{
	close(made);
}

/* A VM with memory and one vCPU, not initialised. */
static void new_vm(void)
{
	vm_create(&vm);
	vm.ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(vm.ram != MAP_FAILED);
	memcpy(vm.ram, guest_run_ten, guest_run_ten_end - guest_run_ten);
	REQUIRE_OK(vm_memslot(&vm, 0, 0, RAM_IPA, RAM_SIZE, vm.ram));
}

static void new_vcpu(void)
{
	new_vm();
	vcpu_create(&vm, 0);
}

static void new_guest(void)
{
	new_vcpu();
	vcpu_init(&vm.vcpus[0], false);
	vcpu_start_at(&vm.vcpus[0], RAM_IPA, 0);
}

static void new_guest_with_gic(void)
{
	new_guest();
	vm_gic_create(&vm, 64);
}

static void destroy(void)
{
	vm_destroy(&vm);
}

static void guest_runs(void)
{
	REQUIRE_EQ(vcpu_run(&vm.vcpus[0]), 0);
	CHECK_EQ(vcpu_run_done(&vm.vcpus[0]), 42);
}

static void made_vcpu_runs(void)
{
	struct vcpu *vcpu = &vm.vcpus[vm.nr_vcpus++];

	*vcpu = (struct vcpu){ .vm = &vm, .fd = made };
	vcpu->run = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, made, 0);
	REQUIRE(vcpu->run != MAP_FAILED);
	vcpu_init(vcpu, false);
	vcpu_start_at(vcpu, RAM_IPA, 0);
	guest_runs();
}

static void made_file_goes(void)
{
	char c;

	CHECK_EQ(pread(made, &c, 1, 0), 1);
	close(made);
	guest_runs();
}

static int call_create_vm(void)
{
	return ioctl(sys, KVM_CREATE_VM, 0);
}

static int call_keel_info(void)
{
	u32 info[30] = { sizeof(info) };

	return ioctl(sys, _IOWR(0xbe, 0x00, info), info);
}

static int call_create_vcpu(void)
{
	return ioctl(vm.fd, KVM_CREATE_VCPU, 0);
}

static int call_vcpu_init(void)
{
	struct kvm_vcpu_init init = { .target = KVM_ARM_TARGET_GENERIC_V8 };

	init.features[0] = BIT(KVM_ARM_VCPU_PSCI_0_2);
	return ioctl(vm.vcpus[0].fd, KVM_ARM_VCPU_INIT, &init);
}

static void inited_vcpu_runs(void)
{
	vcpu_start_at(&vm.vcpus[0], RAM_IPA, 0);
	guest_runs();
}

static void new_guest_that_ran(void)
{
	new_guest();
	guest_runs();
}

static int call_slot_add(void)
{
	return vm_memslot(&vm, 1, 0, SLOT_IPA, SLOT_SIZE, memory);
}

static void new_slot(void)
{
	new_guest();
	REQUIRE_OK(call_slot_add());
}

static int call_slot_move(void)
{
	return vm_memslot(&vm, 1, 0, MOVED_IPA, SLOT_SIZE, memory);
}

static int call_slot_delete(void)
{
	return vm_memslot(&vm, 1, 0, SLOT_IPA, 0, memory);
}

static int call_zone(void)
{
	struct kvm_coalesced_mmio_zone zone = { .addr = MMIO_IPA, .size = 8 };

	return ioctl(vm.fd, KVM_REGISTER_COALESCED_MMIO, &zone);
}

static int call_vm_stats(void)
{
	return ioctl(vm.fd, KVM_GET_STATS_FD, NULL);
}

static int call_vcpu_stats(void)
{
	return ioctl(vm.vcpus[0].fd, KVM_GET_STATS_FD, NULL);
}

static int call_reg_list(void)
{
	static struct {
		struct kvm_reg_list list;
		u64 reg[2000];
	} list;

	list.list.n = ARRAY_SIZE(list.reg);
	return ioctl(vm.vcpus[0].fd, KVM_GET_REG_LIST, &list);
}

static int call_one_reg(void)
{
	u64 value;
	struct kvm_one_reg reg = { REG_PC, (u64)&value };

	if (ioctl(vm.vcpus[0].fd, KVM_GET_ONE_REG, &reg))
		return -1;
	return ioctl(vm.vcpus[0].fd, KVM_SET_ONE_REG, &reg);
}

static const struct step vm_steps[] = {
	{ "KVM_CREATE_VM", nothing, call_create_vm, close_made, nothing },
	{ "KEEL_INFO", nothing, call_keel_info, NULL, nothing },
	{ "KVM_CREATE_VCPU", new_vm, call_create_vcpu, made_vcpu_runs, destroy },
	{ "KVM_ARM_VCPU_INIT", new_vcpu, call_vcpu_init, inited_vcpu_runs, destroy },
	{ "KVM_ARM_VCPU_INIT again", new_guest_that_ran, call_vcpu_init, inited_vcpu_runs,
	  destroy },
	{ "slot added", new_guest, call_slot_add, guest_runs, destroy },
	{ "slot moved", new_slot, call_slot_move, guest_runs, destroy },
	{ "slot deleted", new_slot, call_slot_delete, guest_runs, destroy },
	{ "KVM_REGISTER_COALESCED_MMIO", new_guest, call_zone, guest_runs, destroy },
	{ "KVM_GET_STATS_FD of a VM", new_guest, call_vm_stats, made_file_goes, destroy },
	{ "KVM_GET_STATS_FD of a vCPU", new_guest, call_vcpu_stats, made_file_goes, destroy },
	{ "KVM_GET_REG_LIST", new_guest, call_reg_list, guest_runs, destroy },
	{ "KVM_GET_ONE_REG, KVM_SET_ONE_REG", new_guest, call_one_reg, guest_runs, destroy },
};

static void vms(void)
{
	run_steps(vm_steps, ARRAY_SIZE(vm_steps));
}

static int call_create_device(void)
{
	struct kvm_create_device dev = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };

	return ioctl(vm.fd, KVM_CREATE_DEVICE, &dev) ? -1 : (int)dev.fd;
}

static void device_goes(void)
{
	close(made);
	guest_runs();
}

static void new_device(void)
{
	new_guest();
	vm.gic = call_create_device();
	REQUIRE_OK(vm.gic);
}

static int call_gic_addresses(void)
{
	u64 dist = GICD_IPA, redist = GICR_IPA;

	if (vm_gic_attr(&vm, true, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &dist) &&
	    errno != EEXIST)
		return -1;
	return vm_gic_attr(&vm, true, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST,
			   &redist);
}

static int call_gic_init(void)
{
	return vm_gic_attr(&vm, true, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
}

static void addressed_gic_runs(void)
{
	REQUIRE_OK(call_gic_init());
	guest_runs();
}

static void new_addressed_gic(void)
{
	new_device();
	REQUIRE_OK(call_gic_addresses());
}

static int event;

static int call_irqfd(void)
{
	struct kvm_irqfd arg = { .fd = event, .gsi = 3 };

	return ioctl(vm.fd, KVM_IRQFD, &arg);
}

static int call_irqfd_off(void)
{
	struct kvm_irqfd arg = { .fd = event, .gsi = 3, .flags = KVM_IRQFD_FLAG_DEASSIGN };

	return ioctl(vm.fd, KVM_IRQFD, &arg);
}

static int ioeventfd(u64 addr, u64 value, u32 flags)
{
	struct kvm_ioeventfd arg = {
		.datamatch = value,
		.addr = addr,
		.len = 4,
		.fd = event,
		.flags = KVM_IOEVENTFD_FLAG_DATAMATCH | flags,
	};

	return ioctl(vm.fd, KVM_IOEVENTFD, &arg);
}

static int call_ioeventfd(void)
{
	return ioeventfd(MMIO_IPA, 1, 0);
}

static int call_ioeventfd_second(void)
{
	return ioeventfd(MMIO_IPA, 2, 0);
}

static int call_ioeventfd_off(void)
{
	return ioeventfd(MMIO_IPA, 1, KVM_IOEVENTFD_FLAG_DEASSIGN);
}

static void new_event(void)
{
	new_guest_with_gic();
	event = eventfd(0, EFD_NONBLOCK);
	REQUIRE_OK(event);
}

static void new_irqfd(void)
{
	new_event();
	REQUIRE_OK(call_irqfd());
}

static void new_ioeventfd(void)
{
	new_event();
	REQUIRE_OK(call_ioeventfd());
}

static void destroy_event(void)
{
	vm_destroy(&vm);
	close(event);
}

/* The signal arrives in the vGIC, and is read there: the count is gone. */
static void irqfd_works(void)
{
	eventfd_t count;

	CHECK_OK(eventfd_write(event, 1));
	CHECK_ERR(eventfd_read(event, &count), EAGAIN);
	guest_runs();
}

static const struct step device_steps[] = {
	{ "KVM_CREATE_DEVICE", new_guest, call_create_device, device_goes, destroy },
	{ "vGIC addresses", new_device, call_gic_addresses, addressed_gic_runs, destroy },
	{ "vGIC initialisation", new_addressed_gic, call_gic_init, guest_runs, destroy },
	{ "KVM_IRQFD", new_event, call_irqfd, irqfd_works, destroy_event },
	{ "KVM_IRQFD, deassign", new_irqfd, call_irqfd_off, guest_runs, destroy_event },
	{ "KVM_IOEVENTFD", new_event, call_ioeventfd, guest_runs, destroy_event },
	{ "KVM_IOEVENTFD, a second one", new_ioeventfd, call_ioeventfd_second, guest_runs,
	  destroy_event },
	{ "KVM_IOEVENTFD, deassign", new_ioeventfd, call_ioeventfd_off, guest_runs,
	  destroy_event },
};

static void devices(void)
{
	run_steps(device_steps, ARRAY_SIZE(device_steps));
}

static int call_run(void)
{
	return ioctl(vm.vcpus[0].fd, KVM_RUN, 0);
}

/* The first KVM_RUN is over, with the one exit before the guest's end. */
static void guest_ends(void)
{
	CHECK_EQ(vcpu_run_done(&vm.vcpus[0]), 42);
}

/* The next thing that the guest does is a store to a place of its own: new tables, a new page. */
static void new_poke(void)
{
	struct poke cmd = { .op = POKE_WRITE, .addr = SLOT_IPA + PAGE, .len = 8, .value = 77 };

	memory = mmap(memory, SLOT_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	REQUIRE(memory != MAP_FAILED);
	poke_create(&vm);
	REQUIRE_OK(vm_memslot(&vm, 1, 0, SLOT_IPA, SLOT_SIZE, memory));
	memcpy(vm_ptr(&vm, SHARED_IPA), &cmd, sizeof(cmd));
}

static void new_poke_read_only(void)
{
	struct poke cmd = { .op = POKE_READ, .addr = SLOT_IPA, .len = 8 };

	new_poke();
	REQUIRE_OK(vm_memslot(&vm, 1, 0, SLOT_IPA, 0, memory));
	REQUIRE_OK(vm_memslot(&vm, 1, KVM_MEM_READONLY, SLOT_IPA, SLOT_SIZE, memory));
	memcpy(vm_ptr(&vm, SHARED_IPA), &cmd, sizeof(cmd));
}

static void poked(void)
{
	u64 seen;

	memcpy(&seen, (char *)memory + PAGE, sizeof(seen));
	CHECK_EQ(seen, 77);
	CHECK_EQ(vm.vcpus[0].run->exit_reason, KVM_EXIT_MMIO);
	CHECK_EQ(vm.vcpus[0].run->mmio.phys_addr, REPORT_IPA);
	CHECK_EQ(poke_read(&vm, SLOT_IPA + PAGE, 8), 77);
	CHECK_EQ(poke_read(&vm, SLOT_IPA + 2 * PAGE, 8), 0);
}

static void poked_read_only(void)
{
	CHECK_EQ(vm.vcpus[0].run->mmio.phys_addr, REPORT_IPA);
	CHECK_EQ(poke_read(&vm, SLOT_IPA + PAGE, 8), 0);
}

static const struct step run_steps_of_guests[] = {
	{ "first KVM_RUN", new_guest_with_gic, call_run, guest_ends, destroy },
	{ "stage-2 fault by a store", new_poke, call_run, poked, destroy },
	{ "stage-2 fault by a load", new_poke_read_only, call_run, poked_read_only, destroy },
};

static void runs(void)
{
	run_steps(run_steps_of_guests, ARRAY_SIZE(run_steps_of_guests));
}

static const struct ktap_case cases[] = {
	{ "vms", vms },
	{ "devices", devices },
	{ "runs", runs },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
