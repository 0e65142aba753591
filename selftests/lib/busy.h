/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest whose four CPUs do something of everything for ever (guests/busy.c), for tests of what
 * happens to the machine below it; and the machine: its CPUs, sysfs files, modules.
 */
#ifndef SELFTESTS_BUSY_H
#define SELFTESTS_BUSY_H

#include "common.h"

#define BUSY_CPUS	4

/**
 * struct busy - what a CPU of the guest has done so far, at SHARED_IPA for each
 * @work: words written, and found again later
 * @virt: interrupts of its virtual timer
 * @phys: interrupts of its physical timer
 * @sgi: of another CPU's
 * @now: its virtual counter, some time ago
 */
struct busy {
	u64 work;
	u64 virt;
	u64 phys;
	u64 sgi;
	u64 now;
	u64 unused[3];
};

#ifndef GUEST_H

#include "vm.h"

/**
 * busy_start() - make the VM and run it in threads
 * @vm: filled in
 */
void busy_start(struct vm *vm);

/**
 * busy_wait() - wait until every CPU of the guest has gone on in all that it does
 * @vm: the VM
 */
void busy_wait(struct vm *vm);

/**
 * busy_bind() - a vCPU's thread runs on one CPU only
 * @vm: the VM
 * @vcpu: index
 * @cpu: host CPU, or -1 for any
 */
void busy_bind(struct vm *vm, int vcpu, int cpu);

/**
 * busy_end() - end the threads and the VM
 * @vm: the VM
 */
void busy_end(struct vm *vm);

/**
 * file_write() - write to a file of sysfs or the like
 * @path: its name
 * @text: in one write()
 *
 * Return: 0 or -errno
 */
int file_write(const char *path, const char *text);

/**
 * file_read() - read such a file
 * @path: its name
 * @text: filled in, without the last newline; empty if there is no such file
 * @size: of @text
 */
void file_read(const char *path, char *text, size_t size);

/**
 * cpu_online() - take a CPU away or bring it back; ends the case where that cannot be
 * @cpu: its number; the case is skipped where there is no such CPU
 * @on: what it shall be
 */
void cpu_online(int cpu, bool on);

/**
 * module_load() - insmod
 * @path: file
 * @parameters: of the module
 *
 * Return: 0 or -errno
 */
int module_load(const char *path, const char *parameters);

/**
 * module_remove() - rmmod
 * @name: the module
 *
 * Return: 0 or -errno
 */
int module_remove(const char *name);

#endif
#endif
