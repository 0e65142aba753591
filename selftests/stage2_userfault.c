// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory behind userfaultfd: KVM_RUN sleeps in a fault until another thread has served the
 * page. Post-copy migration and background snapshots of VMMs are made of this.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/hostmem.h"
#include "lib/poke.h"
#include "lib/walk.h"

#define SIZE (HOST_HUGE / 8)

/**
 * struct server - who serves faults
 * @uffd: userfaultfd of @mem
 * @quit: pipe that ends the thread when it is closed
 * @thread: it
 * @mem: the memory
 * @source: what missing pages are filled with
 * @snapshot: where a page goes before its write protection does
 * @copied: missing pages served with data
 * @zeroed: with zeros
 * @saved: write-protected pages
 */
struct server {
	int uffd;
	int quit[2];
	pthread_t thread;
	char *mem;
	char *source;
	char *snapshot;
	u64 copied;
	u64 zeroed;
	u64 saved;
};

static bool is_zero(const char *page)
{
	static const char zeros[HOST_PAGE];

	return !memcmp(page, zeros, sizeof(zeros));
}

static int serve_copy(struct server *s, u64 offset)
{
	struct uffdio_copy copy = {
		.dst = (u64)s->mem + offset,
		.src = (u64)s->source + offset,
		.len = HOST_PAGE,
	};

	s->copied++;
	return ioctl(s->uffd, UFFDIO_COPY, &copy);
}

static int serve_zero(struct server *s, u64 offset)
{
	struct uffdio_zeropage zero = {
		.range = { .start = (u64)s->mem + offset, .len = HOST_PAGE },
	};

	s->zeroed++;
	return ioctl(s->uffd, UFFDIO_ZEROPAGE, &zero);
}

static void serve_missing(struct server *s, u64 offset)
{
	struct uffdio_range range = { .start = (u64)s->mem + offset, .len = HOST_PAGE };
	int ret;

	do {
		ret = is_zero(s->source + offset) ? serve_zero(s, offset) : serve_copy(s, offset);
	} while (ret && errno == EAGAIN);
	/* Two vCPUs asked for it: the second one waits for nothing else. */
	if (ret && errno == EEXIST)
		ret = ioctl(s->uffd, UFFDIO_WAKE, &range);
	REQUIRE_OK(ret);
}

static void protect(struct server *s, u64 offset, u64 size, bool on)
{
	struct uffdio_writeprotect wp = {
		.range = { .start = (u64)s->mem + offset, .len = size },
		.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	REQUIRE_OK(ioctl(s->uffd, UFFDIO_WRITEPROTECT, &wp));
}

/* The first write to a page: save it as it is, then let the write happen. */
static void serve_write(struct server *s, u64 offset)
{
	if (is_zero(s->snapshot + offset)) {
		memcpy(s->snapshot + offset, s->mem + offset, HOST_PAGE);
		s->saved++;
	}
	protect(s, offset, HOST_PAGE, false);
}

/* False: none there. A fault that a signal ended is gone again. */
static bool take_fault(struct server *s, struct uffd_msg *msg)
{
	if (read(s->uffd, msg, sizeof(*msg)) < 0) {
		REQUIRE_EQ(errno, EAGAIN);
		return false;
	}
	REQUIRE_EQ(msg->event, UFFD_EVENT_PAGEFAULT);
	return true;
}

static void next_fault(struct server *s, struct uffd_msg *msg)
{
	struct pollfd pollfd = { .fd = s->uffd, .events = POLLIN };

	do {
		REQUIRE_EQ(poll(&pollfd, 1, -1), 1);
	} while (!take_fault(s, msg));
}

static u64 fault_offset(struct server *s, const struct uffd_msg *msg)
{
	return (msg->arg.pagefault.address & -HOST_PAGE) - (u64)s->mem;
}

static void serve(struct server *s)
{
	struct uffd_msg msg;

	if (!take_fault(s, &msg))
		return;
	if (msg.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP)
		serve_write(s, fault_offset(s, &msg));
	else
		serve_missing(s, fault_offset(s, &msg));
}

static void *server_thread(void *arg)
{
	struct server *s = arg;
	struct pollfd fds[] = {
		{ .fd = s->uffd, .events = POLLIN },
		{ .fd = s->quit[0], .events = POLLIN },
	};

	for (;;) {
		REQUIRE(poll(fds, ARRAY_SIZE(fds), -1) > 0);
		if (fds[0].revents)
			serve(s);
		else if (fds[1].revents)
			return NULL;
	}
}

static void server_start(struct server *s)
{
	REQUIRE_OK(pipe(s->quit));
	REQUIRE(!pthread_create(&s->thread, NULL, server_thread, s));
}

static void server_stop(struct server *s)
{
	close(s->quit[1]);
	pthread_join(s->thread, NULL);
	close(s->quit[0]);
}

/* False: this kernel cannot do it. */
static bool server_open(struct server *s, u64 size, u64 mode, u64 features)
{
	struct uffdio_api api = { .api = UFFD_API, .features = features };
	struct uffdio_register reg = { .mode = mode };

	memset(s, 0, sizeof(*s));
	s->mem = mem_map(size, MAP_PRIVATE, -1);
	s->source = mem_map(size, MAP_PRIVATE, -1);
	s->snapshot = mem_map(size, MAP_PRIVATE, -1);
	s->uffd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	REQUIRE_OK(s->uffd);
	if (ioctl(s->uffd, UFFDIO_API, &api)) {
		REQUIRE_EQ(errno, EINVAL);
		return false;
	}
	reg.range.start = (u64)s->mem;
	reg.range.len = size;
	REQUIRE_OK(ioctl(s->uffd, UFFDIO_REGISTER, &reg));
	return true;
}

/* The memory arrives while the guest runs; then it "migrates" again, and so on. */
static void post_copy(void)
{
	const u64 pages = SIZE / HOST_PAGE;
	struct server s;
	struct walk w;
	int i;

	REQUIRE(server_open(&s, SIZE, UFFDIO_REGISTER_MODE_MISSING, 0));
	walk_create(&w, s.mem, SIZE, 2, 0);
	server_start(&s);
	for (i = 0; i < 3; i++) {
		walk_start(&w);
		walk_rounds(&w, 1);
		walk_stop(&w);
		CHECK(s.zeroed >= pages && s.copied >= i * pages);
		memcpy(s.source, s.mem, SIZE);
		REQUIRE_OK(madvise(s.mem, SIZE, MADV_DONTNEED));
	}
	ktap_note("%llu pages copied, %llu zeroed", s.copied, s.zeroed);
	walk_check(&w);
	server_stop(&s);
	walk_destroy(&w);
}

/* Pages go while vCPUs run, too: MADV_DONTNEED under them, and they get zeros. */
static void discard_running(void)
{
	struct server s;
	struct walk w;
	int i;

	REQUIRE(server_open(&s, SIZE, UFFDIO_REGISTER_MODE_MISSING, 0));
	walk_create(&w, s.mem, SIZE, 2, WALK_ZERO);
	server_start(&s);
	walk_start(&w);
	for (i = 0; i < 4; i++) {
		walk_rounds(&w, 0);
		REQUIRE_OK(madvise(s.mem, SIZE, MADV_DONTNEED));
	}
	walk_rounds(&w, 1);
	walk_flags(&w, 0);
	CHECK(s.zeroed >= 2 * SIZE / HOST_PAGE);
	CHECK(walk_zeros(&w));
	walk_stop(&w);
	walk_check(&w);
	server_stop(&s);
	walk_destroy(&w);
}

/* What the guest had at one moment, though it goes on writing. */
static void snapshot(void)
{
	struct server s;
	struct walk w;
	char *wanted;
	u64 i;

	if (!server_open(&s, SIZE, UFFDIO_REGISTER_MODE_WP, UFFD_FEATURE_PAGEFAULT_FLAG_WP)) {
		ktap_note("no write protection by userfaultfd in this kernel");
		return;
	}
	wanted = malloc(SIZE);
	REQUIRE(wanted);
	walk_create(&w, s.mem, SIZE, 2, 0);
	server_start(&s);
	walk_start(&w);
	for (i = 0; i < 2; i++) {
		walk_rounds(&w, 1);
		walk_stop(&w);
		memset(s.snapshot, 0, SIZE);
		memcpy(wanted, s.mem, SIZE);
		protect(&s, 0, SIZE, true);
		walk_start(&w);
		walk_rounds(&w, 1);
		CHECK_EQ(s.saved, (i + 1) * SIZE / HOST_PAGE);
		CHECK(!memcmp(s.snapshot, wanted, SIZE));
	}
	/* The same with vCPUs running when protection begins; then nobody knows what is in it. */
	protect(&s, 0, SIZE, true);
	walk_rounds(&w, 1);
	walk_stop(&w);
	walk_check(&w);
	server_stop(&s);
	walk_destroy(&w);
}

static void *run_thread(void *arg)
{
	return (void *)(long)vcpu_run(arg);
}

static void handler(int sig __always_unused)
{
}

/*
 * Since Linux 6.2 get_user_pages() can be told to let a signal end such a wait. In-tree KVM does
 * not ask for it on arm64: there the signal is seen when the page has been served.
 */
static bool signal_ends_fault(void)
{
	struct utsname u;
	long major, minor;
	char *end;

	if (!kvm_is_keel())
		return false;
	REQUIRE_OK(uname(&u));
	major = strtol(u.release, &end, 10);
	REQUIRE_EQ(*end, '.');
	minor = strtol(end + 1, NULL, 10);
	return major > 6 || (major == 6 && minor >= 2);
}

static void signal_during(struct vm *vm, struct server *s, struct poke *cmd)
{
	u64 offset = cmd->addr - WALK_IPA;
	struct uffd_msg msg;
	pthread_t thread;
	void *ret;

	cmd->esr = 0;
	memcpy(vm_ptr(vm, SHARED_IPA), cmd, sizeof(*cmd));
	REQUIRE(!pthread_create(&thread, NULL, run_thread, &vm->vcpus[0]));
	next_fault(s, &msg);
	CHECK_EQ(fault_offset(s, &msg), offset & -HOST_PAGE);
	pthread_kill(thread, SIGUSR1);
	if (!signal_ends_fault())
		serve_missing(s, offset & -HOST_PAGE);
	pthread_join(thread, &ret);
	CHECK_EQ((long)ret, -EINTR);
	CHECK_EQ(vm->vcpus[0].run->exit_reason, KVM_EXIT_INTR);
	if (signal_ends_fault())
		CHECK_EQ(mem_pfn(s->mem + offset), 0);
	/* The access is still to be done, once. */
	server_start(s);
	REQUIRE(poke_resume(vm, cmd));
	server_stop(s);
	CHECK_EQ(cmd->esr, 0);
}

static void signals(void)
{
	struct poke read = { .op = POKE_READ, .addr = WALK_IPA + 8, .len = 8 };
	struct poke write = { .op = POKE_WRITE, .addr = WALK_IPA + HOST_PAGE, .len = 8,
			      .value = 5 };
	struct sigaction sa = { .sa_handler = handler };
	struct server s;
	struct vm vm;
	u64 i;

	REQUIRE_OK(sigaction(SIGUSR1, &sa, NULL));
	REQUIRE(server_open(&s, SIZE, UFFDIO_REGISTER_MODE_MISSING, 0));
	for (i = 0; i < SIZE; i += 8)
		memcpy(s.source + i, &i, sizeof(i));
	poke_create(&vm);
	REQUIRE_OK(vm_memslot(&vm, 1, 0, WALK_IPA, SIZE, s.mem));
	for (i = 0; i < 5; i++) {
		signal_during(&vm, &s, &read);
		CHECK_EQ(read.value, read.addr - WALK_IPA);
		signal_during(&vm, &s, &write);
		CHECK_EQ(poke_read(&vm, write.addr, 8), 5);
		CHECK_EQ(poke_read(&vm, write.addr + 8, 8), write.addr + 8 - WALK_IPA);
		read.addr += 2 * HOST_PAGE;
		write.addr += 2 * HOST_PAGE;
	}
	vm_destroy(&vm);
}

/* A VMM that is killed while its vCPU waits for a page that nobody will serve. */
static void killed_waiting(void)
{
	struct poke cmd = { .op = POKE_READ, .addr = WALK_IPA, .len = 8 };
	int status, ready[2];
	struct uffd_msg msg;
	pthread_t thread;
	struct server s;
	struct vm vm;
	pid_t pid;

	REQUIRE_OK(pipe(ready));
	pid = fork();
	if (!pid) {
		REQUIRE(server_open(&s, SIZE, UFFDIO_REGISTER_MODE_MISSING, 0));
		poke_create(&vm);
		REQUIRE_OK(vm_memslot(&vm, 1, 0, WALK_IPA, SIZE, s.mem));
		memcpy(vm_ptr(&vm, SHARED_IPA), &cmd, sizeof(cmd));
		REQUIRE(!pthread_create(&thread, NULL, run_thread, &vm.vcpus[0]));
		next_fault(&s, &msg);
		REQUIRE_EQ(write(ready[1], "", 1), 1);
		pthread_join(thread, NULL);
		_exit(KTAP_FAIL);
	}
	close(ready[1]);
	REQUIRE_EQ(read(ready[0], &status, 1), 1);
	REQUIRE_OK(kill(pid, SIGKILL));
	REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static const struct ktap_case cases[] = {
	{ "post_copy", post_copy },
	{ "discard_running", discard_running },
	{ "snapshot", snapshot },
	{ "signals", signals },
	{ "killed_waiting", killed_waiting },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
