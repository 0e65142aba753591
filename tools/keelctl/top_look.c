// SPDX-License-Identifier: GPL-2.0
/* keelctl top: looking, and rates. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "classes.h"
#include "top.h"

/* As the module names them, in its order; filled by the first vCPU that is looked at. */
static char class_names[TOP_CLASSES][TOP_CLASS_NAME];
static size_t nr_classes;

const char *top_class(size_t i)
{
	return i < nr_classes ? class_names[i] : NULL;
}

static void name_classes(const struct kvm_stats *s)
{
	for (unsigned int i = 0; i < s->nr && nr_classes < TOP_CLASSES; i++) {
		const char *class = classes_name(s->stat[i].name);

		if (class)
			snprintf(class_names[nr_classes++], TOP_CLASS_NAME, "%.15s", class);
	}
}

static bool look_at_classes(int observer, u32 vcpu, struct top_row *row)
{
	struct kvm_stats s;
	size_t n = 0;

	if (!classes_try(observer, vcpu, &s))
		return false;
	if (!nr_classes)
		name_classes(&s);
	for (unsigned int i = 0; i < s.nr && n < nr_classes; i++) {
		const char *class = classes_name(s.stat[i].name);

		if (class)
			row->class[n++] = s.stat[i].value + classes_first(&s, class);
	}
	kvm_stats_free(&s);
	return true;
}

static struct top_row *add_row(struct top_moment *m)
{
	m->row = xgrow(m->row, m->nr + 1, sizeof(*m->row));
	m->row[m->nr] = (struct top_row){ .percent = -1 };
	return &m->row[m->nr++];
}

/* Who has never heard of power management is left as it is. */
static bool uses_power(int observer)
{
	struct keel_power power;

	return power_try(observer, &power) && (power.policy != KEEL_POWER_OFF || power.layout);
}

static void look_at_power(int observer, u32 vcpu, struct top_row *row)
{
	struct keel_power_vcpu v;

	row->power = power_vcpu_try(observer, vcpu, &v);
	if (!row->power)
		return;
	row->asked = v.asked;
	row->delivered = v.delivered;
	row->sleep = v.state;
	for (u32 state = KEEL_POWER_WFI; state < KEEL_POWER_NR_SLEEPS; state++)
		row->slept += v.sleep[state].residency;
	row->awake = v.run + v.wait + v.held;
}

/* False: the VM has ended, or may not be observed any more. */
static bool look_at_vcpu(const struct top_watched *w, const struct threads *before, u32 index,
			 struct top_row *row)
{
	struct keel_vcpu_info v = { .size = sizeof(v), .index = index };

	if (ioctl(w->observer, KEEL_VCPU_INFO, &v) || !look_at_classes(w->observer, v.id, row))
		return false;
	row->vm = w->vm.id;
	row->vcpu = v.id;
	row->state = v.state;
	row->exits = v.exits;
	row->exits_el2 = v.exits_el2;
	snprintf(row->name, sizeof(row->name), "%s", w->vm.name);
	row->timed = threads_vcpu(&w->threads, before, v.id, &row->ns);
	return true;
}

static u64 time_of(const struct threads *t)
{
	u64 ns = 0;

	for (size_t i = 0; i < t->nr; i++)
		ns += t->thread[i].ns;
	return ns;
}

/* A thread that has ended took its time with it. */
static void add_vm(struct top_moment *m, const struct top_watched *w, const struct threads *before)
{
	u64 then = time_of(before), now = time_of(&w->threads);
	struct top_row *row = add_row(m);

	row->vm = w->vm.id;
	row->vcpu = TOP_VM;
	row->state = w->vm.nr_vcpus;
	snprintf(row->name, sizeof(row->name), "%s", w->vm.name);
	row->timed = before->nr && now >= then;
	row->ns = now - then;
}

static bool add_vcpus(struct top_moment *m, const struct top_watched *w,
		      const struct threads *before)
{
	bool power = uses_power(w->observer);
	size_t place = m->nr - 1;

	for (u32 i = 0; i < w->vm.nr_vcpus; i++) {
		struct top_row *row = add_row(m), *sum = &m->row[place];

		if (!look_at_vcpu(w, before, i, row))
			return false;
		if (power)
			look_at_power(w->observer, row->vcpu, row);
		sum->exits += row->exits;
		sum->exits_el2 += row->exits_el2;
		for (size_t c = 0; c < nr_classes; c++)
			sum->class[c] += row->class[c];
	}
	return true;
}

static bool look_at_vm(struct top_moment *m, struct top_watched *w)
{
	struct threads before = w->threads;
	size_t place = m->nr;
	bool there;

	threads_read(&w->threads, &before, &w->vm, w->observer, w->alone);
	add_vm(m, w, &before);
	there = add_vcpus(m, w, &before);
	threads_free(&before);
	if (there)
		m->vms++;
	else
		m->nr = place;
	return there;
}

/* What is listed and not looked at yet; and what may have become more vCPUs. */
static void take_listed(struct top_list *l, const struct keel_vm_info *vm)
{
	struct top_watched *w = l->watched;

	while (w < l->watched + l->nr && w->vm.id != vm->id)
		w++;
	if (w < l->watched + l->nr) {
		w->vm = *vm;
	} else if (l->all) {
		l->watched = xgrow(l->watched, l->nr + 1, sizeof(*l->watched));
		l->watched[l->nr++] = (struct top_watched){
			.vm = *vm,
			.observer = ioctl(l->node, KEEL_OPEN_VM, vm->id),
		};
	}
}

static void find_vms(struct top_list *l)
{
	struct keel_vm_info vm = { .id = 0 }, other;

	while (node_next_vm(l->node, &vm))
		take_listed(l, &vm);
	for (size_t i = 0; i < l->nr; i++) {
		struct top_watched *w = &l->watched[i];

		w->alone = true;
		other = (struct keel_vm_info){ .id = 0 };
		while (node_next_vm(l->node, &other))
			if (other.id != w->vm.id && other.tgid == w->vm.tgid)
				w->alone = false;
	}
}

void top_look(struct top_list *l, struct top_moment *m)
{
	size_t left = 0;

	*m = (struct top_moment){ .at = now_ns() };
	find_vms(l);
	for (size_t i = 0; i < l->nr; i++) {
		struct top_watched *w = &l->watched[i];

		if (look_at_vm(m, w)) {
			l->watched[left++] = *w;
			continue;
		}
		threads_free(&w->threads);
		if (w->observer >= 0)
			close(w->observer);
	}
	l->nr = left;
}

static const struct top_row *find_row(const struct top_moment *m, const struct top_row *like)
{
	for (size_t i = 0; i < m->nr; i++)
		if (m->row[i].vm == like->vm && m->row[i].vcpu == like->vcpu)
			return &m->row[i];
	return NULL;
}

static u64 rate(u64 from, u64 to, u64 ns)
{
	return to > from ? (double)(to - from) * 1e9 / ns + 0.5 : 0;
}

/*
 * A sleep that goes on has no residency yet, and one that began before the interval has it all at
 * once: at such an edge it is what is left beside being awake.
 */
static double asleep_percent(const struct top_row *then, const struct top_row *now, u64 ns)
{
	bool edge = then->sleep != KEEL_POWER_RUN || now->sleep != KEEL_POWER_RUN;
	u64 awake = now->awake - then->awake, asleep = now->slept - then->slept;

	if (edge)
		asleep = awake < ns ? ns - awake : 0;
	return asleep < ns ? asleep * 100.0 / ns : 100;
}

void top_rates(const struct top_moment *from, const struct top_moment *to,
	       struct top_moment *rates)
{
	u64 ns = to->at - from->at;

	*rates = (struct top_moment){ .at = to->at, .vms = to->vms };
	for (const struct top_row *now = to->row; now < to->row + to->nr; now++) {
		const struct top_row *then = find_row(from, now);
		struct top_row *row;

		if (!then)
			continue;
		row = add_row(rates);
		*row = *now;
		row->exits = rate(then->exits, now->exits, ns);
		row->exits_el2 = rate(then->exits_el2, now->exits_el2, ns);
		for (size_t c = 0; c < nr_classes; c++)
			row->class[c] = rate(then->class[c], now->class[c], ns);
		row->percent = now->timed ? (double)now->ns * 100 / ns : -1;
		row->power = then->power && now->power;
		if (row->power)
			row->asleep = asleep_percent(then, now, ns);
	}
}

void top_free(struct top_moment *m)
{
	free(m->row);
	*m = (struct top_moment){ .nr = 0 };
}
