// SPDX-License-Identifier: GPL-2.0
/*
 * VMIDs. A VM keeps its number until all are used up; then a new generation starts: all TLBs are
 * flushed, numbers are handed out anew, and only VMs that are on a CPU at that moment keep theirs.
 *
 * stage2.vmid = generation above vmid_bits, number below. vmid_active is, per CPU, the value that
 * its guest runs with. It is written by that CPU with interrupts off, and set to 0 by a rollover,
 * which notes what it found in vmid_reserved. So as long as vmid_active holds a VM's value, that
 * number belongs to the VM, and a rollover from now on will leave it to the VM.
 */
#define pr_fmt(fmt) "keel: " fmt

#include <linux/bitmap.h>
#include <linux/cpumask.h>
#include <linux/moduleparam.h>
#include <linux/percpu.h>
#include <linux/printk.h>

#include <keel/host.h>
#include <keel/vm.h>

#include "tables.h"

static unsigned int vmid_bits;
module_param(vmid_bits, uint, 0444);
MODULE_PARM_DESC(vmid_bits, "use VMIDs of so many bits only (default 0: all that the CPU has)");

static DEFINE_RAW_SPINLOCK(vmid_lock);
static u64 vmid_generation;		/* written under vmid_lock */
static unsigned long *vmid_used;	/* numbers of this generation, under vmid_lock */
static unsigned int vmid_next;		/* where to look for a free one, under vmid_lock */
static DEFINE_PER_CPU(atomic64_t, vmid_active);
static DEFINE_PER_CPU(u64, vmid_reserved);	/* under vmid_lock */

static u64 vmid_count(void)
{
	return BIT_ULL(vmid_bits);
}

static u64 vmid_number(u64 vmid)
{
	return vmid & (vmid_count() - 1);
}

static bool vmid_is_current(u64 vmid)
{
	return !((vmid ^ READ_ONCE(vmid_generation)) >> vmid_bits);
}

bool stage2_vmid_wide(void)
{
	return vmid_bits > 8;
}

/* A VM that was on a CPU at the rollover takes its number along; every CPU's note is brought up. */
static bool vmid_take_reserved(u64 old, u64 new)
{
	bool found = false;
	int cpu;

	for_each_possible_cpu(cpu) {
		if (per_cpu(vmid_reserved, cpu) != old)
			continue;
		per_cpu(vmid_reserved, cpu) = new;
		found = true;
	}
	return found;
}

static void vmid_rollover(void)
{
	int cpu;

	WRITE_ONCE(vmid_generation, vmid_generation + vmid_count());
	bitmap_zero(vmid_used, vmid_count());
	__set_bit(0, vmid_used);	/* of VTTBR_EL2 = 0, when no vCPU is loaded */
	vmid_next = 1;

	for_each_possible_cpu(cpu) {
		/* 0: no guest was entered since the rollover before, its note still holds. */
		u64 vmid = atomic64_xchg(per_cpu_ptr(&vmid_active, cpu), 0);

		if (vmid)
			per_cpu(vmid_reserved, cpu) = vmid;
		__set_bit(vmid_number(per_cpu(vmid_reserved, cpu)), vmid_used);
	}
	el2_call(el2_tlb_flush_all);
}

static u64 vmid_allocate(struct keel_vm *vm)
{
	u64 old = vm->stage2.vmid;
	u64 number = vmid_number(old);

	if (number && vmid_take_reserved(old, vmid_generation | number))
		return vmid_generation | number;
	if (number && !__test_and_set_bit(number, vmid_used))
		return vmid_generation | number;

	number = find_next_zero_bit(vmid_used, vmid_count(), vmid_next);
	if (number == vmid_count()) {
		vmid_rollover();
		vm_count(vm, VM_COUNT_VMID_ROLLOVER);
		number = find_next_zero_bit(vmid_used, vmid_count(), vmid_next);
	}
	__set_bit(number, vmid_used);
	vmid_next = number;
	return vmid_generation | number;
}

static void vmid_renew(struct keel_vm *vm, atomic64_t *active)
{
	struct stage2 *s2 = &vm->stage2;

	raw_spin_lock(&vmid_lock);
	if (!vmid_is_current(s2->vmid))
		WRITE_ONCE(s2->vmid, vmid_allocate(vm));
	atomic64_set(active, s2->vmid);
	raw_spin_unlock(&vmid_lock);
	/*
	 * The VMID is visible before any walk under it. Who unmaps writes the descriptor, then DSB,
	 * then reads the VMID (flush_vttbr()): it flushes this one, or our walks miss its page too.
	 */
	dsb(ish);
}

void stage2_vmid_check(struct keel_vcpu *vcpu, struct prda *p)
{
	struct stage2 *s2 = &vcpu->vm->stage2;
	atomic64_t *active = this_cpu_ptr(&vmid_active);
	u64 vmid = READ_ONCE(s2->vmid);
	u64 old = atomic64_read(active);

	/* What a VM that stays on its CPU pays: two loads and a comparison. */
	if (likely(vmid && old == vmid))
		return;
	/* Another VM was here. The exchange fails if a rollover came in between: it made it 0. */
	if (!old || !vmid_is_current(vmid) || atomic64_cmpxchg(active, old, vmid) != old)
		vmid_renew(vcpu->vm, active);
	/* The number may have changed between load and now. */
	el2_call(stage2_load_el2, vcpu, p);
}

int stage2_vmid_init(void)
{
	unsigned int max = host.vmid16 ? 16 : 8;

	vmid_bits = vmid_bits ?: max;
	/* Each CPU may hold one back; 0 is not used; one more must be left for the VM that asks. */
	if (vmid_bits > max || vmid_count() < num_possible_cpus() + 2) {
		pr_err("vmid_bits=%u: this machine can have %u at most and needs %u at least\n",
		       vmid_bits, max, order_base_2(num_possible_cpus() + 2));
		return -EINVAL;
	}
	vmid_used = bitmap_zalloc(vmid_count(), GFP_KERNEL);
	if (!vmid_used)
		return -ENOMEM;
	__set_bit(0, vmid_used);
	vmid_next = 1;
	vmid_generation = vmid_count();
	return 0;
}

void stage2_vmid_exit(void)
{
	bitmap_free(vmid_used);
}
