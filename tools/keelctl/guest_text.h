/* SPDX-License-Identifier: GPL-2.0 */
/* keelctl: bytes of the guest's as text that a terminal can show. */
#ifndef KEELCTL_GUEST_TEXT_H
#define KEELCTL_GUEST_TEXT_H

#include "util.h"

/**
 * guest_text() - make what a guest said printable
 * @from: its bytes
 * @len: how many
 * @to: filled in and ended with a NUL; what is not printable ASCII becomes '?'
 * @room: bytes at @to, at least 1; what does not fit is left out
 *
 * Return: @to.
 */
static inline char *guest_text(const char *from, size_t len, char *to, size_t room)
{
	size_t n;

	for (n = 0; n < len && n < room - 1; n++)
		to[n] = from[n] >= ' ' && from[n] <= '~' ? from[n] : '?';
	to[n] = 0;
	return to;
}

#endif
