/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The host's end of the backdoor's channels: one agent, which reads and writes where the test
 * knows what has come.
 */
#ifndef SELFTESTS_AGENT_H
#define SELFTESTS_AGENT_H

#include <linux/keel.h>

#include "../guests/backdoor.h"

#define HOOKS \
	(KEEL_HOOK_BACKDOOR_HVC | KEEL_HOOK_BACKDOOR_DCC | KEEL_HOOK_BACKDOOR_BRK)
#define HEADER	sizeof(struct keel_backdoor_message)

/**
 * struct datagram - a message in the file, and room behind it
 * @h: header
 * @data: what follows it
 */
struct datagram {
	struct keel_backdoor_message h;
	u8 data[MAX_SIZE + 16];
};

/**
 * struct user - who uses a channel in the guest
 * @channel: it
 * @protocol: RPCI or TCLO
 * @cpu: the guest's
 * @door: DOOR_*
 */
struct user {
	struct channel channel;
	u32 protocol;
	int cpu;
	int door;
};

/** agent - its file */
extern int agent;

/**
 * need_backdoor() - skip the case where the device under test has none
 */
void need_backdoor(void);

/**
 * backdoor_hooks() - KEEL_HOOKS
 * @fd: VM or observer
 * @on: doors to open
 * @off: doors to shut
 */
void backdoor_hooks(int fd, u32 on, u32 off);

/**
 * backdoor_open() - KEEL_BACKDOOR_OPEN
 * @fd: VM or observer
 *
 * Return: of the ioctl
 */
int backdoor_open(int fd);

/**
 * nonblock() - switch O_NONBLOCK
 * @fd: file
 * @on: or off
 */
void nonblock(int fd, bool on);

/**
 * agent_open() - be the agent: where nobody waits for it, what is missing shall not be waited for
 * @fd: VM or observer
 */
void agent_open(int fd);

/**
 * poll_fd() - poll one file for what can be read
 * @fd: file
 * @timeout: as for poll()
 *
 * Return: its events
 */
int poll_fd(int fd, int timeout);

/**
 * expect_none() - nothing has come
 */
void expect_none(void);

/**
 * take() - read the next datagram, which must be there already
 * @d: datagram
 *
 * Return: it was, and is as long as it says
 */
bool take(struct datagram *d);

/**
 * expect() - the next datagram, which must be there already, is no message
 * @u: whose channel
 * @kind: KEEL_BACKDOOR_*
 */
void expect(const struct user *u, u32 kind);

/**
 * expect_message() - the next datagram, which must be there already, is this message
 * @u: whose channel
 * @data: what is in it
 * @size: bytes
 */
void expect_message(const struct user *u, const void *data, u32 size);

/**
 * put_raw() - write a datagram
 * @h: the header, as it is
 * @data: what follows
 * @size: how many bytes of it
 *
 * Return: 0, or -1 with errno
 */
int put_raw(const struct keel_backdoor_message *h, const void *data, size_t size);

/**
 * put_to() - write a message; what write() does not look at is anything
 * @channel: number
 * @data: message
 * @size: bytes
 *
 * Return: 0, or -1 with errno
 */
int put_to(u32 channel, const void *data, u32 size);

/**
 * put() - the same for a user's channel
 * @u: user
 * @data: message
 * @size: bytes
 *
 * Return: 0, or -1 with errno
 */
int put(const struct user *u, const void *data, u32 size);

/**
 * fill() - make a message, each byte of which says where it stands
 * @data: message
 * @size: bytes
 * @seed: which message
 */
void fill(u8 *data, u32 size, u32 seed);

#endif
