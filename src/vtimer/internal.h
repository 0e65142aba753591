/* SPDX-License-Identifier: GPL-2.0 */
/* Among the files of src/vtimer/. */
#ifndef KEEL_VTIMER_INTERNAL_H
#define KEEL_VTIMER_INTERNAL_H

#include <keel/vm.h>

/**
 * vtimer_sample_el2() - does CNTV in this CPU assert its interrupt now; interrupts off, vCPU loaded
 */
bool vtimer_sample_el2(void);

#endif /* KEEL_VTIMER_INTERNAL_H */
