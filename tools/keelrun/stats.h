/* SPDX-License-Identifier: GPL-2.0 */
/* --stats: what a VM did, in figures. */
#ifndef KEELRUN_STATS_H
#define KEELRUN_STATS_H

struct vm;

/**
 * stats_print() - print exits, device accesses and the node's own statistics on standard error
 * @vm: a VM whose vCPU threads have ended
 */
void stats_print(const struct vm *vm);

#endif
