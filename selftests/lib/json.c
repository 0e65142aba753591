// SPDX-License-Identifier: GPL-2.0
/*
 * A strict reader of JSON (RFC 8259) without exponents. Each skip_*() returns what follows, or NULL
 * where the text is wrong.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "ktap.h"

static const char *skip_value(const char *s);

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t\r\n");
}

static const char *skip_escape(const char *s)
{
	if (*s != 'u')
		return *s && strchr("\"\\/bfnrt", *s) ? s + 1 : NULL;
	return strspn(s + 1, "0123456789abcdefABCDEF") >= 4 ? s + 5 : NULL;
}

static const char *skip_string(const char *s)
{
	if (*s++ != '"')
		return NULL;
	while (s && *s != '"') {
		if ((unsigned char)*s < ' ')
			return NULL;
		s = *s == '\\' ? skip_escape(s + 1) : s + 1;
	}
	return s ? s + 1 : NULL;
}

static const char *skip_number(const char *s)
{
	s += *s == '-';
	if (!isdigit((unsigned char)*s) || (*s == '0' && isdigit((unsigned char)s[1])))
		return NULL;
	s += strspn(s, "0123456789");
	if (*s != '.')
		return s;
	return isdigit((unsigned char)s[1]) ? s + 1 + strspn(s + 1, "0123456789") : NULL;
}

/* Behind a member's key and colon; in an array there is none. */
static const char *skip_key(const char *s, char close)
{
	s = skip_blanks(s);
	if (close == ']')
		return s;
	s = skip_string(s);
	s = s ? skip_blanks(s) : NULL;
	return s && *s == ':' ? skip_blanks(s + 1) : NULL;
}

static const char *skip_members(const char *s, char close)
{
	s = skip_blanks(s + 1);
	if (*s == close)
		return s + 1;
	for (;;) {
		s = skip_key(s, close);
		s = s ? skip_value(s) : NULL;
		s = s ? skip_blanks(s) : NULL;
		if (!s || (*s != ',' && *s != close))
			return NULL;
		if (*s++ == close)
			return s;
	}
}

static const char *skip_value(const char *s)
{
	static const char *const words[] = { "true", "false", "null" };
	size_t i;

	switch (*s) {
	case '{':
		return skip_members(s, '}');
	case '[':
		return skip_members(s, ']');
	case '"':
		return skip_string(s);
	}
	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (!strncmp(s, words[i], strlen(words[i])))
			return s + strlen(words[i]);
	return skip_number(s);
}

bool json_valid(const char *text)
{
	const char *end = skip_value(skip_blanks(text));

	return end && !*skip_blanks(end);
}

/* The member of the value at @s that the first @len characters of @key name. */
static const char *find_member(const char *s, const char *key, size_t len)
{
	char close = *s == '{' ? '}' : ']';
	unsigned long index = strtoul(key, NULL, 10), i = 0;
	const char *name;

	if (*s != '{' && *s != '[')
		return NULL;
	for (s = skip_blanks(s + 1); *s != close; s = skip_blanks(s + (*s == ','))) {
		name = s;
		s = skip_key(s, close);
		if (close == ']' ? i++ == index :
		    !strncmp(name + 1, key, len) && name[1 + len] == '"')
			return s;
		s = skip_blanks(skip_value(s));
	}
	return NULL;
}

const char *json_find(const char *text, const char *path)
{
	const char *s = skip_blanks(text);
	size_t len;

	while (s && *path) {
		len = strcspn(path, ".");
		s = find_member(s, path, len);
		path += len + (path[len] == '.');
	}
	return s;
}

u64 json_u64(const char *text, const char *path)
{
	const char *s = json_find(text, path);

	if (!s || !isdigit((unsigned char)*s))
		ktap_fail("no number at %s", path);
	return strtoull(s, NULL, 10);
}

bool json_is(const char *text, const char *path, const char *want)
{
	const char *s = json_find(text, path);

	return s && *s == '"' && !strncmp(s + 1, want, strlen(want)) &&
	       s[1 + strlen(want)] == '"';
}
