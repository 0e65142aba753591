/* SPDX-License-Identifier: GPL-2.0 */
/* A disk. */
#ifndef KEELRUN_VIRTIO_BLK_H
#define KEELRUN_VIRTIO_BLK_H

#include "util.h"

struct vm;
struct virtio_blk;

/**
 * struct disk - an image file, open for as long as keelrun runs
 * @path: its name
 * @read_only: the guest may not write
 * @fd: the open file
 * @size: bytes, a multiple of 512
 */
struct disk {
	const char *path;
	bool read_only;
	int fd;
	u64 size;
};

/**
 * disk_open() - open and lock an image, or die
 * @disk: with @path and @read_only set
 */
void disk_open(struct disk *disk);

/**
 * virtio_blk_create() - add a disk to a VM
 * @vm: the VM
 * @disk: an open image
 * @index: its place on the bus
 *
 * Return: the device.
 */
struct virtio_blk *virtio_blk_create(struct vm *vm, const struct disk *disk, unsigned int index);

/**
 * virtio_blk_destroy() - take the disk of a VM that has ended away
 * @blk: the device
 */
void virtio_blk_destroy(struct virtio_blk *blk);

#endif
