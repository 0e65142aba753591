// SPDX-License-Identifier: GPL-2.0
/* Which device answers at which guest-physical address. */
#include "bus.h"

void bus_add(struct bus *bus, const struct mmio_region *region)
{
	if (bus->nr_regions == BUS_REGIONS)
		die("too many devices: at most %u", BUS_REGIONS);
	bus->regions[bus->nr_regions++] = *region;
}

static void count(u64 *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static struct mmio_region *find(struct bus *bus, u64 addr, unsigned int len)
{
	for (unsigned int i = 0; i < bus->nr_regions; i++) {
		struct mmio_region *r = &bus->regions[i];

		if (addr >= r->base && addr - r->base <= r->size - len)
			return r;
	}
	count(&bus->stray);
	return NULL;
}

u64 bus_read(struct bus *bus, u64 addr, unsigned int len)
{
	struct mmio_region *r = find(bus, addr, len);

	if (!r)
		return 0;
	count(&r->reads);
	return r->read(r->opaque, addr - r->base, len);
}

void bus_write(struct bus *bus, u64 addr, unsigned int len, u64 value)
{
	struct mmio_region *r = find(bus, addr, len);

	if (!r)
		return;
	count(&r->writes);
	r->write(r->opaque, addr - r->base, len, value);
}
