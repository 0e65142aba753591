// SPDX-License-Identifier: GPL-2.0
/* The verbs that go on. */
#include "keelctl.h"
#include "verbs.h"

const struct verb verbs_live[] = {
	{ .name = NULL },
};
