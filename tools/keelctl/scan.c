// SPDX-License-Identifier: GPL-2.0
/* keelctl gva scan: asks for it, call by call. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "canvas.h"
#include "output.h"
#include "scan.h"

#define ROOM		4096

/* Any virtual address has at most 52 bits; the rest says in which half it is. */
#define USER_LAST	0x000fffffffffffffULL
#define KERNEL_START	0xfff0000000000000ULL

static bool is_continued(const struct keel_gva_run *a, const struct keel_gva_run *b)
{
	return a->gva + a->length == b->gva && a->ipa + a->length == b->ipa &&
	       a->leaf_shift == b->leaf_shift && a->attributes == b->attributes &&
	       a->permissions == b->permissions && a->flags == b->flags &&
	       scan_is_mapped(a);
}

/* A run that a call had no more room for goes on in the next. */
static void add_run(struct scan *s, const struct keel_gva_run *run)
{
	if (s->nr && is_continued(&s->run[s->nr - 1], run)) {
		s->run[s->nr - 1].length += run->length;
		return;
	}
	s->run = xgrow(s->run, s->nr + 1, sizeof(*s->run));
	s->run[s->nr++] = *run;
}

static void add_call(struct scan *s, const struct keel_gva_scan *g,
		     const struct keel_gva_run *runs)
{
	for (u32 i = 0; i < g->nr; i++)
		add_run(s, &runs[i]);
	s->took.ats += g->ats;
	s->took.leaves += g->leaves;
	for (size_t i = 0; i < ARRAY_SIZE(g->holes); i++)
		s->took.holes[i] += g->holes[i];
	s->took.stage2_holes += g->stage2_holes;
	s->took.tables += g->tables;
	s->took.slices += g->slices;
}

static void scan(struct scan *s, u32 need, u32 deny)
{
	struct keel_gva_run *runs = xcalloc(ROOM, sizeof(*runs));
	u64 since = now_ns(), start = s->start;
	struct keel_gva_scan g;

	do {
		g = (struct keel_gva_scan){
			.size = sizeof(g),
			.vcpu = s->view.vcpu,
			.room = ROOM,
			.runs = (uintptr_t)runs,
			.start = start,
			.last = s->last,
			.need = need,
			.deny = deny,
		};
		if (ioctl(s->view.observer, KEEL_GVA_SCAN, &g))
			node_vcpu_failed(&s->view.vm, s->view.vcpu);
		add_call(s, &g, runs);
		start = g.start;
	} while (!g.end);
	s->ns = now_ns() - since;
	free(runs);
}

static bool take_term(const char *term, size_t len, u32 *permissions)
{
	unsigned int shift = 0;
	size_t i = 0;

	if (len > 4 && (!strncmp(term, "el1:", 4) || !strncmp(term, "el0:", 4))) {
		shift = term[2] == '0' ? 4 : 0;
		i = 4;
	}
	if (i == len)
		return false;
	for (; i < len; i++) {
		const char *letter = memchr("rwx", term[i], 3);

		if (!letter)
			return false;
		*permissions |= 1U << (shift + (letter - "rwx"));
	}
	return true;
}

/* Permissions of a filter; none without one. */
static u32 parse_filter(const char *option, const char *text)
{
	u32 permissions = 0;

	while (text) {
		size_t len = strcspn(text, ",");

		if (!take_term(text, len, &permissions))
			die("--%s takes letters of rwx, of EL1's or behind el0:, such as wx,el0:r",
			    option);
		text = text[len] ? text + len + 1 : NULL;
	}
	return permissions;
}

static void take_range(const struct request *r, struct scan *s)
{
	s->start = 0;
	s->last = ~0ULL;
	if (r->ranges && *r->rest)
		die("--ranges and START exclude each other: give one of them");
	if (r->ranges && !strcmp(r->ranges, "user"))
		s->last = USER_LAST;
	else if (r->ranges && !strcmp(r->ranges, "kernel"))
		s->start = KERNEL_START;
	else if (r->ranges)
		die("--ranges takes kernel or user, not '%s'", r->ranges);
	if (r->rest[0])
		s->start = gva_parse(r->rest[0]);
	if (r->rest[0] && r->rest[1])
		s->last = gva_parse(r->rest[1]);
	if (s->last < s->start)
		die("LAST is below START: give the lower address first");
}

void keelctl_gva_scan(const struct request *r)
{
	u32 need = parse_filter("need", r->need), deny = parse_filter("deny", r->deny);
	struct scan s = { .nr = 0 };

	take_range(r, &s);
	if (r->map)
		canvas_check_name(r->map);
	gva_open(r, &s.view);
	scan(&s, need, deny);
	if (r->map)
		scan_picture(&s, r->map);
	if (r->json)
		scan_json(&s);
	else if (!r->map)
		scan_table(&s);
	if (r->stats && !r->json) {
		if (!r->map)
			putchar('\n');
		scan_stats(&s);
	}
	free(s.run);
}
