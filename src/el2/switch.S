/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Into the guest and out of it, and the vectors in between.
 *
 * While a guest runs SP_EL2 points at the frame that el2_switch() built on the host's stack;
 * FRAME_CTX of it finds the vCPU's registers, TPIDR_EL2 the CPU's PRDA.
 */
#include <linux/linkage.h>
#include <asm/assembler.h>
#include <asm/esr.h>
#include <asm/sysreg.h>

#include <keel/count.h>
#include <keel/el2.h>

#define FRAME_SIZE	112
#define FRAME_X18	96
#define FRAME_CTX	104

	.text

/*
 * Nothing after an ERET runs, not even speculatively (switch.md 2.6; SB, or what stands for
 * it).
 */
.macro eret_stop
	eret
	dsb	nsh
	isb
.endm

/* Debug builds count (keel/count.h). Any register is free to use, all of them come back. */
.macro count_one counter
#ifdef KEEL_DEBUG
	stp	x0, x1, [sp, #-32]!
	str	x2, [sp, #16]
	adr_l	x0, el2_counted + \counter
.Lcount\@:
	ldxr	x1, [x0]
	add	x1, x1, #1
	stxr	w2, x1, [x0]
	cbnz	w2, .Lcount\@
	ldr	x2, [sp, #16]
	ldp	x0, x1, [sp], #32
#endif
.endm

.macro sysreg_set name, value
	count_one EL2_COUNTED_WRITES
	msr	\name, \value
.endm

.macro isb_counted
	count_one EL2_COUNTED_ISBS
	isb
.endm

/*
 * Guest's registers from or to ctx. The first tier's C may change x0-x7, x16, x17, x29 and x30: to
 * it x8-x15 are callee-saved (Kbuild), so that they are not moved at each exit, x18 is reserved and
 * x19-x28 are callee-saved anyway. ctx is in x0, whose own value and x1's are moved last.
 */
.macro tier_saved op
	\op	x2, x3, [x0, #CTX_X(2)]
	\op	x4, x5, [x0, #CTX_X(4)]
	\op	x6, x7, [x0, #CTX_X(6)]
	\op	x16, x17, [x0, #CTX_X(16)]
	\op	x29, x30, [x0, #CTX_X(29)]
.endm

.macro tier_kept op, base
	\op	x8, x9, [\base, #CTX_X(8)]
	\op	x10, x11, [\base, #CTX_X(10)]
	\op	x12, x13, [\base, #CTX_X(12)]
	\op	x14, x15, [\base, #CTX_X(14)]
	callee_saved \op, \base, CTX_X(19)
.endm

.macro callee_saved op, base, offset
	\op	x19, x20, [\base, #\offset]
	\op	x21, x22, [\base, #\offset + 16]
	\op	x23, x24, [\base, #\offset + 32]
	\op	x25, x26, [\base, #\offset + 48]
	\op	x27, x28, [\base, #\offset + 64]
.endm

/* What the first tier has moved, from ctx in x0; ELR_EL2 and SPSR_EL2 say where to. */
.macro return_to_guest
	tier_saved ldp
	ldp	x0, x1, [x0, #CTX_X(0)]
	eret_stop
.endm

/*
 * void el2_switch(struct el2_ctx *ctx, struct prda *p)
 *
 * Enters the guest; returns when an exit was not answered in the first tier.
 */
SYM_CODE_START(el2_switch)
	stp	x29, x30, [sp, #-FRAME_SIZE]!
	mov	x29, sp
	callee_saved stp, sp, 16
	stp	x18, x0, [sp, #FRAME_X18]

	mrs	x2, sp_el0
	str	x2, [x1, #PRDA_HOST_SP_EL0]
	mrs	x2, tpidr_el2
	str	x2, [x1, #PRDA_HOST_TPIDR]
	sysreg_set tpidr_el2, x1

	ldr	x2, [x0, #CTX_SP_EL0]
	sysreg_set sp_el0, x2
	ldp	x2, x3, [x0, #CTX_PC]
	sysreg_set elr_el2, x2
	sysreg_set spsr_el2, x3
	tier_kept ldp, x0
	ldr	x18, [x0, #CTX_X(18)]
	return_to_guest
SYM_CODE_END(el2_switch)

/*
 * An exit, the first tier: x0, x1 are on the stack. The row's handler at EL2 is called with ctx,
 * which is where the vCPU begins, the row and the syndrome. ELR_EL2 and SPSR_EL2 stay in the CPU.
 */
.macro first_tier
	count_one EL2_COUNTED_ENTRIES
	ldr	x0, [sp, #16 + FRAME_CTX]
	tier_saved stp
	ldp	x2, x3, [sp], #16
	stp	x2, x3, [x0, #CTX_X(0)]
#ifdef KEEL_DEBUG
	/* A stray use of `current` must fault, not follow the guest's pointer. */
	mrs	x2, sp_el0
	str	x2, [x0, #CTX_SP_EL0]
	mov	x2, #0xdead000000000000
	msr	sp_el0, x2
#endif
.endm

/* A synchronous exit: its row is the exception class. */
SYM_CODE_START_LOCAL(el2_exit_sync)
	first_tier
	mrs	x2, esr_el2
	ubfx	x1, x2, #26, #6
	stp	x1, x2, [x0, #CTX_EXIT]
	b	el2_dispatch
SYM_CODE_END(el2_exit_sync)

/* An interrupt or SError: the row is in w1, which first_tier leaves alone. */
SYM_CODE_START_LOCAL(el2_exit_async)
	first_tier
	mrs	x2, esr_el2
	stp	x1, x2, [x0, #CTX_EXIT]
	b	el2_dispatch
SYM_CODE_END(el2_exit_async)

SYM_CODE_START_LOCAL(el2_dispatch)
	ldr	x3, [x0, #CTX_HANDLERS]
	ldr	x3, [x3, x1, lsl #3]
	cbz	x3, el2_leave
	blr	x3
	mov	w1, w0
	ldr	x0, [sp, #FRAME_CTX]
	tbz	w1, #0, el2_leave
	ldr	x1, [x0, #CTX_EXIT]
	add	x1, x0, x1, lsl #3
	ldr	x2, [x1, #CTX_ANSWERED]
	add	x2, x2, #1
	str	x2, [x1, #CTX_ANSWERED]
#ifdef KEEL_DEBUG
	ldr	x2, [x0, #CTX_SP_EL0]
	msr	sp_el0, x2
#endif
	return_to_guest
SYM_CODE_END(el2_dispatch)

/*
 * In the place of each handler while the tracepoint is on (ctx.handlers): the handler, in x1 its
 * row, with all registers as they came, and a note of what it answered. An answer moves the PC and
 * may be in the guest's x0, so the note gets both as they were before.
 */
SYM_CODE_START(el2_traced)
	adr_l	x3, el2_handlers
	ldr	x3, [x3, x1, lsl #3]
	cbz	x3, 1f
	mrs	x4, elr_el2
	ldr	x5, [x0, #CTX_X(0)]
	stp	x0, x30, [sp, #-32]!
	stp	x4, x5, [sp, #16]
	blr	x3
	ldp	x1, x2, [sp, #16]
	ldp	x3, x30, [sp], #32
	tbz	w0, #0, 1f
	mov	x0, x3
	b	el2_trace_exit
1:	mov	w0, wzr
	ret
SYM_CODE_END(el2_traced)

/*
 * A handler that reads or writes one general register of the guest, whose number is in bits
 * \lsb + 4 to \lsb of the syndrome, w2. One that stayed in the CPU takes all of them to ctx and
 * back.
 */
.macro one_reg_handler handler, lsb
	ubfx	w1, w2, #\lsb, #5
	sub	w1, w1, #8
	cmp	w1, #28 - 8
	b.hi	\handler
	stp	x0, x30, [sp, #-16]!
	tier_kept stp, x0
	str	x18, [x0, #CTX_X(18)]
	bl	\handler
	ldp	x1, x30, [sp], #16
	tier_kept ldp, x1
	ldr	x18, [x1, #CTX_X(18)]
	ret
.endm

/* Value of the guest's register \n to x1; value in x3 to that register. 31 is XZR. */
.macro rt_get n
.if \n == 31
	mov	x1, xzr
.elseif \n < 8 || \n == 16 || \n == 17 || \n > 28
	ldr	x1, [x0, #CTX_X(\n)]
.else
	mov	x1, x\n
.endif
.endm

.macro rt_set n
.if \n == 31
	nop
.elseif \n < 8 || \n == 16 || \n == 17 || \n > 28
	str	x3, [x0, #CTX_X(\n)]
.else
	mov	x\n, x3
.endif
.endm

/* \op for the register whose number is in x1, alone: four instructions each, then on at \next. */
.macro for_rt op, next
	adr	x16, .Lrt\@
	add	x16, x16, x1, lsl #4
	br	x16
.Lrt\@:
.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, \
	22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	hint	#36			/* BTI J */
	\op	\n
	b	\next
	nop
.endr
.endm

#define ISS_REST_SHIFT	ESR_ELx_SYS64_ISS_CRN_SHIFT	/* Op0, Op2, Op1, CRn: bits 21 to 10 */
#define ISS_MDSCR	ESR_ELx_SYS64_ISS_SYS_VAL(2, 0, 2, 0, 2)

/*
 * Trapped system registers: vcpu_sysreg_el2(). MDSCR_EL1 is told from the others first, and only
 * the register that it is moved by is touched: a kernel whose tasks are debugged reads and writes
 * it each time it is entered and left.
 */
SYM_CODE_START(el2_sysreg)
	ubfx	w3, w2, #ISS_REST_SHIFT, #12
	cmp	w3, #ISS_MDSCR >> ISS_REST_SHIFT
	b.eq	2f
1:	one_reg_handler vcpu_sysreg_el2, ESR_ELx_SYS64_ISS_RT_SHIFT

2:	ubfx	w3, w2, #ESR_ELx_SYS64_ISS_CRM_SHIFT, #4
	cmp	w3, #2
	b.ne	1b
	ubfx	w1, w2, #ESR_ELx_SYS64_ISS_RT_SHIFT, #5
	tbz	w2, #0, 3f			/* ISS.Direction */
	ldr	x3, [x0, #VCPU_MDSCR]
	for_rt	rt_set, vcpu_debug_mdscr_was_read_el2
3:	for_rt	rt_get, vcpu_debug_mdscr_write_el2
SYM_CODE_END(el2_sysreg)

/* Data aborts at the vGIC's frames */
SYM_CODE_START_LOCAL(el2_device)
	ldr	w2, [x0, #CTX_ESR]
	one_reg_handler run_device_el2, ESR_ELx_SRT_SHIFT
SYM_CODE_END(el2_device)

/* A data abort: run_dabt_el2() tells a device's, for which el2_device goes on, from the others. */
SYM_CODE_START(el2_dabt)
	stp	x0, x30, [sp, #-16]!
	bl	run_dabt_el2
	ldp	x1, x30, [sp], #16
	cmp	w0, #EL2_DABT_DEVICE
	b.ne	1f
	mov	x0, x1
	b	el2_device
1:	ret
SYM_CODE_END(el2_dabt)

/* Back to the caller of el2_switch(), ctx in x0. */
SYM_CODE_START_LOCAL(el2_leave)
	tier_kept stp, x0
	str	x18, [x0, #CTX_X(18)]
	mrs	x1, elr_el2
	mrs	x2, spsr_el2
	stp	x1, x2, [x0, #CTX_PC]
#ifndef KEEL_DEBUG
	mrs	x2, sp_el0
	str	x2, [x0, #CTX_SP_EL0]
#endif
	mrs	x1, tpidr_el2
	ldr	x2, [x1, #PRDA_HOST_SP_EL0]
	sysreg_set sp_el0, x2
	ldr	x2, [x1, #PRDA_HOST_TPIDR]
	sysreg_set tpidr_el2, x2

	ldr	x18, [sp, #FRAME_X18]
	callee_saved ldp, sp, 16
	ldp	x29, x30, [sp], #FRAME_SIZE
	ret
SYM_CODE_END(el2_leave)

/*
 * A fault of keel's own at EL2. If it is an AT, whose walk met an external abort, go on at its
 * fixup. Otherwise give the CPU its host state back and return to the faulting
 * instruction: it faults again, now into the kernel's vectors, which report it first-hand.
 */
SYM_CODE_START_LOCAL(el2_own_fault)
	mrs	x0, elr_el2
	adr	x1, el2_at_first
	cmp	x0, x1
	b.lo	1f
	adr	x1, el2_at_fixup
	cmp	x0, x1
	b.hs	1f
	msr	elr_el2, x1
	b	2f
1:	mrs	x0, tpidr_el2
	ldr	x1, [x0, #PRDA_HOST_SP_EL0]
	msr	sp_el0, x1
	ldr	x1, [x0, #PRDA_HOST_HCR]
	msr	hcr_el2, x1
	isb
	ldr	x1, [x0, #PRDA_HOST_VBAR]
	msr	vbar_el2, x1
	ldr	x1, [x0, #PRDA_HOST_MDCR]
	msr	mdcr_el2, x1
	ldr	x1, [x0, #PRDA_HOST_CPTR]
	msr	cptr_el2, x1
	ldr	x1, [x0, #PRDA_HOST_TPIDR]
	msr	tpidr_el2, x1
	isb
2:	ldp	x0, x1, [sp], #16
	eret_stop
SYM_CODE_END(el2_own_fault)

/* The one-instruction window of el2_serror_window(): note the syndrome, return masked. */
SYM_CODE_START_LOCAL(el2_own_serror)
	mrs	x0, esr_el2
	orr	x0, x0, #(1 << 63)
	mrs	x1, tpidr_el2
	str	x0, [x1, #PRDA_SERROR]
	mrs	x0, spsr_el2
	orr	x0, x0, #PSR_A_BIT
	msr	spsr_el2, x0
	ldp	x0, x1, [sp], #16
	eret_stop
SYM_CODE_END(el2_own_serror)

/*
 * void el2_serror_window(void)
 *
 * CPUs without FEAT_RAS: take a pending SError of the guest here, under keel's vectors, so that it
 * is never reported as the host's (switch.md 1.6).
 */
SYM_CODE_START(el2_serror_window)
	mrs	x0, tpidr_el2
	msr	daifclr, #4
	isb
	msr	daifset, #4
	ret
SYM_CODE_END(el2_serror_window)

/* u64 el2_guest_sp_el0(const struct el2_ctx *ctx): debug builds have poison in the CPU */
SYM_CODE_START(el2_guest_sp_el0)
#ifdef KEEL_DEBUG
	ldr	x0, [x0, #CTX_SP_EL0]
#else
	mrs	x0, sp_el0
#endif
	ret
SYM_CODE_END(el2_guest_sp_el0)

/*
 * u64 el2_at_<stages>e<el><access>(u64 va)
 *
 * Arm ARM D8.15: an external abort on the walk of an AT instruction is taken as a synchronous
 * exception to the level that executed it, here EL2; then PAR_EL1 is not written: return 1. All of
 * them stand between el2_at_first and el2_at_fixup.
 */
.macro at_function op
SYM_CODE_START(el2_at_\op)
	at	\op, x0
	isb
	mov	x0, #0
	ret
SYM_CODE_END(el2_at_\op)
.endm

/* AT S1E1RP and S1E1WP, which an assembler for Armv8.0 does not know by name (Arm ARM C5.5) */
.macro at_pan_function name, op2
SYM_CODE_START(el2_at_\name)
	sys	#0, c7, c9, #\op2, x0
	isb
	mov	x0, #0
	ret
SYM_CODE_END(el2_at_\name)
.endm

SYM_INNER_LABEL(el2_at_first, SYM_L_LOCAL)
	at_function s1e1r
	at_function s1e1w
	at_function s1e0r
	at_function s1e0w
	at_pan_function s1e1rp, 0
	at_pan_function s1e1wp, 1
	at_function s12e1r
	at_function s12e0r
SYM_CODE_START_LOCAL(el2_at_fixup)
	mov	x0, #1
	ret
SYM_CODE_END(el2_at_fixup)

/*
 * Branch-history mitigations, before the first indirect branch after the guest (Arm's Spectre-BHB
 * white paper): nothing, a loop of taken branches, CLRBHB, or the firmware's call.
 */
.macro bhb_none
.endm

.macro bhb_loop
	mrs	x0, tpidr_el2
	ldr	x0, [x0, #PRDA_BHB_LOOPS]
1:	b	2f
2:	subs	x0, x0, #1
	b.ne	1b
	dsb	nsh
	isb_counted
.endm

.macro bhb_clrbhb
	hint	#22
	isb_counted
.endm

.macro bhb_fw
	stp	x2, x3, [sp, #-16]!
	mov	w0, #0x3fff		/* SMCCC_ARCH_WORKAROUND_3 */
	movk	w0, #0x8000, lsl #16
	smc	#0
	ldp	x2, x3, [sp], #16
.endm

/* From the guest, which runs at EL1 or EL0 with an AArch64 EL1: group 0x400. */
.macro vector_sync bhb
	.align	7
	stp	x0, x1, [sp, #-16]!
	\bhb
	b	el2_exit_sync
.endm

.macro vector_async exit, bhb
	.align	7
	stp	x0, x1, [sp, #-16]!
	\bhb
	mov	w1, #\exit
	b	el2_exit_async
.endm

/* From keel itself, EL2h: group 0x200. */
.macro vector_own target
	.align	7
	stp	x0, x1, [sp, #-16]!
	b	\target
.endm

/*
 * Must not fire: keel never runs with SP_EL0 at EL2 (group 0), and an AArch32 guest kernel does not
 * exist (group 0x600; an AArch32 application comes through 0x400, as its EL1 is AArch64). Loops
 * through the kernel's vectors if the impossible happens.
 */
.macro vector_never
	.align	7
	stp	x0, x1, [sp, #-16]!
	b	el2_own_fault
.endm

/* Arm ARM D1.3.1.5: 2 KB aligned, 0x80 bytes a vector. */
.macro vectors name, bhb
	.align	11
SYM_CODE_START(\name)
	vector_never
	vector_never
	vector_never
	vector_never

	vector_own el2_own_fault
	vector_own el2_own_fault	/* IRQ: masked; the host takes it after state is back */
	vector_own el2_own_fault	/* FIQ: the same */
	vector_own el2_own_serror

	vector_sync \bhb
	vector_async EL2_EXIT_IRQ, \bhb
	vector_async EL2_EXIT_FIQ, \bhb
	vector_async EL2_EXIT_SERROR, \bhb

	vector_never
	vector_never
	vector_never
	vector_never
SYM_CODE_END(\name)
.endm

	vectors el2_vectors, bhb_none
	vectors el2_vectors_loop, bhb_loop
	vectors el2_vectors_clrbhb, bhb_clrbhb
	vectors el2_vectors_fw, bhb_fw
