/* SPDX-License-Identifier: GPL-2.0 */
/* keelctl: what PSTATE says. */
#ifndef KEELCTL_PSTATE_H
#define KEELCTL_PSTATE_H

#include "util.h"

#define PSTATE_EL(p)	((unsigned int)(p) >> 2 & 3)
#define PSTATE_SIZE	64

/**
 * pstate_text() - exception level, stack pointer, and what is masked
 * @pstate: as in SPSR_EL2
 * @to: filled in, PSTATE_SIZE characters: "EL1h DAIF"
 *
 * Return: @to.
 */
char *pstate_text(u64 pstate, char *to);

/**
 * pstate_flags() - the rest: conditions, and what else is set
 * @pstate: as in SPSR_EL2
 * @to: filled in, PSTATE_SIZE characters: "nZCv PAN"
 *
 * Return: @to.
 */
char *pstate_flags(u64 pstate, char *to);

#endif
