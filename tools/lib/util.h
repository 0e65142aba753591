/* SPDX-License-Identifier: GPL-2.0 */
/* Messages, memory and numbers: what every file of the tools uses. */
#ifndef TOOLS_UTIL_H
#define TOOLS_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;

#define SZ_4K	0x1000ULL
#define SZ_1M	0x100000ULL
#define SZ_2M	0x200000ULL

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define ALIGN_UP(x, a)		(((x) + (a) - 1) & ~((u64)(a) - 1))
#define container_of(p, type, member)	((type *)((char *)(p) - offsetof(type, member)))

/**
 * message() - print one line on standard error
 * @fmt: printf format without the line's end
 *
 * The line starts with the program's name. Any thread may call it.
 */
void message(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * die() - print one line on standard error and exit with status 1
 * @fmt: printf format; it says what is wrong and what to do about it
 *
 * Only the main thread may call it: a vCPU thread of keelrun stops its VM with vm_stop().
 */
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * die_status() - die() with another exit status
 * @status: of the process
 * @fmt: as for die()
 */
_Noreturn void die_status(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * message_raw_tty() - say whether the terminal is in raw mode
 * @raw: lines need a carriage return of their own
 */
void message_raw_tty(bool raw);

/**
 * xcalloc() - allocate zeroed memory or die
 * @n: number of elements
 * @size: size of one
 *
 * Return: the memory, to be freed with free().
 */
void *xcalloc(size_t n, size_t size);

/**
 * xgrow() - make an array larger or die
 * @p: the array, or NULL
 * @n: elements it shall have room for; it gets more, at powers of 2, so ask for each
 * @size: size of one
 *
 * Return: the array.
 */
void *xgrow(void *p, size_t n, size_t size);

/**
 * now_ns() - the monotonic clock
 *
 * Return: in ns.
 */
u64 now_ns(void);

/**
 * parse_number() - read a decimal number
 * @s: text
 * @out: the number
 *
 * Return: whether all of @s was one number that fits.
 */
bool parse_number(const char *s, u64 *out);

/**
 * parse_address() - read a number, in hexadecimal after "0x"
 * @s: text
 * @out: the number
 *
 * Return: whether all of @s was one number that fits.
 */
bool parse_address(const char *s, u64 *out);

/**
 * parse_size() - read a size with its unit
 * @s: text such as "512M": a decimal number and K, M or G
 * @out: the size in bytes
 *
 * Return: whether all of @s was one size that fits.
 */
bool parse_size(const char *s, u64 *out);

/**
 * read_full() - read all of a range of a file
 * @fd: the file
 * @buf: where to
 * @len: bytes
 * @offset: where from
 *
 * Return: 0; -1 with errno set (EIO when the file ends early).
 */
int read_full(int fd, void *buf, size_t len, off_t offset);

#endif
