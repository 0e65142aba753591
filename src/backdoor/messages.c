// SPDX-License-Identifier: GPL-2.0
/*
 * The backdoor's command MESSAGE, second tier: the guest's end of the channels. A message goes
 * through four bytes a call, its size first, or all of it by the high bandwidth (high.c). What a
 * call must not do fails with status 0, and changes nothing.
 */
#include <linux/slab.h>

#include <keel/backdoor.h>
#include <keel/vm.h>

#include "link.h"

/* In W2<31:16>: the type of a call, and its status */
enum { OPEN, SENDSIZE, SENDPAYLOAD, RECVSIZE, RECVPAYLOAD, RECVSTATUS, CLOSE };

#define FAILED		0
#define SUCCESS		1
#define DORECV		2	/* there is a message for the guest */
#define HIGH		0x80	/* it can go by the high bandwidth (high.c) */
#define WAIT		-1	/* no status: the call is not over */

#define COOKIES		0x80000000	/* in W1 of OPEN: the calls that follow show theirs */

static u64 high_half(u64 x, u16 half)
{
	return (u32)half << 16 | (x & 0xffff);
}

static struct backdoor_channel *find(struct backdoor_link *l, const u64 *x)
{
	return channel_find(l, (u32)x[3] >> 16, x[4], x[5]);
}

static int call_open(struct backdoor_link *l, u64 *x)
{
	u32 protocol = x[1] & ~COOKIES;
	struct backdoor_channel *c;

	if (!(x[1] & COOKIES) ||
	    (protocol != KEEL_BACKDOOR_RPCI && protocol != KEEL_BACKDOOR_TCLO))
		return FAILED;
	c = channel_open(l, protocol);
	if (!c)
		return FAILED;
	x[3] = high_half(x[3], c - l->channel);
	x[4] = c->cookie[0];
	x[5] = c->cookie[1];
	return SUCCESS;
}

static int deliver(struct backdoor_link *l, struct backdoor_channel *c)
{
	return channel_deliver(l, c) ? SUCCESS : FAILED;
}

static void drop_out(struct backdoor_channel *c)
{
	kvfree(c->out.data);
	c->out.data = NULL;
	c->full = false;
}

/* A message that was begun is given up for the new one, and so is a reply that was not fetched. */
static int call_sendsize(struct backdoor_link *l, struct backdoor_channel *c, u64 *x)
{
	u32 size = x[1];
	u8 *data = NULL;

	if (size > KEEL_BACKDOOR_MAX || c->asked)
		return FAILED;
	if (size) {
		data = kvmalloc(size, GFP_KERNEL_ACCOUNT);
		if (!data)
			return FAILED;
	}
	if (c->protocol == KEEL_BACKDOOR_RPCI)
		drop_out(c);
	kvfree(c->in.data);
	c->in = (struct channel_message) { .data = data, .size = size };
	c->sending = size;
	return size ? SUCCESS | HIGH : deliver(l, c);
}

static int call_sendpayload(struct backdoor_link *l, struct backdoor_channel *c, u64 *x)
{
	struct channel_message *m = &c->in;
	u32 i, n = min(m->size - m->at, 4U);

	if (!c->sending)
		return FAILED;
	for (i = 0; i < n; i++)
		m->data[m->at + i] = x[1] >> 8 * i;
	if (m->at + n == m->size)
		return deliver(l, c);
	m->at += n;
	return SUCCESS;
}

static int call_recvsize(struct backdoor_channel *c, u64 *x)
{
	if (!c->full)
		return c->asked ? WAIT : SUCCESS;
	c->out.at = 0;
	x[1] = c->out.size;
	x[3] = high_half(x[3], SENDSIZE);
	return SUCCESS | DORECV | (c->out.size ? HIGH : 0);
}

static int call_recvpayload(struct backdoor_channel *c, u64 *x)
{
	struct channel_message *m = &c->out;
	u32 i, n = min(m->size - m->at, 4U), word = 0;

	if (!c->full || !n)
		return FAILED;
	for (i = 0; i < n; i++)
		word |= (u32)m->data[m->at + i] << 8 * i;
	m->at += n;
	x[1] = word;
	x[3] = high_half(x[3], SENDPAYLOAD);
	return SUCCESS;
}

static int call_recvstatus(struct backdoor_channel *c)
{
	if (!c->full)
		return FAILED;
	drop_out(c);
	return SUCCESS;
}

static int call_close(struct backdoor_link *l, struct backdoor_channel *c)
{
	link_tell(l, c, KEEL_BACKDOOR_CLOSED, NULL, 0);
	channel_close(c);
	return SUCCESS;
}

static int call_locked(struct backdoor_link *l, u64 *x)
{
	u16 type = (u32)x[2] >> 16;
	struct backdoor_channel *c;

	if (l->over)
		return FAILED;
	if (type == OPEN)
		return call_open(l, x);
	c = find(l, x);
	if (!c)
		return FAILED;
	switch (type) {
	case SENDSIZE:
		return call_sendsize(l, c, x);
	case SENDPAYLOAD:
		return call_sendpayload(l, c, x);
	case RECVSIZE:
		return call_recvsize(c, x);
	case RECVPAYLOAD:
		return call_recvpayload(c, x);
	case RECVSTATUS:
		return call_recvstatus(c);
	case CLOSE:
		return call_close(l, c);
	default:
		return FAILED;
	}
}

/* The channel in which a vCPU waits, and by which cookie it was opened. */
struct place {
	struct backdoor_channel *c;
	u32 cookie;
};

/* What may end the wait: read without the lock, and looked at again under it. */
static bool wait_over(struct keel_vcpu *vcpu, void *arg)
{
	const struct place *p = arg;

	return READ_ONCE(p->c->full) || !READ_ONCE(p->c->asked) ||
	       READ_ONCE(p->c->cookie[0]) != p->cookie;
}

/*
 * The guest waits for the agent's reply as in a WFI: an interrupt ends it, or a signal of the VMM.
 * The call is then made again. The waiter is named under the lock under which it is woken, and the
 * link is held meanwhile.
 */
static void wait_for_reply(struct keel_vcpu *vcpu, struct backdoor_link *l, u64 *x)
{
	struct place p = { .cookie = x[4] };
	struct backdoor_channel *c;

	mutex_lock(&l->lock);
	c = find(l, x);
	if (c && !c->waiter)
		c->waiter = vcpu;
	else
		c = NULL;
	mutex_unlock(&l->lock);
	if (!c)
		return;
	p.c = c;
	vcpu_block_until(vcpu, wait_over, &p);
	mutex_lock(&l->lock);
	if (c->waiter == vcpu)
		c->waiter = NULL;
	mutex_unlock(&l->lock);
}

bool backdoor_message(struct keel_vcpu *vcpu)
{
	struct backdoor_link *l = backdoor_link_get(vcpu->vm);
	u64 *x = vcpu->state.ctx.x;
	int status = FAILED;

	if (l) {
		mutex_lock(&l->lock);
		status = call_locked(l, x);
		mutex_unlock(&l->lock);
		if (status == WAIT)
			wait_for_reply(vcpu, l, x);
		link_put(l);
	}
	if (status == WAIT)
		return false;
	x[2] = high_half(x[2], status);
	return true;
}
