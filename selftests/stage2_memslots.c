// SPDX-License-Identifier: GPL-2.0
/* Memory slots: add, move, delete, read-only, many, changed under a running vCPU, bad ones. */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "guests/stage2_memslots.h"
#include "lib/poke.h"
#include "lib/vm.h"

GUEST_DECLARE(stage2_memslots);

#define SLOT_IPA	0x50000000ULL
#define MOVED_IPA	0x52000000ULL
#define SLOT_SIZE	0x10000ULL
#define PATTERN		0x0123456789abcdefULL

static void *memory(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	REQUIRE(p != MAP_FAILED);
	return p;
}

static u64 word_at(void *mem, u64 offset)
{
	u64 word;

	memcpy(&word, (char *)mem + offset, sizeof(word));
	return word;
}

static void add_move_delete(void)
{
	void *mem = memory(SLOT_SIZE);
	struct vm vm;

	poke_create(&vm);
	CHECK(poke_exits(&vm, false, SLOT_IPA, 8, PATTERN));
	REQUIRE_OK(vm_memslot(&vm, 1, 0, SLOT_IPA, SLOT_SIZE, mem));
	poke_write(&vm, SLOT_IPA + 0x1008, 8, PATTERN);
	CHECK_EQ(word_at(mem, 0x1008), PATTERN);

	REQUIRE_OK(vm_memslot(&vm, 1, 0, MOVED_IPA, SLOT_SIZE, mem));
	CHECK_EQ(poke_read(&vm, MOVED_IPA + 0x1008, 8), PATTERN);
	CHECK(poke_exits(&vm, false, SLOT_IPA + 0x1008, 8, 1));
	CHECK(poke_exits(&vm, true, SLOT_IPA + 0x1008, 8, 2));

	REQUIRE_OK(vm_memslot(&vm, 1, 0, MOVED_IPA, 0, mem));
	CHECK(poke_exits(&vm, false, MOVED_IPA + 0x1008, 8, 3));
	REQUIRE_OK(vm_memslot(&vm, 1, 0, SLOT_IPA, SLOT_SIZE, mem));
	CHECK_EQ(poke_read(&vm, SLOT_IPA + 0x1008, 8), PATTERN);
	CHECK(poke_exits(&vm, true, SLOT_IPA + SLOT_SIZE, 4, 4));
	CHECK(poke_exits(&vm, true, SLOT_IPA - 4, 4, 5));
	vm_destroy(&vm);
}

static void read_only(void)
{
	void *mem = memory(SLOT_SIZE);
	struct vm vm;
	int len;

	memcpy((char *)mem + 8, &(u64){ PATTERN }, 8);
	poke_create(&vm);
	REQUIRE_OK(vm_memslot(&vm, 1, KVM_MEM_READONLY, SLOT_IPA, SLOT_SIZE, mem));
	/* Writes exit both before and after the first read has mapped the page. */
	CHECK(poke_exits(&vm, true, SLOT_IPA + 8, 8, 77));
	CHECK_EQ(poke_read(&vm, SLOT_IPA + 8, 8), PATTERN);
	for (len = 1; len <= 8; len *= 2)
		CHECK(poke_exits(&vm, true, SLOT_IPA + 8, len, 0x7777777777777777));
	CHECK_EQ(poke_read(&vm, SLOT_IPA + 8, 8), PATTERN);
	CHECK_EQ(word_at(mem, 8), PATTERN);
	/* What the VMM changes is seen. */
	memcpy((char *)mem + 8, &(u64){ 99 }, 8);
	CHECK_EQ(poke_read(&vm, SLOT_IPA + 8, 8), 99);
	vm_destroy(&vm);
}

static void executable(void)
{
	/* mov x0, #1234; ret - and another constant */
	static const u32 code[] = { 0xd2809a40, 0xd65f03c0 }, code2[] = { 0xd2800140, 0xd65f03c0 };
	void *mem = memory(SLOT_SIZE);
	struct poke cmd = { .op = POKE_EXEC, .addr = SLOT_IPA };
	struct vm vm;

	memcpy(mem, code, sizeof(code));
	__builtin___clear_cache(mem, (char *)mem + sizeof(code));
	poke_create(&vm);
	REQUIRE_OK(vm_memslot(&vm, 1, 0, SLOT_IPA, SLOT_SIZE, mem));
	REQUIRE(poke_command(&vm, &cmd));
	CHECK_EQ(cmd.value, 1234);
	memcpy(mem, code2, sizeof(code2));
	__builtin___clear_cache(mem, (char *)mem + sizeof(code2));
	REQUIRE(poke_command(&vm, &cmd));
	CHECK_EQ(cmd.value, 10);
	vm_destroy(&vm);
}

static void errors(void)
{
	char *mem = memory(SLOT_SIZE);
	struct vm vm;
	u64 page = sysconf(_SC_PAGESIZE);

	vm_create(&vm);
	REQUIRE_OK(vm_memslot(&vm, 1, 0, SLOT_IPA, SLOT_SIZE, mem));
	/* Overlap: same place, at either end, around, inside. */
	CHECK_ERR(vm_memslot(&vm, 2, 0, SLOT_IPA, SLOT_SIZE, mem), EEXIST);
	CHECK_ERR(vm_memslot(&vm, 2, 0, SLOT_IPA - page, 2 * page, mem), EEXIST);
	CHECK_ERR(vm_memslot(&vm, 2, 0, SLOT_IPA + SLOT_SIZE - page, 2 * page, mem), EEXIST);
	CHECK_ERR(vm_memslot(&vm, 2, 0, SLOT_IPA + page, page, mem), EEXIST);
	CHECK_OK(vm_memslot(&vm, 2, 0, SLOT_IPA + SLOT_SIZE, page, mem));
	/* A move onto another slot fails and leaves the slot where it was. */
	CHECK_ERR(vm_memslot(&vm, 2, 0, SLOT_IPA, page, mem), EEXIST);
	CHECK_OK(vm_memslot(&vm, 3, 0, SLOT_IPA + SLOT_SIZE + page, page, mem));

	CHECK_ERR(vm_memslot(&vm, 4, 0, MOVED_IPA + 1, page, mem), EINVAL);
	CHECK_ERR(vm_memslot(&vm, 4, 0, MOVED_IPA, page + 1, mem), EINVAL);
	CHECK_ERR(vm_memslot(&vm, 4, 0, MOVED_IPA, page, mem + 1), EINVAL);
	CHECK_ERR(vm_memslot(&vm, 4, 0, -page, 2 * page, mem), EINVAL);
	CHECK_ERR(vm_memslot(&vm, 4, 0, MOVED_IPA, page, (void *)~0xfffULL), EINVAL);
	CHECK_ERR(vm_memslot(&vm, 4, 1U << 31, MOVED_IPA, page, mem), EINVAL);
	CHECK_ERR(vm_memslot(&vm, 0x7fff, 0, MOVED_IPA, page, mem), EINVAL);
	CHECK_ERR(vm_memslot(&vm, 1U << 16, 0, MOVED_IPA, page, mem), EINVAL);
	CHECK_ERR(vm_memslot(&vm, 4, 0, MOVED_IPA, 0, mem), EINVAL);
	/* Beyond the guest's physical address size of 40 bits. */
	CHECK_ERR(vm_memslot(&vm, 4, 0, (1ULL << 40) - page, 2 * page, mem), EFAULT);

	/* An existing slot: size, mapping and the read-only flag stay. */
	CHECK_ERR(vm_memslot(&vm, 1, 0, SLOT_IPA, SLOT_SIZE - page, mem), EINVAL);
	CHECK_ERR(vm_memslot(&vm, 1, 0, SLOT_IPA, SLOT_SIZE, mem + page), EINVAL);
	CHECK_ERR(vm_memslot(&vm, 1, KVM_MEM_READONLY, SLOT_IPA, SLOT_SIZE, mem), EINVAL);
	CHECK_OK(vm_memslot(&vm, 1, 0, SLOT_IPA, SLOT_SIZE, mem));
	vm_destroy(&vm);
}

#define MANY	500

/* Where slot @i is mapped: in another order than they lie. */
static u64 place_of(u64 i)
{
	return i * 37 % MANY;
}

static void five_hundred(void)
{
	const u64 page = sysconf(_SC_PAGESIZE);
	char *mem = memory(MANY * page);
	struct vm vm;
	u64 i;

	poke_create(&vm);
	/* Descending, with a hole after each. */
	for (i = MANY; i > 0; i--)
		REQUIRE_OK(vm_memslot(&vm, i, 0, SLOT_IPA + 2 * i * page, page,
				      mem + place_of(i) * page));
	for (i = 1; i <= MANY; i++)
		poke_write(&vm, SLOT_IPA + 2 * i * page + 8, 8, PATTERN + i);
	for (i = 1; i <= MANY; i++)
		CHECK_EQ(word_at(mem, place_of(i) * page + 8), PATTERN + i);
	for (i = 2; i <= MANY; i += 2)
		REQUIRE_OK(vm_memslot(&vm, i, 0, 0, 0, NULL));
	for (i = 1; i <= MANY; i++) {
		if (i % 2)
			CHECK_EQ(poke_read(&vm, SLOT_IPA + 2 * i * page + 8, 8), PATTERN + i);
		else
			CHECK(poke_exits(&vm, false, SLOT_IPA + 2 * i * page + 8, 8, i));
		if (i % 5 == 0)
			CHECK(poke_exits(&vm, false, SLOT_IPA + (2 * i + 1) * page, 8, i));
	}
	/* The other half goes with the VM. */
	vm_destroy(&vm);
}

/* While the slot is away its accesses exit; whenever it is there they do not hang. */
static bool answer_any(struct vcpu *vcpu)
{
	return vcpu->run->exit_reason == KVM_EXIT_MMIO && !vcpu->run->mmio.is_write &&
	       vcpu->run->mmio.phys_addr == SLOT_IPA;
}

static void wait_progress(struct vm *vm)
{
	u64 *counter = vm_ptr(vm, FREE_IPA), before = READ_ONCE(*counter);

	while (READ_ONCE(*counter) < before + 3)
		sched_yield();
}

static void under_running_vcpu(void)
{
	void *mem = memory(SLOT_SIZE);
	struct poke cmd = { .op = POKE_LOOP, .addr = FREE_IPA, .value = SLOT_IPA, .len = 8 };
	struct vm vm;
	int i;

	poke_create(&vm);
	vm.exit = answer_any;
	memcpy(vm_ptr(&vm, SHARED_IPA), &cmd, sizeof(cmd));
	REQUIRE_OK(vm_memslot(&vm, 1, 0, SLOT_IPA, SLOT_SIZE, mem));
	vm_start(&vm);
	for (i = 0; i < 50; i++) {
		wait_progress(&vm);
		REQUIRE_OK(vm_memslot(&vm, 1, 0, SLOT_IPA, 0, mem));
		wait_progress(&vm);
		REQUIRE_OK(vm_memslot(&vm, 1, 0, SLOT_IPA, SLOT_SIZE, mem));
		wait_progress(&vm);
		REQUIRE_OK(vm_memslot(&vm, 1, 0, MOVED_IPA, SLOT_SIZE, mem));
		REQUIRE_OK(vm_memslot(&vm, 1, 0, SLOT_IPA, SLOT_SIZE, mem));
	}
	vm_stop(&vm);
	vm_destroy(&vm);
}

/* --- under eight vCPUs --- */

/*
 * Whatever is done to slots, each CPU finds in each of its words what it wrote last: the VMM
 * answers what exits as if the slot were there. While a slot is nowhere its words are in @aside and
 * the memory is spoilt, so that a CPU which still reaches it is found out; while it is read-only,
 * @aside has what the memory should hold.
 */
static char *moving, *aside;
static u64 moving_at[MOVING_SLOTS];	/* 0: nowhere; else the place, with READONLY in bit 0 */
static pthread_mutex_t moving_lock = PTHREAD_MUTEX_INITIALIZER;	/* all of these */
static u64 answered;

static void answer_word(u64 offset, struct kvm_run *run)
{
	u64 at = moving_at[offset / MOVING_SIZE];
	char *word = (at ? moving : aside) + offset;

	answered++;
	if (!run->mmio.is_write) {
		memcpy(run->mmio.data, word, 8);
		return;
	}
	memcpy(word, run->mmio.data, 8);
	if (at & 1)
		memcpy(aside + offset, word, 8);
}

static bool answer_moving(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	u64 addr = run->mmio.phys_addr, base = addr < MOVING_ALIAS ? MOVING_IPA : MOVING_ALIAS;

	if (run->exit_reason != KVM_EXIT_MMIO || run->mmio.len != 8 || addr < MOVING_IPA ||
	    addr - base >= MOVING_SLOTS * MOVING_SIZE)
		return false;
	pthread_mutex_lock(&moving_lock);
	answer_word(addr - base, run);
	pthread_mutex_unlock(&moving_lock);
	return true;
}

static void moving_delete(struct vm *vm, int i)
{
	char *mem = moving + i * MOVING_SIZE;

	REQUIRE_OK(vm_memslot(vm, i + 1, 0, 0, 0, NULL));
	if (moving_at[i] & 1)
		CHECK(!memcmp(mem, aside + i * MOVING_SIZE, MOVING_SIZE));
	memcpy(aside + i * MOVING_SIZE, mem, MOVING_SIZE);
	memset(mem, 0xee, MOVING_SIZE);
	moving_at[i] = 0;
}

static void moving_set(struct vm *vm, int i, u64 to)
{
	char *mem = moving + i * MOVING_SIZE;

	pthread_mutex_lock(&moving_lock);
	/* Only a move is one step: its flags stay. */
	if (moving_at[i] && (!to || (moving_at[i] ^ to) & 1))
		moving_delete(vm, i);
	if (to && !moving_at[i])
		memcpy(mem, aside + i * MOVING_SIZE, MOVING_SIZE);
	if (to)
		REQUIRE_OK(vm_memslot(vm, i + 1, to & 1 ? KVM_MEM_READONLY : 0,
				      (to & ~1ULL) + i * MOVING_SIZE, MOVING_SIZE, mem));
	moving_at[i] = to;
	pthread_mutex_unlock(&moving_lock);
}

static u64 slowest(struct vm *vm)
{
	u64 *counter = vm_ptr(vm, SHARED_IPA), least = ~0ULL;
	int i;

	for (i = 0; i < MOVING_CPUS; i++)
		if (READ_ONCE(counter[i]) < least)
			least = READ_ONCE(counter[i]);
	return least;
}

static void under_eight_vcpus(void)
{
	static const u64 places[] = {
		0, MOVING_IPA, MOVING_ALIAS, MOVING_IPA | 1, MOVING_ALIAS | 1,
	};
	unsigned int seed = 1, i;
	u64 from;
	struct vm vm;

	moving = memory(MOVING_SLOTS * MOVING_SIZE);
	aside = memory(MOVING_SLOTS * MOVING_SIZE);
	vm_create_guest(&vm, guest_stage2_memslots, guest_stage2_memslots_end, MOVING_CPUS);
	vm.exit = answer_moving;
	vm_start(&vm);
	/* Nine threads want two CPUs: this one shall not wait for each of the others. */
	REQUIRE_OK(setpriority(PRIO_PROCESS, gettid(), -20));
	for (i = 0; i < 120; i++) {
		moving_set(&vm, i % MOVING_SLOTS, places[rand_r(&seed) % ARRAY_SIZE(places)]);
		/* Now and then all of them go through the slots as they are. */
		from = slowest(&vm);
		while (i % (4 * MOVING_SLOTS) == 0 && slowest(&vm) == from)
			usleep(200);	/* to yield is not enough at this priority */
	}
	vm_stop(&vm);
	CHECK(answered);
	ktap_note("%u changes in %llu rounds, %llu accesses answered", i, slowest(&vm), answered);
	vm_destroy(&vm);
}

static void region2(void)
{
	struct kvm_userspace_memory_region2 region = {
		.slot = 1,
		.guest_phys_addr = SLOT_IPA,
		.memory_size = SLOT_SIZE,
	};
	struct vm vm;

	poke_create(&vm);
	if (ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_USER_MEMORY2) <= 0) {
		CHECK(!kvm_is_keel());
		ktap_note("this KVM has no KVM_SET_USER_MEMORY_REGION2");
		return;
	}
	region.userspace_addr = (u64)memory(SLOT_SIZE);
	REQUIRE_OK(ioctl(vm.fd, KVM_SET_USER_MEMORY_REGION2, &region));
	poke_write(&vm, SLOT_IPA, 8, PATTERN);
	CHECK_EQ(word_at((void *)region.userspace_addr, 0), PATTERN);
	region.slot = 2;
	CHECK_ERR(ioctl(vm.fd, KVM_SET_USER_MEMORY_REGION2, &region), EEXIST);
	vm_destroy(&vm);
}

static const struct ktap_case cases[] = {
	{ "add_move_delete", add_move_delete },
	{ "read_only", read_only },
	{ "executable", executable },
	{ "errors", errors },
	{ "five_hundred", five_hundred },
	{ "under_running_vcpu", under_running_vcpu },
	{ "under_eight_vcpus", under_eight_vcpus },
	{ "region2", region2 },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
