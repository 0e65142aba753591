/* SPDX-License-Identifier: GPL-2.0 */
/* The guest library: a bare-metal guest at EL1 with identity map, vectors, GICv3, timers, PSCI. */
#ifndef GUEST_H
#define GUEST_H

#include "../../lib/common.h"
#include "../../lib/report.h"
#include "entry.h"

/* Vector numbers: exceptions from EL1 with its own stack. */
#define VECTOR_SYNC	4
#define VECTOR_IRQ	5
#define VECTOR_FIQ	6
#define VECTOR_SERROR	7

#define ESR_EC(esr)	((u32)((esr) >> 26 & 0x3f))
#define EC_UNKNOWN	0x00
#define EC_SYSREG	0x18
#define EC_IABT_EL1	0x21
#define EC_DABT_EL1	0x25

#define INTID_SPURIOUS	1023
#define PPI_VTIMER	27
#define PPI_PTIMER	30

#define PSCI_VERSION		0x84000000
#define PSCI_CPU_SUSPEND	0xc4000001
#define PSCI_CPU_OFF		0x84000002
#define PSCI_CPU_ON		0xc4000003
#define PSCI_AFFINITY_INFO	0xc4000004
#define PSCI_MIGRATE_INFO_TYPE	0x84000006
#define PSCI_SYSTEM_OFF		0x84000008
#define PSCI_SYSTEM_RESET	0x84000009
#define PSCI_FEATURES		0x8400000a
#define SMCCC_VERSION		0x80000000
#define SMCCC_ARCH_FEATURES	0x80000001

#define PSCI_SUCCESS		0
#define PSCI_NOT_SUPPORTED	-1
#define PSCI_INVALID_PARAMS	-2
#define PSCI_DENIED		-3
#define PSCI_ALREADY_ON		-4

/**
 * struct frame - registers at an exception; changes are taken back by the return
 * @x: x0 to x30
 * @pc: ELR_EL1
 * @pstate: SPSR_EL1
 * @esr: ESR_EL1
 * @far: FAR_EL1
 */
struct frame {
	u64 x[31];
	u64 pc;
	u64 pstate;
	u64 esr;
	u64 far;
};

#define sysreg_read(name)						\
	({								\
		u64 __value;						\
		asm volatile("mrs %0, " #name : "=r" (__value) : : "memory");	\
		__value;						\
	})
#define sysreg_write(name, value)					\
	asm volatile("msr " #name ", %x0" : : "rZ" ((u64)(value)) : "memory")

#define isb()		asm volatile("isb" : : : "memory")
#define dsb(scope)	asm volatile("dsb " #scope : : : "memory")
#define cpu_relax()	asm volatile("yield" : : : "memory")
#define wfi()		asm volatile("dsb sy\n\twfi" : : : "memory")
#define irq_on()	asm volatile("msr daifclr, #2\n\tisb" : : : "memory")
#define irq_off()	asm volatile("msr daifset, #2\n\tisb" : : : "memory")
#define fiq_on()	asm volatile("msr daifclr, #1\n\tisb" : : : "memory")
#define fiq_off()	asm volatile("msr daifset, #1\n\tisb" : : : "memory")

/**
 * guest_main() - the guest's own part, run on CPU 0
 * @arg: x0 as the test has set it
 *
 * Runs with the MMU on and interrupts masked. Returning is done(0).
 */
void guest_main(u64 arg);

/**
 * cpu_init() - per-CPU set-up before guest_main(): MMU, FP, this CPU's number
 * @cpu: number
 */
void cpu_init(u64 cpu);

/**
 * memcpy() - as in C
 * @to: where to
 * @from: where from
 * @size: bytes
 *
 * Return: @to
 */
void *memcpy(void *to, const void *from, size_t size);

/**
 * memset() - as in C
 * @to: where to
 * @byte: value
 * @size: bytes
 *
 * Return: @to
 */
void *memset(void *to, int byte, size_t size);

/**
 * cpu_id() - number of this CPU
 *
 * Return: as the VMM counts vCPUs
 */
static inline u32 cpu_id(void)
{
	return sysreg_read(tpidr_el1);
}

/**
 * secondary_main() - where CPUs started by smp_start() go from the entry code
 * @context: the CPU's number
 */
void secondary_main(u64 context);

/**
 * smp_start() - PSCI CPU_ON
 * @cpu: number
 * @fn: what it runs; when that returns the CPU switches itself off
 * @arg: argument of @fn
 *
 * Return: PSCI's
 */
s64 smp_start(u32 cpu, void (*fn)(u64 arg), u64 arg);

/**
 * smp_mpidr() - affinity of a CPU
 * @cpu: number
 *
 * Return: MPIDR's affinity fields
 */
u64 smp_mpidr(u32 cpu);

/**
 * report() - the report channel
 * @kind: REPORT_*
 * @value: its value
 */
void report(u32 kind, u64 value);

/**
 * sync() - report SYNC
 * @value: for the test
 */
void sync(u64 value);

/**
 * done() - report DONE, for good
 * @value: for the test
 */
void done(u64 value) __noreturn;

/**
 * print() - show a line
 * @fmt: knows %s, %d, %x, %lld and %llx
 */
void print(const char *fmt, ...) __printf(1, 2);

/**
 * assert_failed() - report ASSERT, for good
 * @file: where
 * @line: where
 * @expr: text
 * @got: value found
 * @want: value expected
 */
void assert_failed(const char *file, int line, const char *expr, u64 got, u64 want) __noreturn;

#define ASSERT_EQ(a, b)							\
	do {								\
		u64 __got = (u64)(a), __want = (u64)(b);		\
									\
		if (__got != __want)					\
			assert_failed(__FILE__, __LINE__, #a, __got, __want);	\
	} while (0)
#define ASSERT(c)							\
	do {								\
		if (!(c))						\
			assert_failed(__FILE__, __LINE__, #c, 0, 1);	\
	} while (0)

/**
 * vector_set() - handle an exception
 * @vector: VECTOR_*
 * @fn: called with the frame; NULL for the default, which ends the guest by ASSERT
 */
void vector_set(int vector, void (*fn)(struct frame *frame));

/**
 * exception() - where the vectors go
 * @vector: its number
 * @frame: registers
 */
void exception(u64 vector, struct frame *frame);

/**
 * mmu_enable() - switch the identity map on for this CPU
 *
 * 0-1 GB is device memory; RAM_IPA + 1 GB is normal, the first 2 MB of it as pages, then blocks.
 */
void mmu_enable(void);

/**
 * mmu_user_block() - let EL0 read, write and execute 2 MB of memory
 * @addr: its address, above the first 2 MB
 */
void mmu_user_block(u64 addr);

/**
 * mmu_table_at() - let a level 1 entry point at a table
 * @index: which GB
 * @addr: of the table
 */
void mmu_table_at(u32 index, u64 addr);

/**
 * mmu_memory_at() - let a level 1 entry map its GB as normal memory
 * @index: which GB, from 4
 */
void mmu_memory_at(u32 index);

/**
 * mmio_read() - a load with a valid syndrome
 * @addr: address
 * @bytes: 1, 2, 4 or 8
 *
 * Return: value
 */
u64 mmio_read(u64 addr, int bytes);

/**
 * mmio_write() - a store with a valid syndrome
 * @addr: address
 * @bytes: 1, 2, 4 or 8
 * @value: value
 */
void mmio_write(u64 addr, int bytes, u64 value);

/**
 * struct smccc - registers of an SMC Calling Convention call
 * @x: x0 to x7, arguments and then results
 */
struct smccc {
	u64 x[8];
};

/**
 * smccc_hvc() - a call by HVC #0
 * @c: arguments, replaced by results
 */
void smccc_hvc(struct smccc *c);

/**
 * hvc() - a call with up to three arguments
 * @fn: function id
 * @a: x1
 * @b: x2
 * @c: x3
 *
 * Return: x0
 */
s64 hvc(u32 fn, u64 a, u64 b, u64 c);

/**
 * gic_init() - distributor (when this is CPU 0), this CPU's redistributor and interface
 *
 * All interrupts are in group 1, priority 0xa0, disabled.
 */
void gic_init(void);

/**
 * gic_handler() - what IRQs call
 * @fn: called with the INTID between acknowledge and EOI
 */
void gic_handler(void (*fn)(u32 intid));

/**
 * gic_reg() - address of a register that holds a field of an interrupt
 * @offset: register of INTID 0 as in the distributor; SGIs and PPIs go to this CPU's redistributor
 * @bits: width of the field
 * @intid: interrupt
 *
 * Return: address of the word
 */
u64 gic_reg(u32 offset, u32 bits, u32 intid);

#define GICD_CTLR		0x0000
#define GICD_TYPER		0x0004
#define GICD_IIDR		0x0008
#define GICD_IGROUPR		0x0080
#define GICD_ISENABLER		0x0100
#define GICD_ICENABLER		0x0180
#define GICD_ISPENDR		0x0200
#define GICD_ICPENDR		0x0280
#define GICD_ISACTIVER		0x0300
#define GICD_ICACTIVER		0x0380
#define GICD_IPRIORITYR		0x0400
#define GICD_ICFGR		0x0c00
#define GICD_IROUTER		0x6000
#define GICR_CTLR		0x0000
#define GICR_TYPER		0x0008
#define GICR_WAKER		0x0014
#define GICR_SGI_OFFSET		0x10000
#define GICR_STRIDE		0x20000

/**
 * gic_set_bit() - write the bit of an interrupt to a set or clear register
 * @offset: GICD_ISENABLER …
 * @intid: interrupt
 */
void gic_set_bit(u32 offset, u32 intid);

/**
 * gic_get_bit() - read the bit of an interrupt
 * @offset: GICD_ISENABLER …
 * @intid: interrupt
 *
 * Return: the bit
 */
bool gic_get_bit(u32 offset, u32 intid);

/**
 * gic_priority() - set an interrupt's priority
 * @intid: interrupt
 * @priority: lower is more urgent
 */
void gic_priority(u32 intid, u8 priority);

/**
 * gic_edge() - choose how an interrupt triggers
 * @intid: interrupt
 * @edge: rising edge, else level
 */
void gic_edge(u32 intid, bool edge);

/**
 * gic_route() - send an SPI to a CPU
 * @intid: interrupt
 * @cpu: number
 */
void gic_route(u32 intid, u32 cpu);

/**
 * gic_sgi() - send an SGI
 * @cpu: target
 * @intid: 0 to 15
 */
void gic_sgi(u32 cpu, u32 intid);

/**
 * gic_group() - choose an interrupt's group
 * @intid: interrupt
 * @group: 0 (signalled as FIQ) or 1 (as IRQ)
 */
void gic_group(u32 intid, u32 group);

/**
 * gic_settle() - what can be delivered has been delivered when it returns
 *
 * Interrupts are looked at on each way into the guest; these are some exits.
 */
void gic_settle(void);

/* The GIC CPU interface by encoding: old assemblers do not know all names. */
#define ICC_PMR_EL1		s3_0_c4_c6_0
#define ICC_IAR0_EL1		s3_0_c12_c8_0
#define ICC_EOIR0_EL1		s3_0_c12_c8_1
#define ICC_HPPIR0_EL1		s3_0_c12_c8_2
#define ICC_BPR0_EL1		s3_0_c12_c8_3
#define ICC_IGRPEN0_EL1		s3_0_c12_c12_6
#define ICC_IAR1_EL1		s3_0_c12_c12_0
#define ICC_EOIR1_EL1		s3_0_c12_c12_1
#define ICC_HPPIR1_EL1		s3_0_c12_c12_2
#define ICC_BPR1_EL1		s3_0_c12_c12_3
#define ICC_CTLR_EL1		s3_0_c12_c12_4
#define ICC_SRE_EL1		s3_0_c12_c12_5
#define ICC_IGRPEN1_EL1		s3_0_c12_c12_7
#define ICC_DIR_EL1		s3_0_c12_c11_1
#define ICC_RPR_EL1		s3_0_c12_c11_3
#define ICC_SGI1R_EL1		s3_0_c12_c11_5
#define ICC_AP1R0_EL1		s3_0_c12_c9_0
/* The names above are macros, so they need one more round of expansion. */
#define icc_read(name)		sysreg_read_x(name)
#define icc_write(name, v)	sysreg_write_x(name, v)
#define sysreg_read_x(name)	sysreg_read(name)
#define sysreg_write_x(name, v)	sysreg_write(name, v)

#define TIMER_ENABLE	1
#define TIMER_IMASK	2
#define TIMER_ISTATUS	4

/**
 * timer_now() - the virtual counter
 *
 * Return: ticks
 */
static inline u64 timer_now(void)
{
	isb();
	return sysreg_read(cntvct_el0);
}

/**
 * timer_us() - microseconds in ticks
 * @us: microseconds, may be negative
 *
 * Return: ticks, not 0
 */
u64 timer_us(u64 us);

#endif
