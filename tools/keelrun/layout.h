/* SPDX-License-Identifier: GPL-2.0 */
/* The guest's memory map and interrupts: those of QEMU's "virt" machine. */
#ifndef KEELRUN_LAYOUT_H
#define KEELRUN_LAYOUT_H

#define GICD_BASE		0x08000000ULL
#define GICD_SIZE		0x10000ULL
#define GICR_BASE		0x080a0000ULL
#define GICR_SIZE_PER_CPU	0x20000ULL
#define PL011_BASE		0x09000000ULL
#define PL011_SIZE		0x1000ULL
#define RTC_BASE		0x09010000ULL
#define RTC_SIZE		0x1000ULL
#define VIRTIO_BASE		0x0a000000ULL
#define VIRTIO_SIZE		0x200ULL
/* Between QEMU's virtio-mmio transports and its platform bus */
#define PERF_BASE		0x0b000000ULL
#define RAM_BASE		0x40000000ULL

/* Shared peripheral interrupts, counted from 0 (INTID 32). */
#define PL011_SPI		1
#define RTC_SPI			2
#define VIRTIO_SPI		16

/* Private peripheral interrupts of the generic timer, counted from 0 (INTID 16). */
#define TIMER_SECURE_PPI	13
#define TIMER_PHYS_PPI		14
#define TIMER_VIRT_PPI		11
#define TIMER_HYP_PPI		10

#define MAX_VIRTIO		32
/* The redistributors lie between GICR_BASE and the PL011. */
#define MAX_CPUS		((PL011_BASE - GICR_BASE) / GICR_SIZE_PER_CPU)
/* Interrupts of the distributor, the 32 private ones included. */
#define NR_IRQS			128

#endif
