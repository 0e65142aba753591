/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Address types: one struct a space, so that the compiler refuses to mix them.
 * Raw u64 appears only inside page-table code and at the ABI's edge.
 */
#ifndef KEEL_TYPES_H
#define KEEL_TYPES_H

#include <linux/align.h>
#include <linux/mm.h>
#include <linux/types.h>

/** struct gva - a guest virtual address (guest stage 1 input) */
struct gva {
	u64 v;
};

/** struct ipa - an intermediate physical address: what the guest calls physical (stage 2 input) */
struct ipa {
	u64 v;
};

/** struct hva - an address in the VMM's user address space */
struct hva {
	unsigned long v;
};

/** struct hpa - a host physical address (stage 2 output) */
struct hpa {
	u64 v;
};

static inline struct gva gva(u64 v)
{
	return (struct gva){ v };
}

static inline struct ipa ipa(u64 v)
{
	return (struct ipa){ v };
}

static inline struct hva hva(unsigned long v)
{
	return (struct hva){ v };
}

static inline struct hpa hpa(u64 v)
{
	return (struct hpa){ v };
}

static inline struct ipa ipa_add(struct ipa a, u64 bytes)
{
	return ipa(a.v + bytes);
}

static inline struct ipa ipa_page(struct ipa a)
{
	return ipa(a.v & PAGE_MASK);
}

static inline u64 ipa_offset(struct ipa a)
{
	return a.v & ~PAGE_MASK;
}

static inline struct hva hva_add(struct hva a, u64 bytes)
{
	return hva(a.v + bytes);
}

static inline struct hpa hpa_add(struct hpa a, u64 bytes)
{
	return hpa(a.v + bytes);
}

#endif /* KEEL_TYPES_H */
