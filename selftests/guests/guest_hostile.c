// SPDX-License-Identifier: GPL-2.0
/* A guest that does what no guest should. It says what it got for it; the host must not notice. */
#include "guest.h"
#include "guest_hostile.h"

#define EC_ILLEGAL		0x0e
#define EC_PC_ALIGNMENT		0x22
#define ESR_FSC(esr)		((u32)((esr) & 0x3f))
#define FSC_EXTERNAL		0x10
#define FSC_WALK		0x14	/* and up to 0x17, by level */
#define FSC_ALIGNMENT		0x21

#define INSN_RET		0xd65f03c0
#define INSN_HVC(imm)		(0xd4000002 | (imm) << 5)
#define INSN_SMC(imm)		(0xd4000003 | (imm) << 5)

#define SCTLR_M_C_I		(BIT(0) | BIT(2) | BIT(12))
#define SCTLR_EE		BIT(25)
#define TCR_HA			BIT(39)

/* Level 2 tables of the part's own, where memory is free, and the gigabytes that they map. */
#define TABLE_NORMAL		FREE_IPA
#define TABLE_USER		(FREE_IPA + 0x1000)
#define VA_NORMAL		(3ULL << 30)
#define VA_USER			(4ULL << 30)
#define VA_WALK			(5ULL << 30)

/* Block descriptors: memory that EL1 may execute, and a device that EL0 may access. */
#define BLOCK_NORMAL		(BIT(10) | 3ULL << 8 | 1)
#define BLOCK_USER		(BIT(54) | BIT(53) | BIT(10) | BIT(6) | 1ULL << 2 | 1)

/* The last exception: handlers write it, and what they interrupt reads it. */
static struct frame at;
static u32 taken;
/* One instruction and a return. */
static u32 stub[2];
static u64 arg;

static u64 random_state = 20260301;

static u64 random(void)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return random_state ^ random_state >> 29;
}

/* Past the instruction, or back to the caller when what was called is no place for code. */
static void take(struct frame *frame)
{
	u32 ec = ESR_EC(frame->esr);

	memcpy(&at, frame, sizeof(at));
	WRITE_ONCE(taken, taken + 1);
	if (ec == EC_IABT_EL1 || ec == EC_PC_ALIGNMENT)
		frame->pc = frame->x[30];
	else
		frame->pc += 4;
}

static void expect_exception(u32 ec, u64 pc)
{
	ASSERT_EQ(READ_ONCE(taken), 1);
	ASSERT_EQ(ESR_EC(at.esr), ec);
	ASSERT_EQ(at.pc, pc);
	WRITE_ONCE(taken, 0);
}

static void code_visible(void)
{
	dsb(ish);
	asm volatile("ic iallu\n\tdsb ish\n\tisb" : : : "memory");
}

/* The instruction with x1 = @addr; it may use x2 to x17. */
static void run_stub(u32 insn, u64 addr)
{
	register u64 x1 asm("x1") = addr;
	register u64 x2 asm("x2") = 5;
	register u64 x3 asm("x3") = 7;

	stub[0] = insn;
	stub[1] = INSN_RET;
	code_visible();
	asm volatile("blr %3"
		     : "+r" (x1), "+r" (x2), "+r" (x3) : "r" (stub)
		     : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
		       "x15", "x16", "x17", "x30", "cc", "memory");
}

/* ---- Calls ---- */

/* x0 to x17 from and to @x around the stub; the others must come back as they are. */
static void call_stub(u32 insn, u64 *x)
{
	register u64 *x19 asm("x19") = x;
	register u64 x20 asm("x20") = (u64)stub;
	register u64 x21 asm("x21") = random();
	register u64 x28 asm("x28") = ~x21;
	u64 check = x21;

	stub[0] = insn;
	stub[1] = INSN_RET;
	code_visible();
	asm volatile("ldp x0, x1, [x19]\n\tldp x2, x3, [x19, #16]\n\t"
		     "ldp x4, x5, [x19, #32]\n\tldp x6, x7, [x19, #48]\n\t"
		     "ldp x8, x9, [x19, #64]\n\tldp x10, x11, [x19, #80]\n\t"
		     "ldp x12, x13, [x19, #96]\n\tldp x14, x15, [x19, #112]\n\t"
		     "ldp x16, x17, [x19, #128]\n\t"
		     "blr x20\n\t"
		     "stp x0, x1, [x19]\n\tstp x2, x3, [x19, #16]\n\t"
		     "stp x4, x5, [x19, #32]\n\tstp x6, x7, [x19, #48]\n\t"
		     "stp x8, x9, [x19, #64]\n\tstp x10, x11, [x19, #80]\n\t"
		     "stp x12, x13, [x19, #96]\n\tstp x14, x15, [x19, #112]\n\t"
		     "stp x16, x17, [x19, #128]"
		     : "+r" (x19), "+r" (x20), "+r" (x21), "+r" (x28)
		     : : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11",
		       "x12", "x13", "x14", "x15", "x16", "x17", "x30", "cc", "memory");
	ASSERT_EQ(x21, check);
	ASSERT_EQ(x28, ~check);
}

/* No function that ends or stops a CPU: owner 4 (PSCI and the like) below 0x20 is not asked. */
static u64 random_function(void)
{
	u64 fn = random();

	if ((fn >> 24 & 0x3f) == 4)
		fn |= 0x20;
	/* Often the owners that something may answer for, both widths, fast and slow. */
	switch (random() & 7) {
	case 0:
		return (fn & 0xc000ffff) | 0x84000020;
	case 1:
		return 0x80000000 | (fn & 0xff);
	case 2:
		return 0x86000000 | (fn & 0x4000ffff);
	case 3:
		return fn & 0xffffffff;
	default:
		return fn;
	}
}

static void part_calls(void)
{
	static const u32 immediates[] = { 0, 1, 2, 0x1234, 0x4a48, 0x7fff, 0x8000, 0xffff };
	u64 x[18], before[18];
	u32 i, k, insn;

	vector_set(VECTOR_SYNC, take);
	for (i = 0; i < 1000; i++) {
		for (k = 0; k < ARRAY_SIZE(x); k++)
			x[k] = random();
		x[0] = random_function();
		memcpy(before, x, sizeof(x));
		insn = immediates[random() % ARRAY_SIZE(immediates)];
		insn = i & 1 ? INSN_HVC(insn) : INSN_SMC(insn);
		call_stub(insn, x);
		ASSERT_EQ(READ_ONCE(taken), 0);
		/* SMCCC 1.1: results in x0 to x3, the rest as it was. */
		for (k = 4; k < ARRAY_SIZE(x); k++)
			ASSERT_EQ(x[k], before[k]);
	}
}

/* ---- The GIC ---- */

static u32 sgis;

static void count_sgi(u32 intid)
{
	ASSERT_EQ(intid, 3);
	WRITE_ONCE(sgis, sgis + 1);
}

/* Whatever has been done to it, set up anew the GIC works. */
static void gic_works(void)
{
	u32 i, before = READ_ONCE(sgis);

	irq_off();
	mmio_write(GICD_IPA + GICD_CTLR, 4, 0);
	for (i = 0; i < 128; i += 32) {
		mmio_write(gic_reg(GICD_ICENABLER, 1, i), 4, ~0U);
		mmio_write(gic_reg(GICD_ICPENDR, 1, i), 4, ~0U);
		mmio_write(gic_reg(GICD_ICACTIVER, 1, i), 4, ~0U);
		ASSERT_EQ(mmio_read(gic_reg(GICD_ISENABLER, 1, i), 4), 0);
		ASSERT_EQ(mmio_read(gic_reg(GICD_ISACTIVER, 1, i), 4), 0);
		mmio_write(gic_reg(GICD_IGROUPR, 1, i), 4, ~0U);
	}
	gic_init();
	gic_handler(count_sgi);
	gic_set_bit(GICD_ISENABLER, 3);
	gic_sgi(0, 3);
	irq_on();
	while (READ_ONCE(sgis) == before)
		cpu_relax();
	irq_off();
	ASSERT_EQ(READ_ONCE(sgis), before + 1);
}

/* Interrupts in every state: pending, enabled, edge and level, in the list registers and out. */
static void gic_fill(void)
{
	u32 i;

	for (i = 0; i < 128; i += 32) {
		mmio_write(gic_reg(GICD_ISENABLER, 1, i), 4, ~0U);
		mmio_write(gic_reg(GICD_ISPENDR, 1, i), 4, 0x55555555);
	}
}

static void sweep_one(u64 addr)
{
	static const u64 patterns[] = { ~0ULL, 0, 0x5555555555555555 };
	u32 width, i;

	for (width = 1; width <= 8; width *= 2) {
		if (addr % width)
			continue;
		mmio_read(addr, width);
		for (i = 0; i < ARRAY_SIZE(patterns); i++)
			mmio_write(addr, width, patterns[i]);
		mmio_write(addr, width, random());
		mmio_read(addr, width);
	}
	ASSERT_EQ(READ_ONCE(taken), 0);
}

/* Registers stand at the beginning and the end; between them a sample will do. */
static void sweep_frame(u64 base)
{
	u64 offset;

	gic_fill();
	if (arg & ARG_PHASE_MASK) {
		for (offset = 0; offset < 0x10000; offset++)
			if (ARG_PHASE(offset / 8 % PHASES) == (arg & ARG_PHASE_MASK))
				sweep_one(base + offset);
		gic_works();
		return;
	}
	for (offset = 0; offset < 0x10000; offset += 1021)
		sweep_one(base + offset);
	for (offset = 0; offset < 0x1000; offset += 68)
		sweep_one(base + offset);
	for (offset = 0; offset < 0x90; offset += 4)
		sweep_one(base + offset);
	for (offset = 0xffc0; offset < 0x10000; offset += 4)
		sweep_one(base + offset);
	gic_works();
}

static void part_frames(void)
{
	vector_set(VECTOR_SYNC, take);
	gic_init();
	sweep_frame(GICD_IPA);
	sweep_frame(GICR_IPA);
	sweep_frame(GICR_IPA + GICR_SGI_OFFSET);
	/* The other CPU's, which is off. */
	sweep_frame(GICR_IPA + GICR_STRIDE);
	sweep_frame(GICR_IPA + GICR_STRIDE + GICR_SGI_OFFSET);
}

/* The first gigabyte once more, with other attributes. */
static void map_again(u32 index, u64 table, u64 attributes)
{
	u64 *entry = (u64 *)table;
	u32 i;

	for (i = 0; i < 512; i++)
		entry[i] = (u64)i << 21 | attributes;
	dsb(ish);
	mmu_table_at(index, table);
}

/* The guest's own fault, where the CPU sees the kind of memory first; else stage 2 gets it. */
static void unaligned_at(u64 addr, int width, bool may_fault)
{
	u64 value = 0;
	u32 i;

	for (i = 0; i < 3; i++) {
		if (!i)
			value = mmio_read(addr, width);
		else
			mmio_write(addr, width, i == 1 ? ~0ULL : 0);
		if (!READ_ONCE(taken)) {
			ASSERT_EQ(value, 0);
			continue;
		}
		ASSERT(may_fault);
		ASSERT_EQ(ESR_EC(at.esr), EC_DABT_EL1);
		ASSERT_EQ(ESR_FSC(at.esr), FSC_ALIGNMENT);
		ASSERT_EQ(at.far, addr);
		WRITE_ONCE(taken, 0);
	}
}

/* As device memory and as another kind, which may be accessed anyhow. No register is hit. */
static void part_frames_unaligned(void)
{
	static const u64 frames[] = { GICD_IPA, GICR_IPA, GICR_IPA + GICR_SGI_OFFSET };
	static const u64 offsets[] = { 0, 4, 8, 0x80, 0x100, 0x200, 0x300, 0x400, 0xc00, 0x6100,
				       0xffe8 };
	u32 i, k, by;
	int width;

	vector_set(VECTOR_SYNC, take);
	gic_init();
	map_again(VA_NORMAL >> 30, TABLE_NORMAL, BLOCK_NORMAL);
	for (i = 0; i < ARRAY_SIZE(frames); i++) {
		for (k = 0; k < ARRAY_SIZE(offsets); k++)
			for (width = 2; width <= 8; width *= 2)
				for (by = 1; by < (u32)width; by++) {
					unaligned_at(frames[i] + offsets[k] + by, width, true);
					unaligned_at(VA_NORMAL + frames[i] + offsets[k] + by,
						     width, false);
				}
		gic_works();
	}
}

#define ICC_WRITES(op) do {						\
	op(s3_0_c4_c6_0); op(s3_0_c12_c8_1); op(s3_0_c12_c8_3);		\
	op(s3_0_c12_c8_4); op(s3_0_c12_c9_0); op(s3_0_c12_c11_1);	\
	op(s3_0_c12_c11_5); op(s3_0_c12_c11_6); op(s3_0_c12_c11_7);	\
	op(s3_0_c12_c12_1); op(s3_0_c12_c12_3); op(s3_0_c12_c12_4);	\
	op(s3_0_c12_c12_5); op(s3_0_c12_c12_6); op(s3_0_c12_c12_7);	\
} while (0)

#define ICC_READS(op) do {						\
	op(s3_0_c4_c6_0); op(s3_0_c12_c8_0); op(s3_0_c12_c8_2);		\
	op(s3_0_c12_c8_3); op(s3_0_c12_c8_4); op(s3_0_c12_c9_0);	\
	op(s3_0_c12_c11_3); op(s3_0_c12_c12_0); op(s3_0_c12_c12_2);	\
	op(s3_0_c12_c12_3); op(s3_0_c12_c12_4); op(s3_0_c12_c12_5);	\
	op(s3_0_c12_c12_6); op(s3_0_c12_c12_7);				\
} while (0)

static void icc_write_all(u64 value)
{
#define WRITE_ONE(reg) icc_write(reg, value)
	ICC_WRITES(WRITE_ONE);
	isb();
}

static void icc_read_all(void)
{
	ICC_READS(icc_read);
}

/* INTIDs that are no interrupt, or none of this GIC, or not active. */
static void icc_bad_intids(void)
{
	static const u64 intids[] = { 5, 40, 127, 128, 1019, 1020, 1021, 1022, 1023, 1024, 8191,
				      8192, 0xffff, 0xffffff, 0x1000000, ~0U, ~0ULL };
	u32 i, mode;

	for (mode = 0; mode < 2; mode++) {
		icc_write(ICC_CTLR_EL1, mode << 1);
		isb();
		for (i = 0; i < ARRAY_SIZE(intids); i++) {
			icc_write(ICC_EOIR1_EL1, intids[i]);
			icc_write(s3_0_c12_c8_1, intids[i]);
			icc_write(ICC_DIR_EL1, intids[i]);
			isb();
		}
	}
}

static void part_cpu_interface(void)
{
	u32 i;

	vector_set(VECTOR_SYNC, take);
	gic_init();
	for (i = 0; i < 100; i++) {
		gic_fill();
		icc_read_all();
		icc_bad_intids();
		icc_write_all(i & 1 ? random() : i & 2 ? ~0ULL : 0);
		icc_read_all();
		if (i % 10 == 9) {
			/* Active priorities that no EOI of ours will drop. */
			icc_write(s3_0_c12_c8_4, 0);
			icc_write(s3_0_c12_c9_0, 0);
			isb();
			gic_works();
		}
	}
	WRITE_ONCE(taken, 0);
}

/* ---- Accesses that do not describe themselves ---- */

struct insn {
	u32 code;
	bool store;
	bool maybe;	/* need not access at all: there is no exclusive monitor, say */
};

#define LOAD(code)	{ code, false, false }
#define STORE(code)	{ code, true, false }
#define MAYBE(code)	{ code, true, true }

/* Base register x1, data in x2, x3 or v0. */
static const struct insn no_syndrome[] = {
	LOAD(0xa9400c22),		/* ldp x2, x3, [x1] */
	STORE(0xa9000c22),		/* stp x2, x3, [x1] */
	LOAD(0x29400c22),		/* ldp w2, w3, [x1] */
	LOAD(0xa8400c22),		/* ldnp x2, x3, [x1] */
	LOAD(0xf8408422),		/* ldr x2, [x1], #8 */
	STORE(0xf8000c22),		/* str x2, [x1, #0]! */
	LOAD(0x38401422),		/* ldrb w2, [x1], #1 */
	LOAD(0x3dc00020),		/* ldr q0, [x1] */
	STORE(0x3d800020),		/* str q0, [x1] */
	LOAD(0xfd400020),		/* ldr d0, [x1] */
	STORE(0xbd000020),		/* str s0, [x1] */
	LOAD(0x4c407020),		/* ld1 {v0.16b}, [x1] */
	STORE(0x4c007020),		/* st1 {v0.16b}, [x1] */
	STORE(0xf8220023),		/* ldadd x2, x3, [x1] */
	STORE(0xf8228023),		/* swp x2, x3, [x1] */
	STORE(0xc8a27c23),		/* cas x2, x3, [x1] */
	LOAD(0xc85f7c22),		/* ldxr x2, [x1] */
	LOAD(0xc85ffc22),		/* ldaxr x2, [x1] */
	LOAD(0xc87f0c22),		/* ldxp x2, x3, [x1] */
	MAYBE(0xc8047c22),		/* stxr w4, x2, [x1] */
	MAYBE(0xc8240c22),		/* stxp w4, x2, x3, [x1] */
	STORE(0xd50b7421),		/* dc zva, x1 */
};

static void no_syndrome_at(u64 addr, bool stores_only)
{
	u32 i, fsc;

	for (i = 0; i < ARRAY_SIZE(no_syndrome); i++) {
		if (stores_only && !no_syndrome[i].store)
			continue;
		run_stub(no_syndrome[i].code, addr);
		if (!READ_ONCE(taken) && (no_syndrome[i].maybe || !(arg & ARG_ABORTS)))
			continue;
		expect_exception(EC_DABT_EL1, (u64)stub);
		/* An atomic on device memory may be the CPU's own affair, and DC ZVA is. */
		fsc = ESR_FSC(at.esr);
		ASSERT(fsc == FSC_EXTERNAL || fsc == FSC_ALIGNMENT || fsc == 0x35);
		ASSERT_EQ(at.far, addr);
	}
}

static void part_no_syndrome(void)
{
	vector_set(VECTOR_SYNC, take);
	gic_init();
	no_syndrome_at(MMIO_IPA, false);
	no_syndrome_at(GICD_IPA + GICD_ISENABLER, false);
	no_syndrome_at(NOWHERE_IPA, false);
	no_syndrome_at(READONLY_IPA + 0x40, true);
	gic_works();
}

/* One register, no write-back: however odd, such a load or store has a syndrome. */
static const struct insn odd_syndrome[] = {
	LOAD(0xc8dffc22),		/* ldar x2, [x1] */
	LOAD(0x88dffc22),		/* ldar w2, [x1] */
	LOAD(0x08dffc22),		/* ldarb w2, [x1] */
	STORE(0xc89ffc22),		/* stlr x2, [x1] */
	STORE(0x089ffc22),		/* stlrb w2, [x1] */
	LOAD(0xf8400822),		/* ldtr x2, [x1] */
	LOAD(0xb8800822),		/* ldtrsw x2, [x1] */
	STORE(0xf8000822),		/* sttr x2, [x1] */
	LOAD(0xf8400022),		/* ldur x2, [x1] */
	STORE(0xf8236822),		/* str x2, [x1, x3], and x3 is 7: see below */
};

static void part_odd_syndrome(void)
{
	u32 i;

	vector_set(VECTOR_SYNC, take);
	map_again(VA_USER >> 30, TABLE_USER, BLOCK_USER);
	for (i = 0; i < ARRAY_SIZE(odd_syndrome); i++) {
		run_stub(odd_syndrome[i].code, VA_USER + MMIO_IPA + 0x1000 + 16 * i +
			 (odd_syndrome[i].code == 0xf8236822 ? 1 : 0));
		ASSERT_EQ(READ_ONCE(taken), 0);
	}
}

/* ---- Fetches, walks, modes ---- */

static void call_at(u64 addr)
{
	((void (*)(void))addr)();
}

static void part_fetches(void)
{
	static const u64 nowhere[] = { GICD_IPA, GICD_IPA + 0x6004, GICR_IPA, REPORT_IPA, MMIO_IPA,
				       0, 0x3ffffffc };
	u32 *code = (u32 *)(SHARED_IPA + 0x1000);
	u64 addr;
	u32 i;

	vector_set(VECTOR_SYNC, take);
	map_again(VA_NORMAL >> 30, TABLE_NORMAL, BLOCK_NORMAL);
	for (i = 0; i < ARRAY_SIZE(nowhere); i++) {
		addr = VA_NORMAL + nowhere[i];
		call_at(addr);
		expect_exception(EC_IABT_EL1, addr);
		ASSERT_EQ(ESR_FSC(at.esr), FSC_EXTERNAL);
		ASSERT_EQ(at.far, addr);
	}
	call_at(NOWHERE_IPA);
	expect_exception(EC_IABT_EL1, NOWHERE_IPA);
	ASSERT_EQ(ESR_FSC(at.esr), FSC_EXTERNAL);
	/* The guest's own: device memory is not executable, a PC has no low bits. */
	call_at(GICD_IPA);
	expect_exception(EC_IABT_EL1, GICD_IPA);
	ASSERT((ESR_FSC(at.esr) & ~3U) == 0xc);
	code[0] = INSN_RET;
	code[1] = INSN_RET;
	code_visible();
	for (i = 1; i < 4; i++) {
		call_at((u64)code + i);
		expect_exception(EC_PC_ALIGNMENT, (u64)code + i);
		ASSERT_EQ(at.far, (u64)code + i);
	}
	call_at((u64)code);
	ASSERT_EQ(READ_ONCE(taken), 0);
	/* Read-only memory is memory: the test has put a return there. */
	call_at(READONLY_IPA);
	ASSERT_EQ(READ_ONCE(taken), 0);
}

static bool is_walk_abort(void)
{
	u32 fsc = ESR_FSC(at.esr);

	return ESR_EC(at.esr) == EC_DABT_EL1 && (fsc == FSC_EXTERNAL || (fsc & ~3U) == FSC_WALK);
}

/* Tables where no memory is: the walk ends in an abort, of each kind of access. */
static void part_walks(void)
{
	static const u64 tables[] = { NOWHERE_IPA, GICD_IPA, GICR_IPA, MMIO_IPA, REPORT_IPA,
				      0x7fff000000 };
	u64 addr, tcr = sysreg_read(tcr_el1);
	u32 i;

	vector_set(VECTOR_SYNC, take);
	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		mmu_table_at(VA_WALK >> 30, tables[i]);
		addr = VA_WALK + 0x123000 * i;
		mmio_read(addr, 8);
		ASSERT_EQ(READ_ONCE(taken), 1);
		ASSERT(is_walk_abort());
		ASSERT_EQ(at.far, addr);
		mmio_write(addr, 4, 1);
		ASSERT_EQ(READ_ONCE(taken), 2);
		ASSERT(is_walk_abort());
		run_stub(no_syndrome[0].code, addr);
		ASSERT_EQ(READ_ONCE(taken), 3);
		ASSERT(is_walk_abort());
		WRITE_ONCE(taken, 0);
		call_at(addr);
		expect_exception(EC_IABT_EL1, addr);
		ASSERT_EQ(at.far, addr);
	}

	/*
	 * Tables in read-only memory, which the test has filled with blocks without access flag:
	 * the CPU is to set it, where it can, and may not.
	 */
	mmu_table_at(VA_WALK >> 30, READONLY_IPA + 0x1000);
	addr = VA_WALK + (SHARED_IPA & 0x3fffffff);
	mmio_read(addr, 8);
	ASSERT_EQ(READ_ONCE(taken), 1);
	/* Access flag fault, level 2: the guest's own. */
	ASSERT_EQ(ESR_FSC(at.esr), 0xa);
	sysreg_write(tcr_el1, tcr | TCR_HA);
	isb();
	asm volatile("tlbi vmalle1\n\tdsb nsh\n\tisb" : : : "memory");
	mmio_read(addr, 8);
	ASSERT_EQ(READ_ONCE(taken), 2);
	ASSERT(is_walk_abort() || ESR_FSC(at.esr) == 0xa);
	sysreg_write(tcr_el1, tcr);
	isb();
	WRITE_ONCE(taken, 0);
}

static u64 resume;

static void take_illegal(struct frame *frame)
{
	memcpy(&at, frame, sizeof(at));
	WRITE_ONCE(taken, taken + 1);
	frame->pc = resume;
	frame->pstate = 0x3c5;
}

/* ERET into modes that are not there: the CPU stays where it is, in illegal state. */
static void part_modes(void)
{
	static const u32 modes[] = { 0x8, 0x9, 0xc, 0xd, 1, 2, 3, 6, 7, 0xa, 0xb, 0xe, 0xf,
				     0x11, 0x12, 0x13, 0x16, 0x17, 0x1a, 0x1b, 0x1f, 0x1e };
	u32 i;

	vector_set(VECTOR_SYNC, take_illegal);
	for (i = 0; i < 2 * ARRAY_SIZE(modes); i++) {
		u64 spsr = modes[i / 2] | 0x3c0;

		/* Reserved bits too; but not SS and IL, which make exceptions of their own. */
		if (i & 1)
			spsr |= 0xffffffff0fcffc20ULL & ~BIT(21) & ~BIT(20);
		asm volatile("adr x1, 1f\n\tstr x1, [%0]\n\tmsr elr_el1, x1\n\t"
			     "msr spsr_el1, %1\n\tisb\n\teret\n1:"
			     : : "r" (&resume), "r" (spsr) : "x1", "cc", "memory");
		ASSERT_EQ(READ_ONCE(taken), 1);
		ASSERT_EQ(ESR_EC(at.esr), EC_ILLEGAL);
		ASSERT_EQ(at.pc, READ_ONCE(resume));
		WRITE_ONCE(taken, 0);
	}
}

/* ---- Without caches, in the other byte order ---- */

static void part_no_caches(void)
{
	u64 *word = (u64 *)(SHARED_IPA + 0x40);
	static const u64 off[] = { BIT(2), BIT(12), SCTLR_M_C_I };
	u64 sctlr = sysreg_read(sctlr_el1), typer = mmio_read(GICD_IPA + GICD_TYPER, 4);
	u32 i;

	WRITE_ONCE(*word, 0x1111);
	/* Written with caches on: to memory with it before it is read without. */
	asm volatile("dc civac, %0\n\tdsb sy" : : "r" (word) : "memory");
	for (i = 0; i < ARRAY_SIZE(off); i++) {
		asm volatile("dsb sy\n\tisb" : : : "memory");
		sysreg_write(sctlr_el1, sctlr & ~off[i]);
		isb();
		ASSERT_EQ(mmio_read(GICD_IPA + GICD_TYPER, 4), typer);
		ASSERT_EQ(mmio_read(MMIO_IPA, 8), MMIO_VALUE);
		mmio_write(MMIO_IPA, 4, i);
		sysreg_write(sctlr_el1, sctlr);
		isb();
	}
	asm volatile("dc civac, %0\n\tdsb sy" : : "r" (word) : "memory");
	ASSERT_EQ(READ_ONCE(*word), 0x1111);
}

/*
 * One access in big-endian order, without touching the stack; and without the MMU, for its tables
 * would be read in that order too.
 */
static u64 big_endian_access(u64 addr, bool store, u64 value)
{
	u64 sctlr = sysreg_read(sctlr_el1), big = (sctlr & ~SCTLR_M_C_I) | SCTLR_EE;

	if (store)
		asm volatile("msr sctlr_el1, %1\n\tisb\n\tstr %w0, [%2]\n\tmsr sctlr_el1, %3\n\tisb"
			     : : "r" (value), "r" (big), "r" (addr), "r" (sctlr)
			     : "memory");
	else
		asm volatile("msr sctlr_el1, %1\n\tisb\n\tldr %w0, [%2]\n\tmsr sctlr_el1, %3\n\tisb"
			     : "=&r" (value)
			     : "r" (big), "r" (addr), "r" (sctlr) : "memory");
	return value;
}

static void part_big_endian(void)
{
	u32 typer = mmio_read(GICD_IPA + GICD_TYPER, 4);

	ASSERT_EQ(__builtin_bswap32(big_endian_access(GICD_IPA + GICD_TYPER, false, 0)), typer);
	/* A set bit of the device's number, not of the register's. */
	big_endian_access(gic_reg(GICD_ISENABLER, 1, 32), true, __builtin_bswap32(0x11));
	ASSERT_EQ(mmio_read(gic_reg(GICD_ISENABLER, 1, 32), 4), 0x11);
	ASSERT_EQ(big_endian_access(MMIO_IPA, false, 0), __builtin_bswap32((u32)MMIO_VALUE));
	big_endian_access(MMIO_IPA + 8, true, BIG_ENDIAN_WORD);
}

/* ---- For ever ---- */

static void part_wfi(void)
{
	for (;;)
		wfi();
}

static void part_wfe(void)
{
	for (;;)
		asm volatile("wfe" : : : "memory");
}

static void part_spin(void)
{
	for (;;)
		cpu_relax();
}

/* An exception whose vector is no memory: from then on nothing but aborts. */
static void part_no_vectors(void)
{
	sysreg_write(vbar_el1, NOWHERE_IPA);
	isb();
	asm volatile("brk #0" : : : "memory");
}

/* ---- Code that another CPU changes ---- */

static u32 code_round, code_done;
static u32 changing[2] __attribute__((__aligned__(64)));

/* mov w0, #n */
static u32 code_for(u32 n)
{
	return 0x52800000 | (n & 0xffff) << 5;
}

/* Arm ARM B2.4.4: the writer cleans and invalidates, the one who executes synchronises itself. */
static void code_runner(u64 unused __always_unused)
{
	u32 n;

	for (n = 1; n <= CODE_ROUNDS; n++) {
		while (__atomic_load_n(&code_round, __ATOMIC_ACQUIRE) != n)
			cpu_relax();
		isb();
		ASSERT_EQ(((u32 (*)(void))changing)(), n);
		__atomic_store_n(&code_done, n, __ATOMIC_RELEASE);
	}
}

static void part_code_changes(void)
{
	u32 n;

	WRITE_ONCE(changing[1], INSN_RET);
	ASSERT_EQ(smp_start(1, code_runner, 0), PSCI_SUCCESS);
	for (n = 1; n <= CODE_ROUNDS; n++) {
		WRITE_ONCE(changing[0], code_for(n));
		asm volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0\n\tdsb ish\n\tisb"
			     : : "r" (changing) : "memory");
		__atomic_store_n(&code_round, n, __ATOMIC_RELEASE);
		while (__atomic_load_n(&code_done, __ATOMIC_ACQUIRE) != n)
			cpu_relax();
	}
}

void guest_main(u64 what)
{
	static void (*const parts[])(void) = {
		[PART_CALLS] = part_calls,
		[PART_FRAMES] = part_frames,
		[PART_FRAMES_UNALIGNED] = part_frames_unaligned,
		[PART_CPU_INTERFACE] = part_cpu_interface,
		[PART_NO_SYNDROME] = part_no_syndrome,
		[PART_ODD_SYNDROME] = part_odd_syndrome,
		[PART_FETCHES] = part_fetches,
		[PART_WALKS] = part_walks,
		[PART_MODES] = part_modes,
		[PART_NO_CACHES] = part_no_caches,
		[PART_BIG_ENDIAN] = part_big_endian,
		[PART_WFI] = part_wfi,
		[PART_WFE] = part_wfe,
		[PART_NO_VECTORS] = part_no_vectors,
		[PART_CODE_CHANGES] = part_code_changes,
		[PART_SPIN] = part_spin,
	};

	arg = what;
	parts[what & 0xff]();
}
