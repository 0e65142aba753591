/* SPDX-License-Identifier: GPL-2.0 */
/* Which device answers at which guest-physical address. */
#ifndef KEELRUN_BUS_H
#define KEELRUN_BUS_H

#include "layout.h"
#include "util.h"

/**
 * struct mmio_region - a device's registers
 * @name: for --stats
 * @base: guest-physical address
 * @size: bytes
 * @read: give the value at an offset; @len is 1, 2, 4 or 8
 * @write: take a value
 * @opaque: the device
 * @reads: reads so far
 * @writes: writes so far
 *
 * The callbacks run in vCPU threads, several at once: the device locks.
 */
struct mmio_region {
	const char *name;
	u64 base;
	u64 size;
	u64 (*read)(void *opaque, u64 offset, unsigned int len);
	void (*write)(void *opaque, u64 offset, unsigned int len, u64 value);
	void *opaque;
	u64 reads;
	u64 writes;
};

#define BUS_REGIONS	(MAX_VIRTIO + 2)

/**
 * struct bus - all devices of a VM
 * @regions: in the order of registration
 * @nr_regions: their number; fixed while vCPUs run
 * @stray: accesses that no device answers
 */
struct bus {
	struct mmio_region regions[BUS_REGIONS];
	unsigned int nr_regions;
	u64 stray;
};

/**
 * bus_add() - register a device
 * @bus: the bus
 * @region: copied
 */
void bus_add(struct bus *bus, const struct mmio_region *region);

/**
 * bus_read() - a guest's load
 * @bus: the bus
 * @addr: guest-physical address
 * @len: bytes
 *
 * Return: the device's value, 0 where there is no device.
 */
u64 bus_read(struct bus *bus, u64 addr, unsigned int len);

/**
 * bus_write() - a guest's store
 * @bus: the bus
 * @addr: guest-physical address
 * @len: bytes
 * @value: what is stored; ignored where there is no device
 */
void bus_write(struct bus *bus, u64 addr, unsigned int len, u64 value);

#endif
