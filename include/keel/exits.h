/* SPDX-License-Identifier: GPL-2.0 */
/* The face of src/exits.c: the map of exits, and the trap bits that follow from it. */
#ifndef KEEL_EXITS_H
#define KEEL_EXITS_H

#include <keel/el2.h>

struct keel_vm;
struct keel_vcpu;

/**
 * exit_handle() - second tier: the kernel handler of row @exit; > 0 on, 0 to userspace, < 0 error
 */
int exit_handle(struct keel_vcpu *vcpu, unsigned int exit);

/** exit_name() - name of a row, for tracepoints and statistics; NULL for a row that cannot fire */
const char *exit_name(unsigned int exit);

/**
 * traps_compute() - vm->traps from the VM's ID registers and the active rows
 *
 * Context: vm->config_lock held. vCPUs that are loaded go by the old ones.
 */
void traps_compute(struct keel_vm *vm);

#endif /* KEEL_EXITS_H */
