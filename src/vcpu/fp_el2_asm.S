/* SPDX-License-Identifier: GPL-2.0 */
/* FP/SIMD registers to and from struct user_fpsimd_state: V0-V31 at 0, FPSR at 512, FPCR at 516. */
#include <linux/linkage.h>
#include <asm/assembler.h>

	.text

.macro fp_regs op
	\op	q0, q1, [x0, #32 * 0]
	\op	q2, q3, [x0, #32 * 1]
	\op	q4, q5, [x0, #32 * 2]
	\op	q6, q7, [x0, #32 * 3]
	\op	q8, q9, [x0, #32 * 4]
	\op	q10, q11, [x0, #32 * 5]
	\op	q12, q13, [x0, #32 * 6]
	\op	q14, q15, [x0, #32 * 7]
	\op	q16, q17, [x0, #32 * 8]
	\op	q18, q19, [x0, #32 * 9]
	\op	q20, q21, [x0, #32 * 10]
	\op	q22, q23, [x0, #32 * 11]
	\op	q24, q25, [x0, #32 * 12]
	\op	q26, q27, [x0, #32 * 13]
	\op	q28, q29, [x0, #32 * 14]
	\op	q30, q31, [x0, #32 * 15]
.endm

/* void fp_el2_save(struct user_fpsimd_state *to) */
SYM_FUNC_START(fp_el2_save)
	fp_regs	stp
	mrs	x1, fpsr
	mrs	x2, fpcr
	add	x0, x0, #512
	stp	w1, w2, [x0]
	ret
SYM_FUNC_END(fp_el2_save)

/* void fp_el2_load(const struct user_fpsimd_state *from) */
SYM_FUNC_START(fp_el2_load)
	fp_regs	ldp
	add	x0, x0, #512
	ldp	w1, w2, [x0]
	msr	fpsr, x1
	msr	fpcr, x2
	ret
SYM_FUNC_END(fp_el2_load)
