// SPDX-License-Identifier: GPL-2.0
/* Tables, JSON, and numbers as people like them. */
#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"

void table_row(struct table *t, const char *fmt, ...)
{
	char *text, *rest;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	t->cell = realloc(t->cell, (t->rows + 1) * t->columns * sizeof(*t->cell));
	if (len < 0 || !t->cell)
		die("out of memory: close other programs on this host");
	rest = text;
	for (unsigned int c = 0; c < t->columns; c++) {
		t->cell[t->rows * t->columns + c] = rest;
		/* The last cell may have what would end another. */
		rest = c + 1 < t->columns ? strchr(rest, '\t') : NULL;
		if (rest)
			*rest++ = 0;
	}
	t->rows++;
}

/* No blanks at a line's end. */
static void print_row(const struct table *t, char *const *cell, const int *width)
{
	unsigned int n = t->columns;

	while (n > 1 && !*cell[n - 1])
		n--;
	for (unsigned int c = 0; c < n; c++) {
		bool left = t->left >> c & 1, last = c + 1 == n;

		printf("%*s%s", left ? last ? 0 : -width[c] : width[c], cell[c],
		       last ? "\n" : "  ");
	}
}

void table_print(struct table *t)
{
	int width[TABLE_COLUMNS] = { 0 };

	for (unsigned int i = 0; i < t->rows * t->columns; i++) {
		int len = strlen(t->cell[i]);

		if (len > width[i % t->columns])
			width[i % t->columns] = len;
	}
	for (unsigned int row = 0; row < t->rows; row++)
		print_row(t, t->cell + row * t->columns, width);
	table_free(t);
}

void table_free(struct table *t)
{
	for (unsigned int i = 0; i < t->rows; i++)
		free(t->cell[i * t->columns]);
	free(t->cell);
	t->cell = NULL;
	t->rows = 0;
}

/* How deep we are, and whether the innermost has a member already. */
static unsigned int depth;
static bool filled, on_a_line;

void json_lines(bool on)
{
	on_a_line = on;
}

static void json_text(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			putchar('\\');
		if ((unsigned char)*s < ' ')
			printf("\\u%04x", *s);
		else
			putchar(*s);
	}
	putchar('"');
}

static void json_member(const char *key)
{
	if (depth && filled)
		putchar(',');
	if (depth && on_a_line)
		fputs(filled ? " " : "", stdout);
	else if (depth)
		printf("\n%*s", 2 * depth, "");
	filled = true;
	if (key) {
		json_text(key);
		printf(": ");
	}
}

void json_open(const char *key, char bracket)
{
	json_member(key);
	putchar(bracket);
	depth++;
	filled = false;
}

void json_close(char bracket)
{
	depth--;
	if (filled && !on_a_line)
		printf("\n%*s", 2 * depth, "");
	putchar(bracket);
	filled = true;
	if (depth)
		return;
	putchar('\n');
	filled = false;
}

void json_number(const char *key, u64 value)
{
	json_member(key);
	printf("%llu", (unsigned long long)value);
}

void json_signed(const char *key, s64 value)
{
	json_member(key);
	printf("%lld", (long long)value);
}

void json_fixed(const char *key, double value)
{
	json_member(key);
	printf("%.1f", value);
}

void json_bool(const char *key, bool value)
{
	json_member(key);
	printf(value ? "true" : "false");
}

void json_string(const char *key, const char *value)
{
	json_member(key);
	json_text(value);
}

void json_hex(const char *key, u64 value)
{
	char text[TEXT_SIZE];

	json_string(key, hex_text(value, text));
}

void json_vm(const struct keel_vm_info *vm)
{
	char owner[TEXT_SIZE];

	json_number("id", vm->id);
	json_string("name", vm->name);
	json_string("owner", user_text(vm->uid, owner));
	json_number("uid", vm->uid);
	json_number("gid", vm->gid);
	json_number("tgid", vm->tgid);
	json_number("nr_vcpus", vm->nr_vcpus);
	json_number("memory", vm->memory);
	json_number("age_ns", vm->age);
}

char *hex_text(u64 value, char *to)
{
	snprintf(to, TEXT_SIZE, "0x%llx", (unsigned long long)value);
	return to;
}

char *size_text(u64 bytes, char *to)
{
	static const char unit[] = "BKMGTP";
	double n = bytes;
	unsigned int i = 0;

	while (n >= 1024 && unit[i + 1]) {
		n /= 1024;
		i++;
	}
	snprintf(to, TEXT_SIZE, "%.*f%c", n == (u64)n ? 0 : 1, n, unit[i]);
	return to;
}

char *exact_text(u64 bytes, char *to)
{
	static const char unit[] = "BKMGTPE";
	unsigned int i = 0;

	while (bytes && !(bytes % 1024) && unit[i + 1]) {
		bytes /= 1024;
		i++;
	}
	snprintf(to, TEXT_SIZE, "%llu%c", (unsigned long long)bytes, unit[i]);
	return to;
}

char *age_text(u64 ns, char *to)
{
	unsigned int minutes, hours;
	u64 s = ns / 1000000000;

	minutes = s / 60 % 60;
	hours = s / 3600 % 24;
	if (s < 60)
		snprintf(to, TEXT_SIZE, "%us", (unsigned int)s);
	else if (s < 3600)
		snprintf(to, TEXT_SIZE, "%um%02us", minutes, (unsigned int)(s % 60));
	else if (s < 86400)
		snprintf(to, TEXT_SIZE, "%uh%02um", hours, minutes);
	else
		snprintf(to, TEXT_SIZE, "%llud%02uh", (unsigned long long)s / 86400, hours);
	return to;
}

/* getpwuid() would load libraries, which a static program may not find. */
char *user_text(u32 uid, char *to)
{
	FILE *f = fopen("/etc/passwd", "re");
	const struct passwd *p;

	snprintf(to, TEXT_SIZE, "%u", uid);
	while (f && (p = fgetpwent(f)))
		if (p->pw_uid == uid) {
			snprintf(to, TEXT_SIZE, "%s", p->pw_name);
			break;
		}
	if (f)
		fclose(f);
	return to;
}

void output_end(void)
{
	if (fflush(stdout) || ferror(stdout))
		die("cannot print the answer: %s", strerror(errno));
}
