// SPDX-License-Identifier: GPL-2.0
/* A small VMM for tests: VMs, vCPUs, their threads and the report channel. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vm.h"

/* Wakes a vCPU thread out of KVM_RUN; its handler does nothing. */
#define SIG_KICK SIGUSR1

const char *kvm_node(void)
{
	const char *path = getenv("KEEL_DEV");

	if (path && *path)
		return path;
	return access("/dev/keel", F_OK) ? "/dev/kvm" : "/dev/keel";
}

bool kvm_is_keel(void)
{
	return !access("/dev/keel", F_OK);
}

long keel_parameter(const char *name)
{
	char path[80], text[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/keel/parameters/%s", name);
	f = fopen(path, "r");
	if (!f)
		return -1;
	REQUIRE(fgets(text, sizeof(text), f));
	fclose(f);
	return *text == 'Y' ? 1 : strtol(text, NULL, 10);
}

void keel_parameter_set(const char *name, long value)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/keel/parameters/%s", name);
	f = fopen(path, "w");
	REQUIRE(f);
	fprintf(f, "%ld\n", value);
	REQUIRE(!fclose(f));
}

int kvm_open(void)
{
	int fd = open(kvm_node(), O_RDWR | O_CLOEXEC);

	if (fd < 0)
		ktap_fail("%s: %s", kvm_node(), strerror(errno));
	return fd;
}

/* Where the value of counter @name is in the file; 0 if there is no such counter. */
static u64 stat_offset(int fd, const struct kvm_stats_header *header, const char *name)
{
	size_t size = sizeof(struct kvm_stats_desc) + header->name_size;
	struct kvm_stats_desc *desc = malloc(size);
	u64 offset = 0;
	u32 i;

	REQUIRE(desc);
	for (i = 0; i < header->num_desc && !offset; i++) {
		REQUIRE_EQ(pread(fd, desc, size, header->desc_offset + i * size), size);
		if (!strncmp(desc->name, name, header->name_size))
			offset = header->data_offset + desc->offset;
	}
	free(desc);
	return offset;
}

int kvm_stats_open(int fd)
{
	int stats = ioctl(fd, KVM_GET_STATS_FD, NULL);

	REQUIRE_OK(stats);
	return stats;
}

u64 kvm_stat(int stats, const char *name)
{
	struct kvm_stats_header header;
	u64 offset, value;

	REQUIRE_EQ(pread(stats, &header, sizeof(header), 0), sizeof(header));
	offset = stat_offset(stats, &header, name);
	if (!offset)
		ktap_fail("there is no counter %s", name);
	REQUIRE_EQ(pread(stats, &value, sizeof(value), offset), sizeof(value));
	return value;
}

void vm_create_type(struct vm *vm, unsigned long type)
{
	int sys = kvm_open();

	memset(vm, 0, sizeof(*vm));
	vm->gic = -1;
	vm->fd = ioctl(sys, KVM_CREATE_VM, type);
	REQUIRE_OK(vm->fd);
	close(sys);
}

void vm_create(struct vm *vm)
{
	vm_create_type(vm, 0);
}

int vm_memslot(struct vm *vm, u32 slot, u32 flags, u64 ipa, u64 size, void *hva)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = ipa,
		.memory_size = size,
		.userspace_addr = (u64)hva,
	};

	return ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region);
}

static void vm_load(struct vm *vm, const char *image, const char *end)
{
	vm->ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(vm->ram != MAP_FAILED);
	REQUIRE(end - image < (long)(SHARED_IPA - RAM_IPA));
	memcpy(vm->ram, image, end - image);
	REQUIRE_OK(vm_memslot(vm, 0, 0, RAM_IPA, RAM_SIZE, vm->ram));
}

void vm_add_guest(struct vm *vm, const char *image, const char *end, int nr_vcpus)
{
	int i;

	vm_load(vm, image, end);
	for (i = 0; i < nr_vcpus; i++)
		vcpu_init(vcpu_create(vm, i), i > 0);
	if (nr_vcpus)
		vcpu_start_at(&vm->vcpus[0], RAM_IPA, 0);
}

void vm_create_guest(struct vm *vm, const char *image, const char *end, int nr_vcpus)
{
	vm_create(vm);
	vm_add_guest(vm, image, end, nr_vcpus);
}

int vm_gic_attr(struct vm *vm, bool set, u32 group, u64 attr, void *value)
{
	struct kvm_device_attr a = {
		.group = group,
		.attr = attr,
		.addr = (u64)value,
	};

	return ioctl(vm->gic, set ? KVM_SET_DEVICE_ATTR : KVM_GET_DEVICE_ATTR, &a);
}

void vm_gic_create(struct vm *vm, u32 nr_irqs)
{
	struct kvm_create_device dev = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	u64 dist = GICD_IPA, redist = GICR_IPA;

	REQUIRE_OK(ioctl(vm->fd, KVM_CREATE_DEVICE, &dev));
	vm->gic = dev.fd;
	REQUIRE_OK(vm_gic_attr(vm, true, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &nr_irqs));
	REQUIRE_OK(vm_gic_attr(vm, true, KVM_DEV_ARM_VGIC_GRP_ADDR,
			       KVM_VGIC_V3_ADDR_TYPE_DIST, &dist));
	REQUIRE_OK(vm_gic_attr(vm, true, KVM_DEV_ARM_VGIC_GRP_ADDR,
			       KVM_VGIC_V3_ADDR_TYPE_REDIST, &redist));
	REQUIRE_OK(vm_gic_attr(vm, true, KVM_DEV_ARM_VGIC_GRP_CTRL,
			       KVM_DEV_ARM_VGIC_CTRL_INIT, NULL));
}

int vm_irq_line(struct vm *vm, u32 type, u32 cpu, u32 intid, int level)
{
	struct kvm_irq_level irq = {
		.irq = type << KVM_ARM_IRQ_TYPE_SHIFT | cpu << KVM_ARM_IRQ_VCPU_SHIFT | intid,
		.level = level,
	};

	return ioctl(vm->fd, KVM_IRQ_LINE, &irq);
}

static long run_page_size(void)
{
	static long size;
	int sys;

	if (!size) {
		sys = kvm_open();
		size = ioctl(sys, KVM_GET_VCPU_MMAP_SIZE, 0);
		REQUIRE_OK(size);
		close(sys);
	}
	return size;
}

void vm_destroy(struct vm *vm)
{
	int i;

	for (i = 0; i < vm->nr_vcpus; i++) {
		munmap(vm->vcpus[i].run, run_page_size());
		close(vm->vcpus[i].fd);
	}
	if (vm->gic >= 0)
		close(vm->gic);
	close(vm->fd);
	if (vm->ram)
		munmap(vm->ram, RAM_SIZE);
}

struct vcpu *vcpu_create(struct vm *vm, int id)
{
	struct vcpu *vcpu = &vm->vcpus[vm->nr_vcpus];

	REQUIRE(vm->nr_vcpus < VM_MAX_VCPUS);
	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, id);
	REQUIRE_OK(vcpu->fd);
	vcpu->run = mmap(NULL, run_page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	REQUIRE(vcpu->run != MAP_FAILED);
	vm->nr_vcpus++;
	return vcpu;
}

void vcpu_init(struct vcpu *vcpu, bool power_off)
{
	struct kvm_vcpu_init init;

	REQUIRE_OK(ioctl(vcpu->vm->fd, KVM_ARM_PREFERRED_TARGET, &init));
	init.features[0] |= BIT(KVM_ARM_VCPU_PSCI_0_2);
	if (power_off)
		init.features[0] |= BIT(KVM_ARM_VCPU_POWER_OFF);
	REQUIRE_OK(ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &init));
}

u64 vcpu_get(struct vcpu *vcpu, u64 id)
{
	u64 value = 0;
	struct kvm_one_reg reg = { .id = id, .addr = (u64)&value };

	REQUIRE_OK(ioctl(vcpu->fd, KVM_GET_ONE_REG, &reg));
	return value;
}

void vcpu_set(struct vcpu *vcpu, u64 id, u64 value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (u64)&value };

	REQUIRE_OK(ioctl(vcpu->fd, KVM_SET_ONE_REG, &reg));
}

void vcpu_start_at(struct vcpu *vcpu, u64 pc, u64 x0)
{
	vcpu_set(vcpu, REG_PC, pc);
	vcpu_set(vcpu, REG_X(0), x0);
}

void *vm_ptr(struct vm *vm, u64 ipa)
{
	if (ipa < RAM_IPA || ipa - RAM_IPA >= RAM_SIZE)
		ktap_fail("the guest gave %#llx, which is not in its memory", ipa);
	return (char *)vm->ram + (ipa - RAM_IPA);
}

int vcpu_run(struct vcpu *vcpu)
{
	return ioctl(vcpu->fd, KVM_RUN, 0) ? -errno : 0;
}

void vcpu_complete(struct vcpu *vcpu)
{
	vcpu->run->immediate_exit = 1;
	REQUIRE_EQ(vcpu_run(vcpu), -EINTR);
	vcpu->run->immediate_exit = 0;
}

void vcpu_bad_exit(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	ktap_note("vCPU %d: exit %u at pc %#llx", vcpu->id, run->exit_reason,
		  vcpu_get(vcpu, REG_PC));
	if (run->exit_reason == KVM_EXIT_MMIO)
		ktap_note("MMIO %s of %u bytes at %#llx", run->mmio.is_write ? "write" : "read",
			  run->mmio.len, run->mmio.phys_addr);
	if (run->exit_reason == KVM_EXIT_SYSTEM_EVENT)
		ktap_note("system event %u", run->system_event.type);
	ktap_fail("a guest's exit that was not expected");
}

static void report_assert(struct vcpu *vcpu, u64 value)
{
	struct report_assert a;

	if (value < RAM_IPA)
		ktap_fail("guest, line %llu", value);
	memcpy(&a, vm_ptr(vcpu->vm, value), sizeof(a));
	ktap_fail("guest, vCPU %d, %s:%llu: %s: got %#llx, not %#llx", vcpu->id,
		  (char *)vm_ptr(vcpu->vm, a.file), a.line, (char *)vm_ptr(vcpu->vm, a.expr),
		  a.got, a.want);
}

/* Fill @report from the exit in kvm_run, if it is one. */
static bool report_take(struct vcpu *vcpu, struct report *report)
{
	struct kvm_run *run = vcpu->run;
	u64 word;

	if (run->exit_reason != KVM_EXIT_MMIO || run->mmio.phys_addr != REPORT_IPA ||
	    !run->mmio.is_write || run->mmio.len != 8)
		return false;
	memcpy(&word, run->mmio.data, sizeof(word));
	report->kind = word >> REPORT_SHIFT;
	report->value = word & (BIT(REPORT_SHIFT) - 1);
	return true;
}

/* Has the exit in kvm_run been dealt with, so that the guest can go on? */
static bool exit_handled(struct vcpu *vcpu, struct report *report)
{
	if (report_take(vcpu, report)) {
		if (report->kind == REPORT_ASSERT)
			report_assert(vcpu, report->value);
		if (report->kind != REPORT_PRINT)
			return false;
		ktap_note("guest: %s", (char *)vm_ptr(vcpu->vm, report->value));
		return true;
	}
	return vcpu->vm->exit && vcpu->vm->exit(vcpu);
}

/* KVM_RUN, again for as long as the test says so of memory that cannot be had. */
static int run_faults(struct vcpu *vcpu)
{
	int ret;

	do {
		ret = vcpu_run(vcpu);
	} while (ret == -EFAULT && vcpu->vm->fault && vcpu->vm->fault(vcpu));
	return ret;
}

struct report vcpu_run_report(struct vcpu *vcpu)
{
	struct report report;
	int ret;

	do {
		memset(&report, 0, sizeof(report));
		ret = run_faults(vcpu);
		if (ret)
			break;
	} while (exit_handled(vcpu, &report));
	if (ret && ret != -EINTR)
		ktap_fail("KVM_RUN on vCPU %d: %s", vcpu->id, strerror(-ret));
	report.interrupted = ret;
	return report;
}

static u64 run_until(struct vcpu *vcpu, u32 kind)
{
	struct report report = vcpu_run_report(vcpu);

	if (report.kind != kind) {
		if (report.interrupted)
			ktap_fail("a signal interrupted KVM_RUN");
		if (report.kind)
			ktap_note("report %u, value %#llx", report.kind, report.value);
		vcpu_bad_exit(vcpu);
	}
	return report.value;
}

u64 vcpu_run_sync(struct vcpu *vcpu)
{
	return run_until(vcpu, REPORT_SYNC);
}

u64 vcpu_run_done(struct vcpu *vcpu)
{
	return run_until(vcpu, REPORT_DONE);
}

static void kick_handler(int sig __always_unused)
{
}

void vm_finish(struct vm *vm, u64 value)
{
	if (__atomic_exchange_n(&vm->finished, true, __ATOMIC_ACQ_REL))
		return;
	vm->done = value;
	sem_post(&vm->over);
}

static void vcpu_thread_exit(struct vcpu *vcpu, const struct report *report)
{
	switch (report->kind) {
	case REPORT_DONE:
		vm_finish(vcpu->vm, report->value);
		break;
	case REPORT_SYNC:
		if (vcpu->vm->sync) {
			vcpu->vm->sync(vcpu, report->value);
			break;
		}
		/* fall through */
	default:
		if (!report->interrupted)
			vcpu_bad_exit(vcpu);
	}
}

static void *vcpu_thread(void *arg)
{
	struct vcpu *vcpu = arg;
	struct report report;

	while (!READ_ONCE(vcpu->stop) && !READ_ONCE(vcpu->vm->finished)) {
		report = vcpu_run_report(vcpu);
		vcpu_thread_exit(vcpu, &report);
	}
	return NULL;
}

void vm_start(struct vm *vm)
{
	struct sigaction sa = { .sa_handler = kick_handler };
	int i;

	REQUIRE_OK(sigaction(SIG_KICK, &sa, NULL));
	vm->finished = false;
	sem_init(&vm->over, 0, 0);
	for (i = 0; i < vm->nr_vcpus; i++) {
		vm->vcpus[i].stop = false;
		vm->vcpus[i].run->immediate_exit = 0;
		REQUIRE(!pthread_create(&vm->vcpus[i].thread, NULL, vcpu_thread, &vm->vcpus[i]));
	}
}

void vm_stop(struct vm *vm)
{
	int i;

	for (i = 0; i < vm->nr_vcpus; i++) {
		WRITE_ONCE(vm->vcpus[i].stop, true);
		/* The signal ends a KVM_RUN under way, immediate_exit one about to start. */
		WRITE_ONCE(vm->vcpus[i].run->immediate_exit, 1);
		pthread_kill(vm->vcpus[i].thread, SIG_KICK);
	}
	for (i = 0; i < vm->nr_vcpus; i++) {
		pthread_join(vm->vcpus[i].thread, NULL);
		vm->vcpus[i].run->immediate_exit = 0;
	}
}

u64 vm_wait(struct vm *vm)
{
	while (sem_wait(&vm->over))
		;
	vm_stop(vm);
	return vm->done;
}
