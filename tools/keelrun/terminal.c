// SPDX-License-Identifier: GPL-2.0
/*
 * The user's terminal.
 *
 * What is typed waits in a ring until the guest's console takes it. From a terminal the ring is
 * filled even when nobody takes it, because Ctrl-a x must be seen when the guest hangs; what does
 * not fit is lost, as on a serial line. A pipe is read only while there is room: its writer waits.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "loop.h"
#include "terminal.h"
#include "vm.h"

#define CTRL_A		1
#define RING_SIZE	4096

static struct {
	struct event_source in;
	int out_fd;
	int signal_fd;
	bool in_is_tty;
	bool escape;			/* the last character was Ctrl-a */
	struct termios saved;

	struct vm *vm;
	void (*input)(void *opaque);
	void *opaque;

	pthread_mutex_t lock;		/* a leaf: taken under the locks of devices */
	u8 ring[RING_SIZE];
	unsigned int head, tail;	/* free-running; head is where input enters */
	bool paused;			/* a pipe waits for room */
} term = {
	.in.fd = -1,
	.out_fd = STDOUT_FILENO,
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

static unsigned int ring_room(void)
{
	return RING_SIZE - (term.head - term.tail);
}

static void ring_put(u8 c)
{
	if (ring_room())
		term.ring[term.head++ % RING_SIZE] = c;
}

/* Return: whether the user asked to leave. */
static bool take_typed(u8 c)
{
	if (!term.in_is_tty) {
		ring_put(c);
		return false;
	}
	if (term.escape) {
		term.escape = false;
		if (c == CTRL_A)
			ring_put(c);
		return c == 'x';
	}
	if (c == CTRL_A)
		term.escape = true;
	else
		ring_put(c);
	return false;
}

static void input_ready(struct event_source *src)
{
	size_t want = RING_SIZE;
	u8 buf[RING_SIZE];
	bool quit = false;
	ssize_t n;

	if (!term.in_is_tty) {
		pthread_mutex_lock(&term.lock);
		want = ring_room();
		term.paused = !want;
		if (term.paused)
			loop_pause(src, true);
		pthread_mutex_unlock(&term.lock);
		if (!want)
			return;
	}

	n = read(src->fd, buf, want);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		loop_remove(src);
		return;
	}

	pthread_mutex_lock(&term.lock);
	for (ssize_t i = 0; i < n; i++)
		quit |= take_typed(buf[i]);
	pthread_mutex_unlock(&term.lock);

	if (!term.vm)
		return;
	if (quit) {
		/* What follows keelrun starts in a line of its own. */
		terminal_write("\r\n", 2);
		vm_stop(term.vm, VM_QUIT);
	} else {
		term.input(term.opaque);
	}
}

static void restore_tty(void)
{
	tcsetattr(STDIN_FILENO, TCSADRAIN, &term.saved);
	message_raw_tty(false);
}

static void make_raw(void)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &term.saved))
		return;
	raw = term.saved;
	cfmakeraw(&raw);
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw))
		return;
	message_raw_tty(true);
	atexit(restore_tty);
	message("Ctrl-a x leaves");
}

/*
 * A write that would block must end when the VM ends. O_NONBLOCK belongs to the open file, which
 * other programs share: open the pipe or terminal once more for a flag of our own.
 */
static void open_output(void)
{
	struct stat st;
	int fd;

	if (fstat(STDOUT_FILENO, &st) || !(S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)))
		return;
	fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd >= 0)
		term.out_fd = fd;
}

void terminal_init(int signal_fd)
{
	pid_t owner;

	term.signal_fd = signal_fd;
	open_output();

	term.in_is_tty = isatty(STDIN_FILENO);
	if (term.in_is_tty) {
		/* In the background even tcsetattr() would stop the whole job. */
		owner = tcgetpgrp(STDIN_FILENO);
		if (owner > 0 && owner != getpgrp())
			return;
		make_raw();
	}
	term.in.fd = STDIN_FILENO;
	term.in.ready = input_ready;
	/* Fails for a regular file and /dev/null: then there is no input. */
	loop_add(&term.in);
}

void terminal_attach(struct vm *vm, void (*input)(void *opaque), void *opaque)
{
	term.vm = vm;
	term.input = input;
	term.opaque = opaque;
}

size_t terminal_read(void *buf, size_t len)
{
	u8 *p = buf;
	size_t n = 0;

	pthread_mutex_lock(&term.lock);
	while (n < len && term.tail != term.head)
		p[n++] = term.ring[term.tail++ % RING_SIZE];
	if (n && term.paused) {
		term.paused = false;
		loop_pause(&term.in, false);
	}
	pthread_mutex_unlock(&term.lock);
	return n;
}

bool terminal_has_input(void)
{
	bool some;

	pthread_mutex_lock(&term.lock);
	some = term.tail != term.head;
	pthread_mutex_unlock(&term.lock);
	return some;
}

/* Return: whether writing can go on. */
static bool wait_for_output(void)
{
	struct pollfd fds[] = {
		{ .fd = term.out_fd, .events = POLLOUT },
		{ .fd = term.signal_fd, .events = POLLIN },
		{ .fd = term.vm ? term.vm->stop_event.fd : -1, .events = POLLIN },
	};

	if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
		return errno == EINTR;
	return fds[0].revents & POLLOUT;
}

void terminal_write(const void *buf, size_t len)
{
	const u8 *p = buf;

	while (len) {
		ssize_t n = write(term.out_fd, p, len);

		if (n > 0) {
			p += n;
			len -= n;
		} else if (n < 0 && errno == EAGAIN) {
			if (!wait_for_output())
				return;
		} else if (n == 0 || errno != EINTR) {
			/* The reader has gone: the guest goes on without it. */
			return;
		}
	}
}
