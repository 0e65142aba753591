// SPDX-License-Identifier: GPL-2.0
/*
 * Guest virtual addresses of a guest that runs, sleeps, is off or paused: right answers, and a
 * guest that does not notice.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guests/gva_running.h"
#include "lib/gva.h"
#include "lib/hostmem.h"
#include "lib/observer.h"
#include "lib/process.h"
#include "lib/soak.h"

GUEST_DECLARE(gva_running);

#define PAGE		4096ULL
#define ENTRIES		512
#define TAG_A		0xaaULL
#define TAG_B		0xbbULL

/* The module's default, and what makes few slices of a scan */
#define SLICE		50
#define LONG_SLICE	2000

static struct vm vm;
static struct shared *shared;
static int observer;

/* --- The VM --- */

static void fill_locked(void)
{
	u64 *pages = vm_ptr(&vm, TABLE_LOCKED3), *blocks = vm_ptr(&vm, TABLE_LOCKED);
	int i;

	/* Runs of four, eight … pages, with holes between them. */
	for (i = 0; i < ENTRIES; i++)
		if (i < 4 || __builtin_popcount(i) & 1)
			pages[i] = DESC_PAGE(BLOCK_A + i * PAGE);
	blocks[0] = DESC_TABLE(TABLE_LOCKED3);
	for (i = 2; i < ENTRIES; i += 3)
		blocks[i] = DESC_BLOCK(RAM_IPA + (i % 8) * HOST_HUGE);
}

static void fill_changing(void)
{
	u64 *a = vm_ptr(&vm, TABLE_A), *b = vm_ptr(&vm, TABLE_B);
	u64 *word_a = vm_ptr(&vm, BLOCK_A), *word_b = vm_ptr(&vm, BLOCK_B), i;

	for (i = 0; i < ENTRIES; i++) {
		a[i] = DESC_PAGE(BLOCK_A + i * PAGE);
		b[i] = DESC_PAGE(BLOCK_B + i * PAGE);
	}
	for (i = 0; i < HOST_HUGE / 8; i++) {
		word_a[i] = TAG_A << 56 | i * 8;
		word_b[i] = TAG_B << 56 | i * 8;
	}
}

/* In us. Short slices are for scans beside which a guest has to run. */
static void set_slice(int us)
{
	REQUIRE(host_write("/sys/module/keel/parameters/gva_slice", "%d", us) >= 0);
}

static void create(u64 what)
{
	u64 *loop, i;

	set_slice(SLICE);

	vm_create_guest(&vm, guest_gva_running, guest_gva_running_end, 2);
	vm_gic_create(&vm, 64);
	shared = vm_ptr(&vm, SHARED_IPA);
	fill_locked();
	fill_changing();
	loop = vm_ptr(&vm, TABLE_LOOP);
	for (i = 0; i < ENTRIES; i++)
		loop[i] = DESC_PAGE(TABLE_LOOP);
	vcpu_set(&vm.vcpus[0], REG_X(0), what);
	observer = observe_last();
}

static void wait_for(const u64 *word, u64 more_than)
{
	while (READ_ONCE(*word) <= more_than)
		host_pause();
}

/*
 * The vCPUs keep every CPU of a small host busy: between two slices of a scan the caller has to get
 * one back at once, or a scan takes seconds. Its threads and children do not inherit that.
 */
static void hurry(void)
{
	const struct sched_param p = { .sched_priority = 1 };

	REQUIRE_OK(sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &p));
}

static void start(u64 what)
{
	create(what);
	hurry();
	vm_start(&vm);
	wait_for(&shared->ready, 0);
	wait_for(&shared->rounds[0], 0);
}

static void stop(void)
{
	WRITE_ONCE(shared->stop, 1);
	CHECK_EQ(vm_wait(&vm), 0);
	vm_destroy(&vm);
	close(observer);
}

/* --- What there is to find --- */

/* As the vCPU's registers say. */
static void stage1_of(u32 vcpu, struct stage1 *s)
{
	struct keel_vcpu_regs regs;

	REQUIRE_EQ(gva_regs(observer, vcpu, &regs), 0);
	REQUIRE(regs.sctlr_el1 & SCTLR_M);
	gva_stage1(&regs, 48, s);
	stage1_memory(s, RAM_IPA, RAM_SIZE, vm.ram);
}

/* Of all scans of the case */
static u64 slices;

static bool scan_gb(u32 vcpu, int gb, struct gva_scan *got)
{
	bool ok;

	got->call = (struct keel_gva_scan){ .start = GB(gb), .last = GB(gb + 1) - 1 };
	ok = CHECK_EQ(gva_scan(observer, vcpu, KEEL_GVA_MAX_RUNS, got), 0);
	slices += got->sum.slices;
	return ok;
}

/* The part of the tables that does not change. */
static bool check_locked(u32 vcpu)
{
	struct stage1_scan want = { .start = GB(GB_LOCKED), .last = GB(GB_LOCKED + 1) - 1 };
	struct gva_scan got = {};
	struct stage1 s;
	bool ok;

	stage1_of(vcpu, &s);
	stage1_walk(&s, &want);
	REQUIRE(want.nr > 100);
	ok = scan_gb(vcpu, GB_LOCKED, &got) && gva_same(&got, &want, true);
	free(got.runs);
	free(want.runs);
	return ok;
}

/* Every address of the changing part is in block A, in block B, or nowhere. */
static bool check_changing_run(const struct keel_gva_run *r)
{
	u64 offset = r->gva - GB(GB_CHANGING);

	return CHECK(offset < HOST_HUGE && r->length <= HOST_HUGE - offset) &
	       CHECK(r->ipa == BLOCK_A + offset || r->ipa == BLOCK_B + offset) &
	       CHECK(!(r->flags & ~KEEL_GVA_RUN_UNSURE)) &
	       CHECK(r->leaf_shift == 12 || r->leaf_shift == 21) &
	       CHECK_EQ(r->attributes, 0x3ff);
}

static bool check_changing(u32 vcpu)
{
	struct gva_scan got = {};
	bool ok = scan_gb(vcpu, GB_CHANGING, &got);
	u32 i;

	for (i = 0; ok && i < got.nr; i++)
		ok = check_changing_run(&got.runs[i]);
	free(got.runs);
	return ok;
}

static bool check_changing_one(u32 vcpu, u64 offset)
{
	struct keel_gva_translate t;
	struct keel_gva_read r;
	u64 word;

	REQUIRE_EQ(gva_translate(observer, vcpu, GB(GB_CHANGING) + offset, KEEL_GVA_LEAF, &t), 0);
	if (t.status == KEEL_GVA_MAPPED)
		CHECK(t.ipa == BLOCK_A + offset || t.ipa == BLOCK_B + offset);
	else
		CHECK_EQ(t.status, KEEL_GVA_FAULT);
	REQUIRE_EQ(gva_read(observer, vcpu, GB(GB_CHANGING) + offset, &word, 8, &r), 0);
	if (r.status != KEEL_GVA_MAPPED)
		return CHECK_EQ(r.status, KEEL_GVA_FAULT) & CHECK_EQ(r.done, 0);
	return CHECK_EQ(r.done, 8) &
	       CHECK(word == (TAG_A << 56 | offset) || word == (TAG_B << 56 | offset));
}

/* --- Cases: running --- */

/* Both vCPUs run on, and are looked at in turns. */
static void running(void)
{
	int rounds = soak_rounds(200, 2000), i;
	u64 before[2];

	start(CPU1_LOOK);
	wait_for(&shared->rounds[1], 0);
	for (i = 0; i < rounds && !soak_enough(i, 8, 2); i++) {
		set_slice(i & 2 ? SLICE : LONG_SLICE);
		before[0] = shared->rounds[0];
		before[1] = shared->rounds[1];
		if (!check_locked(i & 1))
			break;
		wait_for(&shared->rounds[0], before[0]);
		wait_for(&shared->rounds[1], before[1]);
	}
	ktap_note("%d scans in %llu slices", i, slices);
	stop();
}

static void changing(void)
{
	int rounds = soak_rounds(300, 5000), i;
	u64 changes;

	start(CPU1_CHANGE);
	wait_for(&shared->changes, 0);
	for (i = 0; i < rounds && !soak_enough(i, 8, 3); i++) {
		set_slice(i & 2 ? SLICE : LONG_SLICE);
		changes = shared->changes;
		if (!check_changing(i & 1) || !check_locked(i & 1) ||
		    !check_changing_one(i & 1, i * 5 * PAGE % HOST_HUGE + 8 * i % PAGE))
			break;
		wait_for(&shared->changes, changes);
	}
	ktap_note("%d scans of each in %llu slices, %llu changes of tables", i, slices,
		  shared->changes);
	stop();
}

/*
 * The guest compares what its own AT has left in PAR_EL1, in which the scan's ATs come between
 * most of the time.
 */
static void par(void)
{
	int scans = soak_rounds(1000, 10000), i;
	struct gva_scan got = {};
	u64 rounds;

	start(CPU1_LOOK);
	wait_for(&shared->rounds[1], 0);
	rounds = shared->rounds[0] + shared->rounds[1];
	for (i = 0; i < scans && !soak_enough(i, 100, 6); i++) {
		got.call = (struct keel_gva_scan){
			.start = GB(GB_LOCKED), .last = GB(GB_LOCKED) + 16 * PAGE - 1,
		};
		if (!CHECK_EQ(gva_scan(observer, i & 1, 16, &got), 0))
			break;
		CHECK_EQ(got.sum.ats, 16);
	}
	rounds = shared->rounds[0] + shared->rounds[1] - rounds;
	ktap_note("%d scans, %llu ATs of the guest's", i, 2 * rounds);
	CHECK(rounds > 0);
	free(got.runs);
	stop();
}

static void regs(void)
{
	struct keel_vcpu_regs r;
	int i;

	start(CPU1_LOOK);
	wait_for(&shared->rounds[1], 0);
	for (i = 0; i < 100; i++) {
		REQUIRE_EQ(gva_regs(observer, i & 1, &r), 0);
		CHECK(r.pc >= RAM_IPA && r.pc < SHARED_IPA);
		CHECK_EQ(r.pstate & 0x3cf, 0x3c5);	/* DAIF, EL1h */
		CHECK(r.sp_el1 >= RAM_IPA && r.sp_el1 < SHARED_IPA);
		CHECK_EQ(r.tpidr_el1, i & 1);
		CHECK_EQ(r.mpidr_el1 & 0xff, i & 1);
		CHECK_EQ(r.mair_el1, 0x04ff);
		CHECK_EQ(r.par_el1 & 0x0000ffffff000001, RAM_IPA);
	}
	stop();
}

/* --- Cases: not running --- */

static u32 state_of(u32 index)
{
	struct keel_vcpu_info info = { .size = sizeof(info), .index = index };

	REQUIRE_OK(ioctl(observer, KEEL_VCPU_INFO, &info));
	return info.state;
}

static void wait_state(u32 index, u32 state)
{
	while (state_of(index) != state)
		host_pause();
}

/* A file of the counters of CPU 1 */
static int counters_open(void)
{
	struct keel_stats args = { .size = sizeof(args), .vcpu = 1 };
	int fd = ioctl(observer, KEEL_STATS_FD, &args);

	REQUIRE_OK(fd);
	return fd;
}

static void look_at_sleeper(void)
{
	struct keel_vcpu_regs r;

	REQUIRE_EQ(gva_regs(observer, 1, &r), 0);
	wait_state(1, KEEL_VCPU_BLOCKED);
}

/*
 * It is looked at in its sleep, which goes on: it may see its WFI end, but once for each look at
 * most. Counted are the times it went to sleep, since a WFI may also end at once on the CPU, if an
 * interrupt of the host's is pending there.
 */
static void asleep(void)
{
	u64 before;
	int fd, i;

	start(CPU1_SLEEP);
	fd = counters_open();
	wait_for(&shared->rounds[1], 0);
	wait_state(1, KEEL_VCPU_BLOCKED);
	before = kvm_stat(fd, "halt_wakeup");
	for (i = 0; i < 20; i++)
		look_at_sleeper();
	CHECK(kvm_stat(fd, "halt_wakeup") <= before + i);
	before = kvm_stat(fd, "halt_wakeup");
	for (i = 0; i < 50 && !soak_enough(i, 5, 1); i++) {
		if (!check_locked(1))
			break;
		wait_state(1, KEEL_VCPU_BLOCKED);
	}
	ktap_note("%llu ends of a sleep, %d scans in %llu slices",
		  kvm_stat(fd, "halt_wakeup") - before, i, slices);
	/* Before each scan it reads the registers. */
	CHECK(kvm_stat(fd, "halt_wakeup") <= before + slices + i);
	close(fd);
	stop();
}

static void check_flat(u32 vcpu)
{
	struct gva_scan got = { .call.last = ~0ULL };

	REQUIRE_EQ(gva_scan(observer, vcpu, 1, &got), 0);
	if (CHECK_EQ(got.nr, 1)) {
		CHECK_EQ(got.runs[0].flags, KEEL_GVA_RUN_FLAT);
		CHECK_EQ(got.runs[0].gva | got.runs[0].ipa, 0);
	}
	free(got.runs);
}

/* Never on: as after a reset. Off again: with what it had. */
static void off(void)
{
	start(0);
	REQUIRE_EQ(state_of(1), KEEL_VCPU_OFF);
	check_flat(1);
	check_locked(0);
	stop();

	start(CPU1_OFF);
	wait_state(1, KEEL_VCPU_OFF);
	check_locked(1);
	check_locked(0);
	stop();
}

static void paused(void)
{
	u64 rounds;
	int i;

	start(CPU1_CHANGE);
	wait_for(&shared->rounds[1], 0);
	vm_stop(&vm);
	rounds = shared->rounds[0];
	for (i = 0; i < 20; i++) {
		REQUIRE_EQ(state_of(i & 1), KEEL_VCPU_OUTSIDE);
		check_locked(i & 1);
		check_changing(i & 1);
	}
	CHECK_EQ(shared->rounds[0], rounds);
	vm_start(&vm);
	wait_for(&shared->rounds[0], rounds);
	stop();
}

/* --- Cases: the end of a scan --- */

/**
 * struct scanner - a thread or process that scans for ever
 * @thread: it
 * @tid: its id, once it runs
 * @calls: how many scans have ended without error
 * @cut: how many of them before their end
 * @err: errno of the one that failed, which is the end
 */
struct scanner {
	pthread_t thread;
	int tid;
	u64 calls;
	u64 cut;
	int err;
};

/* Long calls: each is 2^18 pages. */
static int scan_loop(struct gva_scan *got)
{
	struct keel_gva_scan *call = &got->call;

	*call = (struct keel_gva_scan){
		.size = sizeof(*call), .room = KEEL_GVA_MAX_RUNS, .start = GB(GB_LOOP),
		.last = GB(GB_LOOP + 1) - 1, .need = KEEL_GVA_EL0_R, .runs = (uintptr_t)got->runs,
	};
	return ioctl(observer, KEEL_GVA_SCAN, call) ? errno : 0;
}

static void *scanner_thread(void *arg)
{
	struct scanner *s = arg;
	struct gva_scan got = { .runs = calloc(KEEL_GVA_MAX_RUNS, sizeof(*got.runs)) };
	int err;

	REQUIRE(got.runs);
	WRITE_ONCE(s->tid, syscall(SYS_gettid));
	for (;;) {
		err = scan_loop(&got);
		if (err && err != EINTR)
			break;
		if (err || !got.call.end)
			WRITE_ONCE(s->cut, s->cut + 1);
		WRITE_ONCE(s->calls, s->calls + 1);
	}
	free(got.runs);
	WRITE_ONCE(s->err, err);
	return NULL;
}

static void scanner_start(struct scanner *s)
{
	memset(s, 0, sizeof(*s));
	REQUIRE(!pthread_create(&s->thread, NULL, scanner_thread, s));
	while (!READ_ONCE(s->tid))
		host_pause();
}

/* How far a scan is cannot be seen: let the guest run a bit. */
static void let_it_scan(void)
{
	wait_for(&shared->rounds[0], READ_ONCE(shared->rounds[0]));
}

/* Of the VM, under a scan: its memory stays mapped, so that nothing but its end is an error. */
static void end_under(struct scanner *s)
{
	struct pollfd p = { .fd = observer };

	WRITE_ONCE(shared->stop, 1);
	CHECK_EQ(vm_wait(&vm), 0);
	vm.ram = NULL;
	vm_destroy(&vm);
	REQUIRE_EQ(poll(&p, 1, -1), 1);
	CHECK_EQ(p.revents, POLLHUP);
	pthread_join(s->thread, NULL);
	CHECK_EQ(s->err, ENODEV);
	close(observer);
}

static void vm_ends(void)
{
	struct scanner s;
	int i;

	for (i = 0; i < 10; i++) {
		start(0);
		scanner_start(&s);
		let_it_scan();
		end_under(&s);
	}
}

static void handler(int sig __always_unused)
{
}

/* A signal with a handler ends a call early, with what there is; the next one goes on. */
static void signals(void)
{
	struct sigaction sa = { .sa_handler = handler };
	struct scanner s;
	int i;

	REQUIRE_OK(sigaction(SIGUSR2, &sa, NULL));
	start(0);
	scanner_start(&s);
	for (i = 0; i < 200 && (i < 20 || !READ_ONCE(s.cut)); i++) {
		let_it_scan();
		pthread_kill(s.thread, SIGUSR2);
	}
	CHECK(s.cut > 0);
	check_locked(0);
	end_under(&s);
	ktap_note("%llu calls, %llu of them cut off", s.calls, s.cut);
}

static void child_scans(void)
{
	struct scanner s = {};

	scanner_thread(&s);
	_exit(s.err);
}

static void killed_scanning(void)
{
	u64 rounds;
	pid_t pid;
	int i;

	start(CPU1_LOOK);
	for (i = 0; i < 20; i++) {
		pid = fork();
		REQUIRE_OK(pid);
		if (!pid)
			child_scans();
		let_it_scan();
		if (i & 1)
			check_locked(i >> 1 & 1);
		killed(pid);
		rounds = shared->rounds[0];
		wait_for(&shared->rounds[0], rounds);
	}
	check_locked(0);
	check_locked(1);
	stop();
}

/* --- Cases: tables that do not come --- */

static int absent_memory(void)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };
	char *mem = mem_map(HOST_HUGE, MAP_PRIVATE, -1);
	int uffd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	REQUIRE_OK(uffd);
	REQUIRE_OK(ioctl(uffd, UFFDIO_API, &api));
	reg.range.start = (u64)mem;
	reg.range.len = HOST_HUGE;
	REQUIRE_OK(ioctl(uffd, UFFDIO_REGISTER, &reg));
	REQUIRE_OK(vm_memslot(&vm, 1, 0, ABSENT_IPA, HOST_HUGE, mem));
	return uffd;
}

static void wait_fault(int uffd)
{
	struct pollfd p = { .fd = uffd, .events = POLLIN };
	struct uffd_msg msg;

	do {
		REQUIRE_EQ(poll(&p, 1, -1), 1);
	} while (read(uffd, &msg, sizeof(msg)) != sizeof(msg));
}

enum { ABSENT_SCAN, ABSENT_TRANSLATE, ABSENT_READ, ABSENT_CALLS };

/* Until somebody answers for the table: result of the call. */
static int absent_call(int which)
{
	struct keel_gva_translate t;
	struct gva_scan got = {};
	struct keel_gva_read r;
	char byte;

	switch (which) {
	case ABSENT_SCAN:
		got.call.start = GB(GB_ABSENT);
		got.call.last = GB(GB_ABSENT + 1) - 1;
		return -gva_scan(observer, 0, 1, &got);
	case ABSENT_TRANSLATE:
		return -gva_translate(observer, 0, GB(GB_ABSENT), 0, &t);
	default:
		return -gva_read(observer, 0, GB(GB_ABSENT), &byte, 1, &r);
	}
}

static pid_t absent_child(int which, int uffd)
{
	pid_t pid = fork();

	REQUIRE_OK(pid);
	if (!pid) {
		close(uffd);
		vm_destroy(&vm);	/* here, where the child has its own descriptors of it */
		_exit(absent_call(which));
	}
	wait_fault(uffd);
	return pid;
}

/* Nobody else waits: not the vCPU, not other observers. */
static void absent_killed(void)
{
	int uffd, which;
	u64 rounds;
	pid_t pid;

	create(CPU1_LOOK);
	uffd = absent_memory();
	vm_start(&vm);
	wait_for(&shared->rounds[0], 0);
	for (which = 0; which < ABSENT_CALLS; which++) {
		pid = absent_child(which, uffd);
		rounds = shared->rounds[0];
		wait_for(&shared->rounds[0], rounds + 10);
		check_locked(0);
		killed(pid);
		check_locked(0);
	}
	stop();
}

/* The VM ends while one waits; who waits is told when he has waited. */
static void absent_vm_ends(void)
{
	struct pollfd p;
	int uffd, which, status;
	pid_t pid;

	for (which = 0; which < ABSENT_CALLS; which++) {
		create(0);
		uffd = absent_memory();
		vm_start(&vm);
		wait_for(&shared->rounds[0], 0);
		pid = absent_child(which, uffd);
		WRITE_ONCE(shared->stop, 1);
		CHECK_EQ(vm_wait(&vm), 0);
		vm_destroy(&vm);
		p = (struct pollfd){ .fd = observer };
		REQUIRE_EQ(poll(&p, 1, -1), 1);
		CHECK_EQ(p.revents, POLLHUP);
		/* Without its file the memory is zeros. */
		close(uffd);
		REQUIRE_EQ(waitpid(pid, &status, 0), pid);
		CHECK(WIFEXITED(status));
		CHECK_EQ(WEXITSTATUS(status), ENODEV);
		close(observer);
	}
}

/* The same VM, but its VMM is killed. */
static void absent_vmm(int ready)
{
	int uffd;

	create(0);
	uffd = absent_memory();
	vm_start(&vm);
	wait_for(&shared->rounds[0], 0);
	say(ready);
	wait_fault(uffd);
	say(ready);
	vm_wait(&vm);
}

static void absent_vmm_killed(void)
{
	int ready[2], status, which;
	pid_t vmm, pid;

	for (which = 0; which < ABSENT_CALLS; which++) {
		REQUIRE_OK(pipe(ready));
		vmm = fork();
		REQUIRE_OK(vmm);
		if (!vmm) {
			absent_vmm(ready[1]);
			_exit(KTAP_FAIL);
		}
		hear(ready[0]);
		observer = observe_last();
		pid = fork();
		REQUIRE_OK(pid);
		if (!pid)
			_exit(absent_call(which));
		hear(ready[0]);
		killed(vmm);
		REQUIRE_EQ(waitpid(pid, &status, 0), pid);
		CHECK(WIFEXITED(status));
		CHECK_EQ(WEXITSTATUS(status), ENODEV);
		close(observer);
	}
}

/* --- What it costs the guest: no criterion --- */

#define TIMERS 300

static void show_jitter(const char *when)
{
	u64 timers = shared->timers, late = shared->late, hz;

	WRITE_ONCE(shared->latest, 0);
	wait_for(&shared->timers, timers + TIMERS);
	timers = shared->timers - timers;
	late = shared->late - late;
	asm volatile("mrs %0, cntfrq_el0" : "=r" (hz));
	ktap_note("%s: timers are late by %llu us, %llu us at most", when,
		  late * 1000000 / hz / timers, shared->latest * 1000000 / hz);
}

static void jitter(void)
{
	struct scanner s;

	start(CPU0_TIMER);
	show_jitter("alone");
	scanner_start(&s);
	show_jitter("while it is scanned for ever");
	end_under(&s);
}

static const struct ktap_case cases[] = {
	{ "running", running },
	{ "changing", changing },
	{ "par", par },
	{ "regs", regs },
	{ "asleep", asleep },
	{ "off", off },
	{ "paused", paused },
	{ "vm_ends", vm_ends },
	{ "signals", signals },
	{ "killed_scanning", killed_scanning },
	{ "absent_killed", absent_killed },
	{ "absent_vm_ends", absent_vm_ends },
	{ "absent_vmm_killed", absent_vmm_killed },
	{ "jitter", jitter },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
