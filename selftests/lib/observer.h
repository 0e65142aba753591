/* SPDX-License-Identifier: GPL-2.0 */
/* Observer files, for tests that have keel's own header. */
#ifndef SELFTESTS_OBSERVER_H
#define SELFTESTS_OBSERVER_H

#include <errno.h>
#include <linux/keel.h>
#include <unistd.h>

#include "vm.h"

/**
 * observe_last() - observe the youngest VM, which has the highest id
 *
 * Return: an observer file; ends the case without one
 */
static inline int observe_last(void)
{
	struct keel_vm_info info;
	int sys = kvm_open(), fd;
	u32 id = 0;

	for (;;) {
		info = (struct keel_vm_info){ .size = sizeof(info), .id = id };
		if (ioctl(sys, KEEL_NEXT_VM, &info))
			break;
		id = info.id;
	}
	REQUIRE_EQ(errno, ENOENT);
	fd = ioctl(sys, KEEL_OPEN_VM, id);
	REQUIRE_OK(fd);
	close(sys);
	return fd;
}

#endif
