// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that translates by AT itself, changes its tables, sleeps, or waits for a timer, while the
 * host looks at its address space.
 */
#include "guest.h"
#include "gva_running.h"

#define TIMER_US	300
/* Between AT and the read of PAR_EL1, where a scan may come in between. */
#define AT_DELAY	200

static struct shared *const shared = (struct shared *)SHARED_IPA;
static u64 due;

static void look(u64 va, u64 ipa)
{
	u64 par, i;

	asm volatile("at s1e1r, %0\n\tisb" : : "r" (va) : "memory");
	for (i = 0; i < AT_DELAY; i++)
		asm volatile("" : : : "memory");
	par = sysreg_read(par_el1);
	ASSERT_EQ(par & 0x000ffffffffff001, ipa);
}

static void count_round(void)
{
	u64 *rounds = &shared->rounds[cpu_id()];

	WRITE_ONCE(*rounds, *rounds + 1);
}

/* Pages of the locked tables lie in the order of their addresses, blocks too. */
static void look_for_ever(void)
{
	u64 i;

	for (i = 0; !READ_ONCE(shared->stop); i++) {
		look(GB(GB_LOCKED) + i % 4 * 4096, BLOCK_A + i % 4 * 4096);
		look(SHARED_IPA, SHARED_IPA);
		count_round();
	}
}

static void change(u64 *entry, u64 value)
{
	/* Break before make (Arm ARM D8.16.1). */
	WRITE_ONCE(*entry, 0);
	dsb(ish);
	asm volatile("tlbi vmalle1is\n\tdsb ish" : : : "memory");
	WRITE_ONCE(*entry, value);
	dsb(ish);
	isb();
	WRITE_ONCE(shared->changes, shared->changes + 1);
}

/* Each page of the first 2 MB is at its place in block A or B, or is not there. */
static void change_for_ever(void)
{
	static const u64 values[] = {
		DESC_TABLE(TABLE_A), 0, DESC_BLOCK(BLOCK_B), DESC_TABLE(TABLE_B),
		DESC_BLOCK(BLOCK_A),
	};
	u64 *entry = (u64 *)TABLE_CHANGING, *pages = (u64 *)TABLE_A, i, page;

	for (i = 0; !READ_ONCE(shared->stop); i++) {
		change(entry, values[i % ARRAY_SIZE(values)]);
		page = i * 37 % 512;
		change(&pages[page], i & 1 ? 0 : DESC_PAGE(BLOCK_B + page * 4096));
		change(&pages[page], DESC_PAGE(BLOCK_A + page * 4096));
		count_round();
	}
}

static void other(u64 what)
{
	gic_init();
	if (what & CPU1_CHANGE)
		change_for_ever();
	if (what & CPU1_LOOK)
		look_for_ever();
	while (what & CPU1_SLEEP) {
		count_round();
		wfi();
	}
}

static void timer(u32 intid)
{
	u64 late = timer_now() - due;

	ASSERT_EQ(intid, PPI_VTIMER);
	sysreg_write(cntv_ctl_el0, TIMER_ENABLE | TIMER_IMASK);
	isb();
	WRITE_ONCE(shared->late, shared->late + late);
	if (late > READ_ONCE(shared->latest))
		WRITE_ONCE(shared->latest, late);
	WRITE_ONCE(shared->timers, shared->timers + 1);
}

static void timers_for_ever(void)
{
	u64 seen;

	gic_set_bit(GICD_ISENABLER, PPI_VTIMER);
	gic_handler(timer);
	irq_on();
	while (!READ_ONCE(shared->stop)) {
		seen = READ_ONCE(shared->timers);
		due = timer_now() + timer_us(TIMER_US);
		sysreg_write(cntv_cval_el0, due);
		sysreg_write(cntv_ctl_el0, TIMER_ENABLE);
		isb();
		while (READ_ONCE(shared->timers) == seen)
			count_round();
	}
	irq_off();
}

void guest_main(u64 what)
{
	gic_init();
	mmu_table_at(GB_LOCKED, TABLE_LOCKED);
	mmu_table_at(GB_CHANGING, TABLE_CHANGING);
	mmu_table_at(GB_LOOP, TABLE_LOOP);
	mmu_table_at(GB_ABSENT, ABSENT_IPA);
	if (what & (CPU1_CHANGE | CPU1_LOOK | CPU1_SLEEP | CPU1_OFF))
		ASSERT_EQ(smp_start(1, other, what), PSCI_SUCCESS);
	WRITE_ONCE(shared->ready, 1);
	if (what & CPU0_TIMER)
		timers_for_ever();
	else
		look_for_ever();
}
