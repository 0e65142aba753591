/* SPDX-License-Identifier: GPL-2.0 */
/* The main thread's event loop: everything but the vCPUs runs in it. */
#ifndef KEELRUN_LOOP_H
#define KEELRUN_LOOP_H

#include "util.h"

/**
 * struct event_source - a file descriptor and what to do when it is readable
 * @fd: the descriptor
 * @ready: called in the main thread
 */
struct event_source {
	int fd;
	void (*ready)(struct event_source *src);
};

/**
 * loop_init() - create the event loop
 */
void loop_init(void);

/**
 * loop_add() - watch a source
 * @src: lives until its descriptor is closed or loop_remove()
 *
 * Return: whether the descriptor can be watched (a regular file cannot).
 */
bool loop_add(struct event_source *src);

/**
 * loop_remove() - forget a source
 * @src: a watched source
 */
void loop_remove(struct event_source *src);

/**
 * loop_pause() - stop or resume watching a source without forgetting it
 * @src: a watched source
 * @pause: stop watching
 *
 * Any thread may call it.
 */
void loop_pause(struct event_source *src, bool pause);

/**
 * loop_add_eventfd() - make an eventfd and watch it
 * @src: its source
 * @ready: what to do when it is signalled; it calls eventfd_clear()
 */
void loop_add_eventfd(struct event_source *src, void (*ready)(struct event_source *src));

/**
 * loop_run() - handle events
 * @stop: run until this is nonzero; whoever sets it makes a source readable
 */
void loop_run(const int *stop);

/**
 * eventfd_make() - make a non-blocking eventfd or die
 *
 * Return: the descriptor.
 */
int eventfd_make(void);

/**
 * eventfd_signal() - add one to an eventfd
 * @fd: the descriptor
 */
void eventfd_signal(int fd);

/**
 * eventfd_clear() - set an eventfd (or a timerfd) to zero
 * @fd: the descriptor
 */
void eventfd_clear(int fd);

#endif
