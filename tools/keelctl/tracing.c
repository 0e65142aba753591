// SPDX-License-Identifier: GPL-2.0
/* An instance of tracefs. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keelctl.h"
#include "tracing.h"

#define INSTANCE	"keelctl-"
#define PATH_SIZE	128

static char instance[PATH_SIZE];
static int trace_pipe = -1;

static const char *find_tracefs(void)
{
	static const char *const places[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	char path[PATH_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		snprintf(path, sizeof(path), "%s/instances", places[i]);
		if (!access(path, F_OK))
			return places[i];
		if (errno == EACCES)
			die_status(EXIT_PERMISSION,
				   "cannot look into %s: %s; run keelctl as root", places[i],
				   strerror(errno));
	}
	die("no tracefs: mount -t tracefs none /sys/kernel/tracing");
}

/* Return: 0 or -errno. */
static int set(const char *file, const char *value)
{
	char path[PATH_SIZE + 64];
	int fd, ret = 0;

	snprintf(path, sizeof(path), "%s/%s", instance, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static void must_set(const char *file, const char *value)
{
	int ret = set(file, value);

	if (ret)
		die("cannot set %s/%s: %s", instance, file, strerror(-ret));
}

void tracing_end(void)
{
	if (!*instance)
		return;
	if (trace_pipe >= 0)
		close(trace_pipe);
	trace_pipe = -1;
	set("events/keel/enable", "0");
	if (rmdir(instance))
		message("cannot remove %s: %s; remove it with rmdir", instance, strerror(errno));
	*instance = 0;
}

/* Of processes that are no more: they were killed. */
static void remove_stale(const char *tracefs)
{
	char path[PATH_SIZE + 256];
	struct dirent *d;
	DIR *dir;
	u64 pid;

	snprintf(path, sizeof(path), "%s/instances", tracefs);
	dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		if (strncmp(d->d_name, INSTANCE, strlen(INSTANCE)) ||
		    !parse_number(d->d_name + strlen(INSTANCE), &pid) ||
		    !kill(pid, 0) || errno != ESRCH)
			continue;
		snprintf(path, sizeof(path), "%s/instances/%s", tracefs, d->d_name);
		rmdir(path);
	}
	if (dir)
		closedir(dir);
}

static void make_instance(const char *tracefs)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s/instances/" INSTANCE "%d", tracefs, getpid());
	if (mkdir(path, 0700) && errno != EEXIST) {
		if (errno == EACCES || errno == EPERM)
			die_status(EXIT_PERMISSION, "cannot trace: %s; run keelctl as root",
				   strerror(errno));
		die("cannot make %s: %s", path, strerror(errno));
	}
	strcpy(instance, path);
	atexit(tracing_end);
	snprintf(path, sizeof(path), "%s/events/keel", instance);
	if (access(path, F_OK))
		die("keel.ko has no tracepoints: its kernel was built without tracing");
}

static int open_pipe(void)
{
	char path[PATH_SIZE + 16];

	snprintf(path, sizeof(path), "%s/trace_pipe", instance);
	trace_pipe = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (trace_pipe < 0)
		die("cannot open %s: %s", path, strerror(errno));
	return trace_pipe;
}

int tracing_begin(u32 vm, bool all)
{
	const char *tracefs = find_tracefs();
	char filter[32];

	remove_stale(tracefs);
	make_instance(tracefs);
	/* Of all CPUs the same; and poll() does not wait for a buffer that is half full. */
	must_set("trace_clock", "mono");
	set("buffer_percent", "0");
	snprintf(filter, sizeof(filter), "vm == %u", vm);
	must_set("events/keel/filter", filter);
	open_pipe();
	must_set(all ? "events/keel/enable" : "events/keel/keel_exit/enable", "1");
	return trace_pipe;
}
