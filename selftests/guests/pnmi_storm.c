// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts between all CPUs at once. Each two CPUs have one ball, which an SGI carries to and
 * fro: a lost SGI is a ball that is nowhere, a doubled one a ball that comes where it is already.
 */
#include "guest.h"
#include "pnmi_storm.h"

static u32 cpus, timers, arrived;
static bool ball[STORM_MAX_CPUS][STORM_MAX_CPUS];	/* where, with whom it is played */
static u32 seed[STORM_MAX_CPUS];

static struct storm *shared(void)
{
	return (struct storm *)SHARED_IPA;
}

static void count(u64 *counter)
{
	WRITE_ONCE(*counter, *counter + 1);
}

static u32 random(void)
{
	u32 *s = &seed[cpu_id()];

	*s = *s * 1103515245 + 12345;
	return *s >> 16;
}

static void send(u32 to)
{
	count(&shared()->sent[cpu_id()][to]);
	/* The number is the sender's. */
	gic_sgi(to, cpu_id());
}

static void timer_start(void)
{
	sysreg_write(cntv_cval_el0, timer_now() + timer_us(STORM_TIMER_US));
	sysreg_write(cntv_ctl_el0, TIMER_ENABLE);
	isb();
}

/* Its next one goes elsewhere. */
static void take_spi(u32 intid)
{
	count(&shared()->spi[intid - STORM_FIRST_SPI]);
	gic_route(intid, (cpu_id() + 1) % cpus);
}

static void take(u32 intid)
{
	if (intid < 16) {
		ASSERT(intid < cpus);
		ASSERT(!READ_ONCE(ball[cpu_id()][intid]));
		WRITE_ONCE(ball[cpu_id()][intid], true);
	} else if (intid == PPI_VTIMER) {
		count(&shared()->timer[cpu_id()]);
		timer_start();
	} else {
		take_spi(intid);
	}
}

static bool has_ball(u32 me)
{
	u32 i;

	for (i = 0; i < cpus; i++)
		if (READ_ONCE(ball[me][i]))
			return true;
	return false;
}

/* Some at once, some after a while. */
static void return_balls(u32 me)
{
	u32 i;

	for (i = 0; i < cpus; i++) {
		if (!READ_ONCE(ball[me][i]) || random() % 4 == 0)
			continue;
		WRITE_ONCE(ball[me][i], false);
		send(i);
	}
}

/* Every second CPU sleeps when it has nothing to do, the others spin. */
static void play(u32 me)
{
	u32 i;

	/* The one with the lower number serves, to each. */
	for (i = me + 1; i < cpus; i++)
		send(i);
	for (;;) {
		irq_off();
		if (me % 2 && !has_ball(me))
			wfi();
		irq_on();
		return_balls(me);
	}
}

/* All at CPU 0, which only takes them. */
static void flood(u32 me)
{
	for (;;) {
		if (me)
			send(0);
	}
}

static void take_any(u32 intid __always_unused)
{
}

static void work(u64 part)
{
	u32 me = cpu_id(), i;

	if (me)
		gic_init();
	seed[me] = me + 1;
	for (i = 0; i < cpus; i++)
		gic_set_bit(GICD_ISENABLER, i);
	gic_set_bit(GICD_ISENABLER, PPI_VTIMER);
	__atomic_add_fetch(&arrived, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&arrived, __ATOMIC_ACQUIRE) < cpus)
		cpu_relax();
	irq_on();
	if (timers)
		timer_start();
	if (part == STORM_FLOOD)
		flood(me);
	play(me);
}

void guest_main(u64 arg)
{
	u64 part = arg >> 16;
	u32 i;

	timers = arg >> 8 & 0xff;
	cpus = arg & 0xff;
	gic_handler(part == STORM_FLOOD ? take_any : take);
	gic_init();
	for (i = STORM_FIRST_SPI; i < STORM_FIRST_SPI + STORM_SPIS; i++) {
		gic_edge(i, true);
		gic_route(i, i % cpus);
		gic_set_bit(GICD_ISENABLER, i);
	}
	for (i = 1; i < cpus; i++)
		ASSERT_EQ(smp_start(i, work, part), PSCI_SUCCESS);
	work(part);
}
