// SPDX-License-Identifier: GPL-2.0
/* Driving the guest that goes through memory. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "hostmem.h"
#include "walk.h"

GUEST_DECLARE(walk);

#define SIG_STOP SIGUSR2

void walk_fill(char *to, u64 size, u32 cpus)
{
	u64 page, value;
	u32 cpu;

	for (page = 0; page < size; page += WALK_PAGE) {
		for (cpu = 0; cpu < cpus; cpu++) {
			value = walk_value(WALK_IPA + page, cpu, 0);
			memcpy(to + page + walk_word(WALK_IPA + page, cpu), &value, sizeof(value));
		}
	}
}

void walk_create(struct walk *w, char *mem, u64 size, u32 cpus, u64 flags)
{
	memset(w, 0, sizeof(*w));
	w->mem = mem;
	w->size = size;
	REQUIRE(cpus <= WALK_CPUS);
	vm_create_guest(&w->vm, guest_walk, guest_walk_end, cpus);
	REQUIRE_OK(vm_memslot(&w->vm, 1, 0, WALK_IPA, size, mem));
	w->args = vm_ptr(&w->vm, SHARED_IPA);
	w->args->size = size;
	w->args->cpus = cpus;
	w->args->flags = flags;
}

static void walk_exit(struct walk *w, struct vcpu *vcpu)
{
	struct walk_args *args = w->args;

	if (!args->bad)
		vcpu_bad_exit(vcpu);
	ktap_fail("vCPU %d read %#llx at %#llx, not %#llx, after %llu rounds, %llu writing",
		  vcpu->id, args->got, args->bad, args->want, args->rounds[vcpu->id],
		  args->written[vcpu->id]);
}

static void *walk_thread(void *arg)
{
	struct vcpu *vcpu = arg;
	struct walk *w = (struct walk *)((char *)vcpu->vm - offsetof(struct walk, vm));
	int ret;

	while (!READ_ONCE(w->stop)) {
		ret = vcpu_run(vcpu);
		if (!ret)
			walk_exit(w, vcpu);
		if (ret == -EINTR) {
			__atomic_add_fetch(&w->interrupts, 1, __ATOMIC_RELAXED);
		} else if (ret == -EFAULT && READ_ONCE(w->may_fail)) {
			__atomic_add_fetch(&w->failures, 1, __ATOMIC_RELAXED);
			host_pause();
		} else {
			ktap_fail("KVM_RUN on vCPU %d: %s", vcpu->id, strerror(-ret));
		}
	}
	return NULL;
}

static void stop_handler(int sig __always_unused)
{
}

void walk_start(struct walk *w)
{
	struct sigaction sa = { .sa_handler = stop_handler };
	struct vcpu *vcpu;

	REQUIRE_OK(sigaction(SIG_STOP, &sa, NULL));
	w->stop = false;
	for (vcpu = w->vm.vcpus; vcpu < w->vm.vcpus + w->vm.nr_vcpus; vcpu++)
		REQUIRE(!pthread_create(&vcpu->thread, NULL, walk_thread, vcpu));
	w->running = true;
}

void walk_stop(struct walk *w)
{
	struct vcpu *vcpu, *end = w->vm.vcpus + w->vm.nr_vcpus;

	WRITE_ONCE(w->stop, true);
	for (vcpu = w->vm.vcpus; vcpu < end; vcpu++) {
		/* The signal ends a KVM_RUN under way, immediate_exit one about to start. */
		WRITE_ONCE(vcpu->run->immediate_exit, 1);
		pthread_kill(vcpu->thread, SIG_STOP);
	}
	for (vcpu = w->vm.vcpus; vcpu < end; vcpu++) {
		pthread_join(vcpu->thread, NULL);
		vcpu->run->immediate_exit = 0;
	}
	w->running = false;
}

void walk_rounds(struct walk *w, u64 n)
{
	u64 from[WALK_CPUS];
	u32 cpu;

	for (cpu = 0; cpu < w->args->cpus; cpu++)
		from[cpu] = READ_ONCE(w->args->rounds[cpu]);
	for (cpu = 0; cpu < w->args->cpus; cpu++)
		while (READ_ONCE(w->args->rounds[cpu]) <= from[cpu] + n)
			host_pause();
}

void walk_flags(struct walk *w, u64 flags)
{
	WRITE_ONCE(w->args->flags, flags);
	if (w->running)
		walk_rounds(w, 0);
}

u64 walk_zeros(struct walk *w)
{
	u64 sum = 0;
	u32 cpu;

	for (cpu = 0; cpu < w->args->cpus; cpu++)
		sum += READ_ONCE(w->args->zeros[cpu]);
	return sum;
}

static bool word_ok(const struct walk_args *args, u64 page, u32 cpu, u64 word)
{
	u64 written = args->written[cpu];

	if (!word)
		return (args->flags & WALK_ZERO) || (!written && !(args->flags & WALK_FILLED));
	return word == walk_value(page, cpu, written) ||
	       word == walk_value(page, cpu, written + 1);
}

void walk_check(struct walk *w)
{
	u64 page, word;
	u32 cpu;

	for (page = 0; page < w->size; page += WALK_PAGE) {
		for (cpu = 0; cpu < w->args->cpus; cpu++) {
			memcpy(&word, w->mem + page + walk_word(WALK_IPA + page, cpu), 8);
			if (!word_ok(w->args, WALK_IPA + page, cpu, word))
				ktap_fail("%#llx has %#llx, vCPU %u wrote %llu rounds",
					  WALK_IPA + page, word, cpu, w->args->written[cpu]);
		}
	}
}

void walk_destroy(struct walk *w)
{
	vm_destroy(&w->vm);
}
