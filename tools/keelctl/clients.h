/* SPDX-License-Identifier: GPL-2.0 */
/* keelctl: those who ask the one that serves a VM, at its end of the sockets. */
#ifndef KEELCTL_CLIENTS_H
#define KEELCTL_CLIENTS_H

#include <poll.h>

#include "rpci.h"
#include "tclo.h"

#define CLIENTS	16

enum client_state {
	CLIENT_NONE,
	CLIENT_SILENT,	/* has not said what it wants */
	CLIENT_WAITS,	/* has a request for the tools */
	CLIENT_ASKED,	/* the tools have it */
};

/**
 * struct client - a connection
 * @state: where it is
 * @socket: its socket
 * @deadline: when there is an answer at last, in milliseconds
 * @turn: those with smaller numbers are served before
 * @request: for the tools
 * @len: its length
 */
struct client {
	enum client_state state;
	int socket;
	u64 deadline;
	u64 turn;
	char *request;
	size_t len;
};

/**
 * struct clients - all of them
 * @listener: of control_listen()
 * @turns: requests for the tools so far
 * @client: connections, and unused ones
 */
struct clients {
	int listener;
	u64 turns;
	struct client client[CLIENTS];
};

#define CLIENTS_POLL	(CLIENTS + 1)

/**
 * clients_poll() - what to wait for
 * @c: the clients
 * @p: filled in, CLIENTS_POLL of them
 *
 * Return: for how long to wait at most, in milliseconds; -1: for any time.
 */
int clients_poll(const struct clients *c, struct pollfd *p);

/**
 * clients_serve() - do what they want, after poll()
 * @c: the clients
 * @p: of clients_poll()
 * @a: answers them
 * @t: the tools, for those who ask these
 */
void clients_serve(struct clients *c, const struct pollfd *p, struct agent *a, struct tclo *t);

/**
 * clients_answered() - the tools have answered, or never will
 * @c: the clients
 * @reply: what they said; NULL: nothing
 * @len: its length
 */
void clients_answered(struct clients *c, const char *reply, size_t len);

#endif
