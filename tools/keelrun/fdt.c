// SPDX-License-Identifier: GPL-2.0
/*
 * The device tree, written in one pass by libfdt's sequential interface. Bindings: the kernel's
 * Documentation/devicetree/bindings.
 */
#include <endian.h>
#include <libfdt.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "fdt.h"
#include "layout.h"
#include "loader.h"
#include "power.h"
#include "vcpu.h"
#include "vm.h"

#define PHANDLE_GIC	1
#define PHANDLE_CLOCK	2
#define PHANDLE_IDLE	3	/* of the first idle state; the others follow */

#define GIC_SPI		0
#define GIC_PPI		1
#define IRQ_EDGE	1
#define IRQ_LEVEL	4

#define SERIAL_NODE	"/pl011@9000000"

struct tree {
	void *buf;
	int err;	/* the first error; libfdt goes on harmlessly after one */
};

static void note(struct tree *t, int err)
{
	if (err && !t->err)
		t->err = err;
}

static void node(struct tree *t, const char *name)
{
	note(t, fdt_begin_node(t->buf, name));
}

static void node_at(struct tree *t, const char *name, u64 addr)
{
	char full[64];

	snprintf(full, sizeof(full), "%s@%llx", name, (unsigned long long)addr);
	node(t, full);
}

static void end(struct tree *t)
{
	note(t, fdt_end_node(t->buf));
}

static void prop(struct tree *t, const char *name, const void *value, int len)
{
	note(t, fdt_property(t->buf, name, value, len));
}

static void prop_string(struct tree *t, const char *name, const char *value)
{
	prop(t, name, value, strlen(value) + 1);
}

static void prop_u32(struct tree *t, const char *name, u32 value)
{
	note(t, fdt_property_u32(t->buf, name, value));
}

static void prop_u64(struct tree *t, const char *name, u64 value)
{
	note(t, fdt_property_u64(t->buf, name, value));
}

static void prop_cells(struct tree *t, const char *name, const u32 *cells, unsigned int nr)
{
	u32 be[16];

	for (unsigned int i = 0; i < nr; i++)
		be[i] = htobe32(cells[i]);
	prop(t, name, be, nr * sizeof(be[0]));
}

#define PROP_CELLS(t, name, ...)						\
	prop_cells(t, name, (const u32[]) { __VA_ARGS__ },			\
		   sizeof((const u32[]) { __VA_ARGS__ }) / sizeof(u32))

static void prop_reg(struct tree *t, u64 addr, u64 size)
{
	PROP_CELLS(t, "reg", addr >> 32, addr, size >> 32, size);
}

static void random_bytes(void *buf, size_t len)
{
	if (getrandom(buf, len, 0) != (ssize_t)len)
		die("the host has no random numbers");
}

static void write_chosen(struct tree *t, const struct boot_layout *layout, const char *bootargs)
{
	u8 seed[64];
	u64 kaslr;

	random_bytes(seed, sizeof(seed));
	random_bytes(&kaslr, sizeof(kaslr));
	node(t, "chosen");
	prop_string(t, "bootargs", bootargs);
	prop_string(t, "stdout-path", SERIAL_NODE);
	prop(t, "rng-seed", seed, sizeof(seed));
	prop_u64(t, "kaslr-seed", kaslr);
	if (layout->initrd_size) {
		prop_u64(t, "linux,initrd-start", layout->initrd);
		prop_u64(t, "linux,initrd-end", layout->initrd + layout->initrd_size);
	}
	end(t);
}

/* In sysfs Linux shows the node's name; the binding wants the prefix. */
static void write_idle_state(struct tree *t, unsigned int index)
{
	const struct idle_state *s = &idle_states[index];
	char name[32];

	snprintf(name, sizeof(name), "cpu-%s", s->name);
	node(t, name);
	prop_string(t, "compatible", "arm,idle-state");
	prop_string(t, "idle-state-name", s->name);
	prop_u32(t, "arm,psci-suspend-param", s->id);
	prop_u32(t, "entry-latency-us", s->entry);
	prop_u32(t, "exit-latency-us", s->exit);
	prop_u32(t, "min-residency-us", s->residency);
	prop_u32(t, "phandle", PHANDLE_IDLE + index);
	end(t);
}

static void write_idle_states(struct tree *t, unsigned int idle)
{
	if (!idle)
		return;
	node(t, "idle-states");
	prop_string(t, "entry-method", "psci");
	for (unsigned int i = 0; i < NR_IDLE_STATES; i++)
		if (idle & 1U << i)
			write_idle_state(t, i);
	end(t);
}

static void write_cpu_idle_states(struct tree *t, unsigned int idle)
{
	u32 phandles[NR_IDLE_STATES];
	unsigned int nr = 0;

	for (unsigned int i = 0; i < NR_IDLE_STATES; i++)
		if (idle & 1U << i)
			phandles[nr++] = PHANDLE_IDLE + i;
	if (nr)
		prop_cells(t, "cpu-idle-states", phandles, nr);
}

static void write_cpus(struct tree *t, const struct vm *vm)
{
	node(t, "cpus");
	prop_u32(t, "#address-cells", 2);
	prop_u32(t, "#size-cells", 0);
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		u64 mpidr = vm->vcpus[i].mpidr;

		node_at(t, "cpu", mpidr);
		prop_string(t, "device_type", "cpu");
		prop_string(t, "compatible", "arm,armv8");
		prop_string(t, "enable-method", "psci");
		PROP_CELLS(t, "reg", mpidr >> 32, mpidr);
		write_cpu_idle_states(t, vm->idle);
		end(t);
	}
	write_idle_states(t, vm->idle);
	end(t);
}

static void write_memory(struct tree *t, const struct vm *vm)
{
	node_at(t, "memory", RAM_BASE);
	prop_string(t, "device_type", "memory");
	prop_reg(t, RAM_BASE, vm->ram_size);
	end(t);
}

static void write_psci(struct tree *t)
{
	static const char compatible[] = "arm,psci-1.0\0arm,psci-0.2";

	node(t, "psci");
	prop(t, "compatible", compatible, sizeof(compatible));
	prop_string(t, "method", "hvc");
	end(t);
}

static void write_gic(struct tree *t, const struct vm *vm)
{
	u64 redist_size = vm->nr_vcpus * GICR_SIZE_PER_CPU;

	node_at(t, "intc", GICD_BASE);
	prop_string(t, "compatible", "arm,gic-v3");
	prop(t, "interrupt-controller", NULL, 0);
	prop_u32(t, "#interrupt-cells", 3);
	PROP_CELLS(t, "reg", 0, GICD_BASE, 0, GICD_SIZE, 0, GICR_BASE, 0, redist_size);
	prop_u32(t, "phandle", PHANDLE_GIC);
	end(t);
}

static void write_timer(struct tree *t)
{
	node(t, "timer");
	prop_string(t, "compatible", "arm,armv8-timer");
	PROP_CELLS(t, "interrupts",
		   GIC_PPI, TIMER_SECURE_PPI, IRQ_LEVEL, GIC_PPI, TIMER_PHYS_PPI, IRQ_LEVEL,
		   GIC_PPI, TIMER_VIRT_PPI, IRQ_LEVEL, GIC_PPI, TIMER_HYP_PPI, IRQ_LEVEL);
	/* It counts on while a vCPU sleeps. */
	prop(t, "always-on", NULL, 0);
	end(t);
}

static void write_clock(struct tree *t)
{
	node(t, "apb-pclk");
	prop_string(t, "compatible", "fixed-clock");
	prop_u32(t, "#clock-cells", 0);
	prop_u32(t, "clock-frequency", 24000000);
	prop_u32(t, "phandle", PHANDLE_CLOCK);
	end(t);
}

static void write_pl011(struct tree *t)
{
	static const char compatible[] = "arm,pl011\0arm,primecell";
	static const char clocks[] = "uartclk\0apb_pclk";

	node_at(t, "pl011", PL011_BASE);
	prop(t, "compatible", compatible, sizeof(compatible));
	prop_reg(t, PL011_BASE, PL011_SIZE);
	PROP_CELLS(t, "interrupts", GIC_SPI, PL011_SPI, IRQ_LEVEL);
	PROP_CELLS(t, "clocks", PHANDLE_CLOCK, PHANDLE_CLOCK);
	prop(t, "clock-names", clocks, sizeof(clocks));
	end(t);
}

static void write_rtc(struct tree *t)
{
	static const char compatible[] = "arm,pl031\0arm,primecell";

	node_at(t, "pl031", RTC_BASE);
	prop(t, "compatible", compatible, sizeof(compatible));
	prop_reg(t, RTC_BASE, RTC_SIZE);
	PROP_CELLS(t, "interrupts", GIC_SPI, RTC_SPI, IRQ_LEVEL);
	PROP_CELLS(t, "clocks", PHANDLE_CLOCK);
	prop_string(t, "clock-names", "apb_pclk");
	end(t);
}

static void write_perf(struct tree *t, const struct vm *vm)
{
	if (!vm->has_perf)
		return;
	node_at(t, "cpufreq", PERF_BASE);
	prop_string(t, "compatible", "qemu,virtual-cpufreq");
	prop_reg(t, PERF_BASE, vm->nr_vcpus * (u64)KEEL_POWER_STRIDE);
	end(t);
}

static void write_virtio(struct tree *t, unsigned int index)
{
	u64 base = VIRTIO_BASE + index * VIRTIO_SIZE;

	node_at(t, "virtio_mmio", base);
	prop_string(t, "compatible", "virtio,mmio");
	prop_reg(t, base, VIRTIO_SIZE);
	PROP_CELLS(t, "interrupts", GIC_SPI, VIRTIO_SPI + index, IRQ_EDGE);
	prop(t, "dma-coherent", NULL, 0);
	end(t);
}

static void write_aliases(struct tree *t)
{
	node(t, "aliases");
	prop_string(t, "serial0", SERIAL_NODE);
	end(t);
}

static void write_root(struct tree *t, const struct vm *vm, const struct boot_layout *layout,
		       const char *bootargs, unsigned int nr_virtio)
{
	node(t, "");
	prop_string(t, "compatible", "linux,dummy-virt");
	prop_string(t, "model", "keelrun");
	prop_u32(t, "#address-cells", 2);
	prop_u32(t, "#size-cells", 2);
	prop_u32(t, "interrupt-parent", PHANDLE_GIC);
	write_aliases(t);
	write_chosen(t, layout, bootargs);
	write_memory(t, vm);
	write_cpus(t, vm);
	write_psci(t);
	write_timer(t);
	write_gic(t, vm);
	write_clock(t);
	write_pl011(t);
	write_rtc(t);
	write_perf(t, vm);
	for (unsigned int i = 0; i < nr_virtio; i++)
		write_virtio(t, i);
	end(t);
}

void fdt_write(const struct vm *vm, const struct boot_layout *layout, const char *bootargs,
	       unsigned int nr_virtio)
{
	struct tree t = { .buf = vm_ram(vm, layout->fdt, FDT_SPACE) };

	note(&t, fdt_create(t.buf, FDT_SPACE));
	note(&t, fdt_finish_reservemap(t.buf));
	write_root(&t, vm, layout, bootargs, nr_virtio);
	note(&t, fdt_finish(t.buf));
	if (t.err)
		die("cannot write the device tree: %s; use fewer --disk and --cpus",
		    fdt_strerror(t.err));
}
