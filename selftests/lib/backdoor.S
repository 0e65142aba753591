/* SPDX-License-Identifier: GPL-2.0 */
/* Calls of VMware's backdoor by a program of a Linux guest: lib/backdoor.h. */
	.macro	function name
	.globl	\name
	.type	\name, %function
	.balign	4
\name:
	.endm

	.text

/* void backdoor_try(u64 *x, void (*insn)(void)): a debugger stops at backdoor_go */
function backdoor_try
	stp	x29, x30, [sp, #-32]!
	str	x19, [sp, #16]
	mov	x19, x0
	mov	x9, x1
	ldp	x0, x1, [x19]
	ldp	x2, x3, [x19, #16]
	ldp	x4, x5, [x19, #32]
	ldp	x6, x7, [x19, #48]
function backdoor_go
	blr	x9
	stp	x0, x1, [x19]
	stp	x2, x3, [x19, #16]
	stp	x4, x5, [x19, #32]
	stp	x6, x7, [x19, #48]
	ldr	x19, [sp, #16]
	ldp	x29, x30, [sp], #32
	ret

	.macro	instruction name, insn:vararg
	function \name
	\insn
	ret
	.endm

	instruction insn_dcc, mrs xzr, mdccsr_el0
	instruction insn_dcc_x9, mrs x9, mdccsr_el0
	instruction insn_brk_85, brk #0x85
	instruction insn_brk, brk #0x86
	instruction insn_brk_87, brk #0x87

	.section .note.GNU-stack, "", %progbits
