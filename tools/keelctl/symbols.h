/* SPDX-License-Identifier: GPL-2.0 */
/* Names of a kernel's code, from its System.map. */
#ifndef KEELCTL_SYMBOLS_H
#define KEELCTL_SYMBOLS_H

#include "util.h"

/**
 * struct symbols - the code of a map
 * @nr: how many symbols there are
 * @symbol: in order of address
 * @end: the highest address of the map, of code or data: what is not below it is not the kernel's
 */
struct symbols {
	size_t nr;
	struct symbol {
		u64 addr;
		char *name;
	} *symbol;
	u64 end;
};

/**
 * symbols_read() - read a map, or end the program with an error
 * @s: filled in
 * @path: a file of lines "ADDRESS TYPE NAME" as of nm, in any order
 *
 * Only code (types t and w, small or capital) gets names. Other lines are passed over.
 */
void symbols_read(struct symbols *s, const char *path);

/**
 * symbols_find() - the symbol that an address belongs to
 * @s: of symbols_read()
 * @addr: the address
 *
 * Return: the last symbol that does not begin behind @addr; NULL outside the map.
 */
const struct symbol *symbols_find(const struct symbols *s, u64 addr);

#endif
