// SPDX-License-Identifier: GPL-2.0
/* What PSTATE says, by the layout of SPSR_EL2 (Arm ARM C5.2.20). */
#include <stdio.h>
#include <string.h>

#include "pstate.h"

#define PSTATE_H	(1 << 0)	/* SP_ELx instead of SP_EL0 */
#define PSTATE_AARCH32	(1 << 4)

static bool has(u64 pstate, unsigned int bit)
{
	return pstate >> bit & 1;
}

char *pstate_text(u64 pstate, char *to)
{
	static const char names[] = "FIAD";
	char masks[8] = " ", *end = masks + 1;

	for (int bit = 9; bit >= 6; bit--)
		if (has(pstate, bit))
			*end++ = names[bit - 6];
	*end = 0;
	if (pstate & PSTATE_AARCH32)
		snprintf(to, PSTATE_SIZE, "AArch32%s", masks[1] ? masks : "");
	else
		snprintf(to, PSTATE_SIZE, "EL%u%c%s", PSTATE_EL(pstate),
			 pstate & PSTATE_H ? 'h' : 't', masks[1] ? masks : "");
	return to;
}

char *pstate_flags(u64 pstate, char *to)
{
	static const struct {
		unsigned int bit;
		const char *name;
	} bits[] = {
		{ 22, "PAN" }, { 23, "UAO" }, { 24, "DIT" }, { 25, "TCO" }, { 13, "ALLINT" },
		{ 12, "SSBS" }, { 21, "SS" }, { 20, "IL" },
	};
	size_t n;

	n = snprintf(to, PSTATE_SIZE, "%c%c%c%c", has(pstate, 31) ? 'N' : 'n',
		     has(pstate, 30) ? 'Z' : 'z', has(pstate, 29) ? 'C' : 'c',
		     has(pstate, 28) ? 'V' : 'v');
	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		if (has(pstate, bits[i].bit))
			n += snprintf(to + n, PSTATE_SIZE - n, " %s", bits[i].name);
	if (pstate >> 10 & 3)
		snprintf(to + n, PSTATE_SIZE - n, " BTYPE=%u", (unsigned int)(pstate >> 10) & 3);
	return to;
}
