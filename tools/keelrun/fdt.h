/* SPDX-License-Identifier: GPL-2.0 */
/* The device tree: what keelrun tells the guest about its machine. */
#ifndef KEELRUN_FDT_H
#define KEELRUN_FDT_H

#include "util.h"

struct boot_layout;
struct vm;

/* The kernel takes no longer command line: COMMAND_LINE_SIZE of arm64, less its end. */
#define CMDLINE_MAX	2047

/**
 * fdt_write() - write the device tree into guest memory, or die
 * @vm: the VM with its vCPUs
 * @layout: where kernel, initial RAM disk and the tree itself lie
 * @bootargs: the kernel's command line
 * @nr_virtio: virtio devices on the bus
 */
void fdt_write(const struct vm *vm, const struct boot_layout *layout, const char *bootargs,
	       unsigned int nr_virtio);

#endif
