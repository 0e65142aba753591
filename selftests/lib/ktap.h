/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A test program is a table of cases. Each case runs in a process of its own, so one that crashes
 * or hangs leaves nothing behind for the next; results are printed as KTAP.
 */
#ifndef SELFTESTS_KTAP_H
#define SELFTESTS_KTAP_H

#include "common.h"

#define KTAP_PASS	0
#define KTAP_FAIL	1
#define KTAP_SKIP	4

/**
 * struct ktap_case - one test
 * @name: what its result line says
 * @run: passes when it returns and no check in it failed
 */
struct ktap_case {
	const char *name;
	void (*run)(void);
};

/**
 * ktap_main() - run cases and print KTAP
 * @argc: of main(); with arguments only the cases named by them run
 * @argv: of main()
 * @cases: the table
 * @n: its length
 *
 * Return: the exit status: KTAP_FAIL if a case failed, else KTAP_SKIP if one was skipped, else
 * KTAP_PASS.
 */
int ktap_main(int argc, char **argv, const struct ktap_case *cases, int n);

/**
 * ktap_note() - print one diagnostic line
 * @fmt: as for printf, without newline
 */
void ktap_note(const char *fmt, ...) __printf(1, 2);

/**
 * ktap_skip() - end the running case as skipped
 * @fmt: the reason
 */
void ktap_skip(const char *fmt, ...) __printf(1, 2) __noreturn;

/**
 * ktap_fail() - end the running case as failed
 * @fmt: what went wrong
 */
void ktap_fail(const char *fmt, ...) __printf(1, 2) __noreturn;

/**
 * ktap_failed() - has a check of the running case failed?
 *
 * Return: true if so.
 */
bool ktap_failed(void);

/**
 * ktap_check() - the function behind CHECK()
 * @ok: the outcome
 * @file: where
 * @line: where
 * @expr: text of the check
 *
 * Return: @ok
 */
bool ktap_check(bool ok, const char *file, int line, const char *expr);

/**
 * ktap_check_eq() - the function behind CHECK_EQ()
 * @got: value found
 * @want: value expected
 * @file: where
 * @line: where
 * @expr: text of the first operand
 *
 * Return: true if the two are equal
 */
bool ktap_check_eq(u64 got, u64 want, const char *file, int line, const char *expr);

/**
 * ktap_check_err() - the function behind CHECK_ERR()
 * @ret: what a system call returned; errno is still its
 * @err: the errno expected, 0 for success (any @ret that is not negative)
 * @file: where
 * @line: where
 * @expr: text of the call
 *
 * Return: true if the outcome is the expected one
 */
bool ktap_check_err(long ret, int err, const char *file, int line, const char *expr);

/*
 * CHECK* note a failure and go on, REQUIRE* end the case. Operands are evaluated once. None of
 * these goes through another: the text of the operand would then have its macros expanded.
 */
#define CHECK(c)	 ktap_check(!!(c), __FILE__, __LINE__, #c)
#define CHECK_EQ(a, b)	 ktap_check_eq((u64)(a), (u64)(b), __FILE__, __LINE__, #a)
#define CHECK_ERR(c, e)	 ktap_check_err((c), (e), __FILE__, __LINE__, #c)
#define CHECK_OK(c)	 ktap_check_err((c), 0, __FILE__, __LINE__, #c)
#define KTAP_REQUIRE(ok)					\
	do {							\
		if (!(ok))					\
			ktap_fail("the case cannot go on");	\
	} while (0)
#define REQUIRE(c)	 KTAP_REQUIRE(ktap_check(!!(c), __FILE__, __LINE__, #c))
#define REQUIRE_EQ(a, b) \
	KTAP_REQUIRE(ktap_check_eq((u64)(a), (u64)(b), __FILE__, __LINE__, #a))
#define REQUIRE_OK(c)	 KTAP_REQUIRE(ktap_check_err((c), 0, __FILE__, __LINE__, #c))

#endif
