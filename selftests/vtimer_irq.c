// SPDX-License-Identifier: GPL-2.0
/* Timer interrupts, also of two VMs that share one CPU. */
#include <sched.h>
#include <unistd.h>

#include "guests/vtimer_irq.h"
#include "lib/vm.h"

GUEST_DECLARE(vtimer_irq);

static void start(struct vm *vm, u64 part)
{
	vm_create_guest(vm, guest_vtimer_irq, guest_vtimer_irq_end, 1);
	vm_gic_create(vm, 64);
	vcpu_set(&vm->vcpus[0], REG_X(0), part);
}

static void run_part(u64 part)
{
	struct vm vm;

	start(&vm, part);
	CHECK_EQ(vcpu_run_done(&vm.vcpus[0]), 0);
	vm_destroy(&vm);
}

static void registers(void)
{
	run_part(PART_REGISTERS);
}

static void virtual_timer(void)
{
	run_part(PART_VIRTUAL);
}

static void physical_timer(void)
{
	run_part(PART_PHYSICAL);
}

static void wfi(void)
{
	run_part(PART_WFI);
}

static void masked(void)
{
	run_part(PART_MASKED);
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	REQUIRE_OK(sched_setaffinity(0, sizeof(set), &set));
}

/* The threads inherit the CPU; each VM's timer is put and loaded around the other's. */
static void two_vms_one_cpu(void)
{
	struct vm vm[2];
	int i;

	pin(0);
	for (i = 0; i < 2; i++)
		start(&vm[i], PART_BUSY);
	for (i = 0; i < 2; i++)
		vm_start(&vm[i]);
	for (i = 0; i < 2; i++)
		CHECK_EQ(vm_wait(&vm[i]), 0);
	for (i = 0; i < 2; i++)
		vm_destroy(&vm[i]);
}

/* One that is not done with its timer's interrupt leaves the CPU to another. */
static void held_active(void)
{
	struct vm vm;

	pin(0);
	start(&vm, PART_HELD);
	vcpu_run_sync(&vm.vcpus[0]);
	run_part(PART_VIRTUAL);
	CHECK_EQ(vcpu_run_done(&vm.vcpus[0]), 0);
	vm_destroy(&vm);
}

struct mover {
	bool stop;
	u64 moves;
};

static void *move_thread(void *arg)
{
	struct mover *m = arg;

	while (!READ_ONCE(m->stop)) {
		pin(m->moves++ % sysconf(_SC_NPROCESSORS_ONLN));
		sched_yield();
	}
	return NULL;
}

/* Three VMs on all CPUs beside a thread that keeps changing places: vCPUs are moved and put. */
static void migration(void)
{
	struct mover m = { false, 0 };
	pthread_t thread;
	struct vm vm[3];
	int i;

	for (i = 0; i < 3; i++)
		start(&vm[i], PART_BUSY);
	REQUIRE(!pthread_create(&thread, NULL, move_thread, &m));
	for (i = 0; i < 3; i++)
		vm_start(&vm[i]);
	for (i = 0; i < 3; i++)
		CHECK_EQ(vm_wait(&vm[i]), 0);
	WRITE_ONCE(m.stop, true);
	pthread_join(thread, NULL);
	for (i = 0; i < 3; i++)
		vm_destroy(&vm[i]);
}

static const struct ktap_case cases[] = {
	{ "registers", registers },
	{ "virtual_timer", virtual_timer },
	{ "physical_timer", physical_timer },
	{ "wfi", wfi },
	{ "masked", masked },
	{ "two_vms_one_cpu", two_vms_one_cpu },
	{ "held_active", held_active },
	{ "migration", migration },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
