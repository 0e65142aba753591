/* SPDX-License-Identifier: GPL-2.0 */
/* keelctl: what exits and exceptions are about, from their syndromes (Arm ARM D24.2.40). */
#ifndef KEELCTL_DECODE_H
#define KEELCTL_DECODE_H

#include "util.h"

#define DECODE_SIZE	128

/* Classes of exits that have more to say, as in ESR_EL2.EC; then keel's numbers of interrupts */
#define EC_WFX		0x01
#define EC_HVC		0x16
#define EC_SMC		0x17
#define EC_SYSREG	0x18
#define EC_IABT_LOW	0x20
#define EC_DABT_LOW	0x24
#define CLASS_ASYNC	64	/* from here on there is no syndrome */

/**
 * class_name() - name of an exit's class, as keelctl stats prints it
 * @class: exception class, or keel's numbers of IRQ, FIQ and SError
 *
 * Return: the name; "unknown" if there is none.
 */
const char *class_name(unsigned int class);

/**
 * abort_ipa() - where an abort was
 * @esr: its syndrome
 * @ipa: with the offset in its page of the access
 *
 * Return: the IPA; of a walk of stage 1's tables only the page is known.
 */
u64 abort_ipa(u64 esr, u64 ipa);

/**
 * exit_text() - what an exit of a guest is about
 * @class: as for class_name()
 * @esr: its syndrome
 * @arg: x0 of a hypercall, IPA of an abort
 * @to: filled in, DECODE_SIZE characters; empty if the class says it all
 *
 * Return: @to.
 */
char *exit_text(unsigned int class, u64 esr, u64 arg, char *to);

/**
 * esr_text() - what the syndrome of an exception says
 * @esr: as in ESR_EL1
 * @to: filled in, DECODE_SIZE characters
 *
 * Return: @to.
 */
char *esr_text(u64 esr, char *to);

/**
 * fault_text() - what a fault status says
 * @status: as in ESR_ELx.DFSC
 * @to: filled in, DECODE_SIZE characters: "translation fault, level 3"
 *
 * Return: @to.
 */
char *fault_text(u32 status, char *to);

/**
 * sysreg_text() - name of a system register or system instruction
 * @esr: syndrome of an access to it
 * @to: filled in, DECODE_SIZE characters: "CNTPCT_EL0", or by its encoding "S3_0_C15_C2_1"
 *
 * Return: @to.
 */
char *sysreg_text(u64 esr, char *to);

/**
 * sysreg_encoding() - the parts of an encoding in the syndrome of a trapped access
 * @esr: the syndrome
 * @part: filled in: op0, op1, CRn, CRm, op2
 */
void sysreg_encoding(u64 esr, unsigned int part[5]);

/**
 * function_name() - name of a hypercall's function
 * @fn: its id: of SMCCC, PSCI, or TRNG
 *
 * Return: the name; NULL if there is none.
 */
const char *function_name(u32 fn);

#endif
