/* SPDX-License-Identifier: GPL-2.0 */
/* --stats: instructions that the host executed for the guest, by the host's PMU. */
#ifndef KEELRUN_INSTRUCTIONS_H
#define KEELRUN_INSTRUCTIONS_H

/**
 * instructions_start() - count from now on what this thread and those it will make execute
 *
 * A host whose PMU is not there, or not for this user, counts nothing and says nothing.
 */
void instructions_start(void);

/**
 * instructions_stop() - end the count
 */
void instructions_stop(void);

/**
 * instructions_print() - print what was counted on standard error, once
 */
void instructions_print(void);

#endif
