/* SPDX-License-Identifier: GPL-2.0 */
/* The serial port: Arm PrimeCell PL011. */
#ifndef KEELRUN_PL011_H
#define KEELRUN_PL011_H

struct pl011;
struct vm;

/**
 * pl011_create() - add the serial port to a VM
 * @vm: the VM
 *
 * Return: the port, whose output goes to terminal_write().
 */
struct pl011 *pl011_create(struct vm *vm);

/**
 * pl011_input() - the terminal has input for the port
 * @opaque: a struct pl011
 */
void pl011_input(void *opaque);

/**
 * pl011_destroy() - free the port
 * @port: the port of a VM that has ended
 */
void pl011_destroy(struct pl011 *port);

#endif
