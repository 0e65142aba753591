/* SPDX-License-Identifier: GPL-2.0 */
/* Among the files of src/host/. */
#ifndef KEEL_HOST_INTERNAL_H
#define KEEL_HOST_INTERNAL_H

#include <linux/types.h>

struct prda;

/* --- doorbell.c --- */

/** doorbell_init() - map the redistributors, choose and request the interrupt; 0 or -errno */
int doorbell_init(struct prda __percpu *prdas);
void doorbell_exit(struct prda __percpu *prdas);

/** doorbell_claim_cpu() - enable it on this CPU, raise priorities; on the CPU, preemption off */
void doorbell_claim_cpu(struct prda *p);

/** doorbell_release_cpu() - the way back */
void doorbell_release_cpu(struct prda *p);

#endif /* KEEL_HOST_INTERNAL_H */
