/* SPDX-License-Identifier: GPL-2.0 */
/* A console without a serial port's exits: hvc0. */
#ifndef KEELRUN_VIRTIO_CONSOLE_H
#define KEELRUN_VIRTIO_CONSOLE_H

#include "util.h"

struct vm;
struct virtio_console;

/**
 * virtio_console_create() - add a console to a VM
 * @vm: the VM
 * @index: its place on the bus
 *
 * Return: the device, whose output goes to terminal_write().
 */
struct virtio_console *virtio_console_create(struct vm *vm, unsigned int index);

/**
 * virtio_console_input() - the terminal has input for the console
 * @opaque: a struct virtio_console
 */
void virtio_console_input(void *opaque);

/**
 * virtio_console_destroy() - take the console of a VM that has ended away
 * @con: the device
 */
void virtio_console_destroy(struct virtio_console *con);

#endif
