/* SPDX-License-Identifier: GPL-2.0 */
/* The same test, short in `make check` and long in `make soak`. */
#ifndef SELFTESTS_SOAK_H
#define SELFTESTS_SOAK_H

#include <stdlib.h>
#include <unistd.h>

#define SOAK_LIMIT_SECONDS 3000

/**
 * soak_rounds() - how often
 * @few: in `make check`
 * @many: in `make soak`, which sets KEEL_SOAK; the case then has more time, too
 *
 * Return: one of the two
 */
static inline int soak_rounds(int few, int many)
{
	if (!getenv("KEEL_SOAK"))
		return few;
	alarm(SOAK_LIMIT_SECONDS);
	return many;
}

#endif
