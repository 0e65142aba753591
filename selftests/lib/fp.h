/* SPDX-License-Identifier: GPL-2.0 */
/* A program's own FP state around system calls and preemption, in assembly. */
#ifndef SELFTESTS_FP_H
#define SELFTESTS_FP_H

#include "common.h"

/**
 * fp_ioctl() - ioctl() with known values in all FP registers
 * @fd: file descriptor
 * @request: its request
 * @in: 32 registers of 16 bytes to load before
 * @out: what they are after it
 *
 * Return: of the system call, -errno
 */
long fp_ioctl(int fd, unsigned long request, const void *in, void *out);

/**
 * fp_za_ioctl() - as fp_ioctl(), with the ZA array live
 * @fd: file descriptor
 * @request: its request
 * @in: one row of ZA, in every row
 * @out: ZA after it, rows by columns; room for 64 KB
 *
 * Return: of the system call, -errno
 */
long fp_za_ioctl(int fd, unsigned long request, const void *in, void *out);

/**
 * fp_sve_hold() - keep values in all SVE registers for a while, without a system call
 * @in: 32 vectors, then 16 predicates, of the vector length
 * @out: what they are then
 * @loops: how long
 */
void fp_sve_hold(const void *in, void *out, u64 loops);

/**
 * fp_za_hold() - keep values in ZA, in streaming mode
 * @in: one row of ZA, in every row
 * @out: ZA then; room for 64 KB
 * @loops: how long
 */
void fp_za_hold(const void *in, void *out, u64 loops);

/**
 * fp_sve_length() - the vector length
 *
 * Return: bytes
 */
u64 fp_sve_length(void);

/**
 * fp_sme_length() - the streaming vector length
 *
 * Return: bytes
 */
u64 fp_sme_length(void);

#endif
