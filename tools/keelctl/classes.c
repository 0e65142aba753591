// SPDX-License-Identifier: GPL-2.0
/* Exits by class, from the counters of a vCPU. */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "classes.h"

#define EXIT_PREFIX	"exit_"
#define FIRST_SUFFIX	"_el2"

bool classes_try(int observer, u32 vcpu, struct kvm_stats *s)
{
	struct keel_stats args = { .size = sizeof(args), .vcpu = vcpu };

	return kvm_stats_read(s, ioctl(observer, KEEL_STATS_FD, &args));
}

void classes_read(int observer, const struct keel_vm_info *vm, u32 vcpu, struct kvm_stats *s)
{
	if (!classes_try(observer, vcpu, s))
		node_vm_failed(vm);
}

const char *classes_name(const char *name)
{
	size_t len = strlen(name), prefix = strlen(EXIT_PREFIX), suffix = strlen(FIRST_SUFFIX);

	if (strncmp(name, EXIT_PREFIX, prefix) ||
	    (len > suffix && !strcmp(name + len - suffix, FIRST_SUFFIX)))
		return NULL;
	return name + prefix;
}

u64 classes_first(const struct kvm_stats *s, const char *class)
{
	char name[KVM_STAT_NAME_MAX];

	snprintf(name, sizeof(name), EXIT_PREFIX "%s" FIRST_SUFFIX, class);
	for (unsigned int i = 0; i < s->nr; i++)
		if (!strcmp(s->stat[i].name, name))
			return s->stat[i].value;
	return 0;
}

bool classes_is_other(const char *name)
{
	return strncmp(name, EXIT_PREFIX, strlen(EXIT_PREFIX));
}
