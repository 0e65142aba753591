// SPDX-License-Identifier: GPL-2.0
/* Files in wrong hands: closed too early, mapped wrongly, used by two at once, one too many. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/poke.h"
#include "lib/vm.h"

GUEST_DECLARE(run_ten);

/* Headers older than Linux 5.14 lack this one. */
#ifndef KVM_GET_STATS_FD
#define KVM_GET_STATS_FD _IO(KVMIO, 0xce)
#endif

#define PAGE 4096UL

static struct vm vm;
static struct vcpu *vcpu;

static void setup(void)
{
	vm_create_guest(&vm, guest_run_ten, guest_run_ten_end, 1);
	vm_gic_create(&vm, 64);
	vcpu = &vm.vcpus[0];
}

static void run_guest(void)
{
	vcpu_init(vcpu, false);
	vcpu_start_at(vcpu, RAM_IPA, 0);
	REQUIRE_EQ(vcpu_run(vcpu), 0);
	CHECK_EQ(vcpu_run_done(vcpu), 42);
}

/* The VM's file goes; vCPU, device and statistics work on, each alone in the end. */
static void vm_file_closed(void)
{
	struct kvm_device_attr attr = { .group = KVM_DEV_ARM_VGIC_GRP_NR_IRQS };
	struct kvm_vcpu_init init;
	u32 irqs = 0;
	int stats;
	char c;

	setup();
	REQUIRE_OK(ioctl(vm.fd, KVM_ARM_PREFERRED_TARGET, &init));
	init.features[0] |= BIT(KVM_ARM_VCPU_PSCI_0_2);
	stats = ioctl(vm.fd, KVM_GET_STATS_FD, NULL);
	REQUIRE_OK(stats);
	close(vm.fd);
	CHECK_ERR(ioctl(vm.fd, KVM_CREATE_VCPU, 1), EBADF);
	REQUIRE_EQ(vcpu_run(vcpu), 0);
	CHECK_EQ(vcpu_run_done(vcpu), 42);
	CHECK_OK(ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &init));
	attr.addr = (u64)&irqs;
	CHECK_OK(ioctl(vm.gic, KVM_GET_DEVICE_ATTR, &attr));
	CHECK_EQ(irqs, 64);
	/* The mapping outlives the file it is of. */
	close(vcpu->fd);
	CHECK_ERR(ioctl(vcpu->fd, KVM_RUN, 0), EBADF);
	vcpu->run->immediate_exit = 1;
	CHECK_EQ(READ_ONCE(vcpu->run->immediate_exit), 1);
	attr.addr = (u64)&irqs;
	CHECK_OK(ioctl(vm.gic, KVM_GET_DEVICE_ATTR, &attr));
	munmap(vcpu->run, PAGE);
	close(vm.gic);
	CHECK_ERR(ioctl(vm.gic, KVM_GET_DEVICE_ATTR, &attr), EBADF);
	CHECK_EQ(pread(stats, &c, 1, 0), 1);
	close(stats);
}

/* kvm_run as it is after everything else is gone, with the VM kept by it alone. */
static void run_page_last(void)
{
	struct kvm_run *run;

	setup();
	REQUIRE_EQ(vcpu_run(vcpu), 0);
	run = vcpu->run;
	close(vm.gic);
	close(vm.fd);
	close(vcpu->fd);
	munmap(vm.ram, RAM_SIZE);
	CHECK_EQ(run->exit_reason, KVM_EXIT_MMIO);
	memset(run, 0x5a, PAGE);
	CHECK_EQ(run->exit_reason, 0x5a5a5a5a);
	CHECK_OK(munmap(run, PAGE));
}

/* Descriptors that are copied, and that only a copy is left of. */
static void copies(void)
{
	int fd;

	setup();
	fd = dup(vcpu->fd);
	REQUIRE_OK(fd);
	close(vcpu->fd);
	vcpu->fd = fd;
	fd = dup(vm.fd);
	REQUIRE_OK(fd);
	close(vm.fd);
	vm.fd = fd;
	run_guest();
	vm_destroy(&vm);
}

/* A child inherits files and memory, but can neither use the VM nor keep it from going. */
static void inherited(void)
{
	int status, pipes[2];
	pid_t pid;
	char c;

	setup();
	REQUIRE_OK(pipe(pipes));
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid) {
		close(pipes[1]);
		if (read(pipes[0], &c, 1))
			_exit(KTAP_FAIL);
		/* The parent has closed all of its own: here they are still open, and no use. */
		CHECK_ERR(ioctl(vcpu->fd, KVM_RUN, 0), EIO);
		CHECK_ERR(ioctl(vm.fd, KVM_CREATE_VCPU, 1), EIO);
		vcpu->run->immediate_exit = 1;
		_exit(ktap_failed() ? KTAP_FAIL : KTAP_PASS);
	}
	run_guest();
	vm_destroy(&vm);
	close(pipes[0]);
	close(pipes[1]);
	REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
}

/* There is nothing at @p: the kernel says so when it is to read it. */
static void check_nothing_at(const char *p)
{
	int pipes[2];

	REQUIRE_OK(pipe(pipes));
	CHECK_ERR(write(pipes[1], p, 1), EFAULT);
	close(pipes[0]);
	close(pipes[1]);
}

static void mappings(void)
{
	size_t size = ioctl(kvm_open(), KVM_GET_VCPU_MMAP_SIZE, 0), i;
	char *p;

	setup();
	/* Longer than it is: the end is not there. */
	p = mmap(NULL, size + PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (p != MAP_FAILED) {
		CHECK_EQ(((struct kvm_run *)p)->immediate_exit, 0);
		check_nothing_at(p + size);
		munmap(p, size + PAGE);
	}
	/* Behind its end. */
	for (i = size; i < 1ULL << 48; i *= 2) {
		p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, vcpu->fd, i);
		if (p == MAP_FAILED)
			continue;
		check_nothing_at(p);
		munmap(p, PAGE);
	}
	/* Whatever a private mapping or an executable one holds, it hurts nobody. */
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, vcpu->fd, 0);
	if (p != MAP_FAILED) {
		memset(p, 0xff, PAGE);
		CHECK_EQ(vcpu->run->immediate_exit, 0);
		munmap(p, PAGE);
	}
	p = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, vcpu->fd, 0);
	if (p != MAP_FAILED)
		munmap(p, PAGE);
	/* KVM_RUN needs nobody to have it mapped, or to be able to write it. */
	REQUIRE_OK(munmap(vcpu->run, size));
	REQUIRE_EQ(vcpu_run(vcpu), 0);
	vcpu->run = mmap(NULL, size, PROT_READ, MAP_SHARED, vcpu->fd, 0);
	REQUIRE(vcpu->run != MAP_FAILED);
	CHECK_EQ(vcpu->run->exit_reason, KVM_EXIT_MMIO);
	CHECK_EQ(vcpu_run_done(vcpu), 42);
	vm_destroy(&vm);
}

/**
 * struct caller - a thread that does one ioctl on a vCPU
 * @thread: it
 * @tid: its number, 0 until it is about to do it
 * @nr: the ioctl
 * @arg: its argument
 * @ret: what it gave, as -errno
 * @done: it has come back
 */
struct caller {
	pthread_t thread;
	pid_t tid;
	unsigned int nr;
	void *arg;
	int ret;
	bool done;
};

static void *call(void *arg)
{
	struct caller *c = arg;

	WRITE_ONCE(c->tid, gettid());
	c->ret = ioctl(vcpu->fd, c->nr, c->arg) ? -errno : 0;
	WRITE_ONCE(c->done, true);
	return NULL;
}

static void no_action(int sig __always_unused)
{
}

static char thread_state(pid_t tid)
{
	char path[64], line[256], *p;
	int fd, n;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	fd = open(path, O_RDONLY);
	n = fd < 0 ? 0 : read(fd, line, sizeof(line) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	line[n] = 0;
	p = strrchr(line, ')');
	return p ? p[2] : 0;
}

/*
 * Until it sleeps, and not so that a signal wakes it. keel's KVM_RUN starts over when the thread
 * has other work to do, such as rseq's after a preemption, and who waits may come in between.
 */
static void wait_asleep(struct caller *c)
{
	while (thread_state(c->tid) != 'D')
		if (kvm_is_keel() && READ_ONCE(c->done))
			break;
}

static void call_in_thread(struct caller *c)
{
	REQUIRE(!pthread_create(&c->thread, NULL, call, c));
	while (!READ_ONCE(c->tid))
		sched_yield();
}

/* Until the guest has counted on: it runs. */
static void wait_count(void)
{
	u64 *counter = vm_ptr(&vm, FREE_IPA), seen = READ_ONCE(*counter);

	while (READ_ONCE(*counter) == seen)
		sched_yield();
}

static void start_counting(struct caller *runner)
{
	struct poke cmd = { .op = POKE_LOOP, .addr = FREE_IPA };
	struct sigaction sa = { .sa_handler = no_action };

	REQUIRE_OK(sigaction(SIGUSR2, &sa, NULL));
	poke_create(&vm);
	vcpu = &vm.vcpus[0];
	memcpy(vm_ptr(&vm, SHARED_IPA), &cmd, sizeof(cmd));
	*runner = (struct caller){ .nr = KVM_RUN };
	call_in_thread(runner);
	wait_count();
}

/* Each waits until the vCPU is out of the guest. */
static void ioctls_wait(void)
{
	u64 value = 0;
	struct kvm_one_reg reg = { REG_PC, (u64)&value };
	struct kvm_mp_state mp = { 1000 };
	struct caller runner, waiters[] = {
		{ .nr = KVM_GET_ONE_REG, .arg = &reg },
		{ .nr = KVM_GET_MP_STATE, .arg = &mp },
	};
	size_t i;

	start_counting(&runner);
	for (i = 0; i < ARRAY_SIZE(waiters); i++)
		call_in_thread(&waiters[i]);
	for (i = 0; i < ARRAY_SIZE(waiters); i++)
		wait_asleep(&waiters[i]);
	wait_count();
	CHECK_EQ(READ_ONCE(runner.done), false);
	pthread_kill(runner.thread, SIGUSR2);
	pthread_join(runner.thread, NULL);
	CHECK_EQ(runner.ret, -EINTR);
	for (i = 0; i < ARRAY_SIZE(waiters); i++) {
		pthread_join(waiters[i].thread, NULL);
		CHECK_EQ(waiters[i].ret, 0);
	}
	CHECK(value >= RAM_IPA);
	CHECK_EQ(mp.mp_state, KVM_MP_STATE_RUNNABLE);
	vm_destroy(&vm);
}

/* Two threads want one vCPU: the second gets it when the first is out. */
static void two_runners(void)
{
	struct caller first, second = { .nr = KVM_RUN };

	start_counting(&first);
	call_in_thread(&second);
	wait_count();
	/* The one signalled may be the one that waits: it takes its turn, and leaves at once. */
	pthread_kill(first.thread, SIGUSR2);
	wait_count();
	CHECK_EQ(READ_ONCE(second.done), false);
	pthread_kill(second.thread, SIGUSR2);
	pthread_join(first.thread, NULL);
	pthread_join(second.thread, NULL);
	CHECK_EQ(first.ret, -EINTR);
	CHECK_EQ(second.ret, -EINTR);
	vm_destroy(&vm);
}

/* What concerns another file goes on while the vCPU runs; another number on its own, too. */
static void others_go_on(void)
{
	static char pages[2 * PAGE];
	char *page = (char *)(((u64)pages + PAGE - 1) & -PAGE);
	struct caller runner;
	int sys;

	start_counting(&runner);
	sys = kvm_open();
	CHECK_EQ(ioctl(sys, KVM_GET_API_VERSION, 0), 12);
	CHECK_OK(vm_memslot(&vm, 3, 0, 0x80000000, PAGE, page));
	CHECK_OK(vm_memslot(&vm, 3, 0, 0x80000000, 0, page));
	CHECK(ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_USER_MEMORY) > 0);
	CHECK(!isatty(vcpu->fd));
	CHECK_OK(ioctl(vm.fd, KVM_CREATE_VCPU, 1));
	wait_count();
	pthread_kill(runner.thread, SIGUSR2);
	pthread_join(runner.thread, NULL);
	CHECK_EQ(runner.ret, -EINTR);
	vm_destroy(&vm);
}

/* No descriptor is left; nothing is created, nothing is kept. */
static void no_descriptors(void)
{
	struct kvm_create_device dev = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	struct rlimit old, limit;
	int sys = kvm_open(), i;

	vm_create_guest(&vm, guest_run_ten, guest_run_ten_end, 1);
	vcpu = &vm.vcpus[0];
	REQUIRE_OK(getrlimit(RLIMIT_NOFILE, &old));
	limit = old;
	limit.rlim_cur = dup(sys);
	close(limit.rlim_cur);
	REQUIRE_OK(setrlimit(RLIMIT_NOFILE, &limit));
	for (i = 0; i < 100; i++) {
		CHECK_ERR(ioctl(sys, KVM_CREATE_VM, 0), EMFILE);
		CHECK_ERR(ioctl(vm.fd, KVM_CREATE_VCPU, 1), EMFILE);
		CHECK_ERR(ioctl(vm.fd, KVM_GET_STATS_FD, 0), EMFILE);
		CHECK_ERR(ioctl(vcpu->fd, KVM_GET_STATS_FD, 0), EMFILE);
		/* In-tree KVM keeps the device whose file it could not make. */
		if (kvm_is_keel())
			CHECK_ERR(ioctl(vm.fd, KVM_CREATE_DEVICE, &dev), EMFILE);
	}
	REQUIRE_OK(setrlimit(RLIMIT_NOFILE, &old));
	vcpu_init(vcpu_create(&vm, 1), true);
	vm_gic_create(&vm, 64);
	run_guest();
	vm_destroy(&vm);
}

static const struct ktap_case cases[] = {
	{ "vm_file_closed", vm_file_closed },
	{ "run_page_last", run_page_last },
	{ "copies", copies },
	{ "inherited", inherited },
	{ "mappings", mappings },
	{ "ioctls_wait", ioctls_wait },
	{ "two_runners", two_runners },
	{ "others_go_on", others_go_on },
	{ "no_descriptors", no_descriptors },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
