/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What tests of memory ask of the host they run on: mappings, what the page tables say, a swap
 * device, a file system on a disk, control groups. All of it ends with the case, or by its own
 * counterpart here; functions without a result end the case as failed when the host refuses.
 */
#ifndef SELFTESTS_HOSTMEM_H
#define SELFTESTS_HOSTMEM_H

#include "ktap.h"

#define HOST_PAGE	4096ULL
#define HOST_HUGE	0x200000ULL

/**
 * mem_map() - memory that begins at a multiple of 2 MB
 * @size: bytes
 * @flags: MAP_*; MAP_ANONYMOUS is added without a file
 * @fd: file, or -1
 *
 * Return: the mapping
 */
char *mem_map(u64 size, int flags, int fd);

/**
 * mem_map_at() - put a new mapping over an old one
 * @addr: where
 * @size: bytes
 * @flags: as for mem_map()
 * @fd: file, or -1
 */
void mem_map_at(char *addr, u64 size, int flags, int fd);

/**
 * mem_swapped() - pages that are out
 * @addr: first page
 * @size: bytes
 *
 * Return: how many of them the page table says are in swap
 */
u64 mem_swapped(const char *addr, u64 size);

/**
 * mem_pfn() - page frame behind an address
 * @addr: address
 *
 * Return: its number; 0 when nothing is mapped there
 */
u64 mem_pfn(const char *addr);

/**
 * mem_same() - pages that two ranges share
 * @a: first page of the one
 * @b: first page of the other
 * @size: bytes of each
 *
 * Return: how many have the same page frame at the same offset
 */
u64 mem_same(const char *a, const char *b, u64 size);

/**
 * mem_page_out() - push pages to swap until most of them are out
 * @addr: first page; no guest uses them at the moment
 * @size: bytes
 *
 * Return: how many are out
 */
u64 mem_page_out(char *addr, u64 size);

/**
 * host_write() - write to a file of /proc, /sys or a control group
 * @path: the file
 * @fmt: text
 *
 * Return: 0 or -1 with errno
 */
int host_write(const char *path, const char *fmt, ...) __printf(2, 3);

/**
 * host_read() - read a file of /proc, /sys or a control group
 * @path: the file
 * @key: word that the number follows at the beginning of a line, NULL when it stands alone
 *
 * Return: the number, -1 when there is no such file or line ("max" is -1 too)
 */
s64 host_read(const char *path, const char *key);

/**
 * host_pause() - between two looks at what is being waited for
 *
 * Leaves the CPU to those who are to do it, which sched_yield() does not on a busy machine.
 */
void host_pause(void);

/**
 * host_mounts() - give the case mounts of its own, which end with it
 */
void host_mounts(void);

/**
 * struct disk - a block device in memory that cannot itself be swapped
 * @fd: keeps it open
 * @path: its name
 */
struct disk {
	int fd;
	char path[32];
};

/**
 * loop_create() - a block device over a file; after host_mounts()
 * @disk: filled in; once @fd is closed and it is not used otherwise, the device is gone
 * @size: bytes; charged to nobody who uses the device later
 */
void loop_create(struct disk *disk, u64 size);

/**
 * swap_begin() - swap to a device of its own; after host_mounts()
 * @disk: filled in: /dev/ram0, as it is quick, else a loop device
 * @size: bytes, 4 MB at most
 */
void swap_begin(struct disk *disk, u64 size);

/**
 * swap_end() - swap off: all that is out comes back
 * @disk: as filled in
 */
void swap_end(struct disk *disk);

/**
 * cgroup_begin() - make a control group with a memory controller; after host_mounts()
 */
void cgroup_begin(void);

/**
 * cgroup_read() - read one of its files
 * @file: its name
 * @key: as for host_read()
 *
 * Return: the number; ends the case if there is none
 */
s64 cgroup_read(const char *file, const char *key);

enum cgroup_limit {
	CGROUP_HIGH,	/* memory.high: reclaim */
	CGROUP_MAX,	/* memory.max: reclaim, and if that does not help, kill or fail */
};

/**
 * cgroup_limit() - limit the group's memory
 * @which: limit
 * @bytes: its value, -1 for none
 *
 * Takes no memory, so it can also be lifted when it has been met.
 */
void cgroup_limit(enum cgroup_limit which, s64 bytes);

/**
 * cgroup_enter() - the calling process goes into the group
 */
void cgroup_enter(void);

/**
 * cgroup_end() - the calling process leaves the group, and the group goes
 */
void cgroup_end(void);

/**
 * console_quiet() - keep the kernel's warnings off the console, from here on
 *
 * For reports that the test provokes, like those of the OOM killer. Errors still show.
 */
void console_quiet(void);

/**
 * console_loud() - as it was before, after a look at what was kept off
 *
 * Anything but OOM reports fails the case.
 */
void console_loud(void);

#endif
