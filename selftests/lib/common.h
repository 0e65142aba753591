/* SPDX-License-Identifier: GPL-2.0 */
/* What test programs and their guests share: integer types and small macros. */
#ifndef SELFTESTS_COMMON_H
#define SELFTESTS_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define BIT(n)		(1ULL << (n))

#ifndef __always_unused
#define __always_unused	__attribute__((__unused__))
#endif
#define __noreturn	__attribute__((__noreturn__))
#define __printf(a, b)	__attribute__((__format__(printf, a, b)))

/* A plain access that the compiler neither drops, repeats nor moves over a barrier. */
#define READ_ONCE(x)	 __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)

#endif
