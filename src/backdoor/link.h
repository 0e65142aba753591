/* SPDX-License-Identifier: GPL-2.0 */
/* The message channels between a guest and its agent on the host, among the files of backdoor/. */
#ifndef KEEL_BACKDOOR_LINK_H
#define KEEL_BACKDOOR_LINK_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/keel.h>

struct keel_vcpu;
struct keel_vm;

#define LINK_CHANNELS	8
#define LINK_DATAGRAMS	64	/* that wait for the agent */

/**
 * struct channel_message - on its way from or to the guest
 * @data: @size bytes, NULL for none
 * @at: how many have been moved
 */
struct channel_message {
	u8 *data;
	u32 size;
	u32 at;
};

/**
 * struct backdoor_channel - all under link.lock
 * @open: the rest means something
 * @protocol: KEEL_BACKDOOR_RPCI or TCLO
 * @cookie: what each call has to show
 * @in: the guest sends it, while @sending
 * @out: for the guest, while @full
 * @asked: RPCI: the agent owes a reply
 * @read: and has read the request
 * @waiter: the vCPU that waits for it
 */
struct backdoor_channel {
	bool open;
	u32 protocol;
	u32 cookie[2];
	bool sending;
	struct channel_message in;
	bool full;
	struct channel_message out;
	bool asked;
	bool read;
	struct keel_vcpu *waiter;
};

/**
 * struct backdoor_datagram - for the agent
 * @cookie: of the channel, which may be another's by now
 * @data: @header.length bytes, NULL for none
 */
struct backdoor_datagram {
	struct list_head link;
	u32 cookie;
	struct keel_backdoor_message header;
	u8 *data;
};

/**
 * struct backdoor_link - what the VM and the agent's file have in common; neither keeps the other
 * @ref: both hold one
 * @lock: all below; inside no lock, no user memory is touched under it
 * @over: one of them is gone, or an observer is not wanted any more: nothing goes through
 * @observer: the agent came by an observer file: KEEL_OBSERVE 0 ends it
 * @wait: readers
 * @datagrams, @nr: for the agent, oldest first
 * @channel: by number
 * @next: where to look for a free one first: the last to be used again is the one just closed,
 *	about which the agent may not know yet
 * @options: what GETGUIOPTIONS answers
 */
struct backdoor_link {
	struct kref ref;
	struct mutex lock;	/* all below */
	bool over;
	bool observer;
	wait_queue_head_t wait;
	struct list_head datagrams;
	unsigned int nr;
	struct backdoor_channel channel[LINK_CHANNELS];
	unsigned int next;
	u32 options;
};

/** link_create() - with one reference; NULL: no memory */
struct backdoor_link *link_create(bool observer);

void link_get(struct backdoor_link *l);
void link_put(struct backdoor_link *l);

/** link_end() - close all channels, drop what waits, wake everybody; for good */
void link_end(struct backdoor_link *l);

/** link_reset() - the guest begins anew: close its channels */
void link_reset(struct backdoor_link *l);

/** channel_open() - a free channel of @protocol, and word of it to the agent; locked; or NULL */
struct backdoor_channel *channel_open(struct backdoor_link *l, u32 protocol);

/** channel_find() - the open channel @n, if these are its cookies, or NULL; locked */
struct backdoor_channel *channel_find(struct backdoor_link *l, u32 n, u32 high, u32 low);

/** channel_deliver() - all of the guest's message has come; locked; false: as link_tell() */
bool channel_deliver(struct backdoor_link *l, struct backdoor_channel *c);

/** channel_close() - forget the channel; locked */
void channel_close(struct backdoor_channel *c);

/**
 * link_tell() - queue a datagram for the agent; locked
 * @data: the link's from here, unless false is returned
 *
 * Return: false: too many wait, or no memory.
 */
bool link_tell(struct backdoor_link *l, struct backdoor_channel *c, u32 kind, u8 *data, u32 length);

/** backdoor_link_get() - the VM's, with a reference; NULL: no agent (doors.c) */
struct backdoor_link *backdoor_link_get(struct keel_vm *vm);

/** backdoor_message() - the command MESSAGE; false: to be made again (messages.c) */
bool backdoor_message(struct keel_vcpu *vcpu);

/** backdoor_high() - a message by the high bandwidth; false: PC is where to go on (high.c) */
bool backdoor_high(struct keel_vcpu *vcpu);

#endif /* KEEL_BACKDOOR_LINK_H */
