// SPDX-License-Identifier: GPL-2.0
/* The calls that tell of guest virtual addresses. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gva.h"

/* Differences shown */
#define SHOWN	5

/* One call makes no more, about. */
#define MAX_ATS	BIT(20)

int gva_translate(int fd, u32 vcpu, u64 gva, u32 access, struct keel_gva_translate *t)
{
	*t = (struct keel_gva_translate){
		.size = sizeof(*t), .vcpu = vcpu, .gva = gva, .access = access,
	};
	return ioctl(fd, KEEL_GVA_TRANSLATE, t) ? -errno : 0;
}

int gva_read(int fd, u32 vcpu, u64 gva, void *buffer, u64 length, struct keel_gva_read *r)
{
	*r = (struct keel_gva_read){
		.size = sizeof(*r), .vcpu = vcpu, .gva = gva,
		.buffer = (uintptr_t)buffer, .length = length,
	};
	return ioctl(fd, KEEL_GVA_READ, r) ? -errno : 0;
}

int gva_regs(int fd, u32 vcpu, struct keel_vcpu_regs *regs)
{
	*regs = (struct keel_vcpu_regs){ .size = sizeof(*regs), .vcpu = vcpu };
	return ioctl(fd, KEEL_VCPU_REGS, regs) ? -errno : 0;
}

void gva_stage1(const struct keel_vcpu_regs *regs, u32 pa_bits, struct stage1 *s)
{
	*s = (struct stage1){
		.sctlr = regs->sctlr_el1, .tcr = regs->tcr_el1, .mair = regs->mair_el1,
		.ttbr = { regs->ttbr0_el1, regs->ttbr1_el1 }, .pa_bits = pa_bits,
	};
}

static u64 holes_of(const struct keel_gva_scan *call)
{
	u64 sum = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(call->holes); i++)
		sum += call->holes[i];
	return sum;
}

static void add_up(struct keel_gva_scan *sum, const struct keel_gva_scan *call)
{
	size_t i;

	sum->ats += call->ats;
	sum->leaves += call->leaves;
	for (i = 0; i < ARRAY_SIZE(call->holes); i++)
		sum->holes[i] += call->holes[i];
	sum->stage2_holes += call->stage2_holes;
	sum->tables += call->tables;
	sum->slices += call->slices;
}

/* What is so after every call that did not fail. */
static void check_call(const struct keel_gva_scan *call, u64 start)
{
	const struct keel_gva_run *run = (const struct keel_gva_run *)call->runs, *end;
	u64 next = start;

	REQUIRE(call->nr <= call->room);
	REQUIRE(call->end <= 1);
	REQUIRE(call->end || call->start > start);
	CHECK_EQ(call->ats, call->leaves + holes_of(call) + call->stage2_holes);
	for (end = run + call->nr; run < end; run++) {
		CHECK(run->length);
		CHECK(run->gva >= next);
		CHECK(run->gva + (run->length - 1) <= call->last);
		next = run->gva + run->length;
	}
	if (!call->end)
		CHECK(call->start >= next);
}

static int scan_once(int fd, u32 vcpu, u32 room, struct gva_scan *scan)
{
	struct keel_gva_scan *call = &scan->call;
	u64 start = call->start;

	scan->runs = realloc(scan->runs, (scan->nr + room) * sizeof(*scan->runs));
	REQUIRE(scan->runs);
	*call = (struct keel_gva_scan){
		.size = sizeof(*call), .flags = call->flags, .vcpu = vcpu, .room = room,
		.start = start,
		.last = call->last, .need = call->need, .deny = call->deny,
		.runs = (uintptr_t)(scan->runs + scan->nr),
	};
	if (ioctl(fd, KEEL_GVA_SCAN, call))
		return -errno;
	scan->calls++;
	check_call(call, start);
	scan->nr += call->nr;
	add_up(&scan->sum, call);
	return 0;
}

int gva_scan(int fd, u32 vcpu, u32 room, struct gva_scan *scan)
{
	int ret;

	scan->nr = 0;
	scan->calls = 0;
	memset(&scan->sum, 0, sizeof(scan->sum));
	do {
		ret = scan_once(fd, vcpu, room, scan);
	} while (!ret && !scan->call.end);
	return ret;
}

void gva_join(struct gva_scan *scan)
{
	struct keel_gva_run *to = scan->runs, *run;

	for (run = scan->runs + 1; run < scan->runs + scan->nr; run++) {
		if (stage1_continues(to, run))
			to->length += run->length;
		else
			*++to = *run;
	}
	if (scan->nr)
		scan->nr = to + 1 - scan->runs;
}

static void show(const char *what, const struct keel_gva_run *r)
{
	ktap_note("%s gva %#llx ipa %#llx length %#llx leaf_shift %u", what, r->gva, r->ipa,
		  r->length, r->leaf_shift);
	ktap_note("%*s attributes %#x permissions %#x flags %#x", (int)strlen(what), "",
		  r->attributes, r->permissions, r->flags);
}

static bool same_runs(const struct gva_scan *got, const struct stage1_scan *want)
{
	u32 i, bad = 0;

	for (i = 0; i < got->nr && i < want->nr && bad < SHOWN; i++) {
		if (!memcmp(&got->runs[i], &want->runs[i], sizeof(got->runs[i])))
			continue;
		bad++;
		ktap_note("run %u:", i);
		show("  found", &got->runs[i]);
		show("  there", &want->runs[i]);
	}
	if (i == want->nr && i < got->nr)
		show("one too many:", &got->runs[i]);
	if (i == got->nr && i < want->nr)
		show("one is missing:", &want->runs[i]);
	return CHECK_EQ(got->nr, want->nr) & CHECK_EQ(bad, 0);
}

bool gva_same(const struct gva_scan *got, const struct stage1_scan *want, bool counts)
{
	bool ok = same_runs(got, want);
	size_t i;

	if (!counts)
		return ok;
	ok &= CHECK_EQ(got->sum.leaves, want->leaves);
	for (i = 0; i < ARRAY_SIZE(want->holes); i++) {
		if (CHECK_EQ(got->sum.holes[i], want->holes[i]))
			continue;
		ktap_note("these are holes of level %d", (int)i - 1);
		ok = false;
	}
	return ok;
}

/* Everything, again; in one call, unless there is too much for one. */
static bool check_once(int fd, u32 vcpu, u32 flags, const struct stage1_scan *want,
		       struct gva_scan *got)
{
	u64 ats = want->leaves + stage1_holes(want) + want->no_tables;
	bool one = want->nr <= KEEL_GVA_MAX_RUNS && ats + want->tables < MAX_ATS;

	got->call = (struct keel_gva_scan){ .flags = flags, .last = ~0ULL };
	REQUIRE_EQ(gva_scan(fd, vcpu, KEEL_GVA_MAX_RUNS, got), 0);
	if (one)
		return CHECK_EQ(got->calls, 1) & gva_same(got, want, true);
	gva_join(got);
	return gva_same(got, want, true);
}

bool gva_check(int fd, u32 vcpu, const struct stage1 *s)
{
	struct stage1_scan want = { .last = ~0ULL };
	struct gva_scan got = {};
	bool ok;

	stage1_walk(s, &want);
	ok = check_once(fd, vcpu, 0, &want, &got);
	/* By now stage 2 maps every table that is in memory. */
	ok &= check_once(fd, vcpu, 0, &want, &got);
	ok &= CHECK_EQ(got.sum.stage2_holes, want.no_tables);
	/* And with TCR_EL1.HA AT has set what access flags there are. */
	ok &= check_once(fd, vcpu, KEEL_GVA_SCAN_SOFTWARE, &want, &got);
	free(got.runs);
	free(want.runs);
	return ok;
}
