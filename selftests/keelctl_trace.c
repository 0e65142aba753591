// SPDX-License-Identifier: GPL-2.0
/* keelctl trace: what it prints of exits that a guest makes, and that nothing of it stays. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keel.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/json.h"
#include "lib/keelctl.h"
#include "lib/poke.h"
#include "lib/vm.h"

#define INSTANCES	"/sys/kernel/tracing/instances"

static struct vm vm;

static void create(void)
{
	if (access(INSTANCES, F_OK) || access("/sys/kernel/tracing/events/keel", F_OK))
		ktap_skip("no tracepoints of keel");
	poke_create(&vm);
	set_name(&vm, "traced");
}

static void instance_of(pid_t pid, const char *file, char *path)
{
	sprintf(path, INSTANCES "/keelctl-%d%s", pid, file);
}

static bool is_traced(pid_t pid)
{
	char path[128], on = 0;
	int fd;

	instance_of(pid, "/events/keel/keel_exit/enable", path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (read(fd, &on, 1) != 1)
		on = 0;
	close(fd);
	return on == '1';
}

/* Start it, with its output into @to, and wait until it records. */
static pid_t start(const char *option, const char *value, int to)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		dup2(to, 1);
		execlp("keelctl", "keelctl", "trace", "traced", option, value, "--json", NULL);
		_exit(127);
	}
	while (!is_traced(pid)) {
		REQUIRE_EQ(waitpid(pid, &status, WNOHANG), 0);
		sched_yield();
	}
	return pid;
}

static int end(pid_t pid)
{
	char path[128];
	int status;

	REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	REQUIRE(WIFEXITED(status));
	instance_of(pid, "", path);
	CHECK_ERR(access(path, F_OK), ENOENT);
	return WEXITSTATUS(status);
}

/* The line of @text that has @words in it; ends the case without one, or if a line is no JSON. */
static void line_of(char *text, const char *words, char *line)
{
	char *at = text, *stop;

	for (; (stop = strchr(at, '\n')); at = stop + 1) {
		snprintf(line, 1024, "%.*s", (int)(stop - at), at);
		if (!json_valid(line))
			ktap_fail("no JSON: %s", line);
		if (strstr(line, words))
			return;
	}
	ktap_fail("no line with %s: %s", words, text);
}

static void decoded(void)
{
	struct poke get = { .op = POKE_READ, .addr = MMIO_IPA + 8, .len = 4 };
	int file = open("/tmp/keelctl-trace", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	static char text[MAX_ANSWER];
	char line[1024], want[64];
	pid_t pid;
	ssize_t n;

	create();
	pid = start("--count", "1000000", file);
	CHECK(!poke_command(&vm, &get));
	CHECK(poke_resume(&vm, &get));
	/* What was recorded before is printed. */
	REQUIRE_OK(kill(pid, SIGTERM));
	CHECK_EQ(end(pid), 0);
	n = pread(file, text, sizeof(text) - 1, 0);
	REQUIRE(n > 0);
	text[n] = 0;
	close(file);
	unlink("/tmp/keelctl-trace");
	sprintf(want, "ipa 0x%x: read 4 into x", MMIO_IPA + 8);
	line_of(text, want, line);
	CHECK(json_is(line, "class", "dabt"));
	CHECK(json_is(line, "event", "exit"));
	CHECK_EQ(json_u64(line, "vcpu"), 0);
	CHECK_EQ(json_u64(line, "tier"), 2);
	vm_destroy(&vm);
}

/* Whatever ends it, also that nobody reads any more. */
static void removed(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGALRM };
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC), fds[2];
	struct poke read = { .op = POKE_READ, .addr = MMIO_IPA, .len = 4 };
	size_t i;
	pid_t pid;

	create();
	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		pid = start("--count", "1000000", null);
		REQUIRE_OK(kill(pid, signals[i]));
		CHECK_EQ(end(pid), 0);
	}
	REQUIRE_OK(pipe2(fds, O_CLOEXEC));
	pid = start("--count", "1000000", fds[1]);
	close(fds[0]);
	close(fds[1]);
	CHECK(!poke_command(&vm, &read));
	CHECK_EQ(end(pid), 0);
	pid = start("--count", "1000000", null);
	vm_destroy(&vm);
	CHECK_EQ(end(pid), 0);
}

/* One that was killed leaves an instance; the next removes it. */
static void stale(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC), status;
	char path[128];
	pid_t pid, next;

	create();
	pid = start("--count", "1", null);
	REQUIRE_OK(kill(pid, SIGKILL));
	REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	instance_of(pid, "", path);
	REQUIRE_OK(access(path, F_OK));
	next = start("--count", "1000", null);
	CHECK_ERR(access(path, F_OK), ENOENT);
	REQUIRE_OK(kill(next, SIGTERM));
	CHECK_EQ(end(next), 0);
	vm_destroy(&vm);
}

/* Another VM's exits are not shown. */
static void filtered(void)
{
	int file = open("/tmp/keelctl-trace", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct poke read = { .op = POKE_READ, .addr = MMIO_IPA, .len = 4 };
	struct vm other;
	pid_t pid;

	create();
	poke_create(&other);
	pid = start("--count", "1000", file);
	CHECK(!poke_command(&other, &read));
	CHECK(poke_resume(&other, &read));
	REQUIRE_OK(kill(pid, SIGTERM));
	CHECK_EQ(end(pid), 0);
	CHECK_EQ(lseek(file, 0, SEEK_END), 0);
	close(file);
	unlink("/tmp/keelctl-trace");
	vm_destroy(&other);
	vm_destroy(&vm);
}

static void errors(void)
{
	create();
	refuses(1, "is no number of exits", NULL, "keelctl trace traced --count 0");
	refuses(1, "is no number of exits", NULL, "keelctl trace traced --count x");
	refuses(1, "trace needs a VM", NULL, "keelctl trace");
	refuses(2, "no VM nobody", NULL, "keelctl trace nobody");
	vm_destroy(&vm);
}

static const struct ktap_case cases[] = {
	{ "decoded", decoded },
	{ "removed", removed },
	{ "stale", stale },
	{ "filtered", filtered },
	{ "errors", errors },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
