// SPDX-License-Identifier: GPL-2.0
/* A picture of rectangles and text, and SVG. */
#include <stdarg.h>
#include <stdlib.h>

#include "canvas.h"

/* Kernel blue, green and orange; user the same, lighter; writable code red. */
const u8 canvas_palette[COLOURS][3] = {
	[COLOUR_PAPER] = { 0xff, 0xff, 0xff },
	[COLOUR_INK] = { 0x20, 0x20, 0x20 },
	[COLOUR_FAINT] = { 0x80, 0x80, 0x80 },
	[COLOUR_EMPTY] = { 0xe8, 0xe8, 0xe8 },
	[COLOUR_KERNEL_R] = { 0x1f, 0x4e, 0x9c },
	[COLOUR_KERNEL_RW] = { 0x1a, 0x7a, 0x3c },
	[COLOUR_KERNEL_RX] = { 0xd9, 0x72, 0x00 },
	[COLOUR_USER_R] = { 0x7f, 0xae, 0xf0 },
	[COLOUR_USER_RW] = { 0x74, 0xd0, 0x8c },
	[COLOUR_USER_RX] = { 0xff, 0xc0, 0x66 },
	[COLOUR_WX] = { 0xd0, 0x10, 0x30 },
	[COLOUR_OTHER] = { 0x9a, 0x60, 0xb4 },
};

static struct shape *add_shape(struct canvas *c)
{
	c->shape = xgrow(c->shape, c->nr + 1, sizeof(*c->shape));
	return &c->shape[c->nr++];
}

void canvas_rect(struct canvas *c, int x, int y, int width, int height, enum colour colour)
{
	*add_shape(c) = (struct shape){ x, y, width, height, colour, NULL };
}

void canvas_text(struct canvas *c, int x, int y, enum colour colour, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		die("out of memory: close other programs on this host");
	va_end(ap);
	*add_shape(c) = (struct shape){ x, y, 0, 0, colour, text };
}

void canvas_free(struct canvas *c)
{
	for (size_t i = 0; i < c->nr; i++)
		free(c->shape[i].text);
	free(c->shape);
	*c = (struct canvas){ .nr = 0 };
}

static void svg_colour(const struct shape *s, FILE *f)
{
	const u8 *rgb = canvas_palette[s->colour];

	fprintf(f, " fill=\"#%02x%02x%02x\"", rgb[0], rgb[1], rgb[2]);
}

static void svg_text(const struct shape *s, FILE *f)
{
	fprintf(f, "<text x=\"%d\" y=\"%d\"", s->x, s->y + CHAR_HEIGHT - 2);
	svg_colour(s, f);
	fputc('>', f);
	for (const char *p = s->text; *p; p++) {
		if (*p == '&')
			fputs("&amp;", f);
		else if (*p == '<')
			fputs("&lt;", f);
		else
			fputc(*p, f);
	}
	fputs("</text>\n", f);
}

void svg_write(const struct canvas *c, FILE *f)
{
	fprintf(f, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\"\n"
		" viewBox=\"0 0 %d %d\" shape-rendering=\"crispEdges\"\n"
		" font-family=\"monospace\" font-size=\"16\" xml:space=\"preserve\">\n",
		c->width, c->height, c->width, c->height);
	fprintf(f, "<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n", c->width, c->height);
	for (const struct shape *s = c->shape; s < c->shape + c->nr; s++) {
		if (s->text) {
			svg_text(s, f);
			continue;
		}
		fprintf(f, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"", s->x, s->y,
			s->width, s->height);
		svg_colour(s, f);
		fputs("/>\n", f);
	}
	fputs("</svg>\n", f);
}
