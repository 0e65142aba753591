// SPDX-License-Identifier: GPL-2.0
/* Many VMs at once, many vCPUs on few CPUs, and memory that the host never leaves alone. */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guests/vm_storm.h"
#include "lib/soak.h"
#include "lib/vm.h"

GUEST_DECLARE(vm_storm);

#define NR_VMS		32
#define NR_VCPUS	64
#define PAGE		4096UL
#define SEED		20261122

static void storm_create(struct vm *vm, int cpus)
{
	vm_create_guest(vm, guest_vm_storm, guest_vm_storm_end, cpus);
	vcpu_start_at(&vm->vcpus[0], RAM_IPA, STORM_ARG(STORM_COUNT, cpus));
	vm_gic_create(vm, 64);
}

static void wait_above(u64 *counter, u64 n)
{
	/* The CPUs are the guest's meanwhile. */
	while (READ_ONCE(*counter) <= n)
		usleep(1000);
}

/**
 * struct progress - what the CPUs of a VM had done at some moment
 * @cpus: each
 */
struct progress {
	struct storm_cpu cpus[NR_VCPUS];
};

static void progress_note(struct vm *vm, struct progress *p)
{
	memcpy(p->cpus, vm_ptr(vm, SHARED_IPA), sizeof(p->cpus));
}

/* Since then the token has come to each CPU more than @n times, and each has counted. */
static void progress_wait(struct vm *vm, const struct progress *p, u64 n)
{
	struct storm_cpu *cpus = vm_ptr(vm, SHARED_IPA);
	int i;

	for (i = 0; i < vm->nr_vcpus; i++) {
		wait_above(&cpus[i].passed, p->cpus[i].passed + n);
		wait_above(&cpus[i].work, p->cpus[i].work + n);
	}
}

/* This thread is not one among all those of the vCPUs, which it makes, waits for and ends. */
static void stay_ahead(void)
{
	struct sched_param param = { .sched_priority = 1 };

	REQUIRE_OK(sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param));
}

/* Return: how many VMs there are. */
static int many_create(struct vm *vms)
{
	int n;

	for (n = 0; n < NR_VMS && !soak_enough(n, 4, 2); n++)
		storm_create(&vms[n], 2);
	return n;
}

static void many_vms(void)
{
	int rounds = soak_rounds(1, 5), round, n = 0, i;
	static struct progress progress[NR_VMS];
	static struct vm vms[NR_VMS];

	stay_ahead();
	for (round = 0; round < rounds; round++) {
		memset(progress, 0, sizeof(progress));
		n = many_create(vms);
		for (i = 0; i < n; i++)
			vm_start(&vms[i]);
		for (i = 0; i < n; i++)
			progress_wait(&vms[i], &progress[i], 0);
		/* All are there; each still gets its turn. */
		for (i = 0; i < n; i++)
			progress_note(&vms[i], &progress[i]);
		for (i = 0; i < n; i++)
			progress_wait(&vms[i], &progress[i], 1);
		for (i = 0; i < n; i++) {
			vm_stop(&vms[i]);
			vm_destroy(&vms[i]);
		}
	}
	ktap_note("%d VMs with 2 vCPUs each, %d times", n, rounds);
}

static void many_vcpus(void)
{
	struct progress none = {};
	int rounds = soak_rounds(1, 100);
	struct vm vm;

	stay_ahead();
	storm_create(&vm, NR_VCPUS);
	vm_start(&vm);
	progress_wait(&vm, &none, rounds);
	vm_stop(&vm);
	vm_destroy(&vm);
	ktap_note("%d vCPUs, the token went round %d times", NR_VCPUS, rounds);
}

/**
 * struct storm - memory of a guest, and what is done to it
 * @vm: the VM
 * @mem: STORM_PAGES pages
 * @aside: a page's place for moving it there and back
 * @stamp: the newest
 */
struct storm {
	struct vm vm;
	char *mem;
	char *aside;
	u64 stamp;
};

static char *pages(u64 n)
{
	char *p = mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	REQUIRE(p != MAP_FAILED);
	return p;
}

static void move(char *from, char *to)
{
	REQUIRE(mremap(from, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
}

static char *some_page(struct storm *s)
{
	return s->mem + random() % STORM_PAGES * PAGE;
}

/*
 * The guest must not write there any more, through whatever mapping or TLB entry it had. Each vCPU
 * that runs has time for it: it goes on elsewhere, or comes to this page and has to stay.
 */
static void check_untouched(const char *page)
{
	u64 words[STORM_WRITERS];
	int i;

	memcpy(words, page, sizeof(words));
	for (i = 0; i < 3; i++)
		sched_yield();
	if (memcmp(words, page, sizeof(words)))
		ktap_fail("the guest wrote to a page that it had no more");
}

static void storm_drop(struct storm *s)
{
	char *page = some_page(s);
	u64 n = 1 + random() % 8, left = (s->mem + STORM_PAGES * PAGE - page) / PAGE;

	REQUIRE_OK(madvise(page, (n < left ? n : left) * PAGE, MADV_DONTNEED));
}

/* A page of the host's takes its place in one step. */
static void storm_replace(struct storm *s)
{
	u64 words[STORM_WRITERS];
	char *page = pages(1);
	u32 i;

	s->stamp++;
	for (i = 0; i < STORM_WRITERS; i++)
		words[i] = HOST_STAMP | s->stamp;
	memcpy(page, words, sizeof(words));
	move(page, some_page(s));
}

static void storm_protect(struct storm *s)
{
	char *page = some_page(s);

	REQUIRE_OK(mprotect(page, PAGE, PROT_READ));
	check_untouched(page);
	REQUIRE_OK(mprotect(page, PAGE, PROT_READ | PROT_WRITE));
}

static void storm_move(struct storm *s)
{
	char *page = some_page(s);

	move(page, s->aside);
	check_untouched(s->aside);
	move(s->aside, page);
}

static void (*const storms[])(struct storm *s) = {
	storm_drop, storm_replace, storm_protect, storm_move,
};

/* The page is away, or read-only: it will come back. */
static bool try_again(struct vcpu *vcpu __always_unused)
{
	sched_yield();
	return true;
}

static void notifier_storm(void)
{
	int rounds = soak_rounds(200, 5000), i;
	struct storm s = { .mem = pages(STORM_PAGES), .aside = pages(1) };
	struct storm_cpu *cpus;

	srandom(SEED);
	vm_create_guest(&s.vm, guest_vm_storm, guest_vm_storm_end, STORM_WRITERS);
	vcpu_start_at(&s.vm.vcpus[0], RAM_IPA, STORM_ARG(STORM_MEMORY, STORM_WRITERS));
	s.vm.fault = try_again;
	REQUIRE_OK(vm_memslot(&s.vm, 1, 0, STORM_IPA, STORM_PAGES * PAGE, s.mem));
	vm_start(&s.vm);
	cpus = vm_ptr(&s.vm, SHARED_IPA);
	for (i = 0; i < rounds && !soak_enough(i, 50, 5); i++) {
		storms[random() % ARRAY_SIZE(storms)](&s);
		/* None is left behind. */
		if (i % 50 == 0)
			wait_above(&cpus[i / 50 % STORM_WRITERS].work, i);
	}
	vm_stop(&s.vm);
	vm_destroy(&s.vm);
	ktap_note("%d changes, seed %d", i, SEED);
}

static const struct ktap_case cases[] = {
	{ "many_vms", many_vms },
	{ "many_vcpus", many_vcpus },
	{ "notifier_storm", notifier_storm },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
