// SPDX-License-Identifier: GPL-2.0
/* A picture of rectangles, lines and text, and SVG. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "canvas.h"

/* Kernel blue, green and orange; user the same, lighter; writable code red. */
const u8 canvas_palette[COLOURS][3] = {
	[COLOUR_PAPER] = { 0xff, 0xff, 0xff },
	[COLOUR_INK] = { 0x20, 0x20, 0x20 },
	[COLOUR_FAINT] = { 0x80, 0x80, 0x80 },
	[COLOUR_EMPTY] = { 0xe8, 0xe8, 0xe8 },
	[COLOUR_ASKED] = { 0xff, 0xb0, 0x4d },
	[COLOUR_DELIVERED] = { 0x1f, 0x4e, 0x9c },
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
	*add_shape(c) = (struct shape){
		.x = x, .y = y, .width = width, .height = height, .colour = colour,
	};
}

void canvas_text(struct canvas *c, int x, int y, enum colour colour, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		die("out of memory: close other programs on this host");
	va_end(ap);
	*add_shape(c) = (struct shape){ .x = x, .y = y, .colour = colour, .text = text };
}

void canvas_line(struct canvas *c, const struct point *point, size_t nr, int width,
		 enum colour colour)
{
	struct point *copy = xcalloc(nr, sizeof(*copy));

	memcpy(copy, point, nr * sizeof(*copy));
	*add_shape(c) = (struct shape){
		.width = width, .colour = colour, .point = copy, .nr = nr,
	};
}

void canvas_free(struct canvas *c)
{
	for (size_t i = 0; i < c->nr; i++) {
		free(c->shape[i].text);
		free(c->shape[i].point);
	}
	free(c->shape);
	*c = (struct canvas){ .nr = 0 };
}

static void svg_colour(const struct shape *s, const char *attribute, FILE *f)
{
	const u8 *rgb = canvas_palette[s->colour];

	fprintf(f, " %s=\"#%02x%02x%02x\"", attribute, rgb[0], rgb[1], rgb[2]);
}

static void svg_text(const struct shape *s, FILE *f)
{
	fprintf(f, "<text x=\"%d\" y=\"%d\"", s->x, s->y + CHAR_HEIGHT - 2);
	svg_colour(s, "fill", f);
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

/* Its last point stands there twice: so a line of one point is seen, too, as its square ends. */
static void svg_line(const struct shape *s, FILE *f)
{
	fprintf(f, "<polyline fill=\"none\" stroke-width=\"%d\"", s->width);
	svg_colour(s, "stroke", f);
	fputs(" stroke-linecap=\"square\" stroke-linejoin=\"round\" shape-rendering=\"auto\"\n"
	      " points=\"", f);
	for (size_t i = 0; i < s->nr; i++)
		fprintf(f, "%d,%d ", s->point[i].x, s->point[i].y);
	fprintf(f, "%d,%d\"/>\n", s->point[s->nr - 1].x, s->point[s->nr - 1].y);
}

static void svg_rect(const struct shape *s, FILE *f)
{
	fprintf(f, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"", s->x, s->y, s->width,
		s->height);
	svg_colour(s, "fill", f);
	fputs("/>\n", f);
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
		if (s->text)
			svg_text(s, f);
		else if (s->point)
			svg_line(s, f);
		else
			svg_rect(s, f);
	}
	fputs("</svg>\n", f);
}

static bool is_png(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot && !strcmp(dot, ".png");
}

void canvas_check_name(const char *path)
{
	const char *dot = strrchr(path, '.');

	if (!is_png(path) && (!dot || strcmp(dot, ".svg")))
		die("'%s' is no name of a picture: end it with .svg or .png", path);
}

static _Noreturn void write_failed(const char *path)
{
	die("cannot write %s: %s", path, strerror(errno));
}

FILE *canvas_open(const char *path)
{
	FILE *f = fopen(path, "we");

	if (!f)
		write_failed(path);
	return f;
}

void canvas_write(const struct canvas *c, FILE *f, const char *path)
{
	bool bad;

	if (is_png(path))
		png_write(c, f);
	else
		svg_write(c, f);
	bad = ferror(f);
	if (fclose(f) || bad)
		write_failed(path);
}
