// SPDX-License-Identifier: GPL-2.0
/*
 * Scans: what a vCPU's tables map, by AT. A hole costs one AT, whatever its size, and so does a
 * leaf: its size, which AT does not tell, is read from the table where it stands, once for all its
 * leaves. What was read is forgotten at the end of a slice, after which the guest runs.
 */
#include <linux/module.h>
#include <linux/sched/clock.h>
#include <linux/slab.h>
#include <asm/memory.h>

#include <keel/host.h>
#include <keel/vm.h>

#include "scan.h"
#include "walk.h"

static unsigned int gva_slice = 50;
module_param(gva_slice, uint, 0644);
MODULE_PARM_DESC(gva_slice, "how long a scan takes a vCPU out at a time, in us (default: 50)");

#define SLICE_MAX	10000	/* us */

/*
 * A slice on a slow machine still does this much: the table that it begins with has to be read
 * again, which would be all that it did. In ATs, of which the CPU makes some ten a microsecond.
 */
#define SLICE_MIN	512
#define TABLE_READ	64	/* a table costs as many */

#define TABLE_SIZE	SZ_64K	/* the largest */

/**
 * struct gva_scan_work - what the slices of a scan have in common
 * @regs: of this slice
 * @batch: what EL2 is asked
 * @table: walk to the table that @entries is a copy of; its va is the first that it translates
 * @bits: log2 of the size of its leaves; 0: there is no copy
 * @entries: as in memory
 * @like: the last leaf of this table that AT let through, without its addresses
 * @like_desc: its descriptor
 * @like_par: its PAR_EL1; PAR_FAULT: there is none yet
 */
struct gva_scan_work {
	struct stage1 regs;
	struct scan_batch batch;
	struct walk table;
	unsigned int bits;
	u64 *entries;
	struct keel_gva_run like;
	u64 like_desc;
	u64 like_par;
};

u64 gva_slice_ns(void)
{
	return (u64)min(READ_ONCE(gva_slice), SLICE_MAX) * NSEC_PER_USEC;
}

int gva_scan_begin(struct gva_scan *s)
{
	s->runs = kvcalloc(s->arg.room, sizeof(*s->runs), GFP_KERNEL_ACCOUNT);
	s->work = kzalloc(sizeof(*s->work), GFP_KERNEL_ACCOUNT);
	if (s->work)
		s->work->entries = kvmalloc(TABLE_SIZE, GFP_KERNEL_ACCOUNT);
	if (s->runs && s->work && s->work->entries)
		return 0;
	gva_scan_end(s);
	return -ENOMEM;
}

void gva_scan_end(struct gva_scan *s)
{
	if (s->work)
		kvfree(s->work->entries);
	kfree(s->work);
	kvfree(s->runs);
	s->work = NULL;
	s->runs = NULL;
}

/* --- The table where leaves stand --- */

static u64 table_last(const struct gva_scan_work *k)
{
	return k->table.va.v + (BIT_ULL(k->table.bits + k->bits) - 1);
}

static bool table_covers(const struct gva_scan_work *k, u64 va)
{
	return k->bits && va >= k->table.va.v && va <= table_last(k);
}

static u64 table_desc(const struct gva_scan_work *k, u64 va)
{
	return walk_decode(&k->table, k->entries[(va - k->table.va.v) >> k->bits]);
}

/* A copy of the table where the walk for @va ends. */
static int table_read(struct keel_vcpu *vcpu, struct gva_scan *s, u64 va)
{
	struct gva_scan_work *k = s->work;
	struct walk *w = &k->table;
	unsigned int size, at, n;
	int ret;

	k->bits = 0;
	ret = walk_peek(vcpu->vm, &k->regs, gva(va), w, &s->missing);
	size = 8 << w->bits;
	for (at = 0; !ret && at < size; at += n) {
		n = min_t(unsigned int, size - at, PAGE_SIZE - ipa_offset(ipa(w->table + at)));
		ret = stage2_peek(vcpu->vm, ipa(w->table + at), (u8 *)k->entries + at, n,
				  &s->missing);
	}
	if (ret)
		return ret;
	s->arg.tables++;
	k->like_par = PAR_FAULT;
	k->bits = walk_shift(w, w->level);
	w->va = gva(va & ~(BIT_ULL(w->bits + k->bits) - 1));
	return 0;
}

/*
 * The last address up to which nothing but leaves of this table, and its holes, can stand, as far
 * as a batch goes. False: at @va there is a table.
 */
static bool row_find(const struct gva_scan_work *k, u64 va, u64 *last)
{
	struct walk w = k->table;
	unsigned int i;
	u64 at = va;

	*last = table_last(k);
	if (w.level == LAST_LEVEL)
		return true;
	for (i = 0; i < SCAN_BATCH && at && at <= *last; i++, at = scan_after(at, k->bits)) {
		w.desc = table_desc(k, at);
		if (walk_is_table(&w))
			break;
	}
	*last = min(*last, at - 1);	/* 0 - 1: to the end */
	return i;
}

/* --- Runs --- */

static bool run_is_wanted(const struct gva_scan *s, const struct keel_gva_run *r)
{
	if (r->flags & (KEEL_GVA_RUN_NO_TABLE | KEEL_GVA_RUN_ABORT))
		return true;
	return (r->permissions & s->arg.need) == s->arg.need && !(r->permissions & s->arg.deny);
}

static bool run_continues(const struct keel_gva_run *a, const struct keel_gva_run *b)
{
	return a->gva + a->length == b->gva && a->ipa + a->length == b->ipa &&
	       a->leaf_shift == b->leaf_shift && a->attributes == b->attributes &&
	       a->permissions == b->permissions && a->flags == b->flags;
}

/* False: there is no room for it. */
static bool run_add(struct gva_scan *s, const struct keel_gva_run *r)
{
	struct keel_gva_scan *arg = &s->arg;

	if (!run_is_wanted(s, r))
		return true;
	if (arg->nr && run_continues(&s->runs[arg->nr - 1], r)) {
		s->runs[arg->nr - 1].length += r->length;
		return true;
	}
	if (arg->nr == arg->room)
		return false;
	s->runs[arg->nr++] = *r;
	return true;
}

/* --- Steps: < 0: the slice is over; 0: the scan is, or its array is full; > 0: go on --- */

/* To @next, or to the end: 0 is behind the last address of all. */
static int step_to(struct gva_scan *s, u64 next)
{
	if (!next || next > s->arg.last) {
		s->arg.start = s->arg.last;
		s->arg.end = 1;
		return 0;
	}
	s->arg.start = next;
	return 1;
}

/* A run from here to @next, which one AT has found; counted only if there is room for it. */
static int step_run(struct gva_scan *s, struct keel_gva_run *r, u64 next, u64 *counter)
{
	u64 last = min(next - 1, s->arg.last);	/* 0 - 1: to the end */

	r->gva = s->arg.start;
	r->length = last - r->gva + 1;
	if (!run_add(s, r))
		return 0;
	s->arg.ats++;
	++*counter;
	return step_to(s, next);
}

/* By the level of the missing entry, as in hole_shift. */
static int step_hole(struct gva_scan *s, unsigned int index)
{
	s->arg.ats++;
	s->arg.holes[index]++;
	return step_to(s, scan_after(s->arg.start, s->work->batch.hole_shift[index]));
}

/* What AT has found, and the table does not or no longer show. */
static int step_unsure(struct gva_scan *s, u64 par)
{
	unsigned int shift = s->work->batch.hole_shift[SCAN_LEVELS - 1];
	u64 va = s->arg.start;
	struct keel_gva_run r = {
		.ipa = (par & PAR_PA) + (va & ~PAGE_MASK), .leaf_shift = shift,
		.attributes = par_attributes(par), .flags = KEEL_GVA_RUN_UNSURE,
	};

	/* A page that would have faulted is not there any more. */
	if (par & PAR_FAULT)
		return step_hole(s, SCAN_LEVELS - 1);
	return step_run(s, &r, scan_after(va, shift), &s->arg.leaves);
}

/* The walk in the copy says the same as AT. */
static bool leaf_is(struct gva_scan_work *k, u64 va, u64 par, struct walk *w)
{
	*w = k->table;
	w->va = gva(va);
	w->desc = table_desc(k, va);
	return walk_is_leaf(w) &&
	       (par & PAR_FAULT || (walk_output(w) & PAR_PA) == (par & PAR_PA));
}

static int leaf_find(struct keel_vcpu *vcpu, struct gva_scan *s, u64 par, struct walk *w)
{
	u64 va = s->arg.start;
	int ret;

	if (table_covers(s->work, va) && leaf_is(s->work, va, par, w))
		return 0;
	ret = table_read(vcpu, s, va);
	return ret ?: leaf_is(s->work, va, par, w) ? 0 : -ENOENT;
}

static int step_leaf(struct keel_vcpu *vcpu, struct gva_scan *s, u64 par)
{
	struct gva_scan_work *k = s->work;
	struct keel_gva_run r = {};
	struct walk w;
	int ret = leaf_find(vcpu, s, par, &w);

	if (ret == -EAGAIN || ret == -ENODEV)
		return ret;
	if (ret)
		return step_unsure(s, par);
	r.leaf_shift = k->bits;
	r.attributes = par & PAR_FAULT ? walk_attributes(&w, w.desc) : par_attributes(par);
	r.permissions = walk_permissions(&w, w.desc);
	/* One that AT has let through has the flag: AT may have set it after the table was read. */
	if (par & PAR_FAULT && !(w.desc & DESC_AF))
		r.flags |= KEEL_GVA_RUN_NO_AF;
	if (!(par & PAR_FAULT) && !w.wide) {
		k->like = r;
		k->like_desc = w.desc;
		k->like_par = par;
	}
	r.ipa = walk_output(&w);
	return step_run(s, &r, scan_after(s->arg.start, r.leaf_shift), &s->arg.leaves);
}

/* What most leaves are: another of the same table that differs in its address only. */
static bool leaf_is_like(const struct gva_scan_work *k, u64 va, u64 par)
{
	const u64 address = GENMASK_ULL(47, k->bits);
	u64 desc;

	if (!table_covers(k, va) || k->like_par & PAR_FAULT)
		return false;
	desc = table_desc(k, va);
	return !((desc ^ k->like_desc) & ~address) && !((par ^ k->like_par) & ~PAR_PA) &&
	       !((par ^ desc) & address);
}

static int step_like(struct gva_scan *s, u64 par)
{
	struct keel_gva_run r = s->work->like;

	r.ipa = (par & PAR_PA) + (s->arg.start & ~PAGE_MASK);
	return step_run(s, &r, scan_after(s->arg.start, r.leaf_shift), &s->arg.leaves);
}

/* What the missing table, to which the walk has come, would translate. */
static int step_no_table(struct gva_scan *s, const struct walk *w, u32 flag)
{
	struct keel_gva_run r = { .ipa = walk_entry(w).v, .flags = flag };

	r.leaf_shift = min(walk_shift(w, w->level) + w->bits, 63U);
	return step_run(s, &r, scan_after(s->arg.start, r.leaf_shift), &s->arg.stage2_holes);
}

/* Stage 2 did not let the CPU to a table: bring it, and ask again. */
static int step_stage2(struct keel_vcpu *vcpu, struct gva_scan *s, u64 par)
{
	struct walk w;
	int ret = gva_fill_now(vcpu, &s->work->regs, gva(s->arg.start), par_wants_write(par), &w,
			       &s->missing);

	if (ret == -ENOENT || ret == -EFAULT)
		return step_no_table(s, &w, KEEL_GVA_RUN_NO_TABLE);
	if (ret)
		return ret;
	s->arg.ats++;
	s->arg.stage2_holes++;
	return 1;
}

/* External aborts, and what else an AT can meet. Where in the tables, a walk in software shows. */
static int step_abort(struct keel_vcpu *vcpu, struct gva_scan *s)
{
	struct vmm_page missing = {};
	struct walk w;

	walk_peek(vcpu->vm, &s->work->regs, gva(s->arg.start), &w, &missing);
	stage2_wait_not(&missing);
	return step_no_table(s, &w, KEEL_GVA_RUN_ABORT);
}

static int step(struct keel_vcpu *vcpu, struct gva_scan *s, u64 par)
{
	unsigned int index;

	if (leaf_is_like(s->work, s->arg.start, par))
		return step_like(s, par);
	if (par_is_hole(par, &index))
		return step_hole(s, index);
	if (par_is_mapped(par))
		return step_leaf(vcpu, s, par);
	return par & PAR_S2 ? step_stage2(vcpu, s, par) : step_abort(vcpu, s);
}

/* --- KEEL_GVA_SCAN_SOFTWARE --- */

/* The copy of the table where the walk for arg.start ends, or what there is instead of it. */
static int walked_read(struct keel_vcpu *vcpu, struct gva_scan *s)
{
	const struct walk *w = &s->work->table;
	int ret = table_read(vcpu, s, s->arg.start);

	/* Too large an address: what stands a level above it, as AT says, of TTBRn_EL1 level 0 */
	if (ret == -ERANGE)
		return step_hole(s, w->desc ? w->level : 1);
	/* No walk at all: that half is off. */
	if (ret == -ENOENT && !w->bits)
		return step_hole(s, 1);
	if (ret == -ENOENT || ret == -EFAULT)
		return step_no_table(s, w, KEEL_GVA_RUN_NO_TABLE);
	return ret ?: 1;
}

static int step_walked(struct keel_vcpu *vcpu, struct gva_scan *s)
{
	struct gva_scan_work *k = s->work;
	struct keel_gva_run r = {};
	struct walk w;

	if (!table_covers(k, s->arg.start))
		return walked_read(vcpu, s);
	w = k->table;
	w.va = gva(s->arg.start);
	w.desc = table_desc(k, w.va.v);
	if (walk_is_table(&w))
		return walked_read(vcpu, s);
	r.ipa = walk_output(&w);
	if (!walk_is_leaf(&w) || r.ipa >> w.out)
		return step_hole(s, w.level + 1);
	r.leaf_shift = k->bits;
	r.attributes = walk_attributes(&w, w.desc);
	r.permissions = walk_permissions(&w, w.desc);
	if (!(w.desc & DESC_AF))
		r.flags |= KEEL_GVA_RUN_NO_AF;
	return step_run(s, &r, scan_after(w.va.v, k->bits), &s->arg.leaves);
}

/* As many entries as ATs make a batch, or up to the end of their table. */
static int batch_walked(struct keel_vcpu *vcpu, struct gva_scan *s)
{
	unsigned int i = 0;
	int ret;

	do {
		ret = step_walked(vcpu, s);
	} while (ret > 0 && ++i < SCAN_BATCH && table_covers(s->work, s->arg.start));
	return ret;
}

/* --- Batches --- */

static void batch_translate(struct keel_vcpu *vcpu, struct scan_batch *b)
{
	unsigned long flags;
	struct prda *p;

	local_irq_save(flags);
	p = gva_prepare(vcpu);
	el2_call(gva_scan_el2, vcpu, p, b);
	local_irq_restore(flags);
}

/* Another half, another granule. */
static void batch_hole_shifts(struct scan_batch *b, unsigned int granule)
{
	unsigned int i;

	for (i = 0; i < SCAN_LEVELS; i++)
		b->hole_shift[i] = min(granule + (granule - 3) * (SCAN_LEVELS - 1 - i), 63U);
}

/* Between the two halves nothing can be mapped: where the upper one begins, or 0. */
static u64 gap_end(const struct gva_scan *s)
{
	const struct stage1 *regs = &s->work->regs;
	u64 upper_first = -BIT_ULL(stage1_bits(regs, true));

	return s->arg.start >> stage1_bits(regs, false) && s->arg.start < upper_first ?
	       upper_first : 0;
}

static void batch_begin(struct gva_scan *s)
{
	struct gva_scan_work *k = s->work;
	unsigned int bits = stage1_bits(&k->regs, false);
	bool upper = s->arg.start >> bits;
	struct scan_batch *b = &k->batch;

	batch_hole_shifts(b, stage1_granule(&k->regs, upper) ?: 12);
	b->va = s->arg.start;
	b->last = upper ? s->arg.last : min(s->arg.last, BIT_ULL(bits) - 1);
}

/* Leaves whose size is known from the copy of their table. */
static void batch_row(struct gva_scan *s)
{
	struct gva_scan_work *k = s->work;
	struct scan_batch *b = &k->batch;

	b->shift = 0;
	if (!table_covers(k, b->va) || !row_find(k, b->va, &b->row_last))
		return;
	b->row_last = min(b->row_last, b->last);
	b->shift = k->bits;
}

/*
 * What most leaves are in big mappings: next to the last one, in both spaces, and like it. Those of
 * @b from its @i-th on lengthen the run, but for one that arg.last cuts. Return: the first that
 * does not.
 */
static unsigned int batch_lengthen(struct gva_scan *s, const struct scan_batch *b, unsigned int i)
{
	struct gva_scan_work *k = s->work;
	struct keel_gva_run *r = s->runs + s->arg.nr - 1;
	u64 size = BIT_ULL(k->bits), va = s->arg.start, last = min(table_last(k), s->arg.last);
	u64 desc = k->like_desc & ~GENMASK_ULL(47, k->bits), par = k->like_par & ~PAR_PA;
	unsigned int first = i, n;
	u64 ipa;

	if (!s->arg.nr || r->gva + r->length != va || r->flags || r->leaf_shift != k->bits ||
	    r->attributes != k->like.attributes || r->permissions != k->like.permissions ||
	    !table_covers(k, va) || k->like_par & PAR_FAULT || va > last)
		return i;
	n = min_t(u64, b->nr - i, (last - va) >> k->bits);
	for (ipa = r->ipa + r->length; i < first + n; i++, va += size, ipa += size)
		if (b->par[i] != (par | ipa) || table_desc(k, va) != (desc | ipa))
			break;
	n = i - first;
	r->length += n * size;
	s->arg.ats += n;
	s->arg.leaves += n;
	s->arg.start = va;
	return i;
}

static int batch_step(struct keel_vcpu *vcpu, struct gva_scan *s)
{
	struct scan_batch *b = &s->work->batch;
	unsigned int i;
	int ret = 1;
	u64 va;

	if (gap_end(s))
		return step_to(s, gap_end(s));
	batch_begin(s);
	if (s->arg.flags & KEEL_GVA_SCAN_SOFTWARE)
		return batch_walked(vcpu, s);
	batch_row(s);
	batch_translate(vcpu, b);
	va = b->va;
	/* A table that has changed may have leaves of another size: the rest was asked in vain. */
	for (i = 0; ret > 0 && i < b->nr && va == s->arg.start;) {
		va = scan_next(b, va, b->par[i]);
		ret = step(vcpu, s, b->par[i++]);
		if (ret > 0 && va == s->arg.start && b->shift == s->work->bits) {
			i = batch_lengthen(s, b, i);
			va = s->arg.start;
		}
	}
	return ret;
}

/* SCTLR_EL1.M = 0: as far as the CPU says so at the first address, and physical ones reach. */
static int step_flat(struct keel_vcpu *vcpu, struct gva_scan *s)
{
	u64 end = BIT_ULL(vcpu->vm->stage2.ipa_bits);
	struct scan_batch *b = &s->work->batch;
	struct keel_gva_run r = {
		.ipa = s->arg.start, .flags = KEEL_GVA_RUN_FLAT,
		.permissions = KEEL_GVA_EL1_R | KEEL_GVA_EL1_W | KEEL_GVA_EL1_X |
			       KEEL_GVA_EL0_R | KEEL_GVA_EL0_W | KEEL_GVA_EL0_X,
	};

	if (s->arg.start >= end)
		return step_to(s, 0);
	*b = (struct scan_batch){ .va = s->arg.start, .last = s->arg.start };
	batch_hole_shifts(b, 12);
	batch_translate(vcpu, b);
	if (!par_is_mapped(b->par[0]))
		return step(vcpu, s, b->par[0]);
	r.attributes = par_attributes(b->par[0]);
	return step_run(s, &r, end, &s->arg.leaves);
}

static u64 work_done(const struct gva_scan *s)
{
	return s->arg.ats + TABLE_READ * s->arg.tables;
}

void gva_scan(struct keel_vcpu *vcpu, void *arg)
{
	struct gva_scan *s = arg;
	u64 least = work_done(s) + SLICE_MIN;
	u64 end = local_clock() + gva_slice_ns();
	int ret;

	s->arg.slices++;
	s->work->bits = 0;
	stage1_read(vcpu, &s->work->regs);
	do {
		if (s->work->regs.sctlr & SCTLR_ELx_M)
			ret = batch_step(vcpu, s);
		else
			ret = step_flat(vcpu, s);
		cond_resched();
	} while (ret > 0 && (work_done(s) < least || local_clock() < end));
	s->ret = ret > 0 ? -EAGAIN : ret;
}
