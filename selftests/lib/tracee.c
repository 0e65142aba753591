// SPDX-License-Identifier: GPL-2.0
/* Debugging another program by ptrace. */
#include <sys/uio.h>
#include <sys/wait.h>

#include <asm/ptrace.h>

#include "ktap.h"
#include "tracee.h"

void tracee_go(pid_t pid, enum __ptrace_request how, int signal)
{
	int status;

	REQUIRE_OK(ptrace(how, pid, NULL, NULL));
	REQUIRE(waitpid(pid, &status, 0) == pid);
	REQUIRE_EQ(status, signal << 8 | 0x7f);
}

void tracee_set_hw(pid_t pid, int note, const u64 *addr, int n, u32 ctrl)
{
	struct user_hwdebug_state s = {};
	struct iovec iov = { .iov_base = &s, .iov_len = offsetof(typeof(s), dbg_regs[n]) };
	int i;

	for (i = 0; i < n; i++) {
		s.dbg_regs[i].addr = addr[i];
		s.dbg_regs[i].ctrl = ctrl;
	}
	REQUIRE_OK(ptrace(PTRACE_SETREGSET, pid, note, &iov));
}
