// SPDX-License-Identifier: GPL-2.0
/* The first tier's column of the exit map (src/exits.c), an array inside the EL2 objects. */
#include <keel/compat.h>
#include <keel/esr.h>
#include <keel/pnmi.h>
#include <keel/vm.h>

#define EXIT(row, label, el2, kernel, ...) \
	[row] = el2,

const el2_handler_t el2_handlers[EL2_NR_EXITS] = {
#include "exits.def"
};

const el2_handler_t el2_handlers_traced[EL2_NR_EXITS] = {
	[0 ... EL2_NR_EXITS - 1] = el2_traced,
};
