// SPDX-License-Identifier: GPL-2.0
/* A disk: the virtio block device (VIRTIO 1.2, section 5.2) on a raw image file. */
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "virtio-blk.h"
#include "virtio.h"

#define SECTOR		512
/* A request has at most this many bytes: what SEG_MAX parts of SIZE_MAX hold. */
#define PART_MAX	SZ_1M
#define PARTS_MAX	(VIRTQ_MAX - 2)

struct virtio_blk {
	struct virtio_device dev;
	const struct disk *disk;
	struct virtio_blk_config config;
	char name[16];
	struct virtq_chain chain;
};

static void lock_image(const struct disk *disk)
{
	int how = disk->read_only ? LOCK_SH : LOCK_EX;

	/* Only a lock of another's counts: some file systems have no locks. */
	if (flock(disk->fd, how | LOCK_NB) && errno == EWOULDBLOCK)
		die("disk image %s is in use: end the other program, or give both %s,ro",
		    disk->path, disk->path);
}

void disk_open(struct disk *disk)
{
	struct stat st;
	off_t size;

	disk->fd = open(disk->path, (disk->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (disk->fd < 0) {
		int err = errno;
		bool denied = err == EACCES || err == EROFS || err == EPERM;

		die("cannot open disk image %s: %s%s", disk->path, strerror(err),
		    err == ENOENT ? "; make one: truncate -s 64M FILE" :
		    denied && !disk->read_only ? "; add \",ro\" if the guest need not write" : "");
	}
	if (fstat(disk->fd, &st) || !(S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)))
		die("disk image %s is neither a file nor a block device: give a raw image",
		    disk->path);
	size = lseek(disk->fd, 0, SEEK_END);
	if (size < 0)
		die("cannot find the size of disk image %s: %s", disk->path, strerror(errno));
	if (!size)
		die("disk image %s is empty: give it a size, truncate -s 64M %s", disk->path,
		    disk->path);
	if (size % SECTOR)
		die("disk image %s has %lld bytes, not a multiple of 512: give a raw image",
		    disk->path, (long long)size);
	disk->size = size;
	lock_image(disk);
}

/* Take bytes from the front of the parts, to @buf if not NULL. Return: whether it had them. */
static bool take_front(struct iovec *iov, unsigned int nr, void *buf, size_t len)
{
	for (unsigned int i = 0; i < nr && len; i++) {
		size_t n = iov[i].iov_len < len ? iov[i].iov_len : len;

		if (buf) {
			memcpy(buf, iov[i].iov_base, n);
			buf = (char *)buf + n;
		}
		iov[i].iov_base = (char *)iov[i].iov_base + n;
		iov[i].iov_len -= n;
		len -= n;
	}
	return !len;
}

/* Take the last byte of the parts. Return: where it is, NULL if they are empty. */
static u8 *take_last_byte(struct iovec *iov, unsigned int nr)
{
	while (nr--)
		if (iov[nr].iov_len)
			return (u8 *)iov[nr].iov_base + --iov[nr].iov_len;
	return NULL;
}

static bool transfer(int fd, bool write, struct iovec *iov, unsigned int nr, u64 len, off_t offset)
{
	while (len) {
		ssize_t n = write ? pwritev(fd, iov, nr, offset) : preadv(fd, iov, nr, offset);

		if (n < 0 && errno == EINTR)
			continue;
		/* 0: somebody has cut the image. */
		if (n <= 0)
			return false;
		len -= n;
		offset += n;
		take_front(iov, nr, NULL, n);
	}
	return true;
}

static u8 run_transfer(struct virtio_blk *blk, bool write, struct iovec *iov, unsigned int nr,
		       u64 len, u64 sector)
{
	u64 sectors = blk->disk->size / SECTOR;
	bool cached = blk->dev.driver_features & 1ULL << VIRTIO_BLK_F_FLUSH;
	int fd = blk->disk->fd;

	if (len % SECTOR || len > PARTS_MAX * PART_MAX || sector > sectors ||
	    len / SECTOR > sectors - sector)
		return VIRTIO_BLK_S_IOERR;
	if (write && blk->disk->read_only)
		return VIRTIO_BLK_S_IOERR;
	if (!transfer(fd, write, iov, nr, len, sector * SECTOR))
		return VIRTIO_BLK_S_IOERR;
	/* A driver that cannot flush expects what is written to stay (5.2.6.2). */
	if (write && !cached && fdatasync(fd))
		return VIRTIO_BLK_S_IOERR;
	return VIRTIO_BLK_S_OK;
}

static u8 get_id(struct virtio_blk *blk, struct iovec *iov, unsigned int nr, u64 len, u32 *written)
{
	char id[VIRTIO_BLK_ID_BYTES] = "";
	char *p = id;

	snprintf(id, sizeof(id), "keelrun-%u", blk->dev.index);
	if (len < sizeof(id))
		return VIRTIO_BLK_S_IOERR;
	*written = sizeof(id);
	for (unsigned int i = 0; i < nr && p < id + sizeof(id); i++) {
		size_t left = id + sizeof(id) - p;
		size_t n = iov[i].iov_len < left ? iov[i].iov_len : left;

		memcpy(iov[i].iov_base, p, n);
		p += n;
	}
	return VIRTIO_BLK_S_OK;
}

/*
 * Where one part ends and the next begins means nothing (2.7.4): the request's header is the first
 * 16 bytes that the device reads, its status the last byte that the device writes.
 */
static bool run_request(struct virtio_blk *blk, struct virtq_chain *c, u32 *written)
{
	struct iovec *out = c->iov, *in = c->iov + c->nr_out;
	struct virtio_blk_outhdr hdr;
	u64 out_len = c->out_len - sizeof(hdr);
	u64 in_len = c->in_len - 1;
	u8 *status;
	u8 result;

	if (c->out_len < sizeof(hdr) || !c->in_len)
		return false;
	take_front(out, c->nr_out, &hdr, sizeof(hdr));
	status = take_last_byte(in, c->nr_in);
	*written = 0;

	switch (hdr.type) {
	case VIRTIO_BLK_T_IN:
		result = run_transfer(blk, false, in, c->nr_in, in_len, hdr.sector);
		if (result == VIRTIO_BLK_S_OK)
			*written = in_len;
		break;
	case VIRTIO_BLK_T_OUT:
		result = run_transfer(blk, true, out, c->nr_out, out_len, hdr.sector);
		break;
	case VIRTIO_BLK_T_FLUSH:
		result = fdatasync(blk->disk->fd) ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
		break;
	case VIRTIO_BLK_T_GET_ID:
		result = get_id(blk, in, c->nr_in, in_len, written);
		break;
	default:
		result = VIRTIO_BLK_S_UNSUPP;
	}
	*status = result;
	*written += 1;
	return true;
}

static void run_queue(struct virtio_device *dev, unsigned int queue)
{
	struct virtio_blk *blk = container_of(dev, struct virtio_blk, dev);
	u32 written;

	while (virtio_next(dev, queue, &blk->chain)) {
		if (!run_request(blk, &blk->chain, &written)) {
			virtio_broken(dev);
			return;
		}
		virtio_done(dev, queue, &blk->chain, written);
	}
}

static const struct virtio_ops blk_ops = {
	.run_queue = run_queue,
};

struct virtio_blk *virtio_blk_create(struct vm *vm, const struct disk *disk, unsigned int index)
{
	struct virtio_blk *blk = xcalloc(1, sizeof(*blk));

	snprintf(blk->name, sizeof(blk->name), "disk%u", index);
	blk->disk = disk;
	blk->config.capacity = disk->size / SECTOR;
	blk->config.size_max = PART_MAX;
	blk->config.seg_max = PARTS_MAX;
	blk->config.blk_size = SECTOR;
	blk->dev = (struct virtio_device) {
		.vm = vm,
		.name = blk->name,
		.id = VIRTIO_ID_BLOCK,
		.features = 1ULL << VIRTIO_BLK_F_SIZE_MAX | 1ULL << VIRTIO_BLK_F_SEG_MAX |
			    1ULL << VIRTIO_BLK_F_BLK_SIZE | 1ULL << VIRTIO_BLK_F_FLUSH,
		.config = &blk->config,
		.config_len = sizeof(blk->config),
		.nr_queues = 1,
		.ops = &blk_ops,
	};
	if (disk->read_only)
		blk->dev.features |= 1ULL << VIRTIO_BLK_F_RO;
	virtio_add(&blk->dev, index);
	return blk;
}

void virtio_blk_destroy(struct virtio_blk *blk)
{
	virtio_remove(&blk->dev);
	free(blk);
}
