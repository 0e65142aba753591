/* SPDX-License-Identifier: GPL-2.0 */
/* The table that the guest of vcpu_sysregs fills, at SHARED_IPA. */
#ifndef GUESTS_VCPU_SYSREGS_H
#define GUESTS_VCPU_SYSREGS_H

#include "../lib/common.h"

/* An encoding is 14 bits: op1 13:11, CRn 10:7, CRm 6:3, op2 2:0. */
#define NR_ENCODINGS	16384
#define ENC(op1, crn, crm, op2) ((op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

/* What an access did. */
#define DID_NOTHING	0	/* never tried */
#define DID_VALUE	1
#define DID_UNDEFINED	2	/* EC 0 */
#define DID_TRAP	3	/* EC 0x18: the guest's EL1 traps it itself */
#define DID_OTHER	4

/**
 * struct sysregs - results
 * @read: DID_*, by op0 - 2 and encoding
 * @write: the same for writing back what was read, or zero
 * @id: values of op0 = 3, op1 = 0, CRn = 0: CRm, op2
 */
struct sysregs {
	u8 read[2][NR_ENCODINGS];
	u8 write[2][NR_ENCODINGS];
	u64 id[16][8];
};

#endif
