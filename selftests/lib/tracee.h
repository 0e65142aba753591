/* SPDX-License-Identifier: GPL-2.0 */
/* What programs that debug another one by ptrace share. */
#ifndef SELFTESTS_TRACEE_H
#define SELFTESTS_TRACEE_H

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/types.h>

#include "common.h"

/* DBGBCR, DBGWCR: of EL0, enabled; four bytes; stores to eight bytes */
#define TRACEE_BCR	(0xf << 5 | 2 << 1 | 1)
#define TRACEE_WCR	(0xff << 5 | 2 << 3 | 2 << 1 | 1)

/**
 * tracee_go() - let it go on until it stops
 * @pid: of it
 * @how: PTRACE_CONT or PTRACE_SINGLESTEP
 * @signal: that it must stop by
 */
void tracee_go(pid_t pid, enum __ptrace_request how, int signal);

/**
 * tracee_set_hw() - set its first breakpoints or watchpoints
 * @pid: of it
 * @note: NT_ARM_HW_BREAK or NT_ARM_HW_WATCH
 * @addr: where
 * @n: how many
 * @ctrl: TRACEE_BCR, TRACEE_WCR; 0: none
 */
void tracee_set_hw(pid_t pid, int note, const u64 *addr, int n, u32 ctrl);

#endif
