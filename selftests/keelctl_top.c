// SPDX-License-Identifier: GPL-2.0
/* keelctl top: rates of a guest that exits all the time, once and on a terminal. */
#include <errno.h>
#include <fcntl.h>
#include <linux/keel.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "lib/json.h"
#include "lib/keelctl.h"
#include "lib/poke.h"
#include "lib/vm.h"

#define COUNTER_IPA	(SHARED_IPA + 0x1000)
#define LEAVE		"\033[?1049l"

static struct vm vm;

static bool answer_zero(struct vcpu *vcpu)
{
	memset(vcpu->run->mmio.data, 0, sizeof(vcpu->run->mmio.data));
	return true;
}

/* Its thread is called as QEMU calls them, so that there is no doubt whose CPU time it is. */
static void start(void)
{
	struct poke *cmd;

	poke_create(&vm);
	set_name(&vm, "exiting");
	cmd = vm_ptr(&vm, SHARED_IPA);
	*cmd = (struct poke){
		.op = POKE_LOOP, .addr = COUNTER_IPA, .value = MMIO_IPA, .len = 4,
	};
	vm.exit = answer_zero;
	vm_start(&vm);
	pthread_setname_np(vm.vcpus[0].thread, "CPU 0/KVM");
	while (!READ_ONCE(*(u64 *)vm_ptr(&vm, COUNTER_IPA)))
		sched_yield();
}

static void stop(void)
{
	vm_stop(&vm);
	vm_destroy(&vm);
}

static void once(void)
{
	start();
	answers_json(NULL, "keelctl top exiting --json --interval 0.2");
	CHECK(json_u64(out, "interval_ns") >= 200000000);
	CHECK(json_is(out, "vms.0.name", "exiting"));
	CHECK(json_find(out, "vms.0.cpu_percent"));
	CHECK_EQ(json_u64(out, "vms.0.vcpus.0.id"), 0);
	CHECK(json_find(out, "vms.0.vcpus.0.cpu_percent"));
	CHECK(json_u64(out, "vms.0.vcpus.0.exits_per_second") > 0);
	CHECK(json_u64(out, "vms.0.vcpus.0.classes.dabt") > 0);
	CHECK_EQ(json_u64(out, "vms.0.vcpus.0.classes.sve"), 0);
	CHECK(!json_find(out, "vms.0.vcpus.1"));
	CHECK(!json_find(out, "vms.1"));
	answers(NULL, "keelctl top --interval 0.2");
	CHECK(has_line(out, "VM NAME VCPU STATE CPU%% EXITS/S EL2/S *dabt*"));
	CHECK(has_line(out, "* exiting all 1 vCPU *"));
	CHECK(has_line(out, "* exiting 0 *.* *"));
	CHECK(!strstr(out, "\033"));
	stop();
}

/* What does not run makes no exits, and takes no time. */
static void idle(void)
{
	poke_create(&vm);
	set_name(&vm, "idle");
	answers_json(NULL, "keelctl top idle --once --interval 0.1 --json");
	CHECK_EQ(json_u64(out, "vms.0.vcpus.0.exits_per_second"), 0);
	CHECK(json_is(out, "vms.0.vcpus.0.state", "outside"));
	vm_destroy(&vm);
}

static int open_terminal(char *name)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	REQUIRE_OK(fd);
	REQUIRE_OK(grantpt(fd));
	REQUIRE_OK(unlockpt(fd));
	REQUIRE_OK(ptsname_r(fd, name, 64));
	return fd;
}

static pid_t start_on(const char *terminal)
{
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	setsid();
	fd = open(terminal, O_RDWR);
	dup2(fd, 0);
	dup2(fd, 1);
	execlp("keelctl", "keelctl", "top", "exiting", "--interval", "0.1", NULL);
	_exit(127);
}

/* Until it has drawn @text; what it draws before is passed over. */
static void see(int terminal, const char *text)
{
	static char seen[MAX_ANSWER];
	size_t used = 0;
	ssize_t n;

	do {
		if (used > sizeof(seen) / 2)
			used = 0;
		n = read(terminal, seen + used, sizeof(seen) - 1 - used);
		if (n <= 0)
			ktap_fail("it ended, and has not drawn \"%s\"", text);
		used += n;
		seen[used] = 0;
	} while (!strstr(seen, text));
}

static void check_end(pid_t pid, int slave)
{
	struct termios t;
	int status;

	REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
	REQUIRE_OK(tcgetattr(slave, &t));
	CHECK((t.c_lflag & (ICANON | ECHO | ISIG)) == (ICANON | ECHO | ISIG));
}

static void terminal(void)
{
	char name[64];
	int master = open_terminal(name), slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	pid_t pid;

	REQUIRE_OK(slave);
	start();
	pid = start_on(name);
	see(master, "by VM");
	see(master, "dabt");
	REQUIRE_EQ(write(master, "e", 1), 1);
	see(master, "by exits");
	REQUIRE_EQ(write(master, "c", 1), 1);
	see(master, "by CPU");
	REQUIRE_EQ(write(master, "q", 1), 1);
	see(master, LEAVE);
	check_end(pid, slave);
	pid = start_on(name);
	see(master, "dabt");
	REQUIRE_OK(kill(pid, SIGTERM));
	see(master, LEAVE);
	check_end(pid, slave);
	stop();
}

static void errors(void)
{
	refuses(1, "'0' is no interval", NULL, "keelctl top --interval 0");
	refuses(1, "'1s' is no interval", NULL, "keelctl top --interval 1s");
	refuses(2, "no VM nobody", NULL, "keelctl top nobody");
	refuses(1, "top does not take --count", NULL, "keelctl top --count 1");
	answers_json(NULL, "keelctl top --json --interval 0.1");
	CHECK(!json_find(out, "vms.0"));
}

static const struct ktap_case cases[] = {
	{ "once", once },
	{ "idle", idle },
	{ "terminal", terminal },
	{ "errors", errors },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
