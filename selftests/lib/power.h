/* SPDX-License-Identifier: GPL-2.0 */
/* VMs of guests/power.c, and the ioctls of power; for tests that have keel's own header. */
#ifndef SELFTESTS_POWER_H
#define SELFTESTS_POWER_H

#include <linux/keel.h>

#include "../guests/power.h"
#include "vm.h"

/**
 * power_create() - a VM that is not running yet
 * @vm: filled in
 * @cpus: vCPUs, 1 to POWER_CPUS; all but the first are off
 */
void power_create(struct vm *vm, int cpus);

/**
 * power_start() - run it in threads, until each CPU goes around
 * @vm: made by power_create()
 */
void power_start(struct vm *vm);

/**
 * power_end() - end the threads and the VM
 * @vm: the VM
 */
void power_end(struct vm *vm);

/**
 * power_cpu() - what the guest shares about a CPU
 * @vm: the VM
 * @cpu: its number
 *
 * Return: pointer
 */
struct power_cpu *power_cpu(struct vm *vm, int cpu);

/**
 * power_tell() - give a CPU a command and wait until it is done
 * @vm: the VM
 * @cpu: which
 * @command: POWER_*
 * @...: its arguments, four of type u64 at most; those that are not given are 0
 *
 * Return: its result
 */
#define power_tell(vm, cpu, command, ...) \
	(power_begin(vm, cpu, command, ##__VA_ARGS__), power_wait(vm, cpu))

/**
 * power_begin() - the same without waiting
 * @vm: the VM
 * @cpu: which
 * @command: POWER_*
 * @...: as for power_tell()
 */
#define power_begin(vm, cpu, command, ...) \
	power_begin_args(vm, cpu, &(struct power_args) { command, { __VA_ARGS__ } })

struct power_args {
	u64 command;
	u64 arg[4];
};

void power_begin_args(struct vm *vm, int cpu, const struct power_args *args);

/**
 * power_wait() - until the command is done
 * @vm: the VM
 * @cpu: which
 *
 * Return: its result
 */
u64 power_wait(struct vm *vm, int cpu);

/**
 * power_ioctl() - any of them
 * @fd: VM or observer
 * @nr: KEEL_POWER...
 * @arg: argument
 *
 * Return: 0 or -errno
 */
int power_ioctl(int fd, unsigned long nr, void *arg);

/**
 * power_policy() - set policy and range
 * @vm: the VM
 * @policy: KEEL_POWER_OFF, HINT or CAP
 * @min: least performance
 * @max: most
 */
void power_policy(struct vm *vm, u32 policy, u32 min, u32 max);

/**
 * power_page_add() - register pages at POWER_IPA
 * @vm: the VM
 * @layout: KEEL_POWER_PAGE_CPUFREQ: 500, 1000, 1500 and 2000 MHz; or CPPC: 100, 200, 800, 1000
 */
void power_page_add(struct vm *vm, u32 layout);

/* PSCI's power_state of the states that power_states_add() names */
#define POWER_SHALLOW	1
#define POWER_DEEP	0x10002

/**
 * power_states_add() - two idle states: "standby", shallow, 50 us; "off", deep, 1000 us
 * @vm: the VM
 */
void power_states_add(struct vm *vm);

/**
 * power_look() - KEEL_POWER_VCPU
 * @vm: the VM
 * @cpu: which
 *
 * Return: what it says
 */
struct keel_power_vcpu power_look(struct vm *vm, int cpu);

#endif
