// SPDX-License-Identifier: GPL-2.0
/* keelctl gva translate, and what the verbs of guest virtual addresses share. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "decode.h"
#include "gva.h"
#include "output.h"

void gva_open(const struct request *r, struct gva_view *view)
{
	struct keel_vcpu_info vcpu;
	u32 asked = r->vcpu ? node_parse_vcpu(r->vcpu) : 0;

	view->observer = node_open_vm(node_open(r->node), r->vm, &view->vm);
	if (!r->vcpu && !node_vcpu(view->observer, &view->vm, 0, &vcpu))
		die_status(EXIT_NO_VM, "VM %u has no vCPU yet: keelctl show %u lists them",
			   view->vm.id, view->vm.id);
	view->vcpu = r->vcpu ? asked : vcpu.id;
}

u64 gva_parse(const char *text)
{
	u64 value;

	if (!parse_address(text, &value))
		die("'%s' is no address: give 0x and hexadecimal digits, or a decimal number",
		    text);
	return value;
}

static const char *const rwx[] = { "---", "r--", "-w-", "rw-", "--x", "r-x", "-wx", "rwx" };

const char *gva_el1_text(u32 permissions)
{
	return rwx[permissions & 7];
}

const char *gva_el0_text(u32 permissions)
{
	return rwx[permissions >> 4 & 7];
}

/* Half of a field of MAIR_EL1, of normal memory. */
static const char *cache_text(u32 half)
{
	if (half == 4)
		return "non-cacheable";
	return half & 4 ? "write-back" : "write-through";
}

char *gva_memory_text(u32 attributes, char *to)
{
	static const char *const device[] = { "nGnRnE", "nGnRE", "nGRE", "GRE" };
	u32 mair = attributes & KEEL_GVA_MAIR, outer = mair >> 4, inner = mair & 15;

	if (!outer)
		snprintf(to, GVA_TEXT_SIZE, "device %s", device[inner >> 2]);
	else if (mair == 0xf0)
		snprintf(to, GVA_TEXT_SIZE, "write-back tagged");
	else if (cache_text(outer) == cache_text(inner))
		snprintf(to, GVA_TEXT_SIZE, "%s", cache_text(outer));
	else
		snprintf(to, GVA_TEXT_SIZE, "outer %s inner %s", cache_text(outer),
			 cache_text(inner));
	return to;
}

const char *gva_shared_text(u32 attributes)
{
	static const char *const names[] = { "none", "reserved", "outer", "inner" };

	return names[attributes >> 8 & 3];
}

const char *gva_status_word(u32 status)
{
	static const char *const words[] = {
		[KEEL_GVA_MAPPED] = "mapped",
		[KEEL_GVA_FAULT] = "fault",
		[KEEL_GVA_NO_TABLE] = "no_table",
		[KEEL_GVA_ABORT] = "abort",
		[KEEL_GVA_NO_MEMORY] = "no_memory",
	};

	return status < ARRAY_SIZE(words) ? words[status] : "unknown";
}

char *gva_status_text(u32 status, s32 level, u32 fault, char *to)
{
	char text[DECODE_SIZE];

	switch (status) {
	case KEEL_GVA_FAULT:
		snprintf(to, GVA_TEXT_SIZE, "%s", fault_text(fault, text));
		break;
	case KEEL_GVA_NO_TABLE:
		snprintf(to, GVA_TEXT_SIZE, "no guest memory where the table of level %d should be",
			 level);
		break;
	case KEEL_GVA_ABORT:
		snprintf(to, GVA_TEXT_SIZE, "external abort in the walk");
		break;
	case KEEL_GVA_NO_MEMORY:
		snprintf(to, GVA_TEXT_SIZE, "mapped, but to no guest memory");
		break;
	default:
		snprintf(to, GVA_TEXT_SIZE, "%s", gva_status_word(status));
	}
	return to;
}

static const char *host_word(u32 host)
{
	static const char *const words[] = {
		[KEEL_GVA_HOST_NONE] = "none",
		[KEEL_GVA_HOST_ABSENT] = "absent",
		[KEEL_GVA_HOST_MAPPED] = "mapped",
	};

	return host < ARRAY_SIZE(words) ? words[host] : "unknown";
}

static const char *host_text(u32 host)
{
	static const char *const texts[] = {
		[KEEL_GVA_HOST_NONE] = "no memory slot: a device, or nothing",
		[KEEL_GVA_HOST_ABSENT] = "memory that stage 2 does not map at present",
		[KEEL_GVA_HOST_MAPPED] = "memory, mapped by stage 2",
	};

	return host < ARRAY_SIZE(texts) ? texts[host] : "unknown";
}

/* What its descriptor says, whether or not this access is allowed. */
static void print_leaf(const struct keel_gva_translate *t)
{
	char memory[GVA_TEXT_SIZE], size[TEXT_SIZE];

	if (t->descriptor)
		printf("leaf         0x%llx, level %d, %s\npermissions  EL1 %s, EL0 %s\n",
		       t->descriptor, t->level, exact_text(1ULL << t->leaf_shift, size),
		       gva_el1_text(t->permissions), gva_el0_text(t->permissions));
	else if (t->status == KEEL_GVA_MAPPED && !t->leaf_shift)
		printf("leaf         none: the guest's MMU is off\n");
	if (t->status == KEEL_GVA_MAPPED)
		printf("memory       %s, shareability %s\n",
		       gva_memory_text(t->attributes, memory), gva_shared_text(t->attributes));
}

static void print_translation(const struct keel_gva_translate *t)
{
	char status[GVA_TEXT_SIZE];

	printf("address      0x%llx\nvcpu         %u\nstatus       %s\n", t->gva, t->vcpu,
	       gva_status_text(t->status, t->level, t->fault, status));
	if (t->status == KEEL_GVA_MAPPED || t->descriptor || t->status == KEEL_GVA_NO_TABLE)
		printf("ipa          0x%llx\n", t->ipa);
	print_leaf(t);
	if (t->status == KEEL_GVA_MAPPED)
		printf("host         %s\n", host_text(t->host));
	printf("par_el1      0x%llx\n", t->par);
}

static void json_translation(const struct gva_view *view, const struct keel_gva_translate *t)
{
	char text[GVA_TEXT_SIZE];

	json_open(NULL, '{');
	json_number("id", view->vm.id);
	json_number("vcpu", t->vcpu);
	json_hex("gva", t->gva);
	json_string("status", gva_status_word(t->status));
	if (t->status != KEEL_GVA_MAPPED)
		json_string("reason", gva_status_text(t->status, t->level, t->fault, text));
	if (t->status == KEEL_GVA_MAPPED || t->descriptor || t->status == KEEL_GVA_NO_TABLE)
		json_hex("ipa", t->ipa);
	if (t->descriptor) {
		json_hex("descriptor", t->descriptor);
		json_signed("level", t->level);
		json_number("leaf_size", 1ULL << t->leaf_shift);
		json_string("el1", gva_el1_text(t->permissions));
		json_string("el0", gva_el0_text(t->permissions));
	}
	if (t->status == KEEL_GVA_MAPPED) {
		json_bool("mmu", t->leaf_shift);
		json_string("memory", gva_memory_text(t->attributes, text));
		json_hex("mair", t->attributes & KEEL_GVA_MAIR);
		json_string("shareability", gva_shared_text(t->attributes));
		json_string("host", host_word(t->host));
	}
	json_hex("par_el1", t->par);
	json_close('}');
}

void keelctl_gva_translate(const struct request *r)
{
	struct keel_gva_translate t = {
		.size = sizeof(t),
		.access = KEEL_GVA_LEAF | (r->write ? KEEL_GVA_WRITE : 0) |
			  (r->user ? KEEL_GVA_EL0 : 0),
		.gva = gva_parse(r->rest[0]),
	};
	struct gva_view view;

	gva_open(r, &view);
	t.vcpu = view.vcpu;
	if (ioctl(view.observer, KEEL_GVA_TRANSLATE, &t))
		node_vcpu_failed(&view.vm, view.vcpu);
	if (r->json)
		json_translation(&view, &t);
	else
		print_translation(&t);
}
