/* SPDX-License-Identifier: GPL-2.0 */
/* keelctl trace: an instance of tracefs of its own, which goes however the program ends. */
#ifndef KEELCTL_TRACING_H
#define KEELCTL_TRACING_H

#include "util.h"

/**
 * tracing_begin() - make an instance and switch events of keel's on for a VM, or die
 * @vm: id of the VM
 * @all: all events; else exits only
 *
 * From here on the caller may not be ended by a signal (signals_open()). What programs left that
 * were killed is removed, too.
 *
 * Return: descriptor of its pipe, which does not block.
 */
int tracing_begin(u32 vm, bool all);

/**
 * tracing_end() - remove the instance; at exit() this happens by itself
 */
void tracing_end(void);

#endif
