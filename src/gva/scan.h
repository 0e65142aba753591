/* SPDX-License-Identifier: GPL-2.0 */
/* Inside src/gva/: the part of a scan that EL2 does. */
#ifndef KEEL_GVA_SCAN_H
#define KEEL_GVA_SCAN_H

#include <linux/bitfield.h>

#include <keel/gva.h>

struct keel_vcpu;
struct prda;

#define SCAN_LEVELS	5	/* from -1 to 3 */
#define SCAN_BATCH	64	/* ATs with interrupts masked, each a walk of up to 5 x 5 reads */

/**
 * struct scan_batch - addresses to translate one after the other
 * @va: the first
 * @last: none above it; in the same half
 * @row_last: none above it once a leaf has been found
 * @shift: log2 of the size of the leaves up to @row_last; 0: not known, so the first ends the batch
 * @hole_shift: log2 of what an entry of each level translates, from level -1
 * @nr: out: how many
 * @par: out: PAR_EL1 of each, or EL2_PAR_ABORT; scan_next() tells the addresses
 */
struct scan_batch {
	u64 va;
	u64 last;
	u64 row_last;
	unsigned int shift;
	u8 hole_shift[SCAN_LEVELS];
	unsigned int nr;
	u64 par[SCAN_BATCH];
};

/* PAR_EL1.FST, as the fault status of an ESR (Arm ARM D24.2.142); @level is 0 to 3 */
#define FST_ADDRESS_SIZE	0x00	/* + level */
#define FST_TRANSLATION		0x04
#define FST_ACCESS		0x08
#define FST_PERMISSION		0x0c
#define FST_ADDRESS_SIZE_M1	0x29	/* level -1 */
#define FST_TRANSLATION_M1	0x2b

/** par_is_hole() - nothing is mapped here; @index: of the missing entry's level in hole_shift */
static __always_inline bool par_is_hole(u64 par, unsigned int *index)
{
	unsigned int fst;

	if (likely(!(par & PAR_FAULT)) || par & PAR_S2 || par == EL2_PAR_ABORT)
		return false;
	fst = FIELD_GET(PAR_FST, par);
	*index = fst == FST_ADDRESS_SIZE_M1 || fst == FST_TRANSLATION_M1 ? 0 : (fst & 3) + 1;
	return !*index || fst < FST_ACCESS;
}

/** par_is_mapped() - a leaf is there, be it one that this access may not use */
static __always_inline bool par_is_mapped(u64 par)
{
	unsigned int fst = FIELD_GET(PAR_FST, par);

	return !(par & PAR_FAULT) ||
	       (!(par & PAR_S2) && fst >= FST_ACCESS && fst < FST_PERMISSION + 4);
}

/** scan_after() - the first address after the aligned 2^@shift bytes around @va; 0: none */
static __always_inline u64 scan_after(u64 va, unsigned int shift)
{
	return ((va >> shift) + 1) << shift;
}

/** scan_next() - what comes after @va, for which AT said @par; 0: nothing, the batch ends */
static __always_inline u64 scan_next(const struct scan_batch *b, u64 va, u64 par)
{
	unsigned int index;

	if (par_is_hole(par, &index))
		return scan_after(va, b->hole_shift[index]);
	return b->shift && par_is_mapped(par) ? scan_after(va, b->shift) : 0;
}

/** gva_scan_el2() - translate; a service, as gva_translate_el2() */
void gva_scan_el2(struct keel_vcpu *vcpu, struct prda *p, struct scan_batch *b);

#endif /* KEEL_GVA_SCAN_H */
