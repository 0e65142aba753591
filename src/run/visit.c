// SPDX-License-Identifier: GPL-2.0
/*
 * Visits: what looks at a vCPU while it does not run, although nobody stops it for that. If its
 * thread is in KVM_RUN it makes the call itself before its next entry, for which VCPU_REQ_VISIT
 * gets it out of the guest or out of its sleep. If not, vcpu->mutex is free or soon will be, and
 * the visitor makes the call. Calls are made with the mutex held, so it is one or the other.
 */
#include <linux/sched/signal.h>

#include <keel/exits.h>
#include <keel/vm.h>

/**
 * struct vcpu_visit - on the visitor's stack until it has been called
 * @link: in vcpu->visits; empty once a thread has taken it from there
 * @call: see vcpu_visit()
 * @arg: its argument
 * @done: it has returned
 */
struct vcpu_visit {
	struct list_head link;
	void (*call)(struct keel_vcpu *vcpu, void *arg);
	void *arg;
	bool done;
};

void vcpu_visit_init(struct keel_vcpu *vcpu)
{
	spin_lock_init(&vcpu->visit_lock);
	INIT_LIST_HEAD(&vcpu->visits);
	init_waitqueue_head(&vcpu->visitors);
}

void vcpu_unlock(struct keel_vcpu *vcpu)
{
	mutex_unlock(&vcpu->mutex);
	/* Full barrier between the mutex and the look: pairs with the one of who begins to wait. */
	if (wq_has_sleeper(&vcpu->visitors))
		wake_up_all(&vcpu->visitors);
}

static struct vcpu_visit *visit_take(struct keel_vcpu *vcpu, struct list_head *from)
{
	struct vcpu_visit *v;

	spin_lock(&vcpu->visit_lock);
	v = list_first_entry_or_null(from, struct vcpu_visit, link);
	if (v)
		list_del_init(&v->link);
	spin_unlock(&vcpu->visit_lock);
	return v;
}

/* Those that wait now: who comes meanwhile gets the vCPU after it has been in the guest. */
void vcpu_serve_visits(struct keel_vcpu *vcpu)
{
	struct vcpu_visit *v;
	LIST_HEAD(visits);

	lockdep_assert_held(&vcpu->mutex);
	spin_lock(&vcpu->visit_lock);
	list_splice_init(&vcpu->visits, &visits);
	spin_unlock(&vcpu->visit_lock);
	while ((v = visit_take(vcpu, &visits))) {
		v->call(vcpu, v->arg);
		/* Its results come first, and @v may be gone from here on: pairs with is_done(). */
		smp_store_release(&v->done, true);
		wake_up_all(&vcpu->visitors);
	}
}

static bool is_done(const struct vcpu_visit *v)
{
	return smp_load_acquire(&v->done);	/* pairs with vcpu_serve_visits() */
}

/* One that has never run has what its first run would bring about, as far as a visitor needs it. */
static int visit_here(struct keel_vcpu *vcpu, struct vcpu_visit *v)
{
	struct keel_vm *vm = vcpu->vm;

	if (!vcpu->state.initialised)
		return -ENOEXEC;
	/* A PSCI CPU_ON that has not been taken over yet. */
	if (vcpu_take_request(vcpu, VCPU_REQ_RESET))
		vcpu_reset(vcpu);
	mutex_lock(&vm->config_lock);
	if (!vm->vcpu.ran)
		traps_compute(vm);
	mutex_unlock(&vm->config_lock);
	v->call(vcpu, v->arg);
	return 0;
}

/* Back from the list, if no thread has it. */
static bool visit_cancel(struct keel_vcpu *vcpu, struct vcpu_visit *v)
{
	bool waits;

	spin_lock(&vcpu->visit_lock);
	waits = !list_empty(&v->link);
	list_del_init(&v->link);
	spin_unlock(&vcpu->visit_lock);
	return waits;
}

static bool visit_ends(struct keel_vcpu *vcpu, const struct vcpu_visit *v, bool *locked)
{
	if (is_done(v))
		return true;
	*locked = mutex_trylock(&vcpu->mutex);
	return *locked;
}

int vcpu_visit(struct keel_vcpu *vcpu, void (*call)(struct keel_vcpu *vcpu, void *arg), void *arg)
{
	struct vcpu_visit v = { .call = call, .arg = arg };
	bool locked = false;
	int ret = 0;

	spin_lock(&vcpu->visit_lock);
	list_add_tail(&v.link, &vcpu->visits);
	spin_unlock(&vcpu->visit_lock);
	vcpu_request(vcpu, VCPU_REQ_VISIT);
	if (wait_event_interruptible(vcpu->visitors, visit_ends(vcpu, &v, &locked)))
		ret = -EINTR;
	if (visit_cancel(vcpu, &v)) {
		if (!ret)
			ret = visit_here(vcpu, &v);
	} else {
		/* A thread has begun: it does not take long. */
		wait_event(vcpu->visitors, is_done(&v));
		ret = 1;
	}
	if (locked)
		vcpu_unlock(vcpu);
	return ret;
}
