// SPDX-License-Identifier: GPL-2.0
/* Interrupts through the vGICv3: the guest asks for lines by SYNC and checks what it gets. */
#include <sched.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guests/vgic_irqs.h"
#include "lib/vm.h"

GUEST_DECLARE(vgic_irqs);

static int irq_event = -1;

static void spi(struct vm *vm, u32 intid, int level)
{
	REQUIRE_OK(vm_irq_line(vm, KVM_ARM_IRQ_TYPE_SPI, 0, intid, level));
}

static void ppi(struct vm *vm, u32 intid, int level)
{
	REQUIRE_OK(vm_irq_line(vm, KVM_ARM_IRQ_TYPE_PPI, 0, intid, level));
}

static void irq_event_write(void)
{
	u64 one = 1;

	REQUIRE_EQ(write(irq_event, &one, sizeof(one)), sizeof(one));
}

/* A thread of the vCPU's VM sleeps in the kernel when its state in /proc is S. */
static bool thread_sleeps(pid_t tid)
{
	char path[64], state = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	f = fopen(path, "r");
	if (!f)
		return false;
	if (fscanf(f, "%*d %*s %c", &state) != 1)
		state = 0;
	fclose(f);
	return state == 'S';
}

struct later {
	struct vm *vm;
	pid_t tid;
	u32 intid;
};

static void *later_thread(void *arg)
{
	struct later *l = arg;

	while (!thread_sleeps(l->tid))
		sched_yield();
	spi(l->vm, l->intid, 1);
	spi(l->vm, l->intid, 0);
	return NULL;
}

static pthread_t later_id;
static bool later_runs;

/* It lowers the line after the guest has its interrupt, so it may outlast the guest. */
static void later_end(void)
{
	if (later_runs)
		pthread_join(later_id, NULL);
	later_runs = false;
}

static void pulse_later(struct vm *vm, u32 intid)
{
	static struct later later;

	later_end();
	later = (struct later){ vm, syscall(SYS_gettid), intid };
	REQUIRE(!pthread_create(&later_id, NULL, later_thread, &later));
	later_runs = true;
}

static void answer(struct vcpu *vcpu, u64 value)
{
	struct vm *vm = vcpu->vm;
	u32 intid = value & 0xffff;

	switch (value & 0xff0000) {
	case ASK_RAISE:
		return spi(vm, intid, 1);
	case ASK_LOWER:
		return spi(vm, intid, 0);
	case ASK_PULSE:
		spi(vm, intid, 1);
		return spi(vm, intid, 0);
	case ASK_PPI_RAISE:
		return ppi(vm, intid, 1);
	case ASK_PPI_LOWER:
		return ppi(vm, intid, 0);
	case ASK_EVENT:
		return irq_event_write();
	case ASK_LATER:
		return pulse_later(vm, intid);
	default:
		ktap_fail("the guest asks for %#llx", value);
	}
}

static void run_part(u64 part, int nr_vcpus)
{
	struct vm vm;

	vm_create_guest(&vm, guest_vgic_irqs, guest_vgic_irqs_end, nr_vcpus);
	vm_gic_create(&vm, NR_IRQS);
	vcpu_set(&vm.vcpus[0], REG_X(0), part);
	vm.sync = answer;
	if (part == PART_IRQFD) {
		struct kvm_irqfd irqfd = { .gsi = SPI - 32 };

		irq_event = eventfd(0, EFD_NONBLOCK);
		irqfd.fd = irq_event;
		REQUIRE_OK(ioctl(vm.fd, KVM_IRQFD, &irqfd));
	}
	vm_start(&vm);
	CHECK_EQ(vm_wait(&vm), 0);
	later_end();
	vm_destroy(&vm);
}

#define PART(name, part, nr_vcpus)		\
	static void name(void)			\
	{					\
		run_part(part, nr_vcpus);	\
	}

PART(level, PART_LEVEL, 1)
PART(edge, PART_EDGE, 1)
PART(private, PART_PPI, 1)
PART(sgi, PART_SGI, 2)
PART(priority, PART_PRIORITY, 1)
PART(many_pending, PART_MANY, 1)
PART(registers, PART_REGISTERS, 1)
PART(eoimode, PART_EOIMODE, 1)
PART(sweep, PART_SWEEP, 2)
PART(route, PART_ROUTE, 2)
PART(wake_from_wfi, PART_WAKE, 1)
PART(irqfd, PART_IRQFD, 1)
PART(nested, PART_NESTED, 1)

/* In-tree KVM does not look at a pending interrupt again when its target becomes a good one. */
static void stray_target(void)
{
	if (kvm_is_keel())
		run_part(PART_STRAY, 1);
}

static const struct ktap_case cases[] = {
	{ "level", level },
	{ "edge", edge },
	{ "private", private },
	{ "sgi", sgi },
	{ "priority", priority },
	{ "many_pending", many_pending },
	{ "registers", registers },
	{ "eoimode", eoimode },
	{ "sweep", sweep },
	{ "route", route },
	{ "stray_target", stray_target },
	{ "wake_from_wfi", wake_from_wfi },
	{ "irqfd", irqfd },
	{ "nested", nested },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
