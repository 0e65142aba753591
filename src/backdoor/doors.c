// SPDX-License-Identifier: GPL-2.0
/* The backdoor's doors in the kernel: the clock for EL2, and what is no call. */
#include <linux/timekeeping.h>
#include <asm/barrier.h>
#include <asm/sysreg.h>

#include <keel/backdoor.h>
#include <keel/vm.h>

void backdoor_flush(struct keel_vcpu *vcpu)
{
	isb();
	vcpu->backdoor.count = read_sysreg(cntpct_el0);
	vcpu->backdoor.ns = ktime_get_real_ns();
}

/*
 * MDCR_EL2.TDE, set for the BRK door, brings every BRK here, and BKPT of AArch32 applications. The
 * class and the syndrome are the same at EL1, from EL0 and from EL1 (Arm ARM D24.2.40).
 */
int backdoor_handle_brk(struct keel_vcpu *vcpu)
{
	vcpu_inject_sync(vcpu, vcpu->state.ctx.esr);
	return 1;
}
