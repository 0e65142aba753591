// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_IRQFD: an eventfd's signal becomes an edge on an SPI.
 * KVM_IOEVENTFD: a guest's store becomes an eventfd's signal, without leaving KVM_RUN.
 *
 * Lock order, outermost first: vm->lock, irqfd_lock. An eventfd's wait-queue lock is outside
 * irqfd_lock and outside the vGIC's locks (irqfd_wake() runs under it) and inside vm->lock.
 */
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/list.h>
#include <linux/poll.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <keel/abi.h>
#include <keel/compat.h>
#include <keel/vm.h>

#define IOEVENTFD_MAX 1000	/* of one VM, as in KVM */

/**
 * struct irqfd - an eventfd tied to an SPI
 * @link: in vm->irqfds; empty once it is on its way out
 * @vm: it lives as long as this: the VM file's release waits for @detach of all
 * @ctx: the eventfd
 * @gsi: SPI number, INTID - 32: also what user space calls it
 * @irq: it
 * @count: what a signal had added up, which means nothing here
 * @wait: our entry in the eventfd's wait queue
 * @poll: puts @wait there
 * @detach: takes it out and frees all; from a work item because a closing eventfd calls us with
 *	its wait queue locked
 */
struct irqfd {
	struct list_head link;
	struct keel_vm *vm;
	struct eventfd_ctx *ctx;
	u32 gsi;
	struct vgic_irq *irq;
	u64 count;
	wait_queue_entry_t wait;
	poll_table poll;
	struct work_struct detach;
};

/* Who takes an irqfd off its list detaches it. Taken in irqfd_wake(), so interrupts are off. */
static DEFINE_SPINLOCK(irqfd_lock);
static struct workqueue_struct *irqfd_wq;

static void irqfd_detach(struct work_struct *work)
{
	struct irqfd *f = container_of(work, struct irqfd, detach);
	u64 count;

	/* Takes the queue's lock: when it returns no irqfd_wake() of ours runs or will run. */
	eventfd_ctx_remove_wait_queue(f->ctx, &f->wait, &count);
	eventfd_ctx_put(f->ctx);
	kfree(f);
}

static void irqfd_deactivate(struct irqfd *f)
{
	lockdep_assert_held(&irqfd_lock);
	list_del_init(&f->link);
	queue_work(irqfd_wq, &f->detach);
}

/* The eventfd was signalled or is being closed; its wait queue is locked, interrupts are off. */
static int irqfd_wake(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct irqfd *f = container_of(wait, struct irqfd, wait);
	__poll_t events = key_to_poll(key);
	unsigned long flags;
	int woken = 0;

	if (events & EPOLLIN) {
		eventfd_ctx_do_read(f->ctx, &f->count);
		vgic_pulse(f->vm, f->irq);
		woken = 1;
	}
	if (events & EPOLLHUP) {
		spin_lock_irqsave(&irqfd_lock, flags);
		if (!list_empty(&f->link))
			irqfd_deactivate(f);
		spin_unlock_irqrestore(&irqfd_lock, flags);
	}
	return woken;
}

static void irqfd_queue(struct file *file, wait_queue_head_t *queue, poll_table *poll)
{
	struct irqfd *f = container_of(poll, struct irqfd, poll);

	/* At the head and exclusive: a signal is ours before any reader's. */
	add_wait_queue_priority(queue, &f->wait);
}

/* One eventfd drives one interrupt. */
static int irqfd_add(struct irqfd *f)
{
	struct irqfd *other;
	int ret = 0;

	spin_lock_irq(&irqfd_lock);
	list_for_each_entry(other, &f->vm->irqfds, link)
		if (other->ctx == f->ctx)
			ret = -EBUSY;
	if (!ret)
		list_add_tail(&f->link, &f->vm->irqfds);
	spin_unlock_irq(&irqfd_lock);
	return ret;
}

/*
 * vm->lock keeps deassignment out until the wait entry is queued, the reference on @file keeps the
 * hang-up out.
 */
static int irqfd_attach(struct keel_vm *vm, struct file *file, u32 gsi)
{
	struct irqfd *f;
	int ret;

	f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	if (!f)
		return -ENOMEM;
	f->vm = vm;
	f->gsi = gsi;
	f->irq = vgic_spi(vm, gsi);
	INIT_WORK(&f->detach, irqfd_detach);
	init_waitqueue_func_entry(&f->wait, irqfd_wake);
	init_poll_funcptr(&f->poll, irqfd_queue);

	f->ctx = eventfd_ctx_fileget(file);
	if (IS_ERR(f->ctx)) {
		ret = PTR_ERR(f->ctx);
		goto free;
	}
	ret = irqfd_add(f);
	if (ret)
		goto put;

	/* A signal from before we listened counts too. */
	if (vfs_poll(file, &f->poll) & EPOLLIN)
		vgic_pulse(vm, f->irq);
	return 0;

put:
	eventfd_ctx_put(f->ctx);
free:
	kfree(f);
	return ret;
}

static int irqfd_assign(struct keel_vm *vm, const struct kvm_irqfd *args)
{
	struct file *file;
	int ret;

	mutex_lock(&vm->lock);
	if (!vm->vgic.initialised) {
		ret = -EAGAIN;
		goto unlock;
	}
	if (args->gsi >= vm->vgic.nr_spis) {
		ret = -EINVAL;
		goto unlock;
	}
	file = fget(args->fd);
	if (!file) {
		ret = -EBADF;
		goto unlock;
	}
	ret = irqfd_attach(vm, file, args->gsi);
	fput(file);
unlock:
	mutex_unlock(&vm->lock);
	return ret;
}

static int irqfd_deassign(struct keel_vm *vm, const struct kvm_irqfd *args)
{
	struct irqfd *f, *next;
	struct eventfd_ctx *ctx;

	ctx = eventfd_ctx_fdget(args->fd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);

	mutex_lock(&vm->lock);
	spin_lock_irq(&irqfd_lock);
	list_for_each_entry_safe(f, next, &vm->irqfds, link)
		if (f->ctx == ctx && f->gsi == args->gsi)
			irqfd_deactivate(f);
	spin_unlock_irq(&irqfd_lock);
	mutex_unlock(&vm->lock);
	eventfd_ctx_put(ctx);

	/* User space may rely on no interrupt from it after this call. */
	flush_workqueue(irqfd_wq);
	return 0;
}

int abi_irqfd(struct keel_vm *vm, const struct kvm_irqfd *args)
{
	if (args->flags & ~KVM_IRQFD_FLAG_DEASSIGN)
		return -EINVAL;
	return args->flags ? irqfd_deassign(vm, args) : irqfd_assign(vm, args);
}

/**
 * struct ioeventfd - one pair of value and eventfd
 * @link: in ioeventfd_port.fds; changed under vm->lock, walked under vm->srcu
 * @ctx: signalled on a match
 * @datamatch: the value, unless @any_value
 * @any_value: every value matches
 * @len: width of the access, 0 for every width
 */
struct ioeventfd {
	struct list_head link;
	struct eventfd_ctx *ctx;
	u64 datamatch;
	bool any_value;
	u32 len;
};

/**
 * struct ioeventfd_port - a guest address and all that listens there
 * @link: in vm->ioeventfds, under vm->lock
 * @addr: guest physical address; an access matches only if it starts here
 * @pio: an address in x86's port space: accepted as KVM does on arm64, and never written to
 * @region: one byte, which is found by the first byte of an access. Neighbours may be as close.
 * @fds: struct ioeventfd
 */
struct ioeventfd_port {
	struct list_head link;
	struct ipa addr;
	bool pio;
	struct mmio_region region;
	struct list_head fds;
};

static bool ioeventfd_matches(const struct ioeventfd *e, unsigned int len, u64 val)
{
	if (e->len && e->len != len)
		return false;
	return e->any_value || e->datamatch == val;
}

static int ioeventfd_write(struct keel_vcpu *vcpu, struct mmio_region *r, u64 offset,
			   unsigned int len, u64 val)
{
	struct ioeventfd_port *p = r->owner;
	struct ioeventfd *e;

	list_for_each_entry_srcu(e, &p->fds, link, srcu_read_lock_held(&vcpu->vm->srcu)) {
		if (ioeventfd_matches(e, len, val)) {
			eventfd_signal(e->ctx);
			return 0;
		}
	}
	return -EOPNOTSUPP;
}

static int ioeventfd_read(struct keel_vcpu *vcpu, struct mmio_region *r, u64 offset,
			  unsigned int len, u64 *val)
{
	return -EOPNOTSUPP;
}

static const struct mmio_ops ioeventfd_ops = {
	.read = ioeventfd_read,
	.write = ioeventfd_write,
	.write_atomic = ioeventfd_write,
};

/* Could one store match both? */
static bool ioeventfd_collides(const struct ioeventfd *a, const struct ioeventfd *b)
{
	if (a->len && b->len && a->len != b->len)
		return false;
	return !a->len || !b->len || a->any_value || b->any_value || a->datamatch == b->datamatch;
}

static struct ioeventfd_port *ioeventfd_find(struct keel_vm *vm, struct ipa addr, bool pio)
{
	struct ioeventfd_port *p;

	list_for_each_entry(p, &vm->ioeventfds, link)
		if (p->addr.v == addr.v && p->pio == pio)
			return p;
	return NULL;
}

static unsigned int ioeventfd_count(struct keel_vm *vm)
{
	struct ioeventfd_port *p;
	struct ioeventfd *e;
	unsigned int n = 0;

	list_for_each_entry(p, &vm->ioeventfds, link)
		list_for_each_entry(e, &p->fds, link)
			n++;
	return n;
}

static int ioeventfd_port_add(struct keel_vm *vm, struct ipa addr, bool pio, struct ioeventfd *e)
{
	struct ioeventfd_port *p;
	int ret = 0;

	p = kzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);
	if (!p)
		return -ENOMEM;
	p->addr = addr;
	p->pio = pio;
	p->region.base = addr;
	p->region.size = 1;
	p->region.ops = &ioeventfd_ops;
	p->region.owner = p;
	INIT_LIST_HEAD(&p->fds);
	list_add(&e->link, &p->fds);

	if (!pio)
		ret = mmio_register(vm, &p->region);
	if (ret) {
		kfree(p);
		return ret;
	}
	list_add_tail(&p->link, &vm->ioeventfds);
	return 0;
}

static void ioeventfd_free(struct ioeventfd *e)
{
	eventfd_ctx_put(e->ctx);
	kfree(e);
}

static void ioeventfd_port_destroy(struct keel_vm *vm, struct ioeventfd_port *p)
{
	struct ioeventfd *e, *next;

	/* Once it returns nobody walks p->fds. */
	if (!p->pio)
		mmio_unregister(vm, &p->region);
	list_for_each_entry_safe(e, next, &p->fds, link)
		ioeventfd_free(e);
	list_del(&p->link);
	kfree(p);
}

static int ioeventfd_add(struct keel_vm *vm, const struct kvm_ioeventfd *args,
			 struct ioeventfd *new)
{
	bool pio = args->flags & KVM_IOEVENTFD_FLAG_PIO;
	struct ioeventfd_port *p;
	struct ioeventfd *e;

	if (ioeventfd_count(vm) >= IOEVENTFD_MAX)
		return -ENOSPC;
	p = ioeventfd_find(vm, ipa(args->addr), pio);
	if (!p)
		return ioeventfd_port_add(vm, ipa(args->addr), pio, new);
	list_for_each_entry(e, &p->fds, link)
		if (ioeventfd_collides(e, new))
			return -EEXIST;
	list_add_tail_rcu(&new->link, &p->fds);
	return 0;
}

static int ioeventfd_check(const struct kvm_ioeventfd *args)
{
	bool datamatch = args->flags & KVM_IOEVENTFD_FLAG_DATAMATCH;

	if (args->len > 8 || (args->len && !is_power_of_2(args->len)))
		return -EINVAL;
	if (args->addr + args->len < args->addr)
		return -EINVAL;
	if (args->flags & ~(KVM_IOEVENTFD_FLAG_DATAMATCH | KVM_IOEVENTFD_FLAG_PIO))
		return -EINVAL;
	return !args->len && datamatch ? -EINVAL : 0;
}

static int ioeventfd_assign(struct keel_vm *vm, const struct kvm_ioeventfd *args)
{
	struct ioeventfd *e;
	int ret;

	ret = ioeventfd_check(args);
	if (ret)
		return ret;
	e = kzalloc(sizeof(*e), GFP_KERNEL_ACCOUNT);
	if (!e)
		return -ENOMEM;
	e->ctx = eventfd_ctx_fdget(args->fd);
	if (IS_ERR(e->ctx)) {
		ret = PTR_ERR(e->ctx);
		kfree(e);
		return ret;
	}
	e->len = args->len;
	e->any_value = !(args->flags & KVM_IOEVENTFD_FLAG_DATAMATCH);
	e->datamatch = args->datamatch;

	mutex_lock(&vm->lock);
	ret = ioeventfd_add(vm, args, e);
	mutex_unlock(&vm->lock);
	if (ret)
		ioeventfd_free(e);
	return ret;
}

static bool ioeventfd_is(const struct ioeventfd *e, const struct kvm_ioeventfd *args,
			 const struct eventfd_ctx *ctx)
{
	bool any_value = !(args->flags & KVM_IOEVENTFD_FLAG_DATAMATCH);

	return e->ctx == ctx && e->len == args->len && e->any_value == any_value &&
	       (any_value || e->datamatch == args->datamatch);
}

static int ioeventfd_remove(struct keel_vm *vm, const struct kvm_ioeventfd *args,
			    const struct eventfd_ctx *ctx)
{
	bool pio = args->flags & KVM_IOEVENTFD_FLAG_PIO;
	struct ioeventfd_port *p;
	struct ioeventfd *e;

	p = ioeventfd_find(vm, ipa(args->addr), pio);
	if (!p)
		return -ENOENT;
	list_for_each_entry(e, &p->fds, link) {
		if (!ioeventfd_is(e, args, ctx))
			continue;
		if (list_is_singular(&p->fds)) {
			ioeventfd_port_destroy(vm, p);
			return 0;
		}
		list_del_rcu(&e->link);
		synchronize_srcu_expedited(&vm->srcu);
		ioeventfd_free(e);
		return 0;
	}
	return -ENOENT;
}

static int ioeventfd_deassign(struct keel_vm *vm, const struct kvm_ioeventfd *args)
{
	struct eventfd_ctx *ctx;
	int ret;

	ctx = eventfd_ctx_fdget(args->fd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	mutex_lock(&vm->lock);
	ret = ioeventfd_remove(vm, args, ctx);
	mutex_unlock(&vm->lock);
	eventfd_ctx_put(ctx);
	return ret;
}

int abi_ioeventfd(struct keel_vm *vm, const struct kvm_ioeventfd *args)
{
	if (args->flags & KVM_IOEVENTFD_FLAG_DEASSIGN)
		return ioeventfd_deassign(vm, args);
	return ioeventfd_assign(vm, args);
}

static void ioeventfd_release(struct keel_vm *vm)
{
	struct ioeventfd_port *p, *next;

	mutex_lock(&vm->lock);
	list_for_each_entry_safe(p, next, &vm->ioeventfds, link)
		ioeventfd_port_destroy(vm, p);
	mutex_unlock(&vm->lock);
}

static void irqfd_release(struct keel_vm *vm)
{
	struct irqfd *f, *next;

	spin_lock_irq(&irqfd_lock);
	list_for_each_entry_safe(f, next, &vm->irqfds, link)
		irqfd_deactivate(f);
	spin_unlock_irq(&irqfd_lock);

	/* Also those that a hang-up took off the list just now: it queued them under the lock. */
	flush_workqueue(irqfd_wq);
}

void abi_eventfd_release(struct keel_vm *vm)
{
	irqfd_release(vm);
	ioeventfd_release(vm);
}

int abi_eventfd_init(void)
{
	irqfd_wq = alloc_workqueue("keel-irqfd", WQ_UNBOUND, 0);
	return irqfd_wq ? 0 : -ENOMEM;
}

void abi_eventfd_exit(void)
{
	destroy_workqueue(irqfd_wq);
}
