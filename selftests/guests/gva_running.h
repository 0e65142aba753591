/* SPDX-License-Identifier: GPL-2.0 */
/* What gva_running and its guest share. */
#ifndef GUESTS_GVA_RUNNING_H
#define GUESTS_GVA_RUNNING_H

#include "../lib/common.h"
#include "../lib/report.h"

/*
 * Gigabytes of the guest's address space that are mapped by tables of the test's, by the index of
 * their level-1 entry.
 */
#define GB_LOCKED	4	/* nobody changes them */
#define GB_CHANGING	5	/* CPU 1 changes them for ever */
#define GB_LOOP		6	/* one table for both levels: 2^18 pages, all of them that table */
#define GB_ABSENT	7	/* a table in memory that nobody answers for */

#define GB(index)	((u64)(index) << 30)

/* The tables: level 2, and level 3 for the first 2 MB. */
#define TABLE_LOCKED	(FREE_IPA + 0x0000)
#define TABLE_LOCKED3	(FREE_IPA + 0x1000)
#define TABLE_CHANGING	(FREE_IPA + 0x2000)
#define TABLE_A		(FREE_IPA + 0x3000)
#define TABLE_B		(FREE_IPA + 0x4000)
#define TABLE_LOOP	(FREE_IPA + 0x5000)
#define ABSENT_IPA	0x50000000ULL

/* 2 MB each: where what CPU 1 changes leads to */
#define BLOCK_A		(RAM_IPA + 0x800000ULL)
#define BLOCK_B		(RAM_IPA + 0xa00000ULL)

/* Descriptors: normal memory, not for EL0 to execute */
#define DESC_BLOCK(ipa)	((ipa) | 0x0040000000000701)
#define DESC_PAGE(ipa)	((ipa) | 0x0040000000000703)
#define DESC_TABLE(ipa)	((ipa) | 0x3)

/**
 * struct shared - in memory at SHARED_IPA
 * @ready: CPU 0 has switched the tables on
 * @stop: it shall end
 * @rounds: of each CPU
 * @changes: of tables
 * @late: sum of the times, in ticks, by which timers were late
 * @latest: the largest of them; the test sets it to 0
 * @timers: how many
 */
struct shared {
	u64 ready;
	u64 stop;
	u64 rounds[2];
	u64 changes;
	u64 late;
	u64 latest;
	u64 timers;
};

/* What the CPUs do: bits of CPU 0's x0 */
#define CPU0_TIMER	BIT(0)	/* else: AT, for ever */
#define CPU1_CHANGE	BIT(1)	/* changes tables */
#define CPU1_LOOK	BIT(2)	/* AT, for ever */
#define CPU1_SLEEP	BIT(3)	/* sleeps in a WFI */
#define CPU1_OFF	BIT(4)	/* is on, and off again; with none of these never on */

#endif
