// SPDX-License-Identifier: GPL-2.0
/* What the compiler may call by itself. */
#include "guest.h"

void *memcpy(void *to, const void *from, size_t size)
{
	const char *f = from;
	char *t = to;

	while (size--)
		*t++ = *f++;
	return to;
}

void *memset(void *to, int byte, size_t size)
{
	char *t = to;

	while (size--)
		*t++ = byte;
	return to;
}
