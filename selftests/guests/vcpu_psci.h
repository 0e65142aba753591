/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of the guest of vcpu_psci. */
#ifndef GUESTS_VCPU_PSCI_H
#define GUESTS_VCPU_PSCI_H

#define PART_CALLS	0	/* 2 vCPUs, only the first runs */
#define PART_ON_OFF	1	/* 4 vCPUs */
#define PART_SUSPEND	2
#define PART_OFF	3	/* 4 vCPUs */
#define PART_RESET	4
#define PART_ALONE	5	/* says its number */

#endif
