// SPDX-License-Identifier: GPL-2.0
/* keelctl pnmi sample */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "node.h"
#include "output.h"
#include "pstate.h"
#include "symbols.h"

#define TRIES		100
#define PAUSE_US	5000

#define SYMBOL_SIZE	544

/* The first call says how many vCPUs there are. The caller frees the array. */
static struct keel_pnmi_vcpu *take_sample(int observer, const struct keel_vm_info *vm, u32 *nr)
{
	struct keel_pnmi_sample s = { .size = sizeof(s) };
	struct keel_pnmi_vcpu *out = NULL;

	for (int i = 0; ioctl(observer, KEEL_PNMI_SAMPLE, &s); i++) {
		if (errno == EAGAIN && i < TRIES) {
			usleep(PAUSE_US);
		} else if (errno == E2BIG && i < TRIES) {
			free(out);
			out = xcalloc(s.nr, sizeof(*out));
			s.room = s.nr;
			s.vcpus = (uintptr_t)out;
		} else if (errno == EAGAIN) {
			die("VM %u was sampled just now: wait, or lower keel's pnmi_interval",
			    vm->id);
		} else {
			node_vm_failed(vm);
		}
	}
	*nr = s.nr;
	return out;
}

static const char *where_text(u32 where)
{
	static const char *const names[] = {
		[KEEL_PNMI_GUEST] = "guest",
		[KEEL_PNMI_HOST] = "host",
		[KEEL_PNMI_OFF] = "off",
	};

	return where < ARRAY_SIZE(names) ? names[where] : "unknown";
}

/* "-": no map, user space, or outside what the map names. */
static char *symbol_text(const struct symbols *map, const struct keel_pnmi_vcpu *v, char *to)
{
	const struct symbol *s = NULL;

	if (map && PSTATE_EL(v->pstate))
		s = symbols_find(map, v->pc);
	if (s)
		snprintf(to, SYMBOL_SIZE, "%s+0x%llx", s->name,
			 (unsigned long long)(v->pc - s->addr));
	else
		strcpy(to, "-");
	return to;
}

static void sample_row(struct table *t, const struct keel_pnmi_vcpu *v, const struct symbols *map)
{
	char pc[TEXT_SIZE], sp[TEXT_SIZE], fp[TEXT_SIZE];
	char pstate[PSTATE_SIZE], symbol[SYMBOL_SIZE];

	if (v->where == KEEL_PNMI_OFF)
		table_row(t, "%u\t%s\t-\t-\t-\t-%s", v->vcpu, where_text(v->where),
			  map ? "\t-" : "");
	else
		table_row(t, "%u\t%s\t%s\t%s\t%s\t%s%s%s", v->vcpu, where_text(v->where),
			  hex_text(v->pc, pc), pstate_text(v->pstate, pstate), hex_text(v->sp, sp),
			  hex_text(v->fp, fp), map ? "\t" : "",
			  map ? symbol_text(map, v, symbol) : "");
}

static void sample_table(const struct keel_pnmi_vcpu *v, u32 nr, const struct symbols *map)
{
	struct table t = { .columns = map ? 7 : 6, .left = 1 << 1 | 1 << 3 | 1 << 6 };

	table_row(&t, "VCPU\tWHERE\tPC\tPSTATE\tSP\tFP%s", map ? "\tSYMBOL" : "");
	for (u32 i = 0; i < nr; i++)
		sample_row(&t, &v[i], map);
	table_print(&t);
}

static void json_sample(const struct keel_pnmi_vcpu *v, const struct symbols *map)
{
	char pstate[PSTATE_SIZE], symbol[SYMBOL_SIZE];

	json_open(NULL, '{');
	json_number("id", v->vcpu);
	json_string("where", where_text(v->where));
	if (v->where != KEEL_PNMI_OFF) {
		json_hex("pc", v->pc);
		json_hex("pstate", v->pstate);
		json_string("pstate_text", pstate_text(v->pstate, pstate));
		json_hex("sp", v->sp);
		json_hex("fp", v->fp);
		if (strcmp(symbol_text(map, v, symbol), "-"))
			json_string("symbol", symbol);
	}
	json_close('}');
}

static void sample_json(const struct keel_vm_info *vm, const struct keel_pnmi_vcpu *v, u32 nr,
			const struct symbols *map)
{
	json_open(NULL, '{');
	json_number("id", vm->id);
	json_open("vcpus", '[');
	for (u32 i = 0; i < nr; i++)
		json_sample(&v[i], map);
	json_close(']');
	json_close('}');
}

void keelctl_pnmi_sample(const struct request *r)
{
	struct symbols symbols, *map = r->map ? &symbols : NULL;
	struct keel_pnmi_vcpu *v;
	struct keel_vm_info vm;
	int observer;
	u32 nr;

	if (map)
		symbols_read(map, r->map);
	observer = node_open_vm(node_open(r->node), r->vm, &vm);
	v = take_sample(observer, &vm, &nr);
	if (r->json)
		sample_json(&vm, v, nr, map);
	else
		sample_table(v, nr, map);
	free(v);
}
