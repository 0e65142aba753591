/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The contract between a test program and its guest: the memory map and the report channel.
 *
 * A report is one 64-bit store to REPORT_IPA, which lies outside every memslot and so exits to
 * userspace as a write of 8 bytes: bits 63:56 are the kind, bits 55:0 the value.
 *
 *   PRINT   value = IPA of a NUL-terminated string, shown as a diagnostic line
 *   ASSERT  value = IPA of a struct report_assert or, when below RAM_IPA, just the line (from
 *           guests in assembly); the guest ends here
 *   SYNC    value for the test, which then does its part; the guest goes on with the next KVM_RUN
 *   DONE    value for the test; the guest ends here
 *
 * Pointers are IPAs below 1 TB in guest RAM; the guest's map is the identity.
 */
#ifndef SELFTESTS_REPORT_H
#define SELFTESTS_REPORT_H

#define GICD_IPA	0x08000000
#define GICR_IPA	0x080a0000
#define REPORT_IPA	0x09000000
/* Free for MMIO of a test's own: no memslot, the guest maps it as device memory. */
#define MMIO_IPA	0x0a000000
#define RAM_IPA		0x40000000
/* The guest image, its tables and stacks end below this; from here memory is the test's. */
#define SHARED_IPA	0x40200000
#define FREE_IPA	0x40400000
#define RAM_SIZE	0x01000000

#define REPORT_SHIFT	56
#define REPORT_PRINT	1
#define REPORT_ASSERT	2
#define REPORT_SYNC	3
#define REPORT_DONE	4

#ifndef __ASSEMBLER__

#include "common.h"

/**
 * struct report_assert - a failed check in a guest
 * @file: IPA of the source file's name
 * @line: line in that file
 * @expr: IPA of the text of the check
 * @got: the value found
 * @want: the value expected
 */
struct report_assert {
	u64 file;
	u64 line;
	u64 expr;
	u64 got;
	u64 want;
};

#endif
#endif
