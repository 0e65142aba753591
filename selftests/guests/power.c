// SPDX-License-Identifier: GPL-2.0
/* See power.h. CPU 0 is there from the beginning, the others when it switches them on. */
#include "guest.h"
#include "power.h"

static struct power_cpu *const cpus = (struct power_cpu *)SHARED_IPA;
static u64 deadline[POWER_CPUS];
static u64 fault_esr;

static u64 ticks_to_ns(u64 ticks)
{
	u64 freq = sysreg_read(cntfrq_el0);

	return ticks * 1000 / (freq / 1000000);
}

static void on_irq(u32 intid)
{
	struct power_cpu *c = &cpus[cpu_id()];

	if (intid != PPI_VTIMER)
		return;
	c->late = ticks_to_ns(timer_now() - deadline[cpu_id()]);
	sysreg_write(cntv_ctl_el0, TIMER_ENABLE | TIMER_IMASK);
	WRITE_ONCE(c->ticks, c->ticks + 1);
}

static void arm_timer(u64 us)
{
	deadline[cpu_id()] = timer_now() + timer_us(us);
	sysreg_write(cntv_cval_el0, deadline[cpu_id()]);
	sysreg_write(cntv_ctl_el0, TIMER_ENABLE);
	isb();
}

static void on_fault(struct frame *f)
{
	WRITE_ONCE(fault_esr, f->esr);
	f->pc += 4;
}

static u64 store_pair(u64 addr)
{
	WRITE_ONCE(fault_esr, 0);
	vector_set(VECTOR_SYNC, on_fault);
	asm volatile("stp xzr, xzr, [%0]" : : "r" (addr) : "memory");
	vector_set(VECTOR_SYNC, NULL);
	return READ_ONCE(fault_esr);
}

static u64 next_random(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Aligned, as device memory wants it; mostly near the registers. */
static void flood(u64 n, u64 seed)
{
	while (n--) {
		u64 r = next_random(&seed);
		u32 bytes = 1u << (r & 3);
		u64 offset = (r & 0xff00 ? r >> 16 & 0x3f : r >> 16 & 0xfff) & ~(u64)(bytes - 1);
		u64 page = (r >> 32) % POWER_CPUS;

		mmio_write(POWER_IPA + page * 0x1000 + offset, bytes,
			   next_random(&seed) >> (r >> 56 & 63));
		if ((r >> 48 & 0x3f) == 0)
			mmio_read(POWER_IPA + page * 0x1000 + offset, bytes);
	}
}

static void flip(const u64 *arg)
{
	u64 i;

	for (i = 0; i < arg[0]; i++)
		mmio_write(arg[1], 4, arg[2 + (i & 1)]);
}

static void sleep(u64 us)
{
	struct power_cpu *c = &cpus[cpu_id()];
	u64 ticks = READ_ONCE(c->ticks);

	irq_off();
	arm_timer(us);
	while (READ_ONCE(c->ticks) == ticks) {
		wfi();
		irq_on();
		irq_off();
	}
	irq_on();
}

static u64 suspend(u32 fn, u64 state, u64 us)
{
	u64 result;

	irq_off();
	arm_timer(us);
	result = hvc(fn, state, 0, 0);
	irq_on();
	sysreg_write(cntv_ctl_el0, 0);
	return result;
}

static void cpu_loop(u64 arg);

static void command(struct power_cpu *c, u64 what)
{
	u64 *arg = c->arg;

	switch (what) {
	case POWER_STORE:
		mmio_write(arg[0], arg[1], arg[2]);
		break;
	case POWER_LOAD:
		c->result = mmio_read(arg[0], arg[1]);
		break;
	case POWER_WFI:
		sleep(arg[0]);
		break;
	case POWER_SUSPEND:
		c->result = suspend(arg[0], arg[1], arg[2]);
		break;
	case POWER_OFF:
		WRITE_ONCE(c->command, POWER_COUNT);
		hvc(PSCI_CPU_OFF, 0, 0, 0);
		break;
	case POWER_ON:
		c->result = smp_start(arg[0], cpu_loop, 0);
		break;
	case POWER_FLOOD:
		flood(arg[0], arg[1]);
		break;
	case POWER_FLIP:
		flip(arg);
		break;
	case POWER_PAIR:
		c->result = store_pair(arg[0]);
		break;
	case POWER_END:
		done(0);
	}
	/* The result first. */
	dsb(ish);
	WRITE_ONCE(c->command, POWER_COUNT);
}

static void cpu_loop(u64 arg __always_unused)
{
	struct power_cpu *c = &cpus[cpu_id()];

	gic_init();
	gic_handler(on_irq);
	gic_set_bit(GICD_ISENABLER, PPI_VTIMER);
	irq_on();
	WRITE_ONCE(c->alive, 1);
	for (;;) {
		u64 what = READ_ONCE(c->command);

		WRITE_ONCE(c->rounds, c->rounds + 1);
		if (what)
			command(c, what);
	}
}

void guest_main(u64 arg)
{
	cpu_loop(arg);
}
