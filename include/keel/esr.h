/* SPDX-License-Identifier: GPL-2.0 */
/* Syndromes (ESR_EL2): the fields keel decodes, from <asm/esr.h> and Arm ARM D24.2.40. */
#ifndef KEEL_ESR_H
#define KEEL_ESR_H

#include <linux/types.h>
#include <asm/esr.h>

static inline unsigned int esr_ec(u64 esr)
{
	return (esr & ESR_ELx_EC_MASK) >> ESR_ELx_EC_SHIFT;
}

static inline u64 esr_iss(u64 esr)
{
	return esr & ESR_ELx_ISS_MASK;
}

/* Instruction length in bytes. */
static inline unsigned int esr_il(u64 esr)
{
	return esr & ESR_ELx_IL ? 4 : 2;
}

/* Data aborts */
static inline bool esr_dabt_isv(u64 esr)
{
	return esr & ESR_ELx_ISV;
}

static inline unsigned int esr_dabt_len(u64 esr)
{
	return 1u << ((esr & ESR_ELx_SAS) >> ESR_ELx_SAS_SHIFT);
}

static inline bool esr_dabt_sign(u64 esr)
{
	return esr & ESR_ELx_SSE;
}

static inline bool esr_dabt_sf(u64 esr)
{
	return esr & ESR_ELx_SF;
}

static inline unsigned int esr_dabt_reg(u64 esr)
{
	return (esr & ESR_ELx_SRT_MASK) >> ESR_ELx_SRT_SHIFT;
}

static inline bool esr_dabt_cm(u64 esr)
{
	return esr & ESR_ELx_CM;
}

static inline bool esr_abt_s1ptw(u64 esr)
{
	return esr & ESR_ELx_S1PTW;
}

static inline bool esr_is_iabt(u64 esr)
{
	return esr_ec(esr) == ESR_ELx_EC_IABT_LOW;
}

/* A walk that the CPU does for stage 1 can also write (hardware flags): WnR says so then too. */
static inline bool esr_is_write(u64 esr)
{
	return !esr_is_iabt(esr) && (esr & ESR_ELx_WNR);
}

/*
 * A data access that a device could answer: no descriptor for its address (not the access flag, nor
 * an external abort), and a syndrome that says what it was.
 */
static inline bool esr_dabt_is_device(u64 esr)
{
	return (esr & ESR_ELx_FSC_TYPE) == ESR_ELx_FSC_FAULT && esr_dabt_isv(esr) &&
	       !esr_abt_s1ptw(esr);
}

/* A store to what may only be read, or is not mapped, with a syndrome that says what it was. */
static inline bool esr_dabt_is_store(u64 esr)
{
	unsigned int type = esr & ESR_ELx_FSC_TYPE;

	return (type == ESR_ELx_FSC_FAULT || type == ESR_ELx_FSC_PERM) && esr_dabt_isv(esr) &&
	       esr_is_write(esr) && !esr_dabt_cm(esr) && !esr_abt_s1ptw(esr);
}

/* Fault status code, [5:0]; its type without the level in [5:2]. */
static inline unsigned int esr_fsc(u64 esr)
{
	return esr & ESR_ELx_FSC;
}

/* Trapped MSR/MRS: target register, direction; the encoding: esr_sys64_to_sysreg(). */
static inline unsigned int esr_sys_rt(u64 esr)
{
	return (esr & ESR_ELx_SYS64_ISS_RT_MASK) >> ESR_ELx_SYS64_ISS_RT_SHIFT;
}

static inline bool esr_sys_is_read(u64 esr)
{
	return (esr & ESR_ELx_SYS64_ISS_DIR_MASK) == ESR_ELx_SYS64_ISS_DIR_READ;
}

#endif /* KEEL_ESR_H */
