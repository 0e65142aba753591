// SPDX-License-Identifier: GPL-2.0
/*
 * Every kind of exit with SP_EL0, TPIDR and x18 chosen by the guest: values that a hypervisor which
 * took them for its own would fall over.
 */
#include "guest.h"

static u32 interrupts, undefined;

static void count_irq(u32 intid)
{
	ASSERT_EQ(intid, 5);
	WRITE_ONCE(interrupts, interrupts + 1);
}

static void count_undefined(struct frame *frame)
{
	ASSERT_EQ(ESR_EC(frame->esr), EC_UNKNOWN);
	WRITE_ONCE(undefined, undefined + 1);
	frame->pc += 4;
}

/* The exits of one round, all with x18 = the value as well. */
static void exits(u64 value)
{
	asm volatile("mov x20, x18\n\tmov x19, %0\n\tmov x18, %0\n\tmsr sp_el0, %0\n\t"
		     /* hypercalls: version, an unknown one */
		     "mov w0, #0x80000000\n\thvc #0\n\t"
		     "mov w0, #0xffff\n\tmovk w0, #0x8400, lsl #16\n\thvc #0\n\t"
		     /* FP, which may be trapped after each exit to the kernel */
		     "fmov d0, x19\n\tfadd d0, d0, d0\n\t"
		     /* an ID register, an undefined one, a device of the kernel, one of the VMM */
		     "mrs x1, id_aa64pfr0_el1\n\t"
		     "mrs x1, s3_0_c1_c2_0\n\t"
		     "ldr w1, [%1]\n\t"
		     "fmov d0, x19\n\tfadd d0, d0, d0\n\t"
		     "str %2, [%3]\n\t"
		     /* an SGI to itself, a look at the timer, a yield */
		     "mov x1, #1\n\tmovk x1, #0x500, lsl #16\n\tmsr s3_0_c12_c11_5, x1\n\tisb\n\t"
		     "mrs x1, cntvct_el0\n\tmrs x1, cntpct_el0\n\tmrs x1, cntp_ctl_el0\n\t"
		     "yield\n\tsev\n\twfe\n\t"
		     "fmov d0, x19\n\tfadd d0, d0, d0\n\t"
		     "mrs x1, sp_el0\n\tcmp x1, x19\n\tb.ne 1f\n\tcmp x18, x19\n\tb.eq 2f\n"
		     "1:\tudf #1\n\tudf #2\n"
		     "2:\tmov x18, x20"
		     : : "r" (value), "r" ((u64)GICD_IPA + GICD_TYPER),
		       "r" ((u64)REPORT_SYNC << REPORT_SHIFT), "r" ((u64)REPORT_IPA)
		     : "x0", "x1", "x2", "x3", "x18", "x19", "x20", "cc", "memory");
}

void guest_main(u64 linear_map)
{
	const u64 values[] = {
		0, ~0ULL, linear_map, linear_map + 0x1000, 0xffff800080000000, 0xffff000000000000,
		REPORT_IPA, 1, 0x5a5a5a5a5a5a5a5a,
	};
	u32 i, round;

	/* EL1 permits SVE, so that it is the hypervisor that refuses ZCR_EL1. */
	sysreg_write(cpacr_el1, 3 << 20 | 3 << 16);
	gic_init();
	gic_handler(count_irq);
	vector_set(VECTOR_SYNC, count_undefined);
	gic_set_bit(GICD_ISENABLER, 5);
	irq_on();
	for (round = 1; round <= 20; round++)
		for (i = 0; i < ARRAY_SIZE(values); i++) {
			exits(values[i]);
			ASSERT_EQ(READ_ONCE(undefined), (round - 1) * ARRAY_SIZE(values) + i + 1);
		}
	ASSERT_EQ(READ_ONCE(interrupts), 20 * ARRAY_SIZE(values));
}
