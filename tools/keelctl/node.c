// SPDX-License-Identifier: GPL-2.0
/* The node, the list of VMs, and observer files. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>

#include "node.h"

static _Noreturn void open_failed(const char *path)
{
	if (errno == EACCES || errno == EPERM)
		die_status(EXIT_PERMISSION,
			   "cannot open %s: %s; run keelctl as root or as a member of its group",
			   path, strerror(errno));
	die_status(EXIT_NO_KEEL, "cannot open %s: %s; load keel.ko, or name its node with --dev",
		   path, strerror(errno));
}

int node_open(const char *path)
{
	struct keel_info info = { .size = sizeof(info) };
	int node = open(path, O_RDWR | O_CLOEXEC);

	if (node < 0)
		open_failed(path);
	if (ioctl(node, KEEL_INFO, &info))
		die_status(EXIT_NO_KEEL, "%s is not keel's: name the node with --dev", path);
	if (info.api_version != KEEL_API_VERSION)
		die_status(EXIT_NO_KEEL, "keel.ko speaks version %u, keelctl %u: use one release",
			   info.api_version, KEEL_API_VERSION);
	return node;
}

bool node_next_vm(int node, struct keel_vm_info *vm)
{
	u32 id = vm->id;

	memset(vm, 0, sizeof(*vm));
	vm->size = sizeof(*vm);
	vm->id = id;
	if (!ioctl(node, KEEL_NEXT_VM, vm))
		return true;
	if (errno != ENOENT)
		die_status(EXIT_NO_KEEL, "keel.ko does not list its VMs: %s; use one release",
			   strerror(errno));
	return false;
}

static _Noreturn void no_vm(const char *which)
{
	die_status(EXIT_NO_VM, "no VM %s: keelctl list shows those that there are", which);
}

/* The one with this name that the caller may observe. */
static u32 id_of_name(int node, const char *name)
{
	struct keel_vm_info vm = { .id = 0 };
	u32 found = 0;

	while (node_next_vm(node, &vm)) {
		if (strcmp(vm.name, name))
			continue;
		if (found)
			die_status(EXIT_NO_VM, "several VMs are called %s (%u and %u): give an id",
				   name, found, vm.id);
		found = vm.id;
	}
	if (!found)
		no_vm(name);
	return found;
}

int node_open_vm(int node, const char *which, struct keel_vm_info *vm)
{
	u64 id;
	int fd;

	if (!parse_number(which, &id))
		id = id_of_name(node, which);
	fd = ioctl(node, KEEL_OPEN_VM, id);
	if (fd < 0 && errno == ENOENT)
		no_vm(which);
	if (fd < 0 && errno == EPERM)
		die_status(EXIT_PERMISSION,
			   "VM %s may not be observed: only its user and root can, if it allows it",
			   which);
	if (fd < 0)
		die("cannot observe VM %s: %s", which, strerror(errno));
	/* It may have ended since. */
	memset(vm, 0, sizeof(*vm));
	vm->id = id - 1;
	if (!node_next_vm(node, vm) || vm->id != id)
		no_vm(which);
	return fd;
}

void node_vm_failed(const struct keel_vm_info *vm)
{
	switch (errno) {
	case ENODEV:
		die_status(EXIT_NO_VM, "VM %u has ended", vm->id);
	case EPERM:
		die_status(EXIT_PERMISSION, "VM %u does not want to be observed any more", vm->id);
	default:
		die("VM %u: %s", vm->id, strerror(errno));
	}
}

u32 node_parse_vcpu(const char *text)
{
	u64 id;

	if (!parse_number(text, &id) || id > UINT32_MAX)
		die("'%s' is no vCPU: give its id, as keelctl show prints it", text);
	return id;
}

void node_vcpu_failed(const struct keel_vm_info *vm, u32 id)
{
	switch (errno) {
	case ENOENT:
		die_status(EXIT_NO_VM, "VM %u has no vCPU %u: keelctl show %u lists them", vm->id,
			   id, vm->id);
	case ENOEXEC:
		die("vCPU %u of VM %u is not initialised: its VMM has still to do it", id,
		    vm->id);
	case ENOTTY:
		die_status(EXIT_NO_KEEL, "keel.ko is older than keelctl: use one release");
	default:
		node_vm_failed(vm);
	}
}

bool node_vcpu(int observer, const struct keel_vm_info *vm, u32 index,
	       struct keel_vcpu_info *vcpu)
{
	*vcpu = (struct keel_vcpu_info){ .size = sizeof(*vcpu), .index = index };
	if (!ioctl(observer, KEEL_VCPU_INFO, vcpu))
		return true;
	if (errno != ENOENT)
		node_vm_failed(vm);
	return false;
}

const char *node_state_text(u32 state)
{
	static const char *const names[] = {
		[KEEL_VCPU_OUTSIDE] = "outside",
		[KEEL_VCPU_GUEST] = "guest",
		[KEEL_VCPU_HOST] = "host",
		[KEEL_VCPU_BLOCKED] = "blocked",
		[KEEL_VCPU_OFF] = "off",
		[KEEL_VCPU_SUSPENDED] = "suspended",
	};

	return state < ARRAY_SIZE(names) ? names[state] : "unknown";
}
