// SPDX-License-Identifier: GPL-2.0
/* Work that eight CPUs do together. */
#include "guest.h"
#include "vcpu_smp.h"

#define SGI_RING	3
#define SGI_ALL		4

#define LOCK_ROUNDS	500
#define ATOMIC_ROUNDS	1500000
#define RING_ROUNDS	20
#define BROADCASTS	20
#define TLB_ROUNDS	30

static u32 lock, arrived, sense, in_lock;
static u64 plain[4], atomic, ring_seen[SMP_CPUS], all_seen[SMP_CPUS];

static void lock_take(void)
{
	while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
		while (READ_ONCE(lock))
			asm volatile("wfe" : : : "memory");
}

static void lock_give(void)
{
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
	asm volatile("dsb ishst\n\tsev" : : : "memory");
}

static void barrier(void)
{
	u32 now = READ_ONCE(sense);

	if (__atomic_add_fetch(&arrived, 1, __ATOMIC_ACQ_REL) == SMP_CPUS) {
		WRITE_ONCE(arrived, 0);
		__atomic_store_n(&sense, !now, __ATOMIC_RELEASE);
		asm volatile("dsb ishst\n\tsev" : : : "memory");
		return;
	}
	while (__atomic_load_n(&sense, __ATOMIC_ACQUIRE) == now)
		asm volatile("wfe" : : : "memory");
}

/* Long enough between load and store for another CPU to come between them. */
static void slow_add(u64 *p, u64 n)
{
	u64 value = READ_ONCE(*p);
	int i;

	for (i = 0; i < 2000; i++)
		asm volatile("" : : : "memory");
	WRITE_ONCE(*p, value + n);
}

/* Locks and counters that nobody else wants at that moment would show nothing. */
static void part_locks(u64 arg __always_unused)
{
	int i, k;

	barrier();
	for (i = 0; i < LOCK_ROUNDS; i++) {
		lock_take();
		ASSERT_EQ(in_lock, 0);
		WRITE_ONCE(in_lock, 1);
		for (k = 0; k < 4; k++)
			slow_add(&plain[k], k + 1);
		WRITE_ONCE(in_lock, 0);
		lock_give();
	}
	barrier();
	for (k = 0; k < 4; k++)
		ASSERT_EQ(plain[k], SMP_CPUS * LOCK_ROUNDS * (k + 1));
}

static void part_atomics(u64 arg __always_unused)
{
	int i;

	barrier();
	for (i = 0; i < ATOMIC_ROUNDS; i++)
		__atomic_add_fetch(&atomic, i, __ATOMIC_RELAXED);
	barrier();
	ASSERT_EQ(atomic, (u64)SMP_CPUS * (ATOMIC_ROUNDS - 1) * ATOMIC_ROUNDS / 2);
}

static void count_sgi(u32 intid)
{
	u64 *seen = intid == SGI_RING ? ring_seen : all_seen;

	ASSERT(intid == SGI_RING || intid == SGI_ALL);
	__atomic_add_fetch(&seen[cpu_id()], 1, __ATOMIC_RELEASE);
}

static void gic_start(void)
{
	gic_init();
	gic_set_bit(GICD_ISENABLER, SGI_RING);
	gic_set_bit(GICD_ISENABLER, SGI_ALL);
	barrier();
}

/* Sleep until a counter that an interrupt raises gets there. */
static void sleep_until(u64 *counter, u64 value)
{
	/* Masked from the look to WFI, which a pending interrupt ends all the same. */
	irq_off();
	while (__atomic_load_n(counter, __ATOMIC_ACQUIRE) < value) {
		wfi();
		irq_on();
		irq_off();
	}
	irq_on();
}

/* A token goes round: each CPU sleeps until it comes and passes it on. */
static void part_ring(u64 arg __always_unused)
{
	u32 cpu = cpu_id();
	u64 i;

	gic_start();
	irq_on();
	for (i = 1; i <= RING_ROUNDS; i++) {
		if (cpu) {
			sleep_until(&ring_seen[cpu], i);
			ASSERT_EQ(ring_seen[cpu], i);
		}
		/* Once it is passed on, it may come again before this CPU runs on. */
		gic_sgi((cpu + 1) % SMP_CPUS, SGI_RING);
		if (!cpu) {
			sleep_until(&ring_seen[0], i);
			ASSERT_EQ(ring_seen[0], i);
		}
	}
	barrier();
	ASSERT_EQ(ring_seen[cpu], RING_ROUNDS);
}

/* IRM: to all but the sender. */
static void part_broadcast(u64 arg __always_unused)
{
	u32 cpu = cpu_id();
	u64 i;

	gic_start();
	irq_on();
	for (i = 0; i < BROADCASTS; i++) {
		if (cpu == i % SMP_CPUS) {
			dsb(ishst);
			icc_write(ICC_SGI1R_EL1, BIT(40) | (u64)SGI_ALL << 24);
			isb();
		} else {
			sleep_until(&all_seen[cpu], i + 1 - (i + SMP_CPUS - cpu) / SMP_CPUS);
		}
		barrier();
	}
	ASSERT_EQ(all_seen[cpu], BROADCASTS - (BROADCASTS - 1 - cpu + SMP_CPUS) / SMP_CPUS);
}

/* TLB maintenance by broadcast, from all CPUs at once, with code maintenance beside it. */
static void part_tlb(u64 arg __always_unused)
{
	u64 page = FREE_IPA + ((u64)cpu_id() << 20);
	int i;

	for (i = 0; i < TLB_ROUNDS; i++) {
		mmio_write(page, 8, i);
		dsb(ish);
		asm volatile("tlbi vaae1is, %0" : : "r" (page >> 12) : "memory");
		asm volatile("tlbi vmalle1is\n\tdsb ish" : : : "memory");
		asm volatile("ic ialluis\n\tdsb ish\n\tisb" : : : "memory");
		ASSERT_EQ(mmio_read(page, 8), i);
	}
	barrier();
}

static void (*const parts[])(u64 arg) = {
	[PART_LOCKS] = part_locks,
	[PART_ATOMICS] = part_atomics,
	[PART_RING] = part_ring,
	[PART_BROADCAST] = part_broadcast,
	[PART_TLB] = part_tlb,
};

void guest_main(u64 part)
{
	u32 cpu;

	gic_handler(count_sgi);
	for (cpu = 1; cpu < SMP_CPUS; cpu++)
		ASSERT_EQ(smp_start(cpu, parts[part], 0), PSCI_SUCCESS);
	parts[part](0);
	for (cpu = 1; cpu < SMP_CPUS; cpu++)
		while (hvc(PSCI_AFFINITY_INFO, smp_mpidr(cpu), 0, 0) != 1)
			cpu_relax();
	done(SMP_RESULT);
}
