// SPDX-License-Identifier: GPL-2.0
/*
 * The ID registers guests see: an allow-list of fields over the values that all CPUs of the host
 * share. A field that is not named here reads 0, so a feature that nobody has thought about is
 * hidden; traps.c makes what is hidden undefined.
 */
#include <linux/errno.h>
#include <linux/minmax.h>
#include <asm/cpufeature.h>

#include <keel/compat.h>
#include <keel/vm.h>

#include "internal.h"

/**
 * struct id_field - one field a guest may see
 * @index: register, VCPU_ID_INDEX()
 * @shift: lowest of its four bits
 * @max: highest value shown; 15 shows whatever the host has, negative values included
 * @ptrauth: only with KVM_ARM_VCPU_PTRAUTH_*
 */
struct id_field {
	u8 index;
	u8 shift;
	u8 max;
	bool ptrauth;
};

#define SHOW(reg, low, highest)	{ .index = reg, .shift = low, .max = highest }
#define PTRAUTH(reg, low)	{ .index = reg, .shift = low, .max = 15, .ptrauth = true }

static const struct id_field fields[] = {
	SHOW(ID_PFR0, PFR0_EL0, 2),	/* AArch32 at EL0 cannot be hidden */
	SHOW(ID_PFR0, 16, 15),		/* FP */
	SHOW(ID_PFR0, 20, 15),		/* AdvSIMD */
	SHOW(ID_PFR0, PFR0_RAS, 1),	/* no error records: ERRIDR_EL1 reads 0 */
	SHOW(ID_PFR0, 48, 1),		/* DIT */
	SHOW(ID_PFR0, PFR0_CSV2, 1),	/* 2 has SCXTNUM_ELx, which is trapped */
	SHOW(ID_PFR0, 60, 1),		/* CSV3 */

	SHOW(ID_PFR1, 0, 1),		/* BT */
	SHOW(ID_PFR1, PFR1_SSBS, 2),
	SHOW(ID_PFR1, 32, 1),		/* CSV2_frac, as CSV2 */

	SHOW(ID_DFR0, 0, 8),		/* DebugVer: Armv8.2 */
	SHOW(ID_DFR0, DFR0_BRPS, 15),
	SHOW(ID_DFR0, DFR0_WRPS, 15),
	SHOW(ID_DFR0, 28, 15),		/* CTX_CMPs */
	SHOW(ID_DFR0, 36, 15),		/* DoubleLock */

	SHOW(ID_ISAR0, 4, 2),		/* AES, PMULL */
	SHOW(ID_ISAR0, 8, 1),		/* SHA1 */
	SHOW(ID_ISAR0, 12, 2),		/* SHA2 */
	SHOW(ID_ISAR0, 16, 1),		/* CRC32 */
	SHOW(ID_ISAR0, 20, 2),		/* Atomic: LSE */
	SHOW(ID_ISAR0, 28, 1),		/* RDM */
	SHOW(ID_ISAR0, 32, 1),		/* SHA3 */
	SHOW(ID_ISAR0, 36, 1),		/* SM3 */
	SHOW(ID_ISAR0, 40, 1),		/* SM4 */
	SHOW(ID_ISAR0, 44, 1),		/* DP */
	SHOW(ID_ISAR0, 48, 1),		/* FHM */
	SHOW(ID_ISAR0, 52, 2),		/* TS: flag manipulation */
	SHOW(ID_ISAR0, 56, 2),		/* TLB: outer shareable, range */
	SHOW(ID_ISAR0, 60, 1),		/* RNDR */

	SHOW(ID_ISAR1, 0, 2),		/* DPB */
	PTRAUTH(ID_ISAR1, 4),		/* APA */
	PTRAUTH(ID_ISAR1, 8),		/* API */
	SHOW(ID_ISAR1, 12, 1),		/* JSCVT */
	SHOW(ID_ISAR1, 16, 1),		/* FCMA */
	SHOW(ID_ISAR1, 20, 3),		/* LRCPC */
	PTRAUTH(ID_ISAR1, 24),		/* GPA */
	PTRAUTH(ID_ISAR1, 28),		/* GPI */
	SHOW(ID_ISAR1, 32, 1),		/* FRINTTS */
	SHOW(ID_ISAR1, 36, 1),		/* SB */
	SHOW(ID_ISAR1, ISAR1_SPECRES, 1),	/* 2 has COSP, which is trapped */
	SHOW(ID_ISAR1, 44, 2),		/* BF16 */
	SHOW(ID_ISAR1, 48, 1),		/* DGH */
	SHOW(ID_ISAR1, 52, 1),		/* I8MM */
	SHOW(ID_ISAR1, 56, 1),		/* XS */

	SHOW(ID_ISAR2, 4, 1),		/* RPRES */
	PTRAUTH(ID_ISAR2, 8),		/* GPA3 */
	PTRAUTH(ID_ISAR2, 12),		/* APA3 */
	SHOW(ID_ISAR2, 20, 1),		/* BC */
	PTRAUTH(ID_ISAR2, 24),		/* PAC_frac */
	SHOW(ID_ISAR2, ISAR2_CLRBHB, 1),
	SHOW(ID_ISAR2, 48, 1),		/* RPRFM */
	SHOW(ID_ISAR2, 52, 1),		/* CSSC */

	SHOW(ID_MMFR0, 0, 6),		/* PARange: 52 bits */
	SHOW(ID_MMFR0, 4, 2),		/* ASIDBits */
	SHOW(ID_MMFR0, 8, 1),		/* BigEnd */
	SHOW(ID_MMFR0, 16, 1),		/* BigEndEL0 */
	SHOW(ID_MMFR0, 20, 2),		/* TGran16 */
	SHOW(ID_MMFR0, 24, 15),		/* TGran64: 0 is yes, 15 no */
	SHOW(ID_MMFR0, 28, 15),		/* TGran4: the same, 1 with 52 bits */

	SHOW(ID_MMFR1, 0, 2),		/* HAFDBS */
	SHOW(ID_MMFR1, 12, 2),		/* HPDS */
	SHOW(ID_MMFR1, 20, 3),		/* PAN */
	SHOW(ID_MMFR1, 24, 1),		/* SpecSEI */
	SHOW(ID_MMFR1, 36, 3),		/* ETS */
	SHOW(ID_MMFR1, 44, 1),		/* AFP */
	SHOW(ID_MMFR1, 48, 1),		/* nTLBPA */
	SHOW(ID_MMFR1, MMFR1_ECBHB, 1),

	SHOW(ID_MMFR2, 0, 1),		/* CnP */
	SHOW(ID_MMFR2, 4, 1),		/* UAO */
	SHOW(ID_MMFR2, 8, 1),		/* LSM */
	SHOW(ID_MMFR2, 12, 1),		/* IESB */
	SHOW(ID_MMFR2, 16, 1),		/* VARange: 52 bits */
	SHOW(ID_MMFR2, 28, 1),		/* ST */
	SHOW(ID_MMFR2, 32, 1),		/* AT: LSE2 */
	SHOW(ID_MMFR2, MMFR2_IDS, 1),		/* IDS */
	SHOW(ID_MMFR2, 48, 1),		/* TTL */
	SHOW(ID_MMFR2, 52, 2),		/* BBM */
	SHOW(ID_MMFR2, 60, 1),		/* E0PD */
};

/**
 * struct id_register - where a register's host value comes from
 * @index: in the guest's ID space
 * @enc: its encoding
 * @mask: AArch32 registers only: bits a guest sees, if AArch32 applications can run at all
 *	(without them the values are UNKNOWN and read 0)
 */
struct id_register {
	u8 index;
	u32 enc;
	u32 mask;
};

static const struct id_register registers64[] = {
	{ .index = ID_PFR0, .enc = SYS_ID_AA64PFR0_EL1 },
	{ .index = ID_PFR1, .enc = SYS_ID_AA64PFR1_EL1 },
	{ .index = ID_DFR0, .enc = SYS_ID_AA64DFR0_EL1 },
	{ .index = ID_ISAR0, .enc = SYS_ID_AA64ISAR0_EL1 },
	{ .index = ID_ISAR1, .enc = SYS_ID_AA64ISAR1_EL1 },
	{ .index = ID_ISAR2, .enc = SYS_ID_AA64ISAR2_EL1 },
	{ .index = ID_MMFR0, .enc = SYS_ID_AA64MMFR0_EL1 },
	{ .index = ID_MMFR1, .enc = SYS_ID_AA64MMFR1_EL1 },
	{ .index = ID_MMFR2, .enc = SYS_ID_AA64MMFR2_EL1 },
};

#define NIBBLE(shift) (0xfU << (shift))

static const struct id_register registers32[] = {
	{ VCPU_ID_INDEX(1, 0), SYS_ID_PFR0_EL1, ~(NIBBLE(28) | NIBBLE(20)) },	/* RAS, AMU */
	{ VCPU_ID_INDEX(1, 1), SYS_ID_PFR1_EL1, ~NIBBLE(28) },			/* GIC */
	{ VCPU_ID_INDEX(1, 2), SYS_ID_DFR0_EL1, NIBBLE(0) },			/* CopDbg alone */
	{ VCPU_ID_INDEX(1, 4), SYS_ID_MMFR0_EL1, ~0 },
	{ VCPU_ID_INDEX(1, 5), SYS_ID_MMFR1_EL1, ~0 },
	{ VCPU_ID_INDEX(1, 6), SYS_ID_MMFR2_EL1, ~0 },
	{ VCPU_ID_INDEX(1, 7), SYS_ID_MMFR3_EL1, ~0 },
	{ VCPU_ID_INDEX(2, 0), SYS_ID_ISAR0_EL1, ~0 },
	{ VCPU_ID_INDEX(2, 1), SYS_ID_ISAR1_EL1, ~0 },
	{ VCPU_ID_INDEX(2, 2), SYS_ID_ISAR2_EL1, ~0 },
	{ VCPU_ID_INDEX(2, 3), SYS_ID_ISAR3_EL1, ~0 },
	{ VCPU_ID_INDEX(2, 4), SYS_ID_ISAR4_EL1, ~0 },
	{ VCPU_ID_INDEX(2, 5), SYS_ID_ISAR5_EL1, ~0 },
	{ VCPU_ID_INDEX(2, 6), SYS_ID_MMFR4_EL1, ~0 },
	{ VCPU_ID_INDEX(2, 7), SYS_ID_ISAR6_EL1, ~0 },
	{ VCPU_ID_INDEX(3, 0), SYS_MVFR0_EL1, ~0 },
	{ VCPU_ID_INDEX(3, 1), SYS_MVFR1_EL1, ~0 },
	{ VCPU_ID_INDEX(3, 2), SYS_MVFR2_EL1, ~0 },
	{ VCPU_ID_INDEX(3, 4), SYS_ID_PFR2_EL1, ~0 },
	{ VCPU_ID_INDEX(3, 6), SYS_ID_MMFR5_EL1, ~0 },
};

/* Debug architecture as DFR0 shows it; the encodings are the same (Arm ARM G8.3.18). */
#define DFR0_COPDBG_MAX 8

static u64 field_shown(const struct keel_vm *vm, const struct id_field *f, u64 hw)
{
	u64 val = (hw >> f->shift) & 0xf;

	if (f->ptrauth && !vm->vcpu.ptrauth)
		return 0;
	return min_t(u64, val, f->max) << f->shift;
}

static u64 register_shown(const struct keel_vm *vm, const struct id_register *r)
{
	u64 hw = read_sanitised_ftr_reg(r->enc);
	u64 val = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fields); i++)
		if (fields[i].index == r->index)
			val |= field_shown(vm, &fields[i], hw);
	return val;
}

void idregs_compute(struct keel_vm *vm)
{
	u64 *id = vm->vcpu.id;
	const u64 gic = id[ID_PFR0] & NIBBLE(PFR0_GIC);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(registers64); i++)
		id[registers64[i].index] = register_shown(vm, &registers64[i]);
	id[ID_PFR0] |= 1 << 4 | gic;	/* EL1: AArch64 only */

	if (idregs_field(vm, ID_PFR0, PFR0_EL0) != 2)
		return;
	for (i = 0; i < ARRAY_SIZE(registers32); i++)
		id[registers32[i].index] = read_sanitised_ftr_reg(registers32[i].enc) &
					   registers32[i].mask;
	id[VCPU_ID_INDEX(1, 2)] = min_t(u64, id[VCPU_ID_INDEX(1, 2)], DFR0_COPDBG_MAX);
}

int idregs_set(struct keel_vm *vm, unsigned int index, u64 val)
{
	u64 now = idregs_get(vm, index);
	u64 free = index == ID_PFR0 ? BIT(PFR0_GIC) : 0;

	if (val == now)
		return 0;
	if ((val ^ now) & ~free)
		return -EINVAL;
	if (vm->vcpu.ran)
		return -EBUSY;
	vm->vcpu.id[index] = val;
	return 0;
}
