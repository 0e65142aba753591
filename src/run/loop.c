// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_RUN: the loop between userspace, the kernel and the guest. Its order is switch.md 1:
 *
 *	host work and requests (interrupts on) - flush - mode = IN_GUEST - last check - el2_enter()
 *	- sync - mode = OUTSIDE - interrupts on - the exit's handler
 */
#include <linux/context_tracking.h>
#include <linux/entry-kvm.h>
#include <linux/instrumentation.h>
#include <linux/rcutree.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/vtime.h>
#include <asm/arch_gicv3.h>
#include <asm/daifflags.h>

#include <keel/compat.h>
#include <keel/exits.h>
#include <keel/host.h>
#include <keel/vm.h>

#include "../vm/trace.h"
#include "run.h"
#include "work.h"

/*
 * From here to guest_state_exit() RCU does not watch this CPU and lockdep believes that
 * interrupts are on: no tracepoint, no RCU, no lock in between. The caller has called
 * vtime_account_guest_enter().
 */
static __always_inline void guest_state_enter(void)
{
	instrumentation_begin();
	trace_hardirqs_on_prepare();
	lockdep_hardirqs_on_prepare();
	if (!context_tracking_guest_enter())
		guest_note_quiescent();
	instrumentation_end();
	lockdep_hardirqs_on(CALLER_ADDR0);
}

static __always_inline void guest_state_exit(void)
{
	lockdep_hardirqs_off(CALLER_ADDR0);
	context_tracking_guest_exit();
	instrumentation_begin();
	trace_hardirqs_off_finish();
	instrumentation_end();
}

/*
 * Interrupts must reach EL2 while the guest runs. A host that masks by priority has PMR shut where
 * others have PSTATE.I set: swap the two around the switch, without telling lockdep or tracing.
 */
static __always_inline unsigned int enter_masked(struct keel_vcpu *vcpu, struct prda *p)
{
	unsigned long daif = read_sysreg(daif);
	unsigned int exit;
	u32 pmr = 0;

	write_sysreg(daif | DAIF_MASK, daif);
	if (host.irq_prio_masking) {
		pmr = gic_read_pmr();
		gic_write_pmr(GIC_PRIO_IRQON | GIC_PRIO_PSR_I_SET);
		dsb(sy);	/* pmr_sync(): a pending interrupt is seen by the new mask */
	}
	exit = el2_call(el2_enter, vcpu, p);
	if (host.irq_prio_masking)
		gic_write_pmr(pmr);
	write_sysreg(daif, daif);
	return exit;
}

static noinstr unsigned int enter_guest(struct keel_vcpu *vcpu, struct prda *p)
{
	unsigned int exit;

	guest_state_enter();
	exit = enter_masked(vcpu, p);
	guest_state_exit();
	return exit;
}

/* The last check, after mode = IN_GUEST: the other half of the Dekker pair (vm/wake.c). */
static bool run_stay_out(struct keel_vcpu *vcpu)
{
	return READ_ONCE(vcpu->requests) || __xfer_to_guest_mode_work_pending() ||
	       READ_ONCE(vm_shut_down);
}

/* Tracepoints for what EL2 code noted since the last leave; then the exit itself. */
static void run_trace_exit(struct keel_vcpu *vcpu, unsigned int exit)
{
	const struct el2_ctx *ctx = &vcpu->state.ctx;
	struct prda *p = vcpu->prda;

	if (p->note_head - p->note_tail > EL2_NOTES)
		p->note_tail = p->note_head - EL2_NOTES;
	while (p->note_tail != p->note_head) {
		struct el2_note *n = &p->notes[p->note_tail++ % EL2_NOTES];

		if (n->kind == EL2_NOTE_EXIT)
			trace_keel_exit(vcpu, 1, n->a, n->esr, n->b, n->arg);
		else
			trace_keel_note(vcpu, n->kind, n->a, n->b);
	}
	if (trace_keel_exit_enabled())
		trace_keel_exit(vcpu, 2, exit, ctx->esr, ctx->pc,
				el2_exit_arg(ctx, exit, ctx->x[0]));
}

/* Debug builds: the switch gave the host back what it took. */
static void run_check_host(struct prda *p)
{
#ifdef KEEL_DEBUG
	unsigned int i;

	for (i = 0; i < EL2_NR_CHECKED; i++)
		WARN_ONCE(p->checked[0][i] != p->checked[1][i], "%s was 0x%llx, is 0x%llx\n",
			  el2_checked_names[i], p->checked[0][i], p->checked[1][i]);
#endif
}

/*
 * Into the guest, and at once again after what takes neither a sync nor open interrupts. Requests
 * that come meanwhile have sent an interrupt. True: @exit is to be handled.
 */
static bool run_guest(struct keel_vcpu *vcpu, struct prda *p, unsigned int *exit)
{
	do {
		*exit = enter_guest(vcpu, p);
		run_check_host(p);
		run_trace_exit(vcpu, *exit);
		if (*exit != ESR_ELx_EC_DABT_LOW || !run_mmio_short(vcpu))
			return true;
	} while (!run_stay_out(vcpu));
	return false;
}

/* One pass through the guest. False: the last check said no, or there is nothing to handle. */
static bool run_pass(struct keel_vcpu *vcpu, unsigned int *exit)
{
	bool entered = false, handle = false;
	struct prda *p;

	vcpu_fp_begin(vcpu);
	local_irq_disable();
	p = vcpu->prda;
	vtimer_flush(vcpu);
	vgic_flush(vcpu);
	stage2_vmid_check(vcpu, p);
	vcpu->backdoor.hooks = READ_ONCE(vcpu->vm->hooks);
	if (unlikely(vcpu->backdoor.hooks))
		backdoor_flush(vcpu);
	vcpu->state.ctx.handlers = trace_keel_exit_enabled() ? el2_handlers_traced : el2_handlers;
	WRITE_ONCE(vcpu->pass, vcpu->pass + 1);
	/* First vcpu->prda, and rung cleared here: pairs with the acquire in vcpu_ring_el2(). */
	smp_store_release(&vcpu->mode, VCPU_IN_GUEST);
	/* Full barrier between mode and the last check: pairs with vcpu_kick() (vm/wake.c). */
	smp_mb();

	if (!run_stay_out(vcpu)) {
		trace_keel_enter(vcpu);
		vtime_account_guest_enter();
		handle = run_guest(vcpu, p, exit);
		entered = true;
	}

	vgic_sync(vcpu);
	vtimer_sync(vcpu);
	/* What this pass did comes first: pairs with the load-acquire in vm_guest_barrier(). */
	smp_store_release(&vcpu->mode, VCPU_OUTSIDE);
	if (entered) {
		/*
		 * The tick that ended this pass is guest time: let it in before the books are
		 * closed.
		 */
		local_irq_enable();
		isb();
		local_irq_disable();
		vtime_account_guest_exit();
	}
	local_irq_enable();
	vcpu_fp_end(vcpu);
	return handle;
}

/*
 * What the host wants of this thread. A signal is the VMM's business. Work for a task that returns
 * to userspace (task work, rseq after a preemption) is done here; where the kernel cannot, and for
 * what comes by TIF_NOTIFY_SIGNAL, run_vcpu_run() sets TIF_SIGPENDING, which sends the return
 * through the signal code, which finds no signal and restarts KVM_RUN unseen. A signal that comes
 * meanwhile makes it -EINTR there.
 */
static int run_host_work(struct keel_vcpu *vcpu)
{
	if (need_resched())
		schedule();
	if (READ_ONCE(vm_shut_down))
		return -EIO;
	if (!signal_pending(current) &&
	    (!test_thread_flag(TIF_NOTIFY_RESUME) || !run_user_work()))
		return 1;
	vcpu->kvm_run->exit_reason = KVM_EXIT_INTR;
	if (test_thread_flag(TIF_SIGPENDING)) {
		vcpu_count(vcpu, COUNT_SIGNAL);
		return -EINTR;
	}
	return -ERESTARTNOHAND;
}

static bool run_is_suspended(struct keel_vcpu *vcpu)
{
	return !READ_ONCE(vcpu->state.power_off) && READ_ONCE(vcpu->state.suspended);
}

/*
 * KVM_MP_STATE_SUSPENDED: a WFI, of which the VMM hears the end. It lasts until the VMM says
 * otherwise.
 */
static int run_suspended(struct keel_vcpu *vcpu)
{
	vcpu_block(vcpu, KEEL_POWER_SUSPENDED);
	/* Meanwhile another vCPU may have switched the machine off, and this one on. */
	if (!run_is_suspended(vcpu) || !vcpu_runnable(vcpu))
		return 1;
	vcpu_system_event(vcpu, KVM_SYSTEM_EVENT_WAKEUP);
	return 0;
}

/* Apart: most passes have none. */
static noinline void run_take_requests(struct keel_vcpu *vcpu)
{
	if (vcpu_take_request(vcpu, VCPU_REQ_RESET)) {
		vcpu_put(vcpu);
		vcpu_reset(vcpu);
		vcpu_load(vcpu);
	}
	if (vcpu_take_request(vcpu, VCPU_REQ_TRAPS)) {
		vcpu_put(vcpu);
		vcpu_load(vcpu);
	}
	vcpu_take_request(vcpu, VCPU_REQ_IRQ);
	vcpu_take_request(vcpu, VCPU_REQ_LEAVE);
	vcpu_take_request(vcpu, VCPU_REQ_SLEEP);
	vcpu_take_request(vcpu, VCPU_REQ_POWER);
	if (vcpu_take_request(vcpu, VCPU_REQ_VISIT))
		vcpu_serve_visits(vcpu);
	if (vcpu_has_request(vcpu, VCPU_REQ_HOLD))
		vcpu_wait_held(vcpu);
}

/* > 0: go on; blocks while the vCPU is off. 0: to userspace. */
static int run_requests(struct keel_vcpu *vcpu)
{
	if (READ_ONCE(vcpu->requests))
		run_take_requests(vcpu);
	if (READ_ONCE(vcpu->state.power_off))
		vcpu_block(vcpu, KEEL_POWER_CPU_OFF);
	else if (READ_ONCE(vcpu->state.suspended))
		return run_suspended(vcpu);
	return 1;
}

static bool run_may_enter(struct keel_vcpu *vcpu)
{
	if (READ_ONCE(vcpu->state.power_off) || READ_ONCE(vcpu->state.suspended))
		return false;
	return likely(!READ_ONCE(vcpu->power.on)) || power_may_enter(vcpu);
}

static int run_loop(struct keel_vcpu *vcpu)
{
	unsigned int exit;
	int ret;

	do {
		ret = run_host_work(vcpu);
		if (ret <= 0)
			break;
		ret = run_requests(vcpu);
		if (!run_may_enter(vcpu) || !run_pass(vcpu, &exit))
			continue;
		vcpu_count(vcpu, COUNT_EXITS);
		ret = exit_handle(vcpu, exit);
	} while (ret > 0);
	return ret;
}

/* Once a vCPU, and what belongs to the VM once a VM. */
static int run_first(struct keel_vcpu *vcpu)
{
	struct keel_vm *vm = vcpu->vm;
	int ret;

	ret = vgic_first_run(vcpu);
	if (ret)
		return ret;
	mutex_lock(&vm->config_lock);
	/* Whether there is a vGIC is settled by now. */
	if (!vm->vcpu.ran)
		traps_compute(vm);
	vm->vcpu.ran = true;
	ret = vtimer_first_run(vcpu);
	mutex_unlock(&vm->config_lock);
	vcpu->state.ran = !ret;
	return ret;
}

static void run_sigset_swap_in(struct keel_vcpu *vcpu)
{
	if (vcpu->sigset_active)
		sigprocmask(SIG_SETMASK, &vcpu->sigset, &current->real_blocked);
}

static void run_sigset_swap_out(struct keel_vcpu *vcpu)
{
	if (!vcpu->sigset_active)
		return;
	sigprocmask(SIG_SETMASK, &current->real_blocked, NULL);
	sigemptyset(&current->real_blocked);
}

int run_vcpu_run(struct keel_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->kvm_run;
	int ret;

	lockdep_assert_held(&vcpu->mutex);
	if (!vcpu->state.initialised)
		return -ENOEXEC;
	if (!vcpu->state.ran) {
		ret = run_first(vcpu);
		if (ret)
			return ret;
	}

	run_mmio_finish(vcpu);
	/* Asked for before the guest ran: the last exit stays readable, as with in-tree KVM. */
	if (kvm_run_immediate_exit(run))
		return -EINTR;

	run_sigset_swap_in(vcpu);
	run->exit_reason = KVM_EXIT_UNKNOWN;
	run->flags = 0;
	rcu_assign_pointer(vcpu->task, current);
	vcpu_load(vcpu);
	ret = run_loop(vcpu);
	vcpu_put(vcpu);
	if (unlikely(READ_ONCE(vcpu->power.on)))
		power_leave_run(vcpu);
	RCU_INIT_POINTER(vcpu->task, NULL);
	run_sigset_swap_out(vcpu);
	/* After the masks are back: changing them clears the flag. */
	if (ret == -ERESTARTNOHAND)
		set_thread_flag(TIF_SIGPENDING);
	return ret;
}
