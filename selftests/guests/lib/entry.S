/* SPDX-License-Identifier: GPL-2.0 */
/* Entry of every CPU, exception vectors, and the stacks. */
#include "entry.h"

	/* From here the address of a function is within reach of ADR: guests are small. */
	.section .text.entry, "ax"

/* CPU 0 and those that the VMM starts: x0 = the argument of guest_main(). */
	.globl	_start
_start:
	adrp	x1, guest_main
	add	x1, x1, :lo12:guest_main
	b	start

/* CPUs started by smp_start(): x0 is the context id that it gave. */
	.globl	secondary_entry
secondary_entry:
	adrp	x1, secondary_main
	add	x1, x1, :lo12:secondary_main

start:
	mrs	x2, mpidr_el1
	and	x3, x2, #0xf			/* KVM puts 16 vCPUs in Aff0 and goes on in Aff1 */
	ubfx	x2, x2, #8, #8
	add	x2, x3, x2, lsl #4
	adrp	x3, stacks + STACK_SIZE
	add	x3, x3, :lo12:(stacks + STACK_SIZE)
	mov	x4, #STACK_SIZE
	madd	x3, x2, x4, x3
	msr	spsel, #1
	mov	sp, x3
	stp	x0, x1, [sp, #-16]!
	adrp	x3, vectors
	add	x3, x3, :lo12:vectors
	msr	vbar_el1, x3
	isb
	mov	x0, x2
	bl	cpu_init
	ldp	x0, x1, [sp], #16
	mov	x29, xzr
	mov	x30, xzr
	blr	x1
	mov	x0, xzr
	b	done

	.macro	vector number
	.balign	128
	sub	sp, sp, #FRAME_SIZE
	stp	x0, x1, [sp]
	mov	x0, #\number
	b	vector_common
	.endm

	.text
	.balign	2048
vectors:
	.irp	number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vector	\number
	.endr

vector_common:
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	mrs	x2, elr_el1
	stp	x30, x2, [sp, #240]
	mrs	x2, spsr_el1
	mrs	x3, esr_el1
	stp	x2, x3, [sp, #256]
	mrs	x2, far_el1
	str	x2, [sp, #272]
	mov	x1, sp
	bl	exception
	ldp	x2, x3, [sp, #248]
	msr	elr_el1, x2
	msr	spsr_el1, x3
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x18, x19, [sp, #144]
	ldp	x20, x21, [sp, #160]
	ldp	x22, x23, [sp, #176]
	ldp	x24, x25, [sp, #192]
	ldp	x26, x27, [sp, #208]
	ldp	x28, x29, [sp, #224]
	ldr	x30, [sp, #240]
	ldp	x0, x1, [sp]
	add	sp, sp, #FRAME_SIZE
	eret

	.bss
	.balign	16
stacks:
	.space	STACK_SIZE * MAX_CPUS
