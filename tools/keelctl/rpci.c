// SPDX-License-Identifier: GPL-2.0
/* RPCI: requests of VMware's tools, and what a VMX answers to them. */
#include <stdio.h>
#include <string.h>

#include "guest_text.h"
#include "rpci.h"

#define PREFIX	"guestinfo."

/* Bytes of a request */
struct text {
	const char *s;
	size_t len;
};

struct reply {
	char *to;
	size_t room;
	size_t len;
};

static void answer(struct reply *r, char status, const char *s, size_t len)
{
	if (len > r->room - 2) {
		status = '0';
		s = "Reply is too long";
		len = strlen(s);
	}
	r->to[0] = status;
	r->to[1] = ' ';
	memcpy(r->to + 2, s, len);
	r->len = len + 2;
}

static void done(struct reply *r)
{
	answer(r, '1', "", 0);
}

static void fail(struct reply *r, const char *why)
{
	answer(r, '0', why, strlen(why));
}

static bool begins(struct text t, const char *with)
{
	return t.len >= strlen(with) && !memcmp(t.s, with, strlen(with));
}

static bool is_text(struct text t, const char *s)
{
	return t.len == strlen(s) && begins(t, s);
}

static struct text skip(struct text t, size_t n)
{
	return (struct text){ t.s + n, t.len - n };
}

/* Take the word that @t begins with, and one blank behind it. */
static struct text take_word(struct text *t)
{
	struct text word = *t;
	const char *blank = memchr(t->s, ' ', t->len);

	if (blank)
		word.len = blank - t->s;
	*t = skip(*t, word.len + !!blank);
	return word;
}

static struct text skip_blanks(struct text t)
{
	while (t.len && *t.s == ' ')
		t = skip(t, 1);
	return t;
}

static bool is_number(struct text t)
{
	for (size_t i = 0; i < t.len; i++)
		if (t.s[i] < '0' || t.s[i] > '9')
			return false;
	return t.len && t.len <= 10;
}

static void set(struct agent *a, struct text key, struct text value, struct reply *r)
{
	const char *wrong = guestinfo_set(&a->variables, key.s, key.len, value.s, value.len);

	if (wrong)
		fail(r, wrong);
	else
		done(r);
}

static void info_set(struct agent *a, struct text args, struct reply *r)
{
	struct text value = skip_blanks(args), key = take_word(&value);

	if (!key.len || key.s + key.len == value.s)
		fail(r, "Two and exactly two arguments expected");
	else if (!begins(key, PREFIX))
		fail(r, "Permission denied");
	else
		set(a, key, value, r);
}

static void info_get(struct agent *a, struct text args, struct reply *r)
{
	struct text rest = skip_blanks(args), key = take_word(&rest);
	const char *value;
	size_t len;

	if (!key.len || skip_blanks(rest).len) {
		fail(r, "One and exactly one argument expected");
		return;
	}
	if (!begins(key, PREFIX)) {
		fail(r, "Permission denied");
		return;
	}
	value = guestinfo_get(&a->variables, key.s, key.len, &len);
	if (value)
		answer(r, '1', value, len);
	else
		fail(r, "No value found");
}

/* The addresses, in one of three forms */
static bool is_network(struct text type)
{
	return is_text(type, "2") || is_text(type, "9") || is_text(type, "10");
}

/* A fact that the tools report, by number; some are structures (XDR). */
static void set_guest_info(struct agent *a, struct text args, struct reply *r)
{
	struct text value = skip_blanks(args), type = take_word(&value);
	char key[sizeof(PREFIX "set.") + 10];

	if (!is_number(type)) {
		fail(r, "Invalid arguments");
		return;
	}
	if (is_network(type))
		a->untold |= AGENT_ADDRESS;
	snprintf(key, sizeof(key), PREFIX "set.%.*s", (int)type.len, type.s);
	set(a, (struct text){ key, strlen(key) }, value, r);
}

/* tools.set.version has one number, tools.set.versiontype another behind it. */
static void set_version(struct agent *a, struct text args, struct reply *r)
{
	struct text rest = skip_blanks(args), version = take_word(&rest);

	if (!is_number(version)) {
		fail(r, "Invalid arguments");
		return;
	}
	done(r);
	if (strlen(a->version) == version.len && !memcmp(a->version, version.s, version.len))
		return;
	snprintf(a->version, sizeof(a->version), "%.*s", (int)version.len, version.s);
	snprintf(a->line, sizeof(a->line), "tools %s", a->version);
}

static void log_line(struct agent *a, struct text args, struct reply *r)
{
	size_t n = snprintf(a->line, sizeof(a->line), "guest: ");

	while (args.len && (args.s[args.len - 1] == '\n' || args.s[args.len - 1] == '\r'))
		args.len--;
	guest_text(args.s, args.len, a->line + n, sizeof(a->line) - n);
	done(r);
}

/* A name, what it was, what it is to be: the guest asks, the host says it to the tools. */
static void set_option(struct agent *a, struct text args, struct reply *r)
{
	struct text rest = skip_blanks(args), name = take_word(&rest), value;

	take_word(&rest);
	value = take_word(&rest);
	if (!is_text(name, "synctime")) {
		fail(r, "Unknown option");
	} else if (!is_text(value, "0") && !is_text(value, "1")) {
		fail(r, "Invalid arguments");
	} else {
		a->synctime = *value.s == '1';
		a->untold |= AGENT_SYNCTIME;
		done(r);
	}
}

static void accept_it(struct agent *a, struct text args, struct reply *r)
{
	(void)a;
	(void)args;
	done(r);
}

static void no_machine_id(struct agent *a, struct text args, struct reply *r)
{
	(void)a;
	(void)args;
	fail(r, "No machine id");
}

/**
 * struct command - a request that is known
 * @name: its first word; with a dot at its end: all words that begin so
 * @run: answers it
 */
struct command {
	const char *name;
	void (*run)(struct agent *a, struct text args, struct reply *r);
};

static const struct command commands[] = {
	{ "info-set", info_set },
	{ "info-get", info_get },
	{ "SetGuestInfo", set_guest_info },
	{ "log", log_line },
	{ "machine.id.get", no_machine_id },
	{ "tools.capability.", accept_it },
	{ "tools.set.version", set_version },
	{ "tools.set.versiontype", set_version },
	{ "tools.os.statechange.status", accept_it },
	{ "vmx.set_option", set_option },
	/* One channel for all requests to the tools, which is what serve uses */
	{ "vmx.capability.unified_loop", accept_it },
};

static bool is_command(const struct command *c, struct text word)
{
	size_t len = strlen(c->name);

	return begins(word, c->name) && (word.len == len || c->name[len - 1] == '.');
}

/* A NUL ends a text. Several are part of a structure. */
static size_t without_nul(const char *request, size_t len)
{
	const char *nul = memchr(request, 0, len);

	return nul && nul == request + len - 1 ? len - 1 : len;
}

size_t rpci_answer(struct agent *a, const char *request, size_t len, char *reply, size_t room)
{
	struct text args = { request, without_nul(request, len) }, word = take_word(&args);
	struct reply r = { .to = reply, .room = room };

	a->line[0] = 0;
	fail(&r, "Unknown command");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (is_command(&commands[i], word)) {
			commands[i].run(a, args, &r);
			break;
		}
	return r.len;
}
