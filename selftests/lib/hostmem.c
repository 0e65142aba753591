// SPDX-License-Identifier: GPL-2.0
/* Mappings, swap devices and control groups for tests of memory. */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <time.h>
#include <unistd.h>

#include "hostmem.h"

/* --- mappings --- */

static char *map(void *addr, u64 size, int flags, int fd)
{
	return mmap(addr, size, PROT_READ | PROT_WRITE, flags | (fd < 0 ? MAP_ANONYMOUS : 0), fd,
		    0);
}

void mem_map_at(char *addr, u64 size, int flags, int fd)
{
	REQUIRE(map(addr, size, flags | MAP_FIXED, fd) == addr);
}

char *mem_map(u64 size, int flags, int fd)
{
	char *p = map(NULL, size + HOST_HUGE, MAP_PRIVATE | MAP_NORESERVE, -1);

	REQUIRE(p != MAP_FAILED);
	p = (char *)(((u64)p + HOST_HUGE - 1) & -HOST_HUGE);
	mem_map_at(p, size, flags, fd);
	return p;
}

/* --- page tables, by /proc/self/pagemap --- */

#define PAGEMAP_SWAPPED BIT(62)
#define PAGEMAP_PRESENT BIT(63)
#define PAGEMAP_PFN	(BIT(55) - 1)

/* Entries for @n pages. */
static void pagemap_read(const char *addr, u64 n, u64 *entries)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	u64 size = n * sizeof(*entries);

	REQUIRE_OK(fd);
	REQUIRE_EQ(pread(fd, entries, size, (u64)addr / HOST_PAGE * sizeof(*entries)), size);
	close(fd);
}

u64 mem_swapped(const char *addr, u64 size)
{
	u64 n = size / HOST_PAGE, entries[n], i, out = 0;

	pagemap_read(addr, n, entries);
	for (i = 0; i < n; i++)
		out += !!(entries[i] & PAGEMAP_SWAPPED);
	return out;
}

u64 mem_same(const char *a, const char *b, u64 size)
{
	u64 n = size / HOST_PAGE, of_a[n], of_b[n], i, same = 0;

	pagemap_read(a, n, of_a);
	pagemap_read(b, n, of_b);
	for (i = 0; i < n; i++)
		same += (of_a[i] & PAGEMAP_PRESENT) && (of_b[i] & PAGEMAP_PRESENT) &&
			(of_a[i] & PAGEMAP_PFN) == (of_b[i] & PAGEMAP_PFN);
	return same;
}

u64 mem_pfn(const char *addr)
{
	u64 entry;

	pagemap_read(addr, 1, &entry);
	return entry & PAGEMAP_PRESENT ? entry & PAGEMAP_PFN : 0;
}

u64 mem_page_out(char *addr, u64 size)
{
	u64 pages = size / HOST_PAGE, out = 0;
	int i;

	/* Pages that a CPU still keeps back from the LRU lists stay in; there are few of them. */
	for (i = 0; i < 100 && out < pages - pages / 8; i++) {
		REQUIRE_OK(madvise(addr, size, MADV_PAGEOUT));
		out = mem_swapped(addr, size);
	}
	CHECK(out >= pages - pages / 8);
	return out;
}

/* --- files of the kernel --- */

int host_write(const char *path, const char *fmt, ...)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret = -1;
	char text[256];
	va_list ap;

	if (fd < 0)
		return -1;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (write(fd, text, strlen(text)) == (long)strlen(text))
		ret = 0;
	close(fd);
	return ret;
}

/* The number in @line after @key, which no letter may follow. */
static bool line_number(const char *line, const char *key, s64 *value)
{
	size_t len = key ? strlen(key) : 0;

	if (key && strncmp(line, key, len))
		return false;
	return sscanf(line + len, key ? "%*1[ \t:=]%lld" : "%lld", value) == 1;
}

s64 host_read(const char *path, const char *key)
{
	FILE *f = fopen(path, "re");
	char line[256];
	s64 value = -1;

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (line_number(line, key, &value))
			break;
	fclose(f);
	return value;
}

void host_pause(void)
{
	const struct timespec ts = { .tv_nsec = 100000 };

	nanosleep(&ts, NULL);
}

/* --- mounts and block devices --- */

void host_mounts(void)
{
	REQUIRE_OK(unshare(CLONE_NEWNS));
	REQUIRE_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

static char *mount_new(const char *type)
{
	char template[] = "/tmp/keel-XXXXXX";
	char *dir = mkdtemp(template);

	REQUIRE(dir);
	REQUIRE_OK(mount("none", dir, type, 0, NULL));
	dir = strdup(dir);
	REQUIRE(dir);
	return dir;
}

/* On ramfs: pages of a tmpfs would themselves be swapped. Written once, so all of it is there. */
static int loop_file(u64 size)
{
	static const char zeros[HOST_PAGE];
	char *dir = mount_new("ramfs"), path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/disk", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	REQUIRE_OK(fd);
	for (; size; size -= sizeof(zeros))
		REQUIRE_EQ(write(fd, zeros, sizeof(zeros)), sizeof(zeros));
	/* The file stays while it is open: nothing is left to clean up. */
	REQUIRE_OK(umount2(dir, MNT_DETACH));
	REQUIRE_OK(rmdir(dir));
	free(dir);
	return fd;
}

static int loop_control(void)
{
	int fd = open("/dev/loop-control", O_RDWR | O_CLOEXEC);

	if (fd < 0 && !system("modprobe loop"))
		fd = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	REQUIRE_OK(fd);
	return fd;
}

void loop_create(struct disk *disk, u64 size)
{
	struct loop_config config = {
		.fd = loop_file(size),
		.block_size = HOST_PAGE,
		.info.lo_flags = LO_FLAGS_AUTOCLEAR,
	};
	int control = loop_control(), n;

	/* Another process may take the free one first. */
	for (;;) {
		n = ioctl(control, LOOP_CTL_GET_FREE);
		REQUIRE_OK(n);
		snprintf(disk->path, sizeof(disk->path), "/dev/loop%d", n);
		disk->fd = open(disk->path, O_RDWR | O_CLOEXEC);
		REQUIRE_OK(disk->fd);
		if (!ioctl(disk->fd, LOOP_CONFIGURE, &config))
			break;
		REQUIRE_EQ(errno, EBUSY);
		close(disk->fd);
	}
	/* Kernels may refuse to mount what is open for writing. */
	n = open(disk->path, O_RDONLY | O_CLOEXEC);
	REQUIRE_OK(n);
	close(disk->fd);
	disk->fd = n;
	close(control);
	close(config.fd);
}

/* What mkswap writes: version 1, the last page, the magic at the end of the first page. */
static void swap_format(const char *path, u64 size)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	static const char magic[] = "SWAPSPACE2";
	static char page[HOST_PAGE];
	u32 head[2] = { 1, size / HOST_PAGE - 1 };

	memcpy(page + 1024, head, sizeof(head));
	memcpy(page + sizeof(page) - (sizeof(magic) - 1), magic, sizeof(magic) - 1);
	REQUIRE_OK(fd);
	REQUIRE_EQ(pwrite(fd, page, sizeof(page), 0), sizeof(page));
	REQUIRE_OK(fsync(fd));
	close(fd);
}

/* False: there is none, or it is in use, as by a case that failed. */
static bool ram_disk(struct disk *disk)
{
	int fd;

	strcpy(disk->path, "/dev/ram0");
	if (access(disk->path, F_OK) && system("modprobe brd 2>/dev/null"))
		return false;
	fd = open(disk->path, O_RDONLY | O_EXCL | O_CLOEXEC);
	if (fd < 0)
		return false;
	/* Held exclusively it could not be used for swap. */
	close(fd);
	disk->fd = open(disk->path, O_RDONLY | O_CLOEXEC);
	return disk->fd >= 0;
}

void swap_begin(struct disk *disk, u64 size)
{
	if (!ram_disk(disk))
		loop_create(disk, size);
	swap_format(disk->path, size);
	REQUIRE_OK(swapon(disk->path, 0));
}

void swap_end(struct disk *disk)
{
	REQUIRE_OK(swapoff(disk->path));
	close(disk->fd);
}

/* --- control groups --- */

static char *cgroup_root;
static char cgroup_dir[64];
static int cgroup_limits[2];

static const char *cgroup_file(const char *file)
{
	static __thread char path[128];

	snprintf(path, sizeof(path), "%s/%s", cgroup_dir, file);
	return path;
}

s64 cgroup_read(const char *file, const char *key)
{
	s64 value = host_read(cgroup_file(file), key);

	if (value < 0)
		ktap_fail("no number in %s of the control group", file);
	return value;
}

void cgroup_limit(enum cgroup_limit which, s64 bytes)
{
	char text[24] = "max";

	if (bytes >= 0)
		snprintf(text, sizeof(text), "%lld", bytes);
	REQUIRE_EQ(write(cgroup_limits[which], text, strlen(text)), strlen(text));
}

static int cgroup_open(const char *file)
{
	int fd = open(cgroup_file(file), O_WRONLY | O_CLOEXEC);

	REQUIRE_OK(fd);
	return fd;
}

static void cgroup_move(const char *dir)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	REQUIRE_OK(host_write(path, "%d", getpid()));
}

void cgroup_begin(void)
{
	char path[128];

	cgroup_root = mount_new("cgroup2");
	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", cgroup_root);
	REQUIRE_OK(host_write(path, "+memory"));
	snprintf(cgroup_dir, sizeof(cgroup_dir), "%s/keel-%d", cgroup_root, getpid());
	REQUIRE_OK(mkdir(cgroup_dir, 0755));
	cgroup_limits[CGROUP_HIGH] = cgroup_open("memory.high");
	cgroup_limits[CGROUP_MAX] = cgroup_open("memory.max");
}

void cgroup_enter(void)
{
	cgroup_move(cgroup_dir);
}

void cgroup_end(void)
{
	cgroup_move(cgroup_root);
	close(cgroup_limits[CGROUP_HIGH]);
	close(cgroup_limits[CGROUP_MAX]);
	REQUIRE_OK(rmdir(cgroup_dir));
	REQUIRE_OK(umount2(cgroup_root, MNT_DETACH));
	REQUIRE_OK(rmdir(cgroup_root));
	free(cgroup_root);
}

/* --- the console --- */

static int kmsg = -1;
static s64 console_level;

void console_quiet(void)
{
	kmsg = open("/dev/kmsg", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	REQUIRE_OK(kmsg);
	REQUIRE_OK(lseek(kmsg, 0, SEEK_END));
	console_level = host_read("/proc/sys/kernel/printk", NULL);
	/* Below 4 are errors; warnings are 4, and so is what says nothing else. */
	REQUIRE_OK(host_write("/proc/sys/kernel/printk", "4"));
}

/* A record is "level,number,time,flags;text" and more lines of no interest. */
static void console_look(const char *record)
{
	static const char *const bad[] = { "cut here", "WARNING:", "BUG:", "UBSAN:", "INFO: " };
	const char *text = strchr(record, ';');
	unsigned int i;

	for (i = 0; text && i < ARRAY_SIZE(bad); i++)
		if (strstr(text, bad[i]))
			ktap_fail("the kernel said: %.200s", text + 1);
}

void console_loud(void)
{
	static const char mark[] = "<7>keel selftest: warnings show again\n";
	char record[8192];
	long n;

	/* Printed after all that came before, if it were not below the console's level. */
	REQUIRE_EQ(write(kmsg, mark, sizeof(mark) - 1), sizeof(mark) - 1);
	REQUIRE_OK(host_write("/proc/sys/kernel/printk", "%lld", console_level));
	while ((n = read(kmsg, record, sizeof(record) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		if (n < 0)
			continue;
		record[n] = 0;
		console_look(record);
	}
	close(kmsg);
}
