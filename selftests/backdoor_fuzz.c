// SPDX-License-Identifier: GPL-2.0
/*
 * Random calls through the backdoor's doors, while all that they depend on changes: page tables and
 * channels (by the guest itself), the doors, the agent and the memory (by the host).
 *
 * BACKDOOR_FUZZ_SEED repeats the calls of a run, BACKDOOR_FUZZ_SECONDS says how long it shall be.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/keel.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "guests/backdoor_fuzz.h"
#include "lib/hostmem.h"
#include "lib/soak.h"
#include "lib/vm.h"

GUEST_DECLARE(backdoor_fuzz);

#define HOOKS \
	(KEEL_HOOK_BACKDOOR_HVC | KEEL_HOOK_BACKDOOR_DCC | KEEL_HOOK_BACKDOOR_BRK)
#define HEADER		sizeof(struct keel_backdoor_message)
/* What all channels and datagrams may take, and as much again for tables and errors of counting. */
#define MEMORY_LIMIT	((64 + 2 * MAX_CHANNELS) * (s64)MAX_SIZE * 2 / (s64)HOST_PAGE)
/* A safety limit for the time besides that which BACKDOOR_FUZZ_SECONDS says. */
#define LIMIT_SECONDS	200
/* What a VM that has nothing under way may have gained, counting errors of memory.stat included. */
#define MEMORY_SLACK	1024

/**
 * struct region - memory that comes and goes
 * @slot: its number
 */
struct region {
	u32 slot;
	u64 ipa;
	u64 size;
	char *mem;
};

static struct vm vm;
static struct shared *shared;
static u64 seed;
static bool stop;
static char *readonly;
static struct region regions[] = {
	{ .slot = 1, .ipa = BUFFERS_IPA, .size = BUFFERS_SIZE },
	{ .slot = 2, .ipa = TABLES_IPA, .size = TABLES_SIZE },
};

/* --- Chance --- */

/* One for each thread. */
struct dice {
	u64 state;
};

static u64 below(struct dice *d, u64 n)
{
	d->state = d->state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (d->state >> 33) % n;
}

static u64 number_of(const char *name, u64 otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

static u64 new_seed(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000007ULL + now.tv_nsec;
}

/* --- The agent --- */

/* A message in the file, and room behind it. */
struct datagram {
	struct keel_backdoor_message h;
	u8 data[MAX_SIZE + 16];
};

/**
 * struct agent - the other end
 * @thread: it
 * @fd: its file
 * @faithful: answers all requests, as long as it lives
 * @nowhere: an address that nothing is at
 */
struct agent {
	pthread_t thread;
	struct dice dice;
	int fd;
	bool faithful;
	void *nowhere;
	struct datagram in;
	struct datagram out;
	u64 read;
	u64 requests;
	u64 answered;
	u64 opened;
};

static struct agent agent;

static void agent_open(struct agent *a)
{
	struct keel_backdoor_open args = { .size = sizeof(args) };

	a->fd = ioctl(vm.fd, KEEL_BACKDOOR_OPEN, &args);
	REQUIRE_OK(a->fd);
	REQUIRE_OK(fcntl(a->fd, F_SETFL, O_RDWR | O_NONBLOCK));
	__atomic_add_fetch(&a->opened, 1, __ATOMIC_RELEASE);
}

/* The guest may have closed the channel, or have asked nothing, or not taken what was there. */
static bool agent_write(struct agent *a, u32 channel, u32 size)
{
	a->out.h = (struct keel_backdoor_message) {
		.channel = channel,
		.kind = KEEL_BACKDOOR_MESSAGE,
		.length = size,
	};
	if (write(a->fd, &a->out, HEADER + size) == (ssize_t)(HEADER + size))
		return true;
	CHECK(errno == EBUSY || errno == ENOENT || errno == EPROTO);
	return false;
}

/* Messages that are none, and some that are, but no answers. */
static void agent_disturb(struct agent *a, u32 channel)
{
	struct datagram *d = &a->out;
	u64 size = below(&a->dice, 4) ? below(&a->dice, 100) : below(&a->dice, MAX_SIZE + 1);

	memset(d->data, 0x5b, size);
	d->h = (struct keel_backdoor_message){ channel, KEEL_BACKDOOR_MESSAGE, 0, size };
	switch (below(&a->dice, 6)) {
	case 0:
		d->h.kind = KEEL_BACKDOOR_OPTIONS + 1 + below(&a->dice, 100);
		CHECK_ERR(write(a->fd, d, HEADER + size), EINVAL);
		break;
	case 1:
		d->h.length += 1 + below(&a->dice, 1000);
		CHECK_ERR(write(a->fd, d, HEADER + size), EMSGSIZE);
		break;
	case 2:
		CHECK_ERR(write(a->fd, d, below(&a->dice, HEADER)), EMSGSIZE);
		break;
	case 3:
		CHECK_ERR(write(a->fd, a->nowhere, HEADER), EFAULT);
		break;
	case 4:
		CHECK(!agent_write(a, MAX_CHANNELS + below(&a->dice, 1000), size));
		break;
	default:
		agent_write(a, channel, size);
	}
}

static void agent_answer(struct agent *a, u32 channel, const struct trip_header *request)
{
	u32 size = below(&a->dice, 3) ? request->size : sizeof(*request) + below(&a->dice, 90);

	trip_fill(a->out.data, REPLY_MAGIC, request->seed + 1, size);
	a->answered += agent_write(a, channel, size);
}

/* A request that says what it is must be what it says; the others are anything. */
static void agent_message(struct agent *a)
{
	u32 channel = a->in.h.channel, size = a->in.h.length;
	struct trip_header header = {};
	bool request = trip_read(a->in.data, REQUEST_MAGIC, size, &header);

	REQUIRE(channel < MAX_CHANNELS);
	if (request) {
		a->requests++;
		CHECK_EQ(header.size, size);
		CHECK_EQ(trip_differs(a->in.data, &header, size), size);
	}
	if (a->faithful || below(&a->dice, 8) > 1) {
		agent_answer(a, channel, request ? &header :
			     &(struct trip_header){ .seed = 0, .size = 20 });
		return;
	}
	if (below(&a->dice, 2))
		agent_disturb(a, channel);
}

/* Return: false: there is none. */
static bool agent_read(struct agent *a)
{
	bool small = !a->faithful && !below(&a->dice, 16);
	bool nowhere = !a->faithful && !below(&a->dice, 16);
	ssize_t n = read(a->fd, nowhere ? a->nowhere : &a->in, small ? HEADER - 1 : sizeof(a->in));

	if (n < 0) {
		CHECK(errno == EAGAIN || (small && errno == EMSGSIZE) ||
		      (nowhere && errno == EFAULT));
		return false;
	}
	CHECK(!small && !nowhere);
	if (!CHECK_EQ(n, HEADER + a->in.h.length))
		return false;
	CHECK(a->in.h.length <= MAX_SIZE);
	CHECK(a->in.h.protocol == RPCI || a->in.h.protocol == TCLO);
	a->read++;
	if (a->in.h.kind == KEEL_BACKDOOR_MESSAGE)
		agent_message(a);
	else
		CHECK_EQ(a->in.h.length, 0);
	return true;
}

static void agent_live(struct agent *a)
{
	u64 rounds = below(&a->dice, 300);
	struct pollfd p = { .events = POLLIN };

	agent_open(a);
	p.fd = a->fd;
	for (; (rounds || a->faithful) && !READ_ONCE(stop) && !ktap_failed(); rounds--) {
		REQUIRE(poll(&p, 1, 1) >= 0);
		while (agent_read(a))
			;
		if (!a->faithful && !below(&a->dice, 4))
			agent_disturb(a, below(&a->dice, MAX_CHANNELS));
	}
	close(a->fd);
}

static void *agent_thread(void *arg)
{
	struct agent *a = arg;

	while (!READ_ONCE(stop) && !ktap_failed()) {
		agent_live(a);
		if (below(&a->dice, 4) == 0)
			sched_yield();
	}
	return NULL;
}

static void agent_start(bool faithful)
{
	u64 opened = agent.opened;

	agent.nowhere = mmap(NULL, HOST_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(agent.nowhere != MAP_FAILED);
	WRITE_ONCE(stop, false);
	agent.faithful = faithful;
	agent.dice.state = seed + 1;
	REQUIRE(!pthread_create(&agent.thread, NULL, agent_thread, &agent));
	while (__atomic_load_n(&agent.opened, __ATOMIC_ACQUIRE) == opened)
		host_pause();
}

static void agent_end(void)
{
	WRITE_ONCE(stop, true);
	REQUIRE(!pthread_join(agent.thread, NULL));
}

/* --- The VM --- */

/* What the guest's table lies in may be away. */
static bool table_is_away(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	return vcpu->id == CPU_TABLES && run->exit_reason == KVM_EXIT_MMIO && run->mmio.is_write &&
	       run->mmio.phys_addr - TABLES_IPA < TABLES_SIZE;
}

static u64 faults;

/* A page that the host has closed to itself; it will be open again. */
static bool try_again(struct vcpu *vcpu __always_unused)
{
	__atomic_add_fetch(&faults, 1, __ATOMIC_RELAXED);
	sched_yield();
	return true;
}

static char *map(u64 size, int byte)
{
	char *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	REQUIRE(mem != MAP_FAILED);
	memset(mem, byte, size);
	return mem;
}

static void memory_create(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(regions); i++) {
		regions[i].mem = map(regions[i].size, 0);
		REQUIRE_OK(vm_memslot(&vm, regions[i].slot, 0, regions[i].ipa, regions[i].size,
				      regions[i].mem));
	}
	readonly = map(READONLY_SIZE, READONLY_BYTE);
	REQUIRE_OK(vm_memslot(&vm, 3, KVM_MEM_READONLY, READONLY_IPA, READONLY_SIZE, readonly));
}

static void hooks_set(u32 on)
{
	struct keel_hooks h = { .size = sizeof(h), .on = on, .off = HOOKS & ~on };

	REQUIRE_OK(ioctl(vm.fd, KEEL_HOOKS, &h));
}

static void create(void)
{
	if (!kvm_is_keel())
		ktap_skip("in-tree KVM has no backdoor");
	seed = number_of("BACKDOOR_FUZZ_SEED", new_seed());
	ktap_note("BACKDOOR_FUZZ_SEED=%#llx", seed);
	vm_create_guest(&vm, guest_backdoor_fuzz, guest_backdoor_fuzz_end, CPUS);
	vm_gic_create(&vm, 64);
	vm.exit = table_is_away;
	vm.fault = try_again;
	memory_create();
	hooks_set(HOOKS);
	shared = vm_ptr(&vm, SHARED_IPA);
	shared->seed = seed;
	vcpu_set(&vm.vcpus[0], REG_X(0), BOOT);
	REQUIRE_EQ(vcpu_run_done(&vm.vcpus[0]), 0);
}

/* All but the first, which the main thread has. */
static void *vcpu_thread(void *arg)
{
	struct vcpu *vcpu = arg;
	struct report report;

	while (!READ_ONCE(vcpu->stop)) {
		report = vcpu_run_report(vcpu);
		if (!report.interrupted)
			vcpu_bad_exit(vcpu);
	}
	return NULL;
}

static void kick_handler(int sig __always_unused)
{
}

static void vcpus_start(void)
{
	struct sigaction sa = { .sa_handler = kick_handler };
	int i;

	REQUIRE_OK(sigaction(SIGUSR1, &sa, NULL));
	for (i = 1; i < CPUS; i++)
		REQUIRE(!pthread_create(&vm.vcpus[i].thread, NULL, vcpu_thread, &vm.vcpus[i]));
}

/* Each ends by itself, and then stays in KVM_RUN, switched off. */
static void vcpus_end(void)
{
	int i;

	WRITE_ONCE(shared->stop, 1);
	while (__atomic_load_n(&shared->ended, __ATOMIC_ACQUIRE) < CPUS - 1)
		host_pause();
	for (i = 1; i < CPUS; i++) {
		WRITE_ONCE(vm.vcpus[i].stop, true);
		WRITE_ONCE(vm.vcpus[i].run->immediate_exit, 1);
		pthread_kill(vm.vcpus[i].thread, SIGUSR1);
	}
	for (i = 1; i < CPUS; i++)
		REQUIRE(!pthread_join(vm.vcpus[i].thread, NULL));
}

/* --- What the host does meanwhile --- */

static struct dice dice;

/* Some of the guest's CPUs have had time to see it. */
static void leave_it(void)
{
	u64 i;

	for (i = below(&dice, 8); i; i--)
		sched_yield();
}

static struct region *some_region(void)
{
	return &regions[below(&dice, ARRAY_SIZE(regions))];
}

static void change_hooks(void)
{
	hooks_set(below(&dice, 4) ? HOOKS : below(&dice, HOOKS + 1) & HOOKS);
}

static void change_slot(void)
{
	struct region *r = some_region();

	REQUIRE_OK(vm_memslot(&vm, r->slot, 0, r->ipa, 0, r->mem));
	leave_it();
	REQUIRE_OK(vm_memslot(&vm, r->slot, 0, r->ipa, r->size, r->mem));
}

static char *some_pages(u64 *size)
{
	struct region *r = some_region();
	u64 pages = r->size / HOST_PAGE, first = below(&dice, pages);

	*size = (1 + below(&dice, pages - first)) * HOST_PAGE;
	return r->mem + first * HOST_PAGE;
}

static void change_drop(void)
{
	u64 size;
	char *p = some_pages(&size);

	REQUIRE_OK(madvise(p, size, MADV_DONTNEED));
}

static void change_protection(void)
{
	u64 size;
	char *p = some_pages(&size);

	REQUIRE_OK(mprotect(p, size, below(&dice, 2) ? PROT_READ : PROT_NONE));
	leave_it();
	REQUIRE_OK(mprotect(p, size, PROT_READ | PROT_WRITE));
}

static void change_kick(void)
{
	pthread_kill(vm.vcpus[1 + below(&dice, CPUS - 1)].thread, SIGUSR1);
}

/* The machine begins anew, as far as the host knows: all channels are closed. */
static void change_reset(void)
{
	if (!below(&dice, 16))
		vcpu_init(&vm.vcpus[0], false);
}

static void (*const changes[])(void) = {
	change_hooks, change_hooks, change_slot, change_drop, change_protection, change_kick,
	change_kick, change_reset,
};

/* None is left behind. */
static void wait_for_all(void)
{
	u64 before[CPUS];
	int i;

	for (i = 1; i < CPUS; i++)
		before[i] = READ_ONCE(shared->cpus[i].calls);
	for (i = 1; i < CPUS && !ktap_failed(); i++)
		while (READ_ONCE(shared->cpus[i].calls) == before[i])
			host_pause();
}

/* --- The memory that it takes --- */

static s64 kernel_pages(void)
{
	return cgroup_read("memory.stat", "kernel") / (s64)HOST_PAGE;
}

/* Some of it is freed by RCU, a little later. */
static void wait_for_fall_to(s64 pages)
{
	while (kernel_pages() > pages)
		host_pause();
}

/* --- The case --- */

static u64 sum(int kind)
{
	u64 n = 0;
	int i;

	for (i = 1; i < CPUS; i++)
		n += shared->cpus[i].count[kind];
	return n;
}

static void tell(u64 changed)
{
	ktap_note("%llu calls answered, %llu none, %llu aborted, %llu given up", sum(ANSWERED),
		  sum(NO_CALL), sum(ABORTED), sum(INTERRUPTED));
	ktap_note("%llu of messages and %llu of high bandwidth accepted", sum(ACCEPTED),
		  sum(COPIED));
	ktap_note("%llu messages there, %llu with the right answer", sum(TRIPS), sum(VERIFIED));
	ktap_note("%llu changes of the host's, %llu of the tables, KVM_RUN gave EFAULT %llu times",
		  changed, shared->cpus[CPU_TABLES].calls, faults);
	ktap_note("agent: %llu lives, %llu datagrams, %llu requests, %llu answers", agent.opened,
		  agent.read, agent.requests, agent.answered);
}

/* Calls of each kind have been made, or this proves nothing. */
static bool has_seen_all(void)
{
	return sum(ANSWERED) > 1000 && sum(NO_CALL) > 100 && sum(ACCEPTED) > 100 &&
	       sum(VERIFIED) && (!sum(COPIED) || sum(ABORTED));
}

static u64 disturb(int seconds, s64 limit)
{
	struct timespec begin, now;
	u64 n = 0;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	do {
		while (++n % 16)
			changes[below(&dice, ARRAY_SIZE(changes))]();
		wait_for_all();
		CHECK(kernel_pages() <= limit);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - begin.tv_sec < seconds || !has_seen_all()) && !ktap_failed());
	return n;
}

/* The same VM, with all doors open and an agent that answers. */
static void check_works(void)
{
	hooks_set(HOOKS);
	agent_start(true);
	vcpu_init(&vm.vcpus[0], false);
	vcpu_start_at(&vm.vcpus[0], RAM_IPA, FINAL);
	CHECK_EQ(vcpu_run_done(&vm.vcpus[0]), FINAL_TRIPS);
	agent_end();
}

static void check_readonly(void)
{
	u64 i;

	for (i = 0; i < READONLY_SIZE; i++)
		if (!CHECK_EQ(readonly[i], READONLY_BYTE))
			break;
}

static void fuzz(void)
{
	int seconds = soak_rounds(number_of("BACKDOOR_FUZZ_SECONDS", 5), 600);
	u64 changed;
	s64 before;

	alarm(LIMIT_SECONDS + seconds);
	host_mounts();
	cgroup_begin();
	cgroup_enter();
	create();
	dice.state = seed;
	before = kernel_pages();
	agent_start(false);
	vcpus_start();
	changed = disturb(seconds, before + MEMORY_LIMIT);
	agent_end();
	vcpus_end();
	tell(changed);
	wait_for_fall_to(before + MEMORY_SLACK);
	if (ktap_failed())
		return;
	check_works();
	check_readonly();
	vm_destroy(&vm);
	cgroup_end();
}

static const struct ktap_case cases[] = {
	{ "fuzz", fuzz },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
