// SPDX-License-Identifier: GPL-2.0
/* keelctl backdoor serve: the host's end of the backdoor's messages. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "clients.h"
#include "control.h"
#include "node.h"
#include "signals.h"

/**
 * struct server - what serves a VM
 * @file: of KEEL_BACKDOOR_OPEN
 * @signals: readable when the program is to end
 * @agent: answers the guest's requests
 * @tclo: asks the tools
 * @clients: verbs of other processes
 */
struct server {
	int file;
	int signals;
	struct agent agent;
	struct tclo tclo;
	struct clients clients;
};

/* A datagram of the file */
struct datagram {
	struct keel_backdoor_message head;
	char message[KEEL_BACKDOOR_MAX];
};

/* GETGUIOPTIONS: time synchronisation */
#define OPTION_SYNCTIME	0x400

/* An error is the channel's end, or the VM's, both of which the file reports itself. */
static bool send_kind(int file, u32 channel, u32 kind, const void *message, size_t len)
{
	static struct datagram d;

	d.head = (struct keel_backdoor_message){
		.channel = channel,
		.kind = kind,
		.length = len,
	};
	memcpy(d.message, message, len);
	return write(file, &d, sizeof(d.head) + len) >= 0;
}

static bool send_message(int file, u32 channel, const char *message, size_t len)
{
	return send_kind(file, channel, KEEL_BACKDOOR_MESSAGE, message, len);
}

static bool send_tclo(struct tclo *t, u32 channel, const char *request, size_t len)
{
	return send_message(container_of(t, struct server, tclo)->file, channel, request, len);
}

static void take_answer(struct tclo *t, const char *reply, size_t len)
{
	clients_answered(&container_of(t, struct server, tclo)->clients, reply, len);
}

static void tools_changed(struct tclo *t, bool running)
{
	if (running)
		container_of(t, struct server, tclo)->agent.untold |= AGENT_SYNCTIME;
	puts(running ? "tools are running" : "tools have stopped");
}

/* What the guest gets by GETGUIOPTIONS */
static void set_options(struct server *s)
{
	u32 options = s->agent.synctime ? OPTION_SYNCTIME : 0;

	send_kind(s->file, 0, KEEL_BACKDOOR_OPTIONS, &options, sizeof(options));
}

static void tell_tools(struct server *s)
{
	unsigned int what = AGENT_ADDRESS;
	const char *text = "Set_Option broadcastIP 1";

	if (s->agent.untold & AGENT_SYNCTIME) {
		what = AGENT_SYNCTIME;
		text = s->agent.synctime ? "Set_Option synctime 1" : "Set_Option synctime 0";
	}
	if (s->agent.untold & what && tclo_ask(&s->tclo, text, strlen(text)))
		s->agent.untold &= ~what;
}

static void answer_rpci(struct server *s, u32 channel, const char *request, size_t len)
{
	static char reply[KEEL_BACKDOOR_MAX];
	size_t n = rpci_answer(&s->agent, request, len, reply, sizeof(reply));

	if (*s->agent.line)
		puts(s->agent.line);
	if (s->agent.untold & AGENT_SYNCTIME)
		set_options(s);
	send_message(s->file, channel, reply, n);
}

static void take(struct server *s, const struct datagram *d)
{
	const struct keel_backdoor_message *h = &d->head;

	if (h->kind == KEEL_BACKDOOR_CLOSED)
		tclo_closed(&s->tclo, h->channel);
	else if (h->kind == KEEL_BACKDOOR_OPENED && h->protocol == KEEL_BACKDOOR_TCLO)
		tclo_opened(&s->tclo, h->channel);
	else if (h->kind == KEEL_BACKDOOR_MESSAGE && h->protocol == KEEL_BACKDOOR_TCLO)
		tclo_message(&s->tclo, h->channel, d->message, h->length);
	else if (h->kind == KEEL_BACKDOOR_MESSAGE && h->protocol == KEEL_BACKDOOR_RPCI)
		answer_rpci(s, h->channel, d->message, h->length);
}

/* Return: false: there will be no more. */
static bool take_datagram(struct server *s)
{
	static struct datagram d;
	ssize_t n = read(s->file, &d, sizeof(d));

	if (!n || (n < 0 && errno == ENODEV))
		return false;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n < 0)
		die("cannot read the guest's messages: %s", strerror(errno));
	if ((size_t)n < sizeof(d.head) || d.head.length > n - sizeof(d.head))
		die_status(EXIT_NO_KEEL, "keel.ko's messages are not whole: use one release");
	take(s, &d);
	return true;
}

/* Return: whether the VM ended; false: a signal came. */
static bool serve(struct server *s)
{
	struct pollfd p[CLIENTS_POLL + 2];
	int timeout;

	do {
		timeout = clients_poll(&s->clients, p);
		p[CLIENTS_POLL] = (struct pollfd){ .fd = s->file, .events = POLLIN };
		p[CLIENTS_POLL + 1] = (struct pollfd){ .fd = s->signals, .events = POLLIN };
		if (poll(p, ARRAY_SIZE(p), timeout) < 0)
			die("cannot wait for messages: %s", strerror(errno));
		if (p[CLIENTS_POLL].revents && !take_datagram(s))
			return true;
		tell_tools(s);
		clients_serve(&s->clients, p, &s->agent, &s->tclo);
	} while (!p[CLIENTS_POLL + 1].revents);
	return false;
}

/* The file looks the same when the VM does not want to be observed any more. */
static void say_why(int observer, const struct keel_vm_info *vm)
{
	struct keel_hooks h = { .size = sizeof(h) };

	if (ioctl(observer, KEEL_HOOKS, &h) && errno == EPERM)
		node_vm_failed(vm);
	printf("VM %u has ended\n", vm->id);
}

static int open_messages(int observer, const struct keel_vm_info *vm)
{
	struct keel_backdoor_open o = { .size = sizeof(o) };
	int file = ioctl(observer, KEEL_BACKDOOR_OPEN, &o);

	if (file < 0 && errno == ENOTTY)
		die_status(EXIT_NO_KEEL,
			   "keel.ko is older than keelctl and has no messages: use one release");
	if (file < 0 && errno == EBUSY)
		die("VM %u is served already: end that keelctl first", vm->id);
	if (file < 0)
		node_vm_failed(vm);
	if (fcntl(file, F_SETFL, O_NONBLOCK))
		die("VM %u: cannot read its messages without waiting: %s", vm->id, strerror(errno));
	return file;
}

void keelctl_backdoor_serve(const struct request *r)
{
	static struct server s = {
		.tclo = { .send = send_tclo, .answered = take_answer, .tools = tools_changed },
	};
	struct keel_vm_info vm;
	int observer = node_open_vm(node_open(r->node), r->vm, &vm);

	s.file = open_messages(observer, &vm);
	s.signals = signals_open();
	s.clients.listener = control_listen(vm.id);
	/* Who reads along sees each line when it comes. */
	setlinebuf(stdout);
	printf("serving VM %u\n", vm.id);
	if (serve(&s))
		say_why(observer, &vm);
	guestinfo_free(&s.agent.variables);
}
