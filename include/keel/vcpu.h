/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The face of src/vcpu/: a virtual CPU's architectural state. System registers (one row serves
 * trap, reset, KVM_GET_REG_LIST and ONE_REG), ID registers, reset, hypercalls, injection, FP,
 * debug.
 */
#ifndef KEEL_VCPU_H
#define KEEL_VCPU_H

#include <linux/bitmap.h>
#include <linux/kvm.h>
#include <asm/fpsimd.h>

#include <keel/el2.h>

/* System registers that a vCPU has a value of its own for: index into vcpu_state.reg[]. */
enum vcpu_reg {
	VCPU_NO_REG,
	VCPU_MPIDR_EL1,
	VCPU_CSSELR_EL1,
	VCPU_SCTLR_EL1,
	VCPU_ACTLR_EL1,
	VCPU_CPACR_EL1,
	VCPU_TTBR0_EL1,
	VCPU_TTBR1_EL1,
	VCPU_TCR_EL1,
	VCPU_ESR_EL1,
	VCPU_AFSR0_EL1,
	VCPU_AFSR1_EL1,
	VCPU_FAR_EL1,
	VCPU_MAIR_EL1,
	VCPU_VBAR_EL1,
	VCPU_CONTEXTIDR_EL1,
	VCPU_AMAIR_EL1,
	VCPU_CNTKCTL_EL1,
	VCPU_PAR_EL1,
	VCPU_TPIDR_EL0,
	VCPU_TPIDRRO_EL0,
	VCPU_TPIDR_EL1,
	VCPU_SP_EL1,
	VCPU_ELR_EL1,
	VCPU_SPSR_EL1,
	VCPU_DISR_EL1,
	VCPU_MDSCR_EL1,		/* the guest's own; what the hardware gets is computed at enter */
	VCPU_MDCCINT_EL1,
	VCPU_OSLSR_EL1,
	VCPU_DBGVCR32_EL2,	/* these four belong to AArch32 kernels: kept for ONE_REG alone */
	VCPU_DACR32_EL2,
	VCPU_IFSR32_EL2,
	VCPU_FPEXC32_EL2,
	VCPU_APIAKEYLO_EL1, VCPU_APIAKEYHI_EL1,	/* keys stay together, in this order */
	VCPU_APIBKEYLO_EL1, VCPU_APIBKEYHI_EL1,
	VCPU_APDAKEYLO_EL1, VCPU_APDAKEYHI_EL1,
	VCPU_APDBKEYLO_EL1, VCPU_APDBKEYHI_EL1,
	VCPU_APGAKEYLO_EL1, VCPU_APGAKEYHI_EL1,
	VCPU_DBGBVR0_EL1,				/* 16 of each, in this order */
	VCPU_DBGBCR0_EL1 = VCPU_DBGBVR0_EL1 + 16,
	VCPU_DBGWVR0_EL1 = VCPU_DBGBCR0_EL1 + 16,
	VCPU_DBGWCR0_EL1 = VCPU_DBGWVR0_EL1 + 16,
	VCPU_NR_REGS = VCPU_DBGWCR0_EL1 + 16,
};

/* The ID space: op0 = 3, op1 = 0, CRn = 0, CRm = 1-7, op2 = 0-7. */
#define VCPU_NR_ID_REGS 56
#define VCPU_ID_INDEX(crm, op2) (((crm) - 1) * 8 + (op2))

/**
 * struct vcpu_fp - guest FP/SIMD
 * @state: V0-V31, FPSR, FPCR when not in the CPU
 * @used: FP was used lately: each pass is bracketed by fp_begin()/fp_end()
 * @loaded: the guest's registers are in the CPU (EL2 code sets and clears it within a pass)
 * @idle: bracketed passes in a row without FP; after VCPU_FP_IDLE of them @used is cleared
 */
struct vcpu_fp {
	struct user_fpsimd_state state;
	bool used;
	bool loaded;
	unsigned int idle;
};

#define VCPU_FP_IDLE 64

/**
 * struct vcpu_debug - the host's hardware breakpoints and watchpoints while a guest has its own
 * @loaded: the guest's are in the CPU, and newer there than in vcpu_state.reg
 * @mdscr_direct: so is its MDSCR_EL1
 * @host: DBGBVR, DBGBCR, DBGWVR, DBGWCR, 16 of each
 */
struct vcpu_debug {
	bool loaded;
	bool mdscr_direct;
	u64 host[4][16];
};

/**
 * struct vcpu_random - entropy that the first tier hands out by TRNG
 * @word: from the kernel; a used one is cleared
 * @left: how many are unused, the first ones
 */
struct vcpu_random {
	u64 word[24];
	unsigned int left;
};

/**
 * struct vcpu_state - src/vcpu's member of struct keel_vcpu
 * @ctx: general registers, as the switch uses them
 * @reg: system registers when not loaded; while @sysregs_loaded those of EL1 live in the CPU
 * @spsr_aarch32: SPSR_abt, und, irq, fiq: kept for ONE_REG, never loaded
 * @fp: FP/SIMD
 * @debug: host debug registers while the guest's are in the CPU
 * @random: for TRNG
 * @initialised: KVM_ARM_VCPU_INIT was done
 * @ran: KVM_RUN was entered at least once: ID registers are fixed
 * @sysregs_loaded: EL1 registers are in this CPU
 * @power_off: PSCI: off, until CPU_ON; changed under vm->vcpu.psci_lock
 * @suspended: KVM_MP_STATE_SUSPENDED: asleep until there is an interrupt, of which the VMM hears;
 *	means nothing while @power_off; changed under vm->vcpu.psci_lock
 * @cpu_suspend: in PSCI CPU_SUSPEND, where its CPU interface may be off; its own thread writes it
 * @reset: state that CPU_ON left for the target to take over (under vm->psci_lock), with REQ_RESET
 * @vserror: a virtual SError is pending (HCR_EL2.VSE at the next entry)
 * @vserror_esr: its syndrome (VSESR_EL2)
 */
struct vcpu_state {
	struct el2_ctx ctx;
	u64 reg[VCPU_NR_REGS];
	u64 spsr_aarch32[4];
	struct vcpu_fp fp;
	struct vcpu_debug debug;
	struct vcpu_random random;
	bool initialised;
	bool ran;
	bool sysregs_loaded;
	bool power_off;
	bool suspended;
	bool cpu_suspend;
	struct {
		bool pending;
		bool big_endian;
		u64 pc;
		u64 x0;
	} reset;
	bool vserror;
	u64 vserror_esr;
};

/**
 * struct vcpu_vm - src/vcpu's member of struct keel_vm
 * @id: ID registers this VM's guests see (sanitised host values, allow-listed)
 * @features: KVM_ARM_VCPU_* that the first KVM_ARM_VCPU_INIT asked for, the same for all vCPUs;
 *	POWER_OFF is not among them. Under vm->config_lock
 * @configured: @features are fixed
 * @ptrauth: the guest has pointer authentication
 * @psci_version: KVM_REG_ARM_PSCI_VERSION
 * @fw_bmap: KVM_REG_ARM_STD_BMAP, STD_HYP_BMAP, VENDOR_HYP_BMAP
 * @system_suspend: PSCI SYSTEM_SUSPEND is there, and goes to the VMM (KVM_CAP_ARM_SYSTEM_SUSPEND)
 * @psci_lock: serialises CPU_ON and power states of this VM's vCPUs
 * @ran: a vCPU has run: ID and firmware registers are fixed
 */
struct vcpu_vm {
	u64 id[VCPU_NR_ID_REGS];
	u64 features;
	bool configured;
	bool ptrauth;
	u64 psci_version;
	u64 fw_bmap[3];
	bool system_suspend;
	spinlock_t psci_lock;	/* leaf */
	bool ran;
};

/* --- lifetime and reset --- */

/** vcpu_init() - once at insmod: check the register table, note what CPUs share; 0 or -EINVAL */
int vcpu_init(void);

/** vcpu_arch_init_vm() - ID registers and firmware versions of a new VM; called once in create */
void vcpu_arch_init_vm(struct keel_vm *vm);

/** vcpu_arch_create() - zero state, MPIDR by vcpu->id, power on; called once in create */
int vcpu_arch_create(struct keel_vcpu *vcpu);

/**
 * vcpu_arch_init() - KVM_ARM_VCPU_INIT: check target and features, reset
 *
 * Context: vcpu->mutex held, not loaded. Features must be the same for all of a VM and at each
 * repetition. Return: 0, -EINVAL (bad target, changed features), -ENOENT (unknown feature bit).
 */
int vcpu_arch_init(struct keel_vcpu *vcpu, const struct kvm_vcpu_init *init);

/** vcpu_arch_preferred_target() - KVM_ARM_PREFERRED_TARGET */
void vcpu_arch_preferred_target(struct kvm_vcpu_init *init);

/** vcpu_reset() - architectural reset; applies a pending CPU_ON; vcpu->mutex held, not loaded */
void vcpu_reset(struct keel_vcpu *vcpu);

/* --- ONE_REG (src/abi/one_reg.c is the only caller) --- */

/** vcpu_sysreg_list() - ids of all listed system registers to @ids (NULL: count them only) */
unsigned int vcpu_sysreg_list(struct keel_vcpu *vcpu, u64 *ids);

/** vcpu_sysreg_get() - value of a KVM_REG_ARM64_SYSREG or demux id; -ENOENT if not listed */
int vcpu_sysreg_get(struct keel_vcpu *vcpu, u64 id, u64 *val);

/** vcpu_sysreg_set() - set it; -ENOENT, -EINVAL: not a possible value, -EBUSY: fixed by running */
int vcpu_sysreg_set(struct keel_vcpu *vcpu, u64 id, u64 val);

/** vcpu_fw_list() - ids of the firmware registers to @ids (NULL: count them only) */
unsigned int vcpu_fw_list(struct keel_vcpu *vcpu, u64 *ids);

/** vcpu_fw_get() - PSCI version, workarounds, service bitmaps; -ENOENT: not a firmware register */
int vcpu_fw_get(struct keel_vcpu *vcpu, u64 id, u64 *val);

/** vcpu_fw_set() - set it; -ENOENT, -EINVAL: more than keel offers, -EBUSY: fixed by running */
int vcpu_fw_set(struct keel_vcpu *vcpu, u64 id, u64 val);

/**
 * vcpu_read_reg() / vcpu_write_reg() - one of vcpu_state.reg[], from the CPU while it is loaded
 *
 * Context: vcpu->mutex held by the caller (the running thread), preemption may be on: they turn
 * interrupts off for the access.
 */
u64 vcpu_read_reg(struct keel_vcpu *vcpu, enum vcpu_reg r);
void vcpu_write_reg(struct keel_vcpu *vcpu, enum vcpu_reg r, u64 val);

/* --- exit handlers, second tier: > 0 on, 0 to userspace, < 0 error --- */

/** vcpu_handle_sysreg() - trapped MSR, MRS or system instruction: the register table answers */
int vcpu_handle_sysreg(struct keel_vcpu *vcpu);

/** vcpu_handle_hvc() - a hypercall that does something, or an immediate that nobody claims */
int vcpu_handle_hvc(struct keel_vcpu *vcpu);

/** vcpu_handle_smc() - the same by SMC */
int vcpu_handle_smc(struct keel_vcpu *vcpu);

/** vcpu_handle_fp() - first FP use: bracket the passes from now on */
int vcpu_handle_fp(struct keel_vcpu *vcpu);

/** vcpu_handle_wfx() - WFI sleeps until there is something to do, WFE lets others run */
int vcpu_handle_wfx(struct keel_vcpu *vcpu);

/** vcpu_handle_undef() - what this VM does not have: UNDEFINED, and counted */
int vcpu_handle_undef(struct keel_vcpu *vcpu);

/** vcpu_handle_cp15() - coprocessor registers from AArch32 applications */
int vcpu_handle_cp15(struct keel_vcpu *vcpu);

/** vcpu_handle_serror() - an SError the guest caused goes to that guest */
int vcpu_handle_serror(struct keel_vcpu *vcpu);

/* --- exit handlers, first tier: true = back to the guest --- */

/** vcpu_hvc_el2(), vcpu_smc_el2() - calls that are only answers */
bool vcpu_hvc_el2(struct keel_vcpu *vcpu);
bool vcpu_smc_el2(struct keel_vcpu *vcpu);

/** vcpu_wfx_el2() - a WFI that has nothing to wait for */
bool vcpu_wfx_el2(struct keel_vcpu *vcpu);

/** vcpu_sysreg_el2() - register accesses that need nothing but the vCPU; x0-x30 are in ctx */
bool vcpu_sysreg_el2(struct keel_vcpu *vcpu);

/** vcpu_fp_el2() - FP use in a bracketed pass: load the guest's registers */
bool vcpu_fp_el2(struct keel_vcpu *vcpu);

/* --- EL2 services (state_el2.c, fp_el2.c) --- */

/** vcpu_state_load_el2() - the vCPU's EL1 registers into this CPU; what is shared is saved */
void vcpu_state_load_el2(struct keel_vcpu *vcpu, struct prda *p);

/** vcpu_stage1_load_el2() - of these those that translation goes by; nothing is saved */
void vcpu_stage1_load_el2(struct keel_vcpu *vcpu);

/** vcpu_state_put_el2() - the way back */
void vcpu_state_put_el2(struct keel_vcpu *vcpu, struct prda *p);

/** vcpu_state_enter_el2() - what changes on each pass: APIA key, MDSCR_EL1, debug registers */
void vcpu_state_enter_el2(struct keel_vcpu *vcpu, struct prda *p);

/** vcpu_state_leave_el2() - the way back; all of DAIF masked until it returns */
void vcpu_state_leave_el2(struct keel_vcpu *vcpu, struct prda *p);

/** vcpu_fp_leave_el2() - save the guest's FP registers if they are loaded; CPTR_EL2 still open */
void vcpu_fp_leave_el2(struct keel_vcpu *vcpu);

/*
 * --- Injection: second tier, the guest's state changes at once, with ctx.pc at the instruction
 * that gets the exception ---
 */

/** vcpu_inject_sync() - a synchronous exception to EL1 with syndrome @esr, PC as it is */
void vcpu_inject_sync(struct keel_vcpu *vcpu, u64 esr);

/** vcpu_inject_sync_el2() - the same in the first tier, at the instruction that trapped */
void vcpu_inject_sync_el2(u64 esr);

/** vcpu_inject_undef() - UNDEFINED */
void vcpu_inject_undef(struct keel_vcpu *vcpu);

/** vcpu_inject_dabt() - synchronous external abort on a data access to @far */
void vcpu_inject_dabt(struct keel_vcpu *vcpu, struct gva far);

/**
 * vcpu_inject_dabt_fault() - a fault of the guest's own tables on a data access to @far
 * @fsc: fault status code
 */
void vcpu_inject_dabt_fault(struct keel_vcpu *vcpu, struct gva far, u64 fsc, bool write);

/** vcpu_inject_pabt() - the same as vcpu_inject_dabt() on an instruction fetch */
void vcpu_inject_pabt(struct keel_vcpu *vcpu, struct gva far);

/** vcpu_inject_abt_size() - address size fault, level 0: beyond what the guest may address */
void vcpu_inject_abt_size(struct keel_vcpu *vcpu, struct gva far, bool instr);

/** vcpu_inject_serror() - SError with syndrome @esr (ISS), as soon as the guest unmasks it */
void vcpu_inject_serror(struct keel_vcpu *vcpu, u64 esr);

/** vcpu_events_get() - KVM_GET_VCPU_EVENTS; @ev is zero on entry. 0 */
int vcpu_events_get(struct keel_vcpu *vcpu, struct kvm_vcpu_events *ev);

/** vcpu_events_set() - KVM_SET_VCPU_EVENTS; 0, -EINVAL: a syndrome that cannot be */
int vcpu_events_set(struct keel_vcpu *vcpu, const struct kvm_vcpu_events *ev);

/** vcpu_skip() - past the instruction that exited: pc + 4 (2 for T32), BTYPE, SS, IT advanced */
void vcpu_skip(struct keel_vcpu *vcpu);

/* --- FP brackets: task context, interrupts on (switch.md 1.1, 1.4) --- */

/** vcpu_fp_begin() - before a pass: make the CPU's FP registers free, if the guest uses FP */
void vcpu_fp_begin(struct keel_vcpu *vcpu);

/** vcpu_fp_end() - after it */
void vcpu_fp_end(struct keel_vcpu *vcpu);

/* --- PSCI --- */

/**
 * vcpu_system_event() - kvm_run says KVM_EXIT_SYSTEM_EVENT, without data
 * @type: KVM_SYSTEM_EVENT_*
 */
void vcpu_system_event(struct keel_vcpu *vcpu, u32 type);

/**
 * vcpu_psci_system_event() - SYSTEM_OFF, SYSTEM_RESET: all vCPUs of the VM stop, kvm_run says why
 * @type: KVM_SYSTEM_EVENT_*
 * @flags: KVM_SYSTEM_EVENT_*_FLAG_*
 */
void vcpu_psci_system_event(struct keel_vcpu *vcpu, u32 type, u64 flags);

/* --- traps derived from the ID registers shown to the guest (src/vcpu/traps.c) --- */

/**
 * vcpu_traps_base() - every EL2 control register with "default = trap", opened as far as the VM's
 * ID registers show the feature. exits.c adds the bits of active rows.
 */
void vcpu_traps_base(struct keel_vm *vm, struct el2_traps *t);

/* helpers on ctx */
/* PSTATE selects SP_EL0: at EL0, and at EL1 with SPSel = 0. */
static inline bool vcpu_sp_is_el0(u64 pstate)
{
	return !(pstate & 1);
}

static inline u64 ctx_get(const struct el2_ctx *c, unsigned int r)
{
	return r < 31 ? c->x[r] : 0;
}

static inline void ctx_set(struct el2_ctx *c, unsigned int r, u64 v)
{
	if (r < 31)
		c->x[r] = v;
}

#endif /* KEEL_VCPU_H */
