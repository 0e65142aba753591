// SPDX-License-Identifier: GPL-2.0
/*
 * Every size that a guest's physical address space can have: memory at its bottom, across each
 * power of two and at its very top, and what lies beyond.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guests/vm_ipa.h"
#include "lib/vm.h"

GUEST_DECLARE(vm_ipa);

#define PAGE		4096ULL
#define MIN_BITS	32
#define DEFAULT_BITS	40
/* Two pages for each power of two, for the bottom and for the top */
#define MAX_SLOTS	40
#define SPARE_SLOT	MAX_SLOTS

#define ESR_EC(esr)	((esr) >> 26 & 0x3f)
#define ESR_FSC(esr)	((esr) & 0x3f)
#define EC_IABT_EL1	0x21
#define EC_DABT_EL1	0x25
#define FSC_LEVEL	0x03	/* address size fault: the level, and nothing else */
#define FSC_EXTERNAL	0x10

/**
 * struct space - a VM with its memory at all corners
 * @vm: the VM
 * @bits: size of its IPA space
 * @reach: the part of it that the guest can name
 * @mem: two pages for each slot
 * @nr_slots: how many there are; slot 0 is the guest's RAM
 */
struct space {
	struct vm vm;
	u32 bits;
	u32 reach;
	char *mem;
	u32 nr_slots;
};

static u32 max_bits(void)
{
	int sys = kvm_open();
	int bits = ioctl(sys, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);

	close(sys);
	REQUIRE(bits >= MIN_BITS && bits <= 52);
	return bits;
}

static u64 min(u64 a, u64 b)
{
	return a < b ? a : b;
}

static void space_create(struct space *s, u64 type)
{
	s->bits = type ?: DEFAULT_BITS;
	s->reach = min(s->bits, GUEST_PA_BITS);
	s->nr_slots = 1;
	s->mem = mmap(NULL, MAX_SLOTS * 2 * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(s->mem != MAP_FAILED);
	vm_create_type(&s->vm, type);
	vm_add_guest(&s->vm, guest_vm_ipa, guest_vm_ipa_end, 1);
	vcpu_run_sync(&s->vm.vcpus[0]);
}

static void space_destroy(struct space *s)
{
	vm_destroy(&s->vm);
	munmap(s->mem, MAX_SLOTS * 2 * PAGE);
}

/* False: it has led to an exit, which kvm_run describes. */
static bool guest_access(struct space *s, struct access *a)
{
	struct report report;

	a->esr = 0;
	memcpy(vm_ptr(&s->vm, SHARED_IPA), a, sizeof(*a));
	report = vcpu_run_report(&s->vm.vcpus[0]);
	if (report.kind != REPORT_SYNC)
		return false;
	memcpy(a, vm_ptr(&s->vm, SHARED_IPA), sizeof(*a));
	return true;
}

static u64 guest_value(struct space *s, enum access_op op, u64 ipa, u64 value)
{
	struct access a = { .op = op, .ipa = ipa, .value = value };

	if (!guest_access(s, &a))
		vcpu_bad_exit(&s->vm.vcpus[0]);
	if (a.esr)
		ktap_fail("%u bits: access to %#llx: esr %#llx", s->bits, ipa, a.esr);
	return a.value;
}

/* Where in the page its own word is; what comes first is code. */
static u64 word_of(u64 ipa)
{
	return 8 + (ipa >> 12 & 0x7f8);
}

/* The guest and the host see each other's words in the page, and the guest can run code there. */
static void check_page(struct space *s, u64 ipa, char *hva)
{
	/* mov x0, #99; ret */
	static const u32 code[2] = { 0xd2800c60, 0xd65f03c0 };
	u64 word, offset = word_of(ipa);

	guest_value(s, ACCESS_WRITE, ipa + offset, ~ipa);
	memcpy(&word, hva + offset, sizeof(word));
	CHECK_EQ(word, ~ipa);
	word = ipa + 1;
	memcpy(hva + offset, &word, sizeof(word));
	CHECK_EQ(guest_value(s, ACCESS_READ, ipa + offset, 0), ipa + 1);
	memcpy(hva, code, sizeof(code));
	CHECK_EQ(guest_value(s, ACCESS_EXEC, ipa, 0), 99);
}

/* Memory of one or two pages there; all of it works. */
static void add_memory(struct space *s, u64 ipa, u64 pages)
{
	char *hva = s->mem + 2 * PAGE * s->nr_slots;
	u64 i;

	REQUIRE(s->nr_slots < MAX_SLOTS);
	REQUIRE_OK(vm_memslot(&s->vm, s->nr_slots, 0, ipa, pages * PAGE, hva));
	s->nr_slots++;
	for (i = 0; i < pages; i++)
		if (ipa + i * PAGE < BIT(GUEST_PA_BITS))
			check_page(s, ipa + i * PAGE, hva + i * PAGE);
}

/* No page took the place of another: each still has what check_page() left in it. */
static void check_all_pages(struct space *s)
{
	u64 offset, word, ipa;
	u32 i;

	for (i = MIN_BITS - 1; i < s->reach; i++) {
		ipa = BIT(i);
		offset = word_of(ipa);
		memcpy(&word, s->mem + 2 * PAGE * (i - MIN_BITS + 2) + PAGE + offset, 8);
		CHECK_EQ(word, ipa + 1);
		CHECK_EQ(guest_value(s, ACCESS_READ, ipa + offset, 0), ipa + 1);
	}
}

/* Inside the space, and no memory: that is a device of the VMM's, up to the last page. */
static void check_device(struct space *s, u64 ipa)
{
	struct access a = { .op = ACCESS_READ, .ipa = ipa };
	struct kvm_run *run = s->vm.vcpus[0].run;
	u64 value = 0x1122334455667788;

	REQUIRE(!guest_access(s, &a));
	CHECK_EQ(run->exit_reason, KVM_EXIT_MMIO);
	CHECK_EQ(run->mmio.phys_addr, ipa);
	memcpy(run->mmio.data, &value, sizeof(value));
	REQUIRE_EQ(vcpu_run_report(&s->vm.vcpus[0]).kind, REPORT_SYNC);
	memcpy(&a, vm_ptr(&s->vm, SHARED_IPA), sizeof(a));
	CHECK_EQ(a.value, value);
}

/*
 * An address that no VM of this host can have is too long for the guest's CPU: address size fault.
 * One that only this VM does not have answers as a bus without anybody: external abort.
 */
static void check_beyond(struct space *s, enum access_op op, u64 ipa, u32 max)
{
	struct access a = { .op = op, .ipa = ipa };

	if (!CHECK(guest_access(s, &a)))
		vcpu_bad_exit(&s->vm.vcpus[0]);
	CHECK_EQ(ESR_EC(a.esr), op == ACCESS_EXEC ? EC_IABT_EL1 : EC_DABT_EL1);
	if (ipa >> max)
		CHECK_EQ(ESR_FSC(a.esr) & ~FSC_LEVEL, 0);
	else
		CHECK_EQ(ESR_FSC(a.esr), FSC_EXTERNAL);
}

static void check_all_beyond(struct space *s, u32 max)
{
	u32 i;

	for (i = s->bits; i < GUEST_PA_BITS; i++) {
		check_beyond(s, ACCESS_READ, BIT(i), max);
		check_beyond(s, ACCESS_WRITE, BIT(i + 1) - 8, max);
	}
	if (s->bits < GUEST_PA_BITS)
		check_beyond(s, ACCESS_EXEC, BIT(s->bits), max);
}

static void check_slots_beyond(struct space *s)
{
	CHECK_ERR(vm_memslot(&s->vm, SPARE_SLOT, 0, BIT(s->bits), PAGE, s->mem), EFAULT);
	CHECK_ERR(vm_memslot(&s->vm, SPARE_SLOT, 0, BIT(s->bits) - PAGE, 2 * PAGE, s->mem),
		  EFAULT);
	CHECK_ERR(vm_memslot(&s->vm, SPARE_SLOT, 0, BIT(s->bits + 1), PAGE, s->mem), EFAULT);
}

static void check_space(u64 type, u32 max)
{
	struct space s;
	u32 i;

	space_create(&s, type);
	for (i = MIN_BITS - 1; i < s.bits; i++)
		add_memory(&s, BIT(i) - PAGE, 2);
	add_memory(&s, 0, 1);
	/* The guest's RAM begins at 1 GB. */
	add_memory(&s, RAM_IPA - PAGE, 1);
	/* Above GUEST_PA_BITS the last page that the guest can name is memory already. */
	check_device(&s, BIT(s.reach) - (s.bits > s.reach ? 2 * PAGE : 8));
	check_slots_beyond(&s);
	add_memory(&s, BIT(s.bits) - PAGE, 1);
	check_all_pages(&s);
	check_all_beyond(&s, max);
	if (ktap_failed())
		ktap_fail("in a VM of %u bits, type %llu", s.bits, type);
	space_destroy(&s);
}

static void every_size(void)
{
	u32 max = max_bits(), bits;

	for (bits = MIN_BITS; bits <= max; bits++)
		check_space(bits, max);
	if (max >= DEFAULT_BITS)
		check_space(0, max);
	ktap_note("%u to %u bits", MIN_BITS, max);
}

static void refused(void)
{
	u32 max = max_bits();
	u64 types[] = { 1, MIN_BITS - 1, max + 1, 255, 256, 256 + DEFAULT_BITS, BIT(31),
			1ULL << 32 | DEFAULT_BITS, ~0ULL };
	int sys = kvm_open();
	u32 i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		CHECK_ERR(ioctl(sys, KVM_CREATE_VM, types[i]), EINVAL);
	close(sys);
}

static const struct ktap_case cases[] = {
	{ "every_size", every_size },
	{ "refused", refused },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
