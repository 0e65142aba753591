/* SPDX-License-Identifier: GPL-2.0 */
/* What the guest of vcpu_fp does between loading and comparing its FP registers. */
#ifndef GUESTS_VCPU_FP_H
#define GUESTS_VCPU_FP_H

#define FP_ROUNDS	300

#define PART_HOLD	0	/* x0's upper half is the seed */
#define PART_NONE	1	/* never uses FP: exits only */
#define PART_LATE	2	/* uses FP between exits only now and then */

#endif
