// SPDX-License-Identifier: GPL-2.0
/* The verbs of guest virtual addresses. */
#include "keelctl.h"
#include "verbs.h"

const struct verb verbs_gva[] = {
	{ .name = NULL },
};
