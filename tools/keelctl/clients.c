// SPDX-License-Identifier: GPL-2.0
/* Those who ask the one that serves a VM. None of them can make it wait. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "clients.h"
#include "control.h"

/* How long a client may be silent, or waits for tools that can be asked, or for their reply */
#define WAIT_MS		10000
#define REPLY_MS	30000

static u64 now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

static struct client *find(struct clients *c, enum client_state state)
{
	for (size_t i = 0; i < CLIENTS; i++)
		if (c->client[i].state == state)
			return &c->client[i];
	return NULL;
}

static void drop(struct client *one)
{
	close(one->socket);
	free(one->request);
	*one = (struct client){ .state = CLIENT_NONE };
}

/* Who does not take the answer goes without. */
static void answer(struct client *one, const char *s, size_t len)
{
	send(one->socket, s, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	drop(one);
}

static void answer_text(struct client *one, const char *s)
{
	answer(one, s, strlen(s));
}

int clients_poll(const struct clients *c, struct pollfd *p)
{
	bool full = true;
	u64 first = 0, at;

	for (size_t i = 0; i < CLIENTS; i++) {
		const struct client *one = &c->client[i];

		p[i] = (struct pollfd){ .fd = -1 };
		if (one->state == CLIENT_NONE) {
			full = false;
			continue;
		}
		p[i].fd = one->socket;
		p[i].events = one->state == CLIENT_SILENT ? POLLIN : 0;
		if (!first || one->deadline < first)
			first = one->deadline;
	}
	p[CLIENTS] = (struct pollfd){ .fd = full ? -1 : c->listener, .events = POLLIN };
	if (!first)
		return -1;
	at = now();
	return first > at ? first - at : 0;
}

static void take_connection(struct clients *c)
{
	struct client *one = find(c, CLIENT_NONE);
	int s = control_accept(c->listener);

	if (s < 0)
		return;
	*one = (struct client){ .state = CLIENT_SILENT, .socket = s, .deadline = now() + WAIT_MS };
}

static bool begins(const char *s, size_t len, const char *with)
{
	return len >= strlen(with) && !memcmp(s, with, strlen(with));
}

static void wait_for_tools(struct clients *c, struct client *one, const char *s, size_t len)
{
	if (len > KEEL_BACKDOOR_MAX) {
		answer_text(one, "0 Request is too long");
		return;
	}
	one->request = malloc(len + 1);
	if (!one->request) {
		answer_text(one, "0 Out of memory");
		return;
	}
	memcpy(one->request, s, len);
	one->len = len;
	one->turn = c->turns++;
	one->deadline = now() + WAIT_MS;
	one->state = CLIENT_WAITS;
}

static void take_request(struct clients *c, struct client *one, struct agent *a)
{
	static char request[CONTROL_MAX], reply[KEEL_BACKDOOR_MAX];
	/* With MSG_TRUNC its length even if it does not fit. */
	ssize_t n = recv(one->socket, request, sizeof(request), MSG_DONTWAIT | MSG_TRUNC);

	if (n <= 0)
		drop(one);
	else if ((size_t)n > sizeof(request))
		answer_text(one, "0 Request is too long");
	else if (begins(request, n, CONTROL_TCLO))
		wait_for_tools(c, one, request + strlen(CONTROL_TCLO), n - strlen(CONTROL_TCLO));
	else if (begins(request, n, "info-get ") || begins(request, n, "info-set "))
		answer(one, reply, rpci_answer(a, request, n, reply, sizeof(reply)));
	else
		answer_text(one, "0 Unknown command");
}

static void check_deadline(struct client *one, u64 at, const struct tclo *t)
{
	if (one->state == CLIENT_NONE || at < one->deadline)
		return;
	if (one->state == CLIENT_SILENT)
		drop(one);
	else
		answer_text(one, tclo_running(t) ? CONTROL_NO_REPLY : CONTROL_NO_TOOLS);
}

/* The request of the client that waits longest goes to the tools. */
static void ask_tools(struct clients *c, struct tclo *t)
{
	struct client *next = NULL;

	for (size_t i = 0; i < CLIENTS; i++) {
		struct client *one = &c->client[i];

		if (one->state == CLIENT_WAITS && (!next || one->turn < next->turn))
			next = one;
	}
	if (!next || !tclo_ask(t, next->request, next->len))
		return;
	next->state = CLIENT_ASKED;
	next->deadline = now() + REPLY_MS;
}

void clients_serve(struct clients *c, const struct pollfd *p, struct agent *a, struct tclo *t)
{
	u64 at = now();

	for (size_t i = 0; i < CLIENTS; i++) {
		struct client *one = &c->client[i];

		/* It may have been answered since poll(). */
		if (one->state == CLIENT_NONE || one->socket != p[i].fd)
			continue;
		if (one->state == CLIENT_SILENT && p[i].revents)
			take_request(c, one, a);
		else if (p[i].revents & (POLLHUP | POLLERR))
			drop(one);
		check_deadline(one, at, t);
	}
	if (p[CLIENTS].revents)
		take_connection(c);
	ask_tools(c, t);
}

void clients_answered(struct clients *c, const char *reply, size_t len)
{
	static char text[KEEL_BACKDOOR_MAX + 2];
	struct client *one = find(c, CLIENT_ASKED);

	/* It may have gone, or waited long enough. */
	if (!one)
		return;
	if (!reply || len > KEEL_BACKDOOR_MAX) {
		answer_text(one, CONTROL_NO_REPLY);
		return;
	}
	memcpy(text, "1 ", 2);
	memcpy(text + 2, reply, len);
	answer(one, text, len + 2);
}
