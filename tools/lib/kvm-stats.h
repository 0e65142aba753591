/* SPDX-License-Identifier: GPL-2.0 */
/* Binary statistics: KVM_GET_STATS_FD in the kernel's Documentation/virt/kvm/api.rst. */
#ifndef TOOLS_KVM_STATS_H
#define TOOLS_KVM_STATS_H

#include "util.h"

/* The longest name, with its NUL, far longer than any is. */
#define KVM_STAT_NAME_MAX	256

/**
 * struct kvm_stat - a counter
 * @name: its name
 * @value: when it was read
 */
struct kvm_stat {
	const char *name;
	u64 value;
};

/**
 * struct kvm_stats - the counters of a statistics file
 * @nr: how many
 * @stat: they, without histograms
 * @names: memory of the names
 */
struct kvm_stats {
	unsigned int nr;
	struct kvm_stat *stat;
	void *names;
};

/**
 * kvm_stats_read() - read a statistics file
 * @s: filled in, to be freed
 * @fd: the file, which is closed; -1 is allowed
 *
 * Return: success; if not, errno is set, and nothing is to be freed.
 */
bool kvm_stats_read(struct kvm_stats *s, int fd);

/**
 * kvm_stats_add() - add the counters of another vCPU
 * @to: the sums
 * @s: its counters: of the same names in the same order, as all vCPUs of a VM have them
 */
void kvm_stats_add(struct kvm_stats *to, const struct kvm_stats *s);

/**
 * kvm_stats_free() - free the counters
 * @s: of kvm_stats_read()
 */
void kvm_stats_free(struct kvm_stats *s);

#endif
