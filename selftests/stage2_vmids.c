// SPDX-License-Identifier: GPL-2.0
/*
 * Many VMs in turn on the same CPUs, all with the same addresses and each with its own memory. With
 * few VMID bits (a parameter of keel's) numbers are handed out anew all the time.
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
#define ROUNDS	8
#define THREADS	2
#define PAGES	4

static struct vm vms[VMS];

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

static const struct ktap_case cases[] = {
	{ "in_turn", in_turn },
	{ "beside_running", beside_running },
	{ "come_and_go", come_and_go },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
