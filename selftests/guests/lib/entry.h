/* SPDX-License-Identifier: GPL-2.0 */
/* What the guest library's assembly and C agree on. */
#ifndef GUEST_ENTRY_H
#define GUEST_ENTRY_H

#define MAX_CPUS	64
#define STACK_SIZE	8192
/* struct frame, rounded up to keep SP aligned */
#define FRAME_SIZE	288

#endif
