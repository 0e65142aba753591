// SPDX-License-Identifier: GPL-2.0
/*
 * PNG (W3C's recommendation) with four bits a pixel, a palette, and deflate's stored blocks (RFC
 * 1950, 1951): it needs no library, and is not small.
 */
#include <stdlib.h>
#include <string.h>

#include "canvas.h"

#define BLOCK_MAX	65535	/* of a stored block */
#define ADLER_BASE	65521
#define CRC_POLYNOMIAL	0xedb88320u

/* Two pixels a byte, the left one above. */
static void set_pixel(const struct canvas *c, u8 *pixels, int x, int y, enum colour colour)
{
	u8 *byte = pixels + (size_t)y * ((c->width + 1) / 2) + x / 2;

	if (x < 0 || y < 0 || x >= c->width || y >= c->height)
		return;
	if (x & 1)
		*byte = (*byte & 0xf0) | colour;
	else
		*byte = (*byte & 0x0f) | colour << 4;
}

static void fill(const struct canvas *c, u8 *pixels, const struct shape *s)
{
	for (int y = s->y; y < s->y + s->height; y++)
		for (int x = s->x; x < s->x + s->width; x++)
			set_pixel(c, pixels, x, y, s->colour);
}

/* Each dot of the font is two by two pixels. */
static void write_char(const struct canvas *c, u8 *pixels, const struct shape *s, int i)
{
	const u8 *rows = font_rows(s->text[i]);
	struct shape dot = { .width = 2, .height = 2, .colour = s->colour };

	for (int row = 0; row < FONT_HEIGHT; row++)
		for (int column = 0; column < FONT_WIDTH; column++) {
			dot.x = s->x + i * CHAR_WIDTH + 2 * column;
			dot.y = s->y + 2 * row;
			if (rows[row] >> (FONT_WIDTH - 1 - column) & 1)
				fill(c, pixels, &dot);
		}
}

/* A square brush, moved pixel by pixel along the longer side. */
static void draw_segment(const struct canvas *c, u8 *pixels, const struct shape *s,
			 const struct point *from, const struct point *to)
{
	struct shape brush = { .width = s->width, .height = s->width, .colour = s->colour };
	int dx = to->x - from->x, dy = to->y - from->y;
	int steps = abs(dx) > abs(dy) ? abs(dx) : abs(dy);

	for (int i = 0; i <= steps; i++) {
		brush.x = from->x - s->width / 2 + (steps ? dx * i / steps : 0);
		brush.y = from->y - s->width / 2 + (steps ? dy * i / steps : 0);
		fill(c, pixels, &brush);
	}
}

static void draw_line(const struct canvas *c, u8 *pixels, const struct shape *s)
{
	draw_segment(c, pixels, s, s->point, s->point);
	for (size_t i = 1; i < s->nr; i++)
		draw_segment(c, pixels, s, &s->point[i - 1], &s->point[i]);
}

static u8 *draw(const struct canvas *c)
{
	u8 *pixels = xcalloc(c->height, (c->width + 1) / 2);

	for (const struct shape *s = c->shape; s < c->shape + c->nr; s++) {
		if (s->point)
			draw_line(c, pixels, s);
		else if (!s->text)
			fill(c, pixels, s);
		for (int i = 0; s->text && s->text[i]; i++)
			write_char(c, pixels, s, i);
	}
	return pixels;
}

static void put_be32(u8 *to, u32 value)
{
	for (int i = 0; i < 4; i++)
		to[i] = value >> (24 - 8 * i);
}

static u32 crc32(u32 crc, const u8 *data, size_t len)
{
	crc = ~crc;
	while (len--) {
		crc ^= *data++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? CRC_POLYNOMIAL : 0);
	}
	return ~crc;
}

static u32 adler32(const u8 *data, size_t len)
{
	u32 a = 1, b = 0;

	while (len--) {
		a = (a + *data++) % ADLER_BASE;
		b = (b + a) % ADLER_BASE;
	}
	return b << 16 | a;
}

static void put_chunk(FILE *f, const char *type, const u8 *data, size_t len)
{
	u8 word[4];
	u32 crc;

	put_be32(word, len);
	fwrite(word, 1, 4, f);
	fwrite(type, 1, 4, f);
	fwrite(data, 1, len, f);
	crc = crc32(crc32(0, (const u8 *)type, 4), data, len);
	put_be32(word, crc);
	fwrite(word, 1, 4, f);
}

/* A zlib stream of stored blocks. The caller frees it. */
static u8 *store(const u8 *data, size_t len, size_t *size)
{
	u8 *stream = xcalloc(len + 6 + 5 * (len / BLOCK_MAX + 1), 1), *to = stream;
	size_t done = 0;

	*to++ = 0x78;
	*to++ = 0x01;
	do {
		size_t n = len - done < BLOCK_MAX ? len - done : BLOCK_MAX;

		*to++ = done + n == len;
		*to++ = n;
		*to++ = n >> 8;
		*to++ = ~n;
		*to++ = ~n >> 8;
		memcpy(to, data + done, n);
		to += n;
		done += n;
	} while (done < len);
	put_be32(to, adler32(data, len));
	*size = to + 4 - stream;
	return stream;
}

/* Before each line stands its filter, which is none. */
static void put_lines(const struct canvas *c, FILE *f)
{
	size_t line = (c->width + 1) / 2, size;
	u8 *pixels = draw(c), *lines = xcalloc(c->height, line + 1), *stream;

	for (int y = 0; y < c->height; y++)
		memcpy(lines + y * (line + 1) + 1, pixels + y * line, line);
	stream = store(lines, c->height * (line + 1), &size);
	put_chunk(f, "IDAT", stream, size);
	free(stream);
	free(lines);
	free(pixels);
}

void png_write(const struct canvas *c, FILE *f)
{
	u8 head[13] = { 0 };

	fwrite("\x89PNG\r\n\x1a\n", 1, 8, f);
	put_be32(head, c->width);
	put_be32(head + 4, c->height);
	head[8] = 4;	/* bits */
	head[9] = 3;	/* of a palette */
	put_chunk(f, "IHDR", head, sizeof(head));
	put_chunk(f, "PLTE", canvas_palette[0], sizeof(canvas_palette));
	put_lines(c, f);
	put_chunk(f, "IEND", NULL, 0);
}
