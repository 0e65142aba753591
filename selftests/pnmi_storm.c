// SPDX-License-Identifier: GPL-2.0
/*
 * Doorbells from all sides at once: the CPUs of a guest send SGIs to each other without pause, the
 * host SPIs by irqfd and KVM_IRQ_LINE, while the vCPUs' threads move from CPU to CPU and are called
 * out of the guest. Each interrupt waits for the one before it from the same source, so none may
 * get lost and none may come twice (guests/pnmi_storm.c). Wants a host with four CPUs.
 */
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "guests/pnmi_storm.h"
#include "lib/soak.h"
#include "lib/vm.h"

GUEST_DECLARE(pnmi_storm);

#define SEED	20261122

static void storm_start(struct vm *vm, u64 part, u64 timers, int cpus)
{
	vm_create_guest(vm, guest_pnmi_storm, guest_pnmi_storm_end, cpus);
	vm_gic_create(vm, 64);
	vcpu_set(&vm->vcpus[0], REG_X(0), STORM_ARG(part, timers, cpus));
	vm_start(vm);
}

static void storm_end(struct vm *vm)
{
	vm_stop(vm);
	vm_destroy(vm);
}

/* This thread is not one among all those of the vCPUs. */
static void stay_ahead(void)
{
	struct sched_param param = { .sched_priority = 1 };

	REQUIRE_OK(sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param));
}

/* --- the balls --- */

/* So many times the other balls may fly before one that does not counts as lost. */
#define LOST_AFTER	100000

static u64 all_sent(const struct storm *s)
{
	u64 sum = 0;
	int i, j;

	for (i = 0; i < STORM_MAX_CPUS; i++)
		for (j = 0; j < STORM_MAX_CPUS; j++)
			sum += READ_ONCE(s->sent[i][j]);
	return sum;
}

/* Each CPU has had each ball since @before, and its timer has come. */
static void all_played(struct vm *vm, const struct storm *before, bool timers)
{
	struct storm *s = vm_ptr(vm, SHARED_IPA);
	int i, j, n = vm->nr_vcpus;

	for (i = 0; i < n; i++) {
		for (j = 0; j < n; j++) {
			while (i != j && READ_ONCE(s->sent[i][j]) == before->sent[i][j]) {
				usleep(1000);
				if (all_sent(s) - all_sent(before) > LOST_AFTER)
					ktap_fail("the ball of vCPUs %d and %d is lost", i, j);
			}
		}
		while (timers && READ_ONCE(s->timer[i]) == before->timer[i])
			usleep(1000);
	}
}

static void play_rounds(struct vm *vm, int rounds, int least, bool timers,
			void (*disturb)(struct vm *vm))
{
	struct storm before;
	int i;

	for (i = 0; i < rounds && !soak_enough(i, least, 6); i++) {
		memcpy(&before, vm_ptr(vm, SHARED_IPA), sizeof(before));
		disturb(vm);
		all_played(vm, &before, timers);
	}
	ktap_note("%d times to and fro at least, %llu SGIs", i, all_sent(vm_ptr(vm, SHARED_IPA)));
}

static void nothing(struct vm *vm __always_unused)
{
}

/* Nothing but SGIs: half of the vCPUs sleep, half spin, and nothing else brings either back. */
static void balls(void)
{
	struct vm vm;

	stay_ahead();
	storm_start(&vm, STORM_BALLS, false, 4);
	play_rounds(&vm, soak_rounds(200, 20000), 20, false, nothing);
	storm_end(&vm);
}

/* --- and all at once --- */

static struct vm *spi_vm;
static bool spi_stop;
static u64 spi_sent[STORM_SPIS];

static void spi_send(int i, int event)
{
	u32 intid = STORM_FIRST_SPI + i;
	u64 one = 1;

	if (event >= 0) {
		REQUIRE_EQ(write(event, &one, sizeof(one)), sizeof(one));
		return;
	}
	REQUIRE_OK(vm_irq_line(spi_vm, KVM_ARM_IRQ_TYPE_SPI, 0, intid, 1));
	REQUIRE_OK(vm_irq_line(spi_vm, KVM_ARM_IRQ_TYPE_SPI, 0, intid, 0));
}

static int spi_event(int i)
{
	struct kvm_irqfd irqfd = { .gsi = STORM_FIRST_SPI + i - 32 };

	irqfd.fd = eventfd(0, EFD_NONBLOCK);
	REQUIRE_OK(irqfd.fd);
	REQUIRE_OK(ioctl(spi_vm->fd, KVM_IRQFD, &irqfd));
	return irqfd.fd;
}

/* The even ones by irqfd. Each waits for the guest to have had the one before. */
static void *spi_thread(void *arg)
{
	int i = (long)arg, event = i % 2 ? -1 : spi_event(i);
	struct storm *s = vm_ptr(spi_vm, SHARED_IPA);

	while (!READ_ONCE(spi_stop)) {
		spi_send(i, event);
		spi_sent[i]++;
		while (READ_ONCE(s->spi[i]) < spi_sent[i])
			usleep(50);
		REQUIRE_EQ(READ_ONCE(s->spi[i]), spi_sent[i]);
	}
	return NULL;
}

static void bind(pthread_t thread, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	REQUIRE_EQ(pthread_setaffinity_np(thread, sizeof(set), &set), 0);
}

static int nr_cpus(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN);
}

/* Some vCPU's thread has to go to another CPU, or out of the guest. */
static void disturb(struct vm *vm)
{
	int i;

	for (i = 0; i < 4; i++) {
		bind(vm->vcpus[random() % vm->nr_vcpus].thread, random() % nr_cpus());
		REQUIRE_EQ(pthread_kill(vm->vcpus[random() % vm->nr_vcpus].thread, SIGUSR1), 0);
	}
}

static void all_at_once(void)
{
	static const struct storm none;
	pthread_t threads[STORM_SPIS];
	u64 sent = 0;
	struct vm vm;
	long i;

	stay_ahead();
	srandom(SEED);
	spi_vm = &vm;
	storm_start(&vm, STORM_BALLS, true, 6);
	/* The SPIs are set up by then. */
	all_played(&vm, &none, true);
	for (i = 0; i < STORM_SPIS; i++)
		REQUIRE(!pthread_create(&threads[i], NULL, spi_thread, (void *)i));
	play_rounds(&vm, soak_rounds(500, 20000), 20, true, disturb);
	WRITE_ONCE(spi_stop, true);
	for (i = 0; i < STORM_SPIS; i++) {
		pthread_join(threads[i], NULL);
		REQUIRE(spi_sent[i]);
		sent += spi_sent[i];
	}
	storm_end(&vm);
	ktap_note("%llu SPIs, seed %d", sent, SEED);
}

/* --- a flood is the guest's own trouble --- */

static u64 now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ULL + t.tv_nsec / 1000;
}

/* How late a sleep of 1 ms ends at worst. */
static u64 latest_us(int times)
{
	struct timespec ms = { .tv_nsec = 1000000 };
	u64 start, late, worst = 0;
	int i;

	for (i = 0; i < times && !soak_enough(i, 20, 3); i++) {
		start = now_us();
		REQUIRE(!clock_nanosleep(CLOCK_MONOTONIC, 0, &ms, NULL));
		late = now_us() - start - 1000;
		worst = late > worst ? late : worst;
	}
	return worst;
}

/*
 * Seven vCPUs ring one without pause. On its CPU the host goes on: its timer still comes there, and
 * gets a thread of the host's to run.
 */
static void flood(void)
{
	int times = soak_rounds(500, 20000), i;
	u64 idle, busy, sent;
	struct storm *s;
	struct vm vm;

	stay_ahead();
	bind(pthread_self(), 0);
	idle = latest_us(times);
	storm_start(&vm, STORM_FLOOD, false, STORM_MAX_CPUS);
	for (i = 0; i < STORM_MAX_CPUS; i++)
		bind(vm.vcpus[i].thread, i ? 1 + i % (nr_cpus() - 1) : 0);
	s = vm_ptr(&vm, SHARED_IPA);
	while (!all_sent(s))
		usleep(1000);
	sent = all_sent(s);
	busy = latest_us(times);
	CHECK(all_sent(s) > sent);
	ktap_note("%llu SGIs; a sleep of 1 ms ends %llu us late at worst, %llu without the guest",
		  all_sent(s) - sent, busy, idle);
	storm_end(&vm);
}

static const struct ktap_case cases[] = {
	{ "balls", balls },
	{ "all_at_once", all_at_once },
	{ "flood", flood },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
