// SPDX-License-Identifier: GPL-2.0
/*
 * CPU 0 spins with all interrupts masked, in PSTATE and by priority, or with those masked that are
 * not above the rest. CPU 1 waits in a WFI, CPU 2 is never switched on.
 */
#include "guest.h"
#include "pnmi_sample.h"

static struct shared *const shared = (struct shared *)SHARED_IPA;

static void spin(void)
{
	u64 sp;

	asm volatile("msr daifset, #15\n\tmsr s3_0_c4_c6_0, xzr");
	asm volatile("mov %0, sp\n\tstr %0, [%1, %2]\n\t"
		     "adr %0, 1f\n\tstr %0, [%1, %3]\n\tadr %0, 2f\n\tstr %0, [%1, %4]\n\t"
		     "stp x29, x30, [sp, #-16]!\n\tmov x29, %5\n\tsub %0, sp, #0\n\t"
		     "str %0, [%1, %2]\n"
		     "1:\tldr %0, [%1, %6]\n\tadd %0, %0, #1\n\tstr %0, [%1, %6]\n\t"
		     "ldr %0, [%1, %7]\n\tcbz %0, 1b\n"
		     "2:\tldp x29, x30, [sp], #16"
		     : "=&r" (sp)
		     : "r" (shared), "i" (offsetof(struct shared, sp)),
		       "i" (offsetof(struct shared, loop)),
		       "i" (offsetof(struct shared, loop_end)), "r" (SPIN_FP),
		       "i" (offsetof(struct shared, rounds)),
		       "i" (offsetof(struct shared, stop))
		     : "memory");
}

static void handler(u32 intid)
{
	WRITE_ONCE(shared->running, icc_read(ICC_RPR_EL1));
	WRITE_ONCE(shared->taken, TAKEN | intid);
}

/* Interrupts are on; those of priority 0x80 and lower are not let through. */
static void inject(void)
{
	gic_handler(handler);
	gic_set_bit(GICD_ISENABLER, SGI_ABOVE);
	gic_set_bit(GICD_ISENABLER, SGI_BELOW);
	icc_write(ICC_PMR_EL1, 0x80);
	isb();
	irq_on();
	gic_sgi(0, SGI_BELOW);
	WRITE_ONCE(shared->loop, 1);
	while (!READ_ONCE(shared->taken) && !READ_ONCE(shared->stop))
		cpu_relax();
	/* Done with: its own priority counts again, and is masked. */
	gic_sgi(0, SGI_ABOVE);
	ASSERT_EQ(READ_ONCE(shared->taken), TAKEN | SGI_ABOVE);
	irq_off();
	ASSERT_EQ(icc_read(ICC_IAR1_EL1), INTID_SPURIOUS);
}

static void other(u64 arg __always_unused)
{
	gic_init();
	for (;;)
		wfi();
}

void guest_main(u64 part)
{
	gic_init();
	ASSERT_EQ(smp_start(1, other, 0), 0);
	if (part == PART_SPIN)
		spin();
	else
		inject();
}
