// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts that arrive while a guest runs, and are keel's own: the doorbell, the vGIC's
 * maintenance and the virtual timer. vm/ring_el2.c has the doorbell's protocol.
 */
#include <linux/irqchip/arm-gic-v3.h>
#include <asm/barrier.h>

#include <keel/compat.h>
#include <keel/pnmi.h>
#include <keel/vm.h>

#define DOORBELLS_IN_A_ROW	4	/* more than two CPUs at play bring about */

/*
 * Acknowledge what HPPIR showed. Nothing else can come: its priority is above all that is not
 * keel's, and among keel's the doorbell and the maintenance interrupt are one to us.
 */
static u32 __el2 irq_acknowledge(void)
{
	u32 intid = read_sysreg_s(SYS_ICC_IAR1_EL1);

	dsb(sy);	/* acknowledged before what the interrupt announces is read */
	return intid;
}

/* The priority drops; what comes next into the guest synchronises it. */
static void __el2 irq_finish(u32 intid)
{
	write_sysreg_s(intid, SYS_ICC_EOIR1_EL1);
}

/* Somebody wants to know where this vCPU is (sample.c). */
static noinline void __el2 pnmi_note_el2(struct keel_vcpu *vcpu)
{
	struct pnmi_vcpu *s = &vcpu->pnmi;

	s->pc = read_sysreg(elr_el2);
	s->pstate = read_sysreg(spsr_el2);
	s->fp = vcpu->state.ctx.x[29];
	s->sp = vcpu_sp_is_el0(s->pstate) ? el2_guest_sp_el0(&vcpu->state.ctx) :
					    read_sysreg(sp_el1);
	/* Pairs with the load-acquire in take_noted(). */
	smp_store_release(&s->have, READ_ONCE(s->want));
}

/*
 * The host's interrupts are below the doorbell, which other vCPUs of a guest can ring again and
 * again: then one is pending whenever this returns to the guest, and the host would see no tick. So
 * when something is pending still, some times in a row, let the host look.
 */
static bool __el2 irq_must_leave(struct prda *p)
{
	isb();	/* the priority has dropped */
	if (!(read_sysreg(isr_el1) & ISR_EL1_I)) {
		p->doorbell.row = 0;
		return false;
	}
	return ++p->doorbell.row % DOORBELLS_IN_A_ROW == 0;
}

static __always_inline bool doorbell_el2(struct keel_vcpu *vcpu, struct prda *p)
{
	u32 intid = irq_acknowledge();

	WRITE_ONCE(p->doorbell.rung, 0);
	smp_mb();	/* rung before the queues and want: see vm/ring_el2.c */
	if (READ_ONCE(vcpu->pnmi.want) != vcpu->pnmi.have)
		pnmi_note_el2(vcpu);
	vgic_refill_el2(vcpu);
	irq_finish(intid);
	/* EOImode = 1: that only dropped the priority. */
	write_sysreg_s(intid, SYS_ICC_DIR_EL1);
	return !vcpu->vgic.owes && !irq_must_leave(p);
}

static __always_inline bool vtimer_el2(struct prda *p, struct keel_vcpu *vcpu)
{
	if (!vcpu->vgic.mapped)
		return false;
	irq_finish(irq_acknowledge());
	p->vtimer_inactive = false;
	vtimer_fired_el2(vcpu);
	return !vcpu->vgic.owes;
}

bool __el2 pnmi_irq_el2(struct keel_vcpu *vcpu)
{
	struct prda *p = prda();
	u32 intid;

	if (!p->doorbell.el2)
		return false;
	intid = read_sysreg_s(SYS_ICC_HPPIR1_EL1);
	if (intid == p->doorbell.intid || intid == p->doorbell.maintenance)
		return doorbell_el2(vcpu, p);
	return intid == p->doorbell.vtimer && vtimer_el2(p, vcpu);
}
