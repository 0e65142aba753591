/* SPDX-License-Identifier: GPL-2.0 */
/*
 * keelctl: exits by class. Among a vCPU's counters exit_CLASS and exit_CLASS_el2 are the exits of
 * a class that the second tier (the kernel) and the first (EL2) answered.
 */
#ifndef KEELCTL_CLASSES_H
#define KEELCTL_CLASSES_H

#include "kvm-stats.h"
#include "node.h"

/**
 * classes_try() - read counters
 * @observer: of node_open_vm()
 * @vcpu: the vCPU's id, or KEEL_STATS_VM
 * @s: filled in, to be freed
 *
 * Return: false: the VM has ended, or may not be observed any more.
 */
bool classes_try(int observer, u32 vcpu, struct kvm_stats *s);

/**
 * classes_read() - read counters, or end the program with an error
 * @observer: of node_open_vm()
 * @vm: the VM, for messages
 * @vcpu: the vCPU's id, or KEEL_STATS_VM
 * @s: filled in, to be freed
 */
void classes_read(int observer, const struct keel_vm_info *vm, u32 vcpu, struct kvm_stats *s);

/**
 * classes_name() - the class of a counter of exits in the second tier
 * @name: of the counter
 *
 * Return: the class; NULL for any other counter.
 */
const char *classes_name(const char *name);

/**
 * classes_first() - exits of a class that the first tier answered
 * @s: the counters
 * @class: the class
 *
 * Return: how many.
 */
u64 classes_first(const struct kvm_stats *s, const char *class);

/**
 * classes_is_other() - does a counter count something other than exits by class?
 * @name: of the counter
 *
 * Return: true if so.
 */
bool classes_is_other(const char *name);

#endif
