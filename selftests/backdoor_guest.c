// SPDX-License-Identifier: GPL-2.0
/*
 * Not a test by itself: what backdoor_linux.sh runs in a Linux guest of keel. Calls through the
 * doors dcc and brk, with these open or shut; gdb, ptrace, kprobes and uprobes while both are open
 * and processes on all CPUs call.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <asm/ptrace.h>

#include "lib/backdoor.h"
#include "lib/ktap.h"
#include "lib/soak.h"
#include "lib/tracee.h"

#define CPUS		2
#define TRACING		"/sys/kernel/tracing/"
#define X7_DCC		(BACKDOOR_DCC | BACKDOOR_IN)
#define X7_NONE		(BACKDOOR_DCC | 0xf)	/* W7 with size 3: no I/O instruction */

/* --- One instruction, and the signal that it ends in --- */

/**
 * struct fate - of the thread's last instruction
 * @signal: that it ended in, or 0
 * @code: of that signal
 * @address: that it tells
 * @pc: where it came from
 */
struct fate {
	int signal;
	int code;
	u64 address;
	u64 pc;
};

static __thread struct fate fate;

/* Goes on behind the instruction. */
static void take(int signal, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	fate.signal = signal;
	fate.code = info->si_code;
	fate.address = (u64)info->si_addr;
	fate.pc = uc->uc_mcontext.pc;
	uc->uc_mcontext.pc += 4;
}

static void signals_take(void)
{
	struct sigaction sa = { .sa_sigaction = take, .sa_flags = SA_SIGINFO };

	REQUIRE_OK(sigaction(SIGILL, &sa, NULL));
	REQUIRE_OK(sigaction(SIGTRAP, &sa, NULL));
}

/* Ask for the version, by @insn. Return: it was answered. */
static bool ask(void (*insn)(void), u64 x7, u64 *x)
{
	fate.signal = 0;
	backdoor_version_set(x, x7);
	backdoor_try(x, insn);
	return !fate.signal && backdoor_version_answered(x, x7);
}

/* A call that the host's kernel answers: it fails, as there is no agent. */
static bool ask_message(u64 *x)
{
	fate.signal = 0;
	backdoor_version_set(x, X7_DCC);
	x[2] = RECVSTATUS << 16 | MESSAGE;
	backdoor_try(x, insn_dcc);
	return !fate.signal && x[2] == MESSAGE;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	REQUIRE_OK(sched_setaffinity(0, sizeof(set), &set));
}

/**
 * struct trial - an instruction at EL0
 * @name: of it
 * @insn: its function
 * @x7: the instruction of x86
 * @open: with the doors dcc and brk open it is a call
 * @signal: that it ends in otherwise
 */
struct trial {
	const char *name;
	void (*insn)(void);
	u64 x7;
	bool open;
	int signal;
};

static const struct trial trials[] = {
	{ "dcc", insn_dcc, X7_DCC, true, SIGILL },
	{ "dcc, X7<63:32> = 0", insn_dcc, BACKDOOR_IN, false, SIGILL },
	{ "dcc, X7<63:32> = 0x87", insn_dcc, X7_DCC | BIT(32), false, SIGILL },
	{ "dcc, no I/O instruction", insn_dcc, X7_NONE, false, SIGILL },
	{ "dcc into a register", insn_dcc_x9, X7_DCC, false, SIGILL },
	{ "brk", insn_brk, X7_DCC, true, SIGTRAP },
	{ "brk, X7<63:32> = 0", insn_brk, BACKDOOR_IN, true, SIGTRAP },
	{ "brk, no I/O instruction", insn_brk, X7_NONE, false, SIGTRAP },
	{ "brk, bit 6 of W7", insn_brk, BACKDOOR_IN | BIT(6), false, SIGTRAP },
	{ "brk #0x85", insn_brk_85, X7_DCC, false, SIGTRAP },
	{ "brk #0x87", insn_brk_87, X7_DCC, false, SIGTRAP },
};

static bool trial_ok(const struct trial *t, bool open)
{
	u64 x[8];

	if (ask(t->insn, t->x7, x))
		return CHECK(open && t->open);
	return CHECK_EQ(fate.signal, open && t->open ? 0 : t->signal) &
	       CHECK_EQ(fate.pc, (u64)t->insn) &
	       CHECK_EQ(fate.address, (u64)t->insn) &
	       CHECK_EQ(fate.code, t->signal == SIGILL ? ILL_ILLOPC : TRAP_BRKPT) &
	       CHECK(backdoor_version_kept(x, t->x7));
}

static void doors(bool open)
{
	const struct trial *t;
	int cpu;

	signals_take();
	for (cpu = 0; cpu < CPUS; cpu++) {
		pin(cpu);
		for (t = trials; t < trials + ARRAY_SIZE(trials); t++)
			if (!trial_ok(t, open))
				ktap_note("CPU %d: %s", cpu, t->name);
	}
}

static void doors_open(void)
{
	doors(true);
}

static void doors_shut(void)
{
	doors(false);
}

/* --- Others that call all the time --- */

/**
 * struct caller - a process or thread that makes calls
 * @calls: so many through each door
 * @wrong: so many that were not answered
 * @stop: asks it to end
 * @cpu: where it runs
 * @pid: of the process
 */
struct caller {
	u64 calls;
	u64 wrong;
	int stop;
	int cpu;
	pid_t pid;
};

static struct caller *callers;	/* one a CPU, and a thread's; shared by processes */

#define THREAD	CPUS

static void *caller_run(void *arg)
{
	struct caller *c = arg;
	u64 x[8];

	pin(c->cpu);
	while (!READ_ONCE(c->stop)) {
		c->wrong += !ask(insn_dcc, X7_DCC, x);
		c->wrong += !ask(insn_brk, X7_DCC, x);
		WRITE_ONCE(c->calls, c->calls + 1);
		/* in between whoever is debugged on this CPU, or debugs */
		sched_yield();
	}
	return NULL;
}

static void callers_start(void)
{
	pid_t pid;
	int cpu;

	signals_take();
	callers = mmap(NULL, (CPUS + 1) * sizeof(*callers), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(callers != MAP_FAILED);
	for (cpu = 0; cpu < CPUS; cpu++) {
		callers[cpu].cpu = cpu;
		pid = fork();
		REQUIRE(pid >= 0);
		if (!pid) {
			caller_run(&callers[cpu]);
			_exit(0);
		}
		callers[cpu].pid = pid;
	}
}

/* Until it has made @more calls. */
static void caller_wait(const struct caller *c, u64 more)
{
	u64 begin = READ_ONCE(c->calls);

	while (READ_ONCE(c->calls) - begin < more)
		sched_yield();
}

static void callers_wait(u64 more)
{
	int cpu;

	for (cpu = 0; cpu < CPUS; cpu++)
		caller_wait(&callers[cpu], more);
}

/* All were answered. */
static void callers_stop(void)
{
	int cpu, status;

	for (cpu = 0; cpu < CPUS; cpu++) {
		WRITE_ONCE(callers[cpu].stop, 1);
		REQUIRE(waitpid(callers[cpu].pid, &status, 0) == callers[cpu].pid);
		CHECK_EQ(status, 0);
		CHECK_EQ(callers[cpu].wrong, 0);
		CHECK(callers[cpu].calls);
	}
}

/* --- gdb --- */

#define GDB_STATUS	3	/* lib/backdoor.gdb */
#define GDB		"gdb -nx -batch -x /selftests/lib/backdoor.gdb " \
			"/selftests/backdoor_debuggee </dev/null >gdb.log 2>&1"
#define DEBUGGEE_SAYS	"sum 518 dcc 12 brk 12\n"

static void read_file(const char *path, char *to, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n;

	REQUIRE(fd >= 0);
	n = read(fd, to, size - 1);
	REQUIRE(n >= 0);
	to[n] = 0;
	close(fd);
}

static void gdb_run(void)
{
	char said[80];

	if (!CHECK_EQ(system(GDB), GDB_STATUS << 8))
		CHECK_EQ(system("tail -n 80 gdb.log | sed 's/^/# /'"), 0);
	/* Without the hardware gdb would do it by steps. */
	CHECK_EQ(system("grep -q '^Hardware watchpoint' gdb.log"), 0);
	CHECK_EQ(system("grep -q '^Hardware access' gdb.log"), 0);
	read_file("debuggee.out", said, sizeof(said));
	if (!CHECK(!strcmp(said, DEBUGGEE_SAYS)))
		ktap_note("it says %s", said);
}

static void gdb(void)
{
	int n = soak_rounds(1, 3);

	REQUIRE_OK(chdir("/tmp"));
	callers_start();
	while (n--)
		gdb_run();
	callers_stop();
}

/* --- Probes by tracefs --- */

static void tracing_write(const char *file, int flags, const char *text)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), TRACING "%s", file);
	fd = open(path, O_WRONLY | flags);
	REQUIRE(fd >= 0);
	if (!CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text)))
		ktap_fail("%s does not take %s: %s", path, text, strerror(errno));
	close(fd);
}

static void tracing_mount(void)
{
	if (mount("trace", TRACING, "tracefs", 0, NULL))
		REQUIRE_EQ(errno, EBUSY);
}

/* @events: kprobe or uprobe; @kind: p at its beginning, r at its return */
static void probe_add(const char *events, const char *name, char kind, const char *where)
{
	char file[64], text[128];

	snprintf(file, sizeof(file), "%s_events", events);
	snprintf(text, sizeof(text), "%c:backdoor/%s %s\n", kind, name, where);
	tracing_write(file, O_APPEND, text);
	snprintf(file, sizeof(file), "events/backdoor/%s/enable", name);
	tracing_write(file, 0, "1");
}

static void probe_remove(const char *events, const char *name)
{
	char file[64], text[64];

	snprintf(file, sizeof(file), "events/backdoor/%s/enable", name);
	tracing_write(file, 0, "0");
	snprintf(file, sizeof(file), "%s_events", events);
	snprintf(text, sizeof(text), "-:backdoor/%s\n", name);
	tracing_write(file, O_APPEND, text);
}

/* It was hit so often, and missed never. */
static void probe_check(const char *events, const char *name, u64 want)
{
	u64 hits = 0, missed = 0;
	char path[64], text[4096];
	const char *line;

	snprintf(path, sizeof(path), TRACING "%s_profile", events);
	read_file(path, text, sizeof(text));
	line = strstr(text, name);
	REQUIRE(line);
	/* of uprobes only the first number */
	REQUIRE(sscanf(line + strlen(name), "%llu%*[ \t]%llu", &hits, &missed) >= 1);
	if (!CHECK_EQ(hits, want) || !CHECK_EQ(missed, 0))
		ktap_note("%s %s", events, name);
}

#define PROBED_PAUSE	20	/* so often others are sure to call in between */

/* The guest's kernel stops at BRK of its own; nobody else here makes this system call. */
static void kprobes(void)
{
	int n = soak_rounds(200, 500), cpu, i;

	tracing_mount();
	callers_start();
	probe_add("kprobe", "ppid_begin", 'p', "__arm64_sys_getppid");
	probe_add("kprobe", "ppid_end", 'r', "__arm64_sys_getppid");
	for (cpu = 0; cpu < CPUS; cpu++) {
		pin(cpu);
		for (i = 0; i < n; i++) {
			syscall(SYS_getppid);
			if (i % PROBED_PAUSE == 0)
				callers_wait(1);
		}
	}
	probe_check("kprobe", "ppid_begin", CPUS * n);
	probe_check("kprobe", "ppid_end", CPUS * n);
	callers_stop();
	probe_remove("kprobe", "ppid_begin");
	probe_remove("kprobe", "ppid_end");
}

static long __attribute__((noipa)) probed(long n)
{
	return n * n + 1;
}

/* "FILE:OFFSET" of a function of this program */
static void where_in_file(char *where, size_t size, u64 address)
{
	const Elf64_Phdr *p = (const Elf64_Phdr *)getauxval(AT_PHDR);
	u64 left = getauxval(AT_PHNUM);

	for (; left; left--, p++) {
		if (p->p_type == PT_LOAD && address - p->p_vaddr < p->p_filesz) {
			snprintf(where, size, "/selftests/backdoor_guest:%#llx",
				 address - p->p_vaddr + p->p_offset);
			return;
		}
	}
	ktap_fail("%#llx is not in the file", address);
}

/*
 * One at a function, one at the instruction of the door itself, which the kernel then steps in
 * another place. Callers call through it, too.
 */
static void uprobes(void)
{
	int n = soak_rounds(200, 500), cpu, i;
	u64 calls = 0;
	char where[64];

	tracing_mount();
	where_in_file(where, sizeof(where), (u64)probed);
	probe_add("uprobe", "func_begin", 'p', where);
	probe_add("uprobe", "func_end", 'r', where);
	where_in_file(where, sizeof(where), (u64)insn_dcc);
	probe_add("uprobe", "insn", 'p', where);
	callers_start();
	for (cpu = 0; cpu < CPUS; cpu++) {
		pin(cpu);
		for (i = 0; i < n; i++) {
			CHECK_EQ(probed(i), i * i + 1);
			if (i % PROBED_PAUSE == 0)
				callers_wait(1);
		}
	}
	callers_stop();
	for (cpu = 0; cpu < CPUS; cpu++)
		calls += callers[cpu].calls;
	probe_check("uprobe", "func_begin", CPUS * n);
	probe_check("uprobe", "func_end", CPUS * n);
	probe_check("uprobe", "insn", calls);
	probe_remove("uprobe", "func_begin");
	probe_remove("uprobe", "func_end");
	probe_remove("uprobe", "insn");
}

/* --- ptrace with breakpoints and a watchpoint --- */

static u64 watched;

/*
 * What is traced, a round: PROBED, a store to WATCHED, calls through both doors. While it is armed
 * others call on its CPU, one of them a thread of this process.
 */
static void __noreturn tracee_run(int cpu, int rounds)
{
	struct caller *thread = &callers[THREAD];
	pthread_t id;
	u64 x[8];
	long i;

	pin(cpu);
	memset(thread, 0, sizeof(*thread));
	thread->cpu = cpu;
	REQUIRE(!pthread_create(&id, NULL, caller_run, thread));
	REQUIRE_OK(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	for (i = 1; i <= rounds; i++) {
		raise(SIGSTOP);
		caller_wait(&callers[cpu], 1);
		caller_wait(thread, 1);
		CHECK_EQ(probed(i), i * i + 1);
		WRITE_ONCE(watched, i);
		CHECK(ask(insn_dcc, X7_DCC, x));
		CHECK(ask_message(x));
		CHECK(ask(insn_brk, X7_DCC, x));
	}
	WRITE_ONCE(thread->stop, 1);
	pthread_join(id, NULL);
	CHECK_EQ(thread->wrong, 0);
	CHECK(thread->calls);
	_exit(ktap_failed());
}

static u64 tracee_regs(pid_t pid, struct user_pt_regs *regs)
{
	struct iovec iov = { .iov_base = regs, .iov_len = sizeof(*regs) };

	REQUIRE_OK(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &iov));
	return regs->pc;
}

static u64 tracee_pc(pid_t pid)
{
	struct user_pt_regs regs;

	return tracee_regs(pid, &regs);
}

/* Breakpoints at PROBED and the DCC door, a watchpoint; or none. */
static void tracee_arm(pid_t pid, bool on)
{
	const u64 breaks[] = { (u64)probed, (u64)insn_dcc }, watch = (u64)&watched;

	tracee_set_hw(pid, NT_ARM_HW_BREAK, breaks, ARRAY_SIZE(breaks), on ? TRACEE_BCR : 0);
	tracee_set_hw(pid, NT_ARM_HW_WATCH, &watch, 1, on ? TRACEE_WCR : 0);
}

/* It has stopped by SIGTRAP, for @code at @address. */
static void tracee_trapped(pid_t pid, int code, u64 address)
{
	siginfo_t info;

	REQUIRE_OK(ptrace(PTRACE_GETSIGINFO, pid, NULL, &info));
	REQUIRE_EQ(info.si_code, code);
	REQUIRE_EQ(info.si_addr, address);
}

/* Without breakpoints over one instruction; with them again. */
static void tracee_step(pid_t pid)
{
	u64 pc = tracee_pc(pid);

	tracee_arm(pid, false);
	tracee_go(pid, PTRACE_SINGLESTEP, SIGTRAP);
	tracee_trapped(pid, TRAP_TRACE, pc + 4);
	REQUIRE_EQ(tracee_pc(pid), pc + 4);
	tracee_arm(pid, true);
}

static void trace_round(pid_t pid, u64 round)
{
	struct user_pt_regs regs;

	tracee_arm(pid, true);
	tracee_go(pid, PTRACE_CONT, SIGTRAP);
	tracee_trapped(pid, TRAP_HWBKPT, (u64)probed);
	REQUIRE_EQ(tracee_regs(pid, &regs), (u64)probed);
	REQUIRE_EQ(regs.regs[0], round);
	tracee_step(pid);

	tracee_go(pid, PTRACE_CONT, SIGTRAP);
	tracee_trapped(pid, TRAP_HWBKPT, (u64)&watched);
	REQUIRE_EQ(ptrace(PTRACE_PEEKDATA, pid, &watched, NULL), round - 1);
	tracee_step(pid);
	REQUIRE_EQ(ptrace(PTRACE_PEEKDATA, pid, &watched, NULL), round);

	tracee_go(pid, PTRACE_CONT, SIGTRAP);
	tracee_trapped(pid, TRAP_HWBKPT, (u64)insn_dcc);
	tracee_step(pid);
	tracee_regs(pid, &regs);
	REQUIRE(backdoor_version_answered(regs.regs, X7_DCC));

	tracee_go(pid, PTRACE_CONT, SIGTRAP);
	tracee_trapped(pid, TRAP_HWBKPT, (u64)insn_dcc);
	tracee_step(pid);
	tracee_regs(pid, &regs);
	REQUIRE_EQ(regs.regs[2], MESSAGE);

	/* Armed: BRK is no call, neither when it goes on nor when it steps. */
	tracee_go(pid, PTRACE_CONT, SIGTRAP);
	tracee_trapped(pid, TRAP_BRKPT, (u64)insn_brk);
	tracee_arm(pid, false);
	tracee_go(pid, PTRACE_SINGLESTEP, SIGTRAP);
	tracee_trapped(pid, TRAP_BRKPT, (u64)insn_brk);
	REQUIRE_EQ(tracee_regs(pid, &regs), (u64)insn_brk);
	REQUIRE(backdoor_version_kept(regs.regs, X7_DCC));
}

static void trace(int cpu, int rounds)
{
	pid_t pid = fork();
	int status, i;

	REQUIRE(pid >= 0);
	if (!pid)
		tracee_run(cpu, rounds);
	REQUIRE(waitpid(pid, &status, WUNTRACED) == pid);
	REQUIRE_EQ(status, SIGSTOP << 8 | 0x7f);
	for (i = 1; i <= rounds; i++) {
		trace_round(pid, i);
		/* Not armed any more: now it is a call. */
		if (i < rounds)
			tracee_go(pid, PTRACE_CONT, SIGSTOP);
	}
	REQUIRE_OK(ptrace(PTRACE_CONT, pid, NULL, NULL));
	REQUIRE(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
}

static void ptraced(void)
{
	int rounds = soak_rounds(10, 30), cpu;

	callers_start();
	for (cpu = 0; cpu < CPUS; cpu++)
		trace(cpu, rounds);
	callers_stop();
}

static const struct ktap_case cases[] = {
	{ "doors_shut", doors_shut },
	{ "doors_open", doors_open },
	{ "gdb", gdb },
	{ "kprobes", kprobes },
	{ "uprobes", uprobes },
	{ "ptraced", ptraced },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
