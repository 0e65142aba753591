/* SPDX-License-Identifier: GPL-2.0 */
/* What guest_hostile.c and its guest agree on. */
#ifndef GUEST_HOSTILE_GUEST_H
#define GUEST_HOSTILE_GUEST_H

/* Parts, in bits 7:0 of the guest's argument */
#define PART_CALLS		0
#define PART_FRAMES		1
#define PART_FRAMES_UNALIGNED	2
#define PART_CPU_INTERFACE	3
#define PART_NO_SYNDROME	4
#define PART_ODD_SYNDROME	5
#define PART_FETCHES		6
#define PART_WALKS		7
#define PART_MODES		8
#define PART_NO_CACHES		9
#define PART_BIG_ENDIAN		10
#define PART_WFI		11
#define PART_WFE		12
#define PART_NO_VECTORS		13
#define PART_CODE_CHANGES	14
#define PART_SPIN		15

/* Beside the part: an access without a syndrome becomes an abort, as keel has it */
#define ARG_ABORTS		BIT(8)
/* Beside PART_FRAMES: of every offset the n-th of PHASES parts */
#define ARG_PHASE(n)		(((u64)(n) + 1) << 16)
#define ARG_PHASE_MASK		0xff0000
#define PHASES			64

/* A read-only slot; the page behind it is no memory */
#define READONLY_IPA		0x60000000ULL
#define READONLY_SIZE		0x10000ULL
/* Neither memory nor anything else */
#define NOWHERE_IPA		0x70000000ULL

/* What loads from MMIO_IPA give */
#define MMIO_VALUE		0x1122334455667788ULL
#define BIG_ENDIAN_WORD		0x01020304

#define CODE_ROUNDS		1000

#endif
