// SPDX-License-Identifier: GPL-2.0
/* The vCPUs: a thread each, which lives in KVM_RUN. */
#include <errno.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "vcpu.h"
#include "vm.h"

#define CORE_REG(name)	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | \
			 KVM_REG_ARM_CORE_REG(name))
#define REG_MPIDR_EL1	ARM64_SYS_REG(3, 0, 0, 0, 5)
#define MPIDR_AFFINITY	0xff00ffffffULL
/* EL1 with its own stack pointer, all interrupts masked: the kernel's boot protocol. */
#define PSTATE_BOOT	(PSR_MODE_EL1h | PSR_D_BIT | PSR_A_BIT | PSR_I_BIT | PSR_F_BIT)
#define KICK_SIGNAL	SIGUSR1

static int get_reg(struct vcpu *vcpu, u64 id, u64 *value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)value };

	return ioctl(vcpu->fd, KVM_GET_ONE_REG, &reg);
}

static void set_reg(struct vcpu *vcpu, u64 id, u64 value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };

	if (ioctl(vcpu->fd, KVM_SET_ONE_REG, &reg))
		die("cannot set register 0x%llx of a vCPU: %s; use a newer keel.ko or kernel",
		    (unsigned long long)id, strerror(errno));
}

static bool has_cap(struct vm *vm, int cap)
{
	return ioctl(vm->kvm_fd, KVM_CHECK_EXTENSION, cap) > 0;
}

static void init_vcpu(struct vcpu *vcpu)
{
	struct kvm_vcpu_init init;

	if (ioctl(vcpu->vm->fd, KVM_ARM_PREFERRED_TARGET, &init))
		die("cannot ask for the kind of vCPU: %s; use a newer keel.ko or kernel",
		    strerror(errno));
	init.features[0] |= 1U << KVM_ARM_VCPU_PSCI_0_2;
	if (vcpu->index)
		init.features[0] |= 1U << KVM_ARM_VCPU_POWER_OFF;
	if (has_cap(vcpu->vm, KVM_CAP_ARM_PTRAUTH_ADDRESS) &&
	    has_cap(vcpu->vm, KVM_CAP_ARM_PTRAUTH_GENERIC))
		init.features[0] |= 1U << KVM_ARM_VCPU_PTRAUTH_ADDRESS |
				    1U << KVM_ARM_VCPU_PTRAUTH_GENERIC;
	if (ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &init))
		die("cannot initialise a vCPU: %s; use a newer keel.ko or kernel", strerror(errno));
}

static void create_vcpu(struct vm *vm, struct vcpu *vcpu, unsigned int index)
{
	int size = ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);

	vcpu->vm = vm;
	vcpu->index = index;
	vcpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)index);
	if (vcpu->fd < 0)
		die("cannot create vCPU %u: %s; use fewer --cpus", index, strerror(errno));
	if (size < (int)sizeof(struct kvm_run))
		die("the KVM node has a run area of %d bytes: use a newer keel.ko or kernel", size);
	vcpu->run_size = size;
	vcpu->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED)
		die("cannot map a vCPU's run area: %s; use fewer --cpus", strerror(errno));
	init_vcpu(vcpu);
	if (get_reg(vcpu, REG_MPIDR_EL1, &vcpu->mpidr))
		die("cannot read MPIDR_EL1 of a vCPU: %s; use a newer keel.ko or kernel",
		    strerror(errno));
	vcpu->mpidr &= MPIDR_AFFINITY;
}

void vcpus_create(struct vm *vm)
{
	vm->vcpus = xcalloc(vm->nr_vcpus, sizeof(*vm->vcpus));
	for (unsigned int i = 0; i < vm->nr_vcpus; i++)
		create_vcpu(vm, &vm->vcpus[i], i);
}

void vcpus_destroy(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		munmap(vm->vcpus[i].run, vm->vcpus[i].run_size);
		close(vm->vcpus[i].fd);
	}
	free(vm->vcpus);
}

static void crash(struct vcpu *vcpu, const char *what, u64 detail)
{
	u64 pc = 0;

	get_reg(vcpu, CORE_REG(regs.pc), &pc);
	message("vCPU %u cannot go on: %s (%llu), pc 0x%llx", vcpu->index, what,
		(unsigned long long)detail, (unsigned long long)pc);
	vm_stop(vcpu->vm, VM_CRASH);
}

static void handle_mmio(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	unsigned int len = run->mmio.len;
	u64 value = 0;

	if (len > sizeof(value)) {
		crash(vcpu, "the kernel reports an access of a wrong width", len);
		return;
	}
	/* The kernel gives and takes the host's byte order, which is little-endian here. */
	if (run->mmio.is_write) {
		memcpy(&value, run->mmio.data, len);
		bus_write(&vcpu->vm->bus, run->mmio.phys_addr, len, value);
	} else {
		value = bus_read(&vcpu->vm->bus, run->mmio.phys_addr, len);
		memcpy(run->mmio.data, &value, len);
	}
}

static void handle_system_event(struct vcpu *vcpu)
{
	u32 type = vcpu->run->system_event.type;

	switch (type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		vm_stop(vcpu->vm, VM_OFF);
		break;
	case KVM_SYSTEM_EVENT_RESET:
		vm_stop(vcpu->vm, VM_RESET);
		break;
	case KVM_SYSTEM_EVENT_CRASH:
		message("the guest says that it has crashed");
		vm_stop(vcpu->vm, VM_CRASH);
		break;
	default:
		crash(vcpu, "unknown system event", type);
	}
}

static void handle_exit(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	u32 reason = run->exit_reason;

	vcpu->exits[reason < VCPU_EXITS ? reason : VCPU_EXITS - 1]++;
	switch (reason) {
	case KVM_EXIT_MMIO:
		handle_mmio(vcpu);
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		handle_system_event(vcpu);
		break;
	case KVM_EXIT_INTR:
		break;
	case KVM_EXIT_SHUTDOWN:
		vm_stop(vcpu->vm, VM_OFF);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		crash(vcpu, "the CPU refused to enter the guest",
		      run->fail_entry.hardware_entry_failure_reason);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		crash(vcpu, "the kernel reports an internal error", run->internal.suberror);
		break;
	default:
		crash(vcpu, "unknown exit reason", reason);
	}
}

static void *vcpu_thread(void *arg)
{
	struct vcpu *vcpu = arg;
	struct vm *vm = vcpu->vm;

	while (!__atomic_load_n(&vm->stop, __ATOMIC_ACQUIRE)) {
		if (!ioctl(vcpu->fd, KVM_RUN, 0)) {
			handle_exit(vcpu);
		} else if (errno == EINTR || errno == EAGAIN) {
			vcpu->exits[KVM_EXIT_INTR]++;
		} else {
			int err = errno;

			crash(vcpu, strerror(err), err);
		}
	}
	return NULL;
}

static void kicked(int sig)
{
	(void)sig;
}

void vcpus_start(struct vm *vm, u64 entry, u64 arg)
{
	struct sigaction kick = { .sa_handler = kicked };
	struct vcpu *boot = &vm->vcpus[0];

	/* No SA_RESTART: a kick ends every system call that waits. */
	sigaction(KICK_SIGNAL, &kick, NULL);

	set_reg(boot, CORE_REG(regs.pstate), PSTATE_BOOT);
	set_reg(boot, CORE_REG(regs.regs[0]), arg);
	for (int i = 1; i < 4; i++)
		set_reg(boot, CORE_REG(regs.regs[0]) + i * sizeof(u64) / sizeof(u32), 0);
	set_reg(boot, CORE_REG(regs.pc), entry);

	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		int err = pthread_create(&vm->vcpus[i].thread, NULL, vcpu_thread, &vm->vcpus[i]);

		if (err)
			die("cannot start the thread of vCPU %u: %s; use fewer --cpus", i,
			    strerror(err));
	}
}

/* The signal alone could come just before KVM_RUN is entered; immediate_exit stays. */
static void kick(struct vcpu *vcpu)
{
	__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_RELEASE);
	pthread_kill(vcpu->thread, KICK_SIGNAL);
}

void vcpus_join(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->nr_vcpus; i++)
		kick(&vm->vcpus[i]);
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		struct timespec soon;

		/* Other system calls have no immediate_exit: kick again until it worked. */
		do {
			kick(&vm->vcpus[i]);
			clock_gettime(CLOCK_REALTIME, &soon);
			soon.tv_sec += 1;
		} while (pthread_timedjoin_np(vm->vcpus[i].thread, NULL, &soon) == ETIMEDOUT);
	}
}
