// SPDX-License-Identifier: GPL-2.0
/*
 * Observers of a VM: who may be one, what they see, and that they neither keep the VM nor lose
 * their footing when it ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keel.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/busy.h"
#include "lib/poke.h"
#include "lib/soak.h"
#include "lib/vm.h"

#define STATS_MAX 16384

static int sys;

/* --- Calls --- */

/* The id of a VM whether it may be observed or not: from the text in its statistics. */
static u32 vm_id(int vm)
{
	struct kvm_stats_header h;
	int fd = kvm_stats_open(vm);
	char text[64] = "";

	REQUIRE_EQ(pread(fd, &h, sizeof(h), 0), sizeof(h));
	REQUIRE(pread(fd, text, sizeof(text) - 1, h.id_offset) > 0);
	REQUIRE(!strncmp(text, "kvm-keel-", 9));
	close(fd);
	return strtoul(text + 9, NULL, 10);
}

static int next_vm(u32 above, struct keel_vm_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	info->id = above;
	return ioctl(sys, KEEL_NEXT_VM, info);
}

static bool is_listed(u32 id)
{
	struct keel_vm_info info = {};
	u32 last = 0;

	while (!next_vm(last, &info)) {
		REQUIRE(info.id > last);
		last = info.id;
		if (last == id)
			return true;
	}
	REQUIRE_EQ(errno, ENOENT);
	return false;
}

static int observe(u32 id)
{
	int fd = ioctl(sys, KEEL_OPEN_VM, id);

	REQUIRE_OK(fd);
	return fd;
}

static int vcpu_info(int fd, u32 index, struct keel_vcpu_info *info)
{
	*info = (struct keel_vcpu_info){ .size = sizeof(*info), .index = index };
	return ioctl(fd, KEEL_VCPU_INFO, info);
}

static int stats_fd(int fd, u32 vcpu)
{
	struct keel_stats args = { .size = sizeof(args), .vcpu = vcpu };

	return ioctl(fd, KEEL_STATS_FD, &args);
}

static int poll_now(int fd)
{
	struct pollfd p = { .fd = fd };

	REQUIRE(poll(&p, 1, 0) >= 0);
	return p.revents;
}

/* --- Who may --- */

/**
 * struct actor - a process and its rights
 * @uid: real, effective, saved
 * @gid: the same
 * @in_ns: in a user namespace of its own, made as user @uid
 * @ptrace: keeps CAP_SYS_PTRACE and no other capability; else it has none
 * @hidden: not dumpable
 * @refuses: the VMM says KEEL_OBSERVE 0
 */
struct actor {
	uid_t uid[3];
	gid_t gid[3];
	bool in_ns;
	bool ptrace;
	bool hidden;
	bool refuses;
};

static void keep_capability(int cap)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = {};

	if (cap >= 0)
		d[0].permitted = BIT(cap);
	d[0].effective = d[0].permitted;
	REQUIRE_OK(syscall(SYS_capset, &h, d));
}

static void become(const struct actor *a)
{
	REQUIRE_OK(prctl(PR_SET_KEEPCAPS, 1));
	REQUIRE_OK(setresgid(a->gid[0], a->gid[1], a->gid[2]));
	REQUIRE_OK(setresuid(a->uid[0], a->uid[1], a->uid[2]));
	keep_capability(a->ptrace ? CAP_SYS_PTRACE : -1);
	if (a->in_ns)
		REQUIRE_OK(unshare(CLONE_NEWUSER));
	/* Each change of ids has hidden the process. */
	REQUIRE_OK(prctl(PR_SET_DUMPABLE, !a->hidden));
}

static void child_end(void)
{
	_exit(ktap_failed() ? KTAP_FAIL : KTAP_PASS);
}

/* A VMM with a VM, until its standard input ends. */
static void vmm_child(const struct actor *a, int answer, int end)
{
	char byte;
	int vm;
	u32 id;

	become(a);
	vm = ioctl(sys, KVM_CREATE_VM, 0);
	REQUIRE_OK(vm);
	if (a->refuses)
		REQUIRE_OK(ioctl(vm, KEEL_OBSERVE, 0));
	id = vm_id(vm);
	REQUIRE_EQ(write(answer, &id, sizeof(id)), sizeof(id));
	REQUIRE_EQ(read(end, &byte, 1), 0);
	child_end();
}

static void observer_child(const struct actor *a, u32 id, int err)
{
	struct keel_vcpu_info info;
	int fd;

	become(a);
	fd = ioctl(sys, KEEL_OPEN_VM, id);
	CHECK_ERR(fd, err);
	CHECK_EQ(is_listed(id), !err);
	/* It has no vCPUs. */
	if (fd >= 0)
		CHECK_ERR(vcpu_info(fd, 0, &info), ENOENT);
	child_end();
}

static bool child_passed(pid_t pid)
{
	int status;

	REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	return !status;
}

struct row {
	const char *what;
	struct actor vmm;
	struct actor me;
	int err;
};

#define USER(u, g)	.uid = { u, u, u }, .gid = { g, g, g }
#define ALICE		USER(1000, 1000)
#define BOB		USER(1001, 1001)

static const struct row rows[] = {
	{ "same user", { ALICE }, { ALICE }, 0 },
	{ "other user", { ALICE }, { BOB }, EPERM },
	{ "other uid", { ALICE }, { USER(1001, 1000) }, EPERM },
	{ "other gid", { ALICE }, { USER(1000, 1001) }, EPERM },
	{ "VMM's other real uid", { .uid = { 1001, 1000, 1000 }, .gid = { 1000, 1000, 1000 } },
	  { ALICE }, EPERM },
	{ "VMM's other effective uid", { .uid = { 1000, 1001, 1000 }, .gid = { 1000, 1000, 1000 } },
	  { ALICE }, EPERM },
	{ "VMM's other saved uid", { .uid = { 1000, 1000, 1001 }, .gid = { 1000, 1000, 1000 } },
	  { ALICE }, EPERM },
	{ "VMM's other real gid", { .uid = { 1000, 1000, 1000 }, .gid = { 1001, 1000, 1000 } },
	  { ALICE }, EPERM },
	{ "VMM's other effective gid", { .uid = { 1000, 1000, 1000 }, .gid = { 1000, 1001, 1000 } },
	  { ALICE }, EPERM },
	{ "VMM's other saved gid", { .uid = { 1000, 1000, 1000 }, .gid = { 1000, 1000, 1001 } },
	  { ALICE }, EPERM },
	{ "caller's other real uid", { ALICE },
	  { .uid = { 1001, 1000, 1000 }, .gid = { 1000, 1000, 1000 } }, EPERM },
	{ "not dumpable", { ALICE, .hidden = true }, { ALICE }, EPERM },
	{ "refused", { ALICE, .refuses = true }, { ALICE }, EPERM },
	{ "capability", { ALICE }, { BOB, .ptrace = true }, 0 },
	{ "capability, not dumpable", { ALICE, .hidden = true }, { BOB, .ptrace = true }, 0 },
	{ "capability, refused", { ALICE, .refuses = true }, { BOB, .ptrace = true }, EPERM },
	{ "root without capability", { ALICE }, { USER(0, 0) }, EPERM },
	{ "root's, by root without capability", { USER(0, 0) }, { USER(0, 0) }, 0 },
	{ "root's, by a user", { USER(0, 0) }, { ALICE }, EPERM },
	/* In a namespace of his own he has every capability, but only there. */
	{ "from a user namespace below", { ALICE }, { ALICE, .in_ns = true }, EPERM },
	{ "from a sibling of the namespace", { ALICE, .in_ns = true }, { ALICE, .in_ns = true },
	  EPERM },
	/* Whoever made the namespace has every capability in it. */
	{ "into a namespace of his own", { ALICE, .in_ns = true, .hidden = true }, { ALICE }, 0 },
	{ "into a namespace of another", { ALICE, .in_ns = true }, { BOB }, EPERM },
	{ "capability, into a namespace", { ALICE, .in_ns = true }, { BOB, .ptrace = true }, 0 },
};

static void check_row(const struct row *r)
{
	int answer[2], end[2];
	pid_t vmm, me;
	bool passed;
	u32 id;

	REQUIRE_OK(pipe(answer));
	REQUIRE_OK(pipe(end));
	vmm = fork();
	if (!vmm) {
		close(end[1]);
		vmm_child(&r->vmm, answer[1], end[0]);
	}
	close(answer[1]);
	REQUIRE_EQ(read(answer[0], &id, sizeof(id)), sizeof(id));
	me = fork();
	if (!me)
		observer_child(&r->me, id, r->err);
	passed = child_passed(me);
	close(end[1]);
	if (!child_passed(vmm) || !passed)
		ktap_fail("row: %s", r->what);
	close(answer[0]);
	close(end[0]);
}

static void permissions(void)
{
	size_t i;

	sys = kvm_open();
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		check_row(&rows[i]);
}

/* A VMM that no longer wants to be observed is rid of the observers that it has. */
static void refusal(void)
{
	struct keel_vcpu_info info;
	struct vm vm;
	int fd, stats;
	char byte;
	u32 id;

	sys = kvm_open();
	poke_create(&vm);
	id = vm_id(vm.fd);
	fd = observe(id);
	stats = stats_fd(fd, KEEL_STATS_VM);
	REQUIRE_OK(ioctl(vm.fd, KEEL_OBSERVE, 0));
	CHECK_ERR(ioctl(sys, KEEL_OPEN_VM, id), EPERM);
	CHECK(!is_listed(id));
	CHECK_ERR(vcpu_info(fd, 0, &info), EPERM);
	CHECK_ERR(stats_fd(fd, KEEL_STATS_VM), EPERM);
	CHECK_ERR(pread(stats, &byte, 1, 0), EPERM);
	CHECK_EQ(poll_now(fd), 0);
	/* The VMM itself may always. */
	CHECK_OK(vcpu_info(vm.fd, 0, &info));
	REQUIRE_OK(ioctl(vm.fd, KEEL_OBSERVE, 1));
	CHECK_OK(vcpu_info(fd, 0, &info));
	CHECK_EQ(pread(stats, &byte, 1, 0), 1);
	CHECK(is_listed(id));
	vm_destroy(&vm);
}

/* --- What they see --- */

static void info_of(int vm, struct keel_vm_info *info)
{
	u32 id = vm_id(vm);

	REQUIRE_OK(next_vm(id - 1, info));
	REQUIRE_EQ(info->id, id);
}

static void vm_info(void)
{
	struct keel_vm_info info, later;
	struct vm vm, other;
	char *more;

	sys = kvm_open();
	REQUIRE_OK(prctl(PR_SET_NAME, "a\x1b \"b\\\xe9\n"));
	poke_create(&vm);
	vm_create(&other);
	CHECK(vm_id(other.fd) > vm_id(vm.fd));
	info_of(vm.fd, &info);
	CHECK_EQ(info.size, sizeof(info));
	CHECK_EQ(info.flags | info.pad, 0);
	CHECK_EQ(info.nr_vcpus, 1);
	CHECK_EQ(info.uid, getuid());
	CHECK_EQ(info.gid, getgid());
	CHECK_EQ(info.tgid, getpid());
	CHECK_EQ(info.memory, RAM_SIZE);
	CHECK(!strcmp(info.name, "a? \"b\\??"));

	/* A page may stand in two slots; each counts. */
	more = vm.ram;
	REQUIRE_OK(vm_memslot(&vm, 1, 0, 0x80000000, 0x200000, more));
	vcpu_create(&vm, 7);
	info_of(vm.fd, &later);
	CHECK_EQ(later.memory, RAM_SIZE + 0x200000);
	CHECK_EQ(later.nr_vcpus, 2);
	CHECK(later.age > info.age);
	CHECK(later.age - info.age < 60000000000);
	REQUIRE_OK(vm_memslot(&vm, 1, 0, 0x80000000, 0, more));
	info_of(vm.fd, &later);
	CHECK_EQ(later.memory, RAM_SIZE);
	vm_destroy(&vm);
	vm_destroy(&other);

	REQUIRE_OK(prctl(PR_SET_NAME, ""));
	vm_create(&vm);
	info_of(vm.fd, &info);
	CHECK(!strcmp(info.name, "?"));
	vm_destroy(&vm);
}

static int set_name(int vm, const char *name, size_t len)
{
	struct keel_vm_name args = { .size = sizeof(args) };

	memcpy(args.name, name, len);
	return ioctl(vm, KEEL_SET_NAME, &args);
}

static void names(void)
{
	struct keel_vm_name args = { .name = "good" };
	char longest[KEEL_NAME_SIZE], c;
	struct keel_vm_info info;
	struct vm vm;
	int i;

	sys = kvm_open();
	vm_create(&vm);
	memset(longest, '~', sizeof(longest));
	CHECK_ERR(set_name(vm.fd, longest, sizeof(longest)), EINVAL);
	longest[KEEL_NAME_SIZE - 1] = 0;
	CHECK_OK(set_name(vm.fd, longest, sizeof(longest)));
	info_of(vm.fd, &info);
	CHECK(!strcmp(info.name, longest));

	CHECK_OK(set_name(vm.fd, "web 1\0left", 10));
	CHECK_ERR(set_name(vm.fd, "", 1), EINVAL);
	for (i = 1; i < 256; i++) {
		c = i;
		if (i < ' ' || i > '~')
			CHECK_ERR(set_name(vm.fd, &c, 1), EINVAL);
	}
	for (i = 0; i < 3; i++) {
		args.size = sizeof(args) + i - 1;
		args.flags = i == 1;
		CHECK_ERR(ioctl(vm.fd, KEEL_SET_NAME, &args), EINVAL);
	}
	info_of(vm.fd, &info);
	CHECK(!memcmp(info.name, "web 1\0\0\0\0\0\0", 11));
	vm_destroy(&vm);
}

static void wait_for_state(int fd, u32 state)
{
	struct keel_vcpu_info info;
	u32 i = 0;

	do {
		REQUIRE_OK(vcpu_info(fd, i++ % BUSY_CPUS, &info));
		REQUIRE(info.cpu >= -1 && info.cpu < sysconf(_SC_NPROCESSORS_CONF));
	} while (info.state != state);
}

/* Exits answered at EL2, by the statistics. */
static u64 stats_el2(int stats)
{
	/* the rows that have a handler at EL2 */
	static const char *const names[] = {
		"wfx", "fp", "hvc", "smc", "sysreg", "iabt", "dabt", "brk", "irq",
	};
	char text[48];
	u64 sum = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(text, sizeof(text), "exit_%s_el2", names[i]);
		sum += kvm_stat(stats, text);
	}
	return sum;
}

static void states(void)
{
	struct kvm_mp_state mp = { KVM_MP_STATE_SUSPENDED };
	struct keel_vcpu_info info;
	int fd, i, stats;
	struct vm vm;

	sys = kvm_open();
	busy_start(&vm);
	fd = observe(vm_id(vm.fd));
	wait_for_state(fd, KEEL_VCPU_GUEST);
	wait_for_state(fd, KEEL_VCPU_BLOCKED);
	wait_for_state(fd, KEEL_VCPU_HOST);
	busy_wait(&vm);
	vm_stop(&vm);
	for (i = 0; i < BUSY_CPUS; i++) {
		REQUIRE_OK(vcpu_info(fd, i, &info));
		stats = stats_fd(fd, i);
		CHECK_EQ(info.id, i);
		CHECK_EQ(info.state, KEEL_VCPU_OUTSIDE);
		CHECK_EQ(info.cpu, -1);
		CHECK(info.exits > 0);
		CHECK_EQ(info.exits, kvm_stat(stats, "exits"));
		CHECK_EQ(info.exits_el2, stats_el2(stats));
		close(stats);
	}
	CHECK_ERR(vcpu_info(fd, BUSY_CPUS, &info), ENOENT);
	CHECK_ERR(vcpu_info(fd, ~0U, &info), ENOENT);
	REQUIRE_OK(ioctl(vm.vcpus[1].fd, KVM_SET_MP_STATE, &mp));
	mp.mp_state = KVM_MP_STATE_STOPPED;
	REQUIRE_OK(ioctl(vm.vcpus[2].fd, KVM_SET_MP_STATE, &mp));
	REQUIRE_OK(vcpu_info(fd, 1, &info));
	CHECK_EQ(info.state, KEEL_VCPU_SUSPENDED);
	REQUIRE_OK(vcpu_info(fd, 2, &info));
	CHECK_EQ(info.state, KEEL_VCPU_OFF);
	vm_destroy(&vm);
}

/* @mine is the VMM's own file. */
static void same_stats(int mine, int fd)
{
	static char a[STATS_MAX], b[STATS_MAX];
	ssize_t n = pread(mine, a, sizeof(a), 0);

	REQUIRE(fd >= 0);
	CHECK(n > 0 && n < STATS_MAX);
	CHECK_EQ(pread(fd, b, sizeof(b), 0), n);
	CHECK(!memcmp(a, b, n));
	CHECK_EQ(pread(fd, b, 16, n - 3), 3);
	CHECK_EQ(pread(fd, b, 16, n), 0);
	CHECK_ERR(syscall(SYS_pread64, fd, 8, 8, 0), EFAULT);
	close(mine);
	close(fd);
}

static void stats(void)
{
	struct vm vm;
	int fd;

	sys = kvm_open();
	poke_create(&vm);
	vcpu_create(&vm, 300);
	CHECK(poke_exits(&vm, true, MMIO_IPA, 4, 1));
	fd = observe(vm_id(vm.fd));
	same_stats(kvm_stats_open(vm.fd), stats_fd(fd, KEEL_STATS_VM));
	same_stats(kvm_stats_open(vm.vcpus[0].fd), stats_fd(fd, 0));
	same_stats(kvm_stats_open(vm.vcpus[1].fd), stats_fd(vm.fd, 300));
	CHECK_ERR(stats_fd(fd, 1), ENOENT);
	CHECK_ERR(stats_fd(fd, KEEL_STATS_VM - 1), ENOENT);
	vm_destroy(&vm);
}

/* --- Wrong calls --- */

/* Each byte of @arg that must be 0, and its size. */
static void bad_bytes(int fd, unsigned int nr, const void *arg, size_t size, u64 may)
{
	unsigned char copy[256];
	size_t i;

	for (i = 0; i < size; i++) {
		if (i / 4 < 64 && may & BIT(i / 4))
			continue;
		memcpy(copy, arg, size);
		copy[i] ^= 1;
		if (!CHECK_ERR(ioctl(fd, nr, copy), EINVAL))
			ktap_note("byte %zu of ioctl %#x", i, nr);
	}
}

/* Members that may be anything, as words of 4 bytes: all that is filled in, and what is chosen. */
#define WORDS(type, first, after) \
	(BIT(offsetof(type, after) / 4) - BIT(offsetof(type, first) / 4))

static void bad_arguments(void)
{
	struct keel_vcpu_info vcpu = { .size = sizeof(vcpu) };
	struct keel_stats stats = { .size = sizeof(stats), .vcpu = KEEL_STATS_VM };
	struct keel_vm_info info = { .size = sizeof(info) };
	struct vm vm;
	int fd;
	u32 id;

	sys = kvm_open();
	poke_create(&vm);
	id = vm_id(vm.fd);
	fd = observe(id);
	REQUIRE_OK(ioctl(sys, KEEL_NEXT_VM, &info));
	info.id = 0;
	bad_bytes(sys, KEEL_NEXT_VM, &info, sizeof(info),
		  WORDS(struct keel_vm_info, id, pad) | WORDS(struct keel_vm_info, age, reserved));
	bad_bytes(fd, KEEL_VCPU_INFO, &vcpu, sizeof(vcpu),
		  WORDS(struct keel_vcpu_info, index, reserved));
	bad_bytes(fd, KEEL_STATS_FD, &stats, sizeof(stats), WORDS(struct keel_stats, vcpu, pad));
	CHECK_ERR(ioctl(fd, KEEL_VCPU_INFO, 8), EFAULT);
	CHECK_ERR(ioctl(fd, KEEL_STATS_FD, 8), EFAULT);
	CHECK_ERR(ioctl(vm.fd, KEEL_OBSERVE, 2), EINVAL);
	CHECK_ERR(ioctl(vm.fd, KEEL_OBSERVE, ~0UL), EINVAL);
	CHECK_ERR(ioctl(sys, KEEL_OPEN_VM, 0), ENOENT);
	CHECK_ERR(ioctl(sys, KEEL_OPEN_VM, id + 1), ENOENT);
	CHECK_ERR(ioctl(sys, KEEL_OPEN_VM, id | 1UL << 32), ENOENT);
	CHECK_ERR(next_vm(~0U, &info), ENOENT);
	/* What is the VMM's alone, and what is nobody's. */
	CHECK_ERR(set_name(fd, "x", 2), ENOTTY);
	CHECK_ERR(ioctl(fd, KEEL_OBSERVE, 0), ENOTTY);
	CHECK_ERR(ioctl(fd, KVM_CREATE_VCPU, 1), ENOTTY);
	CHECK_ERR(ioctl(fd, KVM_GET_STATS_FD, 0), ENOTTY);
	CHECK_ERR(ioctl(fd, KEEL_NEXT_VM, &info), ENOTTY);
	CHECK_ERR(ioctl(fd, _IO(KEELIO, 0xff), 0), ENOTTY);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(stats_fd(fd, 0), F_GETFD), FD_CLOEXEC);
	vm_destroy(&vm);
}

/* --- The VM's end --- */

static void check_ended(int fd, u32 id)
{
	struct keel_vcpu_info info;

	CHECK_EQ(poll_now(fd), POLLHUP);
	CHECK_ERR(vcpu_info(fd, 0, &info), ENODEV);
	CHECK_ERR(stats_fd(fd, KEEL_STATS_VM), ENODEV);
	CHECK_ERR(ioctl(fd, KEEL_VCPU_INFO, 8), ENODEV);
	CHECK_ERR(ioctl(fd, _IO(KEELIO, 0xff), 0), ENODEV);
	CHECK_ERR(ioctl(fd, KVM_CREATE_VCPU, 0), ENODEV);
	CHECK_ERR(ioctl(sys, KEEL_OPEN_VM, id), ENOENT);
	CHECK(!is_listed(id));
}

/* The last of VM file, vCPU file and device file is the end, whichever it is. */
static void last_file(int last)
{
	int files[3], fd, stats, i;
	struct vm vm;
	char byte;
	u32 id;

	vm_create(&vm);
	vcpu_create(&vm, 0);
	vm_gic_create(&vm, 64);
	id = vm_id(vm.fd);
	fd = observe(id);
	stats = stats_fd(fd, 0);
	files[0] = vm.fd;
	files[1] = vm.vcpus[0].fd;
	files[2] = vm.gic;
	munmap(vm.vcpus[0].run, 0x2000);
	for (i = 0; i < 3; i++)
		if (i != last)
			close(files[i]);
	CHECK_EQ(poll_now(fd), 0);
	CHECK(is_listed(id));
	CHECK_EQ(pread(stats, &byte, 1, 0), 1);
	close(files[last]);
	check_ended(fd, id);
	CHECK_ERR(pread(stats, &byte, 1, 0), ENODEV);
	close(stats);
	close(fd);
}

static void end(void)
{
	int i;

	sys = kvm_open();
	for (i = 0; i < 3; i++)
		last_file(i);
}

struct poller {
	pthread_t thread;
	int fd;
	int tid;
	short revents;
};

static void *poller_thread(void *arg)
{
	struct poller *p = arg;
	struct pollfd pollfd = { .fd = p->fd };

	WRITE_ONCE(p->tid, syscall(SYS_gettid));
	REQUIRE_EQ(poll(&pollfd, 1, -1), 1);
	p->revents = pollfd.revents;
	return NULL;
}

/* Until it sleeps, which it does nowhere but in poll(). */
static void poller_start(struct poller *p, int fd)
{
	char path[64], text[128], *state;

	*p = (struct poller){ .fd = fd };
	REQUIRE(!pthread_create(&p->thread, NULL, poller_thread, p));
	while (!READ_ONCE(p->tid))
		sched_yield();
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", p->tid);
	do {
		sched_yield();
		file_read(path, text, sizeof(text));
		state = strrchr(text, ')');
	} while (!state || state[2] != 'S');
}

static void poll_wakes(void)
{
	struct poller p[2];
	struct vm vm, other;
	int fd, i;
	u32 id;

	sys = kvm_open();
	poke_create(&vm);
	vm_create(&other);
	id = vm_id(vm.fd);
	fd = observe(id);
	for (i = 0; i < 2; i++)
		poller_start(&p[i], fd);
	/* The end of another VM is none of theirs. */
	vm_destroy(&other);
	CHECK_EQ(poll_now(fd), 0);
	vm_destroy(&vm);
	for (i = 0; i < 2; i++) {
		REQUIRE(!pthread_join(p[i].thread, NULL));
		CHECK_EQ(p[i].revents, POLLHUP);
	}
	check_ended(fd, id);
}

/* An observer keeps neither the VM nor the memory behind it, whoever the VMM was. */
static void vmm_killed(void)
{
	const struct actor alice = { ALICE };
	int answer[2], end_of[2], fd, status;
	struct poller p;
	pid_t vmm;
	u32 id;

	sys = kvm_open();
	REQUIRE_OK(pipe(answer));
	REQUIRE_OK(pipe(end_of));
	vmm = fork();
	if (!vmm)
		vmm_child(&alice, answer[1], end_of[0]);
	REQUIRE_EQ(read(answer[0], &id, sizeof(id)), sizeof(id));
	fd = observe(id);
	poller_start(&p, fd);
	REQUIRE_OK(kill(vmm, SIGKILL));
	REQUIRE(!pthread_join(p.thread, NULL));
	CHECK_EQ(p.revents, POLLHUP);
	REQUIRE_EQ(waitpid(vmm, &status, 0), vmm);
	check_ended(fd, id);
}

static bool stop_storm;

/* All that an observer does, on VMs that end at any moment. */
static void storm_round(u64 *seen, u64 *ended)
{
	static const int fine[] = { 0, ENOENT, ENODEV };
	struct keel_vm_info vm = {};
	struct keel_vcpu_info vcpu;
	int err[5] = {}, fd, stats;
	char byte;
	size_t i, k;

	if (next_vm(0, &vm))
		return;
	fd = ioctl(sys, KEEL_OPEN_VM, vm.id);
	err[0] = fd < 0 ? errno : 0;
	if (fd >= 0) {
		err[1] = vcpu_info(fd, 1, &vcpu) ? errno : 0;
		stats = stats_fd(fd, 0);
		err[2] = stats < 0 ? errno : 0;
		err[3] = stats >= 0 && pread(stats, &byte, 1, 0) < 0 ? errno : 0;
		err[4] = poll_now(fd) & POLLHUP ? ENODEV : 0;
		close(stats);
		close(fd);
	}
	for (i = 0; i < ARRAY_SIZE(err); i++) {
		for (k = 0; k < ARRAY_SIZE(fine) && err[i] != fine[k]; k++)
			;
		if (k == ARRAY_SIZE(fine))
			CHECK_EQ(err[i], 0);
		*ended += err[i] == ENODEV;
	}
	(*seen)++;
}

static void *storm_thread(void *arg)
{
	u64 *counts = arg;

	while (!READ_ONCE(stop_storm))
		storm_round(&counts[0], &counts[1]);
	return NULL;
}

static void storm(void)
{
	u64 counts[3][2] = {}, seen = 0, ended = 0;
	int lives = soak_rounds(300, 20000), i, k;
	pthread_t threads[3];
	struct vm vm;
	long before;
	char refs[16];

	file_read("/sys/module/keel/refcnt", refs, sizeof(refs));
	before = atol(refs);
	sys = kvm_open();
	for (i = 0; i < 3; i++)
		REQUIRE(!pthread_create(&threads[i], NULL, storm_thread, counts[i]));
	for (i = 0; i < lives && !soak_enough(i, 30, 6); i++) {
		vm_create(&vm);
		vcpu_create(&vm, 0);
		vcpu_create(&vm, 1);
		if (i % 2)
			sched_yield();
		vm_destroy(&vm);
	}
	WRITE_ONCE(stop_storm, true);
	for (k = 0; k < 3; k++) {
		pthread_join(threads[k], NULL);
		seen += counts[k][0];
		ended += counts[k][1];
	}
	ktap_note("VMs: %d, looks: %llu, of these too late: %llu", i, seen, ended);
	CHECK(seen > 0);
	close(sys);
	/* What a VM's end leaves to grace periods is over soon. */
	do {
		sched_yield();
		file_read("/sys/module/keel/refcnt", refs, sizeof(refs));
	} while (atol(refs) != before);
}

/* The module's code is needed as long as there is an observer. */
static void rmmod(void)
{
	struct vm vm;
	int fd;

	sys = kvm_open();
	vm_create(&vm);
	fd = observe(vm_id(vm.fd));
	vm_destroy(&vm);
	close(sys);
	CHECK_EQ(module_remove("keel"), -EAGAIN);
	CHECK_EQ(poll_now(fd), POLLHUP);
}

static const struct ktap_case cases[] = {
	{ "permissions", permissions },
	{ "refusal", refusal },
	{ "vm_info", vm_info },
	{ "names", names },
	{ "states", states },
	{ "stats", stats },
	{ "bad_arguments", bad_arguments },
	{ "end", end },
	{ "poll_wakes", poll_wakes },
	{ "vmm_killed", vmm_killed },
	{ "storm", storm },
	{ "rmmod", rmmod },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
