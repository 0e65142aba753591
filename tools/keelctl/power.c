// SPDX-License-Identifier: GPL-2.0
/* keelctl power set, and what the verbs of power and performance share. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "output.h"
#include "power.h"

bool power_try(int observer, struct keel_power *power)
{
	*power = (struct keel_power){ .size = sizeof(*power) };
	return !ioctl(observer, KEEL_POWER, power);
}

static _Noreturn void power_failed(const struct keel_vm_info *vm)
{
	if (errno == ENOTTY)
		die_status(EXIT_NO_KEEL, "this keel has no power management; load a newer one");
	node_vm_failed(vm);
}

void power_ask(int observer, const struct keel_vm_info *vm, struct keel_power *power)
{
	if (!power_try(observer, power))
		power_failed(vm);
}

bool power_vcpu_try(int observer, u32 id, struct keel_power_vcpu *vcpu)
{
	*vcpu = (struct keel_power_vcpu){ .size = sizeof(*vcpu), .vcpu = id };
	return !ioctl(observer, KEEL_POWER_VCPU, vcpu);
}

static struct keel_power_vcpu *add_vcpu(struct keel_power_vcpu *vcpu, size_t nr, int observer,
					const struct keel_vm_info *vm, u32 id)
{
	vcpu = xgrow(vcpu, nr + 1, sizeof(*vcpu));
	if (!power_vcpu_try(observer, id, &vcpu[nr]))
		node_vcpu_failed(vm, id);
	return vcpu;
}

struct keel_power_vcpu *power_vcpus(const struct request *r, int observer,
				    const struct keel_vm_info *vm, size_t *nr)
{
	struct keel_power_vcpu *vcpu = NULL;
	struct keel_vcpu_info info;

	*nr = 0;
	if (r->rest[0]) {
		vcpu = add_vcpu(vcpu, 0, observer, vm, node_parse_vcpu(r->rest[0]));
		*nr = 1;
		return vcpu;
	}
	for (; node_vcpu(observer, vm, *nr, &info); ++*nr)
		vcpu = add_vcpu(vcpu, *nr, observer, vm, info.id);
	return vcpu;
}

double power_percent(u32 parts)
{
	return parts * 100.0 / KEEL_POWER_FULL;
}

char *power_asked_text(u32 asked, char *to)
{
	if (asked == KEEL_POWER_UNASKED)
		strcpy(to, "-");
	else
		snprintf(to, POWER_TEXT_SIZE, "%.1f", power_percent(asked));
	return to;
}

static const char *const policies[] = {
	[KEEL_POWER_OFF] = "off",
	[KEEL_POWER_HINT] = "hint",
	[KEEL_POWER_CAP] = "cap",
};

const char *power_policy_text(u32 policy)
{
	return policy < ARRAY_SIZE(policies) ? policies[policy] : "unknown";
}

const char *power_state_text(u32 state)
{
	static const char *const names[KEEL_POWER_NR_SLEEPS] = {
		[KEEL_POWER_RUN] = "run",
		[KEEL_POWER_WFI] = "wfi",
		[KEEL_POWER_STATE] = "state0", "state1", "state2", "state3", "state4", "state5",
				     "state6", "state7",
		[KEEL_POWER_OTHER] = "other",
		[KEEL_POWER_CPU_OFF] = "off",
		[KEEL_POWER_SUSPENDED] = "suspended",
	};

	return state < ARRAY_SIZE(names) ? names[state] : "unknown";
}

bool power_tenths(const char *text, u64 *tenths)
{
	char *end;

	/* strtoull() alone would take "-1" and "". */
	if (!isdigit((unsigned char)*text) || strlen(text) > 9)
		return false;
	*tenths = strtoull(text, &end, 10) * 10;
	if (*end == '.' && isdigit((unsigned char)end[1])) {
		*tenths += end[1] - '0';
		end += 2;
	}
	return !*end;
}

static u32 parse_percent(const char *option, const char *text)
{
	u64 tenths;

	if (!power_tenths(text, &tenths) || tenths > 1000)
		die("--%s takes percent from 0 to 100, with one decimal at most, not '%s'", option,
		    text);
	/* To the nearest: what was given is what is shown again. */
	return (tenths * KEEL_POWER_FULL + 500) / 1000;
}

static u32 parse_policy(const char *text)
{
	for (u32 i = 0; i < ARRAY_SIZE(policies); i++)
		if (!strcmp(text, policies[i]))
			return i;
	die("--policy takes off, hint or cap, not '%s'", text);
}

static void parse_settings(const struct request *r, struct keel_power *power)
{
	if (!r->policy && !r->min && !r->max)
		die("power set needs something to set: give --policy, --min or --max");
	if (r->policy) {
		power->set |= KEEL_POWER_SET_POLICY;
		power->policy = parse_policy(r->policy);
	}
	if (r->min || r->max)
		power->set |= KEEL_POWER_SET_RANGE;
	if (r->min)
		power->min = parse_percent("min", r->min);
	if (r->max)
		power->max = parse_percent("max", r->max);
	if (r->max && !power->max)
		die("--max 0 would let no vCPU run: give 0.1 or more");
	if (r->min && r->max && power->min > power->max)
		die("--min %s is above --max %s: give the lower one as --min", r->min, r->max);
}

/* Of a range of which only one end is given the other stays. */
static void keep_other_end(const struct request *r, const struct keel_power *now,
			   struct keel_power *power)
{
	if (!r->min) {
		power->min = now->min;
		if (power->max < power->min)
			die("--max %s is below the minimum, %.1f: give --min too", r->max,
			    power_percent(power->min));
	}
	if (!r->max) {
		power->max = now->max;
		if (power->max < power->min)
			die("--min %s is above the maximum, %.1f: give --max too", r->min,
			    power_percent(power->max));
	}
}

void keelctl_power_set(const struct request *r)
{
	struct keel_power power = { .size = sizeof(power) }, now;
	struct keel_vm_info vm;
	int observer;

	parse_settings(r, &power);
	observer = node_open_vm(node_open(r->node), r->vm, &vm);
	power_ask(observer, &vm, &now);
	if (power.set & KEEL_POWER_SET_RANGE)
		keep_other_end(r, &now, &power);
	if (ioctl(observer, KEEL_POWER, &power))
		power_failed(&vm);
}
