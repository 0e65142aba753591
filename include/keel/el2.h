/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The face of src/el2/: what runs while guest state is in the CPU, and how the kernel asks for it.
 *
 * The EL2 rule (Documentation/design.md): code in src/el2/ and *_el2.c touches no `current`, no
 * Linux lock, no printk, no tracing; it does not sleep, allocate or use FP.
 */
#ifndef KEEL_EL2_H
#define KEEL_EL2_H

/* Offsets the assembly uses; src/el2/check.c asserts each against its struct. */
#define CTX_X(n)	((n) * 8)
#define CTX_SP_EL0	248
#define CTX_PC		256
#define CTX_PSTATE	264
#define CTX_EXIT	272
#define CTX_ESR		280
#define CTX_HANDLERS	320
#define CTX_ANSWERED	328
#define VCPU_MDSCR	1072	/* vcpu_state.reg[VCPU_MDSCR_EL1] */
#define PRDA_HOST_TPIDR	0
#define PRDA_HOST_SP_EL0 8
#define PRDA_HOST_VBAR	16
#define PRDA_HOST_HCR	24
#define PRDA_HOST_MDCR	32
#define PRDA_HOST_CPTR	40
#define PRDA_SERROR	48
#define PRDA_BHB_LOOPS	56

/* Which vector took the exit; a synchronous exit's row is its exception class (0-63). */
#define EL2_EXIT_IRQ	64
#define EL2_EXIT_FIQ	65
#define EL2_EXIT_SERROR	66
#define EL2_NR_EXITS	67

/* What run_dabt_el2() says besides false and true */
#define EL2_DABT_DEVICE	2

#ifndef __ASSEMBLY__

#include <linux/compiler.h>
#include <linux/irqflags.h>
#include <linux/lockdep.h>
#include <linux/types.h>
#include <asm/barrier.h>
#include <asm/debug-monitors.h>
#include <asm/ptrace.h>
#include <asm/sysreg.h>

#include <keel/types.h>

struct keel_vm;
struct keel_vcpu;

/*
 * Marks a function of the EL2 objects; Kbuild puts their text where kprobes and ftrace refuse to
 * go.
 */
#define __el2 notrace

/*
 * A row's handler in the first tier: true = back to the guest. One that reads or writes a general
 * register of the guest by number has an entry in switch.S that brings it (one_reg_handler).
 */
typedef bool (*el2_handler_t)(struct keel_vcpu *vcpu);

/**
 * struct el2_ctx - a vCPU's registers as the switch sees them, and why it left
 *
 * In the first tier only x0-x7, x16, x17, x29 and x30 are here; the rest is in the CPU until the
 * leave: x8-x15 and x18-x28 (a handler behind one_reg_handler of switch.S finds the one it needs),
 * ELR_EL2, SPSR_EL2, SP_EL0.
 *
 * @x: x0-x30
 * @sp_el0: SP_EL0
 * @pc: ELR_EL2 at exit and entry
 * @pstate: SPSR_EL2 at exit and entry
 * @exit: row of the exit: exception class, or EL2_EXIT_IRQ, FIQ, SERROR
 * @esr: ESR_EL2 of the exit
 * @far: FAR_EL2, of aborts
 * @fault_ipa: IPA of a stage-2 fault, offset inside the page included; valid if @fault_ipa_valid
 * @fault_ipa_valid: false if the walk that finds it failed: go back to the guest and let it fault
 *	again (switch.md 2.8: a failing AT is a retry)
 * @disr: DISR_EL1 (A is bit 31) of a guest SError consumed on the way out, 0 if none
 * @handlers: the first tier's, el2_handlers or el2_handlers_traced
 * @answered: exits of each row that the first tier answered
 */
struct el2_ctx {
	u64 x[31];
	u64 sp_el0;
	u64 pc;
	u64 pstate;
	u64 exit;
	u64 esr;
	u64 far;
	struct ipa fault_ipa;
	u64 fault_ipa_valid;
	u64 disr;
	const el2_handler_t *handlers;
	u64 answered[EL2_NR_EXITS];
};

/**
 * el2_exit_arg() - what an exit is about, beside its syndrome
 * @exit: its row
 * @x0: the guest's, at the exit
 *
 * Return: the function of a hypercall, the IPA of an abort, else 0.
 */
static __always_inline u64 el2_exit_arg(const struct el2_ctx *ctx, u64 exit, u64 x0)
{
	if (exit == ESR_ELx_EC_HVC64 || exit == ESR_ELx_EC_SMC64)
		return x0;
	if (exit == ESR_ELx_EC_IABT_LOW || exit == ESR_ELx_EC_DABT_LOW)
		return ctx->fault_ipa.v;
	return 0;
}

enum el2_fgt {
	EL2_HFGRTR, EL2_HFGWTR, EL2_HFGITR, EL2_HDFGRTR, EL2_HDFGWTR, EL2_HAFGRTR,
	EL2_HFGRTR2, EL2_HFGWTR2, EL2_HFGITR2, EL2_HDFGRTR2, EL2_HDFGWTR2,
	EL2_NR_FGT,
	EL2_NR_FGT1 = EL2_HFGRTR2,
};

/**
 * struct el2_traps - the EL2 control registers while a guest runs
 *
 * Written by traps_compute() alone (src/exits.c). @fgt is used only as far as the CPU has
 * FEAT_FGT and FEAT_FGT2. @mdcr is or-ed with the host's HPMN, E2PB and E2TB on each load.
 */
struct el2_traps {
	u64 hcr;
	u64 hcrx;
	u64 cptr;
	u64 mdcr;
	u64 hstr;
	u64 cnthctl;
	u64 ich_hcr;
	u64 fgt[EL2_NR_FGT];
};

/**
 * struct el2_lock - a ticket lock that EL2 code and the kernel share
 *
 * Only with all of DAIF masked (EL2) or by el2_lock_irqsave() (kernel): a Linux spinlock writes
 * through `current`, which in the first tier is a pointer that the guest chose.
 */
struct el2_lock {
	union {
		u32 val;
		struct {
			u16 owner;
			u16 next;
		};
	};
#ifdef CONFIG_DEBUG_LOCK_ALLOC
	struct lockdep_map dep_map;
#endif
};

void el2_lock_init_key(struct el2_lock *l, const char *name, struct lock_class_key *key);

/** el2_lock_init() - initialise @l; one lockdep class per place in the source */
#define el2_lock_init(l) do {					\
	static struct lock_class_key __key;			\
	el2_lock_init_key(l, #l, &__key);			\
} while (0)

/**
 * el2_lock() - EL2 code: DAIF masked
 *
 * Plain exclusives, not the kernel's atomics: those are patched to LSE by alternatives and may be
 * instrumented. WFE needs no SEV: the store that changes the lock word clears this CPU's exclusive
 * monitor, which is an event (Arm ARM D1.7.1, "global monitor for the PE changes").
 */
static __always_inline void el2_lock(struct el2_lock *l)
{
	u32 val, next, fail;

	asm volatile("	prfm	pstl1strm, %3\n"
	"1:	ldaxr	%w0, %3\n"
	"	add	%w1, %w0, #0x10000\n"
	"	stxr	%w2, %w1, %3\n"
	"	cbnz	%w2, 1b\n"
	: "=&r" (val), "=&r" (next), "=&r" (fail), "+Q" (l->val)
	:: "memory");

	next = val >> 16;
	if (likely((val & 0xffff) == next))
		return;

	asm volatile("	sevl\n"
	"1:	wfe\n"
	"	ldaxrh	%w0, %1\n"
	"	eor	%w0, %w0, %w2\n"
	"	cbnz	%w0, 1b\n"
	: "=&r" (val), "+Q" (l->owner)
	: "r" (next)
	: "memory");
}

/** el2_unlock() - only the holder writes @owner */
static __always_inline void el2_unlock(struct el2_lock *l)
{
	/* Pairs with the load-acquires in el2_lock(). */
	smp_store_release(&l->owner, (u16)(l->owner + 1));
}

/* --- the kernel's side: interrupts off, lockdep told; any context --- */

#ifdef CONFIG_DEBUG_LOCK_ALLOC
#define el2_lockdep_acquire(l, sub) lock_acquire_exclusive(&(l)->dep_map, sub, 0, NULL, _THIS_IP_)
#define el2_lockdep_release(l)	lock_release(&(l)->dep_map, _THIS_IP_)
#else
#define el2_lockdep_acquire(l, sub) do { } while (0)
#define el2_lockdep_release(l)	do { } while (0)
#endif

/** el2_lock_irqsave_nested() - the second of two locks of a class; @subclass as in lockdep */
static inline unsigned long el2_lock_irqsave_nested(struct el2_lock *l, unsigned int subclass)
{
	unsigned long flags;

	local_irq_save(flags);
	el2_lockdep_acquire(l, subclass);
	el2_lock(l);
	return flags;
}

/** el2_lock_irqsave() - returns the flags for el2_unlock_irqrestore() */
static inline unsigned long el2_lock_irqsave(struct el2_lock *l)
{
	return el2_lock_irqsave_nested(l, 0);
}

/** el2_unlock_irqrestore() - and interrupts as they were */
static inline void el2_unlock_irqrestore(struct el2_lock *l, unsigned long flags)
{
	el2_lockdep_release(l);
	el2_unlock(l);
	local_irq_restore(flags);
}

/* A record EL2 code leaves for the kernel, which makes a tracepoint of it after leave. */
enum el2_note_kind {
	EL2_NOTE_EXIT,		/* a: exit row, b: PC; answered in the first tier */
	EL2_NOTE_SERROR,	/* a: syndrome */
	EL2_NOTE_PRINT,		/* a, b: for debugging */
};

/**
 * struct el2_note - such a record
 * @kind: enum el2_note_kind
 * @a, @b: see there
 * @esr, @arg: of EL2_NOTE_EXIT: the syndrome, el2_exit_arg()
 */
struct el2_note {
	u64 kind;
	u64 a;
	u64 b;
	u64 esr;
	u64 arg;
};

#define EL2_NOTES 32	/* power of two; older ones are overwritten and counted as lost */

#define EL2_NR_CHECKED 15	/* host registers that debug builds compare at each leave */

/**
 * struct prda_doorbell - how this CPU is called, and what EL2 may acknowledge here
 * @frame: SGI_base of its redistributor; NULL: no doorbell
 * @sgi1r: value for ICC_SGI1R_EL1 that reaches it; 0: the doorbell is the maintenance PPI
 * @intid: the doorbell's
 * @maintenance, @vtimer: keel's PPIs
 * @kernel_priority: what the kernel gave them
 * @rung: an interrupt is on its way here
 * @row: how many EL2 has answered with the next one pending already
 * @el2: all three have priorities above everything else: EL2 acknowledges them
 */
struct prda_doorbell {
	void __iomem *frame;
	u64 sgi1r;
	u32 intid;
	u32 maintenance;
	u32 vtimer;
	u32 rung;
	u32 row;
	u8 kernel_priority;
	bool el2;
};

/**
 * struct prda - per-CPU data that EL2 code reaches as prda() from enter to leave
 * @host_tpidr: the host's TPIDR_EL2 (the kernel's per-CPU offset)
 * @host_sp_el0: the host's SP_EL0 (`current`)
 * @host_vbar: vectors of this CPU's kernel, read at each entry (they differ per CPU)
 * @host_hcr: the host's HCR_EL2
 * @host_mdcr: the host's MDCR_EL2
 * @host_cptr: the host's CPTR_EL2 (it changes with the thread's SVE and SME use)
 * @serror: syndrome of a guest SError taken in the leave window; bit 63 set when there was one
 * @bhb_loops: iterations of the branch-history loop (vectors el2_vectors_loop)
 * @vectors: keel's vectors for this CPU, by its branch-history mitigation
 * @host_hcrx, @host_hstr, @host_cnthctl, @host_mdscr, @host_fgt, @host_keys: what load and enter
 *	saved of the host
 * @host_el0: TPIDR_EL0, TPIDRRO_EL0, PAR_EL1 of the host while a vCPU is loaded
 * @vcpu: the vCPU loaded on this CPU
 * @cpu: logical CPU number
 * @tde: the traps loaded here have MDCR_EL2.TDE, see debug_el2.c
 * @vtimer_inactive: the virtual timer's PPI is certainly not ACTIVE on this CPU
 * @doorbell: pseudo-NMI, see src/host/doorbell.c
 * @checked: debug builds: host registers before enter and after leave
 * @note_head, @note_tail, @notes: the ring of notes
 */
struct prda {
	u64 host_tpidr;
	u64 host_sp_el0;
	u64 host_vbar;
	u64 host_hcr;
	u64 host_mdcr;
	u64 host_cptr;
	u64 serror;
	u64 bhb_loops;

	const char *vectors;
	u64 host_hcrx;
	u64 host_hstr;
	u64 host_cnthctl;
	u64 host_mdscr;
	u64 host_fgt[EL2_NR_FGT];
	u64 host_keys[10];
	u64 host_el0[4];
	struct keel_vcpu *vcpu;
	int cpu;
	bool tde;
	bool vtimer_inactive;
	struct prda_doorbell doorbell;
#ifdef KEEL_DEBUG
	u64 checked[2][EL2_NR_CHECKED];
#endif
	u32 note_head;
	u32 note_tail;
	struct el2_note notes[EL2_NOTES];
};

/** prda() - this CPU's PRDA; EL2 code only, between enter and leave */
static __always_inline struct prda *prda(void)
{
	struct prda *p;

	asm volatile("mrs %0, tpidr_el2" : "=r" (p));
	return p;
}

/**
 * el2_call() - run a service of the EL2 objects
 *
 * Context: kernel, interrupts off. On a VHE host a plain call; where keel owns EL2 under an EL1
 * kernel the same service runs behind an HVC.
 */
#define el2_call(fn, ...) fn(__VA_ARGS__)

/* --- services, called by el2_call() with interrupts off --- */

/** el2_load() - put the vCPU's EL1 state, stage 2 and traps into this CPU */
void el2_load(struct keel_vcpu *vcpu, struct prda *p);

/** el2_put() - take them out again, the host's values back */
void el2_put(struct keel_vcpu *vcpu, struct prda *p);

/**
 * el2_enter() - run the guest until an exit that the first tier cannot answer
 *
 * Context: all of DAIF masked, vCPU loaded. Fills vcpu->ctx and returns the row of the exit
 * (exception class, or EL2_EXIT_IRQ/FIQ/SERROR).
 */
unsigned int el2_enter(struct keel_vcpu *vcpu, struct prda *p);

/** el2_tlb_flush_vmid() - all stage-1 and stage-2 entries of @vttbr's VMID, inner shareable */
void el2_tlb_flush_vmid(u64 vttbr, u64 vtcr);

/** el2_tlb_flush_vmid_local() - the same on this CPU only, and the I-cache (switch.md 5) */
void el2_tlb_flush_vmid_local(u64 vttbr, u64 vtcr);

/**
 * el2_tlb_flush_ipa() - stage-2 entries of one IPA, and the stage-1 entries made from them
 * @level: table level of the leaf that was there, for the TTL hint; negative if unknown
 */
void el2_tlb_flush_ipa(u64 vttbr, u64 vtcr, struct ipa ipa, int level);

/** el2_tlb_flush_all() - every EL1&0 entry of every VMID, and I-caches, inner shareable */
void el2_tlb_flush_all(void);

/**
 * el2_at() - translate @va by the loaded guest's tables
 * @at: el2_at_*: which stages, for which level, for reading or writing
 *
 * Return: PAR_EL1, or EL2_PAR_ABORT. The guest's own PAR_EL1 is kept. EL2 code only, in the guest's
 * regime.
 */
u64 el2_at(u64 (*at)(u64 va), struct gva va);

/* What el2_at() returns if the walk took an external abort: PAR_EL1.F, and nothing else */
#define EL2_PAR_ABORT	1

/**
 * el2_at_begin() / el2_at_end() - the guest's regime for el2_at() alone, in a service: keel's
 *	vectors, HCR_EL2 with stage 2 and without TGE
 *
 * Context: EL2 code called by el2_call(), @vcpu loaded, or in nobody's hands but the caller's: then
 * its translation is loaded for this time. All of DAIF is masked in between. Before it the kernel
 * has put its `current` into @p->host_sp_el0.
 *
 * Return: DAIF, for el2_at_end().
 */
unsigned long el2_at_begin(struct keel_vcpu *vcpu, struct prda *p);
void el2_at_end(struct keel_vcpu *vcpu, struct prda *p, unsigned long daif);

/* --- EL2 code only --- */
void el2_note(enum el2_note_kind kind, u64 a, u64 b);

/** el2_skip() - past the instruction that trapped: ELR_EL2 + 4, BTYPE and SS cleared */
static __always_inline void el2_skip(void)
{
	const u64 once = PSR_BTYPE_MASK | DBG_SPSR_SS;
	u64 pstate = read_sysreg(spsr_el2);

	write_sysreg(read_sysreg(elr_el2) + 4, elr_el2);
	if (unlikely(pstate & once))
		write_sysreg(pstate & ~once, spsr_el2);
}

/**
 * el2_trace_exit() - called by el2_traced: a note of an exit that the first tier answered
 * @pc, @x0: the guest's, before the answer
 *
 * Return: true.
 */
bool el2_trace_exit(struct el2_ctx *ctx, u64 pc, u64 x0);

/*
 * The first tier's column of the exit table (src/exits_el2.c); the other table is the one for while
 * the tracepoint keel_exit is on: its handlers leave a note of each exit that they answer.
 */
extern const el2_handler_t el2_handlers[EL2_NR_EXITS];
extern const el2_handler_t el2_handlers_traced[EL2_NR_EXITS];

bool el2_traced(struct keel_vcpu *vcpu);
bool el2_sysreg(struct keel_vcpu *vcpu);	/* vcpu_sysreg_el2(), MDSCR_EL1 */
bool el2_dabt(struct keel_vcpu *vcpu);		/* run_dabt_el2(), run_device_el2() */

#ifdef KEEL_DEBUG
extern const char * const el2_checked_names[EL2_NR_CHECKED];
void el2_check_read(u64 value[EL2_NR_CHECKED]);
#endif

/* src/el2/switch.S */
void el2_switch(struct el2_ctx *ctx, struct prda *p);
void el2_serror_window(void);
u64 el2_guest_sp_el0(const struct el2_ctx *ctx);	/* SP_EL0 of the guest, in the first tier */
u64 el2_at_s1e1r(u64 va);	/* for el2_at(): 1 if the walk took an external abort */
u64 el2_at_s1e1w(u64 va);
u64 el2_at_s1e0r(u64 va);
u64 el2_at_s1e0w(u64 va);
u64 el2_at_s1e1rp(u64 va);	/* by PSTATE.PAN; FEAT_PAN2 */
u64 el2_at_s1e1wp(u64 va);
u64 el2_at_s12e1r(u64 va);
u64 el2_at_s12e0r(u64 va);
extern const char el2_vectors[];
extern const char el2_vectors_loop[];
extern const char el2_vectors_clrbhb[];
extern const char el2_vectors_fw[];

#endif /* !__ASSEMBLY__ */
#endif /* KEEL_EL2_H */
