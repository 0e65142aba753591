// SPDX-License-Identifier: GPL-2.0
/* Split virtqueues (VIRTIO 1.2, section 2.7). */
#include <stdint.h>

#include "virtio.h"
#include "vm.h"

bool virtq_open(const struct vm *vm, struct virtq *vq)
{
	u32 num = vq->num;

	if (!num || num > VIRTQ_MAX || num & (num - 1))
		return false;
	if (vq->desc_addr % VRING_DESC_ALIGN_SIZE || vq->avail_addr % VRING_AVAIL_ALIGN_SIZE ||
	    vq->used_addr % VRING_USED_ALIGN_SIZE)
		return false;
	vq->desc = vm_ram(vm, vq->desc_addr, num * sizeof(struct vring_desc));
	/* Both rings end in an event index of 16 bits. */
	vq->avail = vm_ram(vm, vq->avail_addr, sizeof(struct vring_avail) + (num + 1) * 2);
	vq->used = vm_ram(vm, vq->used_addr,
			  sizeof(struct vring_used) + num * sizeof(struct vring_used_elem) + 2);
	vq->last_avail = 0;
	vq->used_idx = 0;
	return vq->desc && vq->avail && vq->used;
}

/* Read once: the guest may change the descriptor at any time. */
static struct vring_desc read_desc(const struct virtq *vq, u16 i)
{
	struct vring_desc *d = &vq->desc[i];

	return (struct vring_desc) {
		.addr = __atomic_load_n(&d->addr, __ATOMIC_RELAXED),
		.len = __atomic_load_n(&d->len, __ATOMIC_RELAXED),
		.flags = __atomic_load_n(&d->flags, __ATOMIC_RELAXED),
		.next = __atomic_load_n(&d->next, __ATOMIC_RELAXED),
	};
}

static bool add_part(const struct vm *vm, struct virtq_chain *chain, const struct vring_desc *d)
{
	bool in = d->flags & VRING_DESC_F_WRITE;
	void *p = vm_ram(vm, d->addr, d->len);

	/* What the device reads comes first (2.7.4.2); indirect tables are not offered. */
	if (!p || d->flags & VRING_DESC_F_INDIRECT || (!in && chain->nr_in))
		return false;
	chain->iov[chain->nr_out + chain->nr_in] = (struct iovec) { p, d->len };
	if (in) {
		chain->nr_in++;
		chain->in_len += d->len;
	} else {
		chain->nr_out++;
		chain->out_len += d->len;
	}
	return true;
}

static bool read_chain(const struct vm *vm, const struct virtq *vq, struct virtq_chain *chain)
{
	u16 i = chain->head;

	chain->nr_out = 0;
	chain->nr_in = 0;
	chain->out_len = 0;
	chain->in_len = 0;
	/* As many steps as there are descriptors: a loop in the chain ends here. */
	for (u32 n = 0; n < vq->num; n++) {
		struct vring_desc d;

		if (i >= vq->num)
			return false;
		d = read_desc(vq, i);
		if (!add_part(vm, chain, &d))
			return false;
		if (!(d.flags & VRING_DESC_F_NEXT))
			return true;
		i = d.next;
	}
	return false;
}

int virtq_peek(const struct vm *vm, struct virtq *vq, struct virtq_chain *chain)
{
	/* Pairs with the guest's barrier between filling the ring and moving the index. */
	u16 idx = __atomic_load_n(&vq->avail->idx, __ATOMIC_ACQUIRE);
	u16 waiting = idx - vq->last_avail;

	if (!waiting)
		return 0;
	if (waiting > vq->num)
		return -1;
	chain->head = __atomic_load_n(&vq->avail->ring[vq->last_avail % vq->num],
				      __ATOMIC_RELAXED);
	return read_chain(vm, vq, chain) ? 1 : -1;
}

void virtq_push(struct virtq *vq, const struct virtq_chain *chain, u32 written)
{
	struct vring_used_elem *e = &vq->used->ring[vq->used_idx % vq->num];

	e->id = chain->head;
	e->len = written;
	vq->last_avail++;
	vq->used_idx++;
	/* The guest sees the element and the data before the index. */
	__atomic_store_n(&vq->used->idx, vq->used_idx, __ATOMIC_RELEASE);
}

bool virtq_wants_interrupt(const struct virtq *vq)
{
	/*
	 * The index is stored before the flag is read; the guest clears the flag before it reads
	 * the index once more (2.7.7): one of the two sees the other.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return !(__atomic_load_n(&vq->avail->flags, __ATOMIC_RELAXED) & VRING_AVAIL_F_NO_INTERRUPT);
}
