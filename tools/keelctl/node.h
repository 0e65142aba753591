/* SPDX-License-Identifier: GPL-2.0 */
/* keel's node and the VMs behind it. Functions end the program with an error when they cannot. */
#ifndef KEELCTL_NODE_H
#define KEELCTL_NODE_H

#include <linux/keel.h>

#include "keelctl.h"

/**
 * node_open() - open the node and make sure that it is keel's
 * @path: its path
 *
 * Return: its descriptor.
 */
int node_open(const char *path);

/**
 * node_next_vm() - go through the VMs that the caller may observe
 * @node: of node_open()
 * @vm: its id is the last one seen, 0 to begin; filled in
 *
 * Return: false when there are no more.
 */
bool node_next_vm(int node, struct keel_vm_info *vm);

/**
 * node_open_vm() - find a VM and observe it
 * @node: of node_open()
 * @which: its id, or its name if no other has the same
 * @vm: filled in
 *
 * Return: descriptor of the observer file.
 */
int node_open_vm(int node, const char *which, struct keel_vm_info *vm);

/**
 * node_vcpu() - look at a vCPU
 * @observer: of node_open_vm()
 * @vm: the VM, for messages
 * @index: from 0
 * @vcpu: filled in
 *
 * Return: false when there are fewer.
 */
bool node_vcpu(int observer, const struct keel_vm_info *vm, u32 index,
	       struct keel_vcpu_info *vcpu);

/**
 * node_vm_failed() - end the program: a call on an observer file failed, and errno says why
 * @vm: the VM
 */
_Noreturn void node_vm_failed(const struct keel_vm_info *vm);

/**
 * node_parse_vcpu() - the number of a vCPU on the command line
 * @text: its id
 *
 * Return: the id.
 */
u32 node_parse_vcpu(const char *text);

/**
 * node_vcpu_failed() - node_vm_failed() of a call that names a vCPU
 * @vm: the VM
 * @id: the vCPU's
 */
_Noreturn void node_vcpu_failed(const struct keel_vm_info *vm, u32 id);

/**
 * node_state_text() - where a vCPU is
 * @state: KEEL_VCPU_*
 *
 * Return: in a word.
 */
const char *node_state_text(u32 state);

#endif
