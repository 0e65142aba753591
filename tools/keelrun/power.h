/* SPDX-License-Identifier: GPL-2.0 */
/* Power and performance of vCPUs: what the guest is offered, and how the host takes it. */
#ifndef KEELRUN_POWER_H
#define KEELRUN_POWER_H

#include <linux/keel.h>

#include "util.h"

struct vm;

#define PERF_MHZ_MAX	100000
#define NR_IDLE_STATES	2

/**
 * struct idle_state - an idle state that the guest may be told of
 * @name: of --idle, of the device tree and of KEEL_POWER_STATES
 * @id: PSCI power_state
 * @flags: KEEL_POWER_STATE_*
 * @entry: time to get into it at most, in us
 * @exit: time to get out of it at most, in us
 * @residency: from how many us of sleep on it pays
 */
struct idle_state {
	const char *name;
	u32 id;
	u32 flags;
	u32 entry;
	u32 exit;
	u32 residency;
};

/* From shallow to deep */
extern const struct idle_state idle_states[NR_IDLE_STATES];

/**
 * struct power_config - what the options ask for
 * @min: frequency that the guest's vCPUs have at least, in MHz
 * @max: frequency that stands for a whole host CPU, in MHz; 0: no --perf
 * @levels: frequencies that the guest may ask for, from @min to @max; 1: any up to @max
 * @policy: KEEL_POWER_OFF, HINT or CAP
 * @policy_given: --power was there
 * @idle: idle states, a bit for each of idle_states
 * @idle_given: --idle was there: that a node has none is an error
 */
struct power_config {
	u32 min;
	u32 max;
	unsigned int levels;
	u32 policy;
	bool policy_given;
	unsigned int idle;
	bool idle_given;
};

/**
 * power_set_perf() - take the value of --perf, or die
 * @cfg: the configuration
 * @arg: MIN:MAX or MIN:MAX:LEVELS; it is taken apart
 */
void power_set_perf(struct power_config *cfg, char *arg);

/**
 * power_set_policy() - take the value of --power, or die
 * @cfg: the configuration
 * @arg: off, hint or cap
 */
void power_set_policy(struct power_config *cfg, const char *arg);

/**
 * power_set_idle() - take the value of --idle, or die
 * @cfg: the configuration
 * @arg: the name of an idle state, all or none
 */
void power_set_idle(struct power_config *cfg, const char *arg);

/**
 * power_check() - see that the options fit together, or die
 * @cfg: the configuration, of all options
 */
void power_check(const struct power_config *cfg);

/**
 * power_create() - give a VM what the options ask for, or die
 * @vm: a VM with its vCPUs, which do not run; its has_perf and idle are set
 * @cfg: the configuration
 * @node: the KVM node's path, for messages
 *
 * A node without power and performance, as in-tree KVM's, gives no idle states. That is an error
 * only if the options name them.
 */
void power_create(struct vm *vm, const struct power_config *cfg, const char *node);

#endif
