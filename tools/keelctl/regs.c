// SPDX-License-Identifier: GPL-2.0
/* keelctl regs */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "decode.h"
#include "node.h"
#include "output.h"
#include "pstate.h"

#define GENERAL	31

/**
 * struct reg - a register beside x0 to x30
 * @name: its name
 * @offset: where it is in struct keel_vcpu_regs
 * @text: what its value says; NULL: nothing more
 */
struct reg {
	const char *name;
	size_t offset;
	char *(*text)(u64 value, char *to);
};

static char *state_text(u64 value, char *to)
{
	char mode[PSTATE_SIZE], flags[PSTATE_SIZE];

	snprintf(to, DECODE_SIZE, "%.60s %.60s", pstate_text(value, mode),
		 pstate_flags(value, flags));
	return to;
}

static char *sctlr_text(u64 value, char *to)
{
	snprintf(to, DECODE_SIZE, "MMU %s, caches %s", value & 1 ? "on" : "off",
		 (value & 1 << 2) && (value & 1 << 12) ? "on" :
		 value & 1 << 2 ? "D on, I off" : value & 1 << 12 ? "D off, I on" : "off");
	return to;
}

/* Bits of an address, and the granule; a half may be off. */
static char *tcr_text(u64 value, char *to)
{
	static const char *const granule0[] = { "4K", "64K", "16K", "?" };
	static const char *const granule1[] = { "?", "16K", "4K", "64K" };
	char low[24], high[24];

	snprintf(low, sizeof(low), "%u bits, %s", 64 - (unsigned int)(value & 0x3f),
		 granule0[value >> 14 & 3]);
	snprintf(high, sizeof(high), "%u bits, %s", 64 - (unsigned int)(value >> 16 & 0x3f),
		 granule1[value >> 30 & 3]);
	snprintf(to, DECODE_SIZE, "TTBR0 %s; TTBR1 %s", value & 1 << 7 ? "off" : low,
		 value & 1 << 23 ? "off" : high);
	return to;
}

static char *mpidr_text(u64 value, char *to)
{
	snprintf(to, DECODE_SIZE, "affinity %u.%u.%u.%u", (unsigned int)(value >> 32) & 0xff,
		 (unsigned int)(value >> 16) & 0xff, (unsigned int)(value >> 8) & 0xff,
		 (unsigned int)value & 0xff);
	return to;
}

#define REG(name)		{ #name, offsetof(struct keel_vcpu_regs, name), NULL }
#define DECODED(name, text)	{ #name, offsetof(struct keel_vcpu_regs, name), text }

/* In the order in which they are printed. */
static const struct reg regs[] = {
	REG(pc), DECODED(pstate, state_text), REG(sp_el0), REG(sp_el1),
	REG(elr_el1), DECODED(spsr_el1, state_text), DECODED(esr_el1, esr_text), REG(far_el1),
	REG(vbar_el1),
	DECODED(sctlr_el1, sctlr_text), DECODED(tcr_el1, tcr_text), REG(ttbr0_el1),
	REG(ttbr1_el1), REG(mair_el1), REG(contextidr_el1), REG(par_el1),
	REG(tpidr_el0), REG(tpidrro_el0), REG(tpidr_el1),
	REG(cpacr_el1), DECODED(mpidr_el1, mpidr_text),
};

static u64 value_of(const struct keel_vcpu_regs *v, const struct reg *r)
{
	return *(const u64 *)((const char *)v + r->offset);
}

static void regs_row(struct table *t, const struct keel_vcpu_regs *v, unsigned int i)
{
	char x[TEXT_SIZE], other[TEXT_SIZE], text[DECODE_SIZE] = "";
	const struct reg *r = i < ARRAY_SIZE(regs) ? &regs[i] : NULL;

	snprintf(x, sizeof(x), "0x%016llx", v->x[i]);
	if (!r) {
		table_row(t, "x%u\t%s\t\t\t", i, x);
		return;
	}
	snprintf(other, sizeof(other), "0x%016llx", value_of(v, r));
	table_row(t, "x%u\t%s\t%s\t%s\t%s", i, x, r->name, other,
		  r->text ? r->text(value_of(v, r), text) : "");
}

static void regs_table(const struct keel_vcpu_regs *v, bool first)
{
	struct table t = { .columns = 5, .left = 1 | 1 << 2 | 1 << 4 };

	printf("%svCPU %u\n", first ? "" : "\n", v->vcpu);
	for (unsigned int i = 0; i < GENERAL; i++)
		regs_row(&t, v, i);
	table_print(&t);
}

static void regs_json(const struct keel_vcpu_regs *v)
{
	char name[PSTATE_SIZE], text[DECODE_SIZE];

	json_open(NULL, '{');
	json_number("id", v->vcpu);
	for (unsigned int i = 0; i < GENERAL; i++) {
		snprintf(name, sizeof(name), "x%u", i);
		json_hex(name, v->x[i]);
	}
	for (const struct reg *r = regs; r < regs + ARRAY_SIZE(regs); r++)
		json_hex(r->name, value_of(v, r));
	json_string("pstate_text", pstate_text(v->pstate, name));
	json_string("pstate_flags", pstate_flags(v->pstate, name));
	json_string("esr_el1_text", esr_text(v->esr_el1, text));
	json_close('}');
}

/* A vCPU that is not initialised has none: said, unless it was asked for. */
static void put_vcpu(int observer, const struct keel_vm_info *vm, u32 id, const struct request *r,
		     bool first)
{
	struct keel_vcpu_regs v = { .size = sizeof(v), .vcpu = id };

	if (ioctl(observer, KEEL_VCPU_REGS, &v)) {
		if (errno != ENOEXEC || *r->rest)
			node_vcpu_failed(vm, id);
		if (r->json) {
			json_open(NULL, '{');
			json_number("id", id);
			json_close('}');
		} else {
			printf("%svCPU %u is not initialised\n", first ? "" : "\n", id);
		}
	} else if (r->json) {
		regs_json(&v);
	} else {
		regs_table(&v, first);
	}
}

void keelctl_regs(const struct request *r)
{
	struct keel_vcpu_info vcpu;
	struct keel_vm_info vm;
	int observer;
	u32 only = 0;

	if (*r->rest)
		only = node_parse_vcpu(*r->rest);
	observer = node_open_vm(node_open(r->node), r->vm, &vm);
	if (r->json) {
		json_open(NULL, '{');
		json_number("id", vm.id);
		json_open("vcpus", '[');
	}
	if (*r->rest)
		put_vcpu(observer, &vm, only, r, true);
	for (u32 i = 0; !*r->rest && node_vcpu(observer, &vm, i, &vcpu); i++)
		put_vcpu(observer, &vm, vcpu.id, r, !i);
	if (r->json) {
		json_close(']');
		json_close('}');
	}
}
