// SPDX-License-Identifier: GPL-2.0
/* Single translations for observers, and copies by them. */
#include <linux/sched/clock.h>
#include <asm/memory.h>

#include <keel/vm.h>

#include "walk.h"

/* How often a walk may lose its tables to the host before the vCPU has to be left alone. */
#define FILL_TRIES	10

/* --- KEEL_GVA_TRANSLATE --- */

static unsigned int access_of(u32 access)
{
	return (access & KEEL_GVA_WRITE ? GVA_WRITE : 0) | (access & KEEL_GVA_EL0 ? GVA_EL0 : 0);
}

/*
 * PAR_EL1 for @va, with stage 2 letting the walk through. 0, or -ENOENT: no memory where @w is;
 * -EAGAIN, -EFAULT, -ENODEV.
 */
static int translate(struct keel_vcpu *vcpu, const struct stage1 *regs, struct gva_pages *g,
		     struct walk *w, struct vmm_page *missing)
{
	unsigned int tries = FILL_TRIES;
	struct gva va;
	int ret;
	u64 par;

	do {
		gva_translate(vcpu, g);
		if (g->done == g->nr)
			return 0;
		par = g->par[g->done];
		if (par == EL2_PAR_ABORT || !(par & PAR_S2))
			return 0;
		va = gva(g->va.v + g->done * PAGE_SIZE);
		ret = gva_fill_now(vcpu, regs, va, par_wants_write(par), w, missing);
	} while (!ret && --tries);
	return ret ?: -EAGAIN;
}

/* FST as a level, from -1 (Arm ARM D24.2.142) */
static int fault_level(u64 par)
{
	unsigned int fst = FIELD_GET(PAR_FST, par);

	return (fst & 0x38) == 0x28 ? -1 : fst & 3;
}

/* What a walk that has no table, or a PAR_EL1 that says no, comes to. */
static void tell(u64 par, u32 *status, s32 *level, u32 *fault)
{
	if (!(par & PAR_FAULT)) {
		*status = KEEL_GVA_MAPPED;
	} else if (par == EL2_PAR_ABORT) {
		*status = KEEL_GVA_ABORT;
	} else {
		*status = KEEL_GVA_FAULT;
		*fault = FIELD_GET(PAR_FST, par);
		*level = fault_level(par);
	}
}

static u32 host_page(struct keel_vm *vm, struct ipa a)
{
	if (!stage2_is_memory(vm, a))
		return KEEL_GVA_HOST_NONE;
	return stage2_is_mapped(vm, a) ? KEEL_GVA_HOST_MAPPED : KEEL_GVA_HOST_ABSENT;
}

/* The descriptor, be it one that the access may not use. One that is gone by now is none. */
static int lookup_leaf(struct keel_vcpu *vcpu, const struct stage1 *regs, struct gva_lookup *l)
{
	struct keel_gva_translate *arg = &l->arg;
	struct walk w;
	int ret;

	if (!(regs->sctlr & SCTLR_ELx_M)) {
		arg->permissions = KEEL_GVA_EL1_R | KEEL_GVA_EL1_W | KEEL_GVA_EL1_X |
				   KEEL_GVA_EL0_R | KEEL_GVA_EL0_W | KEEL_GVA_EL0_X;
		return 0;
	}
	ret = walk_peek(vcpu->vm, regs, gva(arg->gva), &w, &l->missing);
	if (ret == -EAGAIN || ret == -ENODEV)
		return ret;
	if (ret || !walk_is_leaf(&w))
		return 0;
	arg->descriptor = w.desc;
	arg->level = w.level;
	arg->leaf_shift = walk_shift(&w, w.level);
	arg->permissions = walk_permissions(&w, w.desc);
	if (arg->status != KEEL_GVA_MAPPED) {
		arg->ipa = walk_output(&w);
		arg->attributes = walk_attributes(&w, w.desc);
	}
	return 0;
}

static int lookup(struct keel_vcpu *vcpu, struct gva_lookup *l)
{
	struct keel_gva_translate *arg = &l->arg;
	struct gva_pages g = {
		.va = gva(arg->gva), .nr = 1, .access = access_of(arg->access),
	};
	struct stage1 regs;
	struct walk w;
	int ret;

	stage1_read(vcpu, &regs);
	ret = translate(vcpu, &regs, &g, &w, &l->missing);
	arg->par = g.par[0];
	if (ret == -ENOENT || ret == -EFAULT) {
		arg->status = KEEL_GVA_NO_TABLE;
		arg->level = w.level;
		arg->ipa = walk_entry(&w).v;
		return 0;
	}
	if (ret)
		return ret;
	tell(arg->par, &arg->status, &arg->level, &arg->fault);
	if (arg->status == KEEL_GVA_MAPPED) {
		arg->ipa = (arg->par & PAR_PA) + (arg->gva & ~PAGE_MASK);
		arg->attributes = par_attributes(arg->par);
	}
	if (arg->access & KEEL_GVA_LEAF)
		ret = lookup_leaf(vcpu, &regs, l);
	if (arg->status == KEEL_GVA_MAPPED || arg->descriptor)
		arg->host = host_page(vcpu->vm, ipa(arg->ipa));
	return ret;
}

void gva_lookup(struct keel_vcpu *vcpu, void *arg)
{
	struct gva_lookup *l = arg;

	l->ret = lookup(vcpu, l);
}

/* --- KEEL_GVA_READ --- */

/* 1: go on; 0: it ends here; -errno. */
static int read_page(struct keel_vcpu *vcpu, struct gva_copy *c, u64 par)
{
	struct keel_gva_read *arg = &c->arg;
	u64 offset = (arg->gva + arg->done) & ~PAGE_MASK;
	unsigned int n = min_t(u64, PAGE_SIZE - offset, arg->length - arg->done);
	int ret;

	tell(par, &arg->status, &arg->level, &arg->fault);
	if (arg->status != KEEL_GVA_MAPPED)
		return 0;
	ret = stage2_peek(vcpu->vm, ipa((par & PAR_PA) + offset), c->to + arg->done, n,
			  &c->missing);
	if (ret == -ENOENT || ret == -EFAULT) {
		arg->status = KEEL_GVA_NO_MEMORY;
		return 0;
	}
	if (ret)
		return ret;
	arg->done += n;
	return arg->done < arg->length;
}

/* As many pages as one call of EL2 takes. */
static int read_some(struct keel_vcpu *vcpu, const struct stage1 *regs, struct gva_copy *c)
{
	struct keel_gva_read *arg = &c->arg;
	u64 from = arg->gva + arg->done, last = arg->gva + arg->length - 1;
	struct gva_pages g = {
		.va = gva(from & PAGE_MASK), .access = access_of(arg->access),
		.nr = min_t(u64, (last >> PAGE_SHIFT) - (from >> PAGE_SHIFT) + 1, GVA_PAGES),
	};
	struct walk w;
	unsigned int i;
	int ret = translate(vcpu, regs, &g, &w, &c->missing);
	int more = 1;

	if (ret && !g.done) {
		if (ret != -ENOENT && ret != -EFAULT)
			return ret;
		arg->status = KEEL_GVA_NO_TABLE;
		arg->level = w.level;
		return 0;
	}
	/* What comes before a missing table can be had. */
	stage2_wait_not(&c->missing);
	for (i = 0; more > 0 && i < g.done; i++)
		more = read_page(vcpu, c, g.par[i]);
	if (more <= 0 || ret || g.done == g.nr)
		return more;
	return read_page(vcpu, c, g.par[g.done]);
}

void gva_copy(struct keel_vcpu *vcpu, void *arg)
{
	struct gva_copy *c = arg;
	u64 end = local_clock() + gva_slice_ns();
	struct stage1 regs;
	int ret;

	stage1_read(vcpu, &regs);
	do {
		ret = read_some(vcpu, &regs, c);
	} while (ret > 0 && local_clock() < end);
	c->ret = ret > 0 ? -EAGAIN : ret;
}
