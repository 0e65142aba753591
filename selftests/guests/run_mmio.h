/* SPDX-License-Identifier: GPL-2.0 */
/* The order of accesses in the guest of run_mmio. */
#ifndef GUESTS_RUN_MMIO_H
#define GUESTS_RUN_MMIO_H

#define PART_STORES	0
#define PART_LOADS	1
#define PART_SIGNED	2
#define PART_ADDRESSES	3

/* strb, strh, str w, str x */
#define MMIO_STORES	4
/* ldrb, ldrh, ldr w, ldr x */
#define MMIO_LOADS	4
/* ldrsb w, ldrsh w, ldrsb x, ldrsh x, ldrsw */
#define MMIO_SIGNED	5
#define MMIO_ADDRESSES	64

#endif
