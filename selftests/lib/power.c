// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "power.h"

GUEST_DECLARE(power);

/*
 * Waiting is done by short sleeps: a vCPU that has the lowest priority would get little beside a
 * thread that yields all the time.
 */

/* In the archive, so that only programs that use it have the guest. */
void power_create(struct vm *vm, int cpus)
{
	vm_create_guest(vm, guest_power, guest_power_end, cpus);
	vm_gic_create(vm, 64);
	memset(vm_ptr(vm, SHARED_IPA), 0, POWER_CPUS * sizeof(struct power_cpu));
}

struct power_cpu *power_cpu(struct vm *vm, int cpu)
{
	return (struct power_cpu *)vm_ptr(vm, SHARED_IPA) + cpu;
}

static void wait_alive(struct vm *vm, int cpu)
{
	while (!READ_ONCE(power_cpu(vm, cpu)->alive))
		usleep(100);
}

void power_start(struct vm *vm)
{
	int i;

	vm_start(vm);
	wait_alive(vm, 0);
	for (i = 1; i < vm->nr_vcpus; i++) {
		REQUIRE_EQ(power_tell(vm, 0, POWER_ON, i), 0);
		wait_alive(vm, i);
	}
}

void power_end(struct vm *vm)
{
	power_begin(vm, 0, POWER_END);
	vm_wait(vm);
	vm_destroy(vm);
}

void power_begin_args(struct vm *vm, int cpu, const struct power_args *args)
{
	struct power_cpu *c = power_cpu(vm, cpu);

	memcpy(c->arg, args->arg, sizeof(c->arg));
	__atomic_store_n(&c->command, args->command, __ATOMIC_RELEASE);
}

u64 power_wait(struct vm *vm, int cpu)
{
	struct power_cpu *c = power_cpu(vm, cpu);

	while (__atomic_load_n(&c->command, __ATOMIC_ACQUIRE))
		usleep(100);
	return c->result;
}

int power_ioctl(int fd, unsigned long nr, void *arg)
{
	return ioctl(fd, nr, arg) ? -errno : 0;
}

void power_policy(struct vm *vm, u32 policy, u32 min, u32 max)
{
	struct keel_power p = {
		.size = sizeof(p), .set = KEEL_POWER_SET_POLICY | KEEL_POWER_SET_RANGE,
		.policy = policy, .min = min, .max = max,
	};

	REQUIRE_EQ(power_ioctl(vm->fd, KEEL_POWER, &p), 0);
}

void power_page_add(struct vm *vm, u32 layout)
{
	struct keel_power_page page = {
		.size = sizeof(page), .ipa = POWER_IPA, .layout = layout,
		.nr_vcpus = POWER_CPUS, .nr_levels = 4,
	};
	static const u32 khz[] = { 500000, 1000000, 1500000, 2000000 };
	static const u32 cppc[] = { 100, 200, 800, 1000 };

	memcpy(page.level, layout == KEEL_POWER_PAGE_CPPC ? cppc : khz, sizeof(khz));
	REQUIRE_EQ(power_ioctl(vm->fd, KEEL_POWER_PAGE, &page), 0);
}

void power_states_add(struct vm *vm)
{
	struct keel_power_states states = {
		.size = sizeof(states), .nr = 2,
		.state = {
			{ .id = POWER_SHALLOW, .latency = 50, .residency = 100,
			  .name = "standby" },
			{ .id = POWER_DEEP, .flags = KEEL_POWER_STATE_DEEP, .latency = 1000,
			  .residency = 2000, .name = "off" },
		},
	};

	REQUIRE_EQ(power_ioctl(vm->fd, KEEL_POWER_STATES, &states), 0);
}

struct keel_power_vcpu power_look(struct vm *vm, int cpu)
{
	struct keel_power_vcpu v = { .size = sizeof(v), .vcpu = cpu };

	REQUIRE_EQ(power_ioctl(vm->fd, KEEL_POWER_VCPU, &v), 0);
	return v;
}
