// SPDX-License-Identifier: GPL-2.0
/*
 * --stats: instructions, by the host's PMU, from the first KVM_RUN to the end of the guest. On a
 * host with VHE its kernel is at EL2, so the exception level tells who executed: what is neither
 * EL1 nor EL0 is the host's kernel, the hypervisor in it. EL0 would not tell: both keelrun and the
 * guest's programs are there, and only in-tree KVM stops the counters between them.
 */
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "instructions.h"
#include "util.h"

static struct {
	const char *name;
	bool host_kernel;
	int fd;
} counts[] = {
	{ "all", false, -1 },
	{ "host-kernel", true, -1 },
};

void instructions_start(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		struct perf_event_attr attr = {
			.type = PERF_TYPE_HARDWARE,
			.size = sizeof(attr),
			.config = PERF_COUNT_HW_INSTRUCTIONS,
			.inherit = 1,
			.exclude_user = counts[i].host_kernel,
			.exclude_guest = counts[i].host_kernel,
		};

		counts[i].fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1,
				       PERF_FLAG_FD_CLOEXEC);
	}
}

void instructions_stop(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		if (counts[i].fd >= 0)
			ioctl(counts[i].fd, PERF_EVENT_IOC_DISABLE, 0);
}

void instructions_print(void)
{
	u64 n;

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		if (counts[i].fd < 0)
			continue;
		if (read(counts[i].fd, &n, sizeof(n)) == sizeof(n))
			message("instructions %s %llu", counts[i].name, (unsigned long long)n);
		close(counts[i].fd);
		counts[i].fd = -1;
	}
}
