/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel and its initial RAM disk: from files to guest memory. */
#ifndef KEELRUN_LOADER_H
#define KEELRUN_LOADER_H

#include "util.h"

struct vm;

/* Guest memory kept for the device tree: it is far smaller, but the kernel maps 2 MB blocks. */
#define FDT_SPACE	SZ_2M

/**
 * struct boot_image - an open kernel or initial RAM disk
 * @path: its name
 * @fd: the open file, -1 when there is none
 * @size: bytes
 */
struct boot_image {
	const char *path;
	int fd;
	u64 size;
};

/**
 * struct boot_layout - where things lie in guest memory
 * @entry: the kernel's first instruction
 * @kernel_size: bytes that it needs, its zeroed data included
 * @initrd: the initial RAM disk
 * @initrd_size: its bytes, 0 when there is none
 * @fdt: the device tree, with FDT_SPACE bytes
 */
struct boot_layout {
	u64 entry;
	u64 kernel_size;
	u64 initrd;
	u64 initrd_size;
	u64 fdt;
};

/**
 * loader_open() - open a file to boot from, or die
 * @image: with @path set; a NULL path is no file
 * @what: "kernel" or "initrd", for the message
 */
void loader_open(struct boot_image *image, const char *what);

/**
 * loader_plan() - check the kernel's header and decide where things go, or die
 * @kernel: an open arm64 Image
 * @initrd: an open initial RAM disk, or none
 * @mem: bytes of guest memory
 * @out: the result
 */
void loader_plan(const struct boot_image *kernel, const struct boot_image *initrd, u64 mem,
		 struct boot_layout *out);

/**
 * loader_load() - read kernel and initial RAM disk into guest memory, or die
 * @vm: the VM
 * @kernel: as planned
 * @initrd: as planned
 * @layout: the plan
 */
void loader_load(const struct vm *vm, const struct boot_image *kernel,
		 const struct boot_image *initrd, const struct boot_layout *layout);

#endif
