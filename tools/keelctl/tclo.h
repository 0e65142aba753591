/* SPDX-License-Identifier: GPL-2.0 */
/* keelctl: the host's end of TCLO, by which the tools in a guest are asked; without I/O. */
#ifndef KEELCTL_TCLO_H
#define KEELCTL_TCLO_H

#include "util.h"

#define TCLO_CHANNELS	8

/* Where a channel is. One request at a time: the next follows the reply. */
enum tclo_state {
	TCLO_NONE,	/* not open */
	TCLO_RESET,	/* "reset" was sent; its reply says who is there */
	TCLO_REGISTER,	/* "Capabilities_Register" was sent */
	TCLO_READY,
	TCLO_ASKED,	/* a request of tclo_ask() was sent */
	TCLO_MUTE,	/* what was there did not answer as tools do */
};

/**
 * struct tclo_channel - one of a guest's programs that wait for requests
 * @channel: its number
 * @state: where it is
 * @toolbox: it is the tools' service, not that of a desktop session
 */
struct tclo_channel {
	u32 channel;
	enum tclo_state state;
	bool toolbox;
};

/**
 * struct tclo - the channels of a guest
 * @channel: those that are open, and unused ones
 * @send: sends a request; false: it could not
 * @answered: the reply to the request of tclo_ask(); NULL: there will be none
 * @tools: the tools run, or no longer
 */
struct tclo {
	struct tclo_channel channel[TCLO_CHANNELS];
	bool (*send)(struct tclo *t, u32 channel, const char *request, size_t len);
	void (*answered)(struct tclo *t, const char *reply, size_t len);
	void (*tools)(struct tclo *t, bool running);
};

/**
 * tclo_opened() - the guest has opened a channel
 * @t: the channels
 * @channel: its number
 */
void tclo_opened(struct tclo *t, u32 channel);

/**
 * tclo_closed() - the guest has closed a channel, maybe one of another protocol
 * @t: the channels
 * @channel: its number
 */
void tclo_closed(struct tclo *t, u32 channel);

/**
 * tclo_message() - the guest has sent something
 * @t: the channels
 * @channel: on which
 * @message: any bytes
 * @len: how many; 0: it has only looked for requests
 */
void tclo_message(struct tclo *t, u32 channel, const char *message, size_t len);

/**
 * tclo_running() - do the tools run?
 * @t: the channels
 *
 * Return: whether they do, even if they are not ready for a request.
 */
bool tclo_running(const struct tclo *t);

/**
 * tclo_ask() - send a request to the tools
 * @t: the channels
 * @request: any bytes
 * @len: how many
 *
 * Return: false: not now, as there are no tools, or they have not answered the last one. Else
 * there will be an answer.
 */
bool tclo_ask(struct tclo *t, const char *request, size_t len);

#endif
