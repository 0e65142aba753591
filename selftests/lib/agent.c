// SPDX-License-Identifier: GPL-2.0
/* The host's end of the backdoor's channels. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "vm.h"

_Static_assert(RPCI == KEEL_BACKDOOR_RPCI && TCLO == KEEL_BACKDOOR_TCLO, "the guest's names");
_Static_assert(MAX_SIZE == KEEL_BACKDOOR_MAX, "the guest's largest message");

int agent;

void need_backdoor(void)
{
	if (!kvm_is_keel())
		ktap_skip("in-tree KVM has no backdoor");
}

void backdoor_hooks(int fd, u32 on, u32 off)
{
	struct keel_hooks h = { .size = sizeof(h), .on = on, .off = off };

	REQUIRE_OK(ioctl(fd, KEEL_HOOKS, &h));
}

int backdoor_open(int fd)
{
	struct keel_backdoor_open args = { .size = sizeof(args) };

	return ioctl(fd, KEEL_BACKDOOR_OPEN, &args);
}

void nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	REQUIRE_OK(flags);
	REQUIRE_OK(fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK));
}

void agent_open(int fd)
{
	agent = backdoor_open(fd);
	REQUIRE_OK(agent);
	nonblock(agent, true);
}

int poll_fd(int fd, int timeout)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	REQUIRE(poll(&p, 1, timeout) >= 0);
	return p.revents;
}

void expect_none(void)
{
	struct datagram d;

	CHECK_EQ(poll_fd(agent, 0), 0);
	CHECK_ERR(read(agent, &d, sizeof(d)), EAGAIN);
}

bool take(struct datagram *d)
{
	ssize_t n;

	CHECK_EQ(poll_fd(agent, 0) & POLLIN, POLLIN);
	n = read(agent, d, sizeof(*d));
	if (!CHECK(n >= (ssize_t)HEADER))
		return false;
	return CHECK_EQ(n, HEADER + d->h.length);
}

static void check_header(const struct datagram *d, const struct user *u, u32 kind, u32 length)
{
	CHECK_EQ(d->h.channel, u->channel.number);
	CHECK_EQ(d->h.kind, kind);
	CHECK_EQ(d->h.protocol, u->protocol);
	CHECK_EQ(d->h.length, length);
}

void expect(const struct user *u, u32 kind)
{
	static struct datagram d;

	if (take(&d))
		check_header(&d, u, kind, 0);
}

void expect_message(const struct user *u, const void *data, u32 size)
{
	static struct datagram d;

	if (!take(&d))
		return;
	check_header(&d, u, KEEL_BACKDOOR_MESSAGE, size);
	CHECK(d.h.length == size && !memcmp(d.data, data, size));
}

int put_raw(const struct keel_backdoor_message *h, const void *data, size_t size)
{
	static __thread struct datagram d;
	ssize_t n;

	d.h = *h;
	memcpy(d.data, data, size);
	n = write(agent, &d, HEADER + size);
	if (n < 0)
		return -1;
	CHECK_EQ(n, HEADER + size);
	return 0;
}

/* What write() does not look at is anything. */
int put_to(u32 channel, const void *data, u32 size)
{
	struct keel_backdoor_message h = {
		.channel = channel,
		.kind = KEEL_BACKDOOR_MESSAGE,
		.protocol = 0xabcd,
		.length = size,
	};

	return put_raw(&h, data, size);
}

int put(const struct user *u, const void *data, u32 size)
{
	return put_to(u->channel.number, data, size);
}

void fill(u8 *data, u32 size, u32 seed)
{
	u32 i;

	for (i = 0; i < size; i++)
		data[i] = (i * 0x9e3779b1 + seed * 0x85ebca6b) >> 16;
}
