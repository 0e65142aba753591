// SPDX-License-Identifier: GPL-2.0
/*
 * Residence on a CPU (load, put, preempt notifier), and how others reach a vCPU: requests, kick,
 * wake, the guest barrier.
 *
 * The protocol with run/loop.c is a Dekker pair. The vCPU stores mode = IN_GUEST, then reads
 * requests; a requester sets its bit, then reads mode. Both have a full barrier in between, so at
 * least one sees the other: either the vCPU finds the request and does not enter, or the
 * requester finds it in the guest and kicks.
 */
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include <keel/compat.h>
#include <keel/host.h>
#include <keel/vm.h>

bool vm_shut_down;

static __always_inline void vcpu_load_here(struct keel_vcpu *vcpu)
{
	struct prda *p = host_prda();
	unsigned long flags;

	vcpu->prda = p;
	local_irq_save(flags);
	el2_call(el2_load, vcpu, p);
	vcpu->cpu = p->cpu;
	/* Before the host can take the interrupt of a timer that has fired meanwhile. */
	vtimer_load(vcpu);
	local_irq_restore(flags);
	if (unlikely(READ_ONCE(vcpu->power.on)))
		power_count(vcpu, POWER_RUN);
}

static void vcpu_put_here(struct keel_vcpu *vcpu)
{
	unsigned long flags;

	local_irq_save(flags);
	el2_call(el2_put, vcpu, vcpu->prda);
	vcpu->last_cpu = vcpu->cpu;
	vcpu->cpu = -1;
	local_irq_restore(flags);
}

static void preempt_sched_in(struct preempt_notifier *n, int cpu)
{
	vcpu_load_here(container_of(n, struct keel_vcpu, preempt));
}

/*
 * Under rq->lock: registers and vCPU memory only (switch.md 1.9). A thread that would go on waits
 * for a CPU, one that sleeps (a page that comes from a disk) does not.
 */
static void preempt_sched_out(struct preempt_notifier *n, struct task_struct *next)
{
	struct keel_vcpu *vcpu = container_of(n, struct keel_vcpu, preempt);

	vcpu_put_here(vcpu);
	if (unlikely(READ_ONCE(vcpu->power.on)))
		power_count(vcpu, task_is_running(current) ? POWER_WAIT : POWER_NOTHING);
}

static struct preempt_ops preempt_ops = {
	.sched_in = preempt_sched_in,
	.sched_out = preempt_sched_out,
};

void vcpu_preempt_init(struct keel_vcpu *vcpu)
{
	preempt_notifier_init(&vcpu->preempt, &preempt_ops);
}

void vcpu_load(struct keel_vcpu *vcpu)
{
	preempt_disable();
	preempt_notifier_register(&vcpu->preempt);
	vcpu_load_here(vcpu);
	preempt_enable();
}

void vcpu_put(struct keel_vcpu *vcpu)
{
	preempt_disable();
	vcpu_put_here(vcpu);
	if (unlikely(READ_ONCE(vcpu->power.on)))
		power_count(vcpu, POWER_NOTHING);
	preempt_notifier_unregister(&vcpu->preempt);
	preempt_enable();
}

/* The IPI that gets a CPU out of a guest. A task that is not running needs none. */
static void vcpu_send_kick(struct keel_vcpu *vcpu)
{
	struct task_struct *task;

	rcu_read_lock();
	task = rcu_dereference(vcpu->task);
	if (task)
		kick_process(task);
	rcu_read_unlock();
}

void vcpu_kick(struct keel_vcpu *vcpu)
{
	/* Pairs with the smp_mb() after mode in run/loop.c: see the top of this file. */
	smp_mb();
	if (READ_ONCE(vcpu->mode) == VCPU_IN_GUEST)
		vcpu_send_kick(vcpu);
	if (unlikely(READ_ONCE(vcpu->power.sleeping)))
		power_woken(vcpu);
	rcuwait_wake_up(&vcpu->wait);
}

void vcpu_request(struct keel_vcpu *vcpu, enum vcpu_request req)
{
	set_bit(req, &vcpu->requests);
	vcpu_kick(vcpu);
}

void vm_request_all(struct keel_vm *vm, enum vcpu_request req, struct keel_vcpu *but)
{
	struct keel_vcpu *vcpu;
	unsigned int i;

	vm_for_each_vcpu(i, vcpu, vm)
		if (vcpu != but)
			vcpu_request(vcpu, req);
}

void vm_guest_barrier(struct keel_vm *vm)
{
	struct keel_vcpu *vcpu;
	unsigned int i;

	might_sleep();
	vm_for_each_vcpu(i, vcpu, vm) {
		unsigned long pass = READ_ONCE(vcpu->pass);

		vcpu_kick(vcpu);
		/* Pairs with the store-release of mode at leave and of pass at entry. */
		while (smp_load_acquire(&vcpu->mode) == VCPU_IN_GUEST &&
		       READ_ONCE(vcpu->pass) == pass) {
			cond_resched();
			cpu_relax();
		}
	}
}

/* Nobody who sleeps in a WFI is woken: the bit is looked at before the next entry. */
static void vcpu_hold(struct keel_vcpu *vcpu)
{
	set_bit(VCPU_REQ_HOLD, &vcpu->requests);
	/* Pairs with the smp_mb() after mode in run/loop.c: see the top of this file. */
	smp_mb__after_atomic();
	if (READ_ONCE(vcpu->mode) == VCPU_IN_GUEST)
		vcpu_send_kick(vcpu);
}

void vm_hold(struct keel_vcpu *but)
{
	struct keel_vcpu *vcpu;
	unsigned int i;

	mutex_lock(&but->vm->hold_lock);
	vm_for_each_vcpu(i, vcpu, but->vm)
		if (vcpu != but)
			vcpu_hold(vcpu);
	vm_for_each_vcpu(i, vcpu, but->vm) {
		/* Pairs with the store-release of mode at leave: what the guest did comes first. */
		while (vcpu != but && smp_load_acquire(&vcpu->mode) == VCPU_IN_GUEST) {
			cond_resched();
			cpu_relax();
		}
	}
}

void vm_release(struct keel_vcpu *but)
{
	struct keel_vcpu *vcpu;
	unsigned int i;

	vm_for_each_vcpu(i, vcpu, but->vm)
		if (vcpu != but)
			clear_bit(VCPU_REQ_HOLD, &vcpu->requests);
	mutex_unlock(&but->vm->hold_lock);
}

void vcpu_wait_held(struct keel_vcpu *vcpu)
{
	mutex_lock(&vcpu->vm->hold_lock);
	mutex_unlock(&vcpu->vm->hold_lock);
}

bool vcpu_runnable(struct keel_vcpu *vcpu)
{
	if (READ_ONCE(vcpu->state.power_off))
		return vcpu_has_request(vcpu, VCPU_REQ_RESET);
	if (READ_ONCE(vcpu->state.vserror) || vgic_pending(vcpu))
		return true;
	/* Linux switches its CPU interface off for these. */
	return (READ_ONCE(vcpu->state.cpu_suspend) || READ_ONCE(vcpu->state.suspended)) &&
	       vgic_wakes(vcpu);
}

bool vcpu_block_ends(struct keel_vcpu *vcpu)
{
	const unsigned long no_reason = BIT(VCPU_REQ_SLEEP) | BIT(VCPU_REQ_HOLD) |
					BIT(VCPU_REQ_POWER);

	return vcpu_runnable(vcpu) || READ_ONCE(vcpu->requests) & ~no_reason ||
	       kvm_run_immediate_exit(vcpu->kvm_run) || READ_ONCE(vm_shut_down);
}

void vcpu_block_until(struct keel_vcpu *vcpu, bool (*over)(struct keel_vcpu *vcpu, void *arg),
		      void *arg)
{
	vcpu_put(vcpu);
	vtimer_block(vcpu);
	/* A signal ends the sleep too; run_host_work() finds it. */
	rcuwait_wait_event(&vcpu->wait, vcpu_block_ends(vcpu) || over(vcpu, arg),
			   TASK_INTERRUPTIBLE);
	vtimer_unblock(vcpu);
	vcpu_load(vcpu);
}

static bool never(struct keel_vcpu *vcpu, void *arg)
{
	return false;
}

void vcpu_sleep(struct keel_vcpu *vcpu)
{
	vcpu_block_until(vcpu, never, NULL);
}

void vcpu_block(struct keel_vcpu *vcpu, u32 state)
{
	vcpu_count(vcpu, COUNT_HALT_WAKEUP);
	if (unlikely(READ_ONCE(vcpu->power.on)))
		power_sleep(vcpu, state);
	else
		vcpu_sleep(vcpu);
}
