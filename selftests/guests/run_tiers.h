/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What run_tiers and its guest share: the operations, the row of the exit table that each causes,
 * how many exits of that row the first and the second tier must count in TIER_ROUNDS rounds, and
 * how exactly.
 */
#ifndef GUESTS_RUN_TIERS_H
#define GUESTS_RUN_TIERS_H

#define TIER_ROUNDS	48

/* A refill of entropy lasts 8 calls of three words. */
#define TIER_REFILLS	(TIER_ROUNDS / 8)

#define TIER_OPS(X)							\
	X(smccc_version,	"hvc",		TIER_ROUNDS, 0, EXACT)		\
	X(smccc_features,	"hvc",		TIER_ROUNDS, 0, EXACT)		\
	X(smccc_unknown,	"hvc",		TIER_ROUNDS, 0, EXACT)		\
	X(smccc_smc,		"smc",		TIER_ROUNDS, 0, EXACT)		\
	X(psci_version,		"hvc",		TIER_ROUNDS, 0, EXACT)		\
	X(psci_features,	"hvc",		TIER_ROUNDS, 0, EXACT)		\
	X(psci_affinity,	"hvc",		0, TIER_ROUNDS, EXACT)		\
	X(trng_version,		"hvc",		TIER_ROUNDS, 0, EXACT)		\
	X(trng_uuid,		"hvc",		TIER_ROUNDS, 0, EXACT)		\
	X(trng_rnd64,		"hvc",		TIER_ROUNDS - TIER_REFILLS, TIER_REFILLS, EXACT) \
	X(id_register,		"sysreg",	TIER_ROUNDS, 0, EXACT)		\
	X(id_reserved,		"sysreg",	TIER_ROUNDS, 0, EXACT)		\
	X(id_fixed,		"sysreg",	TIER_ROUNDS, 0, EXACT)		\
	X(debug_read,		"sysreg",	TIER_ROUNDS, 0, DIRECT)		\
	X(debug_write,		"sysreg",	TIER_ROUNDS, 0, DIRECT)		\
	X(mdscr_write,		"sysreg",	TIER_ROUNDS, 0, EXACT)		\
	X(ptimer_read,		"sysreg",	TIER_ROUNDS, 0, EXACT)		\
	X(ptimer_write,		"sysreg",	TIER_ROUNDS, 0, EXACT)		\
	X(ptimer_arm,		"sysreg",	0, 2 * TIER_ROUNDS, EXACT)	\
	X(sgi_self,		"sysreg",	TIER_ROUNDS, 0, EXACT)		\
	X(dist_typer,		"dabt",		TIER_ROUNDS, 0, EXACT)		\
	X(dist_ctlr,		"dabt",		TIER_ROUNDS, 0, EXACT)		\
	X(dist_router,		"dabt",		TIER_ROUNDS, 0, EXACT)		\
	X(dist_enabled,		"dabt",		TIER_ROUNDS, 0, EXACT)		\
	X(dist_enable,		"dabt",		2 * TIER_ROUNDS, 0, EXACT)	\
	X(dist_enable_many,	"dabt",		0, TIER_ROUNDS, EXACT)		\
	X(dist_pend,		"dabt",		2 * TIER_ROUNDS, 0, EXACT)	\
	X(redist_typer,		"dabt",		TIER_ROUNDS, 0, EXACT)		\
	X(redist_priority,	"dabt",		TIER_ROUNDS, 0, EXACT)		\
	X(redist_enable,	"dabt",		2 * TIER_ROUNDS, 0, EXACT)	\
	X(redist_set_priority,	"dabt",		0, TIER_ROUNDS, EXACT)		\
	X(fp,			"fp",		TIER_ROUNDS, 0, HOST)		\
	X(wfi_pending,		"wfx",		TIER_ROUNDS, 0, HOST)		\
	X(vtimer,		"irq",		TIER_ROUNDS, 0, HOST)

enum tier_op {
#define TIER_ENUM(name, row, first, second, how) TIER_##name,
	TIER_OPS(TIER_ENUM)
	TIER_NR
};

#endif
