// SPDX-License-Identifier: GPL-2.0
/* Threads that sleep, and processes that are killed. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ktap.h"
#include "process.h"

bool is_asleep(const char *stat)
{
	char text[256] = "", *state;
	int fd = open(stat, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;	/* it has ended */
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	close(fd);
	state = strrchr(text, ')');
	return state && state[2] == 'S';
}

void say(int fd)
{
	REQUIRE_EQ(write(fd, "", 1), 1);
}

void hear(int fd)
{
	char byte;

	REQUIRE_EQ(read(fd, &byte, 1), 1);
}

void killed(pid_t pid)
{
	int status;

	REQUIRE_OK(kill(pid, SIGKILL));
	REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}
