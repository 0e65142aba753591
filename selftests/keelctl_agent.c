// SPDX-License-Identifier: GPL-2.0
/*
 * The agent of keelctl backdoor serve, without a guest: keelctl's own sources for what it answers
 * to the tools in a guest, and for what it asks them, whatever these send.
 */
#include "../tools/keelctl/guestinfo.c"
#include "../tools/keelctl/rpci.c"
#include "../tools/keelctl/tclo.c"

#include "lib/ktap.h"

#define MESSAGE_MAX	65536
#define STEPS		100000

static struct agent agent;
static char bytes[MESSAGE_MAX], got[MESSAGE_MAX];

/* With @len, so that it may have NULs in it. */
static void check_bytes(const char *request, size_t len, const char *want, size_t want_len)
{
	size_t n = rpci_answer(&agent, request, len, got, sizeof(got));

	if (!CHECK_EQ(n, want_len) || !CHECK(!memcmp(got, want, n)))
		ktap_note("%.*s: %.*s", (int)len, request, (int)n, got);
}

static void check(const char *request, const char *want)
{
	check_bytes(request, strlen(request), want, strlen(want));
	/* Senders may count the NUL. */
	check_bytes(request, strlen(request) + 1, want, strlen(want));
}

static void test_variables(void)
{
	check("info-get guestinfo.a", "0 No value found");
	check("info-set guestinfo.a two  words ", "1 ");
	check("info-get guestinfo.a", "1 two  words ");
	check("info-set guestinfo.a ", "1 ");
	check("info-get guestinfo.a", "1 ");
	check("info-get guestinfo.", "0 No value found");
	check("info-set guestinfo.a", "0 Two and exactly two arguments expected");
	check("info-set", "0 Two and exactly two arguments expected");
	check("info-get", "0 One and exactly one argument expected");
	check("info-get guestinfo.a guestinfo.a", "0 One and exactly one argument expected");
	check("info-get other.a", "0 Permission denied");
	check("info-set other.a x", "0 Permission denied");
}

static void test_facts(void)
{
	static const char nic[] = "SetGuestInfo  10 \0\0\0\3\0\0\0\0";
	static const char value[] = "1 \0\0\0\3\0\0\0\0";

	check("SetGuestInfo  1 name", "1 ");
	check("info-get guestinfo.set.1", "1 name");
	CHECK(!agent.untold);
	check_bytes(nic, sizeof(nic) - 1, "1 ", 2);
	CHECK_EQ(agent.untold, AGENT_ADDRESS);
	agent.untold = 0;
	check_bytes("info-get guestinfo.set.10", 25, value, sizeof(value) - 1);
	check("SetGuestInfo  x name", "0 Invalid arguments");
	check("SetGuestInfo", "0 Invalid arguments");
	check("SetGuestInfo  12345678901 name", "0 Invalid arguments");
}

static void test_reports(void)
{
	check("tools.capability.statechange ", "1 ");
	check("tools.os.statechange.status 1 2", "1 ");
	check("vmx.capability.unified_loop toolbox", "1 ");
	check_bytes("tools.set.version 12325", 23, "1 ", 2);
	CHECK(!strcmp(agent.line, "tools 12325"));
	check_bytes("tools.set.versiontype 12325 4", 29, "1 ", 2);
	CHECK(!*agent.line);
	check("tools.set.version", "0 Invalid arguments");
	check_bytes("log a\33\377b\n", 9, "1 ", 2);
	CHECK(!strcmp(agent.line, "guest: a??b"));
	check("machine.id.get", "0 No machine id");
}

static void test_options(void)
{
	CHECK(!agent.untold);
	check("vmx.set_option synctime 0 1", "1 ");
	CHECK(agent.synctime && agent.untold == AGENT_SYNCTIME);
	check("vmx.set_option synctime 1 0", "1 ");
	CHECK(!agent.synctime && agent.untold == AGENT_SYNCTIME);
	agent.untold = 0;
	check("vmx.set_option synctime 0 2", "0 Invalid arguments");
	check("vmx.set_option synctime 0", "0 Invalid arguments");
	check("vmx.set_option synctimer 0 1", "0 Unknown option");
	check("vmx.set_option", "0 Unknown option");
	CHECK(!agent.synctime && !agent.untold);
}

static void test_unknown(void)
{
	check("", "0 Unknown command");
	check(" info-get guestinfo.a", "0 Unknown command");
	check("info-getguestinfo.a", "0 Unknown command");
	check("tools.capability", "0 Unknown command");
	check("unity.show", "0 Unknown command");
	check_bytes("f \0\1", 4, "0 Unknown command", 17);
}

/* Set variable @n to the largest value there is. Return: whether there was room for it. */
static bool set_large(int n)
{
	memset(bytes, 'v', sizeof(bytes));
	bytes[sprintf(bytes, "info-set guestinfo.%d ", n)] = 'v';
	rpci_answer(&agent, bytes, sizeof(bytes), got, sizeof(got));
	return *got == '1';
}

static void test_bounds(void)
{
	int n = 0;

	while (set_large(n))
		REQUIRE(n++ < 16);
	CHECK_EQ(n, 15);
	/* A new value takes the place of the old one. */
	CHECK(set_large(0));
	CHECK(agent.variables.used <= GUESTINFO_MAX);
	guestinfo_free(&agent.variables);
	CHECK_EQ(agent.variables.used, 0);

	memset(bytes, 'k', sizeof(bytes));
	memcpy(bytes, "info-set guestinfo.", 19);
	bytes[9 + GUESTINFO_KEY_MAX] = ' ';
	check_bytes(bytes, 9 + GUESTINFO_KEY_MAX + 2, "1 ", 2);
	bytes[9 + GUESTINFO_KEY_MAX] = 'k';
	bytes[9 + GUESTINFO_KEY_MAX + 1] = ' ';
	check_bytes(bytes, 9 + GUESTINFO_KEY_MAX + 3, "0 Key is too long", 17);

	memcpy(bytes, "info-set guestinfo.long ", 24);
	check_bytes(bytes, 24 + 63, "1 ", 2);
	CHECK_EQ(rpci_answer(&agent, "info-get guestinfo.long", 23, got, 64), 19);
	CHECK(!memcmp(got, "0 Reply is too long", 19));
}

/* What the agent did on its side of TCLO */
static u32 sent_on;
static char sent[64], answered[64];
static int running;
static bool refuse;

static bool take_sent(struct tclo *t, u32 channel, const char *request, size_t len)
{
	(void)t;
	REQUIRE(len < sizeof(sent));
	sent_on = channel;
	memcpy(sent, request, len);
	sent[len] = 0;
	return !refuse;
}

static void take_answered(struct tclo *t, const char *reply, size_t len)
{
	(void)t;
	snprintf(answered, sizeof(answered), "%.*s", (int)len, reply ? reply : "");
}

static void take_tools(struct tclo *t, bool on)
{
	(void)t;
	CHECK_EQ(running, !on);
	running = on;
}

static struct tclo tclo = {
	.send = take_sent, .answered = take_answered, .tools = take_tools,
};

static void says(u32 channel, const char *text)
{
	tclo_message(&tclo, channel, text, strlen(text));
}

static void check_sent(u32 channel, const char *want)
{
	if (!CHECK_EQ(sent_on, channel) || !CHECK(!strcmp(sent, want)))
		ktap_note("%s was sent, not %s", sent, want);
	*sent = 0;
}

static void start_tools(u32 channel, const char *name)
{
	tclo_opened(&tclo, channel);
	check_sent(channel, "reset");
	says(channel, "");
	says(channel, name);
	check_sent(channel, "Capabilities_Register");
	CHECK(!tclo_ask(&tclo, "early", 5));
	says(channel, "OK ");
}

static void test_tools(void)
{
	CHECK(!tclo_ask(&tclo, "ping", 4));
	start_tools(3, "OK ATR toolbox-dnd");
	CHECK(!running);
	start_tools(5, "OK ATR toolbox");
	CHECK(running);
	CHECK(tclo_ask(&tclo, "ping", 4));
	check_sent(5, "ping");
	CHECK(!tclo_ask(&tclo, "pong", 4));
	says(5, "");
	says(3, "OK from another");
	CHECK(!*answered);
	says(5, "OK reply");
	CHECK(!strcmp(answered, "OK reply"));
	says(5, "OK unasked");
	CHECK(!strcmp(answered, "OK reply"));
	CHECK(tclo_ask(&tclo, "pong", 4));
	tclo_closed(&tclo, 5);
	CHECK(!*answered);
	CHECK(!running);
}

static void test_no_tools(void)
{
	tclo_opened(&tclo, 1);
	says(1, "hello");
	says(1, "OK ATR toolbox");
	CHECK(!running);
	CHECK(!tclo_ask(&tclo, "ping", 4));
	refuse = true;
	tclo_opened(&tclo, 1);
	says(1, "OK ATR toolbox");
	CHECK(!running);
}

static size_t random_message(void)
{
	static const char * const words[] = {
		"info-set", "info-get", "guestinfo.", "SetGuestInfo", "log", "tools.set.version",
		"OK ATR toolbox", "OK ", " ", "  ", "10", "x", "\377\n",
	};
	size_t len = 0;

	for (int n = rand() % 8; n; n--) {
		const char *word = words[rand() % ARRAY_SIZE(words)];

		memcpy(bytes + len, word, strlen(word));
		len += strlen(word);
		if (!(rand() % 8))
			bytes[len++] = 0;
	}
	return len;
}

/* Exact copies, so that a checker of memory sees a byte too far. */
static void test_random(void)
{
	for (int i = 0; i < STEPS; i++) {
		size_t len = random_message(), n;
		char *copy = malloc(len);
		u32 channel = rand() % 12;

		memcpy(copy, bytes, len);
		n = rpci_answer(&agent, copy, len, got, sizeof(got));
		REQUIRE(n >= 2 && n <= sizeof(got));
		REQUIRE((*got == '0' || *got == '1') && got[1] == ' ');
		REQUIRE(strlen(agent.line) < sizeof(agent.line));
		if (!(rand() % 4))
			tclo_opened(&tclo, channel);
		if (!(rand() % 8))
			tclo_closed(&tclo, channel);
		tclo_message(&tclo, channel, copy, len);
		tclo_ask(&tclo, "ping", 4);
		REQUIRE_EQ(running, tclo_running(&tclo));
		free(copy);
	}
	REQUIRE(agent.variables.used <= GUESTINFO_MAX);
}

static const struct ktap_case cases[] = {
	{ "variables", test_variables },
	{ "facts", test_facts },
	{ "reports", test_reports },
	{ "options", test_options },
	{ "unknown requests", test_unknown },
	{ "bounds", test_bounds },
	{ "tools", test_tools },
	{ "no tools", test_no_tools },
	{ "random messages", test_random },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
