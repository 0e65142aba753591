// SPDX-License-Identifier: GPL-2.0
/*
 * The message channels of VMware's backdoor, between a guest that does what it is ordered and the
 * file of KEEL_BACKDOOR_OPEN.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/keel.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guests/backdoor_messages.h"
#include "lib/agent.h"
#include "lib/observer.h"
#include "lib/process.h"
#include "lib/soak.h"
#include "lib/vm.h"

GUEST_DECLARE(backdoor_messages);

static const u32 sizes[] = { 0, 1, 2, 3, 4, 5, 63, 1000, MAX_SIZE };

static struct vm vm;
static struct shared *shared;

/* --- The guest's end --- */

static void create(int nr_vcpus)
{
	int i;

	need_backdoor();
	vm_create_guest(&vm, guest_backdoor_messages, guest_backdoor_messages_end, nr_vcpus);
	vm_gic_create(&vm, 64);
	backdoor_hooks(vm.fd, HOOKS, 0);
	shared = vm_ptr(&vm, SHARED_IPA);
	memset(shared, 0, sizeof(*shared));
	vcpu_set(&vm.vcpus[0], REG_X(0), nr_vcpus);
	for (i = 0; i < nr_vcpus; i++) {
		shared->orders[i].seed = 0x9e3779b97f4a7c15 + i;
		vcpu_run_sync(&vm.vcpus[i]);
	}
}

static struct order *prepare(const struct user *u, u64 op)
{
	struct order *o = &shared->orders[u->cpu];

	o->op = op;
	o->door = u->door;
	o->channel = u->channel;
	return o;
}

static struct order *order(const struct user *u, u64 op)
{
	struct order *o = prepare(u, op);

	vcpu_run_sync(&vm.vcpus[u->cpu]);
	return o;
}

/* One call; its status. */
static u32 call(const struct user *u, u32 type, u32 value)
{
	struct order *o = prepare(u, OP_CALL);

	o->type = type;
	o->value = value;
	vcpu_run_sync(&vm.vcpus[u->cpu]);
	return o->status;
}

static bool try_open(struct user *u, u32 protocol)
{
	const struct order *o = &shared->orders[u->cpu];
	u32 status;

	u->channel = (struct channel){};
	u->protocol = protocol;
	status = call(u, OPEN, protocol | COOKIES);
	if (!status)
		return false;
	CHECK_EQ(status, SUCCESS);
	u->channel.number = o->x[3] >> 16;
	u->channel.high = o->x[4];
	u->channel.low = o->x[5];
	return true;
}

static void guest_open(struct user *u, u32 protocol)
{
	REQUIRE(try_open(u, protocol));
}

static u8 *sent(const struct user *u)
{
	return vm_ptr(&vm, SENT_IPA(u->cpu));
}

static u8 *received(const struct user *u)
{
	return vm_ptr(&vm, RECEIVED_IPA(u->cpu));
}

static void guest_send(const struct user *u, u32 size, u32 seed)
{
	struct order *o = &shared->orders[u->cpu];

	fill(sent(u), size, seed);
	o->size = size;
	order(u, OP_SEND);
	CHECK_EQ(o->status, SUCCESS);
}

/* A message that has been received, and is now gone. */
static void check_received(const struct user *u, const void *data, u32 size)
{
	const struct order *o = &shared->orders[u->cpu];

	CHECK_EQ(o->status, SUCCESS);
	if (CHECK_EQ(o->received, size))
		CHECK(!memcmp(received(u), data, size));
}

static void guest_receives(const struct user *u, const void *data, u32 size)
{
	order(u, OP_RECEIVE);
	check_received(u, data, size);
}

static void guest_receives_nothing(const struct user *u)
{
	const struct order *o = order(u, OP_RECEIVE);

	CHECK_EQ(o->status, SUCCESS);
	CHECK_EQ(o->received, NOTHING);
}

/* Request, reply and their way, one after the other. */
static void step_by_step(const struct user *u, u32 size, u32 seed)
{
	static u8 reply[MAX_SIZE];

	guest_send(u, size, seed);
	expect_message(u, sent(u), size);
	fill(reply, size, seed + 1);
	CHECK_OK(put(u, reply, size));
	guest_receives(u, reply, size);
	guest_receives_nothing(u);
	expect_none();
}

/* A channel that works from its opening to its end. */
static void works(int door)
{
	struct user u = { .door = door };

	guest_open(&u, RPCI);
	expect(&u, KEEL_BACKDOOR_OPENED);
	step_by_step(&u, 11, 5);
	CHECK_EQ(call(&u, CLOSE, 0), SUCCESS);
	expect(&u, KEEL_BACKDOOR_CLOSED);
	expect_none();
}

static void check_dead(const struct user *u)
{
	u32 type;

	for (type = SENDSIZE; type <= TYPES; type++)
		if (!CHECK_EQ(call(u, type, 1), 0))
			ktap_note("call of type %u", type);
}

/* --- An agent in a thread of its own --- */

/* Replies of other sizes than the requests had: the smallest for the largest. */
static bool other_sizes;

static u32 reply_size(u32 size)
{
	size_t i, n = ARRAY_SIZE(sizes);

	for (i = 0; i < n && other_sizes; i++)
		if (sizes[i] == size)
			return sizes[n - 1 - i];
	return size;
}

/* Each byte of the reply depends on all of the request. */
static void transform(const u8 *request, u32 size, struct datagram *reply)
{
	u32 i, sum = size;

	for (i = 0; i < size; i++)
		sum = sum * 33 + request[i];
	reply->h.length = reply_size(size);
	for (i = 0; i < reply->h.length; i++)
		reply->data[i] = (i < size ? request[i] : i * 7) ^ sum ^ sum >> 8;
}

static u64 opened, closed, answers;
static u8 answer_of[MAX_CHANNELS];

static void count(u64 *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_RELEASE);
}

static void wait_count(const u64 *counter, u64 n)
{
	while (__atomic_load_n(counter, __ATOMIC_ACQUIRE) < n)
		sched_yield();
}

/* A TCLO channel's answers are all of one kind, and of a number that the host knows. */
static void serve_message(const struct datagram *d)
{
	static struct datagram reply;

	if (d->h.protocol == TCLO) {
		REQUIRE(d->h.channel < MAX_CHANNELS);
		CHECK_EQ(d->h.length, 1);
		CHECK_EQ(d->data[0], answer_of[d->h.channel]++);
		count(&answers);
		return;
	}
	CHECK_EQ(d->h.protocol, RPCI);
	reply.h = d->h;
	transform(d->data, d->h.length, &reply);
	REQUIRE_EQ(write(agent, &reply, HEADER + reply.h.length), HEADER + reply.h.length);
}

/* Until the VM ends. */
static void *serve(void *arg __always_unused)
{
	static struct datagram d;
	ssize_t n;

	while ((n = read(agent, &d, sizeof(d))) >= 0) {
		REQUIRE_EQ(n, HEADER + d.h.length);
		if (d.h.kind == KEEL_BACKDOOR_MESSAGE)
			serve_message(&d);
		else
			count(d.h.kind == KEEL_BACKDOOR_OPENED ? &opened : &closed);
	}
	REQUIRE_EQ(errno, ENODEV);
	return NULL;
}

static void serve_start(pthread_t *thread)
{
	nonblock(agent, false);
	REQUIRE(!pthread_create(thread, NULL, serve, NULL));
}

static void serve_end(pthread_t thread)
{
	vm_destroy(&vm);
	REQUIRE(!pthread_join(thread, NULL));
	close(agent);
}

static void round_trip(const struct user *u, u32 size, u32 seed, struct datagram *reply)
{
	struct order *o = &shared->orders[u->cpu];

	fill(sent(u), size, seed);
	transform(sent(u), size, reply);
	o->size = size;
	order(u, OP_TRIP);
	check_received(u, reply->data, reply->h.length);
}

/* --- A guest that waits --- */

/* Something that runs in a thread, and sleeps nowhere but where the test wants it. */
struct sleeper {
	pthread_t thread;
	int tid;
};

static void sleeper_begin(struct sleeper *s)
{
	WRITE_ONCE(s->tid, syscall(SYS_gettid));
}

static bool sleeps(const struct sleeper *s)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", READ_ONCE(s->tid));
	return READ_ONCE(s->tid) && is_asleep(path);
}

static void wait_asleep(const struct sleeper *s)
{
	while (!sleeps(s))
		sched_yield();
}

/* A vCPU that does its order. */
struct runner {
	struct sleeper sleeper;
	int cpu;
	bool once;	/* no other KVM_RUN after one that a signal ended */
	u64 interrupted;
	bool finished;
};

static void *runner_thread(void *arg)
{
	struct runner *r = arg;
	struct report report;

	sleeper_begin(&r->sleeper);
	do {
		report = vcpu_run_report(&vm.vcpus[r->cpu]);
		WRITE_ONCE(r->interrupted, r->interrupted + report.interrupted);
	} while (report.interrupted && !READ_ONCE(r->once));
	if (report.interrupted)
		return NULL;
	REQUIRE_EQ(report.kind, REPORT_SYNC);
	WRITE_ONCE(r->finished, true);
	return NULL;
}

static void runner_start(struct runner *r, const struct user *u, u64 op)
{
	*r = (struct runner){ .cpu = u->cpu };
	prepare(u, op);
	REQUIRE(!pthread_create(&r->sleeper.thread, NULL, runner_thread, r));
}

static void runner_end(struct runner *r)
{
	REQUIRE(!pthread_join(r->sleeper.thread, NULL));
}

#define REQUEST_SIZE	13

static u64 exits(int cpu)
{
	struct keel_vcpu_info info = { .size = sizeof(info), .index = cpu };

	REQUIRE_OK(ioctl(vm.fd, KEEL_VCPU_INFO, &info));
	return info.exits;
}

/*
 * Till it looks for the reply. With an interrupt pending that it has masked it may do so again and
 * again: one exit is the end of the call before, another one may be the host's tick.
 */
static void wait_for_call(const struct runner *r)
{
	u64 before = exits(r->cpu);

	while (!sleeps(&r->sleeper) && exits(r->cpu) < before + 4)
		sched_yield();
}

/* It has sent a request, which the host has read or not, and now waits for the reply. */
static void start_waiting(struct runner *r, const struct user *u, bool is_read)
{
	fill(sent(u), REQUEST_SIZE, 77);
	shared->orders[u->cpu].size = REQUEST_SIZE;
	runner_start(r, u, OP_TRIP);
	REQUIRE_EQ(poll_fd(agent, -1), POLLIN);
	if (is_read)
		expect_message(u, sent(u), REQUEST_SIZE);
	wait_for_call(r);
	CHECK(!READ_ONCE(r->finished));
}

static void end_waiting(struct runner *r, const struct user *u)
{
	u8 reply[5] = { 1, 2, 3, 4, 5 };

	CHECK(!READ_ONCE(r->finished));
	CHECK_OK(put(u, reply, sizeof(reply)));
	runner_end(r);
	check_received(u, reply, sizeof(reply));
}

static void check_status_0(struct runner *r)
{
	runner_end(r);
	CHECK_EQ(shared->orders[r->cpu].status, 0);
	CHECK_EQ(shared->orders[r->cpu].received, NOTHING);
}

/* --- Nobody at the other end --- */

static void check_getversion(int door)
{
	struct user u = { .door = door };
	struct order *o = prepare(&u, OP_RAW);

	memset(o->x, 0, sizeof(o->x));
	o->x[0] = MAGIC;
	o->x[2] = GETVERSION;
	o->x[3] = PORT;
	o->x[7] = 0x86ULL << 32 | IN_DX;
	order(&u, OP_RAW);
	CHECK_EQ(o->x[0], 6);
	CHECK_EQ(o->x[1], MAGIC);
	CHECK_EQ(o->x[2], 4);
}

/* X0 alone is written. */
static void check_options(u32 want)
{
	struct user u = {};

	for (u.door = 0; u.door < DOORS; u.door++) {
		struct order *o = prepare(&u, OP_RAW);
		int i;

		for (i = 0; i < 8; i++)
			o->x[i] = ~0ULL / 255 * i;
		o->x[0] = MAGIC;
		o->x[2] = GETGUIOPTIONS;
		o->x[3] = PORT;
		o->x[7] = 0x86ULL << 32 | IN_DX;
		order(&u, OP_RAW);
		CHECK_EQ(o->x[0], want);
		CHECK_EQ(o->x[2], GETGUIOPTIONS);
		CHECK_EQ(o->x[3], PORT);
		for (i = 1; i < 7; i++)
			CHECK(i == 2 || i == 3 || o->x[i] == ~0ULL / 255 * i);
	}
}

static int put_options(u32 options, u32 length)
{
	struct keel_backdoor_message h = {
		.channel = ~0U,
		.kind = KEEL_BACKDOOR_OPTIONS,
		.length = length,
	};
	u8 data[8] = {};

	memcpy(data, &options, sizeof(options));
	return put_raw(&h, data, length);
}

/* The agent says them; there are none without it. */
static void options(void)
{
	static const u32 wrong[] = { 0, 1, 3, 5, 8 };
	size_t i;

	create(1);
	check_options(0);
	agent_open(vm.fd);
	check_options(0);
	CHECK_OK(put_options(0xfedcba98, 4));
	check_options(0xfedcba98);
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		CHECK_ERR(put_options(1, wrong[i]), EMSGSIZE);
	check_options(0xfedcba98);
	CHECK_OK(put_options(4, 4));
	check_options(4);
	expect_none();
	close(agent);
	check_options(0);
	agent_open(vm.fd);
	check_options(0);
	close(agent);
	vm_destroy(&vm);
}

/* The call is none, and changes X0 only. */
static void check_shut(void)
{
	struct user u = { .door = DOOR_HVC };
	struct order *o = prepare(&u, OP_RAW);
	int i;

	for (i = 0; i < 8; i++)
		o->x[i] = 0x100 + i;
	o->x[0] = MAGIC;
	o->x[1] = RPCI | COOKIES;
	o->x[2] = OPEN << 16 | MESSAGE;
	o->x[3] = PORT;
	o->x[7] = IN_DX;
	order(&u, OP_RAW);
	CHECK_EQ(o->x[0], ~0ULL);
	CHECK_EQ(o->x[1], RPCI | COOKIES);
	CHECK_EQ(o->x[2], OPEN << 16 | MESSAGE);
	CHECK_EQ(o->x[3], PORT);
	CHECK_EQ(o->x[4], 0x104);
}

static void no_agent(void)
{
	struct user u = {};

	create(1);
	for (u.door = 0; u.door < DOORS; u.door++) {
		CHECK(!try_open(&u, RPCI));
		CHECK(!try_open(&u, TCLO));
		CHECK(!try_open(&u, 0x12345678));
		check_dead(&u);
		check_getversion(u.door);
	}
	agent_open(vm.fd);
	expect_none();
	for (u.door = 0; u.door < DOORS; u.door++) {
		works(u.door);
		check_getversion(u.door);
	}
	u.door = DOOR_HVC;
	backdoor_hooks(vm.fd, 0, KEEL_HOOK_BACKDOOR_HVC);
	check_shut();
	works(DOOR_DCC);
	backdoor_hooks(vm.fd, KEEL_HOOK_BACKDOOR_HVC, 0);
	works(DOOR_HVC);
	close(agent);
	CHECK(!try_open(&u, RPCI));
	vm_destroy(&vm);
}

/* --- Round trips --- */

static void round_trips(int door)
{
	static struct datagram reply;
	struct user u = { .door = door };
	pthread_t thread;
	size_t i;

	create(1);
	agent_open(vm.fd);
	serve_start(&thread);
	guest_open(&u, RPCI);
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		round_trip(&u, sizes[i], i, &reply);
	other_sizes = true;
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		round_trip(&u, sizes[i], 100 + i, &reply);
	guest_receives_nothing(&u);
	CHECK_EQ(call(&u, CLOSE, 0), SUCCESS);
	wait_count(&closed, 1);
	CHECK_EQ(opened, 1);
	serve_end(thread);
}

static void round_trips_hvc(void)
{
	round_trips(DOOR_HVC);
}

static void round_trips_dcc(void)
{
	round_trips(DOOR_DCC);
}

static void round_trips_brk(void)
{
	round_trips(DOOR_BRK);
}

/* --- Several channels --- */

static struct user users[MAX_CHANNELS];

/* No more than these. */
static void check_all_in_use(void)
{
	struct user ninth = {};

	for (ninth.door = 0; ninth.door < DOORS; ninth.door++) {
		CHECK(!try_open(&ninth, RPCI));
		CHECK(!try_open(&ninth, TCLO));
	}
	expect_none();
}

static void open_all(void)
{
	struct user unknown = {};
	int i, k;

	CHECK(!try_open(&unknown, 0x12345678));
	for (i = 0; i < MAX_CHANNELS; i++) {
		users[i].door = i % DOORS;
		guest_open(&users[i], i % 3 ? RPCI : TCLO);
		for (k = 0; k < i; k++)
			CHECK(users[k].channel.number != users[i].channel.number);
	}
	for (i = 0; i < MAX_CHANNELS; i++)
		expect(&users[i], KEEL_BACKDOOR_OPENED);
	check_all_in_use();
}

/* Of each channel's message four bytes in turn: those of one are none of the others'. */
static void send_interleaved(void)
{
	u8 data[MAX_CHANNELS][20];
	u32 size[MAX_CHANNELS], word;
	int i, at;

	for (i = 0; i < MAX_CHANNELS; i++) {
		size[i] = 20 - i % 4 * 4;
		fill(data[i], size[i], i);
		CHECK_EQ(call(&users[i], SENDSIZE, size[i]), SUCCESS);
	}
	for (at = 0; at < 20; at += 4) {
		for (i = 0; i < MAX_CHANNELS; i++) {
			memcpy(&word, data[i] + at, 4);
			if (at < (int)size[i])
				CHECK_EQ(call(&users[i], SENDPAYLOAD, word), SUCCESS);
		}
	}
	/* In the order in which they were complete. */
	for (at = 0; at < 20; at += 4)
		for (i = 0; i < MAX_CHANNELS; i++)
			if (at + 4 == (int)size[i])
				expect_message(&users[i], data[i], size[i]);
	expect_none();
}

static void receive_interleaved(void)
{
	u8 data[MAX_CHANNELS][12];
	u32 word;
	int i, at;

	for (i = MAX_CHANNELS - 1; i >= 0; i--) {
		fill(data[i], 12, 100 + i);
		CHECK_OK(put(&users[i], data[i], 12));
	}
	for (i = 0; i < MAX_CHANNELS; i++) {
		CHECK_EQ(call(&users[i], RECVSIZE, 0), SUCCESS | DORECV);
		CHECK_EQ(shared->orders[0].x[1], 12);
	}
	for (at = 0; at < 12; at += 4) {
		for (i = 0; i < MAX_CHANNELS; i++) {
			CHECK_EQ(call(&users[i], RECVPAYLOAD, 1), SUCCESS);
			memcpy(&word, data[i] + at, 4);
			CHECK_EQ(shared->orders[0].x[1], word);
		}
	}
	for (i = 0; i < MAX_CHANNELS; i++)
		CHECK_EQ(call(&users[i], RECVSTATUS, 1), SUCCESS);
	for (i = 0; i < MAX_CHANNELS; i++)
		guest_receives_nothing(&users[i]);
}

/* Some are closed and others opened in their place; nobody reads meanwhile. */
static void replace_some(void)
{
	static const int some[] = { 5, 2, 7 };
	struct user old[ARRAY_SIZE(some)];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(some); i++) {
		old[i] = users[some[i]];
		CHECK_EQ(call(&old[i], CLOSE, 0), SUCCESS);
		check_dead(&old[i]);
		CHECK_ERR(put(&old[i], "", 0), ENOENT);
		guest_open(&users[some[i]], RPCI);
	}
	for (i = 0; i < ARRAY_SIZE(some); i++) {
		expect(&old[i], KEEL_BACKDOOR_CLOSED);
		expect(&users[some[i]], KEEL_BACKDOOR_OPENED);
	}
	check_all_in_use();
}

static void channels(void)
{
	int i;

	create(1);
	agent_open(vm.fd);
	open_all();
	send_interleaved();
	receive_interleaved();
	replace_some();
	send_interleaved();
	receive_interleaved();
	for (i = MAX_CHANNELS - 1; i >= 0; i--)
		CHECK_EQ(call(&users[i], CLOSE, 0), SUCCESS);
	for (i = MAX_CHANNELS - 1; i >= 0; i--)
		expect(&users[i], KEEL_BACKDOOR_CLOSED);
	expect_none();
	works(DOOR_HVC);
	vm_destroy(&vm);
	close(agent);
}

/* --- TCLO --- */

/* The next request may come before the answer to the last one, which does not drop it. */
static void request_before_answer(const struct user *u)
{
	CHECK_OK(put(u, "first", 5));
	guest_receives(u, "first", 5);
	CHECK_OK(put(u, "second", 6));
	guest_send(u, 9, 1);
	expect_message(u, sent(u), 9);
	CHECK_ERR(put(u, "third", 5), EBUSY);
	guest_receives(u, "second", 6);
}

static void tclo(void)
{
	static u8 request[MAX_SIZE];
	struct user u = {};
	size_t i;

	create(1);
	agent_open(vm.fd);
	guest_open(&u, TCLO);
	expect(&u, KEEL_BACKDOOR_OPENED);
	u.door = DOOR_DCC;
	request_before_answer(&u);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		u.door = i % DOORS;
		guest_receives_nothing(&u);
		fill(request, sizes[i], i);
		CHECK_OK(put(&u, request, sizes[i]));
		guest_receives(&u, request, sizes[i]);
		guest_receives_nothing(&u);
		guest_send(&u, sizes[i] / 2, i);
		expect_message(&u, sent(&u), sizes[i] / 2);
		expect_none();
	}
	CHECK_EQ(call(&u, CLOSE, 0), SUCCESS);
	expect(&u, KEEL_BACKDOOR_CLOSED);
	vm_destroy(&vm);
	close(agent);
}

/* The guest asks again and again while the host writes. */
static void tclo_polled(void)
{
	struct user u = {};
	struct runner r;
	u8 request[100];
	u64 polls;
	int i;

	create(1);
	agent_open(vm.fd);
	guest_open(&u, TCLO);
	expect(&u, KEEL_BACKDOOR_OPENED);
	for (i = 0; i < 100; i++) {
		u.door = i % DOORS;
		fill(request, i, i);
		polls = READ_ONCE(shared->polls);
		runner_start(&r, &u, OP_POLL);
		while (READ_ONCE(shared->polls) < polls + i % 4)
			sched_yield();
		CHECK_OK(put(&u, request, i));
		runner_end(&r);
		check_received(&u, request, i);
	}
	guest_receives_nothing(&u);
	vm_destroy(&vm);
	close(agent);
}

/* --- Writes that are refused --- */

static void no_such_channel(const struct user *u)
{
	u32 number = u->channel.number;
	int i;

	for (i = 0; i < 32; i++)
		CHECK_ERR(put_to(number ^ BIT(i), "abc", 3), ENOENT);
	CHECK_ERR(put_to(~0U, "abc", 3), ENOENT);
}

static void bad_headers(const struct user *u)
{
	static const u32 kinds[] = { KEEL_BACKDOOR_OPENED, KEEL_BACKDOOR_CLOSED, 4, 0x102, ~0U };
	const struct keel_backdoor_message good = {
		.channel = u->channel.number,
		.kind = KEEL_BACKDOOR_MESSAGE,
		.protocol = u->protocol,
		.length = 4,
	};
	static u8 data[MAX_SIZE + 4];
	struct keel_backdoor_message h;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		h = good;
		h.kind = kinds[i];
		CHECK_ERR(put_raw(&h, data, 4), EINVAL);
	}
	/* Too little of it, or of its header, and too large. */
	CHECK_ERR(put_raw(&good, data, 3), EMSGSIZE);
	CHECK_ERR(put_raw(&good, data, 0), EMSGSIZE);
	CHECK_ERR(write(agent, &good, HEADER - 1), EMSGSIZE);
	CHECK_ERR(write(agent, &good, 1), EMSGSIZE);
	h = good;
	h.length = MAX_SIZE + 1;
	CHECK_ERR(put_raw(&h, data, MAX_SIZE + 1), EMSGSIZE);
	h.length = ~0U;
	CHECK_ERR(put_raw(&h, data, 4), EMSGSIZE);
	h.length = 0U - (u32)HEADER;
	CHECK_ERR(put_raw(&h, data, 4), EMSGSIZE);
}

/* The last page that there is, with nothing behind it. */
static u8 *edge_of_memory(void)
{
	long page = sysconf(_SC_PAGESIZE);
	u8 *p = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	REQUIRE(p != MAP_FAILED);
	REQUIRE_OK(munmap(p + page, page));
	return p + page;
}

static void bad_addresses(const struct user *u)
{
	struct keel_backdoor_message h = {
		.channel = u->channel.number,
		.kind = KEEL_BACKDOOR_MESSAGE,
		.length = 32,
	};
	u8 *edge = edge_of_memory();

	CHECK_ERR(syscall(SYS_write, agent, 8, HEADER + 32), EFAULT);
	CHECK_ERR(syscall(SYS_write, agent, edge, HEADER + 32), EFAULT);
	memcpy(edge - 8, &h, 8);
	CHECK_ERR(syscall(SYS_write, agent, edge - 8, HEADER + 32), EFAULT);
	memcpy(edge - HEADER, &h, HEADER);
	CHECK_ERR(syscall(SYS_write, agent, edge - HEADER, HEADER + 32), EFAULT);
	memcpy(edge - HEADER - 31, &h, HEADER);
	CHECK_ERR(syscall(SYS_write, agent, edge - HEADER - 31, HEADER + 32), EFAULT);
}

/* One request at a time: the next one when the guest is through with it. */
static void one_at_a_time(const struct user *u)
{
	CHECK_OK(put(u, "first", 5));
	CHECK_ERR(put(u, "second", 6), EBUSY);
	CHECK_EQ(call(u, RECVSIZE, 0), SUCCESS | DORECV);
	CHECK_ERR(put(u, "second", 6), EBUSY);
	CHECK_EQ(call(u, RECVPAYLOAD, 1), SUCCESS);
	CHECK_EQ(shared->orders[0].x[1], 'f' | 'i' << 8 | 'r' << 16 | 's' << 24);
	CHECK_ERR(put(u, "second", 6), EBUSY);
	CHECK_EQ(call(u, RECVPAYLOAD, 1), SUCCESS);
	CHECK_EQ(shared->orders[0].x[1], 't');
	CHECK_EQ(call(u, RECVSTATUS, 1), SUCCESS);
	CHECK_OK(put(u, "second", 6));
	guest_receives(u, "second", 6);
}

static void write_errors_tclo(void)
{
	struct user u = {};

	create(1);
	agent_open(vm.fd);
	CHECK_ERR(put_to(0, "abc", 3), ENOENT);
	guest_open(&u, TCLO);
	CHECK_OK(put(&u, "early", 5));	/* nobody has read yet that it is open */
	guest_receives(&u, "early", 5);
	expect(&u, KEEL_BACKDOOR_OPENED);
	no_such_channel(&u);
	bad_headers(&u);
	bad_addresses(&u);
	guest_receives_nothing(&u);
	one_at_a_time(&u);
	CHECK_OK(put(&u, "lost", 4));
	CHECK_EQ(call(&u, CLOSE, 0), SUCCESS);
	CHECK_ERR(put(&u, "abc", 3), ENOENT);
	expect(&u, KEEL_BACKDOOR_CLOSED);
	CHECK_ERR(put(&u, "abc", 3), ENOENT);
	/* What the channel's last user did not fetch is none of the next one's. */
	guest_open(&u, TCLO);
	guest_receives_nothing(&u);
	vm_destroy(&vm);
	close(agent);
}

/* A reply answers what was read, once. */
static void write_errors_rpci(void)
{
	struct user u = {};

	create(1);
	agent_open(vm.fd);
	guest_open(&u, RPCI);
	expect(&u, KEEL_BACKDOOR_OPENED);
	CHECK_ERR(put(&u, "abc", 3), EPROTO);
	CHECK_EQ(call(&u, SENDSIZE, 4), SUCCESS);
	CHECK_ERR(put(&u, "abc", 3), EPROTO);
	CHECK_EQ(call(&u, SENDPAYLOAD, 0x44434241), SUCCESS);
	CHECK_ERR(put(&u, "abc", 3), EPROTO);
	expect_message(&u, "ABCD", 4);
	no_such_channel(&u);
	bad_headers(&u);
	bad_addresses(&u);
	CHECK_OK(put(&u, "abc", 3));
	CHECK(put(&u, "more", 4) < 0 && (errno == EBUSY || errno == EPROTO));
	guest_receives(&u, "abc", 3);
	CHECK_ERR(put(&u, "more", 4), EPROTO);
	guest_receives_nothing(&u);
	step_by_step(&u, 9, 1);
	vm_destroy(&vm);
	close(agent);
}

/* The same number for another channel. */
static void open_again(struct user *u)
{
	u32 number = u->channel.number;
	int i;

	for (i = 0; i < REOPENINGS; i++) {
		guest_open(u, u->protocol);
		if (u->channel.number == number)
			return;
		CHECK_EQ(call(u, CLOSE, 0), SUCCESS);
	}
	ktap_fail("channel %u is not used again", number);
}

static void skip_to_opened(const struct user *u)
{
	static struct datagram d;

	do {
		REQUIRE(take(&d));
	} while (d.h.channel != u->channel.number || d.h.kind != KEEL_BACKDOOR_OPENED);
}

/* What was asked by whoever had the number before: a reply to that is none to the next one. */
static void stale_replies(void)
{
	struct user u = {}, old;
	u8 request[7];

	create(1);
	agent_open(vm.fd);
	guest_open(&u, RPCI);
	expect(&u, KEEL_BACKDOOR_OPENED);
	guest_send(&u, 7, 1);
	expect_message(&u, sent(&u), 7);
	old = u;
	CHECK_EQ(call(&u, CLOSE, 0), SUCCESS);
	CHECK_ERR(put(&old, "abc", 3), ENOENT);
	open_again(&u);
	guest_send(&u, 8, 2);
	CHECK_ERR(put(&old, "abc", 3), EPROTO);
	expect(&old, KEEL_BACKDOOR_CLOSED);
	skip_to_opened(&u);
	expect_message(&u, sent(&u), 8);
	CHECK_OK(put(&u, "right", 5));
	guest_receives(&u, "right", 5);

	/* The old request is read only now. */
	fill(request, 7, 3);
	guest_send(&u, 7, 3);
	old = u;
	CHECK_EQ(call(&u, CLOSE, 0), SUCCESS);
	open_again(&u);
	guest_send(&u, 8, 4);
	expect_message(&old, request, 7);
	CHECK_ERR(put(&old, "abc", 3), EPROTO);
	expect(&old, KEEL_BACKDOOR_CLOSED);
	skip_to_opened(&u);
	expect_message(&u, sent(&u), 8);
	CHECK_OK(put(&u, "right", 5));
	guest_receives(&u, "right", 5);
	vm_destroy(&vm);
	close(agent);
}

/* --- Waiting --- */

static void waiting_begins(struct user *u)
{
	create(1);
	agent_open(vm.fd);
	guest_open(u, RPCI);
	expect(u, KEEL_BACKDOOR_OPENED);
}

static void waiting_ends(const struct user *u)
{
	guest_receives_nothing(u);
	step_by_step(u, 30, 9);
	vm_destroy(&vm);
	close(agent);
}

/* Whether the host has read the request or not. */
static void waits(void)
{
	struct user u = {};
	struct runner r;

	waiting_begins(&u);
	for (u.door = 0; u.door < DOORS; u.door++) {
		start_waiting(&r, &u, true);
		end_waiting(&r, &u);
		start_waiting(&r, &u, false);
		expect_message(&u, sent(&u), REQUEST_SIZE);
		end_waiting(&r, &u);
	}
	u.door = DOOR_HVC;
	waiting_ends(&u);
}

static void wait_ticks(u64 n)
{
	u64 ticks = READ_ONCE(shared->ticks);

	while (READ_ONCE(shared->ticks) < ticks + n)
		sched_yield();
}

static void raise_spi(void)
{
	REQUIRE_OK(vm_irq_line(&vm, KVM_ARM_IRQ_TYPE_SPI, 0, SPI, 1));
	REQUIRE_OK(vm_irq_line(&vm, KVM_ARM_IRQ_TYPE_SPI, 0, SPI, 0));
}

static void wait_spi(void)
{
	u64 spis = READ_ONCE(shared->spis);

	raise_spi();
	while (READ_ONCE(shared->spis) == spis)
		sched_yield();
}

/* The guest takes its timer's interrupts, and one from the host, while it waits. */
static void waits_with_interrupts(void)
{
	struct user u = {};
	struct runner r;

	waiting_begins(&u);
	order(&u, OP_TICKS);
	for (u.door = 0; u.door < DOORS; u.door++) {
		start_waiting(&r, &u, u.door == DOOR_HVC);
		wait_ticks(5);
		wait_spi();
		wait_asleep(&r.sleeper);
		wait_ticks(1);
		if (u.door != DOOR_HVC)
			expect_message(&u, sent(&u), REQUEST_SIZE);
		end_waiting(&r, &u);
		CHECK(shared->orders[0].ticks >= 6);
	}
	u.door = DOOR_HVC;
	waiting_ends(&u);
}

/* One that it does not take does not disturb it, and comes when it may. */
static void waits_masked(void)
{
	struct user u = {};
	struct runner r;
	u64 spis, ticks;

	waiting_begins(&u);
	order(&u, OP_TICKS);
	order(&u, OP_MASK);
	spis = READ_ONCE(shared->spis);
	ticks = READ_ONCE(shared->ticks);
	start_waiting(&r, &u, true);
	raise_spi();
	end_waiting(&r, &u);
	raise_spi();
	start_waiting(&r, &u, true);
	end_waiting(&r, &u);
	CHECK_EQ(READ_ONCE(shared->spis), spis);
	CHECK_EQ(READ_ONCE(shared->ticks), ticks);
	order(&u, OP_TICKS);
	start_waiting(&r, &u, true);
	wait_ticks(2);
	CHECK_EQ(READ_ONCE(shared->spis), spis + 1);
	end_waiting(&r, &u);
	waiting_ends(&u);
}

static void nothing(int sig __always_unused)
{
}

static void handle_signal(void)
{
	struct sigaction sa = { .sa_handler = nothing };

	REQUIRE_OK(sigaction(SIGUSR1, &sa, NULL));
}

/* A signal ends KVM_RUN; the next one waits on. */
static void waits_with_signals(void)
{
	struct user u = {};
	struct runner r;
	u64 n;
	int i;

	handle_signal();
	waiting_begins(&u);
	for (u.door = 0; u.door < DOORS; u.door++) {
		start_waiting(&r, &u, u.door == DOOR_DCC);
		for (i = 0; i < 10; i++) {
			wait_asleep(&r.sleeper);
			n = READ_ONCE(r.interrupted);
			REQUIRE(!pthread_kill(r.sleeper.thread, SIGUSR1));
			while (READ_ONCE(r.interrupted) == n)
				sched_yield();
			CHECK(!READ_ONCE(r.finished));
		}
		if (u.door != DOOR_DCC)
			expect_message(&u, sent(&u), REQUEST_SIZE);
		end_waiting(&r, &u);
		CHECK(r.interrupted >= 10);
	}
	u.door = DOOR_HVC;
	waiting_ends(&u);
}

/* The reply comes between two KVM_RUNs, and one that is left at once does not take it away. */
static void reply_between_runs(void)
{
	struct user u = {};
	struct runner r;
	int i;

	handle_signal();
	waiting_begins(&u);
	for (u.door = 0; u.door < DOORS; u.door++) {
		start_waiting(&r, &u, true);
		WRITE_ONCE(r.once, true);
		REQUIRE(!pthread_kill(r.sleeper.thread, SIGUSR1));
		runner_end(&r);
		CHECK_EQ(r.interrupted, 1);
		for (i = 0; i < 3; i++)
			vcpu_complete(&vm.vcpus[0]);
		CHECK_OK(put(&u, "between", 7));
		for (i = 0; i < 3; i++)
			vcpu_complete(&vm.vcpus[0]);
		vcpu_run_sync(&vm.vcpus[0]);
		check_received(&u, "between", 7);
	}
	u.door = DOOR_HVC;
	waiting_ends(&u);
}

/* One CPU of the host, on which this thread lets no other run: or all CPUs, and all may. */
static void alone(bool on)
{
	struct sched_param param = { .sched_priority = on };

	REQUIRE_OK(sched_setscheduler(0, on ? SCHED_FIFO : SCHED_OTHER, &param));
}

static void one_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	REQUIRE_OK(sched_setaffinity(0, sizeof(set), &set));
}

/*
 * Another vCPU closes the channel under one that waits, and has a request under way in a new one of
 * the same number before the one that waits can see it.
 */
static void replaced_while_waiting(void)
{
	struct user u = {}, other;
	struct runner r;

	create(CPUS);
	one_cpu();
	agent_open(vm.fd);
	guest_open(&u, RPCI);
	expect(&u, KEEL_BACKDOOR_OPENED);
	start_waiting(&r, &u, true);
	other = u;
	other.cpu = 1;
	alone(true);
	order(&other, OP_REPLACE);
	alone(false);
	CHECK_EQ(shared->orders[1].status, SUCCESS);
	while (!READ_ONCE(r.finished)) {
		if (sleeps(&r.sleeper))
			ktap_fail("it sleeps on, in a channel that is not its own");
		sched_yield();
	}
	check_status_0(&r);
	expect(&u, KEEL_BACKDOOR_CLOSED);
	other.channel = shared->orders[1].channel;
	skip_to_opened(&other);
	expect_message(&other, "", 0);
	CHECK_OK(put(&other, "abc", 3));
	guest_receives(&other, "abc", 3);
	vm_destroy(&vm);
	close(agent);
}

/* The machine begins anew, and with it all that the guest had open. */
static void reset(void)
{
	struct user a = {}, b = {};

	create(1);
	agent_open(vm.fd);
	guest_open(&a, RPCI);
	guest_open(&b, TCLO);
	guest_send(&a, 5, 1);
	vcpu_init(&vm.vcpus[0], false);
	expect(&a, KEEL_BACKDOOR_OPENED);
	expect(&b, KEEL_BACKDOOR_OPENED);
	expect_message(&a, sent(&a), 5);
	expect(&a, KEEL_BACKDOOR_CLOSED);
	expect(&b, KEEL_BACKDOOR_CLOSED);
	CHECK_ERR(put(&a, "abc", 3), ENOENT);
	vcpu_start_at(&vm.vcpus[0], RAM_IPA, 1);
	vcpu_run_sync(&vm.vcpus[0]);
	check_dead(&a);
	check_dead(&b);
	works(DOOR_HVC);
	vm_destroy(&vm);
	close(agent);
}

/* --- Bad guests --- */

static void out_of_turn(const struct user *u)
{
	static const u32 too_large[] = { MAX_SIZE + 1, 0x7fffffff, 0x80000000, ~0U };
	static const u32 unknown[] = { 7, 8, 0x100, 0x8003, 0xffff };
	size_t i;

	CHECK_EQ(call(u, SENDPAYLOAD, 0x41414141), 0);
	CHECK_EQ(call(u, RECVPAYLOAD, 1), 0);
	for (i = 0; i < ARRAY_SIZE(unknown); i++)
		CHECK_EQ(call(u, unknown[i], 1), 0);
	for (i = 0; i < ARRAY_SIZE(too_large); i++) {
		CHECK_EQ(call(u, SENDSIZE, too_large[i]), 0);
		CHECK_EQ(call(u, SENDPAYLOAD, 0x41414141), 0);
	}
	guest_receives_nothing(u);
	expect_none();
}

static void wrong_cookies(const struct user *u)
{
	struct user bad = *u;
	int i;

	for (i = 0; i < 32; i++) {
		bad.channel = u->channel;
		bad.channel.high ^= BIT(i);
		check_dead(&bad);
		bad.channel = u->channel;
		bad.channel.low ^= BIT(i);
		check_dead(&bad);
	}
	bad.channel.high = ~u->channel.high;
	bad.channel.low = ~u->channel.low;
	check_dead(&bad);
	bad.channel.high = u->channel.low;
	bad.channel.low = u->channel.high;
	if (bad.channel.high != bad.channel.low)
		check_dead(&bad);
}

static void wrong_channels(const struct user *u)
{
	struct user bad = *u;
	u32 i;

	for (i = 0; i < 16; i++) {
		bad.channel.number = u->channel.number ^ (u32)BIT(i);
		check_dead(&bad);
	}
	bad.channel.number = 0xffff;
	check_dead(&bad);
}

/* Wrong calls before, in and after a message change nothing of it. */
static void send_among_wrong_calls(const struct user *u)
{
	wrong_cookies(u);
	wrong_channels(u);
	CHECK_EQ(call(u, SENDSIZE, 6), SUCCESS);
	wrong_cookies(u);
	CHECK_EQ(call(u, SENDPAYLOAD, 0x64636261), SUCCESS);
	wrong_channels(u);
	CHECK_EQ(call(u, TYPES, 4), 0);
	expect_none();
	CHECK_EQ(call(u, SENDPAYLOAD, 0xffff6665), SUCCESS);
	/* It is complete, there is no place for more. */
	CHECK_EQ(call(u, SENDPAYLOAD, 0x41414141), 0);
	wrong_cookies(u);
	expect_message(u, "abcdef", 6);
	CHECK_EQ(call(u, SENDPAYLOAD, 0x41414141), 0);
	expect_none();
}

static void receive_among_wrong_calls(const struct user *u)
{
	const struct order *o = &shared->orders[0];

	CHECK_OK(put(u, "uvwxyz", 6));
	wrong_cookies(u);
	CHECK_EQ(call(u, RECVSIZE, 0), SUCCESS | DORECV);
	CHECK_EQ(o->x[1], 6);
	wrong_channels(u);
	CHECK_EQ(call(u, RECVPAYLOAD, 1), SUCCESS);
	CHECK_EQ(o->x[1], 'u' | 'v' << 8 | 'w' << 16 | 'x' << 24);
	wrong_cookies(u);
	CHECK_EQ(call(u, TYPES, 1), 0);
	CHECK_EQ(call(u, RECVPAYLOAD, 1), SUCCESS);
	CHECK_EQ(o->x[1], 'y' | 'z' << 8);
	CHECK_EQ(call(u, RECVPAYLOAD, 1), 0);
	wrong_cookies(u);
	CHECK_EQ(call(u, RECVSTATUS, 1), SUCCESS);
	CHECK_EQ(call(u, RECVPAYLOAD, 1), 0);
	guest_receives_nothing(u);
}

static void bad_guests(u32 protocol)
{
	struct user u = { .door = protocol == TCLO ? DOOR_DCC : DOOR_HVC };

	create(1);
	agent_open(vm.fd);
	guest_open(&u, protocol);
	expect(&u, KEEL_BACKDOOR_OPENED);
	out_of_turn(&u);
	send_among_wrong_calls(&u);
	receive_among_wrong_calls(&u);
	out_of_turn(&u);
	step_by_step(&u, 50, 1);
	CHECK_EQ(call(&u, CLOSE, 0), SUCCESS);
	expect(&u, KEEL_BACKDOOR_CLOSED);
	check_dead(&u);
	expect_none();
	works(DOOR_HVC);
	vm_destroy(&vm);
	close(agent);
}

static void bad_guests_rpci(void)
{
	bad_guests(RPCI);
}

static void bad_guests_tclo(void)
{
	bad_guests(TCLO);
}

/* A message that was begun, or a reply that was not fetched, is given up for a new message. */
static void begins_anew(void)
{
	struct user u = {};

	create(1);
	agent_open(vm.fd);
	guest_open(&u, RPCI);
	expect(&u, KEEL_BACKDOOR_OPENED);
	CHECK_EQ(call(&u, SENDSIZE, 1000), SUCCESS);
	CHECK_EQ(call(&u, SENDPAYLOAD, 0x41414141), SUCCESS);
	step_by_step(&u, 21, 1);
	CHECK_EQ(call(&u, SENDSIZE, 1000), SUCCESS);
	step_by_step(&u, 0, 1);

	guest_send(&u, 10, 2);
	expect_message(&u, sent(&u), 10);
	/* Not before it is answered. */
	CHECK_EQ(call(&u, SENDSIZE, 4), 0);
	CHECK_OK(put(&u, "old", 3));
	guest_send(&u, 12, 3);
	expect_message(&u, sent(&u), 12);
	CHECK_OK(put(&u, "new", 3));
	guest_receives(&u, "new", 3);
	step_by_step(&u, 22, 4);
	vm_destroy(&vm);
	close(agent);
}

static void empty_messages(void)
{
	struct user u = {};

	create(1);
	agent_open(vm.fd);
	guest_open(&u, RPCI);
	expect(&u, KEEL_BACKDOOR_OPENED);
	CHECK_EQ(call(&u, SENDSIZE, 0), SUCCESS);
	expect_message(&u, "", 0);
	CHECK_EQ(call(&u, SENDPAYLOAD, 0), 0);
	CHECK_OK(put(&u, "", 0));
	CHECK_EQ(call(&u, RECVSIZE, 0), SUCCESS | DORECV);
	CHECK_EQ(shared->orders[0].x[1], 0);
	CHECK_EQ(call(&u, RECVPAYLOAD, 1), 0);
	CHECK_EQ(call(&u, RECVSTATUS, 1), SUCCESS);
	guest_receives_nothing(&u);
	step_by_step(&u, 0, 1);
	vm_destroy(&vm);
	close(agent);
}

#define UNREAD_ROUNDS 300

/* Of one channel after the other, each with a message or without. */
static int drain(void)
{
	static struct datagram d;
	int is_open = 0, n = 0;

	while (poll_fd(agent, 0) & POLLIN && take(&d)) {
		n++;
		CHECK_EQ(d.h.protocol, RPCI);
		switch (d.h.kind) {
		case KEEL_BACKDOOR_OPENED:
			CHECK_EQ(is_open++, 0);
			break;
		case KEEL_BACKDOOR_CLOSED:
			CHECK_EQ(is_open--, 1);
			break;
		default:
			CHECK_EQ(is_open, 1);
			CHECK_EQ(d.h.length, 4);
		}
	}
	CHECK_EQ(is_open, 0);
	return n;
}

/* What the host gets of a guest that does not wait for it makes sense, however much it is. */
static void unread(void)
{
	int i, refused = 0, datagrams;
	struct user u = {};

	create(1);
	agent_open(vm.fd);
	for (i = 0; i < UNREAD_ROUNDS; i++) {
		if (!try_open(&u, RPCI)) {
			refused++;
			continue;
		}
		if (call(&u, SENDSIZE, 4) == SUCCESS)
			call(&u, SENDPAYLOAD, 0x41414141);
		CHECK_EQ(call(&u, CLOSE, 0), SUCCESS);
	}
	datagrams = drain();
	ktap_note("of %d channels %d refused, %d datagrams", UNREAD_ROUNDS, refused, datagrams);
	CHECK(refused < UNREAD_ROUNDS);
	works(DOOR_HVC);
	vm_destroy(&vm);
	close(agent);
}

/* --- The file --- */

static void bad_arguments(int fd)
{
	const struct keel_backdoor_open good = { .size = sizeof(good) };
	unsigned char copy[sizeof(good)];
	size_t i;

	for (i = 0; i < sizeof(good); i++) {
		memcpy(copy, &good, sizeof(good));
		copy[i] ^= 1;
		if (!CHECK_ERR(ioctl(fd, KEEL_BACKDOOR_OPEN, copy), EINVAL))
			ktap_note("byte %zu", i);
	}
	CHECK_ERR(ioctl(fd, KEEL_BACKDOOR_OPEN, NULL), EFAULT);
	CHECK_ERR(ioctl(fd, KEEL_BACKDOOR_OPEN, 8), EFAULT);
}

/* Buffers that are too small for it, or are none: it is there until there is a good one. */
static void small_buffers(const struct user *u)
{
	static struct datagram d;
	u8 *edge = edge_of_memory();

	guest_send(u, 40, 1);
	CHECK_ERR(read(agent, &d, 1), EMSGSIZE);
	CHECK_ERR(read(agent, &d, HEADER - 1), EMSGSIZE);
	CHECK_ERR(read(agent, &d, HEADER), EMSGSIZE);
	CHECK_ERR(read(agent, &d, HEADER + 39), EMSGSIZE);
	CHECK_ERR(syscall(SYS_read, agent, 8, HEADER + 40), EFAULT);
	CHECK_ERR(syscall(SYS_read, agent, edge - HEADER, HEADER + 40), EFAULT);
	CHECK_ERR(syscall(SYS_read, agent, edge - HEADER - 39, HEADER + 40), EFAULT);
	CHECK_EQ(read(agent, edge - HEADER - 40, HEADER + 40), HEADER + 40);
	CHECK(!memcmp(edge - 40, sent(u), 40));
	expect_none();
	CHECK_OK(put(u, "abc", 3));
	guest_receives(u, "abc", 3);
}

/* @fd is the VM's file or an observer's, @other another one of the same VM. */
static void check_file(int fd, int other)
{
	struct user u = {};

	bad_arguments(fd);
	agent_open(fd);
	CHECK_EQ(fcntl(agent, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(agent, F_GETFL) & O_ACCMODE, O_RDWR);
	CHECK_ERR(backdoor_open(fd), EBUSY);
	CHECK_ERR(backdoor_open(other), EBUSY);
	expect_none();
	guest_open(&u, RPCI);
	CHECK_EQ(poll_fd(agent, 0), POLLIN);
	expect(&u, KEEL_BACKDOOR_OPENED);
	expect_none();
	small_buffers(&u);
	step_by_step(&u, 10, 1);
	CHECK_EQ(call(&u, CLOSE, 0), SUCCESS);
	expect(&u, KEEL_BACKDOOR_CLOSED);

	/* With it end the channels, and what is in it; the next one begins with nothing. */
	guest_open(&u, RPCI);
	guest_send(&u, 8, 1);
	close(agent);
	check_dead(&u);
	agent_open(other);
	expect_none();
	check_dead(&u);
	CHECK_ERR(put(&u, "abc", 3), ENOENT);
	works(DOOR_HVC);
	close(agent);
}

static void file(void)
{
	int fd;

	create(1);
	fd = observe_last();
	check_file(vm.fd, fd);
	check_file(fd, vm.fd);
	close(fd);
	vm_destroy(&vm);
}

/* The last of its descriptors is its end. */
static void duplicate(void)
{
	struct user u = {};
	int fd;

	create(1);
	agent_open(vm.fd);
	fd = dup(agent);
	REQUIRE_OK(fd);
	guest_open(&u, RPCI);
	close(agent);
	CHECK_ERR(backdoor_open(vm.fd), EBUSY);
	agent = fd;
	expect(&u, KEEL_BACKDOOR_OPENED);
	step_by_step(&u, 10, 1);
	close(agent);
	check_dead(&u);
	vm_destroy(&vm);
}

static void close_wakes(void)
{
	struct user u = {};
	struct runner r;
	int i;

	create(1);
	for (i = 0; i < 2 * DOORS; i++) {
		u.door = i / 2;
		agent_open(vm.fd);
		guest_open(&u, RPCI);
		expect(&u, KEEL_BACKDOOR_OPENED);
		start_waiting(&r, &u, i % 2);
		close(agent);
		check_status_0(&r);
		check_dead(&u);
	}
	agent_open(vm.fd);
	works(DOOR_HVC);
	close(agent);
	vm_destroy(&vm);
}

/* Somebody who waits for a datagram: in read(), or in poll(). */
struct reader {
	struct sleeper sleeper;
	bool polls;
	int err;
	short revents;
};

static void *reader_thread(void *arg)
{
	struct keel_backdoor_message h;
	struct reader *r = arg;

	sleeper_begin(&r->sleeper);
	if (r->polls)
		r->revents = poll_fd(agent, -1);
	else
		r->err = read(agent, &h, sizeof(h)) < 0 ? errno : 0;
	return NULL;
}

static void reader_start(struct reader *r, bool polls)
{
	*r = (struct reader){ .polls = polls };
	REQUIRE(!pthread_create(&r->sleeper.thread, NULL, reader_thread, r));
	wait_asleep(&r->sleeper);
}

static void reader_end(struct reader *r)
{
	REQUIRE(!pthread_join(r->sleeper.thread, NULL));
}

/* A datagram wakes them up, or a signal. */
static void read_waits(void)
{
	struct reader reader, poller;
	struct user u = {};

	handle_signal();
	create(1);
	agent_open(vm.fd);
	reader_start(&poller, true);
	guest_open(&u, TCLO);
	reader_end(&poller);
	CHECK_EQ(poller.revents, POLLIN);
	expect(&u, KEEL_BACKDOOR_OPENED);

	nonblock(agent, false);
	reader_start(&reader, false);
	CHECK_EQ(call(&u, CLOSE, 0), SUCCESS);
	reader_end(&reader);
	CHECK_EQ(reader.err, 0);

	reader_start(&reader, false);
	REQUIRE(!pthread_kill(reader.sleeper.thread, SIGUSR1));
	reader_end(&reader);
	CHECK_EQ(reader.err, EINTR);
	vm_destroy(&vm);
	close(agent);
}

/* The file is still there, and that is all. */
static void check_cut(void)
{
	static struct datagram d = { .h.kind = KEEL_BACKDOOR_MESSAGE };

	CHECK_EQ(poll_fd(agent, 0) & POLLHUP, POLLHUP);
	CHECK_ERR(read(agent, &d, sizeof(d)), ENODEV);
	CHECK_ERR(write(agent, &d, HEADER), ENODEV);
	nonblock(agent, false);
	CHECK_ERR(read(agent, &d, sizeof(d)), ENODEV);
}

/* A file does not keep the VM, whether there is something to be read in it or not. */
static void vm_ends(bool observer, bool is_unread)
{
	struct reader reader, poller;
	struct user u = {};
	int fd;

	create(1);
	fd = observe_last();
	agent_open(observer ? fd : vm.fd);
	guest_open(&u, RPCI);
	if (!is_unread) {
		expect(&u, KEEL_BACKDOOR_OPENED);
		nonblock(agent, false);
		reader_start(&reader, false);
		reader_start(&poller, true);
	}
	vm_destroy(&vm);
	if (!is_unread) {
		reader_end(&reader);
		reader_end(&poller);
		CHECK_EQ(reader.err, ENODEV);
		CHECK_EQ(poller.revents & POLLHUP, POLLHUP);
	}
	check_cut();
	CHECK_EQ(poll_fd(fd, 0) & POLLHUP, POLLHUP);
	CHECK_ERR(backdoor_open(fd), ENODEV);
	close(fd);
	close(agent);
}

static void end(void)
{
	int i;

	for (i = 0; i < 4; i++)
		vm_ends(i / 2, i % 2);
}

/* Opened by another process, which shares the descriptors with this one. */
static int backdoor_open_elsewhere(int fd)
{
	int status;
	pid_t pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);

	REQUIRE_OK(pid);
	if (!pid)
		_exit(backdoor_open(fd));
	REQUIRE_EQ(waitpid(pid, &status, 0), pid);
	REQUIRE(WIFEXITED(status));
	REQUIRE(fcntl(WEXITSTATUS(status), F_GETFD) >= 0);
	return WEXITSTATUS(status);
}

/* The VMM is rid of an observer, but not of what it has opened itself. */
static void cut(bool elsewhere)
{
	struct reader poller;
	struct user u = {};
	struct runner r;
	int fd;

	create(1);
	fd = observe_last();
	agent = elsewhere ? backdoor_open_elsewhere(fd) : backdoor_open(fd);
	REQUIRE_OK(agent);
	nonblock(agent, true);
	guest_open(&u, RPCI);
	expect(&u, KEEL_BACKDOOR_OPENED);
	start_waiting(&r, &u, true);
	reader_start(&poller, true);
	REQUIRE_OK(ioctl(vm.fd, KEEL_OBSERVE, 0));
	CHECK_EQ(poll_fd(agent, 0) & POLLHUP, POLLHUP);
	if (ktap_failed())
		ktap_fail("the observer is still there");
	reader_end(&poller);
	CHECK_EQ(poller.revents & POLLHUP, POLLHUP);
	check_cut();
	check_status_0(&r);
	check_dead(&u);
	CHECK(!try_open(&u, RPCI));
	CHECK_ERR(backdoor_open(fd), EPERM);
	close(agent);

	agent_open(vm.fd);
	works(DOOR_HVC);
	REQUIRE_OK(ioctl(vm.fd, KEEL_OBSERVE, 1));
	REQUIRE_OK(ioctl(vm.fd, KEEL_OBSERVE, 0));
	works(DOOR_HVC);
	close(agent);
	REQUIRE_OK(ioctl(vm.fd, KEEL_OBSERVE, 1));
	agent_open(fd);
	works(DOOR_HVC);
	close(agent);
	close(fd);
	vm_destroy(&vm);
}

static void observer_cut(void)
{
	cut(true);
}

/* By an observer file of the VMM's own. */
static void own_observer_cut(void)
{
	cut(false);
}

/* --- Ends by SIGKILL --- */

/* Reads a guest's request, and never answers it. */
static void agent_child(int said)
{
	static struct datagram d;

	agent = backdoor_open(observe_last());
	REQUIRE_OK(agent);
	say(said);
	REQUIRE_EQ(read(agent, &d, sizeof(d)), HEADER);
	REQUIRE_EQ(read(agent, &d, sizeof(d)), HEADER + REQUEST_SIZE);
	say(said);
	for (;;)
		pause();
}

static void agent_killed(void)
{
	struct user u = {};
	struct runner r;
	int said[2];
	pid_t pid;

	create(1);
	REQUIRE_OK(pipe(said));
	pid = fork();
	REQUIRE_OK(pid);
	if (!pid)
		agent_child(said[1]);
	close(said[1]);
	hear(said[0]);
	CHECK_ERR(backdoor_open(vm.fd), EBUSY);
	guest_open(&u, RPCI);
	shared->orders[0].size = REQUEST_SIZE;
	runner_start(&r, &u, OP_TRIP);
	hear(said[0]);
	wait_asleep(&r.sleeper);
	CHECK(!READ_ONCE(r.finished));
	killed(pid);
	check_status_0(&r);
	check_dead(&u);
	CHECK(!try_open(&u, RPCI));
	agent_open(vm.fd);
	works(DOOR_HVC);
	close(agent);
	vm_destroy(&vm);
}

static void vmm_child(int said, int heard)
{
	struct user u = {};

	create(1);
	say(said);
	hear(heard);
	guest_open(&u, RPCI);
	shared->orders[0].size = REQUEST_SIZE;
	order(&u, OP_TRIP);
	ktap_fail("the guest need not wait");
}

/* A VMM whose guest waits can be killed. */
static void vmm_killed(void)
{
	static struct datagram d;
	int said[2], heard[2], fd;
	char path[64];
	pid_t pid;

	need_backdoor();
	REQUIRE_OK(pipe(said));
	REQUIRE_OK(pipe(heard));
	pid = fork();
	REQUIRE_OK(pid);
	if (!pid)
		vmm_child(said[1], heard[0]);
	close(said[1]);
	hear(said[0]);
	fd = observe_last();
	agent = backdoor_open(fd);
	REQUIRE_OK(agent);
	say(heard[1]);
	REQUIRE_EQ(read(agent, &d, sizeof(d)), HEADER);
	REQUIRE_EQ(read(agent, &d, sizeof(d)), HEADER + REQUEST_SIZE);
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	while (!is_asleep(path))
		sched_yield();
	CHECK_EQ(poll_fd(agent, 0), 0);
	killed(pid);
	check_cut();
	close(agent);
	close(fd);
}

/* --- Several vCPUs --- */

#define TRIPS	200

/* A CPU of the guest's, and its channels. */
struct driver {
	pthread_t thread;
	struct user rpci[2];
	struct user tclo;
	struct datagram reply;
	int trips;
};

static void answer_request(struct driver *d, u32 i)
{
	struct user *u = &d->tclo;
	struct order *o = &shared->orders[u->cpu];
	u8 request[16];

	u->door = i % DOORS;
	fill(request, i % 16, i);
	CHECK_OK(put(u, request, i % 16));
	guest_receives(u, request, i % 16);
	sent(u)[0] = i;
	o->size = 1;
	order(u, OP_SEND);
	CHECK_EQ(o->status, SUCCESS);
}

static void *driver_thread(void *arg)
{
	struct driver *d = arg;
	int i;

	for (i = 0; i < TRIPS && !soak_enough(i, 30, 20) && !ktap_failed(); i++) {
		round_trip(&d->rpci[i % 2], i * 7 % 200, i, &d->reply);
		answer_request(d, i);
	}
	d->trips = i;
	return NULL;
}

static void driver_init(struct driver *d, int cpu)
{
	int i;

	for (i = 0; i < 2; i++) {
		d->rpci[i].cpu = cpu;
		d->rpci[i].door = i % DOORS;
		guest_open(&d->rpci[i], RPCI);
	}
	d->tclo.cpu = cpu;
	guest_open(&d->tclo, TCLO);
}

static void two_vcpus(void)
{
	static struct driver drivers[CPUS];
	pthread_t agent_thread;
	int i, trips = 0;

	create(CPUS);
	agent_open(vm.fd);
	serve_start(&agent_thread);
	for (i = 0; i < CPUS; i++)
		driver_init(&drivers[i], i);
	for (i = 0; i < CPUS; i++)
		REQUIRE(!pthread_create(&drivers[i].thread, NULL, driver_thread, &drivers[i]));
	for (i = 0; i < CPUS; i++) {
		REQUIRE(!pthread_join(drivers[i].thread, NULL));
		trips += drivers[i].trips;
	}
	ktap_note("%d round trips each way", trips);
	wait_count(&answers, trips);
	CHECK_EQ(opened, 3 * CPUS);
	serve_end(agent_thread);
}

/* --- Storms --- */

/* What the agent has read about its channels. */
struct seen {
	bool open;
	bool owed;	/* it shall write */
	u32 protocol;
};

static struct seen seen[MAX_CHANNELS];
static u64 storms_over, written;

static void see(const struct keel_backdoor_message *h)
{
	struct seen *s;

	REQUIRE(h->channel < MAX_CHANNELS);
	s = &seen[h->channel];
	switch (h->kind) {
	case KEEL_BACKDOOR_OPENED:
		CHECK(!s->open);
		*s = (struct seen){ true, h->protocol == TCLO, h->protocol };
		break;
	case KEEL_BACKDOOR_CLOSED:
		CHECK(s->open);
		CHECK_EQ(h->protocol, s->protocol);
		s->open = false;
		break;
	default:
		CHECK_EQ(h->kind, KEEL_BACKDOOR_MESSAGE);
		CHECK(s->open);
		CHECK_EQ(h->protocol, s->protocol);
		s->owed = true;
	}
}

/* The guest may have closed the channel, or asked anew, without this end's knowing yet. */
static void storm_write(u32 channel)
{
	struct seen *s = &seen[channel];

	if (!s->open || !s->owed)
		return;
	if (!put_to(channel, "storm", 5)) {
		written++;
		s->owed = s->protocol == TCLO;
		return;
	}
	CHECK(errno == EBUSY || errno == ENOENT || errno == EPROTO);
	s->owed = errno == EBUSY;
}

static void storm_serve(void)
{
	static struct datagram d;
	u32 i;

	poll_fd(agent, 1);
	while (read(agent, &d, sizeof(d)) > 0)
		see(&d.h);
	CHECK_EQ(errno, EAGAIN);
	for (i = 0; i < MAX_CHANNELS; i++)
		storm_write(i);
}

static void *storm_thread(void *arg)
{
	const struct user *u = arg;
	int i;

	for (i = 0; i < 100 && !soak_enough(i, 3, 10); i++)
		order(u, OP_STORM);
	count(&storms_over);
	return NULL;
}

/* Two CPUs call whatever there is, on the same channel too; the agent opens anew, or stays. */
static void storm(bool reopen)
{
	struct user storms[CPUS] = { { .cpu = 0 }, { .cpu = 1, .door = DOOR_DCC } };
	pthread_t threads[CPUS];
	int i, rounds;

	create(CPUS);
	agent_open(vm.fd);
	for (i = 0; i < CPUS; i++)
		REQUIRE(!pthread_create(&threads[i], NULL, storm_thread, &storms[i]));
	for (rounds = 0; READ_ONCE(storms_over) < CPUS && !ktap_failed(); rounds++) {
		storm_serve();
		if (reopen && rounds % 8 == 7) {
			close(agent);
			memset(seen, 0, sizeof(seen));
			agent_open(vm.fd);
		}
	}
	ktap_note("%d rounds of the agent, %llu messages to the guest", rounds, written);
	close(agent);
	for (i = 0; i < CPUS; i++)
		REQUIRE(!pthread_join(threads[i], NULL));
	agent_open(vm.fd);
	works(DOOR_HVC);
	close(agent);
	vm_destroy(&vm);
}

static void storm_calls(void)
{
	storm(false);
}

static void storm_files(void)
{
	storm(true);
}

static const struct ktap_case cases[] = {
	{ "no_agent", no_agent },
	{ "options", options },
	{ "round_trips_hvc", round_trips_hvc },
	{ "round_trips_dcc", round_trips_dcc },
	{ "round_trips_brk", round_trips_brk },
	{ "channels", channels },
	{ "tclo", tclo },
	{ "tclo_polled", tclo_polled },
	{ "write_errors_tclo", write_errors_tclo },
	{ "write_errors_rpci", write_errors_rpci },
	{ "stale_replies", stale_replies },
	{ "waits", waits },
	{ "waits_with_interrupts", waits_with_interrupts },
	{ "waits_masked", waits_masked },
	{ "waits_with_signals", waits_with_signals },
	{ "reply_between_runs", reply_between_runs },
	{ "replaced_while_waiting", replaced_while_waiting },
	{ "reset", reset },
	{ "bad_guests_rpci", bad_guests_rpci },
	{ "bad_guests_tclo", bad_guests_tclo },
	{ "begins_anew", begins_anew },
	{ "empty_messages", empty_messages },
	{ "unread", unread },
	{ "file", file },
	{ "duplicate", duplicate },
	{ "read_waits", read_waits },
	{ "close_wakes", close_wakes },
	{ "end", end },
	{ "observer_cut", observer_cut },
	{ "own_observer_cut", own_observer_cut },
	{ "agent_killed", agent_killed },
	{ "vmm_killed", vmm_killed },
	{ "two_vcpus", two_vcpus },
	{ "storm_calls", storm_calls },
	{ "storm_files", storm_files },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
