/* SPDX-License-Identifier: GPL-2.0 */
/* keelctl: the variables that a guest and its host share, by name; values are bytes. */
#ifndef KEELCTL_GUESTINFO_H
#define KEELCTL_GUESTINFO_H

#include "util.h"

#define GUESTINFO_KEY_MAX	256
#define GUESTINFO_MAX		SZ_1M	/* all variables, with what it takes to keep them */

/**
 * struct guestinfo - the variables; zeroed: there are none
 * @first: the one set last
 * @used: bytes that they take
 */
struct guestinfo {
	struct guestinfo_variable *first;
	size_t used;
};

/**
 * guestinfo_set() - give a variable a value, a new one if it has one
 * @g: the variables
 * @key: its name
 * @key_len: its length
 * @value: the bytes
 * @len: how many
 *
 * Return: NULL; else what is wrong, and the variable is as it was.
 */
const char *guestinfo_set(struct guestinfo *g, const char *key, size_t key_len, const char *value,
			  size_t len);

/**
 * guestinfo_get() - look a variable up
 * @g: the variables
 * @key: its name
 * @key_len: its length
 * @len: of the value; filled in
 *
 * Return: the value, until a variable is set; NULL: there is none of this name.
 */
const char *guestinfo_get(const struct guestinfo *g, const char *key, size_t key_len,
			  size_t *len);

/**
 * guestinfo_free() - forget all variables
 * @g: the variables
 */
void guestinfo_free(struct guestinfo *g);

#endif
