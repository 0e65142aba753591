// SPDX-License-Identifier: GPL-2.0
/* SMC Calling Convention: version, features, TRNG, unknown calls, which registers change. */
#include "guest.h"

#define TRNG_VERSION	0x84000050
#define TRNG_FEATURES	0x84000051
#define TRNG_GET_UUID	0x84000052
#define TRNG_RND32	0x84000053
#define TRNG_RND64	0xc4000053
#define NOT_SUPPORTED	-1
#define INVALID		-2

/* Fast calls of every owner, 32 and 64 bits, that nobody has; and a yielding one. */
static const u32 unknown[] = {
	0x8000ffff, 0x80000000 | 0x1234, 0xc000ffff, 0x8100ffff, 0x8200ffff, 0x8300ffff,
	0x8400ffff, 0xc400ffff, 0x8500ffff, 0x8600fe00, 0xb2000000, 0xbf00ffff, 0x00000001,
};

static void unknown_calls(void)
{
	struct smccc c;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		c = (struct smccc){ { unknown[i], 1, 2, 3, 4, 5, 6, 7 } };
		smccc_hvc(&c);
		ASSERT_EQ((int)c.x[0], NOT_SUPPORTED);
		/* x4 to x17 are the caller's (SMCCC 1.1, 2.6). */
		ASSERT(c.x[4] == 4 && c.x[5] == 5 && c.x[6] == 6 && c.x[7] == 7);
	}
}

/* By SMC the same answer: KVM traps it, no firmware is reached. */
static void unknown_smc(void)
{
	register u64 x0 asm("x0") = 0x8400ffff;

	asm volatile("smc #0" : "+r" (x0) : : "x1", "x2", "x3", "memory");
	ASSERT_EQ((int)x0, NOT_SUPPORTED);
	x0 = SMCCC_VERSION;
	asm volatile("hvc #7" : "+r" (x0) : : "x1", "x2", "x3", "memory");
}

static void arch_calls(void)
{
	u32 version = hvc(SMCCC_VERSION, 0, 0, 0);

	ASSERT(version >= 0x10001 && version < 0x20000);
	ASSERT_EQ((int)hvc(SMCCC_ARCH_FEATURES, SMCCC_ARCH_FEATURES, 0, 0) <= 0, 1);
	ASSERT_EQ((int)hvc(SMCCC_ARCH_FEATURES, 0x8000ffff, 0, 0), NOT_SUPPORTED);
	/* A function id is 32 bits, whatever is above. */
	ASSERT_EQ(hvc(PSCI_VERSION, 0, 0, 0), hvc(PSCI_VERSION, ~0ULL, ~0ULL, ~0ULL));
}

static void random_bits(u32 fn, u32 bits, u32 per_register)
{
	struct smccc c = { { fn, bits } }, d = c;
	u64 mask = per_register == 64 ? ~0ULL : BIT(per_register) - 1, got[3], again[3];
	int i;

	smccc_hvc(&c);
	smccc_hvc(&d);
	ASSERT_EQ(c.x[0], 0);
	ASSERT_EQ(d.x[0], 0);
	/* The least significant bits come in x3. */
	for (i = 0; i < 3; i++) {
		got[i] = c.x[3 - i];
		again[i] = d.x[3 - i];
		ASSERT_EQ(got[i] & ~mask, 0);
		if ((u32)(i + 1) * per_register <= bits)
			ASSERT(got[i] != again[i]);
		if (i * per_register >= bits)
			ASSERT_EQ(got[i], 0);
	}
	if (bits % per_register && bits < per_register)
		ASSERT_EQ(got[0] & mask & ~(BIT(bits) - 1), 0);
}

static void trng(void)
{
	struct smccc c = { { TRNG_GET_UUID } };

	ASSERT((int)hvc(TRNG_VERSION, 0, 0, 0) >= 0x10000);
	ASSERT_EQ((int)hvc(TRNG_FEATURES, TRNG_RND64, 0, 0), 0);
	ASSERT_EQ((int)hvc(TRNG_FEATURES, TRNG_RND32, 0, 0), 0);
	ASSERT_EQ((int)hvc(TRNG_FEATURES, 0x8400005f, 0, 0), NOT_SUPPORTED);
	smccc_hvc(&c);
	ASSERT((int)c.x[0] != NOT_SUPPORTED);
	random_bits(TRNG_RND64, 192, 64);
	random_bits(TRNG_RND64, 128, 64);
	random_bits(TRNG_RND64, 60, 64);
	random_bits(TRNG_RND32, 96, 32);
	random_bits(TRNG_RND32, 30, 32);
	ASSERT_EQ((int)hvc(TRNG_RND64, 193, 0, 0), INVALID);
	ASSERT_EQ((int)hvc(TRNG_RND32, 97, 0, 0), INVALID);
	ASSERT_EQ((int)hvc(TRNG_RND64, ~0ULL, 0, 0), INVALID);
}

/* All registers but x0-x3 over many calls of several kinds. */
static void registers_kept(void)
{
	static const u32 fns[] = { SMCCC_VERSION, PSCI_VERSION, TRNG_RND64, 0x8400ffff };
	u64 sum, want = 0;
	u32 i, k;

	for (k = 4; k < 31; k++)
		want += 0x1000 + k;
	for (i = 0; i < 400; i++) {
		asm volatile("stp x29, x30, [sp, #-16]!\n\t"
			     "mov x0, %1\n\tmov x1, #64\n\t"
			     ".irp n, 4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30\n\t"
			     "mov x\\n, #(0x1000 + \\n)\n\t"
			     ".endr\n\t"
			     "hvc #0\n\t"
			     "mov x0, xzr\n\t"
			     ".irp n, 4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30\n\t"
			     "add x0, x0, x\\n\n\t"
			     ".endr\n\t"
			     "ldp x29, x30, [sp], #16\n\t"
			     "mov %0, x0"
			     : "=r" (sum) : "r" ((u64)fns[i % ARRAY_SIZE(fns)])
			     : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10",
			     "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20",
			     "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "memory");
		ASSERT_EQ(sum, want);
	}
}

void guest_main(u64 part)
{
	static void (*const parts[])(void) = {
		arch_calls, unknown_calls, unknown_smc, trng, registers_kept,
	};

	parts[part]();
}
