// SPDX-License-Identifier: GPL-2.0
/* Messages, memory and numbers. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "util.h"

static bool raw_tty;

void message_raw_tty(bool raw)
{
	__atomic_store_n(&raw_tty, raw, __ATOMIC_RELAXED);
}

/* One write a line: lines of several threads do not mix. */
static void print_line(const char *fmt, va_list ap)
{
	const char *end = __atomic_load_n(&raw_tty, __ATOMIC_RELAXED) ? "\r\n" : "\n";
	char text[512];

	vsnprintf(text, sizeof(text), fmt, ap);
	dprintf(STDERR_FILENO, "%s: %s%s", program_invocation_short_name, text, end);
}

void message(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_line(fmt, ap);
	va_end(ap);
}

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_line(fmt, ap);
	va_end(ap);
	exit(1);
}

void die_status(int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_line(fmt, ap);
	va_end(ap);
	exit(status);
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		die("out of memory: close other programs on this host");
	return p;
}

void *xgrow(void *p, size_t n, size_t size)
{
	/* Room for n - 1 has been made already, up to the next power of 2. */
	if (n > 1 && (n - 1) & (n - 2))
		return p;
	p = reallocarray(p, n > 1 ? 2 * (n - 1) : 1, size);
	if (!p)
		die("out of memory: close other programs on this host");
	return p;
}

u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static bool parse_digits(const char *s, char **end, u64 *out)
{
	/* strtoull alone would take "-1", " 1" and "". */
	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	*out = strtoull(s, end, 10);
	return !errno;
}

bool parse_number(const char *s, u64 *out)
{
	char *end;

	return parse_digits(s, &end, out) && !*end;
}

bool parse_address(const char *s, u64 *out)
{
	char *end;

	if (s[0] != '0' || (s[1] != 'x' && s[1] != 'X'))
		return parse_number(s, out);
	if (!isxdigit((unsigned char)s[2]))
		return false;
	errno = 0;
	*out = strtoull(s, &end, 16);
	return !errno && !*end;
}

bool parse_size(const char *s, u64 *out)
{
	unsigned int shift;
	char *end;
	u64 n;

	if (!parse_digits(s, &end, &n) || !*end || end[1])
		return false;
	switch (toupper((unsigned char)*end)) {
	case 'K':
		shift = 10;
		break;
	case 'M':
		shift = 20;
		break;
	case 'G':
		shift = 30;
		break;
	default:
		return false;
	}
	if (n > (~0ULL >> shift))
		return false;
	*out = n << shift;
	return true;
}

int read_full(int fd, void *buf, size_t len, off_t offset)
{
	char *p = buf;

	while (len) {
		ssize_t n = pread(fd, p, len, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			if (!n)
				errno = EIO;
			return -1;
		}
		p += n;
		len -= n;
		offset += n;
	}
	return 0;
}
