// SPDX-License-Identifier: GPL-2.0
/*
 * THE TABLE of system registers: one row for each that this VM has or answers for, sorted by
 * encoding. A row serves the trap (access), reset (value), KVM_GET_REG_LIST and ONE_REG (home, or
 * get): what is listed reads and writes back by construction. What has no row is UNDEFINED.
 */
#define pr_fmt(fmt) "keel: " fmt

#include <linux/bitfield.h>
#include <linux/irqflags.h>
#include <linux/printk.h>
#include <asm/cache.h>
#include <asm/cputype.h>
#include <asm/cpufeature.h>
#include <asm/ptrace.h>

#include <keel/compat.h>
#include <keel/esr.h>
#include <keel/host.h>
#include <keel/vm.h>

#include "internal.h"

/* How a trapped access ended. */
enum access {
	ACCESS_DONE,		/* past it; a read's value is in *val */
	ACCESS_UNDEF,		/* the guest does not have it, or not in this direction */
	ACCESS_ELSEWHERE,	/* the guest goes on where the PC is: an exception, mostly */
};

/**
 * struct sysreg_row - a system register or instruction
 * @enc: encoding, sys_reg()
 * @access: trapped access; NULL: UNDEFINED
 * @home: its value in vcpu_state.reg[], VCPU_NO_REG if it has none
 * @value: reset value of @home
 * @get: value for ONE_REG of a row without home
 * @set: KVM_SET_ONE_REG; NULL: into @home, or accept only what @get says
 * @visible: does this VM have it; NULL: every VM
 * @el2: first tier's answer, which says itself whether this VM has it; NULL: none
 */
struct sysreg_row {
	u32 enc;
	enum access (*access)(struct keel_vcpu *vcpu, const struct sysreg_row *row, bool write,
			      u64 *val);
	enum vcpu_reg home;
	u64 value;
	u64 (*get)(struct keel_vcpu *vcpu, const struct sysreg_row *row);
	int (*set)(struct keel_vcpu *vcpu, const struct sysreg_row *row, u64 val);
	bool (*visible)(const struct keel_vm *vm);
	sysreg_el2_t el2;
};

/* What guests see of the CPU insmod ran on, whichever CPU they run on now. */
static struct {
	u64 midr;
	u64 revidr;
	u64 aidr;
	u64 ctr;
} cpu_ids __ro_after_init;

/* --- access to registers while they are in the CPU --- */

u64 vcpu_read_reg(struct keel_vcpu *vcpu, enum vcpu_reg r)
{
	u64 val = vcpu->state.reg[r];
	unsigned long flags;

	local_irq_save(flags);
	if (vcpu->state.sysregs_loaded)
		el2_call(vcpu_reg_read_el2, vcpu, r, &val);
	local_irq_restore(flags);
	return val;
}

void vcpu_write_reg(struct keel_vcpu *vcpu, enum vcpu_reg r, u64 val)
{
	unsigned long flags;

	local_irq_save(flags);
	vcpu->state.reg[r] = val;
	if (vcpu->state.sysregs_loaded)
		el2_call(vcpu_reg_write_el2, vcpu, r, val);
	local_irq_restore(flags);
}

/* --- visibility --- */

static bool has_ptrauth(const struct keel_vm *vm)
{
	return vm->vcpu.ptrauth;
}

static bool has_ras(const struct keel_vm *vm)
{
	return idregs_field(vm, ID_PFR0, PFR0_RAS);
}

static bool has_gic(const struct keel_vm *vm)
{
	return vm->vgic.created;
}

/* --- trapped accesses --- */

static enum access access_stored(struct keel_vcpu *vcpu, const struct sysreg_row *row, bool write,
				 u64 *val)
{
	if (write)
		vcpu_write_reg(vcpu, row->home, *val);
	else
		*val = vcpu_read_reg(vcpu, row->home);
	return ACCESS_DONE;
}

static enum access access_raz_wi(struct keel_vcpu *vcpu, const struct sysreg_row *row, bool write,
				 u64 *val)
{
	*val = 0;
	return ACCESS_DONE;
}

static enum access access_raz(struct keel_vcpu *vcpu, const struct sysreg_row *row, bool write,
			      u64 *val)
{
	*val = 0;
	return write ? ACCESS_UNDEF : ACCESS_DONE;
}

/* Read-only, from home or get. */
static enum access access_fixed(struct keel_vcpu *vcpu, const struct sysreg_row *row, bool write,
				u64 *val)
{
	if (write)
		return ACCESS_UNDEF;
	*val = row->home ? vcpu_read_reg(vcpu, row->home) : row->get(vcpu, row);
	return ACCESS_DONE;
}

/* Reads as at reset, writes are ignored. */
static enum access access_constant(struct keel_vcpu *vcpu, const struct sysreg_row *row, bool write,
				   u64 *val)
{
	if (!write)
		*val = vcpu_read_reg(vcpu, row->home);
	return ACCESS_DONE;
}

static bool at_el0(const struct keel_vcpu *vcpu)
{
	u64 pstate = vcpu->state.ctx.pstate;

	return (pstate & PSR_MODE32_BIT) || (pstate & PSR_MODE_MASK) == PSR_MODE_EL0t;
}

static bool is_dcc_call(struct keel_vcpu *vcpu, const struct sysreg_row *row, bool write)
{
	const struct el2_ctx *ctx = &vcpu->state.ctx;

	return row->enc == SYS_MDCCSR_EL0 && !write && esr_sys_rt(ctx->esr) == 31 &&
	       ctx->x[7] >> 32 == BACKDOOR_IMM;
}

/*
 * The debug communication channel: no debugger is there, so it is empty and takes everything. The
 * guest's own MDSCR_EL1.TDCC makes EL0's accesses its kernel's business; hardware has that bit 0
 * (debug_el2.c), so the exception is raised here, with the syndrome it would have had.
 */
static enum access access_dcc(struct keel_vcpu *vcpu, const struct sysreg_row *row, bool write,
			      u64 *val)
{
	if (is_dcc_call(vcpu, row, write) && backdoor_call(vcpu, KEEL_HOOK_BACKDOOR_DCC))
		return ACCESS_ELSEWHERE;
	if (at_el0(vcpu) && vcpu->state.reg[VCPU_MDSCR_EL1] & MDSCR_TDCC) {
		vcpu_inject_sync(vcpu, vcpu->state.ctx.esr);
		return ACCESS_ELSEWHERE;
	}
	*val = 0;
	if (row->enc == SYS_MDCCSR_EL0 && write)
		return ACCESS_UNDEF;
	return ACCESS_DONE;
}

static enum access access_breakpoint(struct keel_vcpu *vcpu, const struct sysreg_row *row,
				     bool write, u64 *val)
{
	if (sys_reg_CRm(row->enc) > idregs_field(vcpu->vm, ID_DFR0, DFR0_BRPS))
		return ACCESS_UNDEF;
	return access_stored(vcpu, row, write, val);
}

static enum access access_watchpoint(struct keel_vcpu *vcpu, const struct sysreg_row *row,
				     bool write, u64 *val)
{
	if (sys_reg_CRm(row->enc) > idregs_field(vcpu->vm, ID_DFR0, DFR0_WRPS))
		return ACCESS_UNDEF;
	return access_stored(vcpu, row, write, val);
}

static enum access access_oslar(struct keel_vcpu *vcpu, const struct sysreg_row *row, bool write,
				u64 *val)
{
	u64 oslsr = OSLSR_OSLM;

	if (!write)
		return ACCESS_UNDEF;
	if (*val & 1)
		oslsr |= OSLSR_OSLK;
	vcpu_write_reg(vcpu, VCPU_OSLSR_EL1, oslsr);
	return ACCESS_DONE;
}

/* No external debugger may do anything: each pair says implemented, disabled (Arm ARM D24.3.5). */
static enum access access_dbgauthstatus(struct keel_vcpu *vcpu, const struct sysreg_row *row,
					bool write, u64 *val)
{
	*val = 0xa;
	return write ? ACCESS_UNDEF : ACCESS_DONE;
}

static enum access access_csselr(struct keel_vcpu *vcpu, const struct sysreg_row *row, bool write,
				 u64 *val)
{
	*val &= 0xf;	/* Level, InD */
	return access_stored(vcpu, row, write, val);
}

/*
 * Caches as guests see them: one data and one instruction cache of one set and one way. The truth
 * would be a loop of thousands of trapped set/way operations, of which each does everything anyway,
 * and would differ from CPU to CPU. Line sizes are real (CTR_EL0).
 */
static u64 ccsidr(unsigned int csselr)
{
	unsigned int words;

	if (csselr > 1)
		return 0;
	words = FIELD_GET(GENMASK(3, 0), csselr ? cpu_ids.ctr : cpu_ids.ctr >> 16);
	return words > 2 ? words - 2 : 0;
}

static enum access access_ccsidr(struct keel_vcpu *vcpu, const struct sysreg_row *row, bool write,
				 u64 *val)
{
	*val = ccsidr(vcpu_read_reg(vcpu, VCPU_CSSELR_EL1));
	return write ? ACCESS_UNDEF : ACCESS_DONE;
}

/*
 * Cache maintenance by set/way. It cannot be passed on: the host moves vCPUs and their memory among
 * CPUs. With FEAT_S2FWB guest memory is coherent whatever the guest's caches are set to; without,
 * all of it is cleaned to the PoC, as its pages are faulted in again.
 */
static enum access access_set_way(struct keel_vcpu *vcpu, const struct sysreg_row *row, bool write,
				  u64 *val)
{
	if (!write)
		return ACCESS_UNDEF;
	if (!host.fwb)
		stage2_refault(vcpu->vm);
	return ACCESS_DONE;
}

static enum access access_sgi(struct keel_vcpu *vcpu, const struct sysreg_row *row, bool write,
			      u64 *val)
{
	if (!write)
		return ACCESS_UNDEF;
	/* With one security state ICC_ASGI1R_EL1 is for the other group, that is group 0. */
	vgic_sgi_write(vcpu, *val, row->enc == SYS_ICC_SGI1R_EL1);
	return ACCESS_DONE;
}

static enum access access_dir(struct keel_vcpu *vcpu, const struct sysreg_row *row, bool write,
			      u64 *val)
{
	if (!write)
		return ACCESS_UNDEF;
	vgic_dir_write(vcpu, *val);
	return ACCESS_DONE;
}

/* System registers enabled, no bypass: SRE, DFB, DIB; writes are ignored. */
static enum access access_icc_sre(struct keel_vcpu *vcpu, const struct sysreg_row *row, bool write,
				  u64 *val)
{
	*val = 7;
	return ACCESS_DONE;
}

static enum access access_ptimer(struct keel_vcpu *vcpu, const struct sysreg_row *row, bool write,
				 u64 *val)
{
	enum vtimer_reg reg = sysreg_timer_reg(row->enc);

	if (write && reg == VTIMER_CNT)
		return ACCESS_UNDEF;
	if (write)
		vtimer_phys_write(vcpu, reg, *val);
	else
		*val = vtimer_phys_read(vcpu, reg);
	return ACCESS_DONE;
}

/* --- values and setters of ONE_REG --- */

static unsigned int row_id_index(const struct sysreg_row *row)
{
	return VCPU_ID_INDEX(sys_reg_CRm(row->enc), sys_reg_Op2(row->enc));
}

static u64 get_id(struct keel_vcpu *vcpu, const struct sysreg_row *row)
{
	return idregs_get(vcpu->vm, row_id_index(row));
}

static int set_id(struct keel_vcpu *vcpu, const struct sysreg_row *row, u64 val)
{
	int ret;

	mutex_lock(&vcpu->vm->config_lock);
	ret = idregs_set(vcpu->vm, row_id_index(row), val);
	mutex_unlock(&vcpu->vm->config_lock);
	return ret;
}

static u64 get_midr(struct keel_vcpu *vcpu, const struct sysreg_row *row)
{
	return cpu_ids.midr;
}

static u64 get_revidr(struct keel_vcpu *vcpu, const struct sysreg_row *row)
{
	return cpu_ids.revidr;
}

static u64 get_aidr(struct keel_vcpu *vcpu, const struct sysreg_row *row)
{
	return cpu_ids.aidr;
}

static u64 get_ctr(struct keel_vcpu *vcpu, const struct sysreg_row *row)
{
	return cpu_ids.ctr;
}

/*
 * Goes with ccsidr(): level 1 has separate caches, coherency is at its end; nothing needs cleaning
 * to unification if CTR_EL0.IDC says so.
 */
static u64 get_clidr(struct keel_vcpu *vcpu, const struct sysreg_row *row)
{
	u64 unification = host.cache_idc ? 0 : 1;

	return FIELD_PREP(GENMASK(2, 0), 3) |			/* Ctype1 */
	       FIELD_PREP(GENMASK(23, 21), unification) |	/* LoUIS */
	       FIELD_PREP(GENMASK(26, 24), 1) |			/* LoC */
	       FIELD_PREP(GENMASK(29, 27), unification);	/* LoUU */
}

static int set_same(struct keel_vcpu *vcpu, const struct sysreg_row *row, u64 val)
{
	u64 now = row->home ? vcpu_read_reg(vcpu, row->home) : row->get(vcpu, row);

	return val == now ? 0 : -EINVAL;
}

static int set_oslsr(struct keel_vcpu *vcpu, const struct sysreg_row *row, u64 val)
{
	if ((val ^ OSLSR_OSLM) & ~(u64)OSLSR_OSLK)
		return -EINVAL;
	vcpu_write_reg(vcpu, VCPU_OSLSR_EL1, val);
	return 0;
}

/* --- the rows --- */

/* Has a value: listed, reset to @reset, read and written where it traps. */
#define STORED(name, reset)						\
	{ .enc = SYS_##name, .access = access_stored, .home = VCPU_##name, .value = reset }
/* The same for registers whose value is never in the CPU: EL2 can read it. */
#define SHADOWED(name, reset)						\
	{ .enc = SYS_##name, .access = access_stored, .home = VCPU_##name, .value = reset, \
	  .el2 = sysreg_read_el2 }
/* The same for what belongs to AArch32 kernels: UNDEFINED for the guest. */
#define KEPT(name, reset)	{ .enc = SYS_##name, .home = VCPU_##name, .value = reset }
/* Answered, not listed. */
#define ANSWERED(name, fn)	{ .enc = SYS_##name, .access = fn }
/* Listed, read-only, the same for every vCPU. */
#define FIXED(name, fn)							\
	{ .enc = SYS_##name, .access = access_fixed, .get = fn, .set = set_same, \
	  .el2 = sysreg_constant_el2 }
/* Has a value, with an access or a setter of its own. */
#define SPECIAL(name, fn, ...)						\
	{ .enc = SYS_##name, .access = fn, .home = VCPU_##name, ##__VA_ARGS__ }

#define KEY(name)							\
	SPECIAL(name##KEYLO_EL1, access_stored, .visible = has_ptrauth),	\
	SPECIAL(name##KEYHI_EL1, access_stored, .visible = has_ptrauth)

#define DBG(n, op2, fn, first)						\
	{ .enc = sys_reg(2, 0, 0, n, op2), .access = fn, .home = (first) + (n),	\
	  .el2 = sysreg_debug_el2 }
#define DEBUG(n)							\
	DBG(n, 4, access_breakpoint, VCPU_DBGBVR0_EL1),			\
	DBG(n, 5, access_breakpoint, VCPU_DBGBCR0_EL1),			\
	DBG(n, 6, access_watchpoint, VCPU_DBGWVR0_EL1),			\
	DBG(n, 7, access_watchpoint, VCPU_DBGWCR0_EL1)

#define ID(crm, op2) {							\
	.enc = sys_reg(3, 0, 0, crm, op2), .access = access_fixed,	\
	.get = get_id, .set = set_id					\
}

#define ID_8(crm)							\
	ID(crm, 0), ID(crm, 1), ID(crm, 2), ID(crm, 3),			\
	ID(crm, 4), ID(crm, 5), ID(crm, 6), ID(crm, 7)

#define RAS(name, fn)	{ .enc = SYS_##name, .access = fn, .visible = has_ras }
#define GIC(name, fn)	{ .enc = SYS_##name, .access = fn, .visible = has_gic }

static const struct sysreg_row rows[] = {
	ANSWERED(DC_ISW, access_set_way),
	ANSWERED(DC_CSW, access_set_way),
	ANSWERED(DC_CISW, access_set_way),

	ANSWERED(OSDTRRX_EL1, access_raz_wi),
	DEBUG(0),
	DEBUG(1),
	SHADOWED(MDCCINT_EL1, 0),
	SPECIAL(MDSCR_EL1, access_stored),	/* traps are answered by el2_sysreg */
	DEBUG(2),
	ANSWERED(OSDTRTX_EL1, access_raz_wi),
	DEBUG(3),
	DEBUG(4),
	DEBUG(5),
	ANSWERED(OSECCR_EL1, access_raz_wi),
	DEBUG(6),
	DEBUG(7),
	DEBUG(8),
	DEBUG(9),
	DEBUG(10),
	DEBUG(11),
	DEBUG(12),
	DEBUG(13),
	DEBUG(14),
	DEBUG(15),
	ANSWERED(MDRAR_EL1, access_raz),
	ANSWERED(OSLAR_EL1, access_oslar),
	SPECIAL(OSLSR_EL1, access_fixed, .value = OSLSR_OSLM, .set = set_oslsr,
		.el2 = sysreg_read_el2),
	ANSWERED(OSDLR_EL1, access_raz_wi),	/* no external debugger: nothing to lock */
	ANSWERED(DBGPRCR_EL1, access_raz_wi),
	ANSWERED(DBGCLAIMSET_EL1, access_raz_wi),
	ANSWERED(DBGCLAIMCLR_EL1, access_raz_wi),
	ANSWERED(DBGAUTHSTATUS_EL1, access_dbgauthstatus),
	ANSWERED(MDCCSR_EL0, access_dcc),
	ANSWERED(DBGDTR_EL0, access_dcc),
	ANSWERED(DBGDTRTX_EL0, access_dcc),	/* reads are DBGDTRRX_EL0 */
	KEPT(DBGVCR32_EL2, 0),

	FIXED(MIDR_EL1, get_midr),
	SPECIAL(MPIDR_EL1, access_fixed, .set = set_same),
	FIXED(REVIDR_EL1, get_revidr),
	ID_8(1), ID_8(2), ID_8(3), ID_8(4), ID_8(5), ID_8(6), ID_8(7),

	/* SCTLR_EL1: RES1 bits of Armv8.0, everything off (Arm ARM D24.2.175) */
	STORED(SCTLR_EL1, 0x00c50078),
	SPECIAL(ACTLR_EL1, access_constant, .set = set_same),
	STORED(CPACR_EL1, 0),
	STORED(TTBR0_EL1, 0),
	STORED(TTBR1_EL1, 0),
	STORED(TCR_EL1, 0),
	KEY(APIA),
	KEY(APIB),
	KEY(APDA),
	KEY(APDB),
	KEY(APGA),
	STORED(AFSR0_EL1, 0),
	STORED(AFSR1_EL1, 0),
	STORED(ESR_EL1, 0),
	/* Error records: there are none (ERRIDR_EL1.NUM = 0) */
	RAS(ERRIDR_EL1, access_raz),
	RAS(ERRSELR_EL1, access_raz_wi),
	RAS(ERXFR_EL1, access_raz),
	RAS(ERXCTLR_EL1, access_raz_wi),
	RAS(ERXSTATUS_EL1, access_raz_wi),
	RAS(ERXADDR_EL1, access_raz_wi),
	RAS(ERXMISC0_EL1, access_raz_wi),
	RAS(ERXMISC1_EL1, access_raz_wi),
	STORED(FAR_EL1, 0),
	STORED(PAR_EL1, 0),
	STORED(MAIR_EL1, 0),
	STORED(AMAIR_EL1, 0),
	STORED(VBAR_EL1, 0),
	STORED(DISR_EL1, 0),
	GIC(ICC_DIR_EL1, access_dir),
	{ .enc = SYS_ICC_SGI1R_EL1, .access = access_sgi, .visible = has_gic,
	  .el2 = sysreg_sgi_el2 },
	GIC(ICC_ASGI1R_EL1, access_sgi),
	GIC(ICC_SGI0R_EL1, access_sgi),
	GIC(ICC_SRE_EL1, access_icc_sre),
	STORED(CONTEXTIDR_EL1, 0),
	STORED(TPIDR_EL1, 0),
	STORED(CNTKCTL_EL1, 0),
	ANSWERED(CCSIDR_EL1, access_ccsidr),
	FIXED(CLIDR_EL1, get_clidr),
	FIXED(AIDR_EL1, get_aidr),
	SPECIAL(CSSELR_EL1, access_csselr),
	FIXED(CTR_EL0, get_ctr),
	STORED(TPIDR_EL0, 0),
	STORED(TPIDRRO_EL0, 0),
	{ .enc = SYS_CNTPCT_EL0, .access = access_ptimer, .el2 = sysreg_ptimer_el2 },
	{ .enc = SYS_CNTP_TVAL_EL0, .access = access_ptimer, .el2 = sysreg_ptimer_el2 },
	{ .enc = SYS_CNTP_CTL_EL0, .access = access_ptimer, .el2 = sysreg_ptimer_el2 },
	{ .enc = SYS_CNTP_CVAL_EL0, .access = access_ptimer, .el2 = sysreg_ptimer_el2 },
	KEPT(DACR32_EL2, 0),
	KEPT(IFSR32_EL2, 0),
	KEPT(FPEXC32_EL2, 0x700),
};

static const struct sysreg_row *find_row(const struct keel_vm *vm, u32 enc)
{
	unsigned int lo = 0, hi = ARRAY_SIZE(rows);

	while (lo < hi) {
		unsigned int mid = lo + (hi - lo) / 2;

		if (rows[mid].enc < enc)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == ARRAY_SIZE(rows) || rows[lo].enc != enc)
		return NULL;
	return !rows[lo].visible || rows[lo].visible(vm) ? &rows[lo] : NULL;
}

/* Binary search and the list rely on it; a row in the wrong place would never be found. */
static int check_rows(void)
{
	unsigned int i;

	for (i = 1; i < ARRAY_SIZE(rows); i++) {
		if (rows[i - 1].enc < rows[i].enc)
			continue;
		pr_err("register table: row %u (0x%x) is out of order\n", i, rows[i].enc);
		return -EINVAL;
	}
	return 0;
}

static int __init list_el2_rows(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		u32 enc = rows[i].enc;
		u32 key = ESR_ELx_SYS64_ISS_SYS_VAL(sys_reg_Op0(enc), sys_reg_Op1(enc),
						    sys_reg_Op2(enc), sys_reg_CRn(enc),
						    sys_reg_CRm(enc));
		u32 slot = sysreg_el2_hash(key);

		if (!rows[i].el2)
			continue;
		if (WARN_ON(++n > SYSREG_EL2_SLOTS / 2))
			return -EINVAL;
		while (sysreg_el2_rows[slot].answer)
			slot = (slot + 1) % SYSREG_EL2_SLOTS;
		sysreg_el2_rows[slot] = (struct sysreg_el2_row) {
			.enc = enc, .key = key, .home = rows[i].home, .answer = rows[i].el2,
			.value = rows[i].get ? rows[i].get(NULL, &rows[i]) : 0,
		};
	}
	return 0;
}

int __init vcpu_init(void)
{
	int ret = check_rows();

	if (ret)
		return ret;
	cpu_ids.midr = read_cpuid_id();
	cpu_ids.revidr = read_sysreg(revidr_el1);
	cpu_ids.aidr = read_sysreg(aidr_el1);
	cpu_ids.ctr = read_sanitised_ftr_reg(SYS_CTR_EL0);
	hypercalls_init();
	return list_el2_rows();
}

/* --- trap --- */

/*
 * FEAT_IDST: what is UNDEFINED among the feature registers (op0 = 3, op1 = 0, 1, 3, CRn = 0, CRm
 * below 8) is reported as a trapped access, for software that emulates them (Arm ARM D24.2.40).
 */
static bool reads_feature(const struct keel_vm *vm, u64 esr)
{
	u32 enc = esr_sys64_to_sysreg(esr);

	return idregs_field(vm, ID_MMFR2, MMFR2_IDS) && esr_sys_is_read(esr) &&
	       sys_reg_Op0(enc) == 3 && !sys_reg_CRn(enc) && sys_reg_CRm(enc) < 8 &&
	       (sys_reg_Op1(enc) < 2 || sys_reg_Op1(enc) == 3);
}

static int reject_sysreg(struct keel_vcpu *vcpu)
{
	if (!reads_feature(vcpu->vm, vcpu->state.ctx.esr))
		return vcpu_handle_undef(vcpu);
	vcpu_count(vcpu, COUNT_UNDEF);
	vcpu_inject_sync(vcpu, vcpu->state.ctx.esr);
	return 1;
}

int vcpu_handle_sysreg(struct keel_vcpu *vcpu)
{
	struct el2_ctx *ctx = &vcpu->state.ctx;
	bool write = !esr_sys_is_read(ctx->esr);
	unsigned int rt = esr_sys_rt(ctx->esr);
	const struct sysreg_row *row = find_row(vcpu->vm, esr_sys64_to_sysreg(ctx->esr));
	u64 val = write ? ctx_get(ctx, rt) : 0;

	switch (row && row->access ? row->access(vcpu, row, write, &val) : ACCESS_UNDEF) {
	case ACCESS_DONE:
		if (!write)
			ctx_set(ctx, rt, val);
		vcpu_skip(vcpu);
		return 1;
	case ACCESS_ELSEWHERE:
		return 1;
	default:
		return reject_sysreg(vcpu);
	}
}

/* --- reset --- */

void sysregs_reset(struct keel_vcpu *vcpu)
{
	u64 mpidr = vcpu->state.reg[VCPU_MPIDR_EL1];
	unsigned int i;

	memset(vcpu->state.reg, 0, sizeof(vcpu->state.reg));
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].home)
			vcpu->state.reg[rows[i].home] = rows[i].value;
	vcpu->state.reg[VCPU_MPIDR_EL1] = mpidr;
}

/* --- ONE_REG --- */

#define SYSREG_ID	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM64_SYSREG)
#define CCSIDR_ID	(KVM_REG_ARM64 | KVM_REG_SIZE_U32 | KVM_REG_ARM_DEMUX | \
			 KVM_REG_ARM_DEMUX_ID_CCSIDR)
#define NR_CCSIDR	2

/* The fields of sys_reg() and of KVM's ids lie in the same order, five bits apart. */
static u64 row_id(const struct sysreg_row *row)
{
	return SYSREG_ID | row->enc >> Op2_shift;
}

static const struct sysreg_row *find_listed(const struct keel_vm *vm, u64 id)
{
	const struct sysreg_row *row;

	if ((id & ~0xffffULL) != SYSREG_ID)
		return NULL;
	row = find_row(vm, (id & 0xffff) << Op2_shift);
	return row && (row->home || row->get) ? row : NULL;
}

static bool is_ccsidr(u64 id)
{
	return id - CCSIDR_ID < NR_CCSIDR;
}

unsigned int vcpu_sysreg_list(struct keel_vcpu *vcpu, u64 *ids)
{
	unsigned int i, n = 0;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!find_listed(vcpu->vm, row_id(&rows[i])))
			continue;
		if (ids)
			ids[n] = row_id(&rows[i]);
		n++;
	}
	for (i = 0; i < NR_CCSIDR; i++, n++)
		if (ids)
			ids[n] = CCSIDR_ID + i;
	return n;
}

int vcpu_sysreg_get(struct keel_vcpu *vcpu, u64 id, u64 *val)
{
	const struct sysreg_row *row;

	if (is_ccsidr(id)) {
		*val = ccsidr(id - CCSIDR_ID);
		return 0;
	}
	row = find_listed(vcpu->vm, id);
	if (!row)
		return -ENOENT;
	*val = row->home ? vcpu_read_reg(vcpu, row->home) : row->get(vcpu, row);
	return 0;
}

int vcpu_sysreg_set(struct keel_vcpu *vcpu, u64 id, u64 val)
{
	const struct sysreg_row *row;

	if (is_ccsidr(id))
		return val == ccsidr(id - CCSIDR_ID) ? 0 : -EINVAL;
	row = find_listed(vcpu->vm, id);
	if (!row)
		return -ENOENT;
	if (row->set)
		return row->set(vcpu, row, val);
	vcpu_write_reg(vcpu, row->home, val);
	return 0;
}
