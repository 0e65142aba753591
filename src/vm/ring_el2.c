// SPDX-License-Identifier: GPL-2.0
/*
 * The doorbell's two ends (switch.md 4).
 *
 * Sender: changes the target's queues; full barrier; reads its mode; in the guest: test-and-set
 * rung of the CPU where it is, and the interrupt if it was clear. Target: interrupt; clears rung;
 * full barrier; looks at the queues. With the entry (flush - mode = IN_GUEST - barrier - last
 * check) and the way to sleep (mode = OUTSIDE - barrier - vgic_pending()) these are Dekker pairs: a
 * sender that sees IN_GUEST rings, and one that does not is seen by what comes before the next
 * entry.
 *
 * rung belongs to the CPU, not to the vCPU: set means that an interrupt is on its way there, and
 * whoever takes it, EL2 or the host's handler, clears it. A doorbell that arrives when its vCPU has
 * moved on finds another vCPU, which looks in vain, or the host, which does nothing.
 */
#include <linux/irqchip/arm-gic-v3.h>
#include <asm/barrier.h>

#include <keel/compat.h>
#include <keel/vm.h>

/* True if it was set. Plain exclusives, as el2_lock() has; acquire and release. */
static __always_inline bool test_and_set(u32 *flag)
{
	u32 old, fail;

	asm volatile("1:	ldaxr	%w0, %2\n"
	"	stlxr	%w1, %w3, %2\n"
	"	cbnz	%w1, 1b\n"
	: "=&r" (old), "=&r" (fail), "+Q" (*flag)
	: "r" (1)
	: "memory");
	return old;
}

static void __el2 doorbell_send(const struct prda_doorbell *d)
{
	/* What was written is visible before the interrupt (Arm IHI 0069 12.11, ICC_SGI1R_EL1). */
	dsb(ishst);
	if (d->sgi1r) {
		write_sysreg_s(d->sgi1r, SYS_ICC_SGI1R_EL1);
		isb();
	} else {
		writel_relaxed(BIT(d->intid), d->frame + GICR_ISPENDR0);
	}
}

bool __el2 vcpu_ring_el2(struct keel_vcpu *to)
{
	struct prda *p;

	smp_mb();	/* queues before mode: see the top of this file */
	/* Then where it is, and that CPU's rung: pairs with the release in run_pass(). */
	if (smp_load_acquire(&to->mode) != VCPU_IN_GUEST)
		return false;
	p = READ_ONCE(to->prda);
	if (!READ_ONCE(p->doorbell.el2))
		return false;
	if (!test_and_set(&p->doorbell.rung))
		doorbell_send(&p->doorbell);
	return true;
}
