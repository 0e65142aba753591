// SPDX-License-Identifier: GPL-2.0
/*
 * keelctl power record -o: a panel for each vCPU, with a line of what its guest asked for, a
 * thinner one of what came of it, and on top what it had: where they are the same all are seen.
 */
#include <stdlib.h>
#include <string.h>

#include "canvas.h"
#include "output.h"
#include "record.h"

#define MARGIN		12
#define PANEL_X		(MARGIN + 6 * CHAR_WIDTH)	/* behind "100 %" */
#define PANEL_WIDTH	1000
#define PANEL_HEIGHT	200
#define TITLE_HEIGHT	26
#define PITCH		(TITLE_HEIGHT + PANEL_HEIGHT + 54)	/* from a panel to the next */
#define WIDTH		(PANEL_X + PANEL_WIDTH + 4 * CHAR_WIDTH)
#define TICKS_MAX	10

/**
 * struct series - a line of each panel
 * @name: what it shows
 * @colour: its colour
 * @width: how thick it is
 * @steps: the value stays until the next is seen; else it changes on the way
 */
struct series {
	const char *name;
	enum colour colour;
	int width;
	bool steps;
};

/* The first at the bottom. */
enum { ASKED, TARGET, DELIVERED };

static const struct series all_series[] = {
	[ASKED] = { "asked", COLOUR_ASKED, 7, true },
	[TARGET] = { "target (asked, within the VM's range)", COLOUR_FAINT, 2, true },
	[DELIVERED] = { "delivered", COLOUR_DELIVERED, 3, false },
};

/**
 * struct panel - the one that is being drawn
 * @c: the picture
 * @r: the record
 * @y: its upper edge
 * @length: ns from its left edge to its right one
 * @point: of the line that is being drawn
 * @nr: how many
 */
struct panel {
	struct canvas *c;
	const struct record *r;
	int y;
	u64 length;
	struct point *point;
	size_t nr;
};

/* With one sample alone there is still time for an axis. */
static u64 length_of(const struct record *r)
{
	return r->nr > 1 ? r->at[r->nr - 1] : r->every;
}

static int x_of(const struct panel *p, u64 at)
{
	return PANEL_X + (double)at / p->length * PANEL_WIDTH + 0.5;
}

static int y_of(const struct panel *p, u32 parts)
{
	return p->y + PANEL_HEIGHT - (int)(power_percent(parts) / 100 * PANEL_HEIGHT + 0.5);
}

static u32 value_of(const struct sample *s, size_t series)
{
	if (series == ASKED)
		return s->asked;
	return series == TARGET ? s->target : s->delivered;
}

/* Of points on a level only the first and the last count. */
static void add_point(struct panel *p, int x, int y)
{
	struct point *last = p->point + p->nr;

	if (p->nr > 1 && last[-1].y == y && last[-2].y == y) {
		last[-1].x = x;
		return;
	}
	p->point = xgrow(p->point, p->nr + 1, sizeof(*p->point));
	p->point[p->nr++] = (struct point){ x, y };
}

static void end_line(struct panel *p, const struct series *s)
{
	if (p->nr)
		canvas_line(p->c, p->point, p->nr, s->width, s->colour);
	free(p->point);
	p->point = NULL;
	p->nr = 0;
}

/* What was not asked is a gap. */
static void draw_series(struct panel *p, size_t vcpu, size_t series)
{
	const struct series *s = &all_series[series];
	int y = 0;

	for (size_t i = 0; i < p->r->nr; i++) {
		u32 value = value_of(record_sample(p->r, i, vcpu), series);
		int x = x_of(p, p->r->at[i]);

		if (s->steps && p->nr)
			add_point(p, x, y);
		if (value == KEEL_POWER_UNASKED) {
			end_line(p, s);
			continue;
		}
		y = y_of(p, value);
		add_point(p, x, y);
	}
	end_line(p, s);
}

/* The smallest of 1, 2, 5, 10, 20, ... that makes no more of them than there is room for. */
static double tick_of(double seconds)
{
	static const double steps[] = { 1, 2, 5 };
	double decade = 0.001;

	for (;; decade *= 10)
		for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
			if (seconds / (steps[i] * decade) <= TICKS_MAX)
				return steps[i] * decade;
}

static void text_centred(struct canvas *c, int x, int y, const char *text)
{
	canvas_text(c, x - (int)strlen(text) * CHAR_WIDTH / 2, y, COLOUR_INK, "%s", text);
}

static void draw_axes(const struct panel *p)
{
	double seconds = p->length / 1e9, tick = tick_of(seconds);
	int bottom = p->y + PANEL_HEIGHT;
	char text[TEXT_SIZE];

	for (int percent = 0; percent <= 100; percent += 25) {
		int y = bottom - PANEL_HEIGHT * percent / 100;

		canvas_rect(p->c, PANEL_X, y, PANEL_WIDTH, 1, COLOUR_EMPTY);
		canvas_text(p->c, MARGIN, y - CHAR_HEIGHT / 2, COLOUR_INK, "%3d %%", percent);
	}
	for (int i = 0; i * tick <= seconds * 1.0001; i++) {
		int x = x_of(p, i * tick * 1e9);

		canvas_rect(p->c, x, bottom, 1, 8, COLOUR_INK);
		snprintf(text, sizeof(text), "%g s", i * tick);
		text_centred(p->c, x, bottom + 12, text);
	}
	canvas_rect(p->c, PANEL_X, p->y, 1, PANEL_HEIGHT, COLOUR_INK);
	canvas_rect(p->c, PANEL_X, bottom, PANEL_WIDTH + 1, 1, COLOUR_INK);
}

static void draw_legend(struct canvas *c, int y)
{
	int x = PANEL_X;

	for (size_t i = 0; i < ARRAY_SIZE(all_series); i++) {
		const struct series *s = &all_series[i];
		int middle = y + CHAR_HEIGHT / 2;
		struct point line[] = { { x, middle }, { x + 30, middle } };

		canvas_line(c, line, ARRAY_SIZE(line), s->width, s->colour);
		canvas_text(c, x + 42, y, COLOUR_INK, "%s", s->name);
		x += 42 + (strlen(s->name) + 3) * CHAR_WIDTH;
	}
}

void record_chart(const struct record *r, FILE *f, const char *path)
{
	struct canvas c = { .width = WIDTH };
	struct panel p = { .c = &c, .r = r, .length = length_of(r) };
	int y = MARGIN;

	canvas_text(&c, MARGIN, y, COLOUR_INK,
		    "VM %u (%s): performance, in percent of a host CPU at its best",
		    r->vm.id, r->vm.name);
	draw_legend(&c, y + 30);
	y += 66;
	for (size_t i = 0; i < r->nr_vcpus; i++) {
		canvas_text(&c, PANEL_X, y, COLOUR_INK, "vCPU %u", r->vcpu[i]);
		p.y = y + TITLE_HEIGHT;
		draw_axes(&p);
		for (size_t s = 0; s < ARRAY_SIZE(all_series); s++)
			draw_series(&p, i, s);
		y += PITCH;
	}
	c.height = y;
	canvas_write(&c, f, path);
	canvas_free(&c);
}
