/* SPDX-License-Identifier: GPL-2.0 */
/* Lists of register numbers for .irp. */
#ifndef SELFTESTS_REGS_H
#define SELFTESTS_REGS_H

#define REGS_0_15 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
#define REGS_0_29 REGS_0_15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29
#define REGS_0_30 REGS_0_29, 30
#define REGS_0_31 REGS_0_30, 31

#endif
