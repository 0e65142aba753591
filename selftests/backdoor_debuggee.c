// SPDX-License-Identifier: GPL-2.0
/* Not a test: what a debugger in a Linux guest debugs (backdoor_guest.c, lib/backdoor.gdb). */
#include <stdio.h>

#include "lib/backdoor.h"

#define ROUNDS	12

long watched;

/* A body that is not known where it is called, so that each round really calls it. */
static long __attribute__((noipa)) work(long n)
{
	return n * n + 1;
}

static int answered(void (*insn)(void))
{
	u64 x[8], x7 = BACKDOOR_DCC | BACKDOOR_IN;

	backdoor_version_set(x, x7);
	backdoor_try(x, insn);
	return backdoor_version_answered(x, x7);
}

int main(void)
{
	int dcc = 0, brk = 0;
	long i, n;

	for (i = 0; i < ROUNDS; i++) {
		n = work(i);
		WRITE_ONCE(watched, READ_ONCE(watched) + n);
		dcc += answered(insn_dcc);
		brk += answered(insn_brk);
	}
	printf("sum %ld dcc %d brk %d\n", watched, dcc, brk);
	return dcc != ROUNDS || brk != ROUNDS;
}
