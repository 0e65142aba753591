/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of the guest of vgic_irqs, and what its SYNC asks of the test. */
#ifndef GUESTS_VGIC_IRQS_H
#define GUESTS_VGIC_IRQS_H

#define PART_LEVEL	0
#define PART_EDGE	1
#define PART_PPI	2
#define PART_SGI	3
#define PART_PRIORITY	4
#define PART_MANY	5
#define PART_REGISTERS	6
#define PART_EOIMODE	7
#define PART_SWEEP	8
#define PART_ROUTE	9	/* 2 vCPUs */
#define PART_WAKE	10
#define PART_IRQFD	11
#define PART_NESTED	12
#define PART_STRAY	13

#define NR_IRQS		160
#define SPI		42
#define PPI		20

/* SYNC values: the high byte is the command, the low 16 bits the interrupt. */
#define ASK_RAISE	0x10000
#define ASK_LOWER	0x20000
#define ASK_PULSE	0x30000
#define ASK_PPI_RAISE	0x40000
#define ASK_PPI_LOWER	0x50000
#define ASK_EVENT	0x60000	/* write the eventfd of this SPI */
#define ASK_LATER	0x70000	/* pulse when the vCPU sleeps */

#endif
