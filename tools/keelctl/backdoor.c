// SPDX-License-Identifier: GPL-2.0
/* keelctl backdoor on, off and show */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "node.h"
#include "output.h"

/**
 * struct door - a door of the backdoor
 * @name: as the user says it
 * @hook: its KEEL_HOOK_*
 * @instruction: what the guest calls with
 */
struct door {
	const char *name;
	u32 hook;
	const char *instruction;
};

static const struct door doors[] = {
	{ "dcc", KEEL_HOOK_BACKDOOR_DCC, "MRS XZR, MDCCSR_EL0" },
	{ "brk", KEEL_HOOK_BACKDOOR_BRK, "BRK #0x86" },
	{ "hvc", KEEL_HOOK_BACKDOOR_HVC, "HVC #0x86" },
};

#define HOOKS_ALL	(KEEL_HOOK_BACKDOOR_DCC | KEEL_HOOK_BACKDOOR_BRK | KEEL_HOOK_BACKDOOR_HVC)
/* What costs a guest nothing that does not call. */
#define HOOKS_CHEAP	(KEEL_HOOK_BACKDOOR_DCC | KEEL_HOOK_BACKDOOR_HVC)

static u32 hook_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(doors); i++)
		if (!strcmp(doors[i].name, name))
			return doors[i].hook;
	die("'%s' is no door: dcc, brk or hvc", name);
}

/* The hooks of the doors that the request names; of none: @otherwise. */
static u32 hooks_named(const struct request *r, u32 otherwise)
{
	u32 hooks = 0;

	for (char *const *name = r->rest; *name; name++)
		hooks |= hook_of(*name);
	return hooks ? hooks : otherwise;
}

/* Return: the hooks that are on then. */
static u32 switch_hooks(int observer, const struct keel_vm_info *vm, u32 on, u32 off)
{
	struct keel_hooks h = { .size = sizeof(h), .on = on, .off = off };

	if (!ioctl(observer, KEEL_HOOKS, &h))
		return h.hooks;
	if (errno == ENOTTY)
		die_status(EXIT_NO_KEEL,
			   "keel.ko is older than keelctl and has no backdoor: use one release");
	if (errno == EINVAL)
		die_status(EXIT_NO_KEEL,
			   "keel.ko does not know all of these doors: use one release");
	node_vm_failed(vm);
}

static void doors_table(u32 hooks)
{
	struct table t = { .columns = 3, .left = 1 << 0 | 1 << 1 | 1 << 2 };

	table_row(&t, "DOOR\tSTATE\tINSTRUCTION");
	for (size_t i = 0; i < ARRAY_SIZE(doors); i++)
		table_row(&t, "%s\t%s\t%s", doors[i].name, hooks & doors[i].hook ? "on" : "off",
			  doors[i].instruction);
	table_print(&t);
}

static void doors_json(const struct keel_vm_info *vm, u32 hooks)
{
	json_open(NULL, '{');
	json_number("vm", vm->id);
	json_open("backdoor", '{');
	for (size_t i = 0; i < ARRAY_SIZE(doors); i++)
		json_bool(doors[i].name, hooks & doors[i].hook);
	json_close('}');
	json_close('}');
}

static void change(const struct request *r, u32 on, u32 off)
{
	struct keel_vm_info vm;
	int observer = node_open_vm(node_open(r->node), r->vm, &vm);
	u32 hooks = switch_hooks(observer, &vm, on, off);

	if (r->json)
		doors_json(&vm, hooks);
}

void keelctl_backdoor_on(const struct request *r)
{
	change(r, hooks_named(r, HOOKS_CHEAP), 0);
}

void keelctl_backdoor_off(const struct request *r)
{
	change(r, 0, hooks_named(r, HOOKS_ALL));
}

void keelctl_backdoor_show(const struct request *r)
{
	struct keel_vm_info vm;
	int observer = node_open_vm(node_open(r->node), r->vm, &vm);
	u32 hooks = switch_hooks(observer, &vm, 0, 0);

	if (r->json)
		doors_json(&vm, hooks);
	else
		doors_table(hooks);
}
