/* SPDX-License-Identifier: GPL-2.0 */
/* What pnmi_dispatch.c and its guest agree on. */
#ifndef GUESTS_PNMI_DISPATCH_H
#define GUESTS_PNMI_DISPATCH_H

/* The guest's argument: how it masks regular interrupts, and what it proves. */
#define MASK_EAGER	0	/* by priority: ICC_PMR_EL1 */
#define MASK_LAZY	1	/* by a flag; what comes is acknowledged and saved */
#define MASK_PSTATE	2	/* by PSTATE.I, which holds off everything */

#define PROOF_MASKED	0	/* 2 vCPUs */
#define PROOF_NESTED	1
#define PROOF_NEVER	2
#define PROOF_SPURIOUS	3
#define PROOF_STORM	4	/* 2 vCPUs */

#define DISPATCH_ARG(mask, proof) ((mask) << 8 | (proof))

#endif
