// SPDX-License-Identifier: GPL-2.0
/*
 * Many VMs in turn on the same CPUs, all with the same addresses and each with its own memory. With
 * few VMID bits (a parameter of keel's) numbers are handed out anew all the time, and keel's
 * counters say so.
 */
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guests/stage2_faults.h"
#include "lib/poke.h"
#include "lib/vm.h"

GUEST_DECLARE(stage2_faults);

#define VMS	12
#define MANY	280	/* more than 8 bits of VMID are for */
#define ROUNDS	8
#define THREADS	2
#define PAGES	4

static struct vm vms[MANY];

static u64 value_of(u64 vm, u64 page, u64 round)
{
	return vm << 32 | page << 16 | round;
}

static void visit(u64 n, u64 round)
{
	u64 page, ipa;

	for (page = 0; page < PAGES; page++) {
		ipa = FREE_IPA + page * 4096;
		CHECK_EQ(poke_read(&vms[n], ipa, 8), value_of(n, page, round));
		poke_write(&vms[n], ipa, 8, value_of(n, page, round + 1));
	}
}

/* Each thread has half of the VMs, and goes from CPU to CPU with them. */
static void *visit_thread(void *arg)
{
	u64 first = (u64)arg, n, round;
	cpu_set_t set;

	for (round = 0; round < ROUNDS; round++) {
		CPU_ZERO(&set);
		CPU_SET((round / 2 + first) % sysconf(_SC_NPROCESSORS_ONLN), &set);
		REQUIRE_OK(sched_setaffinity(0, sizeof(set), &set));
		for (n = first; n < VMS; n += THREADS)
			visit(n, round);
	}
	return NULL;
}

static void vms_create(void)
{
	u64 n, page, word;

	for (n = 0; n < VMS; n++) {
		poke_create(&vms[n]);
		for (page = 0; page < PAGES; page++) {
			word = value_of(n, page, 0);
			memcpy(vm_ptr(&vms[n], FREE_IPA + page * 4096), &word, sizeof(word));
		}
	}
}

/* How often these VMs made numbers be handed out anew; in-tree KVM does not count it. */
static u64 rollovers(struct vm *of, int n)
{
	u64 sum = 0;
	int stats;

	while (n-- && kvm_is_keel()) {
		stats = kvm_stats_open(of[n].fd);
		sum += kvm_stat(stats, "vmid_rollover");
		close(stats);
	}
	return sum;
}

/* Number 0 is nobody's. */
static u64 vmids(void)
{
	return kvm_is_keel() ? (1ULL << keel_parameter("vmid_bits")) - 1 : ~0ULL;
}

static void check_rollovers(u64 seen, u64 n)
{
	ktap_note("%llu VMs, %llu rollovers", n, seen);
	if (n > vmids())
		CHECK(seen);
	else
		CHECK_EQ(seen, 0);
}

static void visit_all(void)
{
	pthread_t threads[THREADS];
	u64 i;

	for (i = 0; i < THREADS; i++)
		REQUIRE(!pthread_create(&threads[i], NULL, visit_thread, (void *)i));
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void in_turn(void)
{
	vms_create();
	visit_all();
	check_rollovers(rollovers(vms, VMS), VMS);
}

/* The same beside a VM that is always on some CPU, with four vCPUs that check what they read. */
static void beside_running(void)
{
	struct vm busy;
	void *mem = mmap(NULL, FAULT_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	REQUIRE(mem != MAP_FAILED);
	vm_create_guest(&busy, guest_stage2_faults, guest_stage2_faults_end, FAULT_CPUS);
	REQUIRE_OK(vm_memslot(&busy, 1, 0, FAULT_IPA, FAULT_SIZE, mem));
	vms_create();
	vm_start(&busy);
	visit_all();
	vm_stop(&busy);
	check_rollovers(rollovers(vms, VMS) + rollovers(&busy, 1), VMS + 1);
	vm_destroy(&busy);
}

/* VMs that come and go: a number is used again for another VM's memory. */
static void come_and_go(void)
{
	struct vm vm;
	u64 i;

	for (i = 0; i < 20; i++) {
		poke_create(&vm);
		CHECK_EQ(poke_read(&vm, FREE_IPA, 8), 0);
		poke_write(&vm, FREE_IPA, 8, i + 1);
		CHECK_EQ(poke_read(&vm, FREE_IPA, 8), i + 1);
		vm_destroy(&vm);
	}
}

/* All VMs at once, in turn; as many as 8 bits are too few for, where there are 8. */
static void more_than_vmids(void)
{
	u64 nr = vmids() > VMS && vmids() < MANY ? MANY : VMS, n, round;

	for (n = 0; n < nr; n++)
		poke_create(&vms[n]);
	for (round = 0; round < 2; round++) {
		for (n = 0; n < nr; n++) {
			CHECK_EQ(poke_read(&vms[n], FREE_IPA, 8), round ? n + 1 : 0);
			poke_write(&vms[n], FREE_IPA, 8, n + 1);
		}
	}
	check_rollovers(rollovers(vms, nr), nr);
}

static const struct ktap_case cases[] = {
	{ "in_turn", in_turn },
	{ "beside_running", beside_running },
	{ "come_and_go", come_and_go },
	{ "more_than_vmids", more_than_vmids },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
