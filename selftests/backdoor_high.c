// SPDX-License-Identifier: GPL-2.0
/*
 * The high bandwidth of VMware's backdoor: messages that go in one call between a channel and a
 * buffer at a virtual address of the guest's.
 */
#include <errno.h>
#include <linux/keel.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guests/backdoor_high.h"
#include "lib/agent.h"
#include "lib/process.h"
#include "lib/soak.h"
#include "lib/vm.h"

GUEST_DECLARE(backdoor_high);

#define PAGE		4096ULL
#define TABLES_SIZE	(NR_TABLES * PAGE)
#define BUFFER_SIZE	(BUFFER_PAGES * PAGE)
#define SLOT_TABLES	1
#define SLOT_BUFFER	2
/* No memslot there, but an address of the guest's 40 bits. */
#define NOWHERE_IPA	0x70000000ULL

/* The window, where the guest has the buffer's pages in another order: around a limit of 1 GB. */
#define WINDOW_PAGES	24
#define PAGES_BELOW	8	/* it */
#define WINDOW_SIZE	(WINDOW_PAGES * PAGE)
#define WINDOW		(BIT(39) + BIT(30) - PAGES_BELOW * PAGE)
#define WINDOW_UPPER	(0xffffULL << 48 | WINDOW)
#define LAST_PAGE	(0 - PAGE)

/* Descriptors (Arm ARM D8.3): attribute 0, inner shareable, never executed */
#define DESC_TABLE	3ULL
#define DESC_BLOCK	1ULL
#define DESC_PAGE	3ULL
#define DESC_USER	BIT(6)
#define DESC_READONLY	BIT(7)
#define DESC_AF		BIT(10)
#define DESC_DBM	BIT(51)
#define DESC_BEYOND	BIT(41)	/* an address of more than 40 bits */
#define DESC_MEMORY	(3ULL << 8 | DESC_AF | 3ULL << 53)
#define PAGE_USER	(DESC_PAGE | DESC_MEMORY | DESC_USER)
#define PAGE_KERNEL	(DESC_PAGE | DESC_MEMORY)

/* TABLES_IPA, by page; two for each level where the window's halves part; the last page's own. */
enum { ROOT = TABLE_ROOT, L1, L2_LOW, L2_HIGH, L3_LOW, L3_HIGH, L1_LAST, L2_LAST, L3_LAST };

/* ESR_EL1 of a data abort; the instruction's syndrome apart, which a call has none of */
#define ESR_EC(esr)	((esr) >> 26 & 0x3f)
#define EC_DABT_EL0	0x24
#define EC_DABT_EL1	0x25
#define ESR_WNR		BIT(6)
#define ESR_DFSC	0x3f
#define ESR_COMPARED	(~(0x3fffULL << 11))
#define FSC_EXTERNAL	0x10
#define FSC_PERMISSION	0x0c	/* and the level */

#define INSN_LDRB	0x39400041	/* ldrb w1, [x2] */
#define INSN_STRB	0x39000041	/* strb w1, [x2] */

/* Who calls. Of what no door matters for, each level does all by one of them. */
struct place {
	const char *name;
	int door;
	bool el0;
	bool all;
	bool pan;
};

static const struct place places[] = {
	{ .name = "hvc at EL1", .door = DOOR_HVC, .all = true },
	{ .name = "dcc at EL1", .door = DOOR_DCC },
	{ .name = "brk at EL1", .door = DOOR_BRK },
	{ .name = "dcc at EL0", .door = DOOR_DCC, .el0 = true, .all = true },
	{ .name = "brk at EL0", .door = DOOR_BRK, .el0 = true },
};

static const u32 door_insns[DOORS] = {
	[DOOR_HVC] = 0xd40010c2,
	[DOOR_DCC] = 0xd533011f,
	[DOOR_BRK] = 0xd42010c0,
};

#define for_each_place(p) for ((p) = places; (p) < places + ARRAY_SIZE(places); (p)++)

static struct vm vm;
static struct shared *shared;
static u64 (*tables)[512];
static u8 *buffer;

static bool does_all(const struct place *p)
{
	return p->all || getenv("KEEL_SOAK");
}

/* --- The guest's memory --- */

static u64 table_ipa(int table)
{
	return TABLES_IPA + table * PAGE;
}

static u64 entry_ipa(const u64 *entry)
{
	return TABLES_IPA + ((const u8 *)entry - (const u8 *)tables);
}

static u64 *page_entry(unsigned int page)
{
	return page < PAGES_BELOW ? &tables[L3_LOW][512 - PAGES_BELOW + page] :
				    &tables[L3_HIGH][page - PAGES_BELOW];
}

/* Which of the buffer's pages: neighbours in the window are none there. */
static unsigned int page_number(unsigned int page)
{
	return (page * 7 + 3) % BUFFER_PAGES;
}

static u64 page_ipa(unsigned int page)
{
	return BUFFER_IPA + page_number(page) * PAGE;
}

/* What brings a page back. */
static struct repair repair_of(unsigned int page)
{
	return (struct repair){ entry_ipa(page_entry(page)), page_ipa(page) | PAGE_USER };
}

static u8 *page_data(unsigned int page)
{
	return buffer + page_number(page) * PAGE;
}

static void table_at(u64 *entry, int table)
{
	*entry = table_ipa(table) | DESC_TABLE;
}

static void tables_fill(void)
{
	unsigned int i;

	tables[ROOT][0] = shared->level1 | DESC_TABLE;
	table_at(&tables[ROOT][1], L1);
	table_at(&tables[L1][0], L2_LOW);
	table_at(&tables[L1][1], L2_HIGH);
	table_at(&tables[L2_LOW][511], L3_LOW);
	table_at(&tables[L2_HIGH][0], L3_HIGH);
	for (i = 0; i < WINDOW_PAGES; i++)
		*page_entry(i) = page_ipa(i) | PAGE_USER;
	table_at(&tables[ROOT][511], L1_LAST);
	table_at(&tables[L1_LAST][511], L2_LAST);
	table_at(&tables[L2_LAST][511], L3_LAST);
}

static void window_set(const u8 *image)
{
	unsigned int i;

	for (i = 0; i < WINDOW_PAGES; i++)
		memcpy(page_data(i), image + i * PAGE, PAGE);
}

static bool window_is(const u8 *image)
{
	unsigned int i;

	for (i = 0; i < WINDOW_PAGES; i++)
		if (memcmp(page_data(i), image + i * PAGE, PAGE))
			return false;
	return true;
}

/* Memory whose pages may go and come back with what is in them. */
static void *shared_memory(u64 size)
{
	int fd = memfd_create("guest", MFD_CLOEXEC);
	void *mem;

	REQUIRE_OK(fd);
	REQUIRE_OK(ftruncate(fd, size));
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	REQUIRE(mem != MAP_FAILED);
	close(fd);
	return mem;
}

static int slot_tables(bool there)
{
	return vm_memslot(&vm, SLOT_TABLES, 0, TABLES_IPA, there ? TABLES_SIZE : 0, tables);
}

static int slot_buffer(bool there, u32 flags)
{
	return vm_memslot(&vm, SLOT_BUFFER, flags, BUFFER_IPA, there ? BUFFER_SIZE : 0, buffer);
}

/* --- The guest --- */

static struct order *order(int cpu, u64 op)
{
	struct order *o = &shared->orders[cpu];

	o->op = op;
	vcpu_run_sync(&vm.vcpus[cpu]);
	return o;
}

/* With more in TCR_EL1; forgets what the TLB knows of tables that the host has changed. */
static void regime(u64 tcr)
{
	int i;

	for (i = 0; i < vm.nr_vcpus; i++) {
		shared->orders[i].x[0] = tcr;
		shared->orders[i].x[1] = 0;
		order(i, OP_REGIME);
	}
}

static void regime_flat(void)
{
	shared->orders[0].x[0] = 0;
	shared->orders[0].x[1] = 1;
	order(0, OP_REGIME);
}

static void create_with(int nr_vcpus, u64 arg)
{
	int i;

	need_backdoor();
	vm_create_guest(&vm, guest_backdoor_high, guest_backdoor_high_end, nr_vcpus);
	tables = shared_memory(TABLES_SIZE);
	buffer = shared_memory(BUFFER_SIZE);
	REQUIRE_OK(slot_tables(true));
	REQUIRE_OK(slot_buffer(true, 0));
	if (!(arg & GUEST_NO_GIC))
		vm_gic_create(&vm, 64);
	backdoor_hooks(vm.fd, HOOKS, 0);
	shared = vm_ptr(&vm, SHARED_IPA);
	vcpu_set(&vm.vcpus[0], REG_X(0), arg);
	for (i = 0; i < nr_vcpus; i++)
		vcpu_run_sync(&vm.vcpus[i]);
	tables_fill();
	regime(0);
}

static void create(int nr_vcpus)
{
	create_with(nr_vcpus, nr_vcpus);
}

static void destroy(void)
{
	vm_destroy(&vm);
	munmap(tables, TABLES_SIZE);
	munmap(buffer, BUFFER_SIZE);
	close(agent);
}

static u64 noise(void)
{
	static u64 seed = 0x9e3779b97f4a7c15;

	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Upper halves that are no part of the call are anything. */
static u64 half(u32 low)
{
	return noise() << 32 | low;
}

static u64 w7_of(int door, u32 w7)
{
	return door == DOOR_DCC ? DOOR_IMM << 32 | w7 : half(w7);
}

static struct order *prepare(const struct place *p, u64 insn, u64 written)
{
	struct order *o = &shared->orders[0];

	o->insn = insn;
	o->el0 = p->el0;
	o->pan = p->pan;
	o->written = written;
	o->repairs = 0;
	return o;
}

/* A call of the low bandwidth; its status. The test of these is backdoor_messages. */
static u32 low(const struct user *u, u32 type, u32 value)
{
	const struct channel *c = &u->channel;
	struct order *o = prepare(&places[0], door_insns[DOOR_HVC], 0x3e);
	const u64 x[8] = { MAGIC, value, type << 16 | MESSAGE, (u64)c->number << 16 | PORT,
			   c->high, c->low, 0, IN_DX };

	memcpy(o->x, x, sizeof(x));
	order(0, OP_TRIAL);
	return (u32)o->x[2] >> 16;
}

static void guest_open(struct user *u, u32 protocol)
{
	const struct order *o = &shared->orders[0];

	u->protocol = protocol;
	REQUIRE_EQ(low(u, OPEN, protocol | COOKIES), SUCCESS);
	u->channel.number = o->x[3] >> 16;
	u->channel.high = o->x[4];
	u->channel.low = o->x[5];
	expect(u, KEEL_BACKDOOR_OPENED);
}

/* One call of the high bandwidth. */
struct call {
	const struct user *u;
	const struct place *p;
	bool in;
	u64 va;
	u64 size;
};

static struct order *high_prepare(const struct call *call)
{
	const struct channel *c = &call->u->channel;
	struct order *o = prepare(call->p, door_insns[call->p->door], BIT(1));
	const u64 out[8] = { noise(), half(BIT(16)), call->size, half(c->number << 16 | PORT_HIGH),
			     call->va, half(c->low), half(c->high), w7_of(call->p->door, W7_OUT) };
	const u64 in[8] = { noise(), half(BIT(16)), call->size, half(c->number << 16 | PORT_HIGH),
			    half(c->high), call->va, half(c->low), w7_of(call->p->door, W7_IN) };

	memcpy(o->x, call->in ? in : out, sizeof(in));
	return o;
}

/* What the guest has prepared, and may have repaired on its way. Did it succeed? */
static bool high_run(struct order *o)
{
	order(0, OP_TRIAL);
	if (!CHECK_EQ(o->faults, o->repairs))
		return false;
	CHECK(o->x[1] == 0 || o->x[1] == SUCCESS << 16);
	return o->x[1];
}

static bool high(const struct call *call)
{
	return high_run(high_prepare(call));
}

/* --- Messages --- */

/* What the window shall hold, and what goes through. */
static u8 image[WINDOW_SIZE], message[MAX_SIZE];

static u64 offset_of(const struct call *c)
{
	u64 va = c->va & (BIT(48) - 1);

	return va >= WINDOW ? va - WINDOW : va;
}

/* The message is about to go; after it, the window shall be as the image is. */
static void begin(const struct call *c, u32 seed)
{
	fill(image, WINDOW_SIZE, seed);
	window_set(image);
	if (!c->in) {
		CHECK_EQ(low(c->u, SENDSIZE, c->size), SUCCESS | HIGH);
		return;
	}
	fill(message, c->size, seed + 1);
	CHECK_OK(put(c->u, message, c->size));
	CHECK_EQ(low(c->u, RECVSIZE, 0), SUCCESS | DORECV | HIGH);
	CHECK_EQ(shared->orders[0].x[1], c->size);
}

static void end(const struct call *c)
{
	u64 offset = offset_of(c);

	if (c->in)
		memcpy(image + offset, message, c->size);
	else
		expect_message(c->u, image + offset, c->size);
	CHECK(window_is(image));
	if (c->in)
		CHECK_EQ(low(c->u, RECVSTATUS, 1), SUCCESS);
	expect_none();
}

static void describe(const struct call *c, const char *what)
{
	ktap_note("%s, %s: %s %llu bytes at %#llx", what, c->p->name, c->in ? "in" : "out", c->size,
		  c->va);
}

/* A message that goes through. */
static void passes(const struct call *c, u32 seed)
{
	begin(c, seed);
	if (!CHECK(high(c)))
		describe(c, "no success");
	end(c);
}

/* Nothing has happened, and the same message goes through a good buffer. */
static void refused(const struct call *c, const char *what)
{
	if (!CHECK(!high(c)))
		describe(c, what);
	CHECK(window_is(image));
	expect_none();
}

static void end_good(const struct call *c)
{
	struct call good = { c->u, &places[1], c->in, WINDOW + 100, c->size };

	if (!CHECK(high(&good)))
		describe(c, "no success of a good call after this one");
	end(&good);
}

static void start(struct user *u, int nr_vcpus)
{
	create(nr_vcpus);
	agent_open(vm.fd);
	guest_open(u, TCLO);
}

/* 64 KB that begin in the middle of a page: 17 pages, on both sides of the limit. */
#define FIRST		1
#define MIDDLE		12
#define LAST		17

static struct call large_call(const struct user *u, const struct place *p, bool in)
{
	return (struct call){ u, p, in, WINDOW + FIRST * PAGE + 4000, MAX_SIZE };
}

/* Large calls of everybody, both ways. */
static void each_way(const struct user *u, void (*fn)(const struct call *c))
{
	const struct place *p;
	int in;

	for_each_place(p) {
		for (in = 0; in < 2; in++) {
			struct call c = large_call(u, p, in);

			fn(&c);
		}
	}
}

static const u32 sizes[] = { 1, 3, 4095, 4096, 4097, 60 * 1024, MAX_SIZE };
static const u32 offsets[] = { 0, 1, 4095 };

static void both_ways(const struct user *u, const struct place *p, u32 offset, u32 size)
{
	int in;

	for (in = 0; in < 2; in++) {
		struct call c = { u, p, in, WINDOW + PAGE + offset, size };

		passes(&c, size + offset);
	}
}

/* EL0 does it with one of the offsets each. */
static void all_sizes(const struct user *u, const struct place *p)
{
	size_t i, k, n = ARRAY_SIZE(offsets);

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (k = 0; k < n; k++)
			if (!p->el0 || k == i % n || getenv("KEEL_SOAK"))
				both_ways(u, p, offsets[k], sizes[i]);
}

/* Of a few bytes on both sides of each limit between pages. */
static void all_limits(const struct user *u, const struct place *p)
{
	unsigned int page;

	for (page = 1; page < WINDOW_PAGES; page += does_all(p) && !p->el0 ? 1 : 7) {
		struct call c = { u, p, page % 2, WINDOW + page * PAGE - 2, 5 };

		passes(&c, page);
	}
}

static void sizes_mapped(void)
{
	const struct place *p;
	struct user u = {};
	int i;

	start(&u, 1);
	for_each_place(p) {
		if (does_all(p))
			all_sizes(&u, p);
		all_limits(&u, p);
	}
	/* Where kernels have their buffers. */
	for (i = 0; i < 2; i++) {
		struct call c = large_call(&u, &places[i], i);

		c.va += WINDOW_UPPER - WINDOW;
		passes(&c, i);
	}
	destroy();
}

/* The library's map has the buffer as a block, and without the MMU there is none: in its order. */
static void window_is_buffer(const struct user *u, const struct place *p)
{
	static const u32 ends[] = { 1, 4095, 4097, MAX_SIZE };
	static u8 before[BUFFER_SIZE];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		struct call c = { u, p, false, BUFFER_IPA + PAGE - 1, ends[i] };

		fill(before, BUFFER_SIZE, i);
		memcpy(buffer, before, BUFFER_SIZE);
		CHECK_EQ(low(u, SENDSIZE, c.size), SUCCESS | HIGH);
		CHECK(high(&c));
		expect_message(u, before + PAGE - 1, c.size);
		fill(message, c.size, 50 + i);
		CHECK_OK(put(u, message, c.size));
		CHECK_EQ(low(u, RECVSIZE, 0), SUCCESS | DORECV | HIGH);
		c.in = true;
		CHECK(high(&c));
		CHECK_EQ(low(u, RECVSTATUS, 1), SUCCESS);
		memcpy(before + PAGE - 1, message, c.size);
		CHECK(!memcmp(buffer, before, BUFFER_SIZE));
	}
}

static void sizes_flat(void)
{
	const struct place *p;
	struct user u = {};

	start(&u, 1);
	for_each_place(p)
		if (!p->el0)
			window_is_buffer(&u, p);
	regime_flat();
	for_each_place(p)
		window_is_buffer(&u, p);
	destroy();
}

/* --- Both ways in one channel --- */

/* The protocol's order, with some of the messages by the other bandwidth. */
static void low_out(const struct user *u, u32 from, u32 size)
{
	u32 at, word;

	for (at = from; at < size; at += 4) {
		memcpy(&word, image + PAGE + at, 4);
		CHECK_EQ(low(u, SENDPAYLOAD, word), SUCCESS);
	}
}

static void low_in(const struct user *u, u32 from, u32 size)
{
	u32 at, word;

	for (at = from; at < size; at += 4) {
		CHECK_EQ(low(u, RECVPAYLOAD, 1), SUCCESS);
		word = shared->orders[0].x[1];
		CHECK(!memcmp(&word, message + at, size - at < 4 ? size - at : 4));
	}
}

/* By four bytes first: the rest has to go the same way. */
static void partly(struct user *u, const struct place *p)
{
	struct call out = { u, p, false, WINDOW + PAGE, 50 }, in = { u, p, true, WINDOW, 50 };
	struct call rest = out;

	begin(&out, 1);
	CHECK_EQ(low(u, SENDPAYLOAD, *(u32 *)(image + PAGE)), SUCCESS);
	refused(&out, "part of it was sent");
	rest.size -= 4;
	refused(&rest, "the rest of it");
	low_out(u, 4, out.size);
	end(&out);

	begin(&in, 2);
	CHECK_EQ(low(u, RECVPAYLOAD, 1), SUCCESS);
	refused(&in, "part of it was received");
	rest = in;
	rest.size -= 4;
	refused(&rest, "the rest of it");
	low_in(u, 4, in.size);
	/* From its beginning it goes again. */
	CHECK_EQ(low(u, RECVSIZE, 0), SUCCESS | DORECV | HIGH);
	CHECK(high(&in));
	memcpy(image + offset_of(&in), message, in.size);
	refused(&in, "received twice");
	CHECK_EQ(low(u, RECVPAYLOAD, 1), 0);
	end(&in);
	CHECK_EQ(low(u, RECVSTATUS, 1), 0);
	CHECK_EQ(low(u, RECVSIZE, 0), SUCCESS);
}

static void mixed_trip(const struct user *u, const struct place *p, int how)
{
	struct call c = { u, p, false, WINDOW + PAGE, 30 };

	begin(&c, how);
	if (how & 1)
		CHECK(high(&c));
	else
		low_out(u, 0, c.size);
	end(&c);
	c.in = true;
	fill(message, c.size, how);
	CHECK_OK(put(u, message, c.size));
	CHECK_EQ(low(u, RECVSIZE, 0), SUCCESS | DORECV | HIGH);
	if (how & 2) {
		CHECK(high(&c));
	} else {
		low_in(u, 0, c.size);
		memcpy(image + PAGE, message, c.size);
		window_set(image);
	}
	end(&c);
}

/* A message without bytes is complete at once, and no high bandwidth is offered for it. */
static void empty(const struct user *u, const struct place *p)
{
	struct call c = { u, p, false, WINDOW, 0 };

	CHECK_EQ(low(u, SENDSIZE, 0), SUCCESS);
	expect_message(u, "", 0);
	window_set(image);
	refused(&c, "an empty message");
	CHECK_OK(put(u, "", 0));
	CHECK_EQ(low(u, RECVSIZE, 0), SUCCESS | DORECV);
	c.in = true;
	refused(&c, "an empty message");
	CHECK_EQ(low(u, RECVSTATUS, 1), SUCCESS);
}

static void mixed(void)
{
	struct user u = {}, rpci = {};
	const struct place *p;
	int i;

	start(&u, 1);
	guest_open(&rpci, RPCI);
	for_each_place(p) {
		partly(&u, p);
		for (i = 0; i < 4; i++)
			mixed_trip(&rpci, p, i);
		empty(&u, p);
	}
	destroy();
}

/* --- The guest's own faults --- */

/* A descriptor that is not as it should be, which concerns the buffer from one of its pages on. */
struct fault_test {
	const char *name;
	u64 *entry;
	u64 bad;
	unsigned int page;	/* of the window */
};

static u64 fault_address(const struct call *c, const struct fault_test *f)
{
	u64 page = WINDOW + f->page * PAGE;

	return page > c->va ? page : c->va;
}

/* What a plain access of one byte there gives: the call's must be the same. */
static struct fault plain_fault(const struct call *c, u64 va)
{
	struct order *o = prepare(c->p, c->in ? INSN_STRB : INSN_LDRB, 0);

	o->x[2] = va;
	order(0, OP_TRIAL);
	if (!CHECK_EQ(o->faults, 1))
		describe(c, "a plain access does not fault");
	return o->fault[0];
}

static bool check_fault(const struct call *c, const struct fault *got, const struct fault *want)
{
	bool ok = CHECK_EQ(got->far, want->far);

	ok &= CHECK_EQ(got->esr & ESR_COMPARED, want->esr & ESR_COMPARED);
	ok &= CHECK_EQ(ESR_EC(got->esr), c->p->el0 ? EC_DABT_EL0 : EC_DABT_EL1);
	ok &= CHECK_EQ(!!(got->esr & ESR_WNR), c->in);
	return ok;
}

/* Its handler brings what is missing, and the call that it returns to succeeds. */
static void faults_once(const struct call *c, const struct fault_test *f)
{
	u64 good = *f->entry;
	struct fault plain;
	struct order *o;

	begin(c, f->page);
	*f->entry = f->bad;
	regime(0);
	plain = plain_fault(c, fault_address(c, f));
	CHECK_EQ(plain.far, fault_address(c, f));
	o = high_prepare(c);
	o->repairs = 1;
	o->repair[0] = (struct repair){ entry_ipa(f->entry), good };
	if (!CHECK(high_run(o)) | !check_fault(c, &o->fault[0], &plain))
		describe(c, f->name);
	*f->entry = good;
	regime(0);
	end(c);
}

/* The same descriptor, where it is none that matters. */
static void faults_never(const struct call *c, const struct fault_test *f)
{
	u64 good = *f->entry;

	*f->entry = f->bad;
	regime(0);
	passes(c, f->page);
	*f->entry = good;
	regime(0);
}

/* One page of the buffer's. */
static void page_faults(const struct call *c, unsigned int page)
{
	u64 *entry = page_entry(page), good = *entry;
	const struct fault_test always[] = {
		{ "no page", entry, 0, page },
		{ "no page, by bit 1", entry, good & ~2ULL, page },
		{ "not accessed", entry, good & ~DESC_AF, page },
		{ "address size", entry, good | DESC_BEYOND, page },
	};
	const struct fault_test writes = { "read-only", entry, good | DESC_READONLY, page };
	const struct fault_test el0 = { "the kernel's", entry, good & ~DESC_USER, page };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(always); i++)
		faults_once(c, &always[i]);
	(c->in ? faults_once : faults_never)(c, &writes);
	(c->p->el0 ? faults_once : faults_never)(c, &el0);
}

/* A table, or a block in a table's place. */
static void table_faults(const struct call *c)
{
	const u64 block = BUFFER_IPA | DESC_BLOCK | DESC_MEMORY | DESC_USER;
	const u64 large = BIT(30) | DESC_BLOCK | DESC_MEMORY | DESC_USER;
	const struct fault_test tests[] = {
		{ "no table of level 1", &tables[ROOT][1], 0, FIRST },
		{ "a block at level 0", &tables[ROOT][1], block, FIRST },
		{ "no table of level 2", &tables[L1][1], 0, PAGES_BELOW },
		{ "no table of level 3", &tables[L2_HIGH][0], 0, PAGES_BELOW },
		{ "no table of level 3, first", &tables[L2_LOW][511], 0, FIRST },
		{ "block not accessed", &tables[L2_HIGH][0], block & ~DESC_AF, PAGES_BELOW },
		{ "1 GB not accessed", &tables[L1][1], large & ~DESC_AF, PAGES_BELOW },
		{ "table beyond", &tables[L1][1], tables[L1][1] | DESC_BEYOND, PAGES_BELOW },
	};
	const struct fault_test writes = {
		"read-only block", &tables[L2_HIGH][0], block | DESC_READONLY, PAGES_BELOW,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tests); i++)
		faults_once(c, &tests[i]);
	if (c->in)
		faults_once(c, &writes);
}

/* Several pages, one after the other. */
static void pages_fault(const struct call *c)
{
	static const unsigned int pages[] = { FIRST, FIRST + 1, MIDDLE, LAST };
	struct order *o;
	size_t i;

	begin(c, 3);
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		*page_entry(pages[i]) = 0;
	regime(0);
	o = high_prepare(c);
	o->repairs = ARRAY_SIZE(pages);
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		o->repair[i] = repair_of(pages[i]);
	CHECK(high_run(o));
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		CHECK_EQ(o->fault[i].far, i ? WINDOW + pages[i] * PAGE : c->va);
	end(c);
}

static void faults(const struct place *p)
{
	struct user u = {};
	int in;

	start(&u, 1);
	for (in = 0; in < 2; in++) {
		struct call c = large_call(&u, p, in);

		pages_fault(&c);
		page_faults(&c, MIDDLE);
		if (!does_all(p))
			continue;
		page_faults(&c, FIRST);
		page_faults(&c, LAST);
		table_faults(&c);
	}
	destroy();
}

static void faults_hvc(void)
{
	faults(&places[0]);
}

static void faults_dcc(void)
{
	faults(&places[1]);
	faults(&places[3]);
}

static void faults_brk(void)
{
	faults(&places[2]);
	faults(&places[4]);
}

/* EL1 may not touch what is EL0's while PSTATE.PAN is set, and only then. */
static void faults_pan(void)
{
	struct user u = {};
	unsigned int i;
	int in;

	start(&u, 1);
	if (!shared->pan)
		ktap_skip("the CPU has no FEAT_PAN2");
	for (i = 0; i < WINDOW_PAGES; i++)
		*page_entry(i) = page_ipa(i) | PAGE_KERNEL;
	regime(0);
	for (i = 0; i < 3; i++) {
		for (in = 0; in < 2; in++) {
			struct place p = places[i];
			struct call c = large_call(&u, &p, in);
			struct fault_test f = { "EL0's", page_entry(MIDDLE),
						page_ipa(MIDDLE) | PAGE_USER, MIDDLE };

			faults_never(&c, &f);
			p.pan = true;
			passes(&c, in);
			faults_once(&c, &f);
		}
	}
	destroy();
}

/* Nobody can bring these. What was announced can still go. */
static void never_there(struct call *c, u64 va, u64 far)
{
	struct order *o;
	struct fault plain;

	c->va = va;
	begin(c, 9);
	plain = plain_fault(c, far);
	o = high_prepare(c);
	order(0, OP_TRIAL);
	if (!CHECK_EQ(o->faults, 1) || !check_fault(c, &o->fault[0], &plain))
		describe(c, "never there");
	if (far == va)
		CHECK(window_is(image));
	else
		window_set(image);
	end_good(c);
}

static void addresses(void)
{
	static const u64 bad[] = {
		0x0001000000000000, 0x0000800000001000, 0xfffe000000000000, 0x8000000000000000,
		0xffff800000000fff, 0x00ff008040000000, LAST_PAGE + 17,
	};
	const struct place *p;
	struct user u = {};
	size_t i;
	int in;

	start(&u, 1);
	for_each_place(p) {
		for (in = 0; in < 2; in++) {
			struct call c = { &u, p, in, 0, 5000 };

			for (i = 0; i < (does_all(p) ? ARRAY_SIZE(bad) : 1); i++)
				never_there(&c, bad[i], bad[i]);
			/* On both sides of the window. */
			never_there(&c, WINDOW - 1, WINDOW - 1);
			never_there(&c, WINDOW + WINDOW_SIZE - 10, WINDOW + WINDOW_SIZE);
		}
	}
	destroy();
}

/* Behind the last page comes the first, where the guest has devices: EL0 has nothing there. */
static void wrapped(void)
{
	const struct place *p;
	struct user u = {};
	int in;

	start(&u, 1);
	tables[L3_LAST][511] = page_ipa(0) | PAGE_USER;
	regime(0);
	for_each_place(p) {
		for (in = 0; in < 2; in++) {
			struct call c = { &u, p, in, LAST_PAGE + 4000, 200 };

			if (p->el0) {
				never_there(&c, c.va, 0);
				continue;
			}
			begin(&c, 4);
			CHECK(!high(&c));
			window_set(image);
			end_good(&c);
		}
	}
	destroy();
}

/* --- Access flags and dirty state that the CPU sets --- */

static void set_all(u64 set, u64 clear)
{
	unsigned int i;

	for (i = 0; i < WINDOW_PAGES; i++)
		*page_entry(i) = ((page_ipa(i) | PAGE_USER) & ~clear) | set;
}

static void need_hafdbs(u64 least)
{
	if (shared->hafdbs < least)
		ktap_skip("ID_AA64MMFR1_EL1.HAFDBS is %llu", shared->hafdbs);
}

/* The CPU sets the flag, or nobody does: no fault comes of it. */
static void not_accessed(const struct call *c)
{
	set_all(0, DESC_AF);
	regime(TCR_HA);
	passes(c, c->in);
	/* The table has gone from stage 2 as well. */
	set_all(0, DESC_AF);
	regime(TCR_HA);
	begin(c, c->in);
	REQUIRE_OK(slot_tables(false));
	REQUIRE_OK(slot_tables(true));
	CHECK(high(c));
	end(c);
}

static void access_flag(void)
{
	struct user u = {};

	start(&u, 1);
	need_hafdbs(1);
	each_way(&u, not_accessed);
	destroy();
}

/*
 * A page that is clean and may be written. Either the guest's kernel is asked to mark it, as if the
 * CPU did not do that, or the CPU has done so by the translation: no page is written that is not
 * marked. A read marks none.
 */
static void clean_page(const struct call *c, unsigned int page)
{
	u64 *entry = page_entry(page), dirty = *entry, far = WINDOW + page * PAGE;
	struct order *o;

	begin(c, page);
	*entry = dirty | DESC_DBM | DESC_READONLY;
	regime(TCR_HA | TCR_HD);
	o = high_prepare(c);
	o->repairs = 1;
	o->repair[0] = (struct repair){ entry_ipa(entry), dirty };
	order(0, OP_TRIAL);
	CHECK_EQ(o->x[1], SUCCESS << 16);
	if (!CHECK_EQ(!!(*entry & DESC_READONLY), !c->in))
		describe(c, "a page, or its mark");
	if (o->faults) {
		CHECK(c->in);
		CHECK_EQ(o->fault[0].far, far > c->va ? far : c->va);
		CHECK_EQ(ESR_EC(o->fault[0].esr), c->p->el0 ? EC_DABT_EL0 : EC_DABT_EL1);
		CHECK_EQ(o->fault[0].esr & (ESR_WNR | ESR_DFSC), ESR_WNR | FSC_PERMISSION | 3);
	}
	*entry = dirty;
	end(c);
}

static void marked(const struct call *c)
{
	clean_page(c, FIRST);
	clean_page(c, MIDDLE);
	clean_page(c, LAST);
	/* Dirty already, and never clean. */
	set_all(DESC_DBM, 0);
	regime(TCR_HA | TCR_HD);
	passes(c, c->in);
	set_all(0, 0);
	regime(TCR_HA | TCR_HD);
}

static void dirty_state(void)
{
	struct user u = {};

	start(&u, 1);
	need_hafdbs(2);
	each_way(&u, marked);
	destroy();
}

/* --- What the host has taken away --- */

static void drop_tables(void)
{
	REQUIRE_OK(madvise(tables, TABLES_SIZE, MADV_DONTNEED));
}

static void drop_buffer(void)
{
	REQUIRE_OK(madvise(buffer, BUFFER_SIZE, MADV_DONTNEED));
}

static void drop_both(void)
{
	drop_tables();
	drop_buffer();
}

static void replace_tables(void)
{
	REQUIRE_OK(slot_tables(false));
	REQUIRE_OK(slot_tables(true));
}

static void replace_buffer(void)
{
	REQUIRE_OK(slot_buffer(false, 0));
	REQUIRE_OK(slot_buffer(true, 0));
}

static void replace_both(void)
{
	replace_tables();
	replace_buffer();
}

/* Not in stage 2, or not in the VMM's tables either. The guest does not notice. */
static void without(const struct call *c)
{
	static void (*const ways[])(void) = {
		drop_tables, drop_buffer, drop_both, replace_tables, replace_buffer, replace_both,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		begin(c, i);
		regime(0);
		ways[i]();
		if (!CHECK(high(c)))
			describe(c, "taken away");
		end(c);
	}
}

static void taken_away(void)
{
	struct user u = {};

	start(&u, 1);
	each_way(&u, without);
	destroy();
}

/* No memory is there, for the buffer or for a table. */
static void nowhere(const struct call *c)
{
	struct order *o;

	begin(c, 1);
	*page_entry(LAST) = NOWHERE_IPA | PAGE_USER;
	regime(0);
	CHECK(!high(c));
	if (c->in)
		CHECK(!memcmp(page_data(LAST), image + LAST * PAGE, PAGE));
	*page_entry(LAST) = page_ipa(LAST) | PAGE_USER;
	window_set(image);

	tables[L2_LOW][511] = NOWHERE_IPA | DESC_TABLE;
	regime(0);
	o = high_prepare(c);
	order(0, OP_TRIAL);
	CHECK_EQ(o->faults, 1);
	CHECK_EQ(o->fault[0].far, c->va);
	CHECK_EQ(ESR_EC(o->fault[0].esr), c->p->el0 ? EC_DABT_EL0 : EC_DABT_EL1);
	CHECK_EQ(o->fault[0].esr & ESR_DFSC, FSC_EXTERNAL);
	CHECK(window_is(image));
	table_at(&tables[L2_LOW][511], L3_LOW);
	regime(0);
	end_good(c);
}

static void no_slot(const struct call *c)
{
	begin(c, 2);
	REQUIRE_OK(slot_buffer(false, 0));
	refused(c, "no memslot");
	REQUIRE_OK(slot_buffer(true, 0));
	end_good(c);
}

static void no_memory(void)
{
	struct user u = {};

	start(&u, 1);
	each_way(&u, nowhere);
	each_way(&u, no_slot);
	destroy();
}

/* Nobody writes to a ROM; it can be read. */
static void read_only(void)
{
	const struct place *p;
	struct user u = {};

	start(&u, 1);
	for_each_place(p) {
		struct call in = large_call(&u, p, true), out = large_call(&u, p, false);

		REQUIRE_OK(slot_buffer(false, 0));
		REQUIRE_OK(slot_buffer(true, KVM_MEM_READONLY));
		passes(&out, 1);
		begin(&in, 2);
		refused(&in, "READONLY memslot");
		REQUIRE_OK(slot_buffer(false, 0));
		REQUIRE_OK(slot_buffer(true, 0));
		end_good(&in);
	}
	destroy();
}

static void protect(void *mem, u64 size, int prot)
{
	REQUIRE_OK(mprotect(mem, size, prot));
}

/* The VMM has no memory where its memslot says so: KVM_RUN goes on, for the guest need not know. */
static void bad_mapping(const struct call *c, int prot)
{
	begin(c, prot);
	protect(buffer, BUFFER_SIZE, prot);
	CHECK(!high(c));
	protect(buffer, BUFFER_SIZE, PROT_READ | PROT_WRITE);
	CHECK(window_is(image));
	end_good(c);
}

static void bad_tables(const struct call *c)
{
	begin(c, 7);
	regime(0);
	/* The root is in use for other things. */
	protect(tables[1], TABLES_SIZE - PAGE, PROT_NONE);
	CHECK(!high(c));
	protect(tables[1], TABLES_SIZE - PAGE, PROT_READ | PROT_WRITE);
	CHECK(window_is(image));
	end_good(c);
}

/* In the middle of the buffer's pages. */
static void hole(const struct call *c)
{
	u8 *page = page_data(MIDDLE);

	begin(c, 8);
	REQUIRE_OK(munmap(page, PAGE));
	CHECK(!high(c));
	REQUIRE(mmap(page, PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page);
	window_set(image);
	end_good(c);
}

static void unmapped(const struct call *c)
{
	bad_mapping(c, PROT_NONE);
	if (c->in)
		bad_mapping(c, PROT_READ);
	bad_tables(c);
}

static void bad_mappings(void)
{
	struct user u = {};
	int in;

	start(&u, 1);
	each_way(&u, unmapped);
	/* What is mapped there instead stays. */
	for (in = 0; in < 2; in++) {
		struct call c = large_call(&u, &places[0], in);

		hole(&c);
	}
	destroy();
}

/* --- Calls that are refused --- */

static void wrong_sizes(const struct call *c)
{
	const u64 bad[] = {
		c->size - 1, c->size + 1, 0, BIT(32) + c->size, ~0ULL, BIT(63) + c->size,
		c->size * 2, MAX_SIZE + 1,
	};
	struct call wrong = *c;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		wrong.size = bad[i];
		refused(&wrong, "another size");
	}
}

static void wrong_channels(const struct call *c)
{
	struct user u = *c->u;
	struct call wrong = *c;
	u32 i;

	wrong.u = &u;
	for (i = 0; i < 32; i += does_all(c->p) ? 1 : 8) {
		u.channel = c->u->channel;
		u.channel.high ^= BIT(i);
		refused(&wrong, "another cookie");
		u.channel = c->u->channel;
		u.channel.low ^= BIT(i);
		refused(&wrong, "another cookie");
		u.channel = c->u->channel;
		u.channel.number ^= BIT(i % 16);
		refused(&wrong, "another channel");
	}
	u.channel = c->u->channel;
	u.channel.high = c->u->channel.low;
	u.channel.low = c->u->channel.high;
	refused(&wrong, "cookies the other way round");
}

/* Another value of a register: no transfer. Returns the registers after it. */
static const u64 *other_register(const struct call *c, int reg, u64 value, u64 written)
{
	struct order *o = high_prepare(c);

	o->x[reg] = value;
	o->written = written;
	order(0, OP_TRIAL);
	CHECK_EQ(o->faults, 0);
	CHECK(window_is(image));
	expect_none();
	return o->x;
}

/* Nobody is behind the port for other commands and other instructions. */
static void wrong_forms(const struct call *c)
{
	static const u32 rep[] = { 0x19, 0x1a, 0x38, 0x39, 0x3a };
	static const u32 other[] = { 0x10, 0x11, 0x12, 0x30, 0x08, 0x09, 0x0a, 0x00, 0x02 };
	u32 in = c->in ? 4 : 0;
	size_t i;

	for (i = 0; i < 16; i++)
		CHECK_EQ(other_register(c, 1, BIT(16) | BIT(i), BIT(1))[1], 0);
	for (i = 0; i < ARRAY_SIZE(rep); i++)
		CHECK_EQ(other_register(c, 7, w7_of(c->p->door, rep[i] | in), BIT(1))[1], 0);
	for (i = 0; i < ARRAY_SIZE(other); i++)
		other_register(c, 7, w7_of(c->p->door, other[i] | in), in ? BIT(0) : 0);
	other_register(c, 3, c->u->channel.number << 16 | PORT, in ? BIT(0) : 0);
}

static void wrong_times(const struct call *c)
{
	struct call other = *c;

	fill(image, WINDOW_SIZE, 5);
	window_set(image);
	refused(c, "before it was announced");
	other.in = !c->in;
	begin(c, 6);
	refused(&other, "the other way");
	CHECK(high(c));
	if (c->in) {
		memcpy(image + offset_of(c), message, c->size);
		refused(c, "twice");
		CHECK_EQ(low(c->u, RECVSTATUS, 1), SUCCESS);
	} else {
		expect_message(c->u, image + offset_of(c), c->size);
	}
	refused(c, "after it");
}

static void refusals(void)
{
	const struct place *p;
	struct user u = {};
	int in;

	start(&u, 1);
	for_each_place(p) {
		for (in = 0; in < 2; in++) {
			struct call c = { &u, p, in, WINDOW + 4000, 300 };

			wrong_times(&c);
			begin(&c, 2);
			wrong_sizes(&c);
			wrong_channels(&c);
			wrong_forms(&c);
			end_good(&c);
		}
	}
	destroy();
}

#define QUEUE	64

/* As many as wait for an agent that does not read. */
static void queue_full(void)
{
	struct user u = {};
	struct call c = { &u, &places[0], false, WINDOW, 10 };
	int i;

	start(&u, 1);
	fill(image, WINDOW_SIZE, 1);
	window_set(image);
	for (i = 0; i < QUEUE; i++) {
		CHECK_EQ(low(&u, SENDSIZE, c.size), SUCCESS | HIGH);
		CHECK(high(&c));
	}
	CHECK_EQ(low(&u, SENDSIZE, c.size), SUCCESS | HIGH);
	CHECK(!high(&c));
	CHECK(!high(&c));
	for (i = 0; i < QUEUE; i++)
		expect_message(&u, image, c.size);
	expect_none();
	CHECK(high(&c));
	end(&c);
	destroy();
}

static void no_agent(void)
{
	const struct place *p;
	struct user u = {};
	int in;

	create(1);
	fill(image, WINDOW_SIZE, 1);
	window_set(image);
	for_each_place(p) {
		for (in = 0; in < 2; in++) {
			struct call c = { &u, p, in, WINDOW, 10 };

			CHECK(!high(&c));
		}
	}
	agent_open(vm.fd);
	guest_open(&u, TCLO);
	for_each_place(p) {
		for (in = 0; in < 2; in++) {
			struct call c = { &u, p, in, WINDOW, 10 };

			passes(&c, 1);
		}
	}
	begin(&(struct call){ &u, &places[0], false, WINDOW, 10 }, 1);
	close(agent);
	for_each_place(p) {
		for (in = 0; in < 2; in++) {
			struct call c = { &u, p, in, WINDOW, 10 };

			CHECK(!high(&c));
		}
	}
	CHECK(window_is(image));
	destroy();
}

/* --- Several vCPUs --- */

/* An agent in a thread of its own, which replies by @answer(). */
static void (*answer)(struct datagram *d);

static void *agent_thread(void *arg __always_unused)
{
	static struct datagram d;
	ssize_t n;

	while ((n = read(agent, &d, sizeof(d))) >= 0) {
		if (d.h.kind != KEEL_BACKDOOR_MESSAGE)
			continue;
		answer(&d);
		REQUIRE_EQ(write(agent, &d, n), n);
	}
	REQUIRE_EQ(errno, ENODEV);
	return NULL;
}

static void agent_start(pthread_t *thread, void (*fn)(struct datagram *d))
{
	answer = fn;
	nonblock(agent, false);
	REQUIRE(!pthread_create(thread, NULL, agent_thread, NULL));
}

static void agent_end(pthread_t thread)
{
	vm_destroy(&vm);
	REQUIRE(!pthread_join(thread, NULL));
	close(agent);
}

/* A vCPU that does an order in a thread. */
struct runner {
	pthread_t thread;
	int cpu;
	int tid;
	bool finished;
};

static void *runner_thread(void *arg)
{
	struct runner *r = arg;

	WRITE_ONCE(r->tid, syscall(SYS_gettid));
	vcpu_run_sync(&vm.vcpus[r->cpu]);
	WRITE_ONCE(r->finished, true);
	return NULL;
}

static void runner_start(struct runner *r, int cpu, u64 op)
{
	*r = (struct runner){ .cpu = cpu };
	shared->orders[cpu].op = op;
	REQUIRE(!pthread_create(&r->thread, NULL, runner_thread, r));
}

static void runner_end(struct runner *r)
{
	REQUIRE(!pthread_join(r->thread, NULL));
}

/* No byte of the page that was somebody else's meanwhile. */
static void answer_storm(struct datagram *d)
{
	u32 i;

	CHECK_EQ(d->h.length, STORM_SIZE);
	for (i = 0; i < d->h.length; i++)
		if (d->data[i] != BYTE_OURS && d->data[i] != BYTE_MESSAGE)
			ktap_fail("byte %u of a message is %#x", i, d->data[i]);
	memset(d->data, BYTE_MESSAGE, d->h.length);
}

/*
 * One vCPU takes a page away from the buffer that the other one's calls use, and gives it to
 * somebody else, for whom it checks it: no call hits that one. This is what the other vCPUs are
 * held outside the guest for, from the translation to the copy.
 */
static void page_reused(void)
{
	struct storm *s;
	struct user u = {};
	struct runner calls, maps;
	pthread_t thread;

	start(&u, CPUS);
	u.protocol = RPCI;
	guest_open(&u, RPCI);
	agent_start(&thread, answer_storm);
	memset(buffer, BYTE_OURS, BUFFER_SIZE);
	s = &shared->storm;
	s->page = repair_of(LAST - 1);
	s->ipa = page_ipa(LAST - 1);
	s->last = repair_of(LAST);
	s->last_va = WINDOW + LAST * PAGE;
	s->rounds = soak_rounds(150, 10000);
	s->calls = soak_rounds(5, 1000);
	shared->orders[0].channel = u.channel;
	shared->orders[0].buffer = WINDOW + FIRST * PAGE + STORM_OFFSET;
	runner_start(&calls, 0, OP_CALLS);
	runner_start(&maps, 1, OP_MAPS);
	runner_end(&maps);
	runner_end(&calls);
	ktap_note("%llu rounds, %llu calls out, %llu in, %llu faults", s->round, s->out, s->in,
		  s->faults);
	CHECK(s->faults > 0);
	agent_end(thread);
}

static void answer_inverted(struct datagram *d)
{
	u32 i;

	for (i = 0; i < d->h.length; i++)
		d->data[i] = ~d->data[i];
}

#define TRIPS	30

static void prepare_trips(int cpu, u64 trips)
{
	struct user u = {};

	guest_open(&u, RPCI);
	shared->orders[cpu].channel = u.channel;
	/* 64 KB each, as the library's map has them. */
	shared->orders[cpu].buffer = BUFFER_IPA + cpu * MAX_SIZE;
	shared->orders[cpu].trips = trips;
}

static void two_callers(void)
{
	struct runner runners[CPUS];
	pthread_t thread;
	int i, trips = soak_rounds(TRIPS, 1000);

	create(CPUS);
	agent_open(vm.fd);
	for (i = 0; i < CPUS; i++)
		prepare_trips(i, trips);
	agent_start(&thread, answer_inverted);
	for (i = 0; i < CPUS; i++)
		runner_start(&runners[i], i, OP_TRIPS);
	for (i = 0; i < CPUS; i++)
		runner_end(&runners[i]);
	CHECK_EQ(shared->trips, CPUS * trips);
	agent_end(thread);
}

static u64 exits(int cpu)
{
	struct keel_vcpu_info info = { .size = sizeof(info), .index = cpu };

	REQUIRE_OK(ioctl(vm.fd, KEEL_VCPU_INFO, &info));
	return info.exits;
}

static void wait_asleep(const struct runner *r)
{
	char path[64];

	while (!READ_ONCE(r->tid))
		sched_yield();
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", r->tid);
	while (!is_asleep(path))
		sched_yield();
}

/* Who sleeps is not woken by the calls of others, and can be woken after them. */
static void sleeper(void)
{
	struct runner sleeper;
	struct user u = {};
	u64 before;
	int i;

	start(&u, CPUS);
	order(1, OP_SLEEP);
	runner_start(&sleeper, 1, OP_SLEEP);
	wait_asleep(&sleeper);
	before = exits(1);
	for (i = 0; i < 50; i++) {
		struct call c = large_call(&u, &places[i % 5], i % 2);

		passes(&c, i);
	}
	CHECK_EQ(exits(1), before);
	CHECK(!READ_ONCE(sleeper.finished));
	CHECK_OK(vm_irq_line(&vm, KVM_ARM_IRQ_TYPE_SPI, 0, SPI, 1));
	runner_end(&sleeper);
	CHECK_EQ(shared->woken, 1);
	destroy();
}

#define MANY	16

/* vCPUs that come into being while calls go on. */
static void created_meanwhile(void)
{
	struct runner calls;
	pthread_t thread;
	int i;

	create_with(1, 1 | GUEST_NO_GIC);
	agent_open(vm.fd);
	prepare_trips(0, TRIPS);
	agent_start(&thread, answer_inverted);
	runner_start(&calls, 0, OP_TRIPS);
	while (!READ_ONCE(shared->trips))
		sched_yield();
	for (i = 1; i < MANY; i++) {
		u64 trips = READ_ONCE(shared->trips);

		vcpu_init(vcpu_create(&vm, i), true);
		vcpu_complete(&vm.vcpus[i]);
		while (READ_ONCE(shared->trips) == trips && !READ_ONCE(calls.finished))
			sched_yield();
	}
	runner_end(&calls);
	CHECK_EQ(shared->trips, TRIPS);
	agent_end(thread);
}

static void vmm_child(int said)
{
	struct runner runners[CPUS];
	pthread_t thread;
	int i;

	create(CPUS);
	agent_open(vm.fd);
	for (i = 0; i < CPUS; i++)
		prepare_trips(i, ~0ULL);
	agent_start(&thread, answer_inverted);
	for (i = 0; i < CPUS; i++)
		runner_start(&runners[i], i, OP_TRIPS);
	while (READ_ONCE(shared->trips) < CPUS)
		sched_yield();
	say(said);
	for (i = 0; i < CPUS; i++)
		runner_end(&runners[i]);
	ktap_fail("the calls have an end");
}

static void vmm_killed(void)
{
	int i, said[2], rounds = soak_rounds(3, 100);
	struct user u = {};
	pid_t pid;

	need_backdoor();
	for (i = 0; i < rounds; i++) {
		REQUIRE_OK(pipe(said));
		pid = fork();
		REQUIRE_OK(pid);
		if (!pid)
			vmm_child(said[1]);
		close(said[1]);
		hear(said[0]);
		killed(pid);
		close(said[0]);
	}
	start(&u, 1);
	for (i = 0; i < 2; i++) {
		struct call c = large_call(&u, &places[0], i);

		passes(&c, i);
	}
	destroy();
}

static const struct ktap_case cases[] = {
	{ "sizes_mapped", sizes_mapped },
	{ "sizes_flat", sizes_flat },
	{ "mixed", mixed },
	{ "faults_hvc", faults_hvc },
	{ "faults_dcc", faults_dcc },
	{ "faults_brk", faults_brk },
	{ "faults_pan", faults_pan },
	{ "addresses", addresses },
	{ "wrapped", wrapped },
	{ "access_flag", access_flag },
	{ "dirty_state", dirty_state },
	{ "taken_away", taken_away },
	{ "no_memory", no_memory },
	{ "read_only", read_only },
	{ "bad_mappings", bad_mappings },
	{ "refusals", refusals },
	{ "queue_full", queue_full },
	{ "no_agent", no_agent },
	{ "page_reused", page_reused },
	{ "two_callers", two_callers },
	{ "sleeper", sleeper },
	{ "created_meanwhile", created_meanwhile },
	{ "vmm_killed", vmm_killed },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
