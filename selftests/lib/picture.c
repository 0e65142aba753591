// SPDX-License-Identifier: GPL-2.0
/* Pictures that a program has written: PNG as keelctl makes it, of stored blocks; SVG. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ktap.h"
#include "picture.h"

#define CRC_POLYNOMIAL	0xedb88320u

static void picture_read(const char *path, struct picture *p)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	REQUIRE_OK(fd);
	p->data = malloc(PICTURE_MAX);
	REQUIRE(p->data);
	n = read(fd, p->data, PICTURE_MAX - 1);
	REQUIRE(n > 0);
	close(fd);
	unlink(path);
	p->data[n] = 0;
	p->size = n;
}

static u32 be32(const u8 *p)
{
	return (u32)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static u32 crc32(const u8 *data, size_t len)
{
	u32 crc = ~0U;
	int bit;

	while (len--) {
		crc ^= *data++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? CRC_POLYNOMIAL : 0);
	}
	return ~crc;
}

/* Of a zlib stream: two bytes, blocks that each tell their length, a checksum. */
static size_t stored_bytes(const u8 *p, size_t len)
{
	size_t at = 2, sum = 0, n;
	bool last;

	do {
		REQUIRE(at + 5 <= len);
		last = p[at];
		n = p[at + 1] | p[at + 2] << 8;
		REQUIRE_EQ(n ^ 0xffff, p[at + 3] | p[at + 4] << 8);
		at += 5 + n;
		sum += n;
	} while (!last);
	CHECK_EQ(at + 4, len);
	return sum;
}

static void take_chunk(struct picture *p, const u8 *type, u32 len)
{
	const u8 *data = type + 4;

	CHECK_EQ(be32(data + len), crc32(type, len + 4));
	if (!memcmp(type, "IHDR", 4)) {
		p->width = be32(data);
		p->height = be32(data + 4);
		CHECK_EQ(data[8], 4);
	} else if (!memcmp(type, "IDAT", 4)) {
		CHECK_EQ(stored_bytes(data, len), p->height * (1 + (p->width + 1) / 2));
	}
}

void picture_png(const char *path, struct picture *p)
{
	size_t at = 8;

	picture_read(path, p);
	REQUIRE(p->size > 8 && !memcmp(p->data, "\x89PNG\r\n\x1a\n", 8));
	CHECK(!memcmp(p->data + 12, "IHDR", 4));
	while (at + 12 <= p->size) {
		u32 len = be32(p->data + at);

		REQUIRE(len <= p->size - at - 12);
		take_chunk(p, p->data + at + 4, len);
		if (!memcmp(p->data + at + 4, "IEND", 4))
			break;
		at += 12 + len;
	}
	CHECK_EQ(at + 12, p->size);
}

/* Between two tags: no character that has to be written otherwise. */
static const char *skip_text(const char *s)
{
	while (*s && *s != '<') {
		CHECK(*s != '>' && (*s != '&' || !strncmp(s, "&amp;", 5) ||
				    !strncmp(s, "&lt;", 4)));
		s++;
	}
	return s;
}

static const char *skip_tag(const char *s, int *depth)
{
	bool closing = s[1] == '/', declares = s[1] == '?', quoted = false;

	while (*s && (quoted || *s != '>')) {
		quoted ^= *s == '"';
		s++;
	}
	REQUIRE(*s);
	if (closing)
		--*depth;
	else if (!declares && s[-1] != '/')
		++*depth;
	REQUIRE(*depth >= 0);
	return s + 1;
}

void picture_svg(const char *path, struct picture *p)
{
	const char *s, *svg;
	int depth = 0, found;

	picture_read(path, p);
	for (s = skip_text((char *)p->data); *s; s = skip_text(s))
		s = skip_tag(s, &depth);
	CHECK_EQ(depth, 0);
	svg = strstr((char *)p->data, "<svg ");
	REQUIRE(svg);
	svg = strstr(svg, "width=");
	REQUIRE(svg);
	found = sscanf(svg, "width=\"%u\" height=\"%u\"", &p->width, &p->height);
	REQUIRE_EQ(found, 2);
}

void picture_free(struct picture *p)
{
	free(p->data);
	p->data = NULL;
}
