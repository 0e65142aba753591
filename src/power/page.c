// SPDX-License-Identifier: GPL-2.0
/*
 * Register pages, the kernel's half: a VM gets them once, stage 2 lends them to the guest for
 * reading, and stores arrive on the MMIO bus.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include <keel/abi.h>
#include <keel/compat.h>

#include "internal.h"

/* A vCPU that does not exist (yet) has no registers that anybody looks at. */
static struct keel_vcpu *page_vcpu(struct keel_vcpu *vcpu, u64 offset)
{
	struct keel_vcpu *to = vm_vcpu_by_id(vcpu->vm, offset / KEEL_POWER_STRIDE);

	return to && READ_ONCE(to->power.regs) ? to : NULL;
}

static int page_write(struct keel_vcpu *vcpu, struct mmio_region *r, u64 offset, unsigned int len,
		      u64 val)
{
	const struct power_page *page = r->owner;
	struct keel_vcpu *to = page_vcpu(vcpu, offset);
	u32 asked;
	bool asks;

	if (!to)
		return 0;
	offset %= KEEL_POWER_STRIDE;
	asks = power_page_asks(page, to->power.regs, offset, len, val, &asked);
	power_page_store(page, to->power.regs, offset, len, val);
	if (asks) {
		vcpu->power.asks++;
		power_ask(to, asked);
	}
	return 0;
}

/* The guest reads the page itself: for what looks like an access of a device all the same. */
static int page_read(struct keel_vcpu *vcpu, struct mmio_region *r, u64 offset, unsigned int len,
		     u64 *val)
{
	struct keel_vcpu *to = page_vcpu(vcpu, offset);

	offset %= KEEL_POWER_STRIDE;
	*val = 0;
	if (to && offset + len <= POWER_REGS_END)
		memcpy(val, (void *)to->power.regs + offset, len);
	return 0;
}

static const struct mmio_ops page_ops = {
	.read = page_read,
	.write = page_write,
};

static bool levels_bad(const struct keel_power_page *args)
{
	unsigned int i;

	if (args->layout == KEEL_POWER_PAGE_CPPC ? args->nr_levels != LEVEL_HIGHEST + 1 :
	    !args->nr_levels || args->nr_levels > KEEL_POWER_MAX_LEVELS)
		return true;
	for (i = 0; i < KEEL_POWER_MAX_LEVELS; i++) {
		if (i >= args->nr_levels) {
			if (args->level[i])
				return true;
		} else if (!args->level[i]) {
			return true;
		} else if (i && (args->layout == KEEL_POWER_PAGE_CPPC ?
				 args->level[i] < args->level[i - 1] :
				 args->level[i] <= args->level[i - 1])) {
			return true;
		}
	}
	return false;
}

static bool page_bad(const struct keel_vm *vm, const struct keel_power_page *args)
{
	u64 size = (u64)args->nr_vcpus * KEEL_POWER_STRIDE, end = BIT_ULL(vm->stage2.ipa_bits);

	return abi_bad_argument(args) || args->pad || !PAGE_ALIGNED(args->ipa) ||
	       (args->layout != KEEL_POWER_PAGE_CPUFREQ && args->layout != KEEL_POWER_PAGE_CPPC) ||
	       !args->nr_vcpus || args->nr_vcpus > KEEL_MAX_VCPUS || args->ipa >= end ||
	       PAGE_ALIGN(size) > end - args->ipa || levels_bad(args);
}

static void lent_free(struct stage2_lent *lent)
{
	unsigned int i;

	for (i = 0; i < lent->nr && lent->page[i]; i++)
		__free_page(lent->page[i]);
	kvfree(lent);
}

static struct stage2_lent *lent_alloc(u64 ipa_base, u64 size)
{
	unsigned int i, nr = PAGE_ALIGN(size) >> PAGE_SHIFT;
	struct stage2_lent *lent = kvzalloc(struct_size(lent, page, nr), GFP_KERNEL_ACCOUNT);

	if (!lent)
		return NULL;
	lent->base = ipa(ipa_base);
	lent->nr = nr;
	for (i = 0; i < nr; i++) {
		lent->page[i] = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
		if (!lent->page[i]) {
			lent_free(lent);
			return NULL;
		}
	}
	return lent;
}

static struct power_page *page_alloc(const struct keel_power_page *args)
{
	struct power_page *page = kzalloc(sizeof(*page), GFP_KERNEL_ACCOUNT);

	if (!page)
		return NULL;
	page->layout = args->layout;
	page->nr_vcpus = args->nr_vcpus;
	page->nr_levels = args->nr_levels;
	memcpy(page->level, args->level, sizeof(page->level));
	page->lent = lent_alloc(args->ipa, (u64)args->nr_vcpus * KEEL_POWER_STRIDE);
	if (!page->lent) {
		kfree(page);
		return NULL;
	}
	page->region.base = page->lent->base;
	page->region.size = stage2_lent_size(page->lent);
	page->region.ops = &page_ops;
	page->region.owner = page;
	return page;
}

void power_page_free(struct power_page *page)
{
	if (!page)
		return;
	lent_free(page->lent);
	kfree(page);
}

static u32 *page_regs(const struct power_page *page, u32 id)
{
	u64 offset = (u64)id * KEEL_POWER_STRIDE;

	return page_address(page->lent->page[offset >> PAGE_SHIFT]) + offset % PAGE_SIZE;
}

void power_page_reset(const struct power_page *page, u32 *regs, u32 id)
{
	u32 top = power_page_top(page);

	if (page->layout == KEEL_POWER_PAGE_CPUFREQ) {
		WRITE_ONCE(regs[CPUFREQ_CUR], top);
		WRITE_ONCE(regs[CPUFREQ_SET], top);
		WRITE_ONCE(regs[CPUFREQ_LEN], page->nr_levels);
		WRITE_ONCE(regs[CPUFREQ_SEL], 0);
		WRITE_ONCE(regs[CPUFREQ_RD], page->level[0]);
		WRITE_ONCE(regs[CPUFREQ_DOMAIN], id);
	} else {
		WRITE_ONCE(regs[CPPC_HIGHEST], top);
		WRITE_ONCE(regs[CPPC_NOMINAL], page->level[LEVEL_NOMINAL]);
		WRITE_ONCE(regs[CPPC_LOWEST_NONLINEAR], page->level[LEVEL_LOWEST_NONLINEAR]);
		WRITE_ONCE(regs[CPPC_LOWEST], page->level[LEVEL_LOWEST]);
		WRITE_ONCE(regs[CPPC_DESIRED], top);
		WRITE_ONCE(regs[CPPC_MIN], 0);
		WRITE_ONCE(regs[CPPC_MAX], 0);
		WRITE_ONCE(regs[CPPC_REFERENCE], top);
	}
	power_page_publish(regs);
}

void power_page_attach(struct keel_vcpu *vcpu)
{
	struct power_page *page = vcpu->vm->power.page;

	lockdep_assert_held(&vcpu->vm->power.lock);
	if (!page || vcpu->id >= page->nr_vcpus || vcpu->power.regs)
		return;
	power_page_reset(page, page_regs(page, vcpu->id), vcpu->id);
	/* The page comes before: EL2 looks at @regs alone (power_owns()). */
	smp_store_release(&vcpu->power.regs, page_regs(page, vcpu->id));
}

/* The counters are the vCPU's thread's alone. */
static void cppc_count(u32 *at, u64 add)
{
	u64 *count = (u64 *)at;

	WRITE_ONCE(*count, *count + add);
}

void power_page_deliver(struct keel_vcpu *vcpu, u64 wanted, u64 got)
{
	const struct power_page *page = vcpu->vm->power.page;
	u32 *regs = READ_ONCE(vcpu->power.regs);

	if (!regs)
		return;
	if (page->layout == KEEL_POWER_PAGE_CPUFREQ) {
		WRITE_ONCE(regs[CPUFREQ_CUR], div_u64((u64)power_page_top(page) *
						      vcpu->power.delivered, KEEL_POWER_FULL));
	} else {
		cppc_count(&regs[CPPC_REFERENCE_COUNT], wanted);
		cppc_count(&regs[CPPC_DELIVERED_COUNT], got);
	}
	power_page_publish(regs);
}

static int page_place(struct keel_vm *vm, struct power_page *page)
{
	int ret = mmio_register(vm, &page->region);

	if (ret)
		return ret;
	ret = stage2_lend(vm, page->lent);
	if (ret)
		mmio_unregister(vm, &page->region);
	return ret;
}

int power_page(struct keel_vm *vm, const struct keel_power_page *args)
{
	struct power_page *page;
	int ret = -EEXIST;

	if (page_bad(vm, args))
		return -EINVAL;
	page = page_alloc(args);
	if (!page)
		return -ENOMEM;
	mutex_lock(&vm->power.lock);
	if (!vm->power.page)
		ret = page_place(vm, page);
	if (!ret) {
		struct keel_vcpu *vcpu;
		unsigned int i;

		/* Before @regs of any vCPU: see power_page_attach(). */
		WRITE_ONCE(vm->power.page, page);
		vm->power.on = true;
		vm_for_each_vcpu(i, vcpu, vm) {
			power_page_attach(vcpu);
			WRITE_ONCE(vcpu->power.on, true);
		}
	}
	mutex_unlock(&vm->power.lock);
	if (ret)
		power_page_free(page);
	return ret;
}
