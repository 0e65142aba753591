// SPDX-License-Identifier: GPL-2.0
/*
 * keelrun's virtio devices against guests that break the rules. keelrun's own sources, with a
 * memory that has guard pages on both sides, a disk in a file, and no KVM: whatever a guest may
 * write to registers and rings, the disk keeps its size, a read-only one its content, no byte
 * outside guest memory is touched, and a reset brings the device back.
 */
#include <sys/ioctl.h>

static int fake_ioctl(int fd, unsigned long request, ...);
#define ioctl fake_ioctl
#include "../tools/lib/util.c"
#include "../tools/keelrun/loop.c"
#include "../tools/keelrun/bus.c"
#include "../tools/keelrun/vcpu.c"
#include "../tools/keelrun/vm.c"
#include "../tools/keelrun/virtq.c"
#include "../tools/keelrun/virtio.c"
#include "../tools/keelrun/virtio-blk.c"
#undef ioctl

#include "lib/ktap.h"

#ifndef STEPS
#define STEPS	100000
#endif

#define RAM_SIZE	(16 * SZ_4K)
#define RAM_END		(RAM_BASE + RAM_SIZE)
#define DESC		RAM_BASE
#define AVAIL		(RAM_BASE + 0x1000)
#define USED		(RAM_BASE + 0x2000)
#define HEADER		(RAM_BASE + 0x3000)
#define STATUS		(RAM_BASE + 0x3100)
#define DATA		(RAM_BASE + 0x4000)
#define NUM		16
#define SECTORS		32
#define DISK_SIZE	(SECTORS * SECTOR)

#define NEXT		VRING_DESC_F_NEXT
#define WRITE		VRING_DESC_F_WRITE
#define RUNNING		(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | \
			 VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK)

static struct vm vm;
static struct disk disk;
static struct virtio_blk *blk;
static char disk_path[64];

/* Of all that keelrun asks of KVM, virtio devices need two eventfds bound. */
static int fake_ioctl(int fd, unsigned long request, ...)
{
	(void)fd;
	return request == KVM_IRQFD || request == KVM_IOEVENTFD ? 0 : -1;
}

static void reg_write(u64 offset, u32 value)
{
	bus_write(&vm.bus, VIRTIO_BASE + offset, 4, value);
}

static u32 reg_read(u64 offset)
{
	return bus_read(&vm.bus, VIRTIO_BASE + offset, 4);
}

static void *ram(u64 addr)
{
	return vm.ram + (addr - RAM_BASE);
}

static void set_desc(u16 i, u64 addr, u32 len, u16 flags, u16 next)
{
	struct vring_desc *d = ram(DESC);

	d[i] = (struct vring_desc) { addr, len, flags, next };
}

static void submit(u16 head)
{
	struct vring_avail *a = ram(AVAIL);

	a->ring[a->idx % NUM] = head;
	a->idx++;
}

static u16 used_idx(void)
{
	struct vring_used *u = ram(USED);

	return u->idx;
}

/* What the main thread does when the guest has written to QueueNotify. */
static void run(void)
{
	struct event_source *doorbell = &blk->dev.notify[0].event;

	reg_write(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
	doorbell->ready(doorbell);
}

static u64 interrupts(void)
{
	u64 n = 0;

	return read(blk->dev.irqfd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

static void set_queue(u32 num, u64 desc, u64 avail, u64 used)
{
	reg_write(VIRTIO_MMIO_QUEUE_SEL, 0);
	reg_write(VIRTIO_MMIO_QUEUE_NUM, num);
	reg_write(VIRTIO_MMIO_QUEUE_DESC_LOW, desc);
	reg_write(VIRTIO_MMIO_QUEUE_DESC_HIGH, desc >> 32);
	reg_write(VIRTIO_MMIO_QUEUE_AVAIL_LOW, avail);
	reg_write(VIRTIO_MMIO_QUEUE_AVAIL_HIGH, avail >> 32);
	reg_write(VIRTIO_MMIO_QUEUE_USED_LOW, used);
	reg_write(VIRTIO_MMIO_QUEUE_USED_HIGH, used >> 32);
	reg_write(VIRTIO_MMIO_QUEUE_READY, 1);
}

static void accept_features(void)
{
	for (u32 i = 0; i < 2; i++) {
		reg_write(VIRTIO_MMIO_DEVICE_FEATURES_SEL, i);
		reg_write(VIRTIO_MMIO_DRIVER_FEATURES_SEL, i);
		reg_write(VIRTIO_MMIO_DRIVER_FEATURES, reg_read(VIRTIO_MMIO_DEVICE_FEATURES));
	}
}

/* A driver that does all as it should, on memory that starts empty. */
static void start_driver(void)
{
	memset(vm.ram, 0, RAM_SIZE);
	reg_write(VIRTIO_MMIO_STATUS, 0);
	reg_write(VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	accept_features();
	reg_write(VIRTIO_MMIO_STATUS, RUNNING & ~VIRTIO_CONFIG_S_DRIVER_OK);
	set_queue(NUM, DESC, AVAIL, USED);
	reg_write(VIRTIO_MMIO_STATUS, RUNNING);
	interrupts();
}

static void set_header(u32 type, u64 sector)
{
	struct virtio_blk_outhdr *h = ram(HEADER);

	*h = (struct virtio_blk_outhdr) { .type = type, .sector = sector };
	*(u8 *)ram(STATUS) = 0xff;
}

/* Return: the request's status. */
static u8 request(u32 type, u64 sector, u32 len)
{
	bool in = type != VIRTIO_BLK_T_OUT;

	set_header(type, sector);
	set_desc(0, HEADER, sizeof(struct virtio_blk_outhdr), NEXT, 1);
	set_desc(1, DATA, len, NEXT | (in ? WRITE : 0), 2);
	set_desc(2, STATUS, 1, WRITE, 0);
	submit(0);
	run();
	return *(u8 *)ram(STATUS);
}

static void make_memory(void)
{
	u8 *p = mmap(NULL, RAM_SIZE + 2 * SZ_4K, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	REQUIRE(p != MAP_FAILED);
	REQUIRE_OK(mprotect(p + SZ_4K, RAM_SIZE, PROT_READ | PROT_WRITE));
	vm.ram = p + SZ_4K;
	vm.ram_size = RAM_SIZE;
}

static void make_disk(bool read_only)
{
	u8 sector[SECTOR];
	int fd = memfd_create("disk", 0);

	REQUIRE(fd >= 0);
	for (int i = 0; i < SECTORS; i++) {
		memset(sector, i + 1, sizeof(sector));
		REQUIRE_EQ(write(fd, sector, sizeof(sector)), sizeof(sector));
	}
	snprintf(disk_path, sizeof(disk_path), "/proc/self/fd/%d", fd);
	disk.path = disk_path;
	disk.read_only = read_only;
	disk_open(&disk);
}

static void make_machine(bool read_only)
{
	vm.has_irqfd = true;
	vm.has_ioeventfd = true;
	loop_init();
	make_memory();
	make_disk(read_only);
	blk = virtio_blk_create(&vm, &disk, 0);
	start_driver();
}

/* The device has stopped, said so, and works again after a reset. */
static void check_broken(u16 used_before)
{
	u64 sent;

	run();
	CHECK_EQ(reg_read(VIRTIO_MMIO_STATUS), RUNNING | NEEDS_RESET);
	CHECK_EQ(reg_read(VIRTIO_MMIO_INTERRUPT_STATUS) & VIRTIO_MMIO_INT_CONFIG,
		 VIRTIO_MMIO_INT_CONFIG);
	sent = interrupts();
	CHECK(sent > 0);
	CHECK_EQ(used_idx(), used_before);
	/* Neither a doorbell nor a status that the driver writes revives it. */
	reg_write(VIRTIO_MMIO_STATUS, RUNNING);
	CHECK_EQ(request(VIRTIO_BLK_T_IN, 0, SECTOR), 0xff);
	CHECK_EQ(interrupts(), 0);
	start_driver();
	CHECK_EQ(request(VIRTIO_BLK_T_IN, 3, SECTOR), VIRTIO_BLK_S_OK);
	CHECK_EQ(*(u8 *)ram(DATA), 4);
	start_driver();
}

static void test_registers(void)
{
	make_machine(false);
	CHECK_EQ(reg_read(VIRTIO_MMIO_MAGIC_VALUE), 0x74726976);
	CHECK_EQ(reg_read(VIRTIO_MMIO_VERSION), 2);
	CHECK_EQ(reg_read(VIRTIO_MMIO_DEVICE_ID), VIRTIO_ID_BLOCK);
	CHECK_EQ(reg_read(VIRTIO_MMIO_STATUS), RUNNING);
	CHECK_EQ(reg_read(VIRTIO_MMIO_QUEUE_NUM_MAX), VIRTQ_MAX);
	CHECK_EQ(reg_read(VIRTIO_MMIO_QUEUE_READY), 1);
	CHECK_EQ(reg_read(VIRTIO_MMIO_CONFIG), SECTORS);
	CHECK_EQ(bus_read(&vm.bus, VIRTIO_BASE + VIRTIO_MMIO_CONFIG, 8), SECTORS);
	CHECK_EQ(bus_read(&vm.bus, VIRTIO_BASE + VIRTIO_MMIO_CONFIG, 1), SECTORS);

	/* There is no second queue, nothing after the configuration, and no 8-bit register. */
	reg_write(VIRTIO_MMIO_QUEUE_SEL, 1);
	CHECK_EQ(reg_read(VIRTIO_MMIO_QUEUE_NUM_MAX), 0);
	reg_write(VIRTIO_MMIO_QUEUE_READY, 1);
	CHECK_EQ(reg_read(VIRTIO_MMIO_QUEUE_READY), 0);
	reg_write(VIRTIO_MMIO_QUEUE_SEL, ~0U);
	CHECK_EQ(reg_read(VIRTIO_MMIO_QUEUE_READY), 0);
	reg_write(VIRTIO_MMIO_QUEUE_NOTIFY, 1);
	reg_write(VIRTIO_MMIO_QUEUE_NOTIFY, ~0U);
	CHECK_EQ(bus_read(&vm.bus, VIRTIO_BASE + VIRTIO_SIZE - 8, 8), 0);
	CHECK_EQ(reg_read(VIRTIO_MMIO_CONFIG + sizeof(struct virtio_blk_config) + 4), 0);
	bus_write(&vm.bus, VIRTIO_BASE + VIRTIO_MMIO_STATUS, 1, 0);
	CHECK_EQ(reg_read(VIRTIO_MMIO_STATUS), RUNNING);

	/* A queue in use keeps its size and place. */
	reg_write(VIRTIO_MMIO_QUEUE_SEL, 0);
	reg_write(VIRTIO_MMIO_QUEUE_NUM, 2 * NUM);
	reg_write(VIRTIO_MMIO_QUEUE_DESC_LOW, 0);
	CHECK_EQ(blk->dev.vq[0].num, NUM);
	CHECK_EQ(blk->dev.vq[0].desc_addr, DESC);
}

static void test_features(void)
{
	make_machine(true);
	/* One that is not offered, and a driver older than version 1. */
	for (u32 i = 0; i < 2; i++) {
		reg_write(VIRTIO_MMIO_STATUS, 0);
		accept_features();
		reg_write(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
		reg_write(VIRTIO_MMIO_DRIVER_FEATURES, i ? 0 : 3);
		reg_write(VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_FEATURES_OK);
		CHECK_EQ(reg_read(VIRTIO_MMIO_STATUS), 0);
	}
	reg_write(VIRTIO_MMIO_DEVICE_FEATURES_SEL, 0);
	CHECK(reg_read(VIRTIO_MMIO_DEVICE_FEATURES) & 1U << VIRTIO_BLK_F_RO);
	reg_write(VIRTIO_MMIO_DEVICE_FEATURES_SEL, 7);
	CHECK_EQ(reg_read(VIRTIO_MMIO_DEVICE_FEATURES), 0);
}

static void test_requests(void)
{
	u8 *data;

	make_machine(false);
	data = ram(DATA);
	CHECK_EQ(request(VIRTIO_BLK_T_IN, 31, SECTOR), VIRTIO_BLK_S_OK);
	CHECK_EQ(data[0], 32);
	CHECK_EQ(data[SECTOR - 1], 32);
	CHECK_EQ(data[SECTOR], 0);
	CHECK_EQ(interrupts(), 1);
	CHECK_EQ(used_idx(), 1);

	memset(data, 0xa5, 2 * SECTOR);
	CHECK_EQ(request(VIRTIO_BLK_T_OUT, 5, 2 * SECTOR), VIRTIO_BLK_S_OK);
	memset(data, 0, 2 * SECTOR);
	CHECK_EQ(request(VIRTIO_BLK_T_IN, 6, SECTOR), VIRTIO_BLK_S_OK);
	CHECK_EQ(data[17], 0xa5);
	CHECK_EQ(request(VIRTIO_BLK_T_IN, 7, SECTOR), VIRTIO_BLK_S_OK);
	CHECK_EQ(data[17], 8);

	CHECK_EQ(request(VIRTIO_BLK_T_GET_ID, 0, VIRTIO_BLK_ID_BYTES), VIRTIO_BLK_S_OK);
	CHECK(!strcmp((char *)data, "keelrun-0"));
	CHECK_EQ(request(VIRTIO_BLK_T_GET_ID, 0, 5), VIRTIO_BLK_S_IOERR);
	CHECK_EQ(request(VIRTIO_BLK_T_FLUSH, 0, 0), VIRTIO_BLK_S_OK);
	CHECK_EQ(request(VIRTIO_BLK_T_DISCARD, 0, SECTOR), VIRTIO_BLK_S_UNSUPP);
	CHECK_EQ(request(0xffffffff, 0, SECTOR), VIRTIO_BLK_S_UNSUPP);
	CHECK_EQ(reg_read(VIRTIO_MMIO_STATUS), RUNNING);
}

static void check_disk(void)
{
	CHECK_EQ(lseek(disk.fd, 0, SEEK_END), DISK_SIZE);
}

static void test_bounds(void)
{
	static const u64 sectors[] = {
		SECTORS, SECTORS + 1, SECTORS - 1, 1ULL << 55, (1ULL << 55) - 1, ~0ULL, ~0ULL - 1,
	};

	make_machine(false);
	for (size_t i = 0; i < ARRAY_SIZE(sectors); i++) {
		CHECK_EQ(request(VIRTIO_BLK_T_IN, sectors[i], 2 * SECTOR), VIRTIO_BLK_S_IOERR);
		CHECK_EQ(request(VIRTIO_BLK_T_OUT, sectors[i], 2 * SECTOR), VIRTIO_BLK_S_IOERR);
	}
	CHECK_EQ(request(VIRTIO_BLK_T_OUT, 0, SECTOR + 1), VIRTIO_BLK_S_IOERR);
	CHECK_EQ(request(VIRTIO_BLK_T_IN, 0, SECTOR - 1), VIRTIO_BLK_S_IOERR);
	CHECK_EQ(reg_read(VIRTIO_MMIO_STATUS), RUNNING);
	check_disk();
}

static void test_read_only(void)
{
	make_machine(true);
	memset(ram(DATA), 0xa5, SECTOR);
	CHECK_EQ(request(VIRTIO_BLK_T_OUT, 5, SECTOR), VIRTIO_BLK_S_IOERR);
	CHECK_EQ(request(VIRTIO_BLK_T_IN, 5, SECTOR), VIRTIO_BLK_S_OK);
	CHECK_EQ(*(u8 *)ram(DATA), 6);
}

/* One byte a descriptor, and all in one: where parts begin and end means nothing. */
static void test_framing(void)
{
	u16 n = 0;

	make_machine(false);
	set_header(VIRTIO_BLK_T_IN, 9);
	for (int i = 0; i < 12; i++, n++)
		set_desc(n, HEADER + i, 1, NEXT, n + 1);
	set_desc(n, HEADER + 12, 4, NEXT, n + 1);
	n++;
	set_desc(n, DATA, 0, NEXT | WRITE, n + 1);
	n++;
	set_desc(n, DATA, SECTOR + 1, WRITE, 0);
	submit(0);
	run();
	CHECK_EQ(used_idx(), 1);
	CHECK_EQ(*(u8 *)ram(DATA), 10);
	CHECK_EQ(*(u8 *)ram(DATA + SECTOR), VIRTIO_BLK_S_OK);
	CHECK_EQ(((struct vring_used *)ram(USED))->ring[0].len, SECTOR + 1);
}

/* Descriptors 0 to 2 are a good read of sector 0 that has not been submitted. */
static void good_chain(void)
{
	set_header(VIRTIO_BLK_T_IN, 0);
	set_desc(0, HEADER, sizeof(struct virtio_blk_outhdr), NEXT, 1);
	set_desc(1, DATA, SECTOR, NEXT | WRITE, 2);
	set_desc(2, STATUS, 1, WRITE, 0);
}

static void test_bad_chains(void)
{
	static const struct {
		u16 i;
		struct vring_desc d;
	} bad[] = {
		{ 1, { DATA, SECTOR, NEXT | WRITE, NUM } },		/* no such descriptor */
		{ 1, { DATA, SECTOR, NEXT | WRITE, 0xffff } },
		{ 1, { DATA, SECTOR, NEXT | WRITE, 1 } },		/* loops */
		{ 2, { STATUS, 1, NEXT | WRITE, 1 } },
		{ 1, { 0, SECTOR, NEXT | WRITE, 2 } },			/* not in memory */
		{ 1, { RAM_BASE - 1, SECTOR, NEXT | WRITE, 2 } },
		{ 1, { RAM_END - SECTOR + 1, SECTOR, NEXT | WRITE, 2 } },
		{ 1, { RAM_END, 1, NEXT | WRITE, 2 } },
		{ 1, { ~0ULL, SECTOR, NEXT | WRITE, 2 } },
		{ 1, { ~0ULL - SECTOR + 1, SECTOR, NEXT | WRITE, 2 } },
		{ 1, { DATA, ~0U, NEXT | WRITE, 2 } },
		{ 1, { DATA, SECTOR, NEXT | WRITE | VRING_DESC_F_INDIRECT, 2 } },
		{ 2, { STATUS, 1, NEXT | WRITE, 3 } },			/* to read after to write */
		{ 0, { HEADER, 15, NEXT, 1 } },				/* too short */
		{ 0, { HEADER, 0, NEXT, 1 } },
		{ 0, { HEADER, 16, 0, 0 } },				/* no status */
	};

	make_machine(false);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		good_chain();
		set_desc(3, DATA, SECTOR, 0, 0);
		set_desc(bad[i].i, bad[i].d.addr, bad[i].d.len, bad[i].d.flags, bad[i].d.next);
		submit(0);
		check_broken(0);
		if (ktap_failed())
			ktap_fail("chain %zu", i);
	}
	check_disk();
}

static void test_bad_rings(void)
{
	struct vring_avail *avail;

	make_machine(false);
	avail = ram(AVAIL);
	good_chain();
	submit(NUM);
	check_broken(0);
	good_chain();
	submit(0xffff);
	check_broken(0);
	/* More buffers than there are descriptors. */
	good_chain();
	avail->idx = NUM + 1;
	check_broken(0);
	good_chain();
	avail->idx = 0xffff;
	check_broken(0);
	/* Good ones before a bad one are done. */
	good_chain();
	submit(0);
	submit(NUM);
	check_broken(1);
}

static void test_bad_queues(void)
{
	static const struct {
		u32 num;
		u64 desc, avail, used;
	} bad[] = {
		{ 0, DESC, AVAIL, USED },
		{ 3, DESC, AVAIL, USED },
		{ 2 * VIRTQ_MAX, DESC, AVAIL, USED },
		{ 0x80000000, DESC, AVAIL, USED },
		{ NUM, DESC + 8, AVAIL, USED },
		{ NUM, DESC, AVAIL + 1, USED },
		{ NUM, DESC, AVAIL, USED + 2 },
		{ NUM, 0, AVAIL, USED },
		{ NUM, DESC, RAM_END - 4, USED },
		{ NUM, DESC, AVAIL, RAM_END - 64 },
		{ NUM, RAM_END - 16, AVAIL, USED },
		{ NUM, ~0ULL & ~15ULL, AVAIL, USED },
		{ NUM, DESC, AVAIL, 1ULL << 63 },
	};

	make_machine(false);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		reg_write(VIRTIO_MMIO_QUEUE_READY, 0);
		set_queue(bad[i].num, bad[i].desc, bad[i].avail, bad[i].used);
		CHECK_EQ(reg_read(VIRTIO_MMIO_QUEUE_READY), 0);
		check_broken(0);
		if (ktap_failed())
			ktap_fail("queue %zu", i);
	}
}

/* The end of memory itself is good: queue and data right before the guard page. */
static void test_edges(void)
{
	make_machine(false);
	set_header(VIRTIO_BLK_T_IN, 2);
	set_desc(0, HEADER, sizeof(struct virtio_blk_outhdr), NEXT, 1);
	set_desc(1, RAM_END - SECTOR, SECTOR, NEXT | WRITE, 2);
	set_desc(2, STATUS, 1, WRITE, 0);
	submit(0);
	run();
	CHECK_EQ(used_idx(), 1);
	CHECK_EQ(*(u8 *)ram(RAM_END - 1), 3);
	CHECK_EQ(reg_read(VIRTIO_MMIO_STATUS), RUNNING);
}

/* --- Random guests ------------------------------------------------------------------------- */

static u64 seed;

static u64 rnd(u64 below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

static u64 rnd_addr(void)
{
	switch (rnd(8)) {
	case 0:
		return RAM_END - rnd(1024);
	case 1:
		return RAM_BASE + rnd(64) - 32;
	case 2:
		return seed;
	case 3:
		return DESC + rnd(0x3000);
	default:
		return RAM_BASE + rnd(RAM_SIZE);
	}
}

static u32 rnd_len(void)
{
	static const u32 usual[] = { 0, 1, 16, 17, SECTOR, SECTOR + 1, 2 * SECTOR, 4096, ~0U };

	return rnd(8) ? usual[rnd(ARRAY_SIZE(usual))] : (u32)seed;
}

static void rnd_desc(void)
{
	u16 i = rnd(NUM);
	u16 flags = rnd(16) ? rnd(4) : seed;

	set_desc(i, rnd_addr(), rnd_len(), flags, rnd(16) ? rnd(NUM) : seed);
}

static void rnd_request(void)
{
	good_chain();
	set_header(rnd(10), rnd(SECTORS + 2));
	set_desc(1, rnd_addr(), SECTOR * rnd(4), NEXT | rnd(4), 2);
	submit(0);
}

static void rnd_register(void)
{
	reg_write(rnd(8) ? 4 * rnd(0x40) : rnd(VIRTIO_SIZE), rnd(4) ? rnd(32) : seed);
	bus_read(&vm.bus, VIRTIO_BASE + rnd(VIRTIO_SIZE - 8), 1 << rnd(4));
}

static void rnd_step(void)
{
	switch (rnd(10)) {
	case 0:
		if (!rnd(4))
			rnd_register();
		break;
	case 1:
		((u8 *)ram(RAM_BASE))[rnd(RAM_SIZE)] = seed >> 32;
		break;
	case 2:
		submit(rnd(32) ? rnd(NUM) : seed);
		break;
	case 3:
	case 4:
		rnd_request();
		break;
	case 5:
		run();
		break;
	default:
		rnd_desc();
	}
}

static void run_random(bool read_only)
{
	u64 done = 0;

	make_machine(read_only);
	/* Broken devices are the rule here: no line for each. */
	REQUIRE(freopen("/dev/null", "w", stderr));
	seed = 0x9e3779b97f4a7c15ULL + read_only;
	for (int i = 0; i < STEPS; i++) {
		rnd_step();
		if (reg_read(VIRTIO_MMIO_STATUS) != RUNNING && !rnd(4)) {
			done += used_idx();
			start_driver();
		}
	}
	/* The steps reach the transfers, and are not all refused before. */
	CHECK(done > STEPS / 100);
	check_disk();
	start_driver();
	CHECK_EQ(request(VIRTIO_BLK_T_IN, 1, SECTOR), VIRTIO_BLK_S_OK);
}

static void test_random(void)
{
	run_random(false);
}

static void test_random_read_only(void)
{
	u8 sector[SECTOR];

	run_random(true);
	for (int i = 0; i < SECTORS; i++) {
		REQUIRE_EQ(pread(disk.fd, sector, SECTOR, i * SECTOR), SECTOR);
		for (int j = 0; j < SECTOR; j++)
			REQUIRE_EQ(sector[j], i + 1);
	}
}

static const struct ktap_case cases[] = {
	{ "registers", test_registers },
	{ "features", test_features },
	{ "requests", test_requests },
	{ "bounds of the disk", test_bounds },
	{ "read-only disk", test_read_only },
	{ "any framing", test_framing },
	{ "bad chains need a reset", test_bad_chains },
	{ "bad rings need a reset", test_bad_rings },
	{ "bad queues need a reset", test_bad_queues },
	{ "the last byte of memory", test_edges },
	{ "random guests", test_random },
	{ "random guests, read-only disk", test_random_read_only },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
