/* SPDX-License-Identifier: GPL-2.0 */
/* What vm_ipa and its guest share: one access to a physical address, at SHARED_IPA. */
#ifndef GUESTS_VM_IPA_H
#define GUESTS_VM_IPA_H

#include "../lib/common.h"

/* What a guest with 4 KB pages and 48-bit addresses can name */
#define GUEST_PA_BITS	48

enum access_op {
	ACCESS_READ,
	ACCESS_WRITE,
	ACCESS_EXEC,	/* call it, its result becomes the value */
};

/**
 * struct access - a command, and what became of it
 * @op: enum access_op
 * @ipa: where; a multiple of 8
 * @value: to write, or read
 * @esr: syndrome if it took an exception, else 0
 */
struct access {
	u64 op;
	u64 ipa;
	u64 value;
	u64 esr;
};

#endif
