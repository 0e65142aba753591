/* SPDX-License-Identifier: GPL-2.0 */
/* A VM of the KVM ABI: memory, interrupts, the end of its life. */
#ifndef KEELRUN_VM_H
#define KEELRUN_VM_H

#include "bus.h"
#include "loop.h"
#include "util.h"

struct vcpu;

/**
 * enum vm_end - why a VM stops
 * @VM_RUNNING: it does not
 * @VM_OFF: the guest powered itself off
 * @VM_RESET: the guest asked for a reset
 * @VM_CRASH: the guest crashed, or the host cannot run it on; a message says why
 * @VM_QUIT: the user typed Ctrl-a x
 * @VM_SIGNAL: a signal asked keelrun to end
 */
enum vm_end {
	VM_RUNNING,
	VM_OFF,
	VM_RESET,
	VM_CRASH,
	VM_QUIT,
	VM_SIGNAL,
};

/**
 * struct vm - a VM from its creation to power-off or reset
 * @kvm_fd: the KVM node
 * @fd: the VM
 * @gic_fd: its vGICv3
 * @stop: an enum vm_end
 * @stop_event: readable once @stop is set
 * @ram: guest memory at RAM_BASE, 2 MB aligned
 * @ram_size: its bytes
 * @ram_map: what was mapped for it
 * @ram_map_size: its bytes
 * @vcpus: the vCPUs
 * @nr_vcpus: their number
 * @has_ioeventfd: KVM_IOEVENTFD works
 * @has_irqfd: KVM_IRQFD works
 * @has_perf: the guest has performance registers at PERF_BASE, KEEL_POWER_STRIDE a vCPU
 * @idle: idle states that the guest is told of, a bit for each of idle_states
 * @bus: the devices
 */
struct vm {
	int kvm_fd;
	int fd;
	int gic_fd;
	int stop;
	struct event_source stop_event;
	u8 *ram;
	u64 ram_size;
	void *ram_map;
	size_t ram_map_size;
	struct vcpu *vcpus;
	unsigned int nr_vcpus;
	bool has_ioeventfd;
	bool has_irqfd;
	bool has_perf;
	unsigned int idle;
	struct bus bus;
};

/**
 * vm_open_node() - open a KVM node and see that it is one keelrun can use, or die
 * @path: such as /dev/keel
 *
 * Return: its descriptor.
 */
int vm_open_node(const char *path);

/**
 * vm_create() - create a VM with memory, vCPUs and a vGICv3, or die
 * @vm: zeroed
 * @kvm_fd: from vm_open_node()
 * @cpus: number of vCPUs
 * @mem: bytes of memory, a multiple of 2 MB
 */
void vm_create(struct vm *vm, int kvm_fd, unsigned int cpus, u64 mem);

/**
 * vm_destroy() - give everything back
 * @vm: a VM whose vCPU threads have ended
 */
void vm_destroy(struct vm *vm);

/**
 * vm_stop() - let a VM end
 * @vm: the VM
 * @why: the first reason counts
 *
 * Any thread may call it; the main thread then ends the vCPU threads.
 */
void vm_stop(struct vm *vm, enum vm_end why);

/**
 * vm_ram() - find guest memory
 * @vm: the VM
 * @addr: guest-physical address
 * @len: bytes
 *
 * Return: where it is mapped; NULL unless all of it is guest memory.
 */
void *vm_ram(const struct vm *vm, u64 addr, u64 len);

/**
 * vm_irq_set() - drive a shared peripheral interrupt's line
 * @vm: the VM
 * @spi: counted from 0
 * @level: high or low
 */
void vm_irq_set(struct vm *vm, unsigned int spi, bool level);

/**
 * vm_add_irqfd() - let an eventfd raise an edge of a shared peripheral interrupt
 * @vm: the VM
 * @spi: counted from 0
 *
 * Return: the eventfd, -1 when the node has no KVM_IRQFD.
 */
int vm_add_irqfd(struct vm *vm, unsigned int spi);

/**
 * vm_add_ioeventfd() - let a guest's store signal an eventfd instead of leaving KVM_RUN
 * @vm: the VM
 * @addr: guest-physical address of a 32-bit register
 * @value: only a store of this value
 * @fd: the eventfd
 *
 * Without KVM_IOEVENTFD nothing happens: the store reaches the device by the bus.
 */
void vm_add_ioeventfd(struct vm *vm, u64 addr, u32 value, int fd);

#endif
