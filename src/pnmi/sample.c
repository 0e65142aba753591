// SPDX-License-Identifier: GPL-2.0
/*
 * KEEL_PNMI_SAMPLE: where every vCPU is.
 *
 * One in the guest notes it at the next doorbell (pnmi_el2.c). One outside has its registers in
 * memory, unless it is about to enter the guest, or to be put: a short time, which is waited for.
 * @have is stored last and read first (release, acquire); the registers in memory are whole if the
 * vCPU was not loaded before and after they were read and has not entered the guest in between.
 */
#include <linux/err.h>
#include <linux/keel.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include <keel/compat.h>
#include <keel/vm.h>

static unsigned int pnmi_interval = 1000;
module_param(pnmi_interval, uint, 0644);
MODULE_PARM_DESC(pnmi_interval, "least time between two samples of a VM, in us (default: 1000)");

void pnmi_vm_init(struct keel_vm *vm)
{
	mutex_init(&vm->pnmi.lock);
}

static bool take_noted(struct keel_vcpu *vcpu, struct keel_pnmi_vcpu *out)
{
	struct pnmi_vcpu *s = &vcpu->pnmi;

	/* Pairs with the store-release in pnmi_note_el2(). */
	if (smp_load_acquire(&s->have) != s->want)
		return false;
	out->where = KEEL_PNMI_GUEST;
	out->pc = s->pc;
	out->pstate = s->pstate;
	out->sp = s->sp;
	out->fp = s->fp;
	return true;
}

static bool take_saved(struct keel_vcpu *vcpu, struct keel_pnmi_vcpu *out)
{
	const struct el2_ctx *ctx = &vcpu->state.ctx;
	unsigned long pass = READ_ONCE(vcpu->pass);

	/* Pairs with the store-release in vcpu_state_put_el2(). */
	if (smp_load_acquire(&vcpu->state.sysregs_loaded))
		return false;
	out->where = KEEL_PNMI_HOST;
	out->pc = READ_ONCE(ctx->pc);
	out->pstate = READ_ONCE(ctx->pstate);
	out->fp = READ_ONCE(ctx->x[29]);
	out->sp = vcpu_sp_is_el0(out->pstate) ? READ_ONCE(ctx->sp_el0) :
						READ_ONCE(vcpu->state.reg[VCPU_SP_EL1]);
	smp_rmb();	/* what was read before what says that it was whole */
	return !READ_ONCE(vcpu->state.sysregs_loaded) && READ_ONCE(vcpu->pass) == pass;
}

static bool is_off(struct keel_vcpu *vcpu)
{
	return !READ_ONCE(vcpu->state.initialised) || READ_ONCE(vcpu->state.power_off);
}

/* Ask again as long as it is in the guest: a doorbell may have found it outside. */
static int sample_wait(struct keel_vcpu *vcpu, struct keel_pnmi_vcpu *out)
{
	while (!take_noted(vcpu, out)) {
		if (is_off(vcpu)) {
			out->where = KEEL_PNMI_OFF;
			break;
		}
		if (take_saved(vcpu, out))
			break;
		if (fatal_signal_pending(current))
			return -EINTR;
		if (READ_ONCE(vcpu->mode) == VCPU_IN_GUEST && !el2_call(vcpu_ring_el2, vcpu))
			vcpu_request(vcpu, VCPU_REQ_LEAVE);
		cond_resched();
		cpu_relax();
	}
	WRITE_ONCE(vcpu->pnmi.want, vcpu->pnmi.have);
	return 0;
}

/* All are asked before the first answer is waited for: the samples are of one moment. */
static int sample_all(struct keel_vm *vm, struct keel_pnmi_vcpu *out, unsigned int nr)
{
	struct keel_vcpu *vcpu;
	unsigned int i;
	int ret;

	for (i = 0; i < nr; i++) {
		vcpu = vm->vcpus[i];
		out[i].vcpu = vcpu->id;
		WRITE_ONCE(vcpu->pnmi.want, vcpu->pnmi.have + 1);
		/* The ring has the barrier between want and mode: pairs with pnmi_irq_el2(). */
		el2_call(vcpu_ring_el2, vcpu);
	}
	for (i = 0; i < nr; i++) {
		ret = sample_wait(vm->vcpus[i], &out[i]);
		if (ret)
			return ret;
	}
	return 0;
}

static int sample_locked(struct keel_vm *vm, struct keel_pnmi_vcpu *out, unsigned int nr)
{
	u64 now = ktime_get_ns();

	if (vm->pnmi.last && now - vm->pnmi.last < (u64)READ_ONCE(pnmi_interval) * NSEC_PER_USEC)
		return -EAGAIN;
	vm->pnmi.last = now;
	return sample_all(vm, out, nr);
}

struct keel_pnmi_vcpu *pnmi_sample(struct keel_vm *vm, struct keel_pnmi_sample *s)
{
	struct keel_pnmi_vcpu *out;
	int ret;

	if (s->size != sizeof(*s) || s->flags || memchr_inv(s->reserved, 0, sizeof(s->reserved)))
		return ERR_PTR(-EINVAL);
	s->nr = vm_nr_vcpus(vm);
	if (s->nr > s->room)
		return ERR_PTR(-E2BIG);
	out = kvcalloc(s->nr + 1, sizeof(*out), GFP_KERNEL_ACCOUNT);
	if (!out)
		return ERR_PTR(-ENOMEM);
	ret = mutex_lock_killable(&vm->pnmi.lock);
	if (!ret) {
		ret = sample_locked(vm, out, s->nr);
		mutex_unlock(&vm->pnmi.lock);
	}
	if (!ret)
		return out;
	kvfree(out);
	return ERR_PTR(ret);
}
