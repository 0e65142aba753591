/* SPDX-License-Identifier: GPL-2.0 */
/* What vm_storm and its guests share. */
#ifndef GUESTS_VM_STORM_H
#define GUESTS_VM_STORM_H

#include "../lib/common.h"

/* The guest's argument: what its CPUs do, and how many there are. */
#define STORM_COUNT	0
#define STORM_MEMORY	1
#define STORM_ARG(part, cpus)	((part) << 8 | (cpus))

/**
 * struct storm_cpu - what a CPU has done so far, at SHARED_IPA for each
 * @work: rounds
 * @passed: times that the token came by
 */
struct storm_cpu {
	u64 work;
	u64 passed;
};

/*
 * Memory that the host takes away and puts in place again: pages at STORM_IPA, in which each CPU
 * has a word of its own. A word is 0 after the host has dropped the page, or what its CPU wrote
 * there last, or the host's stamp: HOST_STAMP and a number that grows with each page that the host
 * puts in place.
 */
#define STORM_IPA	0x60000000ULL
#define STORM_PAGES	64
#define STORM_WRITERS	4
#define HOST_STAMP	BIT(63)

#endif
