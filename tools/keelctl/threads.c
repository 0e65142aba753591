// SPDX-License-Identifier: GPL-2.0
/* Threads of a VMM, from /proc. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "threads.h"

#define PATH_SIZE	64
#define NR_IOCTL	29	/* arm64's */
#define VCPU_LINK	"anon_inode:keel-vcpu:"

/* A short file of /proc. Return: its length; 0: there is none, or it may not be read. */
static size_t read_file(const char *path, char *to, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return 0;
	n = read(fd, to, size - 1);
	close(fd);
	to[n > 0 ? n : 0] = 0;
	return n > 0 ? n : 0;
}

/* Time in ns where the kernel keeps it, else in ticks of the clock. */
static u64 cpu_time(u32 tgid, u32 tid, u64 ticks)
{
	char path[PATH_SIZE], text[128];
	u64 ns = 0;

	snprintf(path, sizeof(path), "/proc/%u/task/%u/schedstat", tgid, tid);
	if (read_file(path, text, sizeof(text)))
		ns = strtoull(text, NULL, 10);
	if (ns)
		return ns;
	return ticks * (1000000000 / sysconf(_SC_CLK_TCK));
}

/* Fields of /proc/PID/stat (proc(5)), from the state on, which is the third. */
#define STAT_UTIME	(14 - 3)
#define STAT_STIME	(15 - 3)
#define STAT_PROCESSOR	(39 - 3)
#define STAT_FIELDS	(STAT_PROCESSOR + 1)

/* The name in parentheses may have anything in it. */
static bool read_stat(u32 tgid, u32 tid, struct thread *t)
{
	char path[PATH_SIZE], text[1024], *name, *end, *field[STAT_FIELDS], *save;
	int n = 0;

	snprintf(path, sizeof(path), "/proc/%u/task/%u/stat", tgid, tid);
	if (!read_file(path, text, sizeof(text)))
		return false;
	name = strchr(text, '(');
	end = strrchr(text, ')');
	if (!name || !end)
		return false;
	*end = 0;
	*t = (struct thread){ .tid = tid, .vcpu = THREAD_NO_VCPU };
	snprintf(t->name, sizeof(t->name), "%s", name + 1);
	while (n < STAT_FIELDS && (field[n] = strtok_r(n ? NULL : end + 1, " ", &save)))
		n++;
	if (n < STAT_FIELDS)
		return false;
	t->state = *field[0];
	t->cpu = strtol(field[STAT_PROCESSOR], NULL, 10);
	t->ns = cpu_time(tgid, tid, strtoull(field[STAT_UTIME], NULL, 10) +
			 strtoull(field[STAT_STIME], NULL, 10));
	return true;
}

static void read_tasks(struct threads *t, u32 tgid)
{
	char path[PATH_SIZE];
	struct dirent *d;
	DIR *dir;
	u64 tid;

	snprintf(path, sizeof(path), "/proc/%u/task", tgid);
	dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		if (!parse_number(d->d_name, &tid))
			continue;
		t->thread = xgrow(t->thread, t->nr + 1, sizeof(*t->thread));
		if (read_stat(tgid, tid, &t->thread[t->nr]))
			t->nr++;
	}
	if (dir)
		closedir(dir);
}

static s64 vcpu_of_name(const struct thread *t)
{
	unsigned int vcpu;
	int end = 0;

	if (sscanf(t->name, "CPU %u/KVM%n", &vcpu, &end) == 1 && end)
		return vcpu;
	return THREAD_NO_VCPU;
}

/* Of a thread that sleeps in KVM_RUN, or has been preempted there. */
static s64 vcpu_of_call(u32 tgid, const struct thread *t)
{
	char path[PATH_SIZE], text[256], link[PATH_SIZE];
	unsigned long long fd, request;
	ssize_t n;
	u64 vcpu;
	int nr;

	snprintf(path, sizeof(path), "/proc/%u/task/%u/syscall", tgid, t->tid);
	if (!read_file(path, text, sizeof(text)) ||
	    sscanf(text, "%d %llx %llx", &nr, &fd, &request) != 3 || nr != NR_IOCTL ||
	    request != KVM_RUN)
		return THREAD_NO_VCPU;
	snprintf(path, sizeof(path), "/proc/%u/fd/%u", tgid, (unsigned int)fd);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < (ssize_t)strlen(VCPU_LINK))
		return THREAD_NO_VCPU;
	link[n] = 0;
	if (strncmp(link, VCPU_LINK, strlen(VCPU_LINK)) ||
	    !parse_number(link + strlen(VCPU_LINK), &vcpu))
		return THREAD_NO_VCPU;
	return vcpu;
}

static struct thread *find_thread(const struct threads *t, s64 vcpu)
{
	for (size_t i = 0; i < t->nr; i++)
		if (t->thread[i].vcpu == vcpu)
			return &t->thread[i];
	return NULL;
}

static void tell(struct threads *t, struct thread *thread, s64 vcpu)
{
	struct thread *other = find_thread(t, vcpu);

	if (vcpu == THREAD_NO_VCPU)
		return;
	if (other)
		other->vcpu = THREAD_NO_VCPU;
	thread->vcpu = vcpu;
}

static void look_up_before(struct threads *t, const struct threads *before)
{
	for (size_t i = 0; before && i < before->nr; i++)
		for (size_t k = 0; k < t->nr; k++)
			if (t->thread[k].tid == before->thread[i].tid)
				t->thread[k].vcpu = before->thread[i].vcpu;
}

/* Loaded on a host CPU, before and after: then its thread runs there. */
static void tell_running(struct threads *t, const struct keel_vm_info *vm, int observer, u32 index)
{
	struct keel_vcpu_info first = { .size = sizeof(first), .index = index }, then = first;
	struct thread *only = NULL, now;

	if (ioctl(observer, KEEL_VCPU_INFO, &first) || first.cpu < 0 ||
	    find_thread(t, first.id))
		return;
	for (size_t i = 0; i < t->nr; i++) {
		if (t->thread[i].vcpu != THREAD_NO_VCPU ||
		    !read_stat(vm->tgid, t->thread[i].tid, &now) || now.state != 'R' ||
		    now.cpu != first.cpu)
			continue;
		if (only)
			return;
		only = &t->thread[i];
	}
	if (only && !ioctl(observer, KEEL_VCPU_INFO, &then) && then.cpu == first.cpu)
		only->vcpu = first.id;
}

void threads_read(struct threads *t, const struct threads *before, const struct keel_vm_info *vm,
		  int observer, bool alone)
{
	*t = (struct threads){ .nr = 0 };
	if (!vm->tgid)
		return;
	read_tasks(t, vm->tgid);
	look_up_before(t, before);
	for (size_t i = 0; alone && i < t->nr; i++) {
		tell(t, &t->thread[i], vcpu_of_name(&t->thread[i]));
		tell(t, &t->thread[i], vcpu_of_call(vm->tgid, &t->thread[i]));
	}
	for (u32 i = 0; i < vm->nr_vcpus; i++)
		tell_running(t, vm, observer, i);
}

bool threads_vcpu(const struct threads *t, const struct threads *before, u32 vcpu, u64 *ns)
{
	const struct thread *now = find_thread(t, vcpu);

	for (size_t i = 0; now && i < before->nr; i++)
		if (before->thread[i].tid == now->tid && before->thread[i].ns <= now->ns) {
			*ns = now->ns - before->thread[i].ns;
			return true;
		}
	return false;
}

void threads_free(struct threads *t)
{
	free(t->thread);
	*t = (struct threads){ .nr = 0 };
}
