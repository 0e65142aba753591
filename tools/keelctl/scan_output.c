// SPDX-License-Identifier: GPL-2.0
/* keelctl gva scan: tables and JSON. */
#include <stdio.h>
#include <stdlib.h>

#include "output.h"
#include "scan.h"

static const struct {
	u32 flag;
	const char *word;
	const char *text;
} notes[] = {
	{ KEEL_GVA_RUN_NO_AF, "no_access_flag", "access flag clear" },
	{ KEEL_GVA_RUN_UNSURE, "unsure", "changed meanwhile" },
	{ KEEL_GVA_RUN_NO_TABLE, "no_table", "no memory for a table" },
	{ KEEL_GVA_RUN_ABORT, "abort", "external abort" },
	{ KEEL_GVA_RUN_FLAT, "flat", "MMU off" },
};

static char *notes_text(u32 flags, char *to)
{
	size_t n = 0;

	*to = 0;
	for (size_t i = 0; i < ARRAY_SIZE(notes); i++)
		if (flags & notes[i].flag)
			n += snprintf(to + n, GVA_TEXT_SIZE - n, "%s%s", n ? ", " : "",
				      notes[i].text);
	return to;
}

static bool has_permissions(const struct keel_gva_run *run)
{
	return scan_is_mapped(run) && !(run->flags & KEEL_GVA_RUN_UNSURE);
}

static void run_row(struct table *t, const struct keel_gva_run *run)
{
	char size[TEXT_SIZE], leaf[TEXT_SIZE] = "-", memory[GVA_TEXT_SIZE] = "-";
	bool known = has_permissions(run), mapped = scan_is_mapped(run);
	char note[GVA_TEXT_SIZE];

	if (mapped) {
		exact_text(1ULL << run->leaf_shift, leaf);
		gva_memory_text(run->attributes, memory);
	}
	table_row(t, "0x%016llx\t0x%016llx\t%s\t0x%llx\t%s\t%s\t%s\t%s\t%s\t%s", run->gva,
		  run->gva + run->length - 1, exact_text(run->length, size), run->ipa,
		  run->leaf_shift ? leaf : "-", known ? gva_el1_text(run->permissions) : "-",
		  known ? gva_el0_text(run->permissions) : "-", memory,
		  mapped ? gva_shared_text(run->attributes) : "-",
		  notes_text(run->flags, note));
}

void scan_table(const struct scan *s)
{
	struct table t = { .columns = 10, .left = 1 | 1 << 1 | 0x1f << 5 };

	table_row(&t, "START\tLAST\tSIZE\tIPA\tLEAF\tEL1\tEL0\tMEMORY\tSHARED\tNOTE");
	for (size_t i = 0; i < s->nr; i++)
		run_row(&t, &s->run[i]);
	table_print(&t);
}

/**
 * struct kind - mapped memory of the same permissions
 * @permissions: KEEL_GVA_EL1_R and so on
 * @runs: how many runs
 * @bytes: of how much memory
 */
struct kind {
	u32 permissions;
	u64 runs;
	u64 bytes;
};

#define KINDS	64	/* three bits each for EL1 and EL0 */

static struct kind *sum_kinds(const struct scan *s)
{
	struct kind *kinds = xcalloc(KINDS, sizeof(*kinds));

	for (const struct keel_gva_run *run = s->run; run < s->run + s->nr; run++) {
		struct kind *k = &kinds[(run->permissions & 7) | (run->permissions >> 4 & 7) << 3];

		if (!has_permissions(run))
			continue;
		k->permissions = run->permissions;
		k->runs++;
		k->bytes += run->length;
	}
	return kinds;
}

static const char *const hole_names[] = {
	"holes at level -1", "holes at level 0", "holes at level 1", "holes at level 2",
	"holes at level 3",
};

void scan_stats(const struct scan *s)
{
	struct table t = { .columns = 4, .left = 1 | 1 << 1 }, u = { .columns = 2, .left = 1 };
	struct kind *kinds = sum_kinds(s);
	char size[TEXT_SIZE];

	table_row(&t, "EL1\tEL0\tRUNS\tSIZE");
	for (const struct kind *k = kinds; k < kinds + KINDS; k++)
		if (k->runs)
			table_row(&t, "%s\t%s\t%llu\t%s", gva_el1_text(k->permissions),
				  gva_el0_text(k->permissions), k->runs, size_text(k->bytes, size));
	table_print(&t);
	free(kinds);
	table_row(&u, "\nSCAN\tVALUE");
	table_row(&u, "translations\t%llu", s->took.ats);
	table_row(&u, "leaves\t%llu", s->took.leaves);
	for (size_t i = 0; i < ARRAY_SIZE(hole_names); i++)
		if (s->took.holes[i])
			table_row(&u, "%s\t%llu", hole_names[i], s->took.holes[i]);
	table_row(&u, "holes of stage 2\t%llu", s->took.stage2_holes);
	table_row(&u, "tables read\t%llu", s->took.tables);
	table_row(&u, "slices\t%llu", s->took.slices);
	table_row(&u, "milliseconds\t%llu", s->ns / 1000000);
	table_print(&u);
}

static void json_run(const struct keel_gva_run *run)
{
	char memory[GVA_TEXT_SIZE];

	json_open(NULL, '{');
	json_hex("gva", run->gva);
	json_number("length", run->length);
	json_hex("ipa", run->ipa);
	if (scan_is_mapped(run)) {
		if (run->leaf_shift)
			json_number("leaf_size", 1ULL << run->leaf_shift);
		json_string("memory", gva_memory_text(run->attributes, memory));
		json_hex("mair", run->attributes & KEEL_GVA_MAIR);
		json_string("shareability", gva_shared_text(run->attributes));
	}
	if (has_permissions(run)) {
		json_string("el1", gva_el1_text(run->permissions));
		json_string("el0", gva_el0_text(run->permissions));
	}
	json_open("notes", '[');
	for (size_t i = 0; i < ARRAY_SIZE(notes); i++)
		if (run->flags & notes[i].flag)
			json_string(NULL, notes[i].word);
	json_close(']');
	json_close('}');
}

static void json_stats(const struct scan *s)
{
	static const char *const levels[] = { "-1", "0", "1", "2", "3" };

	json_open("stats", '{');
	json_number("ats", s->took.ats);
	json_number("leaves", s->took.leaves);
	json_open("holes", '{');
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
		json_number(levels[i], s->took.holes[i]);
	json_close('}');
	json_number("stage2_holes", s->took.stage2_holes);
	json_number("tables", s->took.tables);
	json_number("slices", s->took.slices);
	json_number("ns", s->ns);
	json_close('}');
}

void scan_json(const struct scan *s)
{
	json_open(NULL, '{');
	json_number("id", s->view.vm.id);
	json_number("vcpu", s->view.vcpu);
	json_hex("start", s->start);
	json_hex("last", s->last);
	json_open("runs", '[');
	for (size_t i = 0; i < s->nr; i++)
		json_run(&s->run[i]);
	json_close(']');
	json_stats(s);
	json_close('}');
}
