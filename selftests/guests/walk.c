// SPDX-License-Identifier: GPL-2.0
/* vCPUs that go through memory for ever and check it; see lib/walk.h. */
#include "guest.h"
#include "../lib/walk.h"

static struct walk_args *const args = (struct walk_args *)SHARED_IPA;

/* The first one counts; the others are under way still. */
static void __noreturn bad(u64 addr, u64 got, u64 want)
{
	if (!READ_ONCE(args->bad)) {
		args->got = got;
		args->want = want;
		dsb(ish);
		WRITE_ONCE(args->bad, addr);
	}
	done(1);
}

/* The flags as they are after @got was read: they change before what they allow does. */
static bool as_before(u64 got, u64 want, u64 written)
{
	u64 flags;

	if (got == want)
		return true;
	dsb(ish);
	flags = READ_ONCE(args->flags);
	return !got && ((!written && !(flags & WALK_FILLED)) || (flags & WALK_ZERO));
}

static u64 walk_once(u32 cpu, u64 written, bool write)
{
	u64 page, addr, got, want, zeros = 0;

	for (page = WALK_IPA; page < WALK_IPA + args->size; page += WALK_PAGE) {
		addr = page + walk_word(page, cpu);
		want = walk_value(page, cpu, written);
		got = mmio_read(addr, 8);
		if (!as_before(got, want, written))
			bad(addr, got, want);
		zeros += !got && written;
		if (write)
			mmio_write(addr, 8, walk_value(page, cpu, written + 1));
	}
	return zeros;
}

static void walk(u64 arg __always_unused)
{
	u64 written = 0;
	u32 cpu = cpu_id();
	bool write;

	for (;;) {
		write = !(READ_ONCE(args->flags) & WALK_READ);
		args->zeros[cpu] += walk_once(cpu, written, write);
		if (write)
			WRITE_ONCE(args->written[cpu], ++written);
		/* What this round wrote is there before it counts (Arm ARM B2.3.12). */
		dsb(ish);
		WRITE_ONCE(args->rounds[cpu], args->rounds[cpu] + 1);
	}
}

void guest_main(u64 arg __always_unused)
{
	u32 cpu;

	for (cpu = 1; cpu < args->cpus; cpu++)
		ASSERT_EQ(smp_start(cpu, walk, 0), PSCI_SUCCESS);
	walk(0);
}
