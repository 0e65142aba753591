// SPDX-License-Identifier: GPL-2.0
/* keelctl top: tables and JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "top.h"

#define FIXED_WIDTH	53	/* of the columns before the classes, with those blanks */
#define CLASS_WIDTH	9	/* of a class, at least */
#define NAME_WIDTH	10
#define ROW_SIZE	1024

static int by_vm(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;

	if (x->vm != y->vm)
		return x->vm < y->vm ? -1 : 1;
	return (x->vcpu > y->vcpu) - (x->vcpu < y->vcpu);
}

static int by_cpu(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;

	if (x->percent != y->percent)
		return x->percent > y->percent ? -1 : 1;
	return by_vm(a, b);
}

static int by_exits(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;
	u64 m = x->exits + x->exits_el2, n = y->exits + y->exits_el2;

	if (m != n)
		return m > n ? -1 : 1;
	return by_vm(a, b);
}

/* Rows of VMs stand before those of their vCPUs, or are left out. */
static void sort(struct top_moment *m, enum top_order order)
{
	size_t nr = 0;

	if (order == TOP_BY_VM) {
		qsort(m->row, m->nr, sizeof(*m->row), by_vm);
		return;
	}
	for (size_t i = 0; i < m->nr; i++)
		if (m->row[i].vcpu != TOP_VM)
			m->row[nr++] = m->row[i];
	m->nr = nr;
	qsort(m->row, nr, sizeof(*m->row), order == TOP_BY_CPU ? by_cpu : by_exits);
}

/* Classes that have been busy since the program began are shown first, and stay. */
static u64 busy[TOP_CLASSES];

static int by_busy(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	if (busy[x] != busy[y])
		return busy[x] > busy[y] ? -1 : 1;
	return x < y ? -1 : 1;
}

/* Return: how many classes have a column. */
static size_t choose_classes(const struct top_moment *m, int columns, size_t *chosen)
{
	size_t n = 0, room = TOP_CLASSES;

	for (size_t c = 0; top_class(c); c++) {
		for (size_t i = 0; i < m->nr; i++)
			if (m->row[i].vcpu != TOP_VM)
				busy[c] += m->row[i].class[c];
		if (busy[c])
			chosen[n++] = c;
	}
	qsort(chosen, n, sizeof(*chosen), by_busy);
	if (columns)
		room = columns < FIXED_WIDTH ? 0 : (columns - FIXED_WIDTH) / CLASS_WIDTH;
	if (room > TABLE_COLUMNS - 7)
		room = TABLE_COLUMNS - 7;
	return n < room ? n : room;
}

static void add_row(struct table *t, const struct top_row *row, const size_t *chosen, size_t n)
{
	char text[ROW_SIZE], vcpu[24], state[24], percent[24] = "-";
	size_t len = 0;

	if (row->vcpu == TOP_VM) {
		snprintf(vcpu, sizeof(vcpu), "all");
		snprintf(state, sizeof(state), "%u vCPU%s", row->state, row->state == 1 ? "" : "s");
	} else {
		snprintf(vcpu, sizeof(vcpu), "%lld", row->vcpu);
		snprintf(state, sizeof(state), "%s", node_state_text(row->state));
	}
	if (row->percent >= 0)
		snprintf(percent, sizeof(percent), "%.1f", row->percent);
	*text = 0;
	for (size_t i = 0; i < n; i++)
		len += snprintf(text + len, sizeof(text) - len, "\t%llu", row->class[chosen[i]]);
	table_row(t, "%u\t%.*s\t%s\t%s\t%s\t%llu\t%llu%s", row->vm, NAME_WIDTH, row->name, vcpu,
		  state, percent, row->exits + row->exits_el2, row->exits_el2, text);
}

void top_print(struct top_moment *rates, enum top_order order, int columns, int lines)
{
	struct table t = { .left = 1 << 1 | 1 << 3 };
	size_t chosen[TOP_CLASSES], n, shown;
	char heading[ROW_SIZE] = "";
	size_t len = 0;

	n = choose_classes(rates, columns, chosen);
	sort(rates, order);
	t.columns = 7 + n;
	for (size_t i = 0; i < n; i++)
		len += snprintf(heading + len, sizeof(heading) - len, "\t%s",
				top_class(chosen[i]));
	table_row(&t, "VM\tNAME\tVCPU\tSTATE\tCPU%%\tEXITS/S\tEL2/S%s", heading);
	shown = lines && rates->nr > (size_t)lines ? (size_t)lines : rates->nr;
	for (size_t i = 0; i < shown; i++)
		add_row(&t, &rates->row[i], chosen, n);
	table_print(&t);
	if (shown < rates->nr)
		printf("(%zu more)\n", rates->nr - shown);
}

static void json_rates(const struct top_row *row)
{
	if (row->percent >= 0)
		json_fixed("cpu_percent", row->percent);
	json_number("exits_per_second", row->exits + row->exits_el2);
	json_number("exits_el2_per_second", row->exits_el2);
	json_open("classes", '{');
	for (size_t c = 0; top_class(c); c++)
		json_number(top_class(c), row->class[c]);
	json_close('}');
}

void top_json(const struct top_moment *rates, u64 ns)
{
	const struct top_row *row = rates->row, *end = row + rates->nr;

	json_open(NULL, '{');
	json_number("interval_ns", ns);
	json_open("vms", '[');
	while (row < end) {
		json_open(NULL, '{');
		json_number("id", row->vm);
		json_string("name", row->name);
		json_rates(row++);
		json_open("vcpus", '[');
		for (; row < end && row->vcpu != TOP_VM; row++) {
			json_open(NULL, '{');
			json_number("id", row->vcpu);
			json_string("state", node_state_text(row->state));
			json_rates(row);
			json_close('}');
		}
		json_close(']');
		json_close('}');
	}
	json_close(']');
	json_close('}');
}
