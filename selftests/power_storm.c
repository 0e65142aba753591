// SPDX-License-Identifier: GPL-2.0
/*
 * Guests that write all there is to their performance registers from every vCPU, sleep in all ways
 * and switch vCPUs off and on, while the host changes how they are treated and looks at them; and
 * VMMs of such guests that are killed. Nothing of it may be seen but in the figures.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/observer.h"
#include "lib/power.h"
#include "lib/soak.h"

#define FULL	KEEL_POWER_FULL
#define SEED	20261129

static struct vm vm;
static int over;
static u64 settings, looks;

static bool is_over(void)
{
	return __atomic_load_n(&over, __ATOMIC_RELAXED);
}

/* Any setting at any moment. */
static void *change_settings(void *arg)
{
	unsigned int seed = *(unsigned int *)arg;
	struct keel_power p;

	while (!is_over()) {
		/* Not so little that the guest takes for ever. */
		u32 max = FULL / 8 + rand_r(&seed) % (FULL - FULL / 8 + 1);

		p = (struct keel_power){
			.size = sizeof(p), .set = rand_r(&seed) % 4,
			.policy = rand_r(&seed) % 3, .min = rand_r(&seed) % max, .max = max,
		};
		CHECK_EQ(power_ioctl(vm.fd, KEEL_POWER, &p), 0);
		settings++;
		usleep(rand_r(&seed) % 3000);
	}
	return NULL;
}

/* What it says makes sense at any moment. */
static void *look(void *arg)
{
	int fd = *(int *)arg;
	struct keel_power_vcpu v;

	while (!is_over()) {
		u32 id = looks++ % POWER_CPUS;

		v = (struct keel_power_vcpu){ .size = sizeof(v), .vcpu = id };
		CHECK_EQ(power_ioctl(fd, KEEL_POWER_VCPU, &v), 0);
		CHECK(v.asked == KEEL_POWER_UNASKED || (v.asked && v.asked <= FULL));
		CHECK(v.target && v.target <= FULL);
		CHECK(v.delivered <= FULL);
		CHECK(v.state < KEEL_POWER_NR_SLEEPS);
		CHECK(v.nice >= -20 && v.nice <= 19);
		usleep(500);
	}
	return NULL;
}

/* A round of the guest: one CPU sleeps and goes, the others write. */
static void storm_round(unsigned int *seed)
{
	static const u64 states[] = { POWER_SHALLOW, POWER_DEEP, 0, 3 };
	int cpu = 1 + rand_r(seed) % (POWER_CPUS - 1), i;

	for (i = 0; i < POWER_CPUS; i++) {
		if (i == cpu)
			continue;
		if (i & 1)
			power_begin(&vm, i, POWER_FLIP, 2000, POWER_IPA + 0x1000 * i + 4, 1,
				    rand_r(seed));
		else
			power_begin(&vm, i, POWER_FLOOD, 1000, rand_r(seed) | 1);
	}
	power_tell(&vm, cpu, POWER_SUSPEND, 0xc4000001, states[rand_r(seed) % 4], 200);
	power_tell(&vm, cpu, POWER_WFI, 100);
	power_tell(&vm, cpu, POWER_OFF);
	for (i = 0; i < POWER_CPUS; i++)
		power_wait(&vm, i);
	WRITE_ONCE(power_cpu(&vm, cpu)->alive, 0);
	/* It may take a moment until it is off: "already on". */
	while (power_tell(&vm, 0, POWER_ON, cpu))
		;
	while (!READ_ONCE(power_cpu(&vm, cpu)->alive))
		usleep(100);
}

static void storm(void)
{
	pthread_t changer, looker;
	unsigned int seed = SEED, other = SEED + 1;
	int rounds = soak_rounds(300, 20000), i, fd;

	power_create(&vm, POWER_CPUS);
	power_page_add(&vm, KEEL_POWER_PAGE_CPUFREQ);
	power_states_add(&vm);
	power_start(&vm);
	fd = observe_last();
	REQUIRE(!pthread_create(&changer, NULL, change_settings, &other));
	REQUIRE(!pthread_create(&looker, NULL, look, &fd));
	for (i = 0; i < rounds && !soak_enough(i, 5, 8); i++)
		storm_round(&seed);
	__atomic_store_n(&over, 1, __ATOMIC_RELAXED);
	pthread_join(changer, NULL);
	pthread_join(looker, NULL);
	ktap_note("rounds %d, settings %llu, looks %llu", i, settings, looks);
	power_policy(&vm, KEEL_POWER_OFF, 0, FULL);
	power_end(&vm);
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 0);
	close(fd);
}

/* --- killed --- */

static int *steps;

static void vmm(void)
{
	unsigned int seed = getpid();

	for (;;) {
		power_create(&vm, POWER_CPUS);
		__atomic_add_fetch(steps, 1, __ATOMIC_RELAXED);
		power_page_add(&vm, KEEL_POWER_PAGE_CPPC);
		power_states_add(&vm);
		power_policy(&vm, seed % 3, 0, FULL / (1 + seed % 5));
		__atomic_add_fetch(steps, 1, __ATOMIC_RELAXED);
		power_start(&vm);
		__atomic_add_fetch(steps, 1, __ATOMIC_RELAXED);
		storm_round(&seed);
		__atomic_add_fetch(steps, 1, __ATOMIC_RELAXED);
		power_policy(&vm, ++seed % 3, 0, FULL);
		power_end(&vm);
	}
}

static void killed(void)
{
	int rounds = soak_rounds(20, 500), i, status;
	pid_t pid;

	steps = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(steps != MAP_FAILED);
	srandom(SEED);
	for (i = 0; i < rounds && !soak_enough(i, 5, 10); i++) {
		*steps = 0;
		pid = fork();
		if (!pid)
			vmm();
		while (__atomic_load_n(steps, __ATOMIC_RELAXED) < i % 8 &&
		       !waitpid(pid, &status, WNOHANG))
			usleep(100);
		usleep(random() % 2000);
		kill(pid, SIGKILL);
		REQUIRE_EQ(waitpid(pid, &status, 0), pid);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	}
	ktap_note("VMMs killed: %d", i);
}

static const struct ktap_case cases[] = {
	{ "storm", storm },
	{ "killed", killed },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
