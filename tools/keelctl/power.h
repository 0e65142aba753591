/* SPDX-License-Identifier: GPL-2.0 */
/* keelctl power: what its verbs, and top, share. */
#ifndef KEELCTL_POWER_H
#define KEELCTL_POWER_H

#include "node.h"

#define POWER_TEXT_SIZE	16

/**
 * power_try() - ask how a VM's vCPUs are treated
 * @observer: its observer file
 * @power: filled in
 *
 * Return: false with errno set: it has ended, or this keel knows nothing of it.
 */
bool power_try(int observer, struct keel_power *power);

/**
 * power_ask() - power_try(), or end the program
 * @observer: its observer file
 * @vm: the VM, for messages
 * @power: filled in
 */
void power_ask(int observer, const struct keel_vm_info *vm, struct keel_power *power);

/**
 * power_vcpu_try() - what a vCPU asks for and gets
 * @observer: of its VM
 * @id: its id
 * @vcpu: filled in
 *
 * Return: false with errno set: it has ended.
 */
bool power_vcpu_try(int observer, u32 id, struct keel_power_vcpu *vcpu);

/**
 * power_vcpus() - power_vcpu_try() of all vCPUs, or of the one asked for, or end the program
 * @r: the request; its first word behind the VM is the vCPU's id
 * @observer: of the VM
 * @vm: the VM, for messages
 * @nr: filled in: how many
 *
 * Return: they; the caller frees them.
 */
struct keel_power_vcpu *power_vcpus(const struct request *r, int observer,
				    const struct keel_vm_info *vm, size_t *nr);

/**
 * power_percent() - performance as people like it
 * @parts: of KEEL_POWER_FULL
 *
 * Return: percent.
 */
double power_percent(u32 parts);

/**
 * power_asked_text() - what a guest asks for
 * @asked: in parts of KEEL_POWER_FULL, or KEEL_POWER_UNASKED
 * @to: filled in, POWER_TEXT_SIZE characters: percent without their sign, or "-"
 *
 * Return: @to.
 */
char *power_asked_text(u32 asked, char *to);

/**
 * power_policy_text() - what follows from what the guest asks for
 * @policy: KEEL_POWER_OFF, HINT or CAP
 *
 * Return: its word, which --policy takes too.
 */
const char *power_policy_text(u32 policy);

/**
 * power_state_text() - where a vCPU is, or slept
 * @state: KEEL_POWER_RUN, WFI, ...
 *
 * Return: in a word; the idle states that a VMM has named are state0, state1 and so on.
 */
const char *power_state_text(u32 state);

/**
 * power_tenths() - read a number with one decimal at most
 * @text: "12" or "12.5"
 * @tenths: filled in: the number, ten times
 *
 * Return: whether all of @text was one such number.
 */
bool power_tenths(const char *text, u64 *tenths);

#endif
