// SPDX-License-Identifier: GPL-2.0
/*
 * Guest virtual addresses, the kernel's half: asks EL2 for translations, and walks the guest's
 * tables in software where AT alone does not do: a table's page that stage 2 does not map (any
 * more) is not named by PAR_EL1, and no descriptor is.
 */
#include <keel/esr.h>
#include <keel/host.h>
#include <keel/vm.h>

#include "walk.h"

struct prda *gva_prepare(struct keel_vcpu *vcpu)
{
	struct prda *p = host_prda();

	lockdep_assert_irqs_disabled();
	/* Should EL2 code fault in between (el2_own_fault of switch.S). */
	p->host_sp_el0 = (unsigned long)current;
	stage2_vmid_check(vcpu, p);
	return p;
}

void gva_translate(struct keel_vcpu *vcpu, struct gva_pages *g)
{
	unsigned long flags;
	struct prda *p;

	local_irq_save(flags);
	p = gva_prepare(vcpu);
	el2_call(gva_translate_el2, vcpu, p, g);
	local_irq_restore(flags);
}

static int walk_read(struct keel_vcpu *vcpu, struct walk *w)
{
	int ret = stage2_copy(vcpu->vm, walk_entry(w), &w->desc, sizeof(w->desc), false);

	if (!ret)
		w->desc = walk_decode(w, w->desc);
	return ret;
}

/* One table: in stage 2, and its entry read; for writing too if that is the last. */
static int fill_table(struct keel_vcpu *vcpu, struct walk *w, bool write)
{
	struct ipa entry = walk_entry(w);
	int ret = stage2_fault_in(vcpu, entry, false);

	if (ret < 0)
		return ret;
	ret = walk_read(vcpu, w);
	if (ret == -EFAULT)
		return stage2_touch(vcpu->vm, entry, sizeof(w->desc), false) ?: -EAGAIN;
	if (ret || !write || walk_is_table(w))
		return ret;
	return min(stage2_fault_in(vcpu, entry, true), 0);
}

int gva_fill(struct keel_vcpu *vcpu, struct gva va, bool write)
{
	struct stage1 regs;
	struct walk w;
	int ret;

	stage1_read(vcpu, &regs);
	ret = walk_begin(&regs, va, &w);
	while (!ret) {
		ret = fill_table(vcpu, &w, write);
		if (ret || !walk_is_table(&w))
			break;
		ret = walk_down(&w);
	}
	/* Larger than TCR_EL1.IPS allows: AT says so itself, now that it gets so far. */
	return ret == -EAGAIN || ret == -ERANGE ? 0 : ret;
}

int gva_is_clean(struct keel_vcpu *vcpu, struct gva va)
{
	struct stage1 regs;
	struct walk w;
	int ret;

	stage1_read(vcpu, &regs);
	if (!(regs.tcr & TCR_HD))
		return 0;
	ret = walk_begin(&regs, va, &w);
	while (!ret) {
		ret = walk_read(vcpu, &w);
		if (ret || !walk_is_table(&w))
			break;
		ret = walk_down(&w);
	}
	if (ret)
		return ret == -EFAULT ? ret : 0;
	return walk_is_leaf(&w) && w.desc & DESC_DBM && w.desc & DESC_READONLY ?
	       ESR_ELx_FSC_PERM | w.level : 0;
}
