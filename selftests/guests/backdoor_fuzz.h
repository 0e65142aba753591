/* SPDX-License-Identifier: GPL-2.0 */
/* What backdoor_fuzz and its guest share. */
#ifndef GUESTS_BACKDOOR_FUZZ_H
#define GUESTS_BACKDOOR_FUZZ_H

#include "../lib/common.h"

#define RPCI		0x49435052
#define TCLO		0x4f4c4354
#define MAX_SIZE	65536
#define MAX_CHANNELS	8

/* CPU 0 starts the others, and is reset by the host now and then. */
#define FUZZERS		4
#define CPU_FUZZER	1
#define CPU_TABLES	(CPU_FUZZER + FUZZERS)	/* changes the page tables of buffers */
#define CPU_CHANNELS	(CPU_TABLES + 1)	/* opens and closes channels */
#define CPUS		(CPU_CHANNELS + 1)

/* CPU 0's argument */
#define BOOT		0	/* starts the others; DONE */
#define FINAL		1	/* FINAL_TRIPS whole messages there and back; DONE with how many */

#define FINAL_TRIPS	24

/*
 * Memory that the host takes away and brings back: buffers, and tables, which the guest fills
 * again. The third slot can only be read.
 */
#define BUFFERS_IPA	0x60000000ULL
#define BUFFERS_SIZE	0x200000ULL
#define TABLES_IPA	0x60400000ULL
#define TABLES_SIZE	0x1000ULL
#define READONLY_IPA	0x60800000ULL
#define READONLY_SIZE	0x40000ULL
#define READONLY_BYTE	0x5a

/* How calls ended. */
enum {
	ANSWERED,
	NO_CALL,	/* the instruction did what it does without a door */
	ABORTED,	/* by a fault of the buffer that it named */
	INTERRUPTED,	/* and given up */
	ACCEPTED,	/* MESSAGE with SUCCESS; counted among ANSWERED, too */
	COPIED,		/* high bandwidth with success; the same */
	TRIPS,		/* messages there and back */
	VERIFIED,	/* those of which each byte was right */
	COUNTS,
};

/**
 * struct fuzz_cpu - what a CPU has done
 * @calls: or changes
 * @count: by kind
 */
struct fuzz_cpu {
	u64 calls;
	u64 count[COUNTS];
};

/* In memory at SHARED_IPA. */
struct shared {
	u64 seed;
	u64 stop;
	u64 ended;		/* CPUs that have seen it */
	struct fuzz_cpu cpus[CPUS];
};

/*
 * A message of a trip says what it is: this header, which counts, then bytes that depend on the
 * seed. The answer's seed is the request's plus one.
 */
#define REQUEST_MAGIC	0x51e2a7c3
#define REPLY_MAGIC	0x7d30b98e

struct trip_header {
	u32 magic;
	u32 seed;
	u32 size;
	u32 check;		/* magic ^ seed ^ size */
};

static inline u8 trip_byte(u32 seed, u32 i)
{
	return (i * 0x9e3779b1 + seed * 0x85ebca6b) >> 16;
}

static inline void trip_fill(u8 *data, u32 magic, u32 seed, u32 size)
{
	struct trip_header h = { magic, seed, size, magic ^ seed ^ size };
	const u8 *bytes = (const u8 *)&h;
	u32 i;

	for (i = 0; i < size; i++)
		data[i] = i < sizeof(h) ? bytes[i] : trip_byte(seed, i);
}

/* Is it one of @magic? *@header then has what it says. */
static inline bool trip_read(const u8 *data, u32 magic, u32 size, struct trip_header *header)
{
	u8 *bytes = (u8 *)header;
	u32 i;

	for (i = 0; i < sizeof(*header) && i < size; i++)
		bytes[i] = data[i];
	return i == sizeof(*header) && header->magic == magic &&
	       header->check == (header->magic ^ header->seed ^ header->size);
}

/* The first byte that is not as the header says; @size: none */
static inline u32 trip_differs(const u8 *data, const struct trip_header *header, u32 size)
{
	u32 i;

	for (i = sizeof(*header); i < size; i++)
		if (data[i] != trip_byte(header->seed, i))
			break;
	return i;
}

#endif
