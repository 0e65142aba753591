/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The face of src/host/: this machine. EL2 claim, PPIs, hotplug, suspend, reboot; CPU features.
 */
#ifndef KEEL_HOST_H
#define KEEL_HOST_H

#include <linux/bits.h>
#include <linux/types.h>
#include <linux/irqchip/arm-gic-v3.h>
#include <asm/cputype.h>

struct prda;

/**
 * struct host_features - what this machine has (the sanitised view: what all CPUs share)
 *
 * Filled once at insmod, read-only afterwards. Each is false if its parameter (fwb, fgt, huge)
 * says so.
 */
struct host_features {
	bool fgt;		/* FEAT_FGT */
	bool fgt2;		/* FEAT_FGT2 */
	bool amu_fgt;		/* HAFGRTR_EL2 (FEAT_AMUv1 + FGT) */
	bool hcx;		/* HCRX_EL2 */
	bool fwb;		/* FEAT_S2FWB */
	bool cache_idc;		/* CTR_EL0.IDC: no clean to PoU needed for instruction fetch */
	bool cache_dic;		/* CTR_EL0.DIC: no I-cache invalidate needed */
	bool xnx;		/* FEAT_XNX */
	bool hafdbs;		/* hardware access flag in stage 2 */
	bool ttl;		/* FEAT_TTL */
	bool vmid16;
	bool pan2;		/* AT S1E1RP, AT S1E1WP */
	bool ras;
	bool pauth;		/* address authentication */
	bool sve;
	bool sme;
	bool ecv;
	bool amvoffen;
	bool mte;
	bool dit;		/* PSTATE.DIT */
	bool irq_prio_masking;	/* the kernel masks by priority (irqchip.gicv3_pseudo_nmi=1) */
	unsigned int pa_bits;
	unsigned int nr_brps;
	unsigned int nr_wrps;
};

extern struct host_features host;

/**
 * struct host_ops - what main.c hands down: calls that must point up
 * @vtimer_irq: the virtual timer's PPI was taken by the host; hard interrupt, on the PPI's CPU
 * @shutdown: the machine reboots: every vCPU out of its guest, none enters again; may sleep
 */
struct host_ops {
	void (*vtimer_irq)(struct prda *p);
	void (*shutdown)(void);
};

/**
 * host_probe() - fill @host; refuse what keel cannot run on, one printed sentence each; 0 or
 * -errno
 */
int host_probe(void);

/**
 * host_cpu_lacks() - what of @host this CPU does not have
 *
 * Return: a member's name, NULL if it has all. Context: preemption off.
 */
const char *host_cpu_lacks(void);

/** host_claim() - PPIs, per-CPU data, hotplug and reboot; after host_probe(); 0 or -errno */
int host_claim(const struct host_ops *ops);

/** host_release() - all of it back, on every CPU (switch.md 6); no vCPU exists */
void host_release(void);

/** host_prda() - PRDA of this CPU; preemption off */
struct prda *host_prda(void);

/** host_vtimer_irq() - Linux interrupt of the virtual timer PPI */
unsigned int host_vtimer_irq(void);

/** host_vtimer_intid() - its INTID, for the HW field of a list register */
u32 host_vtimer_intid(void);

/** host_maintenance_intid() - INTID of the vGIC's maintenance PPI */
u32 host_maintenance_intid(void);

/**
 * host_vtimer_set_active() - make the PPI's ACTIVE state on this CPU so, and write it unless it is
 *	known to be clear already; interrupts off, not under rq->lock
 */
void host_vtimer_set_active(bool active);

/** sgi1r_target() - what ICC_SGI1R_EL1 takes to send SGI 0 to the CPU with this MPIDR_EL1 alone */
static inline u64 sgi1r_target(u64 mpidr)
{
	return (u64)MPIDR_AFFINITY_LEVEL(mpidr, 3) << ICC_SGI1R_AFFINITY_3_SHIFT |
	       (u64)MPIDR_AFFINITY_LEVEL(mpidr, 2) << ICC_SGI1R_AFFINITY_2_SHIFT |
	       (u64)MPIDR_AFFINITY_LEVEL(mpidr, 1) << ICC_SGI1R_AFFINITY_1_SHIFT |
	       (u64)(MPIDR_AFFINITY_LEVEL(mpidr, 0) >> 4) << ICC_SGI1R_RS_SHIFT |
	       BIT(MPIDR_AFFINITY_LEVEL(mpidr, 0) & 0xf);
}

#endif /* KEEL_HOST_H */
