// SPDX-License-Identifier: GPL-2.0
/* The main thread's event loop. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "loop.h"

static int epoll_fd = -1;

void loop_init(void)
{
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0)
		die("cannot make an epoll descriptor: %s", strerror(errno));
}

bool loop_add(struct event_source *src)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = src };

	return !epoll_ctl(epoll_fd, EPOLL_CTL_ADD, src->fd, &ev);
}

void loop_remove(struct event_source *src)
{
	epoll_ctl(epoll_fd, EPOLL_CTL_DEL, src->fd, NULL);
}

void loop_pause(struct event_source *src, bool pause)
{
	/*
	 * EPOLLHUP is always reported: a paused source is one-shot, so that a pipe whose writer has
	 * gone wakes the loop once and not for ever.
	 */
	struct epoll_event ev = { .events = pause ? EPOLLONESHOT : EPOLLIN, .data.ptr = src };

	epoll_ctl(epoll_fd, EPOLL_CTL_MOD, src->fd, &ev);
}

void loop_add_eventfd(struct event_source *src, void (*ready)(struct event_source *src))
{
	src->fd = eventfd_make();
	src->ready = ready;
	if (!loop_add(src))
		die("cannot watch an eventfd: %s", strerror(errno));
}

void loop_run(const int *stop)
{
	while (!__atomic_load_n(stop, __ATOMIC_ACQUIRE)) {
		struct epoll_event ev;
		struct event_source *src;

		/* One at a time: a handler may remove any other source. */
		if (epoll_wait(epoll_fd, &ev, 1, -1) != 1)
			continue;
		src = ev.data.ptr;
		src->ready(src);
	}
}

int eventfd_make(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		die("cannot make an eventfd: %s; raise the limit of open files (ulimit -n)",
		    strerror(errno));
	return fd;
}

void eventfd_signal(int fd)
{
	u64 one = 1;

	/* It fails only when the counter is full, and then it is signalled already. */
	if (write(fd, &one, sizeof(one)) < 0)
		return;
}

void eventfd_clear(int fd)
{
	u64 count;

	if (read(fd, &count, sizeof(count)) < 0)
		return;
}
