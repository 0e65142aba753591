// SPDX-License-Identifier: GPL-2.0
/*
 * Sign-extending loads of MMIO. The syndrome says that by ESR_EL2.SSE; an emulated machine may
 * leave that bit out, then no hypervisor can tell them from the others.
 */
#include <string.h>

#include "guests/run_mmio.h"
#include "lib/vm.h"

GUEST_DECLARE(run_mmio);

#define LOAD_VALUE 0x8182838485868788ULL

static const struct {
	u32 len;
	bool word;
} loads[MMIO_SIGNED] = {
	{ 1, true }, { 2, true }, { 1, false }, { 2, false }, { 4, false },
};

static u64 extended(int kind, bool sign)
{
	int shift = 64 - 8 * loads[kind].len;
	s64 value = LOAD_VALUE << shift;

	value = sign ? value >> shift : (s64)((u64)value >> shift);
	return loads[kind].word ? (u32)value : (u64)value;
}

/* One load into register n: what it held then. */
static u64 load(struct vcpu *vcpu, int kind)
{
	struct kvm_run *run = vcpu->run;
	u64 value = LOAD_VALUE;

	REQUIRE_EQ(vcpu_run(vcpu), 0);
	REQUIRE_EQ(run->exit_reason, KVM_EXIT_MMIO);
	REQUIRE_EQ(run->mmio.is_write, 0);
	REQUIRE_EQ(run->mmio.len, loads[kind].len);
	memcpy(run->mmio.data, &value, sizeof(value));
	REQUIRE_EQ(vcpu_run(vcpu), 0);
	REQUIRE_EQ(run->exit_reason, KVM_EXIT_MMIO);
	REQUIRE_EQ(run->mmio.is_write, 1);
	memcpy(&value, run->mmio.data, sizeof(value));
	return value;
}

static void signed_loads(void)
{
	int n, k, right = 0, unsigned_ones = 0;
	struct vm vm;
	u64 value;

	vm_create_guest(&vm, guest_run_mmio, guest_run_mmio_end, 1);
	vcpu_set(&vm.vcpus[0], REG_X(0), PART_SIGNED);
	for (n = 0; n < 32; n++)
		for (k = 0; k < MMIO_SIGNED; k++) {
			value = load(&vm.vcpus[0], k);
			if (n == 31)
				CHECK_EQ(value, 0);
			else if (value == extended(k, false))
				unsigned_ones++;
			else if (CHECK_EQ(value, extended(k, true)))
				right++;
		}
	if (!right && !ktap_failed())
		ktap_skip("syndromes of this machine lack the sign bit (SSE)");
	CHECK_EQ(unsigned_ones, 0);
}

static const struct ktap_case cases[] = {
	{ "signed_loads", signed_loads },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
