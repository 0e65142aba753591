/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of the guest of vcpu_smp. */
#ifndef GUESTS_VCPU_SMP_H
#define GUESTS_VCPU_SMP_H

#define SMP_CPUS	8
#define SMP_RESULT	0x5151

#define PART_LOCKS	0
#define PART_ATOMICS	1
#define PART_RING	2
#define PART_BROADCAST	3
#define PART_TLB	4

#endif
