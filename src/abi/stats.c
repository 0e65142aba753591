// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_GET_STATS_FD: a file that reads as header, id text, descriptors, data (api.rst 4.133). And
 * KEEL_STATS_FD: the same for observers, by ids, without a reference on the VM.
 *
 * The data block is the counters as they lie in struct keel_vcpu or struct keel_vm; descriptors
 * are made once at insmod and name only the rows of the exit table that can fire. Counters are
 * read while the vCPU runs: each is one aligned u64, no two need agree.
 */
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/kvm_types.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/keel.h>

#include <keel/abi.h>
#include <keel/count.h>
#include <keel/exits.h>
#include <keel/vm.h>

#define STATS_DESC_SIZE	(offsetof(struct kvm_stats_desc, name) + KVM_STATS_NAME_SIZE)

/* A vCPU's data block: exits answered in the first tier, the others, and count[]. */
#define VCPU_ANSWERED	(EL2_NR_EXITS * sizeof(u64))
#define VCPU_DATA_SIZE	(2 * VCPU_ANSWERED + COUNT_NR * sizeof(u64))
#ifdef KEEL_DEBUG
#define VCPU_COUNTED	sizeof(struct el2_counted)
#else
#define VCPU_COUNTED	0
#endif
#define VCPU_MAX_DESCS	((VCPU_DATA_SIZE + VCPU_COUNTED) / sizeof(u64))

struct stats {
	struct kvm_stats_header header;
	void *descs;
};

/* A piece of a statistics file, as it is read. */
struct stats_part {
	const void *from;
	size_t size;
};

static struct stats vm_stats, vcpu_stats;

static const char *const vm_count_names[VM_COUNT_NR] = {
	[VM_COUNT_REMOTE_TLB]	 = "remote_tlb_flush",
	[VM_COUNT_VMID_ROLLOVER] = "vmid_rollover",
};

static const char *const count_names[COUNT_NR] = {
	[COUNT_EXITS]		= "exits",
	[COUNT_MMIO_USER]	= "mmio_exit_user",
	[COUNT_MMIO_KERNEL]	= "mmio_exit_kernel",
	[COUNT_MMIO_SHORT]	= "mmio_exit_short",
	[COUNT_SIGNAL]		= "signal_exits",
	[COUNT_HALT_WAKEUP]	= "halt_wakeup",
	[COUNT_S2_FAULT]	= "stage2_fault",
	[COUNT_S2_BLOCK]	= "stage2_block",
	[COUNT_CACHE_CLEAN]	= "cache_clean",
	[COUNT_TLB_LOCAL]	= "tlb_flush_local",
	[COUNT_FP_LOAD]		= "fp_load",
	[COUNT_IRQ_INJECT]	= "irq_inject",
	[COUNT_UNDEF]		= "undef",
};

static void stats_add(struct stats *s, size_t offset, const char *prefix, const char *name,
		      const char *suffix)
{
	struct kvm_stats_desc *d = s->descs + s->header.num_desc++ * STATS_DESC_SIZE;

	d->flags = KVM_STATS_TYPE_CUMULATIVE | KVM_STATS_UNIT_NONE | KVM_STATS_BASE_POW10;
	d->size = 1;
	d->offset = offset;
	snprintf(d->name, KVM_STATS_NAME_SIZE, "%s%s%s", prefix, name, suffix);
}

static int stats_alloc(struct stats *s, unsigned int max_descs)
{
	s->descs = kcalloc(max_descs, STATS_DESC_SIZE, GFP_KERNEL);
	s->header.name_size = KVM_STATS_NAME_SIZE;
	s->header.id_offset = sizeof(s->header);
	s->header.desc_offset = s->header.id_offset + KVM_STATS_NAME_SIZE;
	return s->descs ? 0 : -ENOMEM;
}

static void stats_finish(struct stats *s)
{
	s->header.data_offset = s->header.desc_offset + s->header.num_desc * STATS_DESC_SIZE;
}

/* Debug builds: what EL2 code did for all VMs, see keel/count.h. */
static void stats_add_counted(struct stats *s)
{
#ifdef KEEL_DEBUG
	stats_add(s, VCPU_DATA_SIZE + EL2_COUNTED_ENTRIES, "el2_", "entries", "");
	stats_add(s, VCPU_DATA_SIZE + EL2_COUNTED_WRITES, "el2_", "sysreg_writes", "");
	stats_add(s, VCPU_DATA_SIZE + EL2_COUNTED_ISBS, "el2_", "isbs", "");
#endif
}

static void stats_add_vcpu(struct stats *s)
{
	unsigned int i;

	for (i = 0; i < COUNT_NR; i++)
		stats_add(s, 2 * VCPU_ANSWERED + i * sizeof(u64), "", count_names[i], "");
	for (i = 0; i < EL2_NR_EXITS; i++) {
		if (!exit_name(i))
			continue;
		stats_add(s, VCPU_ANSWERED + i * sizeof(u64), "exit_", exit_name(i), "");
		stats_add(s, i * sizeof(u64), "exit_", exit_name(i), "_el2");
	}
	stats_add_counted(s);
}

int abi_stats_init(void)
{
	unsigned int i;
	int ret;

	ret = stats_alloc(&vm_stats, VM_COUNT_NR);
	if (ret)
		return ret;
	ret = stats_alloc(&vcpu_stats, VCPU_MAX_DESCS);
	if (ret) {
		kfree(vm_stats.descs);
		return ret;
	}
	for (i = 0; i < VM_COUNT_NR; i++)
		stats_add(&vm_stats, i * sizeof(u64), "", vm_count_names[i], "");
	stats_add_vcpu(&vcpu_stats);
	stats_finish(&vm_stats);
	stats_finish(&vcpu_stats);
	return 0;
}

void abi_stats_exit(void)
{
	kfree(vcpu_stats.descs);
	kfree(vm_stats.descs);
}

/* A whole statistics file, allocated, as it was at one moment; or buf is an ERR_PTR. */
struct stats_text {
	void *buf;
	size_t size;
};

/* The three parts that every statistics file begins with. */
#define STATS_HEAD(s, id)						\
	{ &(s)->header, sizeof((s)->header) },				\
	{ id, KVM_STATS_NAME_SIZE },					\
	{ (s)->descs, (s)->header.num_desc * STATS_DESC_SIZE }

static struct stats_text stats_join(const struct stats_part *part, unsigned int parts)
{
	struct stats_text text = {};
	unsigned int i;
	void *to;

	for (i = 0; i < parts; i++)
		text.size += part[i].size;
	to = kmalloc(text.size, GFP_KERNEL);
	text.buf = to ?: ERR_PTR(-ENOMEM);
	for (i = 0; to && i < parts; to += part[i++].size)
		memcpy(to, part[i].from, part[i].size);
	return text;
}

static struct stats_text vm_stats_text(struct keel_vm *vm)
{
	char id[KVM_STATS_NAME_SIZE] = {};
	const struct stats_part part[] = {
		STATS_HEAD(&vm_stats, id),
		{ vm->count, sizeof(vm->count) },
	};

	snprintf(id, sizeof(id), "kvm-keel-%u", vm->id);
	return stats_join(part, ARRAY_SIZE(part));
}

static struct stats_text vcpu_stats_text(struct keel_vcpu *vcpu)
{
	char id[KVM_STATS_NAME_SIZE] = {};
	const struct stats_part part[] = {
		STATS_HEAD(&vcpu_stats, id),
		{ vcpu->state.ctx.answered, VCPU_ANSWERED },
		{ vcpu->exits, VCPU_ANSWERED },
		{ vcpu->count, COUNT_NR * sizeof(u64) },
#ifdef KEEL_DEBUG
		{ &el2_counted, sizeof(el2_counted) },
#endif
	};

	snprintf(id, sizeof(id), "kvm-keel-%u/vcpu-%u", vcpu->vm->id, vcpu->id);
	return stats_join(part, ARRAY_SIZE(part));
}

/* read(), of which @text is what there is to read; frees it. */
static ssize_t stats_read(struct stats_text text, char __user *to, size_t len, loff_t *pos)
{
	ssize_t ret;

	if (IS_ERR(text.buf))
		return PTR_ERR(text.buf);
	ret = simple_read_from_buffer(to, len, pos, text.buf, text.size);
	kfree(text.buf);
	return ret;
}

static ssize_t vm_stats_read(struct file *file, char __user *to, size_t len, loff_t *pos)
{
	return stats_read(vm_stats_text(file->private_data), to, len, pos);
}

static int vm_stats_release(struct inode *inode, struct file *file)
{
	vm_put(file->private_data);
	return 0;
}

static const struct file_operations vm_stats_fops = {
	.owner = THIS_MODULE,
	.read = vm_stats_read,
	.release = vm_stats_release,
	.llseek = noop_llseek,
};

static ssize_t vcpu_stats_read(struct file *file, char __user *to, size_t len, loff_t *pos)
{
	return stats_read(vcpu_stats_text(file->private_data), to, len, pos);
}

static int vcpu_stats_release(struct inode *inode, struct file *file)
{
	struct keel_vcpu *vcpu = file->private_data;

	vm_put(vcpu->vm);
	return 0;
}

static const struct file_operations vcpu_stats_fops = {
	.owner = THIS_MODULE,
	.read = vcpu_stats_read,
	.release = vcpu_stats_release,
	.llseek = noop_llseek,
};

/* Which VM, and which vCPU of it or KEEL_STATS_VM: all that an observer's file knows. */
static void *observed_key(const struct keel_vm *vm, u32 vcpu)
{
	return (void *)((u64)vcpu << 32 | vm->id);
}

static ssize_t observed_stats_read(struct file *file, char __user *to, size_t len, loff_t *pos)
{
	u64 key = (u64)file->private_data;
	struct keel_vm *vm = abi_observed_vm(lower_32_bits(key));
	u32 vcpu = upper_32_bits(key);
	struct stats_text text;

	if (IS_ERR(vm))
		return PTR_ERR(vm);
	text = vcpu == KEEL_STATS_VM ? vm_stats_text(vm) :
				       vcpu_stats_text(vm_vcpu_by_id(vm, vcpu));
	vm_put(vm);
	return stats_read(text, to, len, pos);
}

static const struct file_operations observed_stats_fops = {
	.owner = THIS_MODULE,
	.read = observed_stats_read,
	.llseek = noop_llseek,
};

static int stats_fd(const char *name, const struct file_operations *fops, struct keel_vm *keep,
		    void *private)
{
	struct file *file;
	int fd;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = anon_inode_getfile(name, fops, private, O_RDONLY);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	if (keep)
		vm_get(keep);
	file->f_mode |= FMODE_PREAD;	/* anonymous inodes come without pread() */
	fd_install(fd, file);
	return fd;
}

int abi_stats_vm(struct keel_vm *vm)
{
	return stats_fd("keel-vm-stats", &vm_stats_fops, vm, vm);
}

static int vcpu_stats_fd(const struct file_operations *fops, u32 id, struct keel_vm *keep,
			 void *private)
{
	char name[32];

	snprintf(name, sizeof(name), "keel-vcpu-stats:%u", id);
	return stats_fd(name, fops, keep, private);
}

int abi_stats_vcpu(struct keel_vcpu *vcpu)
{
	return vcpu_stats_fd(&vcpu_stats_fops, vcpu->id, vcpu->vm, vcpu);
}

int abi_stats_observed(struct keel_vm *vm, const struct keel_stats *args)
{
	void *key = observed_key(vm, args->vcpu);

	if (abi_bad_argument(args) || args->pad)
		return -EINVAL;
	if (args->vcpu == KEEL_STATS_VM)
		return stats_fd("keel-vm-stats", &observed_stats_fops, NULL, key);
	if (!vm_vcpu_by_id(vm, args->vcpu))
		return -ENOENT;
	return vcpu_stats_fd(&observed_stats_fops, args->vcpu, NULL, key);
}
