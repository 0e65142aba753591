// SPDX-License-Identifier: GPL-2.0
/* The MMIO transport of virtio devices (VIRTIO 1.2, section 4.2), version 2. */
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <string.h>
#include <unistd.h>

#include "virtio.h"
#include "vm.h"

#define MAGIC		0x74726976	/* "virt" */
#define VENDOR		0x6c65656b	/* "keel" */
#define NEEDS_RESET	VIRTIO_CONFIG_S_NEEDS_RESET

static u32 get_status(const struct virtio_device *dev)
{
	return __atomic_load_n(&dev->status, __ATOMIC_ACQUIRE);
}

static void set_status(struct virtio_device *dev, u32 status)
{
	__atomic_store_n(&dev->status, status, __ATOMIC_RELEASE);
}

static void interrupt(struct virtio_device *dev, u32 why)
{
	unsigned int spi = VIRTIO_SPI + dev->index;

	__atomic_fetch_or(&dev->isr, why, __ATOMIC_SEQ_CST);
	if (dev->irqfd >= 0) {
		eventfd_signal(dev->irqfd);
		return;
	}
	vm_irq_set(dev->vm, spi, true);
	vm_irq_set(dev->vm, spi, false);
}

void virtio_broken(struct virtio_device *dev)
{
	u32 status = get_status(dev);

	if (status & NEEDS_RESET)
		return;
	set_status(dev, status | NEEDS_RESET);
	message("%s: the guest broke the rules of virtio; the device waits for a reset", dev->name);
	if (status & VIRTIO_CONFIG_S_DRIVER_OK)
		interrupt(dev, VIRTIO_MMIO_INT_CONFIG);
}

static bool is_live(const struct virtio_device *dev, unsigned int queue)
{
	u32 status = get_status(dev);

	return status & VIRTIO_CONFIG_S_DRIVER_OK && !(status & NEEDS_RESET) &&
	       dev->vq[queue].ready;
}

bool virtio_next(struct virtio_device *dev, unsigned int queue, struct virtq_chain *chain)
{
	int ret;

	if (!is_live(dev, queue))
		return false;
	if (!dev->budget) {
		eventfd_signal(dev->notify[queue].event.fd);
		return false;
	}
	dev->budget--;
	ret = virtq_peek(dev->vm, &dev->vq[queue], chain);
	if (ret < 0)
		virtio_broken(dev);
	return ret > 0;
}

void virtio_done(struct virtio_device *dev, unsigned int queue, const struct virtq_chain *chain,
		 u32 written)
{
	struct virtq *vq = &dev->vq[queue];

	virtq_push(vq, chain, written);
	if (virtq_wants_interrupt(vq))
		interrupt(dev, VIRTIO_MMIO_INT_VRING);
}

static void notified(struct event_source *src)
{
	struct virtio_notify *n = container_of(src, struct virtio_notify, event);
	struct virtio_device *dev = n->dev;

	eventfd_clear(src->fd);
	pthread_mutex_lock(&dev->lock);
	dev->budget = VIRTQ_MAX;
	dev->ops->run_queue(dev, n->queue);
	pthread_mutex_unlock(&dev->lock);
}

static u64 offered_features(const struct virtio_device *dev)
{
	return dev->features | 1ULL << VIRTIO_F_VERSION_1;
}

static u64 read_config(const struct virtio_device *dev, u64 offset, unsigned int len)
{
	u64 value = 0;

	if (offset < dev->config_len && len <= dev->config_len - offset)
		memcpy(&value, (const u8 *)dev->config + offset, len);
	return value;
}

static u32 feature_word(u64 features, u32 sel)
{
	return sel < 2 ? features >> (32 * sel) : 0;
}

static u32 read_locked(struct virtio_device *dev, u64 offset)
{
	bool exists = dev->queue_sel < dev->nr_queues;

	switch (offset) {
	case VIRTIO_MMIO_DEVICE_FEATURES:
		return feature_word(offered_features(dev), dev->features_sel);
	case VIRTIO_MMIO_QUEUE_NUM_MAX:
		return exists ? VIRTQ_MAX : 0;
	case VIRTIO_MMIO_QUEUE_READY:
		return exists && dev->vq[dev->queue_sel].ready;
	case VIRTIO_MMIO_SHM_LEN_LOW:
	case VIRTIO_MMIO_SHM_LEN_HIGH:
	case VIRTIO_MMIO_SHM_BASE_LOW:
	case VIRTIO_MMIO_SHM_BASE_HIGH:
		/* All ones: there is no shared memory. */
		return ~0U;
	}
	return 0;
}

/* What a handler of interrupts reads takes no lock: a long transfer may hold it. */
static u64 mmio_read(void *opaque, u64 offset, unsigned int len)
{
	struct virtio_device *dev = opaque;
	u32 value;

	switch (offset) {
	case VIRTIO_MMIO_MAGIC_VALUE:
		return MAGIC;
	case VIRTIO_MMIO_VERSION:
		return 2;
	case VIRTIO_MMIO_DEVICE_ID:
		return dev->id;
	case VIRTIO_MMIO_VENDOR_ID:
		return VENDOR;
	case VIRTIO_MMIO_INTERRUPT_STATUS:
		return __atomic_load_n(&dev->isr, __ATOMIC_SEQ_CST);
	case VIRTIO_MMIO_STATUS:
		return get_status(dev);
	}
	if (offset >= VIRTIO_MMIO_CONFIG)
		return read_config(dev, offset - VIRTIO_MMIO_CONFIG, len);
	pthread_mutex_lock(&dev->lock);
	value = read_locked(dev, offset);
	pthread_mutex_unlock(&dev->lock);
	return value;
}

static void reset(struct virtio_device *dev)
{
	memset(dev->vq, 0, sizeof(dev->vq));
	dev->driver_features = 0;
	dev->features_sel = 0;
	dev->driver_features_sel = 0;
	dev->queue_sel = 0;
	__atomic_store_n(&dev->isr, 0, __ATOMIC_SEQ_CST);
	set_status(dev, 0);
}

static void write_status(struct virtio_device *dev, u32 status)
{
	u64 must = 1ULL << VIRTIO_F_VERSION_1;
	u32 old = get_status(dev);

	if (!status) {
		reset(dev);
		return;
	}
	/* A driver that accepts what is not offered sees FEATURES_OK stay clear (3.1.1). */
	if (status & VIRTIO_CONFIG_S_FEATURES_OK && !(old & VIRTIO_CONFIG_S_FEATURES_OK) &&
	    (dev->driver_features & ~offered_features(dev) || !(dev->driver_features & must)))
		status &= ~VIRTIO_CONFIG_S_FEATURES_OK;
	set_status(dev, (status & 0xff) | (old & NEEDS_RESET));
	/* The guest may have filled its queues before. */
	if (~old & status & VIRTIO_CONFIG_S_DRIVER_OK)
		for (unsigned int i = 0; i < dev->nr_queues; i++)
			eventfd_signal(dev->notify[i].event.fd);
}

static void write_queue_ready(struct virtio_device *dev, struct virtq *vq, u32 value)
{
	vq->ready = false;
	if (!(value & 1))
		return;
	if (virtq_open(dev->vm, vq))
		vq->ready = true;
	else
		virtio_broken(dev);
}

static void set_low(u64 *addr, u32 value)
{
	*addr = (*addr & ~0xffffffffULL) | value;
}

static void set_high(u64 *addr, u32 value)
{
	*addr = (*addr & 0xffffffffULL) | (u64)value << 32;
}

static void write_queue(struct virtio_device *dev, u64 offset, u32 value)
{
	struct virtq *vq;

	if (dev->queue_sel >= dev->nr_queues)
		return;
	vq = &dev->vq[dev->queue_sel];
	if (offset == VIRTIO_MMIO_QUEUE_READY) {
		write_queue_ready(dev, vq, value);
		return;
	}
	/* The mapping of a queue in use does not move. */
	if (vq->ready)
		return;
	switch (offset) {
	case VIRTIO_MMIO_QUEUE_NUM:
		vq->num = value;
		break;
	case VIRTIO_MMIO_QUEUE_DESC_LOW:
		set_low(&vq->desc_addr, value);
		break;
	case VIRTIO_MMIO_QUEUE_DESC_HIGH:
		set_high(&vq->desc_addr, value);
		break;
	case VIRTIO_MMIO_QUEUE_AVAIL_LOW:
		set_low(&vq->avail_addr, value);
		break;
	case VIRTIO_MMIO_QUEUE_AVAIL_HIGH:
		set_high(&vq->avail_addr, value);
		break;
	case VIRTIO_MMIO_QUEUE_USED_LOW:
		set_low(&vq->used_addr, value);
		break;
	case VIRTIO_MMIO_QUEUE_USED_HIGH:
		set_high(&vq->used_addr, value);
		break;
	}
}

static void write_driver_features(struct virtio_device *dev, u32 value)
{
	if (get_status(dev) & VIRTIO_CONFIG_S_FEATURES_OK)
		return;
	if (dev->driver_features_sel == 0)
		set_low(&dev->driver_features, value);
	else if (dev->driver_features_sel == 1)
		set_high(&dev->driver_features, value);
}

static void write_locked(struct virtio_device *dev, u64 offset, u32 value)
{
	switch (offset) {
	case VIRTIO_MMIO_DEVICE_FEATURES_SEL:
		dev->features_sel = value;
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES_SEL:
		dev->driver_features_sel = value;
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES:
		write_driver_features(dev, value);
		break;
	case VIRTIO_MMIO_QUEUE_SEL:
		dev->queue_sel = value;
		break;
	case VIRTIO_MMIO_STATUS:
		write_status(dev, value);
		break;
	default:
		write_queue(dev, offset, value);
	}
}

static void mmio_write(void *opaque, u64 offset, unsigned int len, u64 value)
{
	struct virtio_device *dev = opaque;

	/* Registers have 32 bits; no configuration space here can be written. */
	if (len != 4 || offset >= VIRTIO_MMIO_CONFIG)
		return;
	switch (offset) {
	case VIRTIO_MMIO_QUEUE_NOTIFY:
		/* Only where KVM_IOEVENTFD did not take it. */
		if (value < dev->nr_queues)
			eventfd_signal(dev->notify[value].event.fd);
		return;
	case VIRTIO_MMIO_INTERRUPT_ACK:
		__atomic_fetch_and(&dev->isr, ~(u32)value, __ATOMIC_SEQ_CST);
		return;
	}
	pthread_mutex_lock(&dev->lock);
	write_locked(dev, offset, value);
	pthread_mutex_unlock(&dev->lock);
}

void virtio_add(struct virtio_device *dev, unsigned int index)
{
	u64 base = VIRTIO_BASE + index * VIRTIO_SIZE;

	dev->index = index;
	dev->irqfd = vm_add_irqfd(dev->vm, VIRTIO_SPI + index);
	pthread_mutex_init(&dev->lock, NULL);
	for (unsigned int i = 0; i < dev->nr_queues; i++) {
		struct virtio_notify *n = &dev->notify[i];

		n->dev = dev;
		n->queue = i;
		loop_add_eventfd(&n->event, notified);
		vm_add_ioeventfd(dev->vm, base + VIRTIO_MMIO_QUEUE_NOTIFY, i, n->event.fd);
	}
	bus_add(&dev->vm->bus, &(struct mmio_region) {
		.name = dev->name,
		.base = base,
		.size = VIRTIO_SIZE,
		.read = mmio_read,
		.write = mmio_write,
		.opaque = dev,
	});
}

void virtio_remove(struct virtio_device *dev)
{
	for (unsigned int i = 0; i < dev->nr_queues; i++)
		close(dev->notify[i].event.fd);
	if (dev->irqfd >= 0)
		close(dev->irqfd);
	pthread_mutex_destroy(&dev->lock);
}
