// SPDX-License-Identifier: GPL-2.0
/* keelctl power show */
#include <stdio.h>
#include <stdlib.h>

#include "output.h"
#include "power.h"

static const char *layout_word(u32 layout)
{
	static const char *const words[] = {
		[0] = "none",
		[KEEL_POWER_PAGE_CPUFREQ] = "cpufreq",
		[KEEL_POWER_PAGE_CPPC] = "cppc",
	};

	return layout < ARRAY_SIZE(words) ? words[layout] : "unknown";
}

static void print_vm(const struct keel_power *p)
{
	printf("policy     %s\nrange      %.1f-%.1f%%\nregisters  %s", power_policy_text(p->policy),
	       power_percent(p->min), power_percent(p->max), layout_word(p->layout));
	if (p->layout)
		printf(" at 0x%llx", p->ipa);
	printf("\nstates     %u\n\n", p->nr_states);
}

static void vcpu_row(struct table *t, const struct keel_power_vcpu *v)
{
	char asked[POWER_TEXT_SIZE];

	table_row(t, "%u\t%s\t%s\t%.1f\t%.1f\t%d\t%.3f\t%.3f\t%.3f\t%llu\t%llu", v->vcpu,
		  power_state_text(v->state), power_asked_text(v->asked, asked),
		  power_percent(v->target), power_percent(v->delivered), v->nice, v->run / 1e9,
		  v->wait / 1e9, v->held / 1e9, v->asks, v->changes);
}

static void vcpus_table(const struct keel_power_vcpu *vcpu, size_t nr)
{
	struct table t = { .columns = 11, .left = 1 << 1 };

	table_row(&t, "VCPU\tSTATE\tASKED%%\tTARGET%%\tDELIVERED%%\tNICE\t"
		  "RUN S\tWAIT S\tHELD S\tASKS\tCHANGES");
	for (size_t i = 0; i < nr; i++)
		vcpu_row(&t, &vcpu[i]);
	table_print(&t);
}

/* One that goes on is counted and has no residency yet. */
static u64 ended_sleeps(const struct keel_power_vcpu *v, u32 state)
{
	u64 count = v->sleep[state].count;

	return count > 1 && state == v->state ? count - 1 : count;
}

static void sleep_row(struct table *t, const struct keel_power_vcpu *v, u32 state)
{
	const struct keel_power_sleep *s = &v->sleep[state];
	char average[24] = "-", latency[24] = "-", latency_max[24] = "-";
	u64 ended = ended_sleeps(v, state);

	if (s->residency)
		snprintf(average, sizeof(average), "%.1f", s->residency / 1e3 / ended);
	if (s->woken) {
		snprintf(latency, sizeof(latency), "%.1f", s->latency / 1e3 / s->woken);
		snprintf(latency_max, sizeof(latency_max), "%.1f", s->latency_max / 1e3);
	}
	table_row(t, "%s\t%llu\t%.3f\t%s\t%s\t%s", power_state_text(state), s->count,
		  s->residency / 1e9, average, latency, latency_max);
}

static void sleeps_table(const struct keel_power_vcpu *v)
{
	struct table t = { .columns = 6, .left = 1 };

	table_row(&t, "SLEEP\tCOUNT\tTOTAL S\tAVERAGE US\tLATENCY US\tMAX US");
	for (u32 state = KEEL_POWER_WFI; state < KEEL_POWER_NR_SLEEPS; state++)
		if (v->sleep[state].count || state == v->state)
			sleep_row(&t, v, state);
	putchar('\n');
	table_print(&t);
	printf("\npolled     %.3f s\nwfe        %llu\n", v->polled / 1e9, v->wfe);
}

/* Of the idle states those that there are. */
static void json_sleeps(const struct keel_power_vcpu *v, u32 nr_states)
{
	json_open("sleeps", '{');
	for (u32 state = KEEL_POWER_WFI; state < KEEL_POWER_NR_SLEEPS; state++) {
		const struct keel_power_sleep *s = &v->sleep[state];

		if (state >= KEEL_POWER_STATE + nr_states && state < KEEL_POWER_OTHER)
			continue;
		json_open(power_state_text(state), '{');
		json_number("count", s->count);
		json_number("residency_ns", s->residency);
		json_number("woken", s->woken);
		json_number("latency_ns", s->latency);
		json_number("latency_max_ns", s->latency_max);
		json_close('}');
	}
	json_close('}');
}

static void json_vcpu(const struct keel_power_vcpu *v, u32 nr_states)
{
	json_open(NULL, '{');
	json_number("id", v->vcpu);
	json_string("state", power_state_text(v->state));
	if (v->asked != KEEL_POWER_UNASKED)
		json_fixed("asked_percent", power_percent(v->asked));
	json_fixed("target_percent", power_percent(v->target));
	json_fixed("delivered_percent", power_percent(v->delivered));
	json_signed("nice", v->nice);
	json_number("run_ns", v->run);
	json_number("wait_ns", v->wait);
	json_number("held_ns", v->held);
	json_number("asks", v->asks);
	json_number("changes", v->changes);
	json_number("polled_ns", v->polled);
	json_number("wfe", v->wfe);
	json_sleeps(v, nr_states);
	json_close('}');
}

static void show_json(const struct keel_vm_info *vm, const struct keel_power *p,
		      const struct keel_power_vcpu *vcpu, size_t nr)
{
	json_open(NULL, '{');
	json_number("id", vm->id);
	json_string("policy", power_policy_text(p->policy));
	json_fixed("min_percent", power_percent(p->min));
	json_fixed("max_percent", power_percent(p->max));
	json_string("registers", layout_word(p->layout));
	if (p->layout)
		json_hex("ipa", p->ipa);
	json_number("nr_states", p->nr_states);
	json_open("vcpus", '[');
	for (size_t i = 0; i < nr; i++)
		json_vcpu(&vcpu[i], p->nr_states);
	json_close(']');
	json_close('}');
}

void keelctl_power_show(const struct request *r)
{
	struct keel_power_vcpu *vcpu;
	struct keel_power power;
	struct keel_vm_info vm;
	int observer;
	size_t nr;

	observer = node_open_vm(node_open(r->node), r->vm, &vm);
	power_ask(observer, &vm, &power);
	vcpu = power_vcpus(r, observer, &vm, &nr);
	if (r->json) {
		show_json(&vm, &power, vcpu, nr);
	} else {
		print_vm(&power);
		vcpus_table(vcpu, nr);
		if (r->rest[0])
			sleeps_table(vcpu);
	}
	free(vcpu);
}
