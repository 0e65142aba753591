// SPDX-License-Identifier: GPL-2.0
/* Names of a kernel's code, from its System.map. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbols.h"

#define NAME_MAX_LEN	511	/* as the scanf format says; the kernel's KSYM_NAME_LEN is 512 */

static void add(struct symbols *s, u64 addr, const char *name)
{
	/* Twice as much whenever the number is a power of 2. */
	if (!(s->nr & (s->nr - 1)))
		s->symbol = realloc(s->symbol, (s->nr ? 2 * s->nr : 1) * sizeof(*s->symbol));
	if (!s->symbol)
		die("out of memory: close other programs on this host");
	s->symbol[s->nr].addr = addr;
	s->symbol[s->nr].name = strdup(name);
	if (!s->symbol[s->nr++].name)
		die("out of memory: close other programs on this host");
}

/* Of several names for one address that with fewest underscores before it is the best known. */
static int compare(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;
	size_t under_x = strspn(x->name, "_"), under_y = strspn(y->name, "_");

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	if (under_x != under_y)
		return under_x < under_y ? -1 : 1;
	return strcmp(x->name, y->name);
}

void symbols_read(struct symbols *s, const char *path)
{
	char line[NAME_MAX_LEN + 32], name[NAME_MAX_LEN + 1], type[3];
	FILE *f = fopen(path, "re");
	unsigned long long addr;

	memset(s, 0, sizeof(*s));
	if (!f)
		die("cannot open %s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		/* Absolute ones are no addresses. */
		if (sscanf(line, "%llx %2s %511s", &addr, type, name) != 3 || type[1] ||
		    strchr("aA", *type))
			continue;
		if (strchr("tTwW", *type))
			add(s, addr, name);
		if (addr > s->end)
			s->end = addr;
	}
	if (ferror(f))
		die("cannot read %s: %s", path, strerror(errno));
	fclose(f);
	if (!s->nr)
		die("%s names no code: give a System.map (Debian's is in linux-image-*-dbg)", path);
	qsort(s->symbol, s->nr, sizeof(*s->symbol), compare);
}

/* The symbol with the highest address not above @addr, and the first of those with that address. */
const struct symbol *symbols_find(const struct symbols *s, u64 addr)
{
	size_t low = 0, high = s->nr;

	if (addr < s->symbol[0].addr || addr >= s->end)
		return NULL;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (s->symbol[middle].addr <= addr)
			low = middle;
		else
			high = middle;
	}
	while (low && s->symbol[low - 1].addr == s->symbol[low].addr)
		low--;
	return &s->symbol[low];
}
