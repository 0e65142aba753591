// SPDX-License-Identifier: GPL-2.0
/* Many CPUs that count and pass a token round; or few, in memory that never stays. */
#include "guest.h"
#include "vm_storm.h"

#define SGI_TOKEN	5

static u32 cpus, arrived;
static u64 tokens[MAX_CPUS];

static struct storm_cpu *mine(void)
{
	return (struct storm_cpu *)SHARED_IPA + cpu_id();
}

static void count(u64 *counter)
{
	WRITE_ONCE(*counter, *counter + 1);
}

static void take_token(u32 intid)
{
	ASSERT_EQ(intid, SGI_TOKEN);
	WRITE_ONCE(tokens[cpu_id()], 1);
}

static void pass_token(void)
{
	count(&mine()->passed);
	gic_sgi((cpu_id() + 1) % cpus, SGI_TOKEN);
}

static void count_for_ever(void)
{
	u32 cpu = cpu_id();

	if (cpu)
		gic_init();
	gic_set_bit(GICD_ISENABLER, SGI_TOKEN);
	irq_on();
	/* The last one to get here starts the round: all have their interrupts on. */
	if (__atomic_add_fetch(&arrived, 1, __ATOMIC_ACQ_REL) == cpus)
		pass_token();
	for (;;) {
		count(&mine()->work);
		/*
		 * Most sleep and must be woken; some spin and must be made to give way, as soon as
		 * all are there.
		 */
		irq_off();
		if ((cpu % 16 || !mine()->passed) && !READ_ONCE(tokens[cpu]))
			wfi();
		irq_on();
		if (READ_ONCE(tokens[cpu])) {
			WRITE_ONCE(tokens[cpu], 0);
			pass_token();
		}
	}
}

/*
 * @last is what the word held when this CPU looked last, @stamp the newest stamp of the host's it
 * has seen there. What the host has taken away does not come back: not its own word, and no older
 * stamp.
 */
static u64 look(u64 addr, u64 last, u64 *stamp)
{
	u64 word = mmio_read(addr, 8);

	if (word & HOST_STAMP) {
		ASSERT(word >= *stamp);
		*stamp = word;
	} else if (word) {
		ASSERT_EQ(word, last);
	}
	return word;
}

static void write_for_ever(void)
{
	static u64 stamps[STORM_WRITERS][STORM_PAGES], last[STORM_WRITERS][STORM_PAGES];
	u32 cpu = cpu_id(), page;
	u64 i, addr;

	for (i = 1;; i++) {
		page = (i * 7 + cpu * 13) % STORM_PAGES;
		addr = STORM_IPA + page * 4096 + cpu * 8;
		look(addr, last[cpu][page], &stamps[cpu][page]);
		mmio_write(addr, 8, i);
		last[cpu][page] = look(addr, i, &stamps[cpu][page]);
		count(&mine()->work);
	}
}

static void work(u64 part)
{
	if (part == STORM_MEMORY)
		write_for_ever();
	count_for_ever();
}

void guest_main(u64 arg)
{
	u64 part = arg >> 8;
	u32 cpu;

	cpus = arg & 0xff;
	if (part == STORM_COUNT) {
		gic_handler(take_token);
		gic_init();
	}
	for (cpu = 1; cpu < cpus; cpu++)
		ASSERT_EQ(smp_start(cpu, work, part), PSCI_SUCCESS);
	work(part);
}
