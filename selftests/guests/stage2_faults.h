/* SPDX-License-Identifier: GPL-2.0 */
/* Sizes of the guest of stage2_faults. */
#ifndef GUESTS_STAGE2_FAULTS_H
#define GUESTS_STAGE2_FAULTS_H

#define FAULT_CPUS	4
#define FAULT_IPA	0x60000000ULL
#define FAULT_SIZE	0x200000ULL
/* FAULT_CPUS counters at SHARED_IPA say how often a CPU has been through the memory. */

#endif
