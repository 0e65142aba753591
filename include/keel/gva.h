/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The face of src/gva/: where the guest's virtual addresses are. The CPU translates by AT with the
 * guest's own tables; a walk in software only brings back tables that the host has taken away, and
 * reads descriptors.
 */
#ifndef KEEL_GVA_H
#define KEEL_GVA_H

#include <linux/bits.h>
#include <linux/keel.h>
#include <linux/types.h>

#include <keel/stage2.h>
#include <keel/types.h>

struct keel_vcpu;
struct prda;

/* gva_pages.access */
#define GVA_WRITE	BIT(0)
#define GVA_EL0		BIT(1)	/* unprivileged */
#define GVA_PAN		BIT(2)	/* privileged, with PSTATE.PAN set */

#define GVA_PAGES	17	/* 64 KB that begin anywhere */

/* PAR_EL1 (Arm ARM D24.2.142) */
#define PAR_FAULT	BIT(0)		/* F; if it is 0: */
#define PAR_PA		GENMASK_ULL(51, 12)
#define PAR_SHARED	GENMASK_ULL(8, 7)
#define PAR_FST		GENMASK_ULL(6, 1)	/* if it is 1; as the fault status of an ESR */
#define PAR_S2		BIT(9)		/* S: stage 2, on the walk of stage 1 */

/**
 * struct gva_pages - pages (of the host's size) to translate, one after the other
 * @va: of the first
 * @nr: how many, at most GVA_PAGES
 * @access: GVA_*
 * @done: out: how many have been translated; the next one failed, if there is one
 * @par: out: for each of them, and for the one that failed, PAR_EL1, or EL2_PAR_ABORT
 */
struct gva_pages {
	struct gva va;
	unsigned int nr;
	unsigned int access;
	unsigned int done;
	u64 par[GVA_PAGES];
};

/**
 * gva_translate() - ask the CPU
 *
 * Where the guest lets the CPU set access flags (TCR_EL1.HA) AT may do so. Context: task; the vCPU
 * is loaded, or vcpu->mutex is held and it does not run (vcpu_visit()).
 */
void gva_translate(struct keel_vcpu *vcpu, struct gva_pages *g);
void gva_translate_el2(struct keel_vcpu *vcpu, struct prda *p, struct gva_pages *g);

/**
 * gva_fill() - have stage 2 map the guest's tables that translate @va
 * @write: the last one's for writing: the CPU sets a flag in it
 *
 * Context: the running thread, may sleep. Return: 0: try again; -ENOENT: a table is not in memory;
 * -EFAULT: the VMM's mapping is bad.
 */
int gva_fill(struct keel_vcpu *vcpu, struct gva va, bool write);

/**
 * gva_is_clean() - would a write to @va, which may be written, mark its page as dirty
 *
 * That is TCR_EL1.HD, and a descriptor with DBM that is read-only still (Arm ARM D8.5.2): AT says
 * that it can be written, and need not set the mark.
 *
 * Context: the running thread; faults nothing in. Return: 0: no; > 0: yes, and if the CPU did not
 * mark pages, this were the write's fault status; -EFAULT: a table is not there: gva_fill().
 */
int gva_is_clean(struct keel_vcpu *vcpu, struct gva va);

/*
 * What observers ask, in calls for vcpu_visit(): each does what it can within a slice, without
 * waiting for anybody. Its result stands in @ret: 0: done; -EAGAIN: call again, after
 * stage2_wait() if @missing has something; another error.
 */

/** struct gva_lookup - for gva_lookup(): KEEL_GVA_TRANSLATE */
struct gva_lookup {
	struct keel_gva_translate arg;
	struct vmm_page missing;
	int ret;
};

/** struct gva_copy - for gva_copy(): KEEL_GVA_READ, of which it goes on at arg.done; @to: bytes */
struct gva_copy {
	struct keel_gva_read arg;
	struct vmm_page missing;
	int ret;
	u8 *to;
};

/**
 * struct gva_scan - for gva_scan(): KEEL_GVA_SCAN, of which it goes on at arg.start
 * @runs: to fill in: arg.room of them
 * @work: gva_scan_begin() made it
 */
struct gva_scan {
	struct keel_gva_scan arg;
	struct vmm_page missing;
	int ret;
	struct keel_gva_run *runs;
	struct gva_scan_work *work;
};

/** gva_lookup(), gva_copy(), gva_scan() - see above; @arg points to the struct of that name */
void gva_lookup(struct keel_vcpu *vcpu, void *arg);
void gva_copy(struct keel_vcpu *vcpu, void *arg);
void gva_scan(struct keel_vcpu *vcpu, void *arg);

/** gva_scan_begin() / gva_scan_end() - what the slices of a scan have in common; 0 or -ENOMEM */
int gva_scan_begin(struct gva_scan *s);
void gva_scan_end(struct gva_scan *s);

/** gva_slice_ns() - how long a slice may take (parameter gva_slice) */
u64 gva_slice_ns(void);

#endif /* KEEL_GVA_H */
