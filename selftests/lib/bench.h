/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What benchmarks share: a count of instructions, and results. Results are diagnostic lines, which
 * scripts/bench-report reads:
 *
 *   # bench OPERATION MINIMUM MEDIAN instructions|ns
 *   # wait OPERATION MEAN MAXIMUM ns           (in which it executed nothing)
 *   # el2 OPERATION ENTRIES WRITES ISBS        (debug builds of keel)
 *
 * The environment: BENCH_BATCHES, how many batches count (BENCH_MAX_BATCHES unless set);
 * BENCH_UNIT=instructions, to fail where they cannot be counted.
 */
#ifndef SELFTESTS_BENCH_H
#define SELFTESTS_BENCH_H

#include "common.h"

#define BENCH_MAX_BATCHES 20

/**
 * bench_begin() - pin this thread and find out what can be counted
 * @cpu: CPU of the host
 *
 * Under the emulator's instruction count the PMU counts the instructions of all CPUs, and not the
 * time when all of them sleep; this checks that it does.
 */
void bench_begin(int cpu);

/**
 * bench_batches() - how many batches count
 *
 * Return: 1 to BENCH_MAX_BATCHES
 */
int bench_batches(void);

/**
 * bench_ns() - the host's counter
 *
 * Return: nanoseconds; under the instruction count these are instructions, and time asleep
 */
double bench_ns(void);

/**
 * bench_work() - what has been executed
 *
 * Return: instructions where the PMU counts them, else bench_ns()
 */
double bench_work(void);

/**
 * bench_ns_per_tick() - of the virtual counter, the guest's too
 *
 * Return: nanoseconds
 */
double bench_ns_per_tick(void);

/**
 * bench_print() - the result of an operation
 * @op: its name
 * @value: of each batch; sorted on return
 * @n: how many
 */
void bench_print(const char *op, double *value, int n);

/**
 * bench_print_wait() - time in which an operation executed nothing
 * @op: its name
 * @value: ns, of each batch
 * @n: how many
 */
void bench_print_wait(const char *op, const double *value, int n);

/**
 * bench_median() - sort, and take the middle
 * @value: of each batch
 * @n: how many
 *
 * Return: the median
 */
double bench_median(double *value, int n);

/**
 * bench_last_cpu() - the highest CPU that is online
 *
 * Return: its number; 0 when there is one CPU only
 */
int bench_last_cpu(void);

#endif
