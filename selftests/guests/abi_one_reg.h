/* SPDX-License-Identifier: GPL-2.0 */
/* Where the guest of abi_one_reg keeps registers, from SHARED_IPA on: two blocks of these. */
#ifndef GUESTS_ABI_ONE_REG_H
#define GUESTS_ABI_ONE_REG_H

#define OFFSET_X	0
#define OFFSET_SP_EL1	(8 * 31)
#define OFFSET_SP_EL0	(8 * 32)
#define OFFSET_ELR	(8 * 33)
#define OFFSET_SPSR	(8 * 34)
#define OFFSET_FPSR	(8 * 35)
#define OFFSET_FPCR	(8 * 36)
#define OFFSET_Q	0x200
#define OFFSET_SECOND	0x800

#endif
