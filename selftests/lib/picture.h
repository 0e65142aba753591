/* SPDX-License-Identifier: GPL-2.0 */
/* Pictures that a program has written: are they whole, and how large. */
#ifndef SELFTESTS_PICTURE_H
#define SELFTESTS_PICTURE_H

#include "common.h"

#define PICTURE_MAX	0x400000

/**
 * struct picture - a file, and what it says of itself
 * @data: its bytes, and a NUL behind them
 * @size: how many
 * @width: in pixels
 * @height: in pixels
 */
struct picture {
	u8 *data;
	size_t size;
	u32 width;
	u32 height;
};

/**
 * picture_png() - read a PNG, remove its file and check it: whole chunks with good checksums, as
 *	many pixels as it says; ends the case if not
 * @path: of the file
 * @p: filled in
 */
void picture_png(const char *path, struct picture *p);

/**
 * picture_svg() - the same of an SVG: each element ends, in its place
 * @path: of the file
 * @p: filled in
 */
void picture_svg(const char *path, struct picture *p);

/**
 * picture_free() - forget it
 * @p: the picture
 */
void picture_free(struct picture *p);

#endif
