// SPDX-License-Identifier: GPL-2.0
/* keelctl top: tables and JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "top.h"

#define FIXED_WIDTH	53	/* of the columns before the classes, with those blanks */
#define CLASS_WIDTH	9	/* of a class, at least */
#define POWER_WIDTH	9	/* of a column of power, at least */
#define FIXED		7	/* such columns */
#define POWERS		4
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

/* Return: how many columns of power there are: none if nobody uses it. */
static int choose_powers(const struct top_moment *m, int columns)
{
	int room = POWERS;

	if (columns)
		room = columns < FIXED_WIDTH ? 0 : (columns - FIXED_WIDTH) / POWER_WIDTH;
	for (size_t i = 0; i < m->nr; i++)
		if (m->row[i].power)
			return room < POWERS ? room : POWERS;
	return 0;
}

/* Return: how many classes have a column. */
static size_t choose_classes(const struct top_moment *m, int columns, int powers, size_t *chosen)
{
	int fixed = FIXED_WIDTH + powers * POWER_WIDTH;
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
		room = columns < fixed ? 0 : (columns - fixed) / CLASS_WIDTH;
	if (room > (size_t)(TABLE_COLUMNS - FIXED - powers))
		room = TABLE_COLUMNS - FIXED - powers;
	return n < room ? n : room;
}

static const char *const power_headings[POWERS] = { "ASKED%", "DELIV%", "ASLEEP%", "POWER" };

/* Return: its length. A VM as a whole has none. */
static size_t power_text(const struct top_row *row, int powers, char *to)
{
	char cell[POWERS][POWER_TEXT_SIZE] = { "-", "-", "-", "-" };
	size_t len = 0;

	if (row->power) {
		power_asked_text(row->asked, cell[0]);
		snprintf(cell[1], sizeof(cell[1]), "%.1f", power_percent(row->delivered));
		snprintf(cell[2], sizeof(cell[2]), "%.1f", row->asleep);
		snprintf(cell[3], sizeof(cell[3]), "%s", power_state_text(row->sleep));
	}
	*to = 0;
	for (int i = 0; i < powers; i++)
		len += sprintf(to + len, "\t%s", cell[i]);
	return len;
}

static void add_row(struct table *t, const struct top_row *row, int powers, const size_t *chosen,
		    size_t n)
{
	char text[ROW_SIZE], vcpu[24], state[24], percent[24] = "-";
	size_t len;

	if (row->vcpu == TOP_VM) {
		snprintf(vcpu, sizeof(vcpu), "all");
		snprintf(state, sizeof(state), "%u vCPU%s", row->state, row->state == 1 ? "" : "s");
	} else {
		snprintf(vcpu, sizeof(vcpu), "%lld", row->vcpu);
		snprintf(state, sizeof(state), "%s", node_state_text(row->state));
	}
	if (row->percent >= 0)
		snprintf(percent, sizeof(percent), "%.1f", row->percent);
	len = power_text(row, powers, text);
	for (size_t i = 0; i < n; i++)
		len += snprintf(text + len, sizeof(text) - len, "\t%llu", row->class[chosen[i]]);
	table_row(t, "%u\t%.*s\t%s\t%s\t%s\t%llu\t%llu%s", row->vm, NAME_WIDTH, row->name, vcpu,
		  state, percent, row->exits + row->exits_el2, row->exits_el2, text);
}

void top_print(struct top_moment *rates, enum top_order order, int columns, int lines)
{
	struct table t = { .left = 1 << 1 | 1 << 3 };
	size_t chosen[TOP_CLASSES], n, shown;
	int powers = choose_powers(rates, columns);
	char heading[ROW_SIZE] = "";
	size_t len = 0;

	n = choose_classes(rates, columns, powers, chosen);
	sort(rates, order);
	t.columns = FIXED + powers + n;
	if (powers == POWERS)
		t.left |= 1 << (FIXED + POWERS - 1);
	for (int i = 0; i < powers; i++)
		len += snprintf(heading + len, sizeof(heading) - len, "\t%s", power_headings[i]);
	for (size_t i = 0; i < n; i++)
		len += snprintf(heading + len, sizeof(heading) - len, "\t%s",
				top_class(chosen[i]));
	table_row(&t, "VM\tNAME\tVCPU\tSTATE\tCPU%%\tEXITS/S\tEL2/S%s", heading);
	shown = lines && rates->nr > (size_t)lines ? (size_t)lines : rates->nr;
	for (size_t i = 0; i < shown; i++)
		add_row(&t, &rates->row[i], powers, chosen, n);
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

static void json_power(const struct top_row *row)
{
	json_open("power", '{');
	json_string("state", power_state_text(row->sleep));
	if (row->asked != KEEL_POWER_UNASKED)
		json_fixed("asked_percent", power_percent(row->asked));
	json_fixed("delivered_percent", power_percent(row->delivered));
	json_fixed("asleep_percent", row->asleep);
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
			if (row->power)
				json_power(row);
			json_close('}');
		}
		json_close(']');
		json_close('}');
	}
	json_close(']');
	json_close('}');
}
