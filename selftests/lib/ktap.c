// SPDX-License-Identifier: GPL-2.0
/* KTAP output and the process around each case. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ktap.h"

/* A safety limit for a case that hangs, far above what any takes. */
#define CASE_LIMIT_SECONDS 60

/* The reason of a skip reaches the parent through this pipe. */
static int skip_pipe[2];
static bool any_failed;

static void note_va(const char *prefix, const char *fmt, va_list ap)
{
	char line[1024];

	/* One write per line: threads and the child's and the parent's output do not mix. */
	vsnprintf(line, sizeof(line), fmt, ap);
	dprintf(STDOUT_FILENO, "# %s%s\n", prefix, line);
}

void ktap_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note_va("", fmt, ap);
	va_end(ap);
}

void ktap_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vdprintf(skip_pipe[1], fmt, ap);
	va_end(ap);
	_exit(KTAP_SKIP);
}

void ktap_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note_va("fail: ", fmt, ap);
	va_end(ap);
	_exit(KTAP_FAIL);
}

bool ktap_failed(void)
{
	return READ_ONCE(any_failed);
}

bool ktap_check(bool ok, const char *file, int line, const char *expr)
{
	if (!ok) {
		ktap_note("%s:%d: %s", file, line, expr);
		WRITE_ONCE(any_failed, true);
	}
	return ok;
}

bool ktap_check_eq(u64 got, u64 want, const char *file, int line, const char *expr)
{
	if (got != want) {
		ktap_note("%s:%d: %s is %#llx, not %#llx", file, line, expr, got, want);
		WRITE_ONCE(any_failed, true);
	}
	return got == want;
}

bool ktap_check_err(long ret, int err, const char *file, int line, const char *expr)
{
	int found = ret < 0 ? errno : 0;

	if (found != err) {
		ktap_note("%s:%d: %s gives %ld (%s), not %s", file, line, expr, ret,
			  found ? strerror(found) : "success", err ? strerror(err) : "success");
		WRITE_ONCE(any_failed, true);
	}
	return found == err;
}

static void case_child(const struct ktap_case *c)
{
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(CASE_LIMIT_SECONDS);
	c->run();
	_exit(any_failed ? KTAP_FAIL : KTAP_PASS);
}

static int case_status(int status)
{
	if (WIFSIGNALED(status)) {
		if (WTERMSIG(status) == SIGALRM)
			ktap_note("still running after %d seconds", CASE_LIMIT_SECONDS);
		else
			ktap_note("killed by signal %d", WTERMSIG(status));
		return KTAP_FAIL;
	}
	return WEXITSTATUS(status);
}

static int case_run(const struct ktap_case *c)
{
	int status;
	pid_t pid = fork();

	if (pid < 0) {
		ktap_note("fork: %s", strerror(errno));
		return KTAP_FAIL;
	}
	if (!pid)
		case_child(c);
	while (waitpid(pid, &status, 0) < 0)
		continue;
	/* Whatever the case started ends with it. */
	kill(-pid, SIGKILL);
	return case_status(status);
}

static bool case_chosen(int argc, char **argv, const char *name)
{
	int i;

	for (i = 1; i < argc; i++)
		if (!strcmp(argv[i], name))
			return true;
	return argc < 2;
}

static void case_result(int number, const char *name, int status)
{
	char reason[256] = "";

	if (status == KTAP_SKIP && read(skip_pipe[0], reason, sizeof(reason) - 1) < 0)
		strcpy(reason, "no reason given");
	if (status == KTAP_SKIP)
		dprintf(STDOUT_FILENO, "ok %d %s # SKIP %s\n", number, name, reason);
	else
		dprintf(STDOUT_FILENO, "%s %d %s\n", status ? "not ok" : "ok", number, name);
}

int ktap_main(int argc, char **argv, const struct ktap_case *cases, int n)
{
	int i, status, chosen = 0, number = 0, failed = 0, skipped = 0;

	if (pipe(skip_pipe))
		return KTAP_FAIL;
	for (i = 0; i < n; i++)
		chosen += case_chosen(argc, argv, cases[i].name);
	dprintf(STDOUT_FILENO, "KTAP version 1\n1..%d\n", chosen);
	for (i = 0; i < n; i++) {
		if (!case_chosen(argc, argv, cases[i].name))
			continue;
		status = case_run(&cases[i]);
		case_result(++number, cases[i].name, status);
		skipped += status == KTAP_SKIP;
		failed += status != KTAP_SKIP && status != KTAP_PASS;
	}
	dprintf(STDOUT_FILENO, "# %d passed, %d failed, %d skipped\n", number - failed - skipped,
		failed, skipped);
	if (failed || !number)
		return KTAP_FAIL;
	return skipped ? KTAP_SKIP : KTAP_PASS;
}
