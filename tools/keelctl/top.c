// SPDX-License-Identifier: GPL-2.0
/* keelctl top */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "output.h"
#include "signals.h"
#include "top.h"

#define INTERVAL_NS	1000000000ULL
#define INTERVAL_MIN_NS	100000000ULL

#define CONTROL_C	3

/**
 * struct screen - the terminal
 * @signals: of signals_open()
 * @keys: standard input is a terminal, whose keys are read
 * @order: of the rows
 * @quit: the user has had enough
 */
struct screen {
	int signals;
	bool keys;
	enum top_order order;
	bool quit;
};

static struct termios cooked;
static bool is_raw, is_drawn;

/* However the program ends, but by SIGKILL. */
static void screen_restore(void)
{
	if (is_raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &cooked);
	if (is_drawn) {
		static const char leave[] = "\033[?25h\033[?1049l";

		if (write(STDOUT_FILENO, leave, sizeof(leave) - 1) < 0)
			return;
	}
	is_raw = false;
	is_drawn = false;
}

/* Its interrupt key is a key like another: what it ends has to be put back first. */
static void screen_open(struct screen *s)
{
	static const char enter[] = "\033[?1049h\033[?25l";
	struct termios raw;

	s->signals = signals_open();
	s->keys = !tcgetattr(STDIN_FILENO, &cooked);
	atexit(screen_restore);
	if (s->keys) {
		raw = cooked;
		raw.c_lflag &= ~(ICANON | ECHO | ISIG);
		raw.c_cc[VMIN] = 0;
		raw.c_cc[VTIME] = 0;
		is_raw = !tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	is_drawn = write(STDOUT_FILENO, enter, sizeof(enter) - 1) > 0;
}

static void take_key(struct screen *s, char key)
{
	switch (tolower((unsigned char)key)) {
	case 'q':
	case CONTROL_C:
		s->quit = true;
		break;
	case 'v':
		s->order = TOP_BY_VM;
		break;
	case 'c':
		s->order = TOP_BY_CPU;
		break;
	case 'e':
		s->order = TOP_BY_EXITS;
		break;
	}
}

/* Return: a key came, so that there is something to do before the time is up. */
static bool wait_for_key(struct screen *s, int timeout)
{
	struct pollfd p[] = {
		{ .fd = s->signals, .events = POLLIN },
		{ .fd = s->keys ? STDIN_FILENO : -1, .events = POLLIN },
	};
	char keys[16];
	ssize_t n;

	if (poll(p, ARRAY_SIZE(p), timeout) <= 0)
		return false;
	if (p[0].revents)
		s->quit = true;
	if (!p[1].revents)
		return true;
	n = read(STDIN_FILENO, keys, sizeof(keys));
	/* The terminal has gone. */
	if (n < 0 || p[1].revents & POLLHUP)
		s->quit = true;
	for (ssize_t i = 0; i < n; i++)
		take_key(s, keys[i]);
	return true;
}

static void draw(struct screen *s, const struct top_moment *rates, u64 interval)
{
	static const char *const orders[] = {
		[TOP_BY_VM] = "VM", [TOP_BY_CPU] = "CPU", [TOP_BY_EXITS] = "exits",
	};
	struct winsize w = { .ws_row = 24, .ws_col = 80 };
	struct top_moment copy = *rates;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) || !w.ws_row || !w.ws_col)
		w = (struct winsize){ .ws_row = 24, .ws_col = 80 };
	copy.row = xcalloc(rates->nr + 1, sizeof(*copy.row));
	if (rates->nr)
		memcpy(copy.row, rates->row, rates->nr * sizeof(*copy.row));
	printf("\033[H\033[J%zu VM%s, every %.1f s, by %s   (v VM, c CPU, e exits, q quit)\n\n",
	       rates->vms, rates->vms == 1 ? "" : "s", interval / 1e9, orders[s->order]);
	top_print(&copy, s->order, w.ws_col, w.ws_row > 5 ? w.ws_row - 5 : 1);
	fflush(stdout);
	free(copy.row);
}

/* Until it is time for the next measurement. */
static void watch(struct screen *s, const struct top_moment *rates, u64 until, u64 interval)
{
	while (!s->quit) {
		u64 now = now_ns();

		if (now >= until)
			return;
		if (wait_for_key(s, (until - now) / 1000000 + 1) && !s->quit)
			draw(s, rates, interval);
	}
}

/* True: there is a VM to look at, or there may be one later. */
static bool go_on(const struct top_list *l)
{
	return l->all || l->nr;
}

static void run_screen(struct top_list *l, u64 interval)
{
	struct top_moment before, now, rates = { .nr = 0 };
	struct screen s = { .quit = false };

	screen_open(&s);
	top_look(l, &before);
	draw(&s, &rates, interval);
	while (!s.quit && go_on(l)) {
		watch(&s, &rates, before.at + interval, interval);
		if (s.quit)
			break;
		top_look(l, &now);
		top_free(&rates);
		top_rates(&before, &now, &rates);
		top_free(&before);
		before = now;
		draw(&s, &rates, interval);
	}
	top_free(&before);
	top_free(&rates);
	screen_restore();
}

static void run_once(struct top_list *l, const struct request *r, u64 interval)
{
	struct top_moment before, now, rates;

	top_look(l, &before);
	usleep(interval / 1000);
	top_look(l, &now);
	top_rates(&before, &now, &rates);
	if (r->json)
		top_json(&rates, now.at - before.at);
	else
		top_print(&rates, TOP_BY_VM, 0, 0);
	top_free(&before);
	top_free(&now);
	top_free(&rates);
}

static u64 parse_interval(const char *text)
{
	double seconds;
	char *end;

	if (!text)
		return INTERVAL_NS;
	seconds = strtod(text, &end);
	if (!isdigit((unsigned char)*text) || *end || seconds * 1e9 < INTERVAL_MIN_NS ||
	    seconds > 3600)
		die("'%s' is no interval: give seconds, from 0.1 to 3600", text);
	return seconds * 1e9;
}

void keelctl_top(const struct request *r)
{
	struct top_list l = { .all = !*r->rest };
	u64 interval = parse_interval(r->interval);

	l.node = node_open(r->node);
	for (char *const *name = r->rest; *name; name++) {
		l.watched = xgrow(l.watched, l.nr + 1, sizeof(*l.watched));
		l.watched[l.nr] = (struct top_watched){ .observer = -1 };
		l.watched[l.nr].observer = node_open_vm(l.node, *name, &l.watched[l.nr].vm);
		l.nr++;
	}
	if (r->once || r->json || !isatty(STDOUT_FILENO))
		run_once(&l, r, interval);
	else
		run_screen(&l, interval);
	if (!go_on(&l))
		die_status(EXIT_NO_VM, "%s %s: keelctl list shows those that there are",
			   *r->rest, r->rest[1] ? "and the others have ended" : "has ended");
	free(l.watched);
}
