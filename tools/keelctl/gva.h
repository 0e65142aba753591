/* SPDX-License-Identifier: GPL-2.0 */
/* keelctl gva: what its verbs share. */
#ifndef KEELCTL_GVA_H
#define KEELCTL_GVA_H

#include "node.h"

#define GVA_TEXT_SIZE	160

/**
 * struct gva_view - whose addresses these are
 * @observer: the VM's observer file
 * @vm: the VM
 * @vcpu: id of the vCPU whose tables count
 */
struct gva_view {
	int observer;
	struct keel_vm_info vm;
	u32 vcpu;
};

/**
 * gva_open() - observe the VM that was asked for, and choose the vCPU
 * @r: the request
 * @view: filled in
 */
void gva_open(const struct request *r, struct gva_view *view);

/**
 * gva_parse() - an address of the command line
 * @text: "0x..." or a decimal number
 *
 * Return: the address.
 */
u64 gva_parse(const char *text);

/**
 * gva_el1_text() - what EL1 may
 * @permissions: KEEL_GVA_EL1_R and so on
 *
 * Return: such as "r-x".
 */
const char *gva_el1_text(u32 permissions);

/**
 * gva_el0_text() - what EL0 may
 * @permissions: KEEL_GVA_EL0_R and so on
 *
 * Return: such as "r-x".
 */
const char *gva_el0_text(u32 permissions);

/**
 * gva_memory_text() - the type of memory
 * @attributes: of memory
 * @to: filled in, GVA_TEXT_SIZE characters: "write-back"
 *
 * Return: @to.
 */
char *gva_memory_text(u32 attributes, char *to);

/**
 * gva_shared_text() - shareability
 * @attributes: of memory
 *
 * Return: "none", "outer" or "inner".
 */
const char *gva_shared_text(u32 attributes);

/**
 * gva_status_text() - what came of a translation
 * @status: KEEL_GVA_MAPPED and so on
 * @level: of the fault, or of the missing table
 * @fault: fault status
 * @to: filled in, GVA_TEXT_SIZE characters
 *
 * Return: @to.
 */
char *gva_status_text(u32 status, s32 level, u32 fault, char *to);

/**
 * gva_status_word() - the same in a word, for programs
 * @status: KEEL_GVA_MAPPED and so on
 *
 * Return: such as "mapped".
 */
const char *gva_status_word(u32 status);

#endif
