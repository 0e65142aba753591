/* SPDX-License-Identifier: GPL-2.0 */
/* Among the files of src/vcpu/. */
#ifndef KEEL_VCPU_INTERNAL_H
#define KEEL_VCPU_INTERNAL_H

#include <linux/types.h>
#include <asm/esr.h>

#include <keel/vcpu.h>
#include <keel/vtimer.h>

struct keel_vm;
struct keel_vcpu;

/* --- idregs.c --- */

/** idregs_compute() - vm->vcpu.id[] from the host's registers and the VM's features */
void idregs_compute(struct keel_vm *vm);

/** idregs_get() - an ID register as the guest sees it; any context, at EL2 too (sysregs_el2.c) */
u64 idregs_get(const struct keel_vm *vm, unsigned int index);

/** idregs_set() - KVM_SET_ONE_REG: 0 if @val is what the guest sees anyway, -EINVAL otherwise */
int idregs_set(struct keel_vm *vm, unsigned int index, u64 val);

/** idregs_field() - a four-bit field of an ID register as the guest sees it */
unsigned int idregs_field(const struct keel_vm *vm, unsigned int index, unsigned int shift);

#define ID_PFR0		VCPU_ID_INDEX(4, 0)
#define ID_PFR1		VCPU_ID_INDEX(4, 1)
#define ID_DFR0		VCPU_ID_INDEX(5, 0)
#define ID_ISAR0	VCPU_ID_INDEX(6, 0)
#define ID_ISAR1	VCPU_ID_INDEX(6, 1)
#define ID_ISAR2	VCPU_ID_INDEX(6, 2)
#define ID_MMFR0	VCPU_ID_INDEX(7, 0)
#define ID_MMFR1	VCPU_ID_INDEX(7, 1)
#define ID_MMFR2	VCPU_ID_INDEX(7, 2)

/* Shifts of the fields that code asks for. */
#define PFR0_EL0	0
#define PFR0_GIC	24
#define PFR0_RAS	28
#define PFR0_CSV2	56
#define PFR1_SSBS	4
#define DFR0_BRPS	12
#define DFR0_WRPS	20
#define ISAR1_SPECRES	40
#define ISAR2_CLRBHB	28
#define MMFR1_ECBHB	60
#define MMFR2_IDS	36

/* --- sysregs.c --- */

/** sysregs_reset() - every system register but MPIDR_EL1 to its reset value; vCPU not loaded */
void sysregs_reset(struct keel_vcpu *vcpu);

/* --- hypercalls.c, hypercalls_el2.c --- */

/* vcpu_vm.fw_bmap[] */
enum { FW_STD, FW_STD_HYP, FW_VENDOR_HYP };

/** hypercalls_init() - once at insmod: which Spectre workarounds this machine does not need */
void hypercalls_init(void);

/** hypercalls_init_vm() - newest PSCI, all services */
void hypercalls_init_vm(struct keel_vm *vm);

/* What SMCCC_ARCH_FEATURES says of SMCCC_ARCH_WORKAROUND_1 to 3; set at insmod. */
extern u64 smccc_workaround[3];

/**
 * smccc_answer_el2() - what a call returns, if the VM's configuration alone decides it
 * @fn: function id, W0
 * @arg: X1
 * @ret: X0 of the answer
 *
 * Context: any, at EL2 and in the kernel: it reads the VM alone. Return: false if the call does
 * something or needs the host.
 */
bool smccc_answer_el2(const struct keel_vm *vm, u32 fn, u64 arg, u64 *ret);

/**
 * trng_answer_el2() - the services of TRNG that return several registers
 *
 * Context: first tier, or the kernel with the vCPU's mutex. Return: false: not one of them, or
 * there is no entropy left in vcpu_state.random.
 */
bool trng_answer_el2(struct keel_vcpu *vcpu);

/* --- sysregs_el2.c --- */

struct sysreg_el2_row;

/* Reads or writes @val; false: the second tier's business. */
typedef bool (*sysreg_el2_t)(struct keel_vcpu *vcpu, const struct sysreg_el2_row *row, bool write,
			     u64 *val);

/**
 * struct sysreg_el2_row - a row of the register table that EL2 answers
 * @enc: encoding, sys_reg()
 * @key: the same as a trap's syndrome has it, sysreg_el2_key()
 * @home: its value in vcpu_state.reg[]
 * @value: of one that is the same for every vCPU
 * @answer: what answers it
 */
struct sysreg_el2_row {
	u32 enc;
	u32 key;
	enum vcpu_reg home;
	u64 value;
	sysreg_el2_t answer;
};

#define SYSREG_EL2_SLOTS 256	/* a power of two, at least twice as many as rows */

/* By sysreg_el2_hash(), or the next free slot; filled in from the register table at insmod. */
extern struct sysreg_el2_row sysreg_el2_rows[SYSREG_EL2_SLOTS];

/* What a trap's syndrome (ESR_ELx, EC 0x18) says of the register alone. */
static __always_inline u32 sysreg_el2_key(u64 esr)
{
	return esr & ESR_ELx_SYS64_ISS_SYS_MASK;
}

/* CRm and Op2 apart, the others folded in: rows of one kind do not collide. */
static __always_inline u32 sysreg_el2_hash(u32 key)
{
	return (key >> 1 ^ key >> 13) % SYSREG_EL2_SLOTS;
}

/** sysreg_read_el2() - reads what is in vcpu_state.reg[] even while the vCPU is loaded */
bool sysreg_read_el2(struct keel_vcpu *vcpu, const struct sysreg_el2_row *row, bool write,
		     u64 *val);

/** sysreg_constant_el2() - reads @row->value */
bool sysreg_constant_el2(struct keel_vcpu *vcpu, const struct sysreg_el2_row *row, bool write,
			 u64 *val);

/** sysreg_debug_el2() - breakpoints and watchpoints, as many as the guest has */
bool sysreg_debug_el2(struct keel_vcpu *vcpu, const struct sysreg_el2_row *row, bool write,
		      u64 *val);

/** sysreg_ptimer_el2() - the physical timer and its counter */
bool sysreg_ptimer_el2(struct keel_vcpu *vcpu, const struct sysreg_el2_row *row, bool write,
		       u64 *val);

/** sysreg_timer_reg() - which register of the physical timer has encoding @enc */
enum vtimer_reg sysreg_timer_reg(u32 enc);

/** sysreg_sgi_el2() - ICC_SGI1R_EL1 */
bool sysreg_sgi_el2(struct keel_vcpu *vcpu, const struct sysreg_el2_row *row, bool write, u64 *val);

/* --- inject_el2.c --- */

/**
 * vcpu_enter_vector() - from where an exception is taken to its handler at EL1
 * @pc, @pstate: changed from one to the other
 * @vbar, @sctlr: VBAR_EL1, SCTLR_EL1
 *
 * Context: any, at EL2 and in the kernel.
 */
void vcpu_enter_vector(u64 *pc, u64 *pstate, u64 vbar, u64 sctlr);

/* --- state_el2.c --- */

/**
 * vcpu_reg_read_el2() - the value of a register that is in the CPU
 * @val: filled in if @which is there, left alone otherwise
 *
 * Context: vCPU loaded, interrupts off.
 */
void vcpu_reg_read_el2(const struct keel_vcpu *vcpu, enum vcpu_reg which, u64 *val);

/** vcpu_reg_write_el2() - the same for writing; nothing if @which is not in the CPU */
void vcpu_reg_write_el2(const struct keel_vcpu *vcpu, enum vcpu_reg which, u64 val);

/* --- fp_el2_asm.S --- */

/** fp_el2_save() - V0-V31, FPSR, FPCR to memory; EL2 code, CPTR_EL2.FPEN open */
void fp_el2_save(struct user_fpsimd_state *to);

/** fp_el2_load() - the way back */
void fp_el2_load(const struct user_fpsimd_state *from);

/* --- debug_el2.c: MDSCR_EL1, breakpoints, watchpoints --- */

/** vcpu_debug_enter_el2() - what the guest enabled into the CPU; all of DAIF masked */
void vcpu_debug_enter_el2(struct keel_vcpu *vcpu, struct prda *p);

/** vcpu_debug_leave_el2() - the host's back; all of DAIF masked until it returns */
void vcpu_debug_leave_el2(struct keel_vcpu *vcpu, struct prda *p);

/**
 * vcpu_debug_access_el2() - the guest reads or writes one of its breakpoints and watchpoints
 * @kind: 0 to 3: DBGBVR, DBGBCR, DBGWVR, DBGWCR
 * @i: its number
 * @home: its place in vcpu_state.reg
 *
 * Context: first tier.
 */
void vcpu_debug_access_el2(struct keel_vcpu *vcpu, unsigned int kind, unsigned int i,
			   unsigned int home, bool write, u64 *val);

/** vcpu_debug_mdscr_write_el2() - the guest writes MDSCR_EL1, which traps; first tier, true */
bool vcpu_debug_mdscr_write_el2(struct keel_vcpu *vcpu, u64 val);

/** vcpu_debug_mdscr_was_read_el2() - it has read it; first tier, true */
bool vcpu_debug_mdscr_was_read_el2(struct keel_vcpu *vcpu);

#define MDSCR_SS	BIT(0)	/* software step */
#define MDSCR_TDCC	BIT(12)	/* EL0's DCC accesses trap to EL1 */
#define MDSCR_KDE	BIT(13)	/* debug exceptions within EL1 */
#define MDSCR_MDE	BIT(15)	/* breakpoints, watchpoints */
#define OSLSR_OSLK	BIT(1)	/* OS lock: no debug exceptions but BRK */
#define OSLSR_OSLM	BIT(3)	/* the OS lock exists */

#endif /* KEEL_VCPU_INTERNAL_H */
