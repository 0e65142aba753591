/* SPDX-License-Identifier: GPL-2.0 */
/* The machine: a VM with its devices and what it boots. */
#ifndef KEELRUN_MACHINE_H
#define KEELRUN_MACHINE_H

#include "layout.h"
#include "loader.h"
#include "power.h"
#include "virtio-blk.h"
#include "vm.h"

/**
 * struct machine_config - what the options ask for
 * @node: the KVM node
 * @kernel: the kernel
 * @initrd: the initial RAM disk
 * @append: the kernel's command line
 * @cpus: number of vCPUs
 * @mem: bytes of memory
 * @disks: the disks
 * @nr_disks: their number
 * @power: idle states, performance
 * @virtio_console: the console is hvc0, not the serial port
 * @no_reboot: a reset ends keelrun
 * @stats: print figures at the end
 */
struct machine_config {
	const char *node;
	struct boot_image kernel;
	struct boot_image initrd;
	const char *append;
	unsigned int cpus;
	u64 mem;
	struct disk disks[MAX_VIRTIO - 1];
	unsigned int nr_disks;
	struct power_config power;
	bool virtio_console;
	bool no_reboot;
	bool stats;
};

/**
 * machine_run() - run a guest from its start to power-off, reset or another end, or die
 * @cfg: the machine
 * @kvm_fd: from vm_open_node()
 * @layout: from loader_plan()
 * @signal_fd: readable when a signal asks keelrun to end
 *
 * Return: how it ended.
 */
enum vm_end machine_run(struct machine_config *cfg, int kvm_fd, const struct boot_layout *layout,
			int signal_fd);

#endif
