// SPDX-License-Identifier: GPL-2.0
/*
 * Pseudo-NMI as a guest does it: two ways to dispatch interrupts, with the virtual CPU interface's
 * priorities (guests/pnmi_dispatch.c).
 */
#include "guests/pnmi_dispatch.h"
#include "lib/vm.h"

GUEST_DECLARE(pnmi_dispatch);

static void run_proof(u64 mask, u64 proof)
{
	struct vm vm;

	vm_create_guest(&vm, guest_pnmi_dispatch, guest_pnmi_dispatch_end, 2);
	vm_gic_create(&vm, 64);
	vcpu_set(&vm.vcpus[0], REG_X(0), DISPATCH_ARG(mask, proof));
	vm_start(&vm);
	CHECK_EQ(vm_wait(&vm), 0);
	vm_destroy(&vm);
}

#define PROOF(name, mask, proof)		\
	static void name(void)			\
	{					\
		run_proof(mask, proof);		\
	}

PROOF(eager_masked, MASK_EAGER, PROOF_MASKED)
PROOF(eager_nested, MASK_EAGER, PROOF_NESTED)
PROOF(eager_never, MASK_EAGER, PROOF_NEVER)
PROOF(eager_spurious, MASK_EAGER, PROOF_SPURIOUS)
PROOF(eager_storm, MASK_EAGER, PROOF_STORM)
PROOF(lazy_masked, MASK_LAZY, PROOF_MASKED)
PROOF(lazy_nested, MASK_LAZY, PROOF_NESTED)
PROOF(lazy_never, MASK_LAZY, PROOF_NEVER)
PROOF(lazy_spurious, MASK_LAZY, PROOF_SPURIOUS)
PROOF(lazy_storm, MASK_LAZY, PROOF_STORM)
PROOF(pstate_masks_all, MASK_PSTATE, PROOF_MASKED)

static const struct ktap_case cases[] = {
	{ "eager_masked", eager_masked },
	{ "eager_nested", eager_nested },
	{ "eager_never", eager_never },
	{ "eager_spurious", eager_spurious },
	{ "eager_storm", eager_storm },
	{ "lazy_masked", lazy_masked },
	{ "lazy_nested", lazy_nested },
	{ "lazy_never", lazy_never },
	{ "lazy_spurious", lazy_spurious },
	{ "lazy_storm", lazy_storm },
	{ "pstate_masks_all", pstate_masks_all },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
