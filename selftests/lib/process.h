/* SPDX-License-Identifier: GPL-2.0 */
/* Threads that sleep, and processes that are killed. */
#ifndef SELFTESTS_PROCESS_H
#define SELFTESTS_PROCESS_H

#include <sys/types.h>

#include "common.h"

/**
 * is_asleep() - does a thread wait for something
 * @stat: path of its stat file in /proc
 *
 * Return: true if so; false if it has ended, too
 */
bool is_asleep(const char *stat);

/**
 * say() - tell another process to go on
 * @fd: a pipe
 */
void say(int fd);

/**
 * hear() - wait for say()
 * @fd: the pipe's other end
 */
void hear(int fd);

/**
 * killed() - end a child by SIGKILL, and see that this was its end
 * @pid: child
 */
void killed(pid_t pid);

#endif
