// SPDX-License-Identifier: GPL-2.0
/* keelctl trace: reads the lines of the trace, and says what they mean. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "decode.h"
#include "node.h"
#include "output.h"
#include "signals.h"
#include "tracing.h"

#define BUFFER_SIZE	65536
#define WAIT_MS		200

/**
 * struct event - a line of the trace
 * @time: in seconds, as text
 * @name: of the event, behind "keel_"
 * @fields: what it says: pairs of a name and a number
 */
struct event {
	char *time;
	char *name;
	char *fields;
};

/**
 * struct tracer - a trace
 * @vm: the VM
 * @json: JSON, an object a line
 * @all: not only exits
 * @left: how many exits are still wanted
 * @buffer: what was read and is no whole line yet
 * @used: bytes in it
 */
struct tracer {
	struct keel_vm_info vm;
	bool json;
	bool all;
	u64 left;
	char buffer[BUFFER_SIZE];
	size_t used;
};

/* "task-123 [000] d..1. 12.345678: keel_exit: vm 1 vcpu 0 ..."; the task may be called anything. */
static bool split_line(char *line, struct event *e)
{
	char *name = strstr(line, ": keel_"), *end;

	if (!name)
		return false;
	*name = 0;
	e->time = strrchr(line, ' ');
	e->time = e->time ? e->time + 1 : line;
	e->name = name + strlen(": keel_");
	end = strstr(e->name, ": ");
	if (!end)
		return false;
	*end = 0;
	e->fields = end + 1;
	return true;
}

/* The number behind a word; 0 if it is not there. */
static u64 field(const struct event *e, const char *name)
{
	size_t len = strlen(name);

	for (const char *s = e->fields; (s = strstr(s, name)); s += len)
		if (s[-1] == ' ' && s[len] == ' ')
			return strtoull(s + len + 1, NULL, 0);
	return 0;
}

static void json_sysreg(u64 esr)
{
	static const char *const parts[] = { "op0", "op1", "crn", "crm", "op2" };
	unsigned int part[ARRAY_SIZE(parts)];
	char name[DECODE_SIZE];

	sysreg_encoding(esr, part);
	json_string("sysreg", sysreg_text(esr, name));
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		json_number(parts[i], part[i]);
	json_bool("write", !(esr & 1));
}

static void json_class(unsigned int class, u64 esr, u64 arg)
{
	const char *function = function_name(arg);
	char text[DECODE_SIZE];

	if (class < CLASS_ASYNC)
		json_hex("esr", esr);
	switch (class) {
	case EC_HVC:
	case EC_SMC:
		json_hex("x0", arg);
		if (function)
			json_string("function", function);
		break;
	case EC_SYSREG:
		json_sysreg(esr);
		break;
	case EC_IABT_LOW:
	case EC_DABT_LOW:
		json_hex("ipa", abort_ipa(esr, arg));
		break;
	}
	if (*exit_text(class, esr, arg, text))
		json_string("text", text);
}

static void json_exit(const struct event *e)
{
	unsigned int class = field(e, "exit");

	json_open(NULL, '{');
	json_string("time", e->time);
	json_string("event", "exit");
	json_number("vcpu", field(e, "vcpu"));
	json_number("tier", field(e, "tier"));
	json_string("class", class_name(class));
	json_hex("pc", field(e, "pc"));
	json_class(class, field(e, "esr"), field(e, "arg"));
	json_close('}');
}

static void print_exit(const struct event *e)
{
	unsigned int class = field(e, "exit");
	char text[DECODE_SIZE];

	exit_text(class, field(e, "esr"), field(e, "arg"), text);
	printf("%14s %4llu %4llu  %-7s  0x%016llx%s%s\n", e->time, field(e, "vcpu"),
	       field(e, "tier"), class_name(class), field(e, "pc"), *text ? "  " : "", text);
}

/* Of another event: a fault's as of an exit, the rest as it stands. */
static const char *other_text(const struct event *e, char *to)
{
	u64 esr = field(e, "esr"), ipa = field(e, "ipa");
	const char *rest = strstr(e->fields, " vcpu ");

	rest = rest ? strchr(rest + strlen(" vcpu "), ' ') : NULL;
	snprintf(to, DECODE_SIZE, "%s", rest ? rest + 1 : "");
	return strcmp(e->name, "fault") ? to : exit_text(esr >> 26 & 0x3f, esr, ipa, to);
}

static void print_other(const struct tracer *t, const struct event *e)
{
	u64 vcpu = field(e, "vcpu");
	char text[DECODE_SIZE];

	other_text(e, text);
	if (t->json) {
		json_open(NULL, '{');
		json_string("time", e->time);
		json_string("event", e->name);
		if (vcpu != UINT32_MAX)
			json_number("vcpu", vcpu);
		json_string("text", text);
		json_close('}');
	} else {
		char id[16] = "-";

		if (vcpu != UINT32_MAX)
			snprintf(id, sizeof(id), "%llu", vcpu);
		printf("%14s %4s    -  %-7s  %18s  %s\n", e->time, id, e->name, "-", text);
	}
}

static void take_line(struct tracer *t, char *line)
{
	struct event e;

	if (strstr(line, " EVENTS]")) {
		message("events were lost: this host is not fast enough for so many");
		return;
	}
	if (!split_line(line, &e) || !t->left)
		return;
	if (strcmp(e.name, "exit")) {
		if (t->all)
			print_other(t, &e);
		return;
	}
	if (t->json)
		json_exit(&e);
	else
		print_exit(&e);
	t->left--;
}

static void take_lines(struct tracer *t)
{
	char *line = t->buffer, *end;

	t->buffer[t->used] = 0;
	while ((end = strchr(line, '\n'))) {
		*end = 0;
		take_line(t, line);
		line = end + 1;
	}
	t->used -= line - t->buffer;
	memmove(t->buffer, line, t->used);
	/* A line that is longer than the buffer is none of keel's. */
	if (t->used == BUFFER_SIZE - 1)
		t->used = 0;
}

/* All that is there. False: nobody reads it any more. */
static bool drain(struct tracer *t, int trace)
{
	ssize_t n;

	do {
		n = read(trace, t->buffer + t->used, BUFFER_SIZE - 1 - t->used);
		if (n > 0) {
			t->used += n;
			take_lines(t);
		}
	} while (n > 0 && t->left);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		die("cannot read the trace: %s", strerror(errno));
	if (!fflush(stdout) && !ferror(stdout))
		return true;
	if (errno != EPIPE)
		die("cannot print the trace: %s", strerror(errno));
	return false;
}

/* Until it is over. The time-out is for kernels that wake up readers late. */
static void follow(struct tracer *t, int trace, int signals, int observer)
{
	struct pollfd p[] = {
		{ .fd = trace, .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
		{ .fd = observer },
	};

	do {
		if (poll(p, ARRAY_SIZE(p), WAIT_MS) < 0 && errno != EINTR)
			die("cannot wait for the trace: %s", strerror(errno));
		if (!drain(t, trace)) {
			tracing_end();
			_exit(0);
		}
	} while (t->left && !p[1].revents && !p[2].revents);
	if (t->left && p[2].revents)
		message("VM %u has ended", t->vm.id);
}

void keelctl_trace(const struct request *r)
{
	static struct tracer t;
	int observer, signals, trace;

	t.json = r->json;
	t.all = r->all;
	t.left = ~0ULL;
	if (r->count && (!parse_number(r->count, &t.left) || !t.left))
		die("'%s' is no number of exits: give 1 or more", r->count);
	observer = node_open_vm(node_open(r->node), r->vm, &t.vm);
	signals = signals_open();
	/* Who reads no longer must not end it before the instance is removed. */
	signal(SIGPIPE, SIG_IGN);
	json_lines(true);
	trace = tracing_begin(t.vm.id, r->all);
	if (!t.json)
		printf("%14s VCPU TIER  CLASS    %-18s  WHAT\n", "TIME", "PC");
	fflush(stdout);
	follow(&t, trace, signals, observer);
	tracing_end();
}
