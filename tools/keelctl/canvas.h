/* SPDX-License-Identifier: GPL-2.0 */
/* keelctl: a picture of rectangles, lines and text, written as SVG or PNG. */
#ifndef KEELCTL_CANVAS_H
#define KEELCTL_CANVAS_H

#include <stdio.h>

#include "util.h"

/* A PNG has four bits a pixel: at most 16 of them. */
enum colour {
	COLOUR_PAPER,
	COLOUR_INK,
	COLOUR_FAINT,		/* text of little weight */
	COLOUR_EMPTY,		/* addresses that map nothing, lines of a grid */
	COLOUR_ASKED,
	COLOUR_DELIVERED,
	COLOUR_KERNEL_R,
	COLOUR_KERNEL_RW,
	COLOUR_KERNEL_RX,
	COLOUR_USER_R,
	COLOUR_USER_RW,
	COLOUR_USER_RX,
	COLOUR_WX,
	COLOUR_OTHER,
	COLOURS,
};

/* Red, green, blue of each */
extern const u8 canvas_palette[COLOURS][3];

/* Of a character: both kinds of picture leave this room for it. */
#define CHAR_WIDTH	12
#define CHAR_HEIGHT	14

/**
 * struct point - a place in the picture
 * @x: from the left
 * @y: from above
 */
struct point {
	int x;
	int y;
};

/**
 * struct shape - a rectangle, a text or a line
 * @x: left edge, but of a line
 * @y: upper edge, but of a line
 * @width: of a rectangle, or how thick a line is
 * @height: of a rectangle
 * @colour: its colour
 * @text: NULL: it is none
 * @point: of a line, which goes from one to the next; NULL: it is none
 * @nr: how many points
 */
struct shape {
	int x;
	int y;
	int width;
	int height;
	enum colour colour;
	char *text;
	struct point *point;
	size_t nr;
};

/**
 * struct canvas - a picture, in pixels
 * @width: of the picture
 * @height: of the picture
 * @shape: what is on it, the first at the bottom
 * @nr: how many
 */
struct canvas {
	int width;
	int height;
	struct shape *shape;
	size_t nr;
};

/**
 * canvas_rect() - add a rectangle
 * @c: the picture
 * @x: left edge
 * @y: upper edge
 * @width: in pixels
 * @height: in pixels
 * @colour: of all of it
 */
void canvas_rect(struct canvas *c, int x, int y, int width, int height, enum colour colour);

/**
 * canvas_text() - add a text
 * @c: the picture
 * @x: left edge
 * @y: upper edge
 * @colour: its colour
 * @fmt: printf format
 */
void canvas_text(struct canvas *c, int x, int y, enum colour colour, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/**
 * canvas_line() - add a line
 * @c: the picture
 * @point: it goes from one to the next
 * @nr: how many, 1 or more
 * @width: how thick it is
 * @colour: its colour
 */
void canvas_line(struct canvas *c, const struct point *point, size_t nr, int width,
		 enum colour colour);

/**
 * canvas_check_name() - end the program if this is no name of a picture
 * @path: its path
 */
void canvas_check_name(const char *path);

/**
 * canvas_open() - open the file of a picture, or end the program
 * @path: its path, of canvas_check_name()
 *
 * Return: the file, empty now.
 */
FILE *canvas_open(const char *path);

/**
 * canvas_write() - write the picture and close its file, or end the program
 * @c: the picture
 * @f: of canvas_open()
 * @path: its path, which says which kind it is
 */
void canvas_write(const struct canvas *c, FILE *f, const char *path);

/**
 * canvas_free() - forget what is on it
 * @c: the picture
 */
void canvas_free(struct canvas *c);

/**
 * svg_write() - write the picture as SVG
 * @c: the picture
 * @f: the file; the caller looks for errors
 */
void svg_write(const struct canvas *c, FILE *f);

/**
 * png_write() - write the picture as PNG
 * @c: the picture
 * @f: the file; the caller looks for errors
 */
void png_write(const struct canvas *c, FILE *f);

/**
 * font_rows() - the dots of a character
 * @c: the character; one that has none is drawn as a question mark
 *
 * Return: 7 rows from above, of each 5 bits, the left one bit 4.
 */
const u8 *font_rows(char c);

#define FONT_WIDTH	5
#define FONT_HEIGHT	7

#endif
