// SPDX-License-Identifier: GPL-2.0
/* The socket between a verb and the keelctl that serves the VM. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"
#include "keelctl.h"

/* Longer than the one who serves waits for the tools. */
#define PATIENCE_S	60

/* An abstract name: it goes with the last descriptor, and needs no folder. */
static socklen_t name_of(u32 id, struct sockaddr_un *name)
{
	*name = (struct sockaddr_un){ .sun_family = AF_UNIX };
	return offsetof(struct sockaddr_un, sun_path) + 1 +
	       snprintf(name->sun_path + 1, sizeof(name->sun_path) - 1, "keelctl-backdoor-%u", id);
}

static int open_socket(int flags)
{
	int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0);

	if (s < 0)
		die("cannot make a socket: %s", strerror(errno));
	return s;
}

/* Root; or who else? Of both ends each looks at the other: anybody can take an abstract name. */
static bool peer_is(int s, uid_t uid, uid_t or_uid)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(s, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return false;
	return !peer.uid || peer.uid == uid || peer.uid == or_uid;
}

int control_listen(u32 id)
{
	int s = open_socket(SOCK_NONBLOCK);
	struct sockaddr_un name;
	socklen_t len = name_of(id, &name);

	if (bind(s, (struct sockaddr *)&name, len) || listen(s, 8))
		die("cannot take the socket %s: %s; another program has it", name.sun_path + 1,
		    strerror(errno));
	return s;
}

int control_accept(int listener)
{
	int s = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (s < 0)
		return -1;
	if (!peer_is(s, geteuid(), geteuid())) {
		close(s);
		return -1;
	}
	return s;
}

static int connect_to(const struct keel_vm_info *vm)
{
	struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_un name;
	socklen_t len = name_of(vm->id, &name);
	int s = open_socket(0);

	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(s, (struct sockaddr *)&name, len))
		die("nobody serves VM %u: start keelctl backdoor serve %u", vm->id, vm->id);
	if (!peer_is(s, geteuid(), vm->uid))
		die_status(EXIT_PERMISSION, "the socket %s is another user's: end his program",
			   name.sun_path + 1);
	return s;
}

size_t control_ask(const struct keel_vm_info *vm, const char *request, size_t len, char *answer)
{
	int s = connect_to(vm);
	ssize_t n;

	if (send(s, request, len, MSG_NOSIGNAL) < 0)
		die("the keelctl that serves VM %u does not listen: %s", vm->id,
		    strerror(errno));
	n = recv(s, answer, CONTROL_MAX, 0);
	if (n < 2)
		die("the keelctl that serves VM %u is another user's, or has ended", vm->id);
	close(s);
	return n;
}
