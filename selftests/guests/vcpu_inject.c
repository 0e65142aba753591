// SPDX-License-Identifier: GPL-2.0
/* Exceptions that the hypervisor makes for its guest, as the architecture describes them. */
#include "guest.h"
#include "vcpu_inject.h"

#define VECTOR_EL1T	0
#define VECTOR_EL0	8
#define EC_SVC		0x15
#define EC_SERROR	0x2f
#define ESR_IL		BIT(25)
#define ESR_FSC(esr)	((u32)((esr) & 0x3f))
#define FSC_EXTERNAL	0x10
#define FSC_WALK	0x14
#define DAIF_ALL	0x3c0
#define NZCV_MASK	0xf0000000ULL
#define NZCV_SET	0xa0000000ULL

/* Undefined for a guest that has neither SVE, SME, SPE, TRBE, PMU nor EL2. */
static const u32 undefined[] = {
	0x00000000,	/* udf */
	0xd5381200,	/* mrs x0, zcr_el1 */
	0x04bf5020,	/* rdvl x0, #1 */
	0xd503477f,	/* smstart */
	0xd53c1100,	/* mrs x0, hcr_el2 */
	0xd5389a00,	/* mrs x0, pmblimitr_el1 */
	0xd5389b00,	/* mrs x0, trblimitr_el1 */
	0xd53b9c00,	/* mrs x0, pmcr_el0 */
	0xd51b9c00,	/* msr pmcr_el0, x0 */
	0xd53d1000,	/* mrs x0, sctlr_el12 */
};

/* One instruction in a place of its own, and a return. */
static u32 stub[2];
/*
 * What handlers leave for the code that they interrupt. The compiler sees no call there, so these
 * are read and written by READ_ONCE, WRITE_ONCE, memcpy().
 */
static struct frame at;
static u32 taken, vector_taken;
static u64 resume;

static void take(struct frame *frame, u32 vector)
{
	memcpy(&at, frame, sizeof(at));
	WRITE_ONCE(vector_taken, vector);
	WRITE_ONCE(taken, taken + 1);
	ASSERT_EQ(sysreg_read(daif), DAIF_ALL);
	ASSERT_EQ(sysreg_read(spsel), 1);
}

static void take_and_skip(struct frame *frame)
{
	take(frame, VECTOR_SYNC);
	frame->pc += 4;
}

static void take_el1t(struct frame *frame)
{
	take(frame, VECTOR_EL1T);
	frame->pc += 4;
}

static void code_visible(void)
{
	dsb(ish);
	asm volatile("ic iallu\n\tdsb ish\n\tisb" : : : "memory");
}

/* The stub with flags set, at EL1 with either stack pointer. */
static void run_stub(bool el1t)
{
	if (el1t)
		asm volatile("msr spsel, #0\n\tmsr nzcv, %0\n\tblr %1\n\tmsr spsel, #1"
			     : : "r" (NZCV_SET), "r" (stub) : "x0", "x30", "cc", "memory");
	else
		asm volatile("msr nzcv, %0\n\tblr %1"
			     : : "r" (NZCV_SET), "r" (stub) : "x0", "x30", "cc", "memory");
}

static void check_undefined(u32 vector, u32 mode)
{
	ASSERT_EQ(READ_ONCE(taken), 1);
	ASSERT_EQ(READ_ONCE(vector_taken), vector);
	ASSERT_EQ(at.esr, ESR_IL);
	ASSERT_EQ(at.pstate & 0x1f, mode);
	ASSERT_EQ(at.pstate & NZCV_MASK, NZCV_SET);
	WRITE_ONCE(taken, 0);
}

/*
 * EL1 itself permits FP, SVE and SME at both levels, else it would trap them to itself where the
 * hardware has them (CPACR_EL1.ZEN, SMEN).
 */
static void permit_all(void)
{
	sysreg_write(cpacr_el1, 3 << 24 | 3 << 20 | 3 << 16);
	isb();
}

static void part_undefined(void)
{
	u32 i;

	permit_all();
	vector_set(VECTOR_SYNC, take_and_skip);
	vector_set(VECTOR_EL1T, take_el1t);
	stub[1] = 0xd65f03c0;
	for (i = 0; i < ARRAY_SIZE(undefined); i++) {
		stub[0] = undefined[i];
		code_visible();
		run_stub(false);
		ASSERT_EQ(at.pc, (u64)stub);
		check_undefined(VECTOR_SYNC, 5);
		run_stub(true);
		ASSERT_EQ(at.pc, (u64)stub);
		check_undefined(VECTOR_EL1T, 4);
	}
}

static void take_el0(struct frame *frame)
{
	if (ESR_EC(frame->esr) == EC_SVC) {
		frame->pc = resume;
		frame->pstate = DAIF_ALL | 5;
		return;
	}
	take(frame, VECTOR_EL0);
	frame->pc += 4;
}

static void run_el0(u64 code)
{
	asm volatile("adr x1, 1f\n\t"
		     "str x1, [%0]\n\t"
		     "msr elr_el1, %1\n\t"
		     "msr spsr_el1, %2\n\t"
		     "eret\n"
		     "1:"
		     : : "r" (&resume), "r" (code), "r" (NZCV_SET)
		     : "x0", "x1", "cc", "memory");
}

static void part_undef_el0(void)
{
	u32 *code = (u32 *)FREE_IPA;
	u32 i;

	permit_all();
	mmu_user_block(FREE_IPA);
	vector_set(VECTOR_EL0, take_el0);
	code[1] = 0xd4000001;	/* svc #0 */
	for (i = 0; i < ARRAY_SIZE(undefined); i++) {
		code[0] = undefined[i];
		code_visible();
		run_el0(FREE_IPA);
		ASSERT_EQ(at.pc, FREE_IPA);
		/* PMCR_EL0 is read at EL0 only as EL1 allows: an exception of EL1's own. */
		if (ESR_EC(at.esr) == EC_SYSREG)
			at.esr = ESR_IL;
		check_undefined(VECTOR_EL0, 0);
	}
}

static void take_to_caller(struct frame *frame)
{
	take(frame, VECTOR_SYNC);
	frame->pc = frame->x[30];
}

/* An instruction fetch where there is no memory: external abort. */
static void part_fetch(void)
{
	vector_set(VECTOR_SYNC, take_to_caller);
	((void (*)(void))NOWHERE_IPA)();
	ASSERT_EQ(READ_ONCE(taken), 1);
	ASSERT_EQ(ESR_EC(at.esr), EC_IABT_EL1);
	ASSERT_EQ(ESR_FSC(at.esr), FSC_EXTERNAL);
	ASSERT_EQ(at.pc, NOWHERE_IPA);
	ASSERT_EQ(at.far, NOWHERE_IPA);
}

/* A translation table where there is no memory: external abort on the walk. */
static void part_walk(void)
{
	u64 va = 0x80000000ULL + 0x12340;
	u32 fsc;

	vector_set(VECTOR_SYNC, take_and_skip);
	mmu_table_at(2, NOWHERE_IPA);
	mmio_read(va, 8);
	ASSERT_EQ(READ_ONCE(taken), 1);
	ASSERT_EQ(ESR_EC(at.esr), EC_DABT_EL1);
	fsc = ESR_FSC(at.esr);
	ASSERT(fsc == FSC_EXTERNAL || (fsc & ~3U) == FSC_WALK);
	ASSERT_EQ(at.far, va);
}

static void part_no_syndrome(void)
{
	u64 a, b;

	vector_set(VECTOR_SYNC, take_and_skip);
	sync(0);
	asm volatile("ldp %0, %1, [%2]" : "=r" (a), "=r" (b) : "r" ((u64)MMIO_IPA) : "memory");
	if (READ_ONCE(taken)) {
		ASSERT_EQ(ESR_EC(at.esr), EC_DABT_EL1);
		ASSERT_EQ(ESR_FSC(at.esr), FSC_EXTERNAL);
		ASSERT_EQ(at.far, MMIO_IPA);
	}
	done(READ_ONCE(taken));
}

/* Cache maintenance by address where there is no memory does nothing. */
static void part_maintain(void)
{
	asm volatile("dc civac, %0\n\tdc cvac, %0\n\tdc cvau, %0\n\tdsb ish"
		     : : "r" (NOWHERE_IPA) : "memory");
}

static void take_serror(struct frame *frame)
{
	memcpy(&at, frame, sizeof(at));
	WRITE_ONCE(taken, taken + 1);
}

static void part_serror(void)
{
	vector_set(VECTOR_SERROR, take_serror);
	sync(0);
	/* Pending while masked. */
	isb();
	ASSERT_EQ(READ_ONCE(taken), 0);
	asm volatile("msr daifclr, #4\n\tisb" : : : "memory");
	while (!READ_ONCE(taken))
		cpu_relax();
	asm volatile("msr daifset, #4\n\tisb" : : : "memory");
	ASSERT_EQ(READ_ONCE(taken), 1);
	ASSERT_EQ(ESR_EC(at.esr), EC_SERROR);
	done(at.esr & 0x1ffffff);
}

static void part_dabt(void)
{
	vector_set(VECTOR_SYNC, take_serror);
	sync(0);
	ASSERT_EQ(READ_ONCE(taken), 1);
	ASSERT_EQ(ESR_EC(at.esr), EC_DABT_EL1);
	ASSERT_EQ(ESR_FSC(at.esr), FSC_EXTERNAL);
}

void guest_main(u64 part)
{
	static void (*const parts[])(void) = {
		[PART_UNDEFINED] = part_undefined,
		[PART_UNDEF_EL0] = part_undef_el0,
		[PART_FETCH] = part_fetch,
		[PART_WALK] = part_walk,
		[PART_NO_SYNDROME] = part_no_syndrome,
		[PART_MAINTAIN] = part_maintain,
		[PART_SERROR] = part_serror,
		[PART_DABT] = part_dabt,
	};

	parts[part]();
}
