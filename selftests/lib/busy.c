// SPDX-License-Identifier: GPL-2.0
/* A guest that is busy for ever, and the machine below it. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "busy.h"

GUEST_DECLARE(busy);

void busy_start(struct vm *vm)
{
	vm_create_guest(vm, guest_busy, guest_busy_end, BUSY_CPUS);
	vm_gic_create(vm, 64);
	vm_start(vm);
}

static void wait_counter(u64 *counter, u64 before)
{
	/* Two: the first may have been under way before. The CPUs are the guest's meanwhile. */
	while (READ_ONCE(*counter) < before + 2)
		usleep(1000);
}

void busy_wait(struct vm *vm)
{
	struct busy *cpus = vm_ptr(vm, SHARED_IPA), before[BUSY_CPUS];
	int i;

	memcpy(before, cpus, sizeof(before));
	for (i = 0; i < BUSY_CPUS; i++) {
		wait_counter(&cpus[i].work, before[i].work);
		wait_counter(&cpus[i].virt, before[i].virt);
		wait_counter(&cpus[i].phys, before[i].phys);
		wait_counter(&cpus[i].sgi, before[i].sgi);
	}
}

void busy_bind(struct vm *vm, int vcpu, int cpu)
{
	cpu_set_t set;
	int i;

	CPU_ZERO(&set);
	for (i = 0; i < CPU_SETSIZE; i++)
		if (cpu < 0 || i == cpu)
			CPU_SET(i, &set);
	REQUIRE_EQ(pthread_setaffinity_np(vm->vcpus[vcpu].thread, sizeof(set), &set), 0);
}

void busy_end(struct vm *vm)
{
	vm_stop(vm);
	vm_destroy(vm);
}

int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

void file_read(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, size - 1);

	text[n < 0 ? 0 : n] = 0;
	text[strcspn(text, "\n")] = 0;
	if (fd >= 0)
		close(fd);
}

void cpu_online(int cpu, bool on)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
	if (access(path, W_OK))
		ktap_skip("there is no CPU %d to take away", cpu);
	REQUIRE_EQ(file_write(path, on ? "1" : "0"), 0);
}

int module_load(const char *path, const char *parameters)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, parameters, 0))
		err = -errno;
	close(fd);
	return err;
}

int module_remove(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}
