// SPDX-License-Identifier: GPL-2.0
/*
 * A row for every ioctl: its argument at bad addresses and at the end of a page, its number with
 * another size or direction, on every other kind of file, from a process that is not the VM's.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/vm.h"

GUEST_DECLARE(run_ten);

#define PAGE	4096UL

/* keel's own header is not there where these tests stand alone. */
struct keel_info {
	u32 size;
	u32 word[29];
};

struct keel_vm_info {
	u32 size;
	u32 word[43];
};

struct keel_vm_name {
	u32 size;
	u32 flags;
	char name[64];
};

struct keel_vcpu_info {
	u32 size;
	u32 word[17];
};

struct keel_stats {
	u32 size;
	u32 flags;
	u32 vcpu;
	u32 word[5];
};

#define KEEL_INFO	_IOWR(0xbe, 0x00, struct keel_info)
#define KEEL_NEXT_VM	_IOWR(0xbe, 0x01, struct keel_vm_info)
#define KEEL_OPEN_VM	_IO(0xbe, 0x02)
#define KEEL_SET_NAME	_IOW(0xbe, 0x03, struct keel_vm_name)
#define KEEL_OBSERVE	_IO(0xbe, 0x04)
#define KEEL_VCPU_INFO	_IOWR(0xbe, 0x05, struct keel_vcpu_info)
#define KEEL_STATS_FD	_IOW(0xbe, 0x06, struct keel_stats)

/* Headers older than Linux 5.14 lack this one. */
#ifndef KVM_GET_STATS_FD
#define KVM_GET_STATS_FD _IO(KVMIO, 0xce)
#endif

enum file { SYS, VM, VCPU, DEVICE, NR_FILES };

#define ON(file)	(1U << (file))

enum direction {
	NO_POINTER,
	IN,
	OUT,
	BOTH,
};

/**
 * struct row - an ioctl
 * @file: where it belongs
 * @nr: its number
 * @name: of @nr
 * @dir: what it does with its argument
 * @size: bytes of the argument that are read or written
 * @also: ON(): other files where one of the two, keel or in-tree KVM, has it too
 * @err: what the good argument of fill() gives
 * @keel: keel's own
 */
struct row {
	enum file file;
	unsigned int nr;
	const char *name;
	enum direction dir;
	size_t size;
	u32 also;
	int err;
	bool keel;
};

#define ROW(f, n, d, s, ...) \
	{ .file = f, .nr = n, .name = #n, .dir = d, .size = s, ##__VA_ARGS__ }

static const struct row rows[] = {
	ROW(SYS, KVM_GET_API_VERSION, NO_POINTER, 0),
	ROW(SYS, KVM_CREATE_VM, NO_POINTER, 0),
	ROW(SYS, KVM_CHECK_EXTENSION, NO_POINTER, 0, .also = ON(VM)),
	ROW(SYS, KVM_GET_VCPU_MMAP_SIZE, NO_POINTER, 0),
	ROW(SYS, KEEL_INFO, BOTH, sizeof(struct keel_info), .keel = true),
	ROW(SYS, KEEL_NEXT_VM, BOTH, sizeof(struct keel_vm_info), .keel = true),
	ROW(SYS, KEEL_OPEN_VM, NO_POINTER, 0, .keel = true),

	ROW(VM, KVM_CREATE_VCPU, NO_POINTER, 0),
	ROW(VM, KVM_CREATE_IRQCHIP, NO_POINTER, 0),
	ROW(VM, KVM_GET_STATS_FD, NO_POINTER, 0, .also = ON(VCPU)),
	ROW(VM, KVM_SET_USER_MEMORY_REGION, IN, sizeof(struct kvm_userspace_memory_region)),
	ROW(VM, KVM_SET_USER_MEMORY_REGION2, IN, sizeof(struct kvm_userspace_memory_region2)),
	ROW(VM, KVM_IRQ_LINE, IN, sizeof(struct kvm_irq_level)),
	ROW(VM, KVM_IRQFD, IN, sizeof(struct kvm_irqfd)),
	ROW(VM, KVM_IOEVENTFD, IN, sizeof(struct kvm_ioeventfd), .err = ENOENT),
	ROW(VM, KVM_REGISTER_COALESCED_MMIO, IN, sizeof(struct kvm_coalesced_mmio_zone)),
	ROW(VM, KVM_UNREGISTER_COALESCED_MMIO, IN, sizeof(struct kvm_coalesced_mmio_zone)),
	ROW(VM, KVM_ENABLE_CAP, IN, sizeof(struct kvm_enable_cap), .also = ON(VCPU)),
	ROW(VM, KVM_CREATE_DEVICE, IN, sizeof(struct kvm_create_device)),
	ROW(VM, KVM_ARM_PREFERRED_TARGET, OUT, sizeof(struct kvm_vcpu_init)),
	ROW(VM, KEEL_SET_NAME, IN, sizeof(struct keel_vm_name), .keel = true),
	ROW(VM, KEEL_OBSERVE, NO_POINTER, 0, .keel = true),
	ROW(VM, KEEL_VCPU_INFO, BOTH, sizeof(struct keel_vcpu_info), .keel = true),
	ROW(VM, KEEL_STATS_FD, IN, sizeof(struct keel_stats), .keel = true),

	ROW(VCPU, KVM_RUN, NO_POINTER, 0),
	/* Whose capability is 0 in keel: EINVAL without a look at its argument. */
	ROW(VCPU, KVM_SET_GUEST_DEBUG, NO_POINTER, 0),
	ROW(VCPU, KVM_ARM_VCPU_INIT, IN, sizeof(struct kvm_vcpu_init)),
	/* The number is also that of KVM_ARM_SET_DEVICE_ADDR, for a GICv2. */
	ROW(VCPU, KVM_GET_ONE_REG, IN, sizeof(struct kvm_one_reg), .also = ON(VM)),
	ROW(VCPU, KVM_SET_ONE_REG, IN, sizeof(struct kvm_one_reg)),
	ROW(VCPU, KVM_GET_REG_LIST, BOTH, sizeof(struct kvm_reg_list), .err = E2BIG),
	ROW(VCPU, KVM_GET_MP_STATE, OUT, sizeof(struct kvm_mp_state)),
	ROW(VCPU, KVM_SET_MP_STATE, IN, sizeof(struct kvm_mp_state)),
	ROW(VCPU, KVM_SET_SIGNAL_MASK, IN, sizeof(struct kvm_signal_mask) + 8),
	ROW(VCPU, KVM_GET_VCPU_EVENTS, OUT, sizeof(struct kvm_vcpu_events)),
	ROW(VCPU, KVM_SET_VCPU_EVENTS, IN, sizeof(struct kvm_vcpu_events)),
	ROW(VCPU, KVM_SET_DEVICE_ATTR, IN, sizeof(struct kvm_device_attr),
	    .also = ON(VM) | ON(DEVICE)),
	ROW(VCPU, KVM_GET_DEVICE_ATTR, IN, sizeof(struct kvm_device_attr),
	    .also = ON(VM) | ON(DEVICE)),
	ROW(VCPU, KVM_HAS_DEVICE_ATTR, IN, sizeof(struct kvm_device_attr),
	    .also = ON(VM) | ON(DEVICE)),

	ROW(DEVICE, KVM_SET_DEVICE_ATTR, IN, sizeof(struct kvm_device_attr),
	    .also = ON(VM) | ON(VCPU), .err = EBUSY),
	ROW(DEVICE, KVM_GET_DEVICE_ATTR, IN, sizeof(struct kvm_device_attr),
	    .also = ON(VM) | ON(VCPU)),
	ROW(DEVICE, KVM_HAS_DEVICE_ATTR, IN, sizeof(struct kvm_device_attr),
	    .also = ON(VM) | ON(VCPU)),
};

static struct vm vm;
static int fds[NR_FILES];
static bool is_keel;
static u64 value;
static void *page_for_slot;

static void setup(void)
{
	vm_create_guest(&vm, guest_run_ten, guest_run_ten_end, 1);
	vm_gic_create(&vm, 64);
	page_for_slot = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(page_for_slot != MAP_FAILED);
	is_keel = kvm_is_keel();
	fds[SYS] = kvm_open();
	fds[VM] = vm.fd;
	fds[VCPU] = vm.vcpus[0].fd;
	fds[DEVICE] = vm.gic;
}

/* The VM is none the worse for it. */
static void teardown(void)
{
	vcpu_init(&vm.vcpus[0], false);
	vcpu_start_at(&vm.vcpus[0], RAM_IPA, 0);
	REQUIRE_EQ(vcpu_run(&vm.vcpus[0]), 0);
	CHECK_EQ(vcpu_run_done(&vm.vcpus[0]), 42);
	vm_destroy(&vm);
	close(fds[SYS]);
}

static bool applies(const struct row *r)
{
	return is_keel || !r->keel;
}

static void fill_attr(const struct row *r, struct kvm_device_attr *a)
{
	*a = (struct kvm_device_attr){ .addr = (u64)&value };
	if (r->file == DEVICE) {
		a->group = KVM_DEV_ARM_VGIC_GRP_NR_IRQS;
		value = 64;
	} else {
		a->group = KVM_ARM_VCPU_TIMER_CTRL;
		a->attr = KVM_ARM_VCPU_TIMER_IRQ_VTIMER;
		value = 27;
	}
}

static void fill_vm(const struct row *r, void *arg)
{
	switch (r->nr) {
	case KVM_SET_USER_MEMORY_REGION:
	case KVM_SET_USER_MEMORY_REGION2:
		/* The newer struct begins as the older one. */
		*(struct kvm_userspace_memory_region *)arg = (struct kvm_userspace_memory_region){
			1, 0, 0x80000000, PAGE, (u64)page_for_slot };
		break;
	case KVM_IRQ_LINE:
		((struct kvm_irq_level *)arg)->irq = KVM_ARM_IRQ_TYPE_SPI << 24 | 32;
		break;
	case KVM_IRQFD:
		((struct kvm_irqfd *)arg)->fd = eventfd(0, 0);
		((struct kvm_irqfd *)arg)->flags = KVM_IRQFD_FLAG_DEASSIGN;
		break;
	case KVM_IOEVENTFD:
		((struct kvm_ioeventfd *)arg)->fd = eventfd(0, 0);
		((struct kvm_ioeventfd *)arg)->flags = KVM_IOEVENTFD_FLAG_DEASSIGN;
		((struct kvm_ioeventfd *)arg)->len = 4;
		break;
	case KVM_REGISTER_COALESCED_MMIO:
	case KVM_UNREGISTER_COALESCED_MMIO:
		((struct kvm_coalesced_mmio_zone *)arg)->addr = MMIO_IPA;
		((struct kvm_coalesced_mmio_zone *)arg)->size = 8;
		break;
	case KVM_ENABLE_CAP:
		((struct kvm_enable_cap *)arg)->cap = KVM_CAP_ARM_SYSTEM_SUSPEND;
		break;
	case KVM_CREATE_DEVICE:
		((struct kvm_create_device *)arg)->type = KVM_DEV_TYPE_ARM_VGIC_V3;
		((struct kvm_create_device *)arg)->flags = KVM_CREATE_DEVICE_TEST;
		break;
	}
}

static void fill_keel(const struct row *r, void *arg)
{
	*(u32 *)arg = r->size;
	if (r->nr == KEEL_SET_NAME)
		strcpy(((struct keel_vm_name *)arg)->name, "name");
}

/* A good argument, at @arg, which is zeros. */
static void fill(const struct row *r, void *arg)
{
	switch (r->nr) {
	case KEEL_INFO:
	case KEEL_NEXT_VM:
	case KEEL_SET_NAME:
	case KEEL_VCPU_INFO:
	case KEEL_STATS_FD:
		fill_keel(r, arg);
		break;
	case KVM_ARM_VCPU_INIT:
		REQUIRE_OK(ioctl(vm.fd, KVM_ARM_PREFERRED_TARGET, arg));
		((struct kvm_vcpu_init *)arg)->features[0] |= BIT(KVM_ARM_VCPU_PSCI_0_2);
		break;
	case KVM_GET_ONE_REG:
	case KVM_SET_ONE_REG:
		*(struct kvm_one_reg *)arg = (struct kvm_one_reg){ REG_X(1), (u64)&value };
		break;
	case KVM_SET_SIGNAL_MASK:
		((struct kvm_signal_mask *)arg)->len = 8;
		break;
	case KVM_SET_DEVICE_ATTR:
	case KVM_GET_DEVICE_ATTR:
	case KVM_HAS_DEVICE_ATTR:
		fill_attr(r, arg);
		break;
	default:
		fill_vm(r, arg);
	}
}

/* CHECK_ERR() that says which row. */
static void expect(const struct row *r, const char *what, long ret, int err)
{
	int found = ret < 0 ? errno : 0;

	if (found == err)
		return;
	ktap_note("%s on file %d, %s: %s, not %s", r->name, r->file, what,
		  found ? strerror(found) : "success", err ? strerror(err) : "success");
	CHECK_EQ(found, err);
}

static void bad_pointers(void)
{
	void *none = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	u64 bad[] = { 0, 8, (u64)none, 1ULL << 52, 1ULL << 55, 0xffff000000000000,
		      0xffff800080000000, -PAGE, ~0ULL };
	const struct row *r;
	size_t i;

	setup();
	for (r = rows; r < rows + ARRAY_SIZE(rows); r++) {
		if (!applies(r) || r->dir == NO_POINTER)
			continue;
		for (i = 0; i < ARRAY_SIZE(bad); i++)
			/* KVM_SET_SIGNAL_MASK takes its mask back by NULL. */
			expect(r, "bad pointer", ioctl(fds[r->file], r->nr, bad[i]),
			       !bad[i] && r->nr == KVM_SET_SIGNAL_MASK ? 0 : EFAULT);
	}
	teardown();
}

/* Two pages, of which the second may not be touched. */
static char *page_pair(void)
{
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	REQUIRE(p != MAP_FAILED);
	REQUIRE_OK(mprotect(p + PAGE, PAGE, PROT_NONE));
	return p;
}

static void page_ends(void)
{
	char *p = page_pair(), *arg, good[512];
	const struct row *r;

	setup();
	for (r = rows; r < rows + ARRAY_SIZE(rows); r++) {
		if (!applies(r) || r->dir == NO_POINTER)
			continue;
		/* No byte behind the argument is touched. */
		arg = p + PAGE - r->size;
		memset(good, 0, sizeof(good));
		fill(r, good);
		memcpy(arg, good, r->size);
		expect(r, "at the page's end", ioctl(fds[r->file], r->nr, arg), r->err);
		/* The last byte is one of the argument's. */
		arg = p + PAGE - r->size + 1;
		memcpy(arg, good, r->size - 1);
		expect(r, "over the page's end", ioctl(fds[r->file], r->nr, arg), EFAULT);
	}
	teardown();
}

static void read_only_page(void)
{
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const struct row *r;

	setup();
	for (r = rows; r < rows + ARRAY_SIZE(rows); r++) {
		/* KVM_CREATE_DEVICE_TEST has no answer, which only in-tree KVM writes. */
		if (!applies(r) || r->dir == NO_POINTER || r->nr == KVM_CREATE_DEVICE)
			continue;
		memset(p, 0, PAGE);
		fill(r, p);
		REQUIRE_OK(mprotect(p, PAGE, PROT_READ));
		expect(r, "read-only argument", ioctl(fds[r->file], r->nr, p),
		       r->dir == IN ? r->err : EFAULT);
		REQUIRE_OK(mprotect(p, PAGE, PROT_READ | PROT_WRITE));
	}
	teardown();
}

/* The second pointers: values of registers and attributes, the list, the signal set. */
static void inner_pointers(void)
{
	static const u64 bad[] = { 0, 8, 1ULL << 55, 0xffff800080000000, ~0ULL };
	struct {
		struct kvm_reg_list list;
		u64 reg[8];
	} few = {};
	struct kvm_reg_list *list;
	struct kvm_device_attr a;
	struct kvm_one_reg reg;
	char *p = page_pair();
	size_t i;

	setup();
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		reg = (struct kvm_one_reg){ REG_PC, bad[i] };
		CHECK_ERR(ioctl(fds[VCPU], KVM_GET_ONE_REG, &reg), EFAULT);
		CHECK_ERR(ioctl(fds[VCPU], KVM_SET_ONE_REG, &reg), EFAULT);
		reg.id = REG_MPIDR;
		CHECK_ERR(ioctl(fds[VCPU], KVM_GET_ONE_REG, &reg), EFAULT);
		a = (struct kvm_device_attr){ .group = KVM_ARM_VCPU_TIMER_CTRL, .addr = bad[i] };
		CHECK_ERR(ioctl(fds[VCPU], KVM_GET_DEVICE_ATTR, &a), EFAULT);
		CHECK_ERR(ioctl(fds[VCPU], KVM_SET_DEVICE_ATTR, &a), EFAULT);
		a = (struct kvm_device_attr){
			.group = KVM_DEV_ARM_VGIC_GRP_NR_IRQS,
			.addr = bad[i],
		};
		CHECK_ERR(ioctl(fds[DEVICE], KVM_GET_DEVICE_ATTR, &a), EFAULT);
		CHECK_ERR(ioctl(fds[DEVICE], KVM_SET_DEVICE_ATTR, &a), EFAULT);
		a.group = KVM_DEV_ARM_VGIC_GRP_ADDR;
		for (a.attr = KVM_VGIC_V3_ADDR_TYPE_DIST;
		     a.attr <= KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION; a.attr++) {
			if (a.attr == KVM_VGIC_ITS_ADDR_TYPE)
				continue;
			CHECK_ERR(ioctl(fds[DEVICE], KVM_GET_DEVICE_ATTR, &a), EFAULT);
			CHECK_ERR(ioctl(fds[DEVICE], KVM_SET_DEVICE_ATTR, &a), EFAULT);
		}
	}

	/* A list said to be huge ends where memory ends; one that is too short keeps its ids. */
	list = (struct kvm_reg_list *)(p + PAGE - sizeof(*list) - 16);
	list->n = ~0ULL;
	CHECK_ERR(ioctl(fds[VCPU], KVM_GET_REG_LIST, list), EFAULT);
	list->n = 0x100000001ULL << 31;
	CHECK_ERR(ioctl(fds[VCPU], KVM_GET_REG_LIST, list), EFAULT);
	few.list.n = ARRAY_SIZE(few.reg);
	CHECK_ERR(ioctl(fds[VCPU], KVM_GET_REG_LIST, &few), E2BIG);
	CHECK(few.list.n > ARRAY_SIZE(few.reg));
	for (i = 0; i < ARRAY_SIZE(few.reg); i++)
		CHECK_EQ(few.reg[i], 0);
	teardown();
}

/* Where an unknown number is refused: in-tree KVM on arm64 says EINVAL, on devices as keel does. */
static int unknown(enum file file)
{
	return is_keel || file == DEVICE ? ENOTTY : EINVAL;
}

static void other_numbers(void)
{
	const struct row *r;
	unsigned int dir, size, nr;
	char arg[512] = {};

	setup();
	for (r = rows; r < rows + ARRAY_SIZE(rows); r++) {
		if (!applies(r))
			continue;
		for (dir = 0; dir < 4; dir++) {
			nr = _IOC(dir, _IOC_TYPE(r->nr), _IOC_NR(r->nr), _IOC_SIZE(r->nr));
			if (nr != r->nr)
				expect(r, "other direction", ioctl(fds[r->file], nr, arg),
				       unknown(r->file));
		}
		for (size = 0; size < 64; size++) {
			nr = r->nr + (size << _IOC_SIZESHIFT);
			if (size && _IOC_SIZE(nr) == _IOC_SIZE(r->nr) + size)
				expect(r, "other size", ioctl(fds[r->file], nr, arg),
				       unknown(r->file));
		}
		nr = _IOC(_IOC_DIR(r->nr), _IOC_TYPE(r->nr), _IOC_NR(r->nr), 0x3fff);
		expect(r, "largest size", ioctl(fds[r->file], nr, arg), unknown(r->file));
		/* keel's magic is unknown to in-tree KVM whatever the file. */
		nr = _IOC(_IOC_DIR(r->nr), 'k', _IOC_NR(r->nr), _IOC_SIZE(r->nr));
		expect(r, "other magic", ioctl(fds[r->file], nr, arg), unknown(r->file));
	}
	teardown();
}

static void wrong_files(void)
{
	int null = eventfd(0, 0), file;
	const struct row *r;
	char arg[512] = {};

	setup();
	for (r = rows; r < rows + ARRAY_SIZE(rows); r++) {
		if (!applies(r))
			continue;
		for (file = 0; file < NR_FILES; file++)
			if (file != (int)r->file && !(r->also & ON(file)))
				expect(r, "wrong file", ioctl(fds[file], r->nr, arg),
				       unknown(file));
		expect(r, "eventfd", ioctl(null, r->nr, arg), ENOTTY);
		expect(r, "closed file", ioctl(1000, r->nr, arg), EBADF);
	}
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fds[SYS], 0) == MAP_FAILED);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fds[VM], 0) == MAP_FAILED);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fds[DEVICE], 0) == MAP_FAILED);
	teardown();
}

/* Everything but the system file is for the process that made the VM. */
static void foreign_calls(void)
{
	const struct row *r;
	char arg[512] = {};

	for (r = rows; r < rows + ARRAY_SIZE(rows); r++)
		if (r->file != SYS)
			expect(r, "other process", ioctl(fds[r->file], r->nr, arg), EIO);
	/* Whatever the number. */
	CHECK_ERR(ioctl(fds[VM], 0, 0), EIO);
	CHECK_ERR(ioctl(fds[VCPU], 0, 0), EIO);
	CHECK_ERR(ioctl(fds[DEVICE], 0, 0), EIO);
	_exit(ktap_failed() ? KTAP_FAIL : KTAP_PASS);
}

static void foreign_process(void)
{
	int status;
	pid_t pid;

	setup();
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid)
		foreign_calls();
	REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	teardown();
}

static const struct ktap_case cases[] = {
	{ "bad_pointers", bad_pointers },
	{ "page_ends", page_ends },
	{ "read_only_page", read_only_page },
	{ "inner_pointers", inner_pointers },
	{ "other_numbers", other_numbers },
	{ "wrong_files", wrong_files },
	{ "foreign_process", foreign_process },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
