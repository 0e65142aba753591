// SPDX-License-Identifier: GPL-2.0
/*
 * Register pages, as both tiers see them: which registers there are, and stores that need no more
 * than to be noted. One that changes what is followed goes to the second tier; until that has
 * followed, which it does at most once in POWER_CHANGE_NS, all others end here.
 */
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <asm/barrier.h>

#include <keel/compat.h>
#include <keel/host.h>
#include <keel/vm.h>

#include "internal.h"

/* @val on the scale of which @top is KEEL_POWER_FULL; never 0, which would be no performance. */
static u32 __el2 to_full(u32 val, u32 top)
{
	u64 scaled = ((u64)min(val, top) * KEEL_POWER_FULL + top / 2) / top;

	return scaled ?: 1;
}

/*
 * ACPI 6.5, 8.4.6.1.2: desired performance is brought between minimum and maximum, and these into
 * what there is.
 */
static u32 __el2 cppc_asked(const struct power_page *page, const u32 *regs, unsigned int reg,
			    u32 val)
{
	u32 desired = reg == CPPC_DESIRED ? val : READ_ONCE(regs[CPPC_DESIRED]);
	u32 least = reg == CPPC_MIN ? val : READ_ONCE(regs[CPPC_MIN]);
	u32 most = reg == CPPC_MAX ? val : READ_ONCE(regs[CPPC_MAX]);

	least = max(least, page->level[LEVEL_LOWEST]);
	most = most ? max(most, page->level[LEVEL_LOWEST]) : page->level[LEVEL_HIGHEST];
	return to_full(min(max(desired, least), most), power_page_top(page));
}

bool __el2 power_page_asks(const struct power_page *page, const u32 *regs, unsigned int offset,
			   unsigned int len, u32 val, u32 *asked)
{
	if (len != sizeof(u32) || offset % sizeof(u32))
		return false;
	offset /= sizeof(u32);
	if (page->layout == KEEL_POWER_PAGE_CPUFREQ) {
		if (offset != CPUFREQ_SET)
			return false;
		/* One level is no lowest: any part of it can be asked for. */
		if (page->nr_levels > 1)
			val = max(val, page->level[0]);
		*asked = to_full(val, power_page_top(page));
		return true;
	}
	if (offset < CPPC_DESIRED || offset > CPPC_MAX)
		return false;
	*asked = cppc_asked(page, regs, offset, val);
	return true;
}

void __el2 power_page_publish(const u32 *regs)
{
	/*
	 * A guest that has them mapped as a device, as drivers do, reads past the caches, unless
	 * stage 2 says otherwise (FEAT_S2FWB): mismatched attributes, so the line is cleaned (Arm
	 * ARM B2.8).
	 */
	if (host.fwb)
		return;
	asm volatile("dc cvac, %0" : : "r" (regs) : "memory");
	dsb(sy);
}

void __el2 power_page_store(const struct power_page *page, u32 *regs, unsigned int offset,
			    unsigned int len, u32 val)
{
	u32 ask;

	if (power_page_asks(page, regs, offset, len, val, &ask)) {
		WRITE_ONCE(regs[offset / sizeof(u32)], val);
	} else if (page->layout == KEEL_POWER_PAGE_CPUFREQ && len == sizeof(u32) &&
		   offset == CPUFREQ_SEL * sizeof(u32)) {
		WRITE_ONCE(regs[CPUFREQ_SEL], val);
		WRITE_ONCE(regs[CPUFREQ_RD], val < page->nr_levels ?
			   page->level[array_index_nospec(val, KEEL_POWER_MAX_LEVELS)] : 0);
	} else {
		return;
	}
	power_page_publish(regs);
}

bool __el2 power_owns(const struct keel_vcpu *vcpu, struct ipa a)
{
	/* With them comes the page: pairs with power_page_attach(). */
	if (!smp_load_acquire(&vcpu->power.regs))
		return false;
	return a.v - vcpu->vm->power.page->region.base.v - vcpu->id * KEEL_POWER_STRIDE <
	       KEEL_POWER_STRIDE;
}

bool __el2 power_store_el2(struct keel_vcpu *vcpu, struct ipa a, unsigned int len, u64 val)
{
	const struct power_page *page = vcpu->vm->power.page;
	struct power_vcpu *p = &vcpu->power;
	unsigned int offset = a.v % KEEL_POWER_STRIDE;
	u32 asked;

	if (power_page_asks(page, p->regs, offset, len, val, &asked)) {
		if (READ_ONCE(vcpu->vm->power.policy) != KEEL_POWER_OFF &&
		    asked != READ_ONCE(p->asked) && !READ_ONCE(p->pending))
			return false;
		/* Who clears @pending is this vCPU's thread, so not now: it will see @asked. */
		p->asks++;
		WRITE_ONCE(p->asked, asked);
	}
	power_page_store(page, p->regs, offset, len, val);
	return true;
}
