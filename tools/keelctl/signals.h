/* SPDX-License-Identifier: GPL-2.0 */
/* keelctl: signals that end the program, for verbs that have something to put back first. */
#ifndef KEELCTL_SIGNALS_H
#define KEELCTL_SIGNALS_H

/**
 * signals_open() - hold back the signals that would end the program, or die
 *
 * Return: a descriptor, readable when one has come.
 */
int signals_open(void);

#endif
