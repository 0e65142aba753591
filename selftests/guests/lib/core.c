// SPDX-License-Identifier: GPL-2.0
/* CPU set-up, exceptions, reports, SMCCC and PSCI calls. */
#include <stdarg.h>

#include "guest.h"

static void (*vector_fns[16])(struct frame *frame);
static struct report_assert assertions[MAX_CPUS];
static char lines[MAX_CPUS][256];

static struct {
	void (*fn)(u64 arg);
	u64 arg;
} secondaries[MAX_CPUS];

void cpu_init(u64 cpu)
{
	sysreg_write(tpidr_el1, cpu);
	sysreg_write(cpacr_el1, 3 << 20);
	isb();
	mmu_enable();
}

void report(u32 kind, u64 value)
{
	/* The VMM reads what the value points at once it sees the store. */
	dsb(sy);
	mmio_write(REPORT_IPA, 8, (u64)kind << REPORT_SHIFT | (value & (BIT(REPORT_SHIFT) - 1)));
}

void sync(u64 value)
{
	report(REPORT_SYNC, value);
}

void done(u64 value)
{
	for (;;)
		report(REPORT_DONE, value);
}

void assert_failed(const char *file, int line, const char *expr, u64 got, u64 want)
{
	struct report_assert *a = &assertions[cpu_id() % MAX_CPUS];

	a->file = (u64)file;
	a->line = line;
	a->expr = (u64)expr;
	a->got = got;
	a->want = want;
	for (;;)
		report(REPORT_ASSERT, (u64)a);
}

static char *put_number(char *p, u64 value, u32 base)
{
	char digits[20];
	int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (n)
		*p++ = digits[--n];
	return p;
}

static u64 next_number(va_list *ap, bool is_long)
{
	return is_long ? va_arg(*ap, u64) : va_arg(*ap, u32);
}

void print(const char *fmt, ...)
{
	char *line = lines[cpu_id() % MAX_CPUS], *p = line, *end = line + 200;
	const char *s;
	va_list ap;
	bool is_long;

	va_start(ap, fmt);
	for (; *fmt && p < end; fmt++) {
		if (*fmt != '%') {
			*p++ = *fmt;
			continue;
		}
		is_long = fmt[1] == 'l';
		fmt += is_long ? 3 : 1;
		if (*fmt == 's')
			for (s = va_arg(ap, const char *); *s && p < end;)
				*p++ = *s++;
		else
			p = put_number(p, next_number(&ap, is_long), *fmt == 'x' ? 16 : 10);
	}
	va_end(ap);
	*p = 0;
	report(REPORT_PRINT, (u64)line);
}

void vector_set(int vector, void (*fn)(struct frame *frame))
{
	vector_fns[vector] = fn;
}

void exception(u64 vector, struct frame *frame)
{
	if (vector_fns[vector]) {
		vector_fns[vector](frame);
		return;
	}
	print("vector %d, nobody expects it: esr %llx pc %llx far %llx", (u32)vector,
	      frame->esr, frame->pc, frame->far);
	assert_failed(__FILE__, __LINE__, "no fault", frame->esr, 0);
}

u64 mmio_read(u64 addr, int bytes)
{
	u64 value;

	/* Only plain loads and stores of one register describe themselves in ESR (ISV = 1). */
	switch (bytes) {
	case 1:
		asm volatile("ldrb %w0, [%1]" : "=r" (value) : "r" (addr) : "memory");
		break;
	case 2:
		asm volatile("ldrh %w0, [%1]" : "=r" (value) : "r" (addr) : "memory");
		break;
	case 4:
		asm volatile("ldr %w0, [%1]" : "=r" (value) : "r" (addr) : "memory");
		break;
	default:
		asm volatile("ldr %0, [%1]" : "=r" (value) : "r" (addr) : "memory");
	}
	return value;
}

void mmio_write(u64 addr, int bytes, u64 value)
{
	switch (bytes) {
	case 1:
		asm volatile("strb %w0, [%1]" : : "rZ" (value), "r" (addr) : "memory");
		break;
	case 2:
		asm volatile("strh %w0, [%1]" : : "rZ" (value), "r" (addr) : "memory");
		break;
	case 4:
		asm volatile("str %w0, [%1]" : : "rZ" (value), "r" (addr) : "memory");
		break;
	default:
		asm volatile("str %x0, [%1]" : : "rZ" (value), "r" (addr) : "memory");
	}
}

void smccc_hvc(struct smccc *c)
{
	register u64 x0 asm("x0") = c->x[0];
	register u64 x1 asm("x1") = c->x[1];
	register u64 x2 asm("x2") = c->x[2];
	register u64 x3 asm("x3") = c->x[3];
	register u64 x4 asm("x4") = c->x[4];
	register u64 x5 asm("x5") = c->x[5];
	register u64 x6 asm("x6") = c->x[6];
	register u64 x7 asm("x7") = c->x[7];

	asm volatile("hvc #0"
		     : "+r" (x0), "+r" (x1), "+r" (x2), "+r" (x3), "+r" (x4), "+r" (x5),
		       "+r" (x6), "+r" (x7)
		     : : "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17",
		     "memory");
	*c = (struct smccc){ { x0, x1, x2, x3, x4, x5, x6, x7 } };
}

s64 hvc(u32 fn, u64 a, u64 b, u64 c)
{
	struct smccc call = { { fn, a, b, c } };

	smccc_hvc(&call);
	return call.x[0];
}

u64 smp_mpidr(u32 cpu)
{
	return (cpu & 0xf) | (u64)(cpu >> 4) << 8;
}

void secondary_main(u64 context)
{
	secondaries[context].fn(secondaries[context].arg);
	hvc(PSCI_CPU_OFF, 0, 0, 0);
}

extern char secondary_entry[];

s64 smp_start(u32 cpu, void (*fn)(u64 arg), u64 arg)
{
	secondaries[cpu].fn = fn;
	secondaries[cpu].arg = arg;
	dsb(sy);
	return hvc(PSCI_CPU_ON, smp_mpidr(cpu), (u64)secondary_entry, cpu);
}

u64 timer_us(u64 us)
{
	s64 ticks = (s64)sysreg_read(cntfrq_el0) * (s64)us / 1000000;

	return ticks ? ticks : 1;
}
