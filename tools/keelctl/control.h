/* SPDX-License-Identifier: GPL-2.0 */
/*
 * keelctl: the socket between a verb and the keelctl that serves the VM. One request for each
 * connection: info-get or info-set as the guest would ask, or "tclo " and a request for the tools.
 * The answer begins with "1 " or "0 " as RPCI's.
 */
#ifndef KEELCTL_CONTROL_H
#define KEELCTL_CONTROL_H

#include <linux/keel.h>

#include "util.h"

#define CONTROL_TCLO	"tclo "
#define CONTROL_MAX	(KEEL_BACKDOOR_MAX + sizeof(CONTROL_TCLO))

/* Answers that the asking verb has its own words for */
#define CONTROL_NO_TOOLS	"0 No tools"
#define CONTROL_NO_REPLY	"0 No reply"

/**
 * control_listen() - be the one who serves a VM, or die
 * @id: the VM's
 *
 * Return: the listening socket, which does not block.
 */
int control_listen(u32 id);

/**
 * control_accept() - take a connection
 * @listener: of control_listen()
 *
 * Return: its socket, which does not block; -1: there is none, or its user may not ask.
 */
int control_accept(int listener);

/**
 * control_ask() - ask the one who serves a VM, or die
 * @vm: the VM
 * @request: the request
 * @len: its length, at most CONTROL_MAX
 * @answer: filled in, CONTROL_MAX bytes
 *
 * Return: the answer's length, at least 2.
 */
size_t control_ask(const struct keel_vm_info *vm, const char *request, size_t len, char *answer);

#endif
