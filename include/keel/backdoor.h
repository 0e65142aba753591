/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The face of src/backdoor/: VMware's backdoor. A guest's software, unprivileged too, names an x86
 * I/O instruction in W7 and its parameters in X0 to X6, and calls through a door: a read of the debug
 * channel's status, BRK, HVC (Documentation/backdoor.md). A door is there while its hook is on.
 */
#ifndef KEEL_BACKDOOR_H
#define KEEL_BACKDOOR_H

#include <linux/types.h>

struct keel_vcpu;

#define BACKDOOR_IMM	0x86	/* of BRK and HVC; X7<63:32> of the DCC door */

/**
 * struct backdoor_vcpu - src/backdoor's member of struct keel_vcpu: the wall clock for EL2
 * @ns: CLOCK_REALTIME at the last entry into the guest
 * @count: CNTPCT_EL0 at that moment
 * @last: the latest time that a call was told, in ns
 */
struct backdoor_vcpu {
	u64 ns;
	u64 count;
	u64 last;
};

/** backdoor_flush() - the wall clock for this pass, if a hook is on; interrupts off */
void backdoor_flush(struct keel_vcpu *vcpu);

/**
 * backdoor_dcc_el2() - a read of MDCCSR_EL0 into XZR as a call
 *
 * Context: first tier. Return: false: it is none, and nothing was done.
 */
bool backdoor_dcc_el2(struct keel_vcpu *vcpu);

/** backdoor_hvc_el2() - the same of HVC #0x86 */
bool backdoor_hvc_el2(struct keel_vcpu *vcpu);

/** backdoor_brk_el2() - first tier of the row BRK */
bool backdoor_brk_el2(struct keel_vcpu *vcpu);

/** backdoor_handle_brk() - second tier: BRK and BKPT that are none of keel's, to the guest */
int backdoor_handle_brk(struct keel_vcpu *vcpu);

#endif /* KEEL_BACKDOOR_H */
