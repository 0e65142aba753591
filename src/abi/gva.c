// SPDX-License-Identifier: GPL-2.0
/*
 * KEEL_GVA_TRANSLATE, KEEL_GVA_SCAN, KEEL_GVA_READ. Each call takes the vCPU out for one slice;
 * between two of them its guest runs for as long, and the VM is not held.
 */
#include <linux/delay.h>
#include <linux/keel.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <keel/abi.h>
#include <keel/vm.h>

#define SCAN_MAX_ATS	0x100000	/* in one ioctl */

#define PERMISSIONS	(KEEL_GVA_EL1_R | KEEL_GVA_EL1_W | KEEL_GVA_EL1_X | \
			 KEEL_GVA_EL0_R | KEEL_GVA_EL0_W | KEEL_GVA_EL0_X)

/*
 * One slice. 1: the vCPU's own thread made it; 0: this one; -errno: none, or its @ret other than
 * -EAGAIN. @again: there is more to do.
 */
static long slice(struct keel_vm *vm, u32 id, void (*call)(struct keel_vcpu *vcpu, void *arg),
		  void *arg, const int *ret)
{
	struct keel_vcpu *vcpu = vm_vcpu_by_id(vm, id);
	int by;

	if (!vcpu)
		return -ENOENT;
	by = vcpu_visit(vcpu, call, arg);
	return by < 0 || !*ret || *ret == -EAGAIN ? by : *ret;
}

/* Before the next slice: for what the last one missed, or for the guest. */
static long pause(struct vmm_page *missing, bool guest)
{
	u64 us = gva_slice_ns() / NSEC_PER_USEC;

	if (signal_pending(current)) {
		stage2_wait_not(missing);
		return -EINTR;
	}
	if (missing->mm)
		return stage2_wait(missing);
	if (guest && us)
		usleep_range(us, us + us / 2);
	else
		cond_resched();
	return 0;
}

/* --- KEEL_GVA_TRANSLATE --- */

long abi_gva_translate(struct keel_vm *vm, void *arg)
{
	struct abi_gva_translate *a = arg;
	struct keel_gva_translate *args = &a->lookup.arg;
	long by;

	if (abi_bad_argument(args) || args->pad ||
	    args->access & ~(KEEL_GVA_WRITE | KEEL_GVA_EL0 | KEEL_GVA_LEAF))
		return -EINVAL;
	/* What comes out begins as 0; what goes in stays. */
	*args = (struct keel_gva_translate) {
		.size = args->size, .vcpu = args->vcpu, .access = args->access, .gva = args->gva,
	};
	by = slice(vm, args->vcpu, gva_lookup, &a->lookup, &a->lookup.ret);
	if (by < 0)
		return by;
	return a->lookup.ret ? ABI_AGAIN : 0;
}

long abi_gva_translate_wait(void *arg)
{
	struct abi_gva_translate *a = arg;

	return pause(&a->lookup.missing, false);
}

/* --- KEEL_GVA_SCAN --- */

static bool scan_args_bad(const struct keel_gva_scan *args)
{
	return args->size != sizeof(*args) || args->flags & ~KEEL_GVA_SCAN_SOFTWARE ||
	       memchr_inv(args->reserved, 0, sizeof(args->reserved)) ||
	       !args->room || args->room > KEEL_GVA_MAX_RUNS || args->last < args->start ||
	       (args->need | args->deny) & ~PERMISSIONS;
}

static int scan_first(struct gva_scan *s)
{
	struct keel_gva_scan *args = &s->arg;

	if (scan_args_bad(args))
		return -EINVAL;
	args->nr = 0;
	args->end = 0;
	args->ats = 0;
	args->leaves = 0;
	memset(args->holes, 0, sizeof(args->holes));
	args->stage2_holes = 0;
	args->tables = 0;
	args->slices = 0;
	return gva_scan_begin(s);
}

long abi_gva_scan(struct keel_vm *vm, void *arg)
{
	struct abi_gva_scan *a = arg;
	struct gva_scan *s = &a->scan;
	long by;
	int ret;

	if (!s->work) {
		ret = scan_first(s);
		if (ret)
			return ret;
	}
	by = slice(vm, s->arg.vcpu, gva_scan, s, &s->ret);
	if (by < 0)
		return by;
	a->pause = by;
	return s->ret && s->arg.ats < SCAN_MAX_ATS ? ABI_AGAIN : 0;
}

long abi_gva_scan_wait(void *arg)
{
	struct abi_gva_scan *a = arg;

	return pause(&a->scan.missing, a->pause);
}

/* What there is when a signal comes is given; where to go on stands in it. */
long abi_gva_scan_finish(void *arg, long ret)
{
	struct abi_gva_scan *a = arg;
	struct gva_scan *s = &a->scan;

	stage2_wait_not(&s->missing);
	if (ret == -EINTR && s->work && s->arg.ats)
		ret = 0;
	if (!ret && copy_to_user(u64_to_user_ptr(s->arg.runs), s->runs,
				 s->arg.nr * sizeof(*s->runs)))
		ret = -EFAULT;
	gva_scan_end(s);
	return ret;
}

/* --- KEEL_GVA_READ --- */

static int read_first(struct gva_copy *c)
{
	struct keel_gva_read *args = &c->arg;

	if (abi_bad_argument(args) || args->pad || args->access & ~KEEL_GVA_EL0 ||
	    !args->length || args->length > KEEL_GVA_MAX_READ ||
	    args->gva + (args->length - 1) < args->gva)
		return -EINVAL;
	args->done = 0;
	args->status = KEEL_GVA_MAPPED;
	args->level = 0;
	args->fault = 0;
	c->to = kvmalloc(args->length, GFP_KERNEL_ACCOUNT);
	return c->to ? 0 : -ENOMEM;
}

long abi_gva_read(struct keel_vm *vm, void *arg)
{
	struct abi_gva_read *a = arg;
	struct gva_copy *c = &a->copy;
	long by;
	int ret;

	if (!c->to) {
		ret = read_first(c);
		if (ret)
			return ret;
	}
	by = slice(vm, c->arg.vcpu, gva_copy, c, &c->ret);
	if (by < 0)
		return by;
	a->pause = by;
	return c->ret ? ABI_AGAIN : 0;
}

long abi_gva_read_wait(void *arg)
{
	struct abi_gva_read *a = arg;

	return pause(&a->copy.missing, a->pause);
}

long abi_gva_read_finish(void *arg, long ret)
{
	struct abi_gva_read *a = arg;
	struct gva_copy *c = &a->copy;

	stage2_wait_not(&c->missing);
	if (ret == -EINTR && c->arg.done && c->to)
		ret = 0;
	if (!ret && copy_to_user(u64_to_user_ptr(c->arg.buffer), c->to, c->arg.done))
		ret = -EFAULT;
	kvfree(c->to);
	return ret;
}
