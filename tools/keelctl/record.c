// SPDX-License-Identifier: GPL-2.0
/* keelctl power record: takes samples, and prints them. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "canvas.h"
#include "output.h"
#include "record.h"
#include "signals.h"

#define FOR_TENTHS	100
#define FOR_MAX		864000
#define EVERY_MS	100
#define EVERY_MAX	60000
#define SAMPLES_MAX	4000000

#define TENTH_NS	100000000ULL
#define MS_NS		1000000ULL

static u64 parse_for(const char *text)
{
	u64 tenths = FOR_TENTHS;

	if (text && (!power_tenths(text, &tenths) || !tenths || tenths > FOR_MAX))
		die("--for takes seconds from 0.1 to %u, with one decimal at most, not '%s'",
		    FOR_MAX / 10, text);
	return tenths * TENTH_NS;
}

static u64 parse_every(const char *text)
{
	u64 ms = EVERY_MS;

	if (text && (!parse_number(text, &ms) || !ms || ms > EVERY_MAX))
		die("--every takes milliseconds from 1 to %u, not '%s'", EVERY_MAX, text);
	return ms * MS_NS;
}

/* Of vCPU @i of the moment that is not complete yet. */
static void add_sample(struct record *rec, size_t i, const struct keel_power_vcpu *v)
{
	size_t place = rec->nr * rec->nr_vcpus + i;

	rec->sample = xgrow(rec->sample, place + 1, sizeof(*rec->sample));
	rec->sample[place] = (struct sample){ v->state, v->asked, v->target, v->delivered };
}

static void add_moment(struct record *rec, u64 at)
{
	rec->at = xgrow(rec->at, rec->nr + 1, sizeof(*rec->at));
	rec->at[rec->nr++] = at;
}

/* False: the VM has ended, or may not be observed any more. */
static bool take(struct record *rec, int observer, u64 at)
{
	struct keel_power_vcpu v;

	for (size_t i = 0; i < rec->nr_vcpus; i++) {
		if (!power_vcpu_try(observer, rec->vcpu[i], &v))
			return false;
		add_sample(rec, i, &v);
	}
	add_moment(rec, at);
	return true;
}

/* Return: the time is not over yet: a signal came, or the VM has ended. */
static bool wait_until(u64 until, int signals, int observer)
{
	struct pollfd p[] = { { .fd = signals, .events = POLLIN }, { .fd = observer } };
	u64 now;

	while ((now = now_ns()) < until) {
		struct timespec left = {
			(until - now) / 1000000000, (until - now) % 1000000000,
		};

		if (ppoll(p, ARRAY_SIZE(p), &left, NULL) > 0)
			return true;
	}
	return false;
}

/* Moments that it comes too late for are left out. */
static void take_all(struct record *rec, int observer, int signals, u64 length)
{
	u64 start = now_ns(), next = 0, now;
	struct keel_power power;

	do {
		next += rec->every;
		now = now_ns() - start;
		if (next < now)
			next += (now - next) / rec->every * rec->every;
		if (next > length || wait_until(start + next, signals, observer))
			break;
	} while (take(rec, observer, now_ns() - start));
	if (!power_try(observer, &power) && errno == ENODEV)
		message("VM %u has ended", rec->vm.id);
}

static void print_table(const struct record *rec)
{
	struct table t = { .columns = 6, .left = 1 << 2 };
	char asked[POWER_TEXT_SIZE];

	table_row(&t, "TIME S\tVCPU\tSTATE\tASKED%%\tTARGET%%\tDELIVERED%%");
	for (size_t i = 0; i < rec->nr * rec->nr_vcpus; i++) {
		const struct sample *s = &rec->sample[i];

		table_row(&t, "%.3f\t%u\t%s\t%s\t%.1f\t%.1f", rec->at[i / rec->nr_vcpus] / 1e9,
			  rec->vcpu[i % rec->nr_vcpus], power_state_text(s->state),
			  power_asked_text(s->asked, asked), power_percent(s->target),
			  power_percent(s->delivered));
	}
	table_print(&t);
}

static void json_sample(const struct record *rec, size_t i, size_t vcpu)
{
	const struct sample *s = record_sample(rec, i, vcpu);

	json_open(NULL, '{');
	json_number("time_ns", rec->at[i]);
	json_string("state", power_state_text(s->state));
	if (s->asked != KEEL_POWER_UNASKED)
		json_fixed("asked_percent", power_percent(s->asked));
	json_fixed("target_percent", power_percent(s->target));
	json_fixed("delivered_percent", power_percent(s->delivered));
	json_close('}');
}

static void print_json(const struct record *rec)
{
	json_open(NULL, '{');
	json_number("id", rec->vm.id);
	json_string("name", rec->vm.name);
	json_number("every_ns", rec->every);
	json_open("vcpus", '[');
	for (size_t v = 0; v < rec->nr_vcpus; v++) {
		json_open(NULL, '{');
		json_number("id", rec->vcpu[v]);
		json_open("samples", '[');
		for (size_t i = 0; i < rec->nr; i++)
			json_sample(rec, i, v);
		json_close(']');
		json_close('}');
	}
	json_close(']');
	json_close('}');
}

/* Those there are now, and their first sample: of later ones the beginning would be missing. */
static void choose_vcpus(const struct request *r, int observer, struct record *rec)
{
	struct keel_power_vcpu *vcpu = power_vcpus(r, observer, &rec->vm, &rec->nr_vcpus);

	if (!rec->nr_vcpus)
		die_status(EXIT_NO_VM, "VM %u has no vCPU yet: keelctl show %u lists them",
			   rec->vm.id, rec->vm.id);
	rec->vcpu = xcalloc(rec->nr_vcpus, sizeof(*rec->vcpu));
	for (size_t i = 0; i < rec->nr_vcpus; i++) {
		rec->vcpu[i] = vcpu[i].vcpu;
		add_sample(rec, i, &vcpu[i]);
	}
	add_moment(rec, 0);
	free(vcpu);
}

void keelctl_power_record(const struct request *r)
{
	struct record rec = { .every = parse_every(r->every) };
	u64 length = parse_for(r->length);
	FILE *f = NULL;
	struct keel_power power;
	int observer, signals;

	if (r->output)
		canvas_check_name(r->output);
	observer = node_open_vm(node_open(r->node), r->vm, &rec.vm);
	power_ask(observer, &rec.vm, &power);
	choose_vcpus(r, observer, &rec);
	if ((length / rec.every + 1) * rec.nr_vcpus > SAMPLES_MAX)
		die("that are more than %u samples: give a larger --every or a smaller --for",
		    SAMPLES_MAX);
	signals = signals_open();
	/* So that what cannot be written is known before. */
	if (r->output)
		f = canvas_open(r->output);
	take_all(&rec, observer, signals, length);
	if (f)
		record_chart(&rec, f, r->output);
	if (r->json)
		print_json(&rec);
	else if (!f)
		print_table(&rec);
	free(rec.vcpu);
	free(rec.at);
	free(rec.sample);
}
