// SPDX-License-Identifier: GPL-2.0
/* KEEL_BACKDOOR_OPEN: the file of a VM's agent, one datagram a call. It does not keep the VM. */
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/keel.h>

#include <keel/abi.h>
#include <keel/vm.h>

static ssize_t backdoor_read(struct file *file, char __user *to, size_t room, loff_t *pos)
{
	struct backdoor_link *l = file->private_data;
	const struct keel_backdoor_message *header;
	struct backdoor_datagram *d;
	const u8 *data;
	ssize_t size;

	d = backdoor_take(l, room, !(file->f_flags & O_NONBLOCK));
	if (IS_ERR(d))
		return PTR_ERR(d);
	header = backdoor_datagram_read(d, &data);
	size = sizeof(*header) + header->length;
	if (copy_to_user(to, header, sizeof(*header)) ||
	    copy_to_user(to + sizeof(*header), data, header->length)) {
		backdoor_take_back(l, d);
		return -EFAULT;
	}
	backdoor_forget(d);
	return size;
}

/* What it must be, whatever the guest does. */
static int write_check(const struct keel_backdoor_message *header, size_t size)
{
	if (header->kind != KEEL_BACKDOOR_MESSAGE && header->kind != KEEL_BACKDOOR_OPTIONS)
		return -EINVAL;
	if (header->kind == KEEL_BACKDOOR_OPTIONS && header->length != sizeof(u32))
		return -EMSGSIZE;
	return header->length > KEEL_BACKDOOR_MAX || header->length != size - sizeof(*header) ?
	       -EMSGSIZE : 0;
}

static ssize_t backdoor_write(struct file *file, const char __user *from, size_t size,
			      loff_t *pos)
{
	struct backdoor_link *l = file->private_data;
	struct keel_backdoor_message header;
	u8 *data = NULL;
	int ret;

	if (size < sizeof(header))
		return -EMSGSIZE;
	if (copy_from_user(&header, from, sizeof(header)))
		return -EFAULT;
	ret = write_check(&header, size);
	if (ret)
		return ret;
	if (header.length) {
		data = vmemdup_user(from + sizeof(header), header.length);
		if (IS_ERR(data))
			return PTR_ERR(data);
	}
	ret = backdoor_give(l, &header, data);
	if (ret) {
		kvfree(data);
		return ret;
	}
	return size;
}

static __poll_t backdoor_poll(struct file *file, poll_table *wait)
{
	struct backdoor_link *l = file->private_data;

	poll_wait(file, backdoor_wait(l), wait);
	if (backdoor_is_over(l))
		return EPOLLHUP;
	return EPOLLOUT | EPOLLWRNORM | (backdoor_readable(l) ? EPOLLIN | EPOLLRDNORM : 0);
}

static int backdoor_file_release(struct inode *inode, struct file *file)
{
	backdoor_release(file->private_data);
	return 0;
}

static const struct file_operations backdoor_fops = {
	.owner = THIS_MODULE,
	.release = backdoor_file_release,
	.read = backdoor_read,
	.write = backdoor_write,
	.poll = backdoor_poll,
	.llseek = noop_llseek,
};

long abi_backdoor_open(struct keel_vm *vm, void *arg)
{
	struct abi_backdoor_open *o = arg;
	struct keel_backdoor_open *args = &o->args;
	struct backdoor_link *l;
	int fd;

	if (abi_bad_argument(args))
		return -EINVAL;
	l = backdoor_link_create(vm, o->observer);
	if (IS_ERR(l))
		return PTR_ERR(l);
	fd = anon_inode_getfd("keel-backdoor", &backdoor_fops, l, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		backdoor_release(l);
	return fd;
}
