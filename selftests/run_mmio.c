// SPDX-License-Identifier: GPL-2.0
/* MMIO exits: every width, sign extension, every register as source and destination. */
#include <string.h>

#include "guests/run_mmio.h"
#include "lib/vm.h"

GUEST_DECLARE(run_mmio);

#define LOAD_VALUE 0x8182838485868788ULL

/* Every general register holds this but the one that addresses the device. */
static u64 pattern(int n)
{
	return 0x0101010101010101ULL * (0x40 + n);
}

static int base_register(int n)
{
	return n == 9 ? 10 : 9;
}

static const u32 lens[] = { 1, 2, 4, 8 };

static u64 low_bytes(u64 value, u32 len)
{
	return len == 8 ? value : value & (BIT(8 * len) - 1);
}

/* All but the destination of a load and the base register are as they were. */
static void check_registers(struct vcpu *vcpu, int dest, int base)
{
	int i;

	for (i = 0; i < 31; i++)
		if (i != dest && i != base)
			CHECK_EQ(vcpu_get(vcpu, REG_X(i)), pattern(i));
}

static void run_to_mmio(struct vcpu *vcpu, u64 offset, u32 len, bool write)
{
	struct kvm_run *run = vcpu->run;

	REQUIRE_EQ(vcpu_run(vcpu), 0);
	REQUIRE_EQ(run->exit_reason, KVM_EXIT_MMIO);
	REQUIRE_EQ(run->mmio.phys_addr, MMIO_IPA + offset);
	REQUIRE_EQ(run->mmio.len, len);
	REQUIRE_EQ(run->mmio.is_write, write);
}

static void check_store(struct vcpu *vcpu, int n, u32 len, u64 value)
{
	u64 seen = 0;

	run_to_mmio(vcpu, 16 * n, len, true);
	memcpy(&seen, vcpu->run->mmio.data, len);
	CHECK_EQ(seen, low_bytes(value, len));
}

static void start(struct vm *vm, u64 part)
{
	vm_create_guest(vm, guest_run_mmio, guest_run_mmio_end, 1);
	vcpu_set(&vm->vcpus[0], REG_X(0), part);
}

static void stores(void)
{
	struct vm vm;
	int n, k;

	start(&vm, PART_STORES);
	for (n = 0; n < 32; n++)
		for (k = 0; k < MMIO_STORES; k++) {
			check_store(&vm.vcpus[0], n, lens[k], n == 31 ? 0 : pattern(n));
			check_registers(&vm.vcpus[0], -1, base_register(n));
		}
	vcpu_run_done(&vm.vcpus[0]);
}

static void loads(void)
{
	u64 value = LOAD_VALUE;
	struct vm vm;
	int n, k;

	start(&vm, PART_LOADS);
	for (n = 0; n < 32; n++)
		for (k = 0; k < MMIO_LOADS; k++) {
			run_to_mmio(&vm.vcpus[0], 16 * n + 8, lens[k], false);
			/* Bytes above the width must not reach the register. */
			memcpy(vm.vcpus[0].run->mmio.data, &value, sizeof(value));
			/* The guest stores what it has got. */
			check_store(&vm.vcpus[0], n, 8, n == 31 ? 0 : low_bytes(value, lens[k]));
			check_registers(&vm.vcpus[0], n, base_register(n));
		}
	vcpu_run_done(&vm.vcpus[0]);
}

static const struct {
	u32 len;
	bool word;
} signed_ones[MMIO_SIGNED] = {
	{ 1, true }, { 2, true }, { 1, false }, { 2, false }, { 4, false },
};

/* What a sign-extending load leaves in the register. */
static u64 extended(int kind)
{
	int shift = 64 - 8 * signed_ones[kind].len;
	s64 value = LOAD_VALUE << shift;

	value >>= shift;
	return signed_ones[kind].word ? (u32)value : (u64)value;
}

/* In-tree KVM cuts the value to the width of the access after it has extended the sign. */
static u64 extended_in_tree(int kind, u64 seen)
{
	u64 cut = low_bytes(LOAD_VALUE, signed_ones[kind].len);

	return !kvm_is_keel() && seen == cut ? cut : extended(kind);
}

static void signed_loads(void)
{
	u64 value = LOAD_VALUE, seen;
	struct vm vm;
	int n, k;

	start(&vm, PART_SIGNED);
	for (n = 0; n < 32; n++)
		for (k = 0; k < MMIO_SIGNED; k++) {
			run_to_mmio(&vm.vcpus[0], 16 * n + 8, signed_ones[k].len, false);
			memcpy(vm.vcpus[0].run->mmio.data, &value, sizeof(value));
			run_to_mmio(&vm.vcpus[0], 16 * n, 8, true);
			memcpy(&seen, vm.vcpus[0].run->mmio.data, sizeof(seen));
			CHECK_EQ(seen, n == 31 ? 0 : extended_in_tree(k, seen));
			check_registers(&vm.vcpus[0], n, base_register(n));
		}
	vcpu_run_done(&vm.vcpus[0]);
}

/* Addresses over many pages, at their ends and beginnings too. */
static void addresses(void)
{
	struct kvm_run *run;
	struct vm vm;
	int i;

	start(&vm, PART_ADDRESSES);
	run = vm.vcpus[0].run;
	for (i = 0; i < MMIO_ADDRESSES; i++) {
		REQUIRE_EQ(vcpu_run(&vm.vcpus[0]), 0);
		REQUIRE_EQ(run->exit_reason, KVM_EXIT_MMIO);
		CHECK_EQ(run->mmio.phys_addr, MMIO_IPA + (u64)i * 0x3ffc);
		CHECK_EQ(run->mmio.len, 4);
		CHECK_EQ(run->mmio.is_write, i & 1);
	}
	vcpu_run_done(&vm.vcpus[0]);
}

static const struct ktap_case cases[] = {
	{ "stores", stores },
	{ "loads", loads },
	{ "signed_loads", signed_loads },
	{ "addresses", addresses },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
