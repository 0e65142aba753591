/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Loads and stores of device memory through every register. The other registers hold patterns that
 * the test compares at each exit. Register n stores to MMIO_IPA + 16 n and loads from 8 above that.
 */
#include "../lib/regs.h"
#include "../lib/report.h"
#include "run_mmio.h"

	.macro	set_pattern n
	movz	x\n, #(0x40 + \n) * 0x101
	movk	x\n, #(0x40 + \n) * 0x101, lsl #16
	movk	x\n, #(0x40 + \n) * 0x101, lsl #32
	movk	x\n, #(0x40 + \n) * 0x101, lsl #48
	.endm

	.macro	set_patterns
	.irp	n, REGS_0_30
	set_pattern \n
	.endr
	.endm

	/* base holds the device's address only around the access */
	.macro	store_all n, w, x, base
	movz	\base, #MMIO_IPA >> 16, lsl #16
	strb	\w, [\base, #(16 * \n)]
	strh	\w, [\base, #(16 * \n)]
	str	\w, [\base, #(16 * \n)]
	str	\x, [\base, #(16 * \n)]
	.endm

	.macro	load_one op, n, dest, x, base
	movz	\base, #MMIO_IPA >> 16, lsl #16
	\op	\dest, [\base, #(16 * \n + 8)]
	str	\x, [\base, #(16 * \n)]
	.endm

	.macro	load_all n, w, x, base
	load_one ldrb, \n, \w, \x, \base
	load_one ldrh, \n, \w, \x, \base
	load_one ldr, \n, \w, \x, \base
	load_one ldr, \n, \x, \x, \base
	.endm

	.macro	load_signed n, w, x, base
	load_one ldrsb, \n, \w, \x, \base
	load_one ldrsh, \n, \w, \x, \base
	load_one ldrsb, \n, \x, \x, \base
	load_one ldrsh, \n, \x, \x, \base
	load_one ldrsw, \n, \x, \x, \base
	.endm

	.macro	each what
	.irp	n, REGS_0_30
	.if	\n == 9
	set_pattern 9
	\what	9, w9, x9, x10
	set_pattern 10
	.else
	\what	\n, w\n, x\n, x9
	.endif
	set_pattern \n
	.endr
	\what	31, wzr, xzr, x9
	.endm

	.section .text.entry, "ax"
	.globl	_start
_start:
	cmp	x0, #PART_LOADS
	b.eq	loads
	cmp	x0, #PART_SIGNED
	b.eq	signed
	cmp	x0, #PART_ADDRESSES
	b.eq	addresses

	set_patterns
	each	store_all
	b	done

loads:
	set_patterns
	each	load_all
	b	done

signed:
	set_patterns
	each	load_signed
	b	done

addresses:
	mov	x1, xzr
	movz	x2, #MMIO_IPA >> 16, lsl #16
	mov	x4, #0x3ffc
1:	madd	x3, x1, x4, x2
	tbnz	x1, #0, 2f
	ldr	w5, [x3]
	b	3f
2:	str	w5, [x3]
3:	add	x1, x1, #1
	cmp	x1, #MMIO_ADDRESSES
	b.ne	1b

done:
	movz	x0, #REPORT_IPA >> 16, lsl #16
	movz	x1, #REPORT_DONE << 8, lsl #48
	str	x1, [x0]
	b	.
