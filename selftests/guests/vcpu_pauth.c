// SPDX-License-Identifier: GPL-2.0
/* Pointer authentication: keys stay over exits, and are this VM's only; or there is none of it. */
#include "guest.h"

#define KEYS		10
#define SCTLR_EN	(BIT(31) | BIT(30) | BIT(27) | BIT(13))
#define POINTER		0x12345678
#define CONTEXT		0x42

static u32 undefined;

static void count_undefined(struct frame *frame)
{
	ASSERT_EQ(ESR_EC(frame->esr), EC_UNKNOWN);
	WRITE_ONCE(undefined, undefined + 1);
	frame->pc += 4;
}

static void keys_write(u64 seed)
{
	sysreg_write(s3_0_c2_c1_0, seed);
	sysreg_write(s3_0_c2_c1_1, seed + 1);
	sysreg_write(s3_0_c2_c1_2, seed + 2);
	sysreg_write(s3_0_c2_c1_3, seed + 3);
	sysreg_write(s3_0_c2_c2_0, seed + 4);
	sysreg_write(s3_0_c2_c2_1, seed + 5);
	sysreg_write(s3_0_c2_c2_2, seed + 6);
	sysreg_write(s3_0_c2_c2_3, seed + 7);
	sysreg_write(s3_0_c2_c3_0, seed + 8);
	sysreg_write(s3_0_c2_c3_1, seed + 9);
	isb();
}

static u64 keys_sum(void)
{
	return sysreg_read(s3_0_c2_c1_0) + sysreg_read(s3_0_c2_c1_1) +
	       sysreg_read(s3_0_c2_c1_2) + sysreg_read(s3_0_c2_c1_3) +
	       sysreg_read(s3_0_c2_c2_0) + sysreg_read(s3_0_c2_c2_1) +
	       sysreg_read(s3_0_c2_c2_2) + sysreg_read(s3_0_c2_c2_3) +
	       sysreg_read(s3_0_c2_c3_0) + sysreg_read(s3_0_c2_c3_1);
}

#define SIGN(insn)							\
	({								\
		u64 __p = POINTER;					\
		asm volatile(".arch armv8.3-a\n\t" insn " %0, %1"	\
			     : "+r" (__p) : "r" ((u64)CONTEXT));	\
		__p;							\
	})

static u64 sign_generic(void)
{
	u64 code;

	asm volatile(".arch armv8.3-a\n\tpacga %0, %1, %2"
		     : "=r" (code) : "r" ((u64)POINTER), "r" ((u64)CONTEXT));
	return code;
}

static void leave(u32 i)
{
	switch (i % 3) {
	case 0:
		hvc(PSCI_VERSION, 0, 0, 0);
		break;
	case 1:
		sync(i);
		break;
	default:
		asm volatile("wfe");
	}
}

/* What signs the same has the same keys. DONE gives the codes to the test, which compares VMs. */
static void with_keys(u64 seed)
{
	u64 signs[5], p, i;

	keys_write(seed);
	sysreg_write(sctlr_el1, sysreg_read(sctlr_el1) | SCTLR_EN);
	isb();
	signs[0] = SIGN("pacia");
	signs[1] = SIGN("pacib");
	signs[2] = SIGN("pacda");
	signs[3] = SIGN("pacdb");
	signs[4] = sign_generic();
	for (i = 0; i < 30; i++) {
		leave(i);
		ASSERT_EQ(keys_sum(), KEYS * seed + 45);
		ASSERT_EQ(SIGN("pacia"), signs[0]);
		ASSERT_EQ(SIGN("pacib"), signs[1]);
		ASSERT_EQ(SIGN("pacda"), signs[2]);
		ASSERT_EQ(SIGN("pacdb"), signs[3]);
		ASSERT_EQ(sign_generic(), signs[4]);
		p = signs[0];
		asm volatile(".arch armv8.3-a\n\tautia %0, %1" : "+r" (p) : "r" ((u64)CONTEXT));
		ASSERT_EQ(p, POINTER);
	}
	done((signs[0] ^ signs[1] ^ signs[2] ^ signs[3] ^ signs[4]) >> 16);
}

/* Not shown in the ID registers: the keys do not exist, the hints do nothing. */
static void without(void)
{
	u64 isar1 = sysreg_read(s3_0_c0_c6_1), isar2 = sysreg_read(s3_0_c0_c6_2);

	ASSERT_EQ(isar1 >> 4 & 0xff, 0);
	ASSERT_EQ(isar1 >> 24 & 0xff, 0);
	ASSERT_EQ(isar2 >> 8 & 0xff, 0);
	vector_set(VECTOR_SYNC, count_undefined);
	keys_write(0);
	ASSERT_EQ(READ_ONCE(undefined), KEYS);
	keys_sum();
	ASSERT_EQ(READ_ONCE(undefined), 2 * KEYS);
}

void guest_main(u64 seed)
{
	if (seed)
		with_keys(seed);
	else
		without();
}
