// SPDX-License-Identifier: GPL-2.0
/* A console: the virtio console device (VIRTIO 1.2, section 5.3) with one port. */
#include <linux/virtio_console.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>

#include "terminal.h"
#include "virtio-console.h"
#include "virtio.h"

#define QUEUE_RX	0	/* to the guest */
#define QUEUE_TX	1	/* from the guest */

struct virtio_console {
	struct virtio_device dev;
	struct virtio_console_config config;
	struct virtq_chain chain;
};

static void run_tx(struct virtio_console *con)
{
	struct virtq_chain *c = &con->chain;

	while (virtio_next(&con->dev, QUEUE_TX, c)) {
		for (unsigned int i = 0; i < c->nr_out; i++)
			terminal_write(c->iov[i].iov_base, c->iov[i].iov_len);
		virtio_done(&con->dev, QUEUE_TX, c, 0);
	}
}

static void run_rx(struct virtio_console *con)
{
	struct virtq_chain *c = &con->chain;

	/* A buffer is taken only when there is something to put in it. */
	while (terminal_has_input() && virtio_next(&con->dev, QUEUE_RX, c)) {
		struct iovec *in = c->iov + c->nr_out;
		u32 n = 0;

		for (unsigned int i = 0; i < c->nr_in; i++)
			n += terminal_read(in[i].iov_base, in[i].iov_len);
		virtio_done(&con->dev, QUEUE_RX, c, n);
	}
}

static void run_queue(struct virtio_device *dev, unsigned int queue)
{
	struct virtio_console *con = container_of(dev, struct virtio_console, dev);

	if (queue == QUEUE_TX)
		run_tx(con);
	else
		run_rx(con);
}

void virtio_console_input(void *opaque)
{
	struct virtio_console *con = opaque;

	eventfd_signal(con->dev.notify[QUEUE_RX].event.fd);
}

static const struct virtio_ops console_ops = {
	.run_queue = run_queue,
};

struct virtio_console *virtio_console_create(struct vm *vm, unsigned int index)
{
	struct virtio_console *con = xcalloc(1, sizeof(*con));

	con->dev = (struct virtio_device) {
		.vm = vm,
		.name = "console",
		.id = VIRTIO_ID_CONSOLE,
		.config = &con->config,
		.config_len = sizeof(con->config),
		.nr_queues = 2,
		.ops = &console_ops,
	};
	virtio_add(&con->dev, index);
	return con;
}

void virtio_console_destroy(struct virtio_console *con)
{
	virtio_remove(&con->dev);
	free(con);
}
