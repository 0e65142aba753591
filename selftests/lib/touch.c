// SPDX-License-Identifier: GPL-2.0
/* Driving the guest that goes through memory. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "touch.h"

GUEST_DECLARE(touch);

#define PAGE	4096

void touch_destroy(struct touch_vm *t)
{
	if (t->stats >= 0) {
		close(t->stats);
		close(t->vm_stats);
	}
	vm_destroy(&t->vm);
}

void touch_slot(struct touch_vm *t, u64 offset, void *mem, u64 size)
{
	REQUIRE_OK(vm_memslot(&t->vm, 1, 0, TOUCH_IPA + offset, size, mem));
}

static void cost_take(struct touch_vm *t, struct touch_cost *cost)
{
	if (t->stats < 0)
		return;
	cost->faults = kvm_stat(t->stats, "exit_dabt") + kvm_stat(t->stats, "exit_iabt");
	cost->maps = kvm_stat(t->stats, "stage2_fault");
	cost->blocks = kvm_stat(t->stats, "stage2_block");
	cost->cleaned = kvm_stat(t->stats, "cache_clean");
	cost->flushes = kvm_stat(t->stats, "tlb_flush_local") +
			kvm_stat(t->vm_stats, "remote_tlb_flush") +
			kvm_stat(t->vm_stats, "vmid_rollover");
}

static void cost_spent(struct touch_vm *t)
{
	struct touch_cost now = {};

	cost_take(t, &now);
	/* The report that ends a command is a fault, too. */
	t->spent.faults = now.faults - t->before.faults - 1;
	t->spent.maps = now.maps - t->before.maps;
	t->spent.blocks = now.blocks - t->before.blocks;
	t->spent.cleaned = now.cleaned - t->before.cleaned;
	t->spent.flushes = now.flushes - t->before.flushes;
}

u64 touch_run(struct touch_vm *t, const struct touch *cmd)
{
	struct touch *shared = vm_ptr(&t->vm, SHARED_IPA);

	*shared = *cmd;
	cost_take(t, &t->before);
	vcpu_run_sync(&t->vm.vcpus[0]);
	cost_spent(t);
	return shared->bad;
}

void touch_create(struct touch_vm *t, unsigned long type)
{
	memset(t, 0, sizeof(*t));
	vm_create_type(&t->vm, type);
	vm_add_guest(&t->vm, guest_touch, guest_touch_end, 1);
	t->stats = -1;
	if (kvm_is_keel()) {
		t->stats = kvm_stats_open(t->vm.vcpus[0].fd);
		t->vm_stats = kvm_stats_open(t->vm.fd);
	}
	/* Costs are to be those of the memory: the guest's own is there, and stays as it is. */
	REQUIRE_OK(madvise(t->vm.ram, RAM_SIZE, MADV_NOHUGEPAGE));
	vcpu_run_sync(&t->vm.vcpus[0]);
	touch_run(t, &(struct touch) { TOUCH_WRITE, FREE_IPA, PAGE, PAGE, 0, 0 });
	touch_run(t, &(struct touch) { TOUCH_CHECK, FREE_IPA, PAGE, PAGE, 0, 0 });
}

bool touch(struct touch_vm *t, u64 op, u64 offset, u64 size, u64 value)
{
	struct touch cmd = {
		.op = op,
		.addr = TOUCH_IPA + offset,
		.size = size,
		.step = PAGE,
		.value = value,
	};

	return CHECK_EQ(touch_run(t, &cmd), 0);
}

void touch_turn(struct touch_vm *t, u64 offset, u64 size, u64 value)
{
	struct touch cmd = {
		.op = TOUCH_TURN,
		.addr = TOUCH_IPA + offset,
		.size = size,
		.step = PAGE,
		.value = value,
	};

	memcpy(vm_ptr(&t->vm, SHARED_IPA), &cmd, sizeof(cmd));
	vm_start(&t->vm);
}

u64 touch_turned(struct touch_vm *t)
{
	return READ_ONCE(((struct touch *)vm_ptr(&t->vm, SHARED_IPA))->bad);
}

void touch_stop(struct touch_vm *t)
{
	vm_stop(&t->vm);
}
