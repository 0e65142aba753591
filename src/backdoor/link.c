// SPDX-License-Identifier: GPL-2.0
/*
 * What a VM and the agent's file share: channels, and datagrams for the agent. Whoever of the two
 * goes first ends it; the other finds it over.
 */
#include <linux/err.h>
#include <linux/nospec.h>
#include <linux/random.h>
#include <linux/rcuwait.h>
#include <linux/slab.h>

#include <keel/vm.h>

#include "link.h"

struct backdoor_link *link_create(bool observer)
{
	struct backdoor_link *l = kzalloc(sizeof(*l), GFP_KERNEL_ACCOUNT);

	if (!l)
		return NULL;
	kref_init(&l->ref);
	mutex_init(&l->lock);
	init_waitqueue_head(&l->wait);
	INIT_LIST_HEAD(&l->datagrams);
	l->observer = observer;
	return l;
}

void link_get(struct backdoor_link *l)
{
	kref_get(&l->ref);
}

/* Nothing is left in it: who had the last but one reference has ended it. */
static void link_free(struct kref *ref)
{
	struct backdoor_link *l = container_of(ref, struct backdoor_link, ref);

	mutex_destroy(&l->lock);
	kfree(l);
}

void link_put(struct backdoor_link *l)
{
	kref_put(&l->ref, link_free);
}

void channel_close(struct backdoor_channel *c)
{
	struct keel_vcpu *waiter = c->waiter;

	kvfree(c->in.data);
	kvfree(c->out.data);
	memset(c, 0, sizeof(*c));
	/* Now it finds the channel shut; or soon another in its place, which is not its own. */
	if (waiter)
		rcuwait_wake_up(&waiter->wait);
}

static void close_all(struct backdoor_link *l)
{
	unsigned int i;

	for (i = 0; i < LINK_CHANNELS; i++)
		channel_close(&l->channel[i]);
}

void link_end(struct backdoor_link *l)
{
	struct backdoor_datagram *d, *next;

	mutex_lock(&l->lock);
	l->over = true;
	close_all(l);
	list_for_each_entry_safe(d, next, &l->datagrams, link)
		backdoor_forget(d);
	INIT_LIST_HEAD(&l->datagrams);
	l->nr = 0;
	mutex_unlock(&l->lock);
	wake_up_all(&l->wait);
}

void link_reset(struct backdoor_link *l)
{
	unsigned int i;

	mutex_lock(&l->lock);
	for (i = 0; i < LINK_CHANNELS; i++)
		if (l->channel[i].open)
			link_tell(l, &l->channel[i], KEEL_BACKDOOR_CLOSED, NULL, 0);
	close_all(l);
	mutex_unlock(&l->lock);
}

bool link_tell(struct backdoor_link *l, struct backdoor_channel *c, u32 kind, u8 *data, u32 length)
{
	struct backdoor_datagram *d;

	/* A channel's end comes through whatever waits: it is one for each that was opened. */
	if (l->nr >= LINK_DATAGRAMS && kind != KEEL_BACKDOOR_CLOSED)
		return false;
	d = kzalloc(sizeof(*d), GFP_KERNEL_ACCOUNT);
	if (!d)
		return false;
	d->cookie = c->cookie[0];
	d->header.channel = c - l->channel;
	d->header.kind = kind;
	d->header.protocol = c->protocol;
	d->header.length = length;
	d->data = data;
	list_add_tail(&d->link, &l->datagrams);
	l->nr++;
	wake_up(&l->wait);
	return true;
}

static struct backdoor_channel *free_channel(struct backdoor_link *l)
{
	unsigned int i;

	for (i = 0; i < LINK_CHANNELS; i++) {
		struct backdoor_channel *c = &l->channel[l->next++ % LINK_CHANNELS];

		if (!c->open)
			return c;
	}
	return NULL;
}

struct backdoor_channel *channel_open(struct backdoor_link *l, u32 protocol)
{
	struct backdoor_channel *c = free_channel(l);

	if (!c)
		return NULL;
	c->protocol = protocol;
	get_random_bytes(c->cookie, sizeof(c->cookie));
	if (!link_tell(l, c, KEEL_BACKDOOR_OPENED, NULL, 0))
		return NULL;
	c->open = true;
	return c;
}

struct backdoor_channel *channel_find(struct backdoor_link *l, u32 n, u32 high, u32 low)
{
	struct backdoor_channel *c;

	if (n >= LINK_CHANNELS)
		return NULL;
	c = &l->channel[array_index_nospec(n, LINK_CHANNELS)];
	return c->open && c->cookie[0] == high && c->cookie[1] == low ? c : NULL;
}

bool channel_deliver(struct backdoor_link *l, struct backdoor_channel *c)
{
	if (!link_tell(l, c, KEEL_BACKDOOR_MESSAGE, c->in.data, c->in.size))
		return false;
	c->in.data = NULL;
	c->sending = false;
	c->asked = c->protocol == KEEL_BACKDOOR_RPCI;
	return true;
}

/* --- the agent's side --- */

static struct backdoor_datagram *first_datagram(struct backdoor_link *l)
{
	return list_first_entry_or_null(&l->datagrams, struct backdoor_datagram, link);
}

/* A reply belongs to a request that the agent knows. */
static void note_read(struct backdoor_channel *c, const struct backdoor_datagram *d, bool read)
{
	if (d->header.kind == KEEL_BACKDOOR_MESSAGE && c->open && c->cookie[0] == d->cookie)
		c->read = read && c->asked;
}

static int take_locked(struct backdoor_link *l, struct backdoor_datagram **d, size_t room)
{
	struct backdoor_datagram *first = first_datagram(l);

	if (l->over)
		return -ENODEV;
	if (!first)
		return -EAGAIN;
	if (room < sizeof(first->header) + first->header.length)
		return -EMSGSIZE;
	list_del(&first->link);
	l->nr--;
	note_read(&l->channel[first->header.channel], first, true);
	*d = first;
	return 0;
}

struct backdoor_datagram *backdoor_take(struct backdoor_link *l, size_t room, bool wait)
{
	struct backdoor_datagram *d;
	int ret;

	do {
		mutex_lock(&l->lock);
		ret = take_locked(l, &d, room);
		mutex_unlock(&l->lock);
		if (!ret)
			return d;
		if (ret != -EAGAIN || !wait)
			return ERR_PTR(ret);
		ret = wait_event_interruptible(l->wait, backdoor_readable(l) ||
					       backdoor_is_over(l));
	} while (!ret);
	return ERR_PTR(ret);
}

const struct keel_backdoor_message *
backdoor_datagram_read(const struct backdoor_datagram *d, const u8 **data)
{
	*data = d->data;
	return &d->header;
}

void backdoor_forget(struct backdoor_datagram *d)
{
	kvfree(d->data);
	kfree(d);
}

void backdoor_take_back(struct backdoor_link *l, struct backdoor_datagram *d)
{
	bool over;

	mutex_lock(&l->lock);
	over = l->over;
	if (!over) {
		list_add(&d->link, &l->datagrams);
		l->nr++;
		note_read(&l->channel[d->header.channel], d, false);
		wake_up(&l->wait);
	}
	mutex_unlock(&l->lock);
	if (over)
		backdoor_forget(d);
}

static void set_options(struct backdoor_link *l, u8 *data)
{
	WRITE_ONCE(l->options, *(u32 *)data);
	kvfree(data);
}

static int give_locked(struct backdoor_link *l, const struct keel_backdoor_message *header,
		       u8 *data)
{
	struct backdoor_channel *c;

	if (l->over)
		return -ENODEV;
	if (header->kind == KEEL_BACKDOOR_OPTIONS) {
		set_options(l, data);
		return 0;
	}
	if (header->channel >= LINK_CHANNELS)
		return -ENOENT;
	c = &l->channel[array_index_nospec(header->channel, LINK_CHANNELS)];
	if (!c->open)
		return -ENOENT;
	if (c->full)
		return -EBUSY;
	if (c->protocol == KEEL_BACKDOOR_RPCI && !c->read)
		return -EPROTO;
	c->out = (struct channel_message) { .data = data, .size = header->length };
	WRITE_ONCE(c->full, true);
	c->asked = false;
	c->read = false;
	if (c->waiter)
		rcuwait_wake_up(&c->waiter->wait);
	return 0;
}

int backdoor_give(struct backdoor_link *l, const struct keel_backdoor_message *header, u8 *data)
{
	int ret;

	mutex_lock(&l->lock);
	ret = give_locked(l, header, data);
	mutex_unlock(&l->lock);
	return ret;
}

bool backdoor_readable(struct backdoor_link *l)
{
	return READ_ONCE(l->nr);
}

bool backdoor_is_over(struct backdoor_link *l)
{
	return READ_ONCE(l->over);
}

struct wait_queue_head *backdoor_wait(struct backdoor_link *l)
{
	return &l->wait;
}

void backdoor_release(struct backdoor_link *l)
{
	link_end(l);
	link_put(l);
}
