/* SPDX-License-Identifier: GPL-2.0 */
/* Stores all registers as the test has set them, exits, loads others, exits again. */
#include "../lib/regs.h"
#include "../lib/report.h"
#include "abi_one_reg.h"


	.section .text.entry, "ax"
	.globl	_start
_start:
	/* TPIDR_EL1 lends a register that addresses the memory. */
	msr	tpidr_el1, x30
	movz	x30, #(SHARED_IPA >> 16), lsl #16
	.irp	n, REGS_0_29
	str	x\n, [x30, #(8 * \n)]
	.endr
	mrs	x0, tpidr_el1
	str	x0, [x30, #(8 * 30)]
	mov	x0, sp
	str	x0, [x30, #OFFSET_SP_EL1]
	mrs	x0, sp_el0
	str	x0, [x30, #OFFSET_SP_EL0]
	mrs	x0, elr_el1
	str	x0, [x30, #OFFSET_ELR]
	mrs	x0, spsr_el1
	str	x0, [x30, #OFFSET_SPSR]
	mrs	x0, fpsr
	str	x0, [x30, #OFFSET_FPSR]
	mrs	x0, fpcr
	str	x0, [x30, #OFFSET_FPCR]
	.irp	n, REGS_0_31
	str	q\n, [x30, #(OFFSET_Q + 16 * \n)]
	.endr

	/* Now all of them from the second block, x30 and the stack pointers too. */
	add	x30, x30, #OFFSET_SECOND
	.irp	n, REGS_0_31
	ldr	q\n, [x30, #(OFFSET_Q + 16 * \n)]
	.endr
	ldr	x0, [x30, #OFFSET_SP_EL1]
	mov	sp, x0
	ldr	x0, [x30, #OFFSET_SP_EL0]
	msr	sp_el0, x0
	ldr	x0, [x30, #OFFSET_ELR]
	msr	elr_el1, x0
	ldr	x0, [x30, #OFFSET_SPSR]
	msr	spsr_el1, x0
	ldr	x0, [x30, #OFFSET_FPSR]
	msr	fpsr, x0
	ldr	x0, [x30, #OFFSET_FPCR]
	msr	fpcr, x0
	.irp	n, REGS_0_29
	ldr	x\n, [x30, #(8 * \n)]
	.endr
	ldr	x30, [x30, #(8 * 30)]
	/* The test has put REPORT_IPA into x28 and the report into x29. */
	str	x29, [x28]
	b	.
