/* SPDX-License-Identifier: GPL-2.0 */
/* The same test, short in `make check` and long in `make soak`. */
#ifndef SELFTESTS_SOAK_H
#define SELFTESTS_SOAK_H

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "common.h"

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

/**
 * soak_enough() - may a case of `make check` end after fewer rounds than it would like?
 * @done: rounds done
 * @least: rounds that it needs in any case
 * @seconds: how long it may take for the others
 *
 * A slow machine does less of it, and says how much; `make soak` does all.
 *
 * Return: true if @least rounds are done and @seconds have passed since the first call
 */
static inline bool soak_enough(int done, int least, int seconds)
{
	static time_t start;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	start = start ? start : now.tv_sec;
	return !getenv("KEEL_SOAK") && done >= least && now.tv_sec - start >= seconds;
}

#endif
