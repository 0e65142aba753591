/* SPDX-License-Identifier: GPL-2.0 */
/* Guests that never end: one without exits, two that do MMIO. */
#include "../lib/report.h"
#include "run_signals.h"

	.section .text.entry, "ax"
	.globl	_start
_start:
	movz	x9, #MMIO_IPA >> 16, lsl #16
	cmp	x0, #PART_READS
	b.eq	reads
	b.hi	count

	movz	x1, #REPORT_IPA >> 16, lsl #16
	movz	x2, #REPORT_SYNC << 8, lsl #48
	add	x2, x2, #1
	str	x2, [x1]
	movz	x3, #SHARED_IPA >> 16, lsl #16
	mov	x4, xzr
1:	add	x4, x4, #1
	str	x4, [x3]
	b	1b

reads:
	ldr	x5, [x9]
	add	x5, x5, #1
	str	x5, [x9]
	b	reads

count:
	ldr	x5, [x9]
	str	x5, [x9]
	b	count
