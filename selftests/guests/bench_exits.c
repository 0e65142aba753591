// SPDX-License-Identifier: GPL-2.0
/*
 * Times what a guest asks of a hypervisor, by the virtual counter. Interrupts are on unless an
 * operation says otherwise; who spins says so by YIELD, so that the emulator runs the other CPU.
 */
#include "guest.h"
#include "bench_exits.h"

#define SGI_BENCH	5
/* In-tree KVM polls up to 0.5 ms before a vCPU sleeps: what is to find it asleep waits longer. */
#define ASLEEP_US	1000

static u64 sgi_seen, timer_seen, timer_late, spi_seen, spi_at, stop;
static struct bench_shared * const shared = (void *)SHARED_IPA;

static void timer_arm(u64 us)
{
	sysreg_write(cntv_cval_el0, timer_now() + timer_us(us));
	sysreg_write(cntv_ctl_el0, TIMER_ENABLE);
	isb();
}

static void handler(u32 intid)
{
	u64 now = timer_now();

	if (intid == PPI_VTIMER) {
		timer_late = now - sysreg_read(cntv_cval_el0);
		sysreg_write(cntv_ctl_el0, 0);
		isb();
		WRITE_ONCE(timer_seen, timer_seen + 1);
	} else if (intid == BENCH_SPI) {
		WRITE_ONCE(spi_at, now);
		WRITE_ONCE(spi_seen, spi_seen + 1);
	} else if (intid == SGI_BENCH) {
		WRITE_ONCE(sgi_seen, sgi_seen + 1);
	}
}

static void spin_while(u64 *word, u64 value)
{
	while (READ_ONCE(*word) == value)
		cpu_relax();
}

/* WFI until *word changes; masked in between, or the interrupt could come before the WFI. */
static void sleep_while(u64 *word, u64 value)
{
	irq_off();
	while (READ_ONCE(*word) == value) {
		wfi();
		irq_on();
		irq_off();
	}
	irq_on();
}

static void sleep_us(u64 us)
{
	u64 seen = READ_ONCE(timer_seen);

	timer_arm(us);
	sleep_while(&timer_seen, seen);
}

/*
 * Where single operations are timed, a tick may be many instructions: begin at another point of it
 * each time, so that the mean is right.
 */
static void dither(int n)
{
	for (n &= 15; n; n--)
		asm volatile("nop");
}

static void run_nothing(int n __always_unused)
{
}

static void run_hypercall(int n)
{
	register u64 x0 asm("x0");

	while (n--) {
		x0 = SMCCC_VERSION;
		asm volatile("hvc #0" : "+r" (x0) : : "x1", "x2", "x3", "memory");
	}
}

static void run_hypercall_host(int n)
{
	while (n--)
		hvc(PSCI_AFFINITY_INFO, 0, 0, 0);
}

static void run_sysreg(int n)
{
	while (n--)
		sysreg_read(id_aa64pfr0_el1);
}

/* GETVERSION; what it returns is put right again, as every caller has to. */
#define DOOR(name, instruction)							\
static void run_door_##name(int n)						\
{										\
	register u64 x7 asm("x7") = 0x860000000e;				\
	register u64 x3 asm("x3") = 0x5658;					\
	register u64 x2 asm("x2");						\
	register u64 x1 asm("x1");						\
	register u64 x0 asm("x0");						\
										\
	while (n--) {								\
		x0 = 0x564d5868;						\
		x2 = 10;							\
		asm volatile(instruction : "+r" (x0), "=r" (x1), "+r" (x2)	\
			     : "r" (x3), "r" (x7) : "memory");			\
	}									\
	ASSERT_EQ(x0, 6);							\
}

DOOR(dcc, "mrs xzr, mdccsr_el0")
DOOR(brk, "brk #0x86")
DOOR(hvc, "hvc #0x86")

/* --- A message and its answer --- */

#define X86_IN		0x860000000e	/* X7: IN EAX, DX */
#define X86_REP_OUTSB	0x8600000018
#define X86_REP_INSB	0x860000001c
#define PORT		0x5658
#define PORT_HIGH	0x5659

static struct {
	bool open;
	u64 number;	/* as W3 has it */
	u64 high;	/* cookies */
	u64 low;
} channel;

static void backdoor(u64 *x)
{
	register u64 x0 asm("x0") = x[0];
	register u64 x1 asm("x1") = x[1];
	register u64 x2 asm("x2") = x[2];
	register u64 x3 asm("x3") = x[3];
	register u64 x4 asm("x4") = x[4];
	register u64 x5 asm("x5") = x[5];
	register u64 x6 asm("x6") = x[6];
	register u64 x7 asm("x7") = x[7];

	asm volatile("mrs xzr, mdccsr_el0"
		     : "+r" (x0), "+r" (x1), "+r" (x2), "+r" (x3), "+r" (x4), "+r" (x5)
		     : "r" (x6), "r" (x7) : "memory");
	memcpy(x, (u64 []){ x0, x1, x2, x3, x4, x5 }, 6 * sizeof(*x));
}

/* A call of MESSAGE; its W1. */
static u64 message(u32 type, u64 value)
{
	u64 x[8] = { 0x564d5868, value, type << 16 | 30, channel.number | PORT, channel.high,
		     channel.low, 0, X86_IN };

	backdoor(x);
	ASSERT(x[2] >> 16 & 1);
	if (type == 0) {
		channel.number = x[3] & 0xffff0000;
		channel.high = x[4];
		channel.low = x[5];
	}
	return x[1];
}

/* The message by the high bandwidth; its two forms name buffer and cookies differently. */
static void high(u64 x4, u64 x5, u64 x6, u64 x7)
{
	u64 x[8] = { 0x564d5868, 0x10000, BENCH_MESSAGE_SIZE, channel.number | PORT_HIGH,
		     x4, x5, x6, x7 };

	backdoor(x);
	ASSERT_EQ(x[1], 0x10000);
}

static void message_end(void)
{
	if (channel.open)
		message(6, 0);
}

static void run_message(int n)
{
	if (!channel.open) {
		message(0, 0x49435052 | 0x80000000);
		channel.open = true;
	}
	while (n--) {
		message(1, BENCH_MESSAGE_SIZE);
		high(BENCH_REQUEST_IPA, channel.low, channel.high, X86_REP_OUTSB);
		ASSERT_EQ(message(3, 0), BENCH_MESSAGE_SIZE);
		high(channel.high, BENCH_ANSWER_IPA, channel.low, X86_REP_INSB);
		message(5, 1);
	}
}

/* --- Debug --- */

#define MDSCR_MDE	BIT(15)
#define BCR_EL0		(1 | 2 << 1 | 0xf << 5)	/* enabled, at EL0, four bytes */

static void run_debugger(int n)
{
	u64 mdscr = sysreg_read(mdscr_el1) & ~MDSCR_MDE;

	sysreg_write(oslar_el1, 0);
	while (n--) {
		sysreg_write(dbgbvr0_el1, 0x1000);
		sysreg_write(dbgbcr0_el1, BCR_EL0);
		sysreg_write(mdscr_el1, mdscr | MDSCR_MDE);
		isb();
		sysreg_write(dbgbcr0_el1, 0);
		sysreg_write(mdscr_el1, mdscr);
		isb();
	}
}

static void run_vgic_read(int n)
{
	while (n--)
		mmio_read(GICD_IPA + GICD_IIDR, 4);
}

static void run_vgic_write(int n)
{
	u64 addr = gic_reg(GICD_ISENABLER, 1, BENCH_SPI);

	while (n--)
		mmio_write(addr, 4, BIT(BENCH_SPI % 32));
}

static void run_mmio_user(int n)
{
	while (n--)
		mmio_read(MMIO_IPA, 4);
}

static void run_fault_4k(int n)
{
	while (n--)
		mmio_write(BENCH_4K_IPA + n * 4096ULL, 8, 1);
}

static void run_fault_2m(int n)
{
	while (n--)
		mmio_write(BENCH_2M_IPA + ((u64)n << 21), 8, 1);
}

static void run_wfi_wake(int n)
{
	while (n--)
		sleep_us(ASLEEP_US);
}

/* As sleep_us(), by CPU_SUSPEND: the interrupt ends it although it is masked. */
static void suspend_us(u32 state, u64 us)
{
	u64 seen = READ_ONCE(timer_seen);

	irq_off();
	timer_arm(us);
	while (READ_ONCE(timer_seen) == seen) {
		hvc(PSCI_CPU_SUSPEND, state, 0, 0);
		irq_on();
		irq_off();
	}
	irq_on();
}

static void shallow_us(u64 us)
{
	suspend_us(BENCH_SHALLOW, us);
}

static void deep_us(u64 us)
{
	suspend_us(BENCH_DEEP, us);
}

static void run_suspend(int n)
{
	while (n--)
		shallow_us(ASLEEP_US);
}

static void run_suspend_deep(int n)
{
	while (n--)
		deep_us(ASLEEP_US);
}

/* From the deadline to the handler. */
static u64 late_ticks(int n, void (*sleep)(u64 us))
{
	u64 sum = 0;

	while (n--) {
		sleep(ASLEEP_US);
		sum += timer_late;
	}
	return sum;
}

static u64 late_wfi_ticks(int n)
{
	return late_ticks(n, sleep_us);
}

static u64 late_suspend_ticks(int n)
{
	return late_ticks(n, shallow_us);
}

static u64 late_deep_ticks(int n)
{
	return late_ticks(n, deep_us);
}

static void run_perf(int n)
{
	while (n--)
		mmio_write(BENCH_PERF_IPA + 4, 4, 500000 + n);
}

/* Only the EOI is timed: the SGI to oneself before it is not. */
static u64 eoi_ticks(int n)
{
	u64 sum = 0, start;
	u32 intid;

	irq_off();
	while (n--) {
		gic_sgi(0, SGI_BENCH);
		do {
			intid = icc_read(ICC_IAR1_EL1);
		} while (intid >= 1020);
		dither(n);
		start = timer_now();
		icc_write(ICC_EOIR1_EL1, intid);
		sum += timer_now() - start;
	}
	irq_on();
	return sum;
}

static u64 timer_ticks(int n)
{
	u64 sum = 0, seen;

	while (n--) {
		seen = READ_ONCE(timer_seen);
		dither(n);
		timer_arm(20);
		spin_while(&timer_seen, seen);
		sum += timer_late;
	}
	return sum;
}

/* @wake: until the waiting thread has run, else until the next instruction of the guest. */
static u64 kick_ticks(int n, bool wake)
{
	u64 sum = 0, start, end, woken;

	while (n--) {
		sleep_us(ASLEEP_US);
		woken = READ_ONCE(shared->woken);
		dither(n);
		start = timer_now();
		mmio_write(BENCH_KICK_IPA, 4, n);
		end = timer_now();
		spin_while(&shared->woken, woken);
		if (wake)
			end = timer_now();
		sum += end - start;
	}
	return sum;
}

static u64 ioeventfd_ticks(int n)
{
	return kick_ticks(n, false);
}

static u64 ioeventfd_wake_ticks(int n)
{
	return kick_ticks(n, true);
}

static u64 irqfd_ticks(int n)
{
	u64 sum = 0, start, seen;

	while (n--) {
		seen = READ_ONCE(spi_seen);
		dither(n);
		start = timer_now();
		WRITE_ONCE(shared->request, shared->request + 1);
		spin_while(&spi_seen, seen);
		sum += READ_ONCE(spi_at) - start;
	}
	return sum;
}

static u64 ipi_ticks(int n)
{
	u64 start = timer_now(), seen;

	while (n--) {
		seen = READ_ONCE(sgi_seen);
		gic_sgi(1, SGI_BENCH);
		spin_while(&sgi_seen, seen);
	}
	return timer_now() - start;
}

static u64 ipi_blocked_ticks(int n)
{
	u64 sum = 0, start, seen;

	while (n--) {
		sleep_us(ASLEEP_US);
		seen = READ_ONCE(sgi_seen);
		dither(n);
		start = timer_now();
		gic_sgi(1, SGI_BENCH);
		spin_while(&sgi_seen, seen);
		sum += timer_now() - start;
	}
	return sum;
}

static void other_cpu(u64 blocks)
{
	u64 seen;

	gic_init();
	gic_set_bit(GICD_ISENABLER, SGI_BENCH);
	irq_on();
	WRITE_ONCE(sgi_seen, 1);
	while (!READ_ONCE(stop)) {
		seen = READ_ONCE(sgi_seen);
		if (blocks)
			sleep_while(&sgi_seen, seen);
		else
			cpu_relax();
	}
	irq_off();
}

static const struct {
	void (*run)(int n);
	u64 (*ticks)(int n);
	int rounds;
} ops[BENCH_NR] = {
	[BENCH_NOTHING]		= { run_nothing, NULL, 1 },
	[BENCH_HYPERCALL]	= { run_hypercall, NULL, 1000 },
	[BENCH_HYPERCALL_HOST]	= { run_hypercall_host, NULL, 1000 },
	[BENCH_SYSREG]		= { run_sysreg, NULL, 1000 },
	[BENCH_DOOR_DCC]	= { run_door_dcc, NULL, 1000 },
	[BENCH_DOOR_BRK]	= { run_door_brk, NULL, 1000 },
	[BENCH_DOOR_HVC]	= { run_door_hvc, NULL, 1000 },
	[BENCH_MESSAGE]		= { run_message, NULL, 20 },
	[BENCH_DEBUGGER]	= { run_debugger, NULL, 500 },
	[BENCH_DEBUGGER_DCC]	= { run_debugger, NULL, 500 },
	[BENCH_DEBUGGER_BOTH]	= { run_debugger, NULL, 500 },
	[BENCH_VGIC_READ]	= { run_vgic_read, NULL, 1000 },
	[BENCH_VGIC_WRITE]	= { run_vgic_write, NULL, 1000 },
	[BENCH_MMIO_USER]	= { run_mmio_user, NULL, 1000 },
	[BENCH_FAULT_4K]	= { run_fault_4k, NULL, BENCH_4K_COUNT },
	[BENCH_FAULT_2M]	= { run_fault_2m, NULL, BENCH_2M_COUNT },
	[BENCH_EOI]		= { NULL, eoi_ticks, 1000 },
	[BENCH_TIMER]		= { NULL, timer_ticks, 500 },
	[BENCH_WFI_WAKE]	= { run_wfi_wake, NULL, 50 },
	[BENCH_SUSPEND]		= { run_suspend, NULL, 50 },
	[BENCH_SUSPEND_SHALLOW]	= { run_suspend, NULL, 50 },
	[BENCH_SUSPEND_DEEP]	= { run_suspend_deep, NULL, 50 },
	[BENCH_LATE_WFI]	= { NULL, late_wfi_ticks, 50 },
	[BENCH_LATE_SUSPEND]	= { NULL, late_suspend_ticks, 50 },
	[BENCH_LATE_SHALLOW]	= { NULL, late_suspend_ticks, 50 },
	[BENCH_LATE_DEEP]	= { NULL, late_deep_ticks, 50 },
	[BENCH_PERF]		= { run_perf, NULL, 10000 },
	[BENCH_IOEVENTFD]	= { NULL, ioeventfd_ticks, 50 },
	[BENCH_IOEVENTFD_WAKE]	= { NULL, ioeventfd_wake_ticks, 50 },
	[BENCH_IRQFD]		= { NULL, irqfd_ticks, 200 },
	[BENCH_IPI]		= { NULL, ipi_ticks, 500 },
	[BENCH_IPI_BLOCKED]	= { NULL, ipi_blocked_ticks, 50 },
};

static void batch(int op)
{
	u64 start, ticks;

	sync(0);
	if (ops[op].ticks) {
		ticks = ops[op].ticks(ops[op].rounds);
	} else {
		start = timer_now();
		ops[op].run(ops[op].rounds);
		ticks = timer_now() - start;
	}
	sync(BENCH_REPORT(ticks, ops[op].rounds));
}

void guest_main(u64 arg)
{
	int op = BENCH_ARG_OP(arg), n = BENCH_ARG_BATCHES(arg) + 1;

	gic_init();
	gic_handler(handler);
	gic_set_bit(GICD_ISENABLER, SGI_BENCH);
	gic_set_bit(GICD_ISENABLER, PPI_VTIMER);
	gic_edge(BENCH_SPI, true);
	gic_route(BENCH_SPI, 0);
	gic_set_bit(GICD_ISENABLER, BENCH_SPI);
	irq_on();
	if (op == BENCH_IPI || op == BENCH_IPI_BLOCKED) {
		ASSERT_EQ(smp_start(1, other_cpu, op == BENCH_IPI_BLOCKED), 0);
		spin_while(&sgi_seen, 0);
	}
	while (n--)
		batch(op);
	message_end();
	WRITE_ONCE(stop, 1);
	done(0);
}
