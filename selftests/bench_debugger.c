// SPDX-License-Identifier: GPL-2.0
/*
 * Not a test by itself: what bench_debugger.sh runs in a Linux guest. What a debugger's work costs
 * there: by ptrace itself, and, as "debuggee", under gdb, with lib/bench_debugger.gdb. Times are of
 * the guest's counter, which counts instructions where the emulator does. Results:
 *
 *   # debugger OPERATION VALUE...     a batch each, ns for one
 */
#include <elf.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/bench.h"
#include "lib/ktap.h"
#include "lib/tracee.h"

#define ROUNDS		200	/* of a batch */
#define GDB_ROUNDS	20
#define BRK_0		0xd4200000

/* How many batches count; the first one does not. gdb reads it. */
int batches;

static double value[BENCH_MAX_BATCHES + 1];

static void report(const char *op)
{
	char text[32 * BENCH_MAX_BATCHES];
	int i, at = 0;

	for (i = 1; i <= batches; i++)
		at += snprintf(text + at, sizeof(text) - at, " %.1f", value[i]);
	ktap_note("debugger %s%s", op, text);
}

/* --- What is debugged --- */

u64 watched;

u64 __attribute__((noipa)) probed(u64 n)
{
	return n * n + 1;
}

/* 50 steps from one look at the counter to the next: the NOPs, ISB and MRS */
#define STEPS	50

static u64 __attribute__((noipa)) stepped(void)
{
	u64 begin, end;

	asm volatile("isb\n\tmrs %0, cntvct_el0\n\t"
		     ".rept 48\n\tnop\n\t.endr\n\t"
		     "isb\n\tmrs %1, cntvct_el0" : "=&r" (begin), "=r" (end) : : "memory");
	return end - begin;
}

/* gdb sets its next breakpoint while the program stands here. */
static void __attribute__((noipa)) next_stage(void)
{
	asm volatile("");
}

static void hits(const char *op)
{
	double start;
	int i, n;

	next_stage();
	for (i = 0; i <= batches; i++) {
		start = bench_ns();
		for (n = 0; n < GDB_ROUNDS; n++)
			WRITE_ONCE(watched, READ_ONCE(watched) + probed(n));
		value[i] = (bench_ns() - start) / GDB_ROUNDS;
	}
	report(op);
}

static int debuggee(void)
{
	int i;

	batches = bench_batches();
	next_stage();
	for (i = 0; i <= batches; i++)
		value[i] = stepped() * bench_ns_per_tick() / STEPS;
	report("gdb_step");
	hits("gdb_break");
	hits("gdb_hbreak");
	hits("gdb_watch");
	return 0;
}

/* --- ptrace --- */

static pid_t tracee_start(void)
{
	pid_t pid = fork();
	int status;
	u64 i;

	REQUIRE(pid >= 0);
	if (!pid) {
		REQUIRE_OK(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
		raise(SIGSTOP);
		for (i = 0;; i++)
			WRITE_ONCE(watched, probed(i));
	}
	REQUIRE(waitpid(pid, &status, 0) == pid);
	REQUIRE_EQ(status, SIGSTOP << 8 | 0x7f);
	return pid;
}

static void step(pid_t pid)
{
	tracee_go(pid, PTRACE_SINGLESTEP, SIGTRAP);
}

/* Stops there; then over it, with the breakpoint off. */
static void hit_hw(pid_t pid, int note, u64 addr, u32 ctrl)
{
	tracee_go(pid, PTRACE_CONT, SIGTRAP);
	tracee_set_hw(pid, note, &addr, 1, 0);
	step(pid);
	tracee_set_hw(pid, note, &addr, 1, ctrl);
}

static void hit_break(pid_t pid)
{
	hit_hw(pid, NT_ARM_HW_BREAK, (u64)probed, TRACEE_BCR);
}

static void hit_watch(pid_t pid)
{
	hit_hw(pid, NT_ARM_HW_WATCH, (u64)&watched, TRACEE_WCR);
}

/* Eight bytes of PROBED, which begin with an instruction of this program's or with BRK */
static void poke(pid_t pid, bool brk)
{
	u64 insns;

	memcpy(&insns, probed, sizeof(insns));
	if (brk)
		insns = (insns & ~0xffffffffULL) | BRK_0;
	REQUIRE_OK(ptrace(PTRACE_POKETEXT, pid, probed, insns));
}

static void hit_brk(pid_t pid)
{
	tracee_go(pid, PTRACE_CONT, SIGTRAP);
	poke(pid, false);
	step(pid);
	poke(pid, true);
}

/* All of them are made ready for the first batch, which does not count. */
static void traced(const char *op, void (*prepare)(pid_t pid), void (*round)(pid_t pid))
{
	pid_t pid = tracee_start();
	double start;
	int i, n;

	if (prepare)
		prepare(pid);
	for (i = 0; i <= batches; i++) {
		start = bench_ns();
		for (n = 0; n < ROUNDS; n++)
			round(pid);
		value[i] = (bench_ns() - start) / ROUNDS;
	}
	REQUIRE_OK(kill(pid, SIGKILL));
	REQUIRE(waitpid(pid, NULL, 0) == pid);
	report(op);
}

static void prepare_break(pid_t pid)
{
	const u64 addr = (u64)probed;

	tracee_set_hw(pid, NT_ARM_HW_BREAK, &addr, 1, TRACEE_BCR);
}

static void prepare_watch(pid_t pid)
{
	const u64 addr = (u64)&watched;

	tracee_set_hw(pid, NT_ARM_HW_WATCH, &addr, 1, TRACEE_WCR);
}

static void prepare_brk(pid_t pid)
{
	poke(pid, true);
}

static void steps(void)
{
	traced("step", NULL, step);
}

static void hw_breaks(void)
{
	traced("hbreak", prepare_break, hit_break);
}

static void hw_watches(void)
{
	traced("watch", prepare_watch, hit_watch);
}

static void breaks(void)
{
	traced("break", prepare_brk, hit_brk);
}

/* --- To compare with --- */

static void echo(int from, int to)
{
	char c;

	while (read(from, &c, 1) == 1)
		REQUIRE_EQ(write(to, &c, 1), 1);
	_exit(0);
}

/* Nobody is debugged: to another process and back. */
static void switches(void)
{
	int there[2], back[2], i, n;
	double start;
	char c = 0;
	pid_t pid;

	REQUIRE_OK(pipe(there));
	REQUIRE_OK(pipe(back));
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid) {
		close(there[1]);
		echo(there[0], back[1]);
	}
	for (i = 0; i <= batches; i++) {
		start = bench_ns();
		for (n = 0; n < ROUNDS; n++) {
			REQUIRE_EQ(write(there[1], &c, 1), 1);
			REQUIRE_EQ(read(back[0], &c, 1), 1);
		}
		value[i] = (bench_ns() - start) / ROUNDS;
	}
	close(there[1]);
	REQUIRE(waitpid(pid, NULL, 0) == pid);
	report("switch");
}

/* Whether times are instructions: a million of these. */
static void million(void)
{
	double start;
	u64 left;
	int i;

	for (i = 0; i <= batches; i++) {
		left = 500000;
		start = bench_ns();
		asm volatile("1: subs %0, %0, #1\n\tb.ne 1b" : "+r" (left) : : "cc");
		value[i] = bench_ns() - start;
	}
	report("million");
}

static const struct ktap_case cases[] = {
	{ "million", million },
	{ "switch", switches },
	{ "step", steps },
	{ "hbreak", hw_breaks },
	{ "watch", hw_watches },
	{ "break", breaks },
};

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "debuggee"))
		return debuggee();
	batches = bench_batches();
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
