/* SPDX-License-Identifier: GPL-2.0 */
/* keelctl: the host's end of RPCI, by which a guest asks; without I/O. */
#ifndef KEELCTL_RPCI_H
#define KEELCTL_RPCI_H

#include "guestinfo.h"

#define AGENT_LINE_SIZE	1024

/* What the tools are to be told */
#define AGENT_SYNCTIME	0x1	/* whether they keep the guest's clock right */
#define AGENT_ADDRESS	0x2	/* to set guestinfo.ip */

/**
 * struct agent - what the host knows of a guest; zeroed to begin
 * @variables: guestinfo.*
 * @version: of the tools, as they said; empty before
 * @line: what the last request wants printed, without the line's end; empty: nothing
 * @synctime: the tools are to keep the guest's clock right
 * @untold: AGENT_*; whoever tells them clears it
 */
struct agent {
	struct guestinfo variables;
	char version[16];
	char line[AGENT_LINE_SIZE];
	bool synctime;
	unsigned int untold;
};

/**
 * rpci_answer() - answer a request of the guest's
 * @a: the agent
 * @request: what the guest sent, any bytes; a NUL at its end does not count
 * @len: how many
 * @reply: filled in: "1 " and a result, or "0 " and what is wrong; no NUL behind it
 * @room: bytes at @reply, at least 64
 *
 * Return: the reply's length.
 */
size_t rpci_answer(struct agent *a, const char *request, size_t len, char *reply, size_t room);

#endif
