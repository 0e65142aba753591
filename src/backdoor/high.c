// SPDX-License-Identifier: GPL-2.0
/*
 * The high bandwidth, second tier: all of a message in one call, between the channel and a buffer
 * at a virtual address of the caller's. It looks to the guest like one instruction that accesses
 * the buffer:
 *
 * - The CPU translates with the caller's own rights, and a fault is the caller's.
 * - Other vCPUs stay outside from the translation to the copy. A guest's kernel that takes a page
 *   away from the caller waits for its TLBI, which waits for accesses of other CPUs, but would not
 *   wait for a copy by a translation of before: that would hit whoever has the page next.
 * - Nothing is faulted in meanwhile. What is missing is brought afterwards, and the guest makes the
 *   call again.
 */
#include <linux/minmax.h>
#include <asm/ptrace.h>

#include <keel/esr.h>
#include <keel/vm.h>

#include "link.h"

#define IO_IN	BIT(2)		/* in W7: to the guest */
#define SUCCESS	1		/* in W1<31:16> */

/**
 * struct transfer - one call
 * @va: the guest's buffer
 * @bytes: its size
 * @in: to the guest
 * @obstacle: why it did not come about
 * @at: OBSTACLE_GUEST, TABLES, CLEAN: where in the buffer
 * @status: OBSTACLE_GUEST: PAR_EL1; CLEAN: fault status
 * @ipa: OBSTACLE_HOST: page, and from where on in it
 * @n: how many bytes of it
 */
struct transfer {
	struct gva va;
	u64 bytes;
	bool in;
	enum { OBSTACLE_NONE, OBSTACLE_GUEST, OBSTACLE_CLEAN, OBSTACLE_TABLES, OBSTACLE_HOST }
		obstacle;
	struct gva at;
	u64 status;
	struct ipa ipa;
	unsigned int n;
};

static bool at_el0(const struct keel_vcpu *vcpu)
{
	return (vcpu->state.ctx.pstate & PSR_MODE_MASK) == PSR_MODE_EL0t;
}

static unsigned int access_of(const struct keel_vcpu *vcpu, const struct transfer *t)
{
	unsigned int access = t->in ? GVA_WRITE : 0;

	if (at_el0(vcpu))
		return access | GVA_EL0;
	return access | (vcpu->state.ctx.pstate & PSR_PAN_BIT ? GVA_PAN : 0);
}

static int stop(struct transfer *t, int obstacle, struct gva at, u64 status)
{
	t->obstacle = obstacle;
	t->at = at;
	t->status = status;
	return -EAGAIN;
}

/* May the page at @va, of which the CPU says @par, be accessed? */
static int check_page(struct keel_vcpu *vcpu, struct transfer *t, struct gva va, u64 par)
{
	int clean;

	if (par & PAR_FAULT)
		return stop(t, par & PAR_S2 ? OBSTACLE_TABLES : OBSTACLE_GUEST, va, par);
	clean = t->in ? gva_is_clean(vcpu, va) : 0;
	if (clean < 0)
		return stop(t, OBSTACLE_TABLES, va, 0);
	return clean ? stop(t, OBSTACLE_CLEAN, va, clean) : 0;
}

static int copy_part(struct keel_vcpu *vcpu, struct transfer *t, struct gva va, u64 par, u8 *data)
{
	int ret = check_page(vcpu, t, va, par);

	if (ret)
		return ret;
	t->ipa = ipa((par & PAR_PA) + (va.v & ~PAGE_MASK));
	ret = stage2_copy(vcpu->vm, t->ipa, data, t->n, t->in);
	return ret == -EFAULT ? stop(t, OBSTACLE_HOST, va, 0) : ret;
}

/* Between vm_hold() and vm_release(). -EAGAIN: an obstacle; another error: no success. */
static int copy_held(struct keel_vcpu *vcpu, struct transfer *t, u8 *data)
{
	u64 offset = t->va.v & ~PAGE_MASK, done;
	struct gva_pages g = {
		.va = gva(t->va.v & PAGE_MASK),
		.nr = DIV_ROUND_UP(offset + t->bytes, PAGE_SIZE),
		.access = access_of(vcpu, t),
	};
	unsigned int i;
	int ret = 0;

	gva_translate(vcpu, &g);
	for (i = 0, done = 0; !ret && i < g.nr; i++, done += t->n) {
		t->n = min(PAGE_SIZE - (i ? 0 : offset), t->bytes - done);
		ret = copy_part(vcpu, t, gva(t->va.v + done), g.par[i], data + done);
	}
	return ret;
}

static int copy(struct keel_vcpu *vcpu, struct transfer *t, u8 *data)
{
	int ret;

	vm_hold(vcpu);
	ret = copy_held(vcpu, t, data);
	vm_release(vcpu);
	return ret;
}

/* All of the message that SENDSIZE announced. */
static int send(struct keel_vcpu *vcpu, struct backdoor_link *l, struct transfer *t)
{
	const u64 *x = vcpu->state.ctx.x;
	struct backdoor_channel *c = channel_find(l, (u32)x[3] >> 16, x[6], x[5]);
	int ret;

	t->va = gva(x[4]);
	if (!c || !c->sending || c->in.at || t->bytes != c->in.size)
		return -EINVAL;
	ret = copy(vcpu, t, c->in.data);
	if (!ret && !channel_deliver(l, c))
		ret = -ENOSPC;
	return ret;
}

/* All of the message of which RECVSIZE told. */
static int receive(struct keel_vcpu *vcpu, struct backdoor_link *l, struct transfer *t)
{
	const u64 *x = vcpu->state.ctx.x;
	struct backdoor_channel *c = channel_find(l, (u32)x[3] >> 16, x[4], x[6]);
	int ret;

	t->va = gva(x[5]);
	if (!c || !c->full || c->out.at || t->bytes != c->out.size || !t->bytes)
		return -EINVAL;
	ret = copy(vcpu, t, c->out.data);
	if (!ret)
		c->out.at = c->out.size;
	return ret;
}

static int transfer(struct keel_vcpu *vcpu, struct backdoor_link *l, struct transfer *t)
{
	int ret = -ENODEV;

	mutex_lock(&l->lock);
	if (!l->over)
		ret = t->in ? receive(vcpu, l, t) : send(vcpu, l, t);
	mutex_unlock(&l->lock);
	return ret;
}

/*
 * Out of the way, before the call is made again. A page of the guest's own that is missing is
 * brought by the guest.
 */
static int clear_obstacle(struct keel_vcpu *vcpu, const struct transfer *t)
{
	int ret;

	switch (t->obstacle) {
	case OBSTACLE_GUEST:
		vcpu_inject_dabt_fault(vcpu, t->at, t->status == EL2_PAR_ABORT ?
				       ESR_ELx_FSC_EXTABT : FIELD_GET(PAR_FST, t->status), t->in);
		return 0;
	case OBSTACLE_CLEAN:
		vcpu_inject_dabt_fault(vcpu, t->at, t->status, true);
		return 0;
	case OBSTACLE_TABLES:
		/* Of stage 2 a walk needs to write only where it may not. */
		ret = gva_fill(vcpu, t->at, (FIELD_GET(PAR_FST, t->status) & ESR_ELx_FSC_TYPE) ==
					    ESR_ELx_FSC_PERM);
		if (ret != -ENOENT)
			return ret;
		vcpu_inject_dabt_fault(vcpu, t->at, ESR_ELx_FSC_EXTABT, t->in);
		return 0;
	default:
		return stage2_touch(vcpu->vm, t->ipa, t->n, t->in);
	}
}

bool backdoor_high(struct keel_vcpu *vcpu)
{
	u64 *x = vcpu->state.ctx.x;
	struct transfer t = { .bytes = x[2], .in = x[7] & IO_IN };
	struct backdoor_link *l = backdoor_link_get(vcpu->vm);
	int ret = -ENODEV;

	if (l) {
		ret = transfer(vcpu, l, &t);
		link_put(l);
	}
	if (ret == -EAGAIN && !clear_obstacle(vcpu, &t))
		return false;
	x[1] = (x[1] & 0xffff) | (ret ? 0 : SUCCESS << 16);
	return true;
}
