// SPDX-License-Identifier: GPL-2.0
/*
 * The machine: a VM with its devices and what it boots.
 *
 * Threads: each vCPU has one; the main thread runs the event loop (terminal, virtio queues, clock).
 * A device has a lock. Lock order: a device's lock, then the terminal's.
 */
#include <unistd.h>

#include "fdt.h"
#include "instructions.h"
#include "machine.h"
#include "pl011.h"
#include "rtc.h"
#include "stats.h"
#include "terminal.h"
#include "vcpu.h"
#include "virtio-console.h"

struct machine {
	struct vm vm;
	struct event_source signal;
	struct pl011 *serial;
	struct rtc *rtc;
	struct virtio_blk *disks[MAX_VIRTIO];
	struct virtio_console *console;
};

static void signal_ready(struct event_source *src)
{
	/* Left unread: main() looks which signal it was. */
	vm_stop(&container_of(src, struct machine, signal)->vm, VM_SIGNAL);
}

static void stop_ready(struct event_source *src)
{
	/* vm->stop is set: the event loop ends. */
	(void)src;
}

/* Return: the number of virtio devices. */
static unsigned int create_devices(struct machine *m, const struct machine_config *cfg)
{
	unsigned int index = 0;

	m->serial = pl011_create(&m->vm);
	m->rtc = rtc_create(&m->vm);
	for (; index < cfg->nr_disks; index++)
		m->disks[index] = virtio_blk_create(&m->vm, &cfg->disks[index], index);
	if (!cfg->virtio_console) {
		terminal_attach(&m->vm, pl011_input, m->serial);
		return index;
	}
	m->console = virtio_console_create(&m->vm, index++);
	terminal_attach(&m->vm, virtio_console_input, m->console);
	return index;
}

static void destroy_devices(struct machine *m, const struct machine_config *cfg)
{
	terminal_attach(NULL, NULL, NULL);
	if (m->console)
		virtio_console_destroy(m->console);
	for (unsigned int i = 0; i < cfg->nr_disks; i++)
		virtio_blk_destroy(m->disks[i]);
	rtc_destroy(m->rtc);
	pl011_destroy(m->serial);
}

enum vm_end machine_run(struct machine_config *cfg, int kvm_fd, const struct boot_layout *layout,
			int signal_fd)
{
	struct machine m = {
		.signal = { .fd = signal_fd, .ready = signal_ready },
	};
	struct vm *vm = &m.vm;
	unsigned int nr_virtio;

	vm_create(vm, kvm_fd, cfg->cpus, cfg->mem);
	power_create(vm, &cfg->power, cfg->node);
	vm->stop_event.ready = stop_ready;
	if (!loop_add(&vm->stop_event) || !loop_add(&m.signal))
		die("cannot watch a descriptor");
	nr_virtio = create_devices(&m, cfg);
	loader_load(vm, &cfg->kernel, &cfg->initrd, layout);
	fdt_write(vm, layout, cfg->append, nr_virtio);

	if (cfg->stats)
		instructions_start();
	vcpus_start(vm, layout->entry, layout->fdt);
	loop_run(&vm->stop);
	if (cfg->stats)
		instructions_stop();
	vcpus_join(vm);

	if (cfg->stats) {
		stats_print(vm);
		instructions_print();
	}
	destroy_devices(&m, cfg);
	loop_remove(&m.signal);
	vm_destroy(vm);
	return vm->stop;
}
