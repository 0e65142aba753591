/* SPDX-License-Identifier: GPL-2.0 */
/* What the test and the guest of vcpu_suspend agree on. */
#ifndef GUESTS_VCPU_SUSPEND_H
#define GUESTS_VCPU_SUSPEND_H

#define PSCI_SYSTEM_SUSPEND	0xc400000e
#define PSCI_DENIED_BY_VMM	-3
#define SUSPEND_ENTRY		0x123456789000
#define SUSPEND_CONTEXT		0xfedcba9876543210
#define WAKE_INTID		40

#endif
