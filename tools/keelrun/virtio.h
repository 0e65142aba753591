/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Virtio devices (VIRTIO 1.2) on the MMIO transport, version 2, with split queues.
 *
 * Nothing that the guest writes is trusted: every index, address and length is bounded where it is
 * read, and what the guest can change meanwhile is read once. A queue that breaks the rules marks
 * its device DEVICE_NEEDS_RESET, and the device does nothing more until the guest resets it.
 */
#ifndef KEELRUN_VIRTIO_H
#define KEELRUN_VIRTIO_H

#include <pthread.h>
#include <sys/uio.h>
#include <linux/virtio_ring.h>

#include "loop.h"
#include "util.h"

#define VIRTQ_MAX	128	/* descriptors in a queue */
#define VIRTIO_QUEUES	2	/* queues of a device, at most */

struct vm;
struct virtio_device;

/**
 * struct virtq - a split queue
 * @num: descriptors in it, a power of two
 * @ready: the guest has set it up
 * @desc_addr: guest-physical address of the descriptors
 * @avail_addr: of the ring that the guest fills
 * @used_addr: of the ring that the device fills
 * @desc: the descriptors, mapped, once @ready
 * @avail: flags, index, ring
 * @used: likewise
 * @last_avail: entries of @avail taken so far
 * @used_idx: entries of @used filled so far
 */
struct virtq {
	u32 num;
	bool ready;
	u64 desc_addr;
	u64 avail_addr;
	u64 used_addr;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	u16 last_avail;
	u16 used_idx;
};

/**
 * struct virtq_chain - one buffer that the guest made available
 * @head: its first descriptor
 * @nr_out: parts that the device reads
 * @nr_in: parts that the device writes
 * @out_len: bytes that the device reads
 * @in_len: bytes that the device writes
 * @iov: first the parts to read, then the parts to write; all lie in guest memory
 */
struct virtq_chain {
	u16 head;
	unsigned int nr_out;
	unsigned int nr_in;
	u64 out_len;
	u64 in_len;
	struct iovec iov[VIRTQ_MAX];
};

/**
 * virtq_open() - map a queue that the guest has set up
 * @vm: whose memory it is in
 * @vq: the queue with its addresses and size
 *
 * Return: whether it is well formed and all of it is guest memory.
 */
bool virtq_open(const struct vm *vm, struct virtq *vq);

/**
 * virtq_peek() - look at the next buffer
 * @vm: whose memory it is in
 * @vq: an open queue
 * @chain: the buffer
 *
 * Return: 1, 0 when there is none, -1 when the guest broke the rules.
 */
int virtq_peek(const struct vm *vm, struct virtq *vq, struct virtq_chain *chain);

/**
 * virtq_push() - give the buffer that virtq_peek() showed back
 * @vq: the queue
 * @chain: the buffer
 * @written: bytes written to it
 */
void virtq_push(struct virtq *vq, const struct virtq_chain *chain, u32 written);

/**
 * virtq_wants_interrupt() - ask whether the guest waits for used buffers
 * @vq: the queue
 *
 * Return: whether to interrupt.
 */
bool virtq_wants_interrupt(const struct virtq *vq);

/**
 * struct virtio_ops - what a kind of device does
 * @run_queue: handle the buffers of a queue, by virtio_next() and virtio_done(); under the lock, in
 *	the main thread
 */
struct virtio_ops {
	void (*run_queue)(struct virtio_device *dev, unsigned int queue);
};

/**
 * struct virtio_notify - a queue's doorbell
 * @event: signalled by the guest's store to QueueNotify
 * @dev: the device
 * @queue: the queue's number
 */
struct virtio_notify {
	struct event_source event;
	struct virtio_device *dev;
	unsigned int queue;
};

/**
 * struct virtio_device - what all kinds of devices share
 * @vm: its VM
 * @name: for --stats
 * @id: VIRTIO_ID_*
 * @features: what it offers beside VIRTIO_F_VERSION_1
 * @config: its configuration space, which does not change
 * @config_len: bytes
 * @nr_queues: its queues
 * @ops: what it does
 * @index: its number on the bus
 * @irqfd: its interrupt, or -1
 * @lock: guards everything below but @status and @isr, which any thread reads
 * @status: the device status
 * @isr: the interrupt status
 * @budget: buffers to take before the other event sources have their turn
 * @driver_features: what the driver accepted
 * @features_sel: which half of the features is read
 * @driver_features_sel: which half is written
 * @queue_sel: which queue the queue registers show
 * @vq: the queues
 * @notify: their doorbells
 */
struct virtio_device {
	struct vm *vm;
	const char *name;
	u32 id;
	u64 features;
	const void *config;
	size_t config_len;
	unsigned int nr_queues;
	const struct virtio_ops *ops;
	unsigned int index;
	int irqfd;
	pthread_mutex_t lock;
	u32 status;
	u32 isr;
	unsigned int budget;
	u64 driver_features;
	u32 features_sel;
	u32 driver_features_sel;
	u32 queue_sel;
	struct virtq vq[VIRTIO_QUEUES];
	struct virtio_notify notify[VIRTIO_QUEUES];
};

/**
 * virtio_add() - put a device on the bus
 * @dev: with @vm, @name, @id, @features, @config, @config_len, @nr_queues and @ops set
 * @index: its place: decides its address and its interrupt
 */
void virtio_add(struct virtio_device *dev, unsigned int index);

/**
 * virtio_remove() - take a device of a VM that has ended off the bus
 * @dev: the device
 */
void virtio_remove(struct virtio_device *dev);

/**
 * virtio_next() - take the next buffer of a queue
 * @dev: the device, locked
 * @queue: the queue
 * @chain: the buffer
 *
 * Return: whether there is one to handle now. A queue that breaks the rules is a broken device and
 * gives none; one that the guest keeps filling gives way to the other event sources and is run
 * again.
 */
bool virtio_next(struct virtio_device *dev, unsigned int queue, struct virtq_chain *chain);

/**
 * virtio_done() - give a buffer back and interrupt the guest if it asks for that
 * @dev: the device, locked
 * @queue: the queue
 * @chain: the buffer of the last virtio_next()
 * @written: bytes written to it
 */
void virtio_done(struct virtio_device *dev, unsigned int queue, const struct virtq_chain *chain,
		 u32 written);

/**
 * virtio_broken() - stop a device whose guest broke the rules
 * @dev: the device, locked
 */
void virtio_broken(struct virtio_device *dev);

#endif
