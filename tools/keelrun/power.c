// SPDX-License-Identifier: GPL-2.0
/*
 * Power and performance of vCPUs: registers by which a guest asks for frequencies, and idle states.
 *
 * The idle states are of PSCI's standby type: the guest goes on at the next instruction, with all
 * that it had. A vCPU loses nothing, however deep the host's CPU sleeps. For a power-down state the
 * guest would save what it has in vain, and Linux counts one that comes back in place as refused.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "layout.h"
#include "power.h"
#include "vm.h"

#define PERF_EXAMPLE	"such as 500:2000 or 500:2000:4"

/*
 * The first is for sleeps within a burst of work, and what the guest may choose with a narrow limit
 * of latency (PM QoS); in the second the host CPU may sleep as it likes.
 */
const struct idle_state idle_states[NR_IDLE_STATES] = {
	{ "standby", 0x1, 0, 10, 40, 100 },
	{ "retention", 0x2, KEEL_POWER_STATE_DEEP, 100, 400, 2000 },
};

static const char *const policies[] = {
	[KEEL_POWER_OFF] = "off",
	[KEEL_POWER_HINT] = "hint",
	[KEEL_POWER_CAP] = "cap",
};

/* Return: what follows the next ':' of @s, which ends there; NULL if nothing does. */
static char *split(char *s)
{
	char *colon = strchr(s, ':');

	if (!colon)
		return NULL;
	*colon = 0;
	return colon + 1;
}

static void set_levels(struct power_config *cfg, const char *levels)
{
	u64 n;

	if (!parse_number(levels, &n))
		die("--perf: \"%s\" is not a number of frequencies: give 2 to %d", levels,
		    KEEL_POWER_MAX_LEVELS);
	if (n < 2 || n > KEEL_POWER_MAX_LEVELS)
		die("--perf takes 2 to %d frequencies; without a number the guest may ask for any",
		    KEEL_POWER_MAX_LEVELS);
	cfg->levels = n;
}

static u32 to_mhz(const char *s)
{
	u64 n;

	if (!parse_number(s, &n))
		die("--perf: \"%s\" is not a frequency in MHz: give whole numbers, " PERF_EXAMPLE,
		    s);
	if (!n || n > PERF_MHZ_MAX)
		die("--perf: %s MHz is out of range: give 1 to %d", s, PERF_MHZ_MAX);
	return n;
}

void power_set_perf(struct power_config *cfg, char *arg)
{
	char *max = split(arg);
	char *levels = max ? split(max) : NULL;

	if (!max)
		die("--perf %s: give the lowest and the highest frequency, " PERF_EXAMPLE, arg);
	cfg->min = to_mhz(arg);
	cfg->max = to_mhz(max);
	if (cfg->min >= cfg->max)
		die("--perf: %u MHz is not below %u: give the lower frequency first, " PERF_EXAMPLE,
		    cfg->min, cfg->max);
	cfg->levels = 1;
	if (levels)
		set_levels(cfg, levels);
}

void power_set_policy(struct power_config *cfg, const char *arg)
{
	for (u32 i = 0; i < ARRAY_SIZE(policies); i++) {
		if (strcmp(arg, policies[i]))
			continue;
		cfg->policy = i;
		cfg->policy_given = true;
		return;
	}
	die("--power %s is unknown: give off, hint or cap", arg);
}

void power_set_idle(struct power_config *cfg, const char *arg)
{
	cfg->idle_given = true;
	cfg->idle = 0;
	if (!strcmp(arg, "none"))
		return;
	for (unsigned int i = 0; i < NR_IDLE_STATES; i++)
		if (!strcmp(arg, "all") || !strcmp(arg, idle_states[i].name))
			cfg->idle |= 1U << i;
	if (!cfg->idle)
		die("--idle %s is unknown: give standby, retention, all or none", arg);
}

void power_check(const struct power_config *cfg)
{
	if (cfg->policy_given && !cfg->max)
		die("--power needs --perf: without it the guest asks for nothing");
}

/* In-tree KVM refuses what it does not know with -EINVAL, so ask what cannot be wrong. */
static bool has_power(const struct vm *vm)
{
	struct keel_power power = { .size = sizeof(power) };

	return !ioctl(vm->fd, KEEL_POWER, &power);
}

static u32 level(const struct power_config *cfg, unsigned int i)
{
	u64 min = cfg->min * 1000ULL, max = cfg->max * 1000ULL;

	if (cfg->levels == 1)
		return max;
	return min + (max - min) * i / (cfg->levels - 1);
}

static void create_perf(struct vm *vm, const struct power_config *cfg)
{
	struct keel_power_page page = {
		.size = sizeof(page),
		.ipa = PERF_BASE,
		.layout = KEEL_POWER_PAGE_CPUFREQ,
		.nr_vcpus = vm->nr_vcpus,
		.nr_levels = cfg->levels,
	};
	struct keel_power power = {
		.size = sizeof(power),
		.set = KEEL_POWER_SET_POLICY | KEEL_POWER_SET_RANGE,
		.policy = cfg->policy,
		.min = (u64)KEEL_POWER_FULL * cfg->min / cfg->max,
		.max = KEEL_POWER_FULL,
	};

	for (unsigned int i = 0; i < cfg->levels; i++)
		page.level[i] = level(cfg, i);
	if (ioctl(vm->fd, KEEL_POWER_PAGE, &page))
		die("cannot give the VM performance registers: %s; leave out --perf",
		    strerror(errno));
	if (ioctl(vm->fd, KEEL_POWER, &power))
		die("cannot set the VM's performance: %s; leave out --perf",
		    strerror(errno));
	vm->has_perf = true;
}

static void create_idle(struct vm *vm, const struct power_config *cfg)
{
	struct keel_power_states states = { .size = sizeof(states) };

	for (unsigned int i = 0; i < NR_IDLE_STATES; i++) {
		const struct idle_state *from = &idle_states[i];
		struct keel_power_state *to = &states.state[states.nr];

		if (!(cfg->idle & 1U << i))
			continue;
		to->id = from->id;
		to->flags = from->flags;
		to->latency = from->entry + from->exit;
		to->residency = from->residency;
		snprintf(to->name, sizeof(to->name), "%s", from->name);
		states.nr++;
	}
	if (ioctl(vm->fd, KEEL_POWER_STATES, &states))
		die("cannot name the VM's idle states: %s; use --idle none",
		    strerror(errno));
	vm->idle = cfg->idle;
}

void power_create(struct vm *vm, const struct power_config *cfg, const char *node)
{
	bool has = has_power(vm);

	if (cfg->max && !has)
		die("%s has no performance of vCPUs: load a newer keel.ko, or leave out --perf",
		    node);
	/*
	 * CPU_SUSPEND is there without it, too. But each state would be a WFI then, by a longer way
	 * and with figures that say otherwise.
	 */
	if (cfg->idle && cfg->idle_given && !has)
		die("%s has no idle states of vCPUs: load a newer keel.ko, or leave out --idle",
		    node);
	if (cfg->max)
		create_perf(vm, cfg);
	if (cfg->idle && has)
		create_idle(vm, cfg);
}
