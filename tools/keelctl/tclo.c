// SPDX-License-Identifier: GPL-2.0
/* TCLO: a channel begins with reset and Capabilities_Register, then takes requests one by one. */
#include <string.h>

#include "tclo.h"

/* The slot in use with this number; NULL without one. */
static struct tclo_channel *find_channel(struct tclo *t, u32 channel)
{
	for (size_t i = 0; i < TCLO_CHANNELS; i++)
		if (t->channel[i].state != TCLO_NONE && t->channel[i].channel == channel)
			return &t->channel[i];
	return NULL;
}

static struct tclo_channel *find_unused(struct tclo *t)
{
	for (size_t i = 0; i < TCLO_CHANNELS; i++)
		if (t->channel[i].state == TCLO_NONE)
			return &t->channel[i];
	return NULL;
}

bool tclo_running(const struct tclo *t)
{
	for (size_t i = 0; i < TCLO_CHANNELS; i++)
		if (t->channel[i].toolbox)
			return true;
	return false;
}

/* Send what begins a channel, and be in @state then. */
static void begin(struct tclo *t, struct tclo_channel *c, const char *request,
		  enum tclo_state state)
{
	c->state = t->send(t, c->channel, request, strlen(request)) ? state : TCLO_MUTE;
}

void tclo_opened(struct tclo *t, u32 channel)
{
	struct tclo_channel *c;

	tclo_closed(t, channel);
	c = find_unused(t);
	if (!c)
		return;
	*c = (struct tclo_channel){ .channel = channel };
	begin(t, c, "reset", TCLO_RESET);
}

void tclo_closed(struct tclo *t, u32 channel)
{
	struct tclo_channel *c = find_channel(t, channel), was;

	if (!c)
		return;
	was = *c;
	*c = (struct tclo_channel){ .state = TCLO_NONE };
	if (was.state == TCLO_ASKED)
		t->answered(t, NULL, 0);
	if (was.toolbox && !tclo_running(t))
		t->tools(t, false);
}

static bool is_reply(const char *message, size_t len, const char *reply)
{
	/* Its sender may count the NUL. */
	if (len && !message[len - 1])
		len--;
	return len == strlen(reply) && !memcmp(message, reply, len);
}

/* The reply to reset says which program it is. */
static void take_name(struct tclo *t, struct tclo_channel *c, const char *message, size_t len)
{
	static const char atr[] = "OK ATR ";
	bool ran = tclo_running(t);

	if (len < strlen(atr) || memcmp(message, atr, strlen(atr))) {
		c->state = TCLO_MUTE;
		return;
	}
	c->toolbox = is_reply(message, len, "OK ATR toolbox");
	if (c->toolbox && !ran)
		t->tools(t, true);
	begin(t, c, "Capabilities_Register", TCLO_REGISTER);
}

void tclo_message(struct tclo *t, u32 channel, const char *message, size_t len)
{
	struct tclo_channel *c = find_channel(t, channel);

	if (!c || !len)
		return;
	switch (c->state) {
	case TCLO_RESET:
		take_name(t, c, message, len);
		break;
	case TCLO_REGISTER:
		c->state = TCLO_READY;
		break;
	case TCLO_ASKED:
		c->state = TCLO_READY;
		t->answered(t, message, len);
		break;
	default:
		/* Nothing was asked. */
		break;
	}
}

/* The tools' channel that can be asked. None is while one has been: the reply is the caller's. */
static struct tclo_channel *find_ready(struct tclo *t)
{
	struct tclo_channel *ready = NULL;

	for (size_t i = 0; i < TCLO_CHANNELS; i++) {
		struct tclo_channel *c = &t->channel[i];

		if (c->state == TCLO_ASKED)
			return NULL;
		if (c->state == TCLO_READY && c->toolbox)
			ready = c;
	}
	return ready;
}

bool tclo_ask(struct tclo *t, const char *request, size_t len)
{
	struct tclo_channel *c = find_ready(t);

	if (!c || !t->send(t, c->channel, request, len))
		return false;
	c->state = TCLO_ASKED;
	return true;
}
