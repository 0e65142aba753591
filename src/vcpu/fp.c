// SPDX-License-Identifier: GPL-2.0
/*
 * Guest FP, kernel half: which passes are bracketed.
 *
 * Between fp_begin() and fp_end() the kernel has put the thread's own FP, SVE and SME state away,
 * so the CPU's registers are free for the guest's; interrupts are on at both and nothing in between
 * sleeps. A vCPU that has not used FP lately is not bracketed at all.
 */
#include <keel/compat.h>
#include <keel/vm.h>

#include "internal.h"

/* First FP use: the trap comes here once, those of later passes stay at EL2. */
int vcpu_handle_fp(struct keel_vcpu *vcpu)
{
	vcpu->state.fp.used = true;
	vcpu->state.fp.idle = 0;
	return 1;
}

void vcpu_fp_begin(struct keel_vcpu *vcpu)
{
	if (vcpu->state.fp.used)
		fp_begin();
}

/* A guest that stopped using FP pays for the next first use, not for brackets around nothing. */
void vcpu_fp_end(struct keel_vcpu *vcpu)
{
	struct vcpu_fp *fp = &vcpu->state.fp;

	if (!fp->used)
		return;
	fp_end();
	if (++fp->idle > VCPU_FP_IDLE)
		fp->used = false;
}
