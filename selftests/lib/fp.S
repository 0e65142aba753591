/* SPDX-License-Identifier: GPL-2.0 */
/* Known values in FP, SVE and SME registers around a system call or a stretch of time. */
#include <asm/unistd.h>

#include "regs.h"

	.arch	armv9-a+sve+sme

	.macro	function name
	.globl	\name
	.type	\name, %function
	.balign	4
\name:
	.endm

	.text

/* The callee-saved halves d8-d15 are the caller's. */
	.macro	save_fp
	stp	d8, d9, [sp, #-64]!
	stp	d10, d11, [sp, #16]
	stp	d12, d13, [sp, #32]
	stp	d14, d15, [sp, #48]
	.endm

	.macro	restore_fp
	ldp	d10, d11, [sp, #16]
	ldp	d12, d13, [sp, #32]
	ldp	d14, d15, [sp, #48]
	ldp	d8, d9, [sp], #64
	.endm

	.macro	spin count
1:	subs	\count, \count, #1
	b.ne	1b
	.endm

function fp_ioctl
	save_fp
	mov	x9, x3
	.irp	n, REGS_0_31
	ldr	q\n, [x2, #(16 * \n)]
	.endr
	mov	x2, xzr
	mov	x8, #__NR_ioctl
	svc	#0
	.irp	n, REGS_0_31
	str	q\n, [x9, #(16 * \n)]
	.endr
	restore_fp
	ret

/* Rows of ZA from or to memory: x10 their number, w12 the row. */
	.macro	za_load in
	rdsvl	x10, #1
	mov	w12, wzr
1:	ldr	za[w12, #0], [\in]
	add	w12, w12, #1
	cmp	w12, w10
	b.ne	1b
	.endm

	.macro	za_store out
	rdsvl	x10, #1
	mov	w12, wzr
1:	str	za[w12, #0], [\out]
	add	\out, \out, x10
	add	w12, w12, #1
	cmp	w12, w10
	b.ne	1b
	.endm

function fp_za_ioctl
	save_fp
	mov	x9, x3
	smstart	za
	za_load	x2
	mov	x2, xzr
	mov	x8, #__NR_ioctl
	svc	#0
	za_store x9
	smstop	za
	restore_fp
	ret

function fp_za_hold
	save_fp
	smstart
	za_load	x0
	spin	x2
	za_store x1
	smstop
	restore_fp
	ret

function fp_sve_hold
	save_fp
	.irp	n, REGS_0_31
	ldr	z\n, [x0, #\n, mul vl]
	.endr
	addvl	x3, x0, #31
	addvl	x3, x3, #1
	.irp	n, REGS_0_15
	ldr	p\n, [x3, #\n, mul vl]
	.endr
	spin	x2
	.irp	n, REGS_0_31
	str	z\n, [x1, #\n, mul vl]
	.endr
	addvl	x3, x1, #31
	addvl	x3, x3, #1
	.irp	n, REGS_0_15
	str	p\n, [x3, #\n, mul vl]
	.endr
	restore_fp
	ret

function fp_sve_length
	rdvl	x0, #1
	ret

function fp_sme_length
	rdsvl	x0, #1
	ret
