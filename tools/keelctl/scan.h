/* SPDX-License-Identifier: GPL-2.0 */
/* keelctl gva scan: what was found, as a table, as JSON, and as a picture. */
#ifndef KEELCTL_SCAN_H
#define KEELCTL_SCAN_H

#include "gva.h"

/**
 * struct scan - what a scan has found
 * @view: whose addresses these are
 * @start: first address
 * @last: last address
 * @run: the runs, ascending
 * @nr: how many
 * @took: sums of what the calls say of themselves
 * @ns: how long it took
 */
struct scan {
	struct gva_view view;
	u64 start;
	u64 last;
	struct keel_gva_run *run;
	size_t nr;
	struct keel_gva_scan took;
	u64 ns;
};

/**
 * scan_is_mapped() - is a run memory, or why there is none?
 * @run: the run
 *
 * Return: true if it is mapped.
 */
static inline bool scan_is_mapped(const struct keel_gva_run *run)
{
	return !(run->flags & (KEEL_GVA_RUN_NO_TABLE | KEEL_GVA_RUN_ABORT));
}

/**
 * scan_table() - print the runs
 * @s: the scan
 */
void scan_table(const struct scan *s);

/**
 * scan_stats() - print sizes by permission, and what the scan took
 * @s: the scan
 */
void scan_stats(const struct scan *s);

/**
 * scan_json() - print all of it as JSON
 * @s: the scan
 */
void scan_json(const struct scan *s);

/**
 * scan_picture() - draw the address space
 * @s: the scan
 * @path: of the file, which says by its name which kind it is
 */
void scan_picture(const struct scan *s, const char *path);

#endif
