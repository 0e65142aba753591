/* SPDX-License-Identifier: GPL-2.0 */
/* The user's terminal: standard input and output of keelrun, the console of the guest. */
#ifndef KEELRUN_TERMINAL_H
#define KEELRUN_TERMINAL_H

#include "util.h"

struct vm;

/**
 * terminal_init() - take standard input and output
 * @signal_fd: becomes readable when a signal asks keelrun to end; it cuts a blocked write short
 *
 * A terminal is put in raw mode until keelrun exits. Input from a pipe is taken as typed. A regular
 * file, /dev/null and a terminal that another job owns give no input.
 */
void terminal_init(int signal_fd);

/**
 * terminal_attach() - connect the terminal to a VM
 * @vm: Ctrl-a x stops it
 * @input: called in the main thread when there is input for terminal_read()
 * @opaque: argument of @input
 *
 * To be called while no vCPU of @vm runs.
 */
void terminal_attach(struct vm *vm, void (*input)(void *opaque), void *opaque);

/**
 * terminal_read() - take input
 * @buf: where to
 * @len: bytes at most
 *
 * Return: the number of bytes, 0 when there is no input now. Any thread may call it.
 */
size_t terminal_read(void *buf, size_t len);

/**
 * terminal_has_input() - ask whether terminal_read() would give something
 *
 * Return: whether it would. Any thread may call it.
 */
bool terminal_has_input(void);

/**
 * terminal_write() - show output
 * @buf: bytes
 * @len: their number
 *
 * Waits while the reader of the output does not read, but not past the end of the VM. Any thread
 * may call it.
 */
void terminal_write(const void *buf, size_t len);

#endif
