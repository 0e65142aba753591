// SPDX-License-Identifier: GPL-2.0
/* Single instructions, and the exceptions that end them; see trial.h. */
#include "trial.h"

const struct level levels[LEVELS] = {
	[LEVEL_EL0] = { 0, VECTOR_EL0, true },
	[LEVEL_EL1T] = { DAIF_ALL | PSTATE_EL1T, VECTOR_EL1T, false },
	[LEVEL_EL1H] = { DAIF_ALL | PSTATE_EL1H, VECTOR_SYNC, false },
};

/* Each CPU has its own, and its own page of code, which no other data is in. */
static struct trial trials[TRIAL_CPUS];
static u32 code_el1[TRIAL_CPUS][1024] __attribute__((aligned(4096)));

/*
 * All registers from @x, then @pc with @pstate. It goes on when the handler of an exception returns
 * to @back, with the stack as it was; the compiler saves what it needs of the registers.
 */
static void enter(const u64 *x, u64 pc, u64 pstate, struct back *back)
{
	register const u64 *x0 asm("x0") = x;
	register u64 x1 asm("x1") = pc;
	register u64 x2 asm("x2") = pstate;
	register struct back *x3 asm("x3") = back;

	asm volatile("stp x29, x30, [sp, #-16]!\n\t"
		     "mov x4, sp\n\tadr x5, 1f\n\tstp x4, x5, [x3]\n\t"
		     "msr elr_el1, x1\n\tmsr spsr_el1, x2\n\t"
		     "mov x30, x0\n\t"
		     "ldp x0, x1, [x30]\n\tldp x2, x3, [x30, #16]\n\t"
		     "ldp x4, x5, [x30, #32]\n\tldp x6, x7, [x30, #48]\n\t"
		     "ldp x8, x9, [x30, #64]\n\tldp x10, x11, [x30, #80]\n\t"
		     "ldp x12, x13, [x30, #96]\n\tldp x14, x15, [x30, #112]\n\t"
		     "ldp x16, x17, [x30, #128]\n\tldp x18, x19, [x30, #144]\n\t"
		     "ldp x20, x21, [x30, #160]\n\tldp x22, x23, [x30, #176]\n\t"
		     "ldp x24, x25, [x30, #192]\n\tldp x26, x27, [x30, #208]\n\t"
		     "ldp x28, x29, [x30, #224]\n\tldr x30, [x30, #240]\n\t"
		     "eret\n"
		     "1:\n\t"
		     "ldp x29, x30, [sp], #16"
		     : "+r" (x0), "+r" (x1), "+r" (x2), "+r" (x3)
		     : : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
		       "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25",
		       "x26", "x27", "x28", "cc", "memory");
}

struct trial *trial(void)
{
	return &trials[cpu_id()];
}

void trial_give_up(struct frame *frame)
{
	struct trial *t = trial();

	t->running = false;
	frame->pc = t->back.pc;
	frame->pstate = DAIF_ALL | PSTATE_EL1H;
}

static void note(struct trial *t, const struct frame *frame, u32 vector, u64 sp)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(frame->x); i++)
		t->at.x[i] = frame->x[i];
	t->at.pc = frame->pc;
	t->at.pstate = frame->pstate;
	t->at.esr = frame->esr;
	t->at.far = frame->far;
	t->sp = t->level->vector == VECTOR_SYNC ? t->back.sp : USER_SP;
	t->sp_at = sp;
	t->vector = vector;
}

static void take(struct frame *frame, u32 vector, u64 sp)
{
	struct trial *t = trial();

	if (!t->running) {
		print("vector %d of the test itself: esr %llx pc %llx", vector, frame->esr,
		      frame->pc);
		ASSERT_EQ(frame->esr, 0);
	}
	t->running = false;
	note(t, frame, vector, sp);
	ASSERT_EQ(sysreg_read(daif), DAIF_ALL);
	ASSERT_EQ(sysreg_read(spsel), 1);
	if (t->again && t->again(t))
		t->running = true;
	else
		trial_give_up(frame);
}

static void take_el0(struct frame *frame)
{
	take(frame, VECTOR_EL0, sysreg_read(sp_el0));
}

static void take_el1t(struct frame *frame)
{
	take(frame, VECTOR_EL1T, sysreg_read(sp_el0));
}

static void take_el1h(struct frame *frame)
{
	take(frame, VECTOR_SYNC, (u64)frame + FRAME_SIZE);
}

void trials_init(void)
{
	mmu_user_block(FREE_IPA);
	vector_set(VECTOR_EL0, take_el0);
	vector_set(VECTOR_EL1T, take_el1t);
	vector_set(VECTOR_SYNC, take_el1h);
}

u64 random(void)
{
	struct trial *t = trial();

	t->seed = t->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return t->seed ^ t->seed >> 29;
}

u32 *code_of(const struct level *l)
{
	u32 cpu = cpu_id();

	return l->el0 ? (u32 *)(USER_CODE + 0x1000ULL * cpu) : code_el1[cpu];
}

void code_put(const struct level *l, u32 first, u32 second, u32 third)
{
	u32 *code = code_of(l);

	if (code[0] == first && code[1] == second && code[2] == third)
		return;
	code[0] = first;
	code[1] = second;
	code[2] = third;
	dsb(ish);
	asm volatile("ic iallu\n\tdsb ish\n\tisb" : : : "memory");
}

const struct trial *trial_run(const struct level *l, const u32 *code, const u64 *x, u64 pstate)
{
	struct trial *t = trial();

	t->level = l;
	t->code = code;
	t->x = x;
	t->pstate = pstate;
	sysreg_write(sp_el0, USER_SP);
	t->running = true;
	enter(x, (u64)code, pstate, &t->back);
	return t;
}

const struct trial *run_code(const struct level *l, const u64 *x, u64 pstate)
{
	return trial_run(l, code_of(l), x, pstate | (random() >> 32 & 0xf) << 28);
}

void same(const struct trial *t, const char *what, u32 n, u64 got, u64 want)
{
	if (got == want)
		return;
	print("%s %d at vector %d, mdscr %llx: insn %x, x0 %llx x2 %llx x3 %llx x7 %llx", what, n,
	      t->level->vector, sysreg_read(mdscr_el1), t->code[0], t->x[0], t->x[2], t->x[3],
	      t->x[7]);
	ASSERT_EQ(got, want);
}

void check_state(const struct trial *t, const u64 *x, u32 n, u64 pstate)
{
	u32 i;

	same(t, "vector", 0, t->vector, t->level->vector);
	same(t, "pc", 0, t->at.pc, (u64)(t->code + n));
	same(t, "pstate", 0, t->at.pstate, pstate);
	same(t, "sp", 0, t->sp_at, t->sp);
	for (i = 0; i < ARRAY_SIZE(t->at.x); i++)
		same(t, "register", i, t->at.x[i], x[i]);
}
