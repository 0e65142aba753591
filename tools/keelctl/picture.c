// SPDX-License-Identifier: GPL-2.0
/*
 * keelctl gva scan --map. Of 2^64 addresses nearly all map nothing, so each half of the address
 * space is a bar with marks, and below it what is mapped, in rows with a scale of their own: the
 * largest gaps are between rows.
 */
#include <stdlib.h>
#include <string.h>

#include "canvas.h"
#include "output.h"
#include "scan.h"

#define ROWS		16		/* of a half, at most */
#define GAP_MIN		SZ_2M		/* smaller ones stay inside a row */
#define BAR_X		240
#define BAR_WIDTH	1000
#define BAR_HEIGHT	28
#define PITCH		54		/* from a row to the next */
#define MARGIN		12
#define WIDTH		(BAR_X + BAR_WIDTH + MARGIN + 31 * CHAR_WIDTH)
#define MAPPED		(COLOURS - COLOUR_KERNEL_R)

/**
 * struct half - one of the two halves
 * @title: what it is
 * @first: its lowest address that is shown
 * @last: its highest
 * @run: its mapped runs
 * @nr: how many
 */
struct half {
	const char *title;
	u64 first;
	u64 last;
	const struct keel_gva_run *run;
	size_t nr;
};

static enum colour colour_of(const struct keel_gva_run *run)
{
	static const enum colour kernel[] = {
		COLOUR_OTHER, COLOUR_KERNEL_R, COLOUR_OTHER, COLOUR_KERNEL_RW,
		COLOUR_OTHER, COLOUR_KERNEL_RX, COLOUR_WX, COLOUR_WX,
	};
	static const enum colour user[] = {
		COLOUR_OTHER, COLOUR_USER_R, COLOUR_OTHER, COLOUR_USER_RW,
		COLOUR_USER_RX, COLOUR_USER_RX, COLOUR_WX, COLOUR_WX,
	};
	u32 el1 = run->permissions & 7, el0 = run->permissions >> 4 & 7;

	if (run->flags & (KEEL_GVA_RUN_UNSURE | KEEL_GVA_RUN_FLAT))
		return COLOUR_OTHER;
	if (kernel[el1] == COLOUR_WX)
		return COLOUR_WX;
	return el0 ? user[el0] : kernel[el1];
}

static void legend(struct canvas *c, int *y)
{
	static const struct {
		enum colour colour;
		const char *text;
	} entries[] = {
		{ COLOUR_KERNEL_R, "kernel r--" }, { COLOUR_KERNEL_RW, "kernel rw-" },
		{ COLOUR_KERNEL_RX, "kernel r-x" }, { COLOUR_WX, "writable and executable" },
		{ COLOUR_EMPTY, "not mapped" },
		{ COLOUR_USER_R, "user r--" }, { COLOUR_USER_RW, "user rw-" },
		{ COLOUR_USER_RX, "user --x or r-x" }, { COLOUR_OTHER, "other, or not known" },
	};
	static const int column[] = { 0, 200, 400, 660, 1000 };

	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		int x = MARGIN + column[i % 5], line = *y + i / 5 * 26;

		canvas_rect(c, x, line, 20, CHAR_HEIGHT, entries[i].colour);
		canvas_text(c, x + 28, line, COLOUR_INK, "%s", entries[i].text);
	}
	*y += 2 * 26 + 4;
}

/* The bytes of each colour in each column of a bar. */
static double *columns_of(const struct half *h, u64 first, u64 last)
{
	double *bytes = xcalloc(BAR_WIDTH * MAPPED, sizeof(*bytes));
	double scale = ((double)(last - first) + 1) / BAR_WIDTH;

	for (const struct keel_gva_run *run = h->run; run < h->run + h->nr; run++) {
		u64 end = run->gva + (run->length - 1);
		double from, to;

		if (end < first || run->gva > last)
			continue;
		from = run->gva > first ? (run->gva - first) / scale : 0;
		to = ((end < last ? end : last) - first + 1.0) / scale;
		for (int x = from; x < to && x < BAR_WIDTH; x++) {
			double left = from > x ? from : x, right = to < x + 1 ? to : x + 1;

			bytes[x * MAPPED + colour_of(run) - COLOUR_KERNEL_R] += right - left;
		}
	}
	return bytes;
}

/* How much of its column each colour takes: @least, so that it is seen, or more. */
static void heights_of(const double *share, int least, int *height)
{
	for (int i = 0; i < MAPPED; i++) {
		height[i] = share[i] * BAR_HEIGHT + 0.5;
		if (share[i] > 0 && height[i] < least)
			height[i] = least;
	}
}

/* Neighbouring columns that look the same are one rectangle. */
static void draw_bar(struct canvas *c, const struct half *h, u64 first, u64 last, int y, int least)
{
	double *bytes = columns_of(h, first, last);
	int height[MAPPED], next[MAPPED], x, end;

	canvas_rect(c, BAR_X, y, BAR_WIDTH, BAR_HEIGHT, COLOUR_EMPTY);
	for (x = 0; x < BAR_WIDTH; x = end) {
		int bottom = y + BAR_HEIGHT;

		heights_of(bytes + x * MAPPED, least, height);
		for (end = x + 1; end < BAR_WIDTH; end++) {
			heights_of(bytes + end * MAPPED, least, next);
			if (memcmp(height, next, sizeof(height)))
				break;
		}
		for (int i = 0; i < MAPPED; i++) {
			int n = height[i] < bottom - y ? height[i] : bottom - y;

			bottom -= n;
			if (n)
				canvas_rect(c, BAR_X + x, bottom, end - x, n, COLOUR_KERNEL_R + i);
		}
	}
	free(bytes);
}

static u64 end_of(const struct keel_gva_run *run)
{
	return run->gva + (run->length - 1);
}

static u64 gap_behind(const struct half *h, size_t i)
{
	return h->run[i + 1].gva - end_of(&h->run[i]) - 1;
}

/* The smallest gap that separates rows: of the largest ones there are fewer than ROWS. */
static u64 gap_limit(const struct half *h)
{
	u64 largest[ROWS - 1] = { 0 };

	for (size_t i = 0; i + 1 < h->nr; i++) {
		u64 gap = gap_behind(h, i);

		for (size_t k = 0; k < ARRAY_SIZE(largest); k++)
			if (gap > largest[k]) {
				u64 other = largest[k];

				largest[k] = gap;
				gap = other;
			}
	}
	return largest[ROWS - 2] > GAP_MIN ? largest[ROWS - 2] : GAP_MIN;
}

static u64 mapped_bytes(const struct half *h, u64 first, u64 last)
{
	u64 sum = 0;

	for (size_t i = 0; i < h->nr; i++)
		if (h->run[i].gva >= first && h->run[i].gva <= last)
			sum += h->run[i].length;
	return sum;
}

static void draw_row(struct canvas *c, const struct half *h, u64 first, u64 last, int *y)
{
	char span[TEXT_SIZE], mapped[TEXT_SIZE];

	draw_bar(c, h, first, last, *y, 3);
	canvas_text(c, MARGIN, *y + 7, COLOUR_INK, "0x%016llx", first);
	canvas_text(c, BAR_X + BAR_WIDTH + MARGIN, *y, COLOUR_INK, "0x%016llx", last);
	canvas_text(c, BAR_X + BAR_WIDTH + MARGIN, *y + 18, COLOUR_FAINT, "%s mapped of %s",
		    size_text(mapped_bytes(h, first, last), mapped),
		    size_text(last - first + 1, span));
	*y += PITCH;
}

/* The whole half, with addresses at its quarters. */
static void draw_overview(struct canvas *c, const struct half *h, int *y)
{
	char mapped[TEXT_SIZE];

	canvas_text(c, MARGIN, *y, COLOUR_INK, "%s: %s mapped in %zu runs", h->title,
		    size_text(mapped_bytes(h, h->first, h->last), mapped), h->nr);
	*y += 26;
	canvas_text(c, MARGIN, *y + 7, COLOUR_INK, "all of it");
	draw_bar(c, h, h->first, h->last, *y, BAR_HEIGHT / 2);
	*y += BAR_HEIGHT;
	for (int i = 0; i < 4; i++) {
		int x = BAR_X + BAR_WIDTH / 4 * i;

		canvas_rect(c, x, *y, 2, 8, COLOUR_INK);
		canvas_text(c, x + 6, *y + 4, COLOUR_INK, "0x%016llx",
			    h->first + ((h->last - h->first) / 4 + 1) * i);
	}
	*y += 40;
}

static void draw_half(struct canvas *c, const struct half *h, int *y)
{
	u64 limit = h->nr ? gap_limit(h) : 0;
	size_t first = 0;
	int rows = 0;

	draw_overview(c, h, y);
	for (size_t i = 0; i < h->nr; i++) {
		char gap[TEXT_SIZE];
		bool cut = i + 1 < h->nr && gap_behind(h, i) >= limit && rows < ROWS - 1;

		if (i + 1 < h->nr && !cut)
			continue;
		draw_row(c, h, h->run[first].gva, end_of(&h->run[i]), y);
		if (cut)
			canvas_text(c, BAR_X, *y - PITCH + BAR_HEIGHT + 6, COLOUR_FAINT,
				    "gap of %s", size_text(gap_behind(h, i), gap));
		first = i + 1;
		rows++;
	}
	*y += MARGIN;
}

/* What is shown of a half: 48 bits of address, or 52 if these are used, as far as it was scanned */
static void set_bounds(struct half *h, const struct scan *s, u64 edge, u64 far, bool kernel)
{
	bool wide = h->nr && (kernel ? h->run[0].gva < edge : end_of(&h->run[h->nr - 1]) > edge);

	if (wide)
		edge = far;
	h->first = kernel ? edge : 0;
	h->last = kernel ? ~0ULL : edge;
	if (s->start > h->first)
		h->first = s->start;
	if (s->last < h->last)
		h->last = s->last;
}

static void draw(struct canvas *c, const struct scan *s, struct half *user, struct half *kernel)
{
	int y = MARGIN;

	c->width = WIDTH;
	canvas_text(c, MARGIN, y, COLOUR_INK, "VM %u (%s), vCPU %u: guest virtual addresses",
		    s->view.vm.id, s->view.vm.name, s->view.vcpu);
	y += 30;
	legend(c, &y);
	set_bounds(kernel, s, 0xffff000000000000, 0xfff0000000000000, true);
	set_bounds(user, s, 0x0000ffffffffffff, 0x000fffffffffffff, false);
	if (kernel->first <= kernel->last)
		draw_half(c, kernel, &y);
	if (user->first <= user->last)
		draw_half(c, user, &y);
	c->height = y;
}

void scan_picture(const struct scan *s, const char *path)
{
	struct half user = { .title = "User half (TTBR0)" };
	struct half kernel = { .title = "Kernel half (TTBR1)" };
	struct keel_gva_run *mapped = xcalloc(s->nr + 1, sizeof(*mapped));
	struct canvas c = { .nr = 0 };

	for (size_t i = 0; i < s->nr; i++) {
		if (!scan_is_mapped(&s->run[i]))
			continue;
		mapped[user.nr + kernel.nr] = s->run[i];
		if (s->run[i].gva >> 63)
			kernel.nr++;
		else
			user.nr++;
	}
	user.run = mapped;
	kernel.run = mapped + user.nr;
	draw(&c, s, &user, &kernel);
	canvas_write(&c, canvas_open(path), path);
	canvas_free(&c);
	free(mapped);
}
