// SPDX-License-Identifier: GPL-2.0
/* keelctl gva read */
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "gva.h"
#include "output.h"

#define READ_MAX	(64 * SZ_1M)
#define LINE		16

/* Up to the first page that cannot be had, which is then in @g. Return: bytes read. */
static size_t read_all(const struct gva_view *view, struct keel_gva_read *g, u64 gva, u8 *to,
		       size_t len)
{
	size_t done = 0;

	do {
		size_t rest = len - done;

		*g = (struct keel_gva_read){
			.size = sizeof(*g),
			.vcpu = view->vcpu,
			.access = g->access,
			.gva = gva + done,
			.buffer = (uintptr_t)(to + done),
			.length = rest < KEEL_GVA_MAX_READ ? rest : KEEL_GVA_MAX_READ,
		};
		if (ioctl(view->observer, KEEL_GVA_READ, g))
			node_vcpu_failed(&view->vm, view->vcpu);
		done += g->done;
	} while (done < len && g->done && g->status == KEEL_GVA_MAPPED);
	return done;
}

static void print_line(u64 gva, const u8 *data, size_t n)
{
	printf("0x%016llx ", gva);
	for (size_t i = 0; i < LINE; i++) {
		printf(i == LINE / 2 ? "  " : " ");
		if (i < n)
			printf("%02x", data[i]);
		else
			printf("  ");
	}
	printf("  |");
	for (size_t i = 0; i < n; i++)
		putchar(data[i] >= ' ' && data[i] <= '~' ? data[i] : '.');
	printf("|\n");
}

static void print_hex(u64 gva, const u8 *data, size_t n)
{
	for (size_t i = 0; i < n; i += LINE)
		print_line(gva + i, data + i, n - i < LINE ? n - i : LINE);
}

static void print_json(const struct gva_view *view, const struct keel_gva_read *g, u64 gva,
		       const u8 *data, size_t n)
{
	char *hex = xcalloc(n + 1, 2), reason[GVA_TEXT_SIZE];

	for (size_t i = 0; i < n; i++)
		sprintf(hex + 2 * i, "%02x", data[i]);
	json_open(NULL, '{');
	json_number("id", view->vm.id);
	json_number("vcpu", view->vcpu);
	json_hex("gva", gva);
	json_number("done", n);
	json_string("status", gva_status_word(g->status));
	if (g->status != KEEL_GVA_MAPPED)
		json_string("reason", gva_status_text(g->status, g->level, g->fault, reason));
	json_string("hex", hex);
	json_close('}');
	free(hex);
}

static size_t parse_length(const char *text)
{
	u64 len;

	if (!parse_address(text, &len) && !parse_size(text, &len))
		die("'%s' is no length: give bytes, or a size such as 4K", text);
	if (!len || len > READ_MAX)
		die("cannot read %s bytes at once: give from 1 to 64M", text);
	return len;
}

void keelctl_gva_read(const struct request *r)
{
	u64 gva = gva_parse(r->rest[0]);
	struct keel_gva_read g = { .access = r->user ? KEEL_GVA_EL0 : 0 };
	size_t len = parse_length(r->rest[1]), done;
	char reason[GVA_TEXT_SIZE];
	struct gva_view view;
	u8 *data;

	if (r->raw && r->json)
		die("--raw and --json exclude each other: give one of them");
	if (gva + (len - 1) < gva)
		die("the address space ends before 0x%llx and %zu bytes: read fewer", gva, len);
	gva_open(r, &view);
	data = xcalloc(len, 1);
	done = read_all(&view, &g, gva, data, len);
	if (r->json)
		print_json(&view, &g, gva, data, done);
	else if (r->raw)
		fwrite(data, 1, done, stdout);
	else
		print_hex(gva, data, done);
	free(data);
	if (done == len)
		return;
	output_end();
	die("read %zu of %zu bytes; 0x%llx: %s", done, len, gva + done,
	    gva_status_text(g.status, g.level, g.fault, reason));
}
