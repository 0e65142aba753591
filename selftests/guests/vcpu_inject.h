/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of the guest of vcpu_inject. */
#ifndef GUESTS_VCPU_INJECT_H
#define GUESTS_VCPU_INJECT_H

#define PART_UNDEFINED	0
#define PART_UNDEF_EL0	1
#define PART_FETCH	2
#define PART_WALK	3
#define PART_NO_SYNDROME 4	/* SYNC, then a load that no MMIO exit describes; DONE: aborts */
#define PART_MAINTAIN	5
#define PART_SERROR	6	/* SYNC, then SError open; DONE says the ISS */
#define PART_DABT	7	/* SYNC, then an external abort at once */

#define NOWHERE_IPA	0x70000000ULL	/* mapped as normal memory, in no memslot */

#endif
