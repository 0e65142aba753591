// SPDX-License-Identifier: GPL-2.0
/* The variables that a guest and its host share: a list, bounded, as the guest fills it. */
#include <stdlib.h>
#include <string.h>

#include "guestinfo.h"

/**
 * struct guestinfo_variable - one of them
 * @next: set before it
 * @key_len: length of its name
 * @len: length of its value
 * @bytes: the name, then the value
 */
struct guestinfo_variable {
	struct guestinfo_variable *next;
	size_t key_len;
	size_t len;
	char bytes[];
};

static size_t size_of(const struct guestinfo_variable *v)
{
	return sizeof(*v) + v->key_len + v->len;
}

/* What points to the variable; to NULL, at the list's end, if there is none. */
static struct guestinfo_variable **find(struct guestinfo *g, const char *key, size_t key_len)
{
	struct guestinfo_variable **v;

	for (v = &g->first; *v; v = &(*v)->next)
		if ((*v)->key_len == key_len && !memcmp((*v)->bytes, key, key_len))
			break;
	return v;
}

static void drop(struct guestinfo *g, struct guestinfo_variable **at)
{
	struct guestinfo_variable *v = *at;

	*at = v->next;
	g->used -= size_of(v);
	free(v);
}

const char *guestinfo_set(struct guestinfo *g, const char *key, size_t key_len, const char *value,
			  size_t len)
{
	struct guestinfo_variable **old = find(g, key, key_len), *v;
	size_t size = sizeof(*v) + key_len + len;
	size_t others = g->used - (*old ? size_of(*old) : 0);

	if (key_len > GUESTINFO_KEY_MAX)
		return "Key is too long";
	if (len > GUESTINFO_MAX || others + size > GUESTINFO_MAX)
		return "No room for this value";
	v = malloc(size);
	if (!v)
		return "Out of memory";
	if (*old)
		drop(g, old);
	v->key_len = key_len;
	v->len = len;
	memcpy(v->bytes, key, key_len);
	memcpy(v->bytes + key_len, value, len);
	v->next = g->first;
	g->first = v;
	g->used += size;
	return NULL;
}

const char *guestinfo_get(const struct guestinfo *g, const char *key, size_t key_len, size_t *len)
{
	const struct guestinfo_variable *v = *find((struct guestinfo *)g, key, key_len);

	if (!v)
		return NULL;
	*len = v->len;
	return v->bytes + v->key_len;
}

void guestinfo_free(struct guestinfo *g)
{
	while (g->first)
		drop(g, &g->first);
}
