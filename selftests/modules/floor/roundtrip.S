/* SPDX-License-Identifier: GPL-2.0 */
/* The smallest world switch there is: see main.c. */
#include <linux/linkage.h>
#include <asm/kvm_arm.h>
#include <asm/ptrace.h>
#include <asm/sysreg.h>

#include "roundtrip.h"

#define SCTLR_EL12	sys_reg(3, 5, 1, 0, 0)
/* M, C, I off, little-endian: the bits that are RES1 in Armv8.0. */
#define SCTLR_OFF	0x30d00800

/*
 * At EL1: x0 round trips, then HVC #1, which does not come back. Three instructions a round; with
 * three at EL2 that is six.
 */
SYM_CODE_START(floor_stub)
	hvc	#0
	subs	x0, x0, #1
	b.ne	floor_stub
	hvc	#1
SYM_CODE_END(floor_stub)

/* u64 floor_round_trips(u64 rounds, phys_addr_t stub): x3 to x8 keep the host's state. */
SYM_FUNC_START(floor_round_trips)
	mrs	x3, vbar_el2
	mrs	x4, hcr_el2
	mrs_s	x5, SCTLR_EL12
	mrs	x6, daif
	msr	daifset, #0xf
	adr_l	x7, floor_vectors
	msr	vbar_el2, x7
	mov_q	x7, SCTLR_OFF
	msr_s	SCTLR_EL12, x7
	bic	x7, x4, #HCR_TGE
	msr	hcr_el2, x7
	isb
	msr	elr_el2, x1
	mov	x7, #(PSR_MODE_EL1h | PSR_D_BIT | PSR_A_BIT | PSR_I_BIT | PSR_F_BIT)
	msr	spsr_el2, x7
	mrs	x8, cntvct_el0
	eret
SYM_INNER_LABEL(floor_back, SYM_L_LOCAL)
	mrs	x0, cntvct_el0
	sub	x0, x0, x8
	msr_s	SCTLR_EL12, x5
	tlbi	vmalle1
	dsb	nsh
	msr	hcr_el2, x4
	isb
	msr	vbar_el2, x3
	isb
	msr	daif, x6
	ret
SYM_FUNC_END(floor_round_trips)

/* All is masked and EL1 does nothing else, so one vector is enough; the others end the loop. */
.macro never
	.align	7
	b	floor_back
.endm

	.align	11
SYM_CODE_START_LOCAL(floor_vectors)
	.rept	8
	never
	.endr
	/* A synchronous exception from EL1: the immediate is 0, or 1 for the end. */
	.align	7
	mrs	x2, esr_el2
	tbnz	x2, #0, floor_back
	eret
	.rept	7
	never
	.endr
SYM_CODE_END(floor_vectors)
