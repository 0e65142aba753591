// SPDX-License-Identifier: GPL-2.0
/* FP registers of a guest over hypercalls, device accesses, exits to userspace and preemption. */
#include "guest.h"
#include "vcpu_fp.h"

static u64 want[64], got[64];

#define ALL_Q(op, base)							\
	asm volatile(op " q0, q1, [%0]\n\t" op " q2, q3, [%0, #32]\n\t"	\
		     op " q4, q5, [%0, #64]\n\t" op " q6, q7, [%0, #96]\n\t" \
		     op " q8, q9, [%0, #128]\n\t" op " q10, q11, [%0, #160]\n\t" \
		     op " q12, q13, [%0, #192]\n\t" op " q14, q15, [%0, #224]\n\t" \
		     op " q16, q17, [%0, #256]\n\t" op " q18, q19, [%0, #288]\n\t" \
		     op " q20, q21, [%0, #320]\n\t" op " q22, q23, [%0, #352]\n\t" \
		     op " q24, q25, [%0, #384]\n\t" op " q26, q27, [%0, #416]\n\t" \
		     op " q28, q29, [%0, #448]\n\t" op " q30, q31, [%0, #480]" \
		     : : "r" (base) : "memory")

static void load(u64 seed)
{
	u32 i;

	for (i = 0; i < 64; i++)
		want[i] = (seed + 1) * 0x9e3779b97f4a7c15 ^ i * 0x0101010101010101;
	ALL_Q("ldp", want);
	sysreg_write(fpsr, 0x8000000 | (seed & 0x1f));
	sysreg_write(fpcr, (seed & 3) << 22);
}

static void compare(u64 seed)
{
	u32 i;

	ALL_Q("stp", got);
	for (i = 0; i < 64; i++)
		ASSERT_EQ(got[i], want[i]);
	ASSERT_EQ(sysreg_read(fpsr), 0x8000000 | (seed & 0x1f));
	ASSERT_EQ(sysreg_read(fpcr), (seed & 3) << 22);
}

static void spend(u64 loops)
{
	while (loops--)
		asm volatile("" : : : "memory");
}

/* Each way out of the guest and back. */
static void leave(u32 i)
{
	switch (i % 4) {
	case 0:
		hvc(PSCI_VERSION, 0, 0, 0);
		break;
	case 1:
		mmio_read(GICD_IPA + GICD_TYPER, 4);
		break;
	case 2:
		sync(i);
		break;
	default:
		spend(20000);
	}
}

static void hold(u64 seed)
{
	u64 i;

	for (i = 0; i < FP_ROUNDS; i++) {
		load(seed + i);
		leave(i);
		leave(i / 4);
		compare(seed + i);
	}
}

static void without(void)
{
	u32 i;

	for (i = 0; i < FP_ROUNDS; i++)
		leave(i);
}

static void late(u64 seed)
{
	u32 i, k;

	load(seed);
	for (i = 0; i < FP_ROUNDS / 10; i++) {
		for (k = 0; k < 10; k++)
			leave(i + k);
		compare(seed);
	}
}

void guest_main(u64 arg)
{
	u64 seed = arg >> 32;

	switch ((u32)arg) {
	case PART_HOLD:
		hold(seed);
		break;
	case PART_NONE:
		without();
		break;
	case PART_LATE:
		late(seed);
	}
}
