// SPDX-License-Identifier: GPL-2.0
/* KVM_GET_REG_LIST and ONE_REG: the list, round trips, errors, and what the guest sees. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guests/abi_one_reg.h"
#include "lib/vm.h"

GUEST_DECLARE(abi_one_reg);

#define REG_FP(m, size) \
	(KVM_REG_ARM64 | KVM_REG_SIZE_##size | KVM_REG_ARM_CORE | KVM_REG_ARM_CORE_REG(fp_regs.m))
#define REG_Q(n)	(REG_FP(vregs[0], U128) + 4 * (n))
#define REG_CPACR	REG_SYS(3, 0, 1, 0, 2)
#define NZCV_EL1H	0xf00003c5ULL

static size_t reg_size(u64 id)
{
	return 1UL << ((id & KVM_REG_SIZE_MASK) >> KVM_REG_SIZE_SHIFT);
}

static int one_reg(struct vcpu *vcpu, bool set, u64 id, void *value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (u64)value };

	return ioctl(vcpu->fd, set ? KVM_SET_ONE_REG : KVM_GET_ONE_REG, &reg);
}

static struct kvm_reg_list *list_get(struct vcpu *vcpu)
{
	struct kvm_reg_list head = { .n = 0 }, *list;

	CHECK_ERR(ioctl(vcpu->fd, KVM_GET_REG_LIST, &head), E2BIG);
	REQUIRE(head.n > 31 && head.n < 10000);
	list = malloc(sizeof(*list) + head.n * sizeof(u64));
	REQUIRE(list);
	list->n = head.n - 1;
	CHECK_ERR(ioctl(vcpu->fd, KVM_GET_REG_LIST, list), E2BIG);
	CHECK_EQ(list->n, head.n);
	REQUIRE_OK(ioctl(vcpu->fd, KVM_GET_REG_LIST, list));
	CHECK_EQ(list->n, head.n);
	return list;
}

static bool list_has(const struct kvm_reg_list *list, u64 id)
{
	u64 i;

	for (i = 0; i < list->n; i++)
		if (list->reg[i] == id)
			return true;
	return false;
}

static void one_vcpu(struct vm *vm)
{
	vm_create_guest(vm, guest_abi_one_reg, guest_abi_one_reg_end, 1);
}

static void list_contents(void)
{
	static const u64 required[] = {
		REG_PC, REG_PSTATE, REG_X(0), REG_X(30), REG_CORE(regs.sp), REG_CORE(sp_el1),
		REG_CORE(elr_el1), REG_CORE(spsr[0]), REG_CORE(spsr[4]), REG_Q(0), REG_Q(31),
		REG_FP(fpsr, U32), REG_FP(fpcr, U32), REG_MPIDR,
		REG_SYS(3, 0, 1, 0, 0),		/* SCTLR_EL1 */
		REG_SYS(3, 0, 2, 0, 0),		/* TTBR0_EL1 */
		REG_SYS(3, 0, 12, 0, 0),	/* VBAR_EL1 */
		KVM_REG_ARM_TIMER_CTL, KVM_REG_ARM_TIMER_CNT, KVM_REG_ARM_TIMER_CVAL,
	};
	struct kvm_reg_list *list;
	struct vm vm;
	size_t i, k;

	one_vcpu(&vm);
	list = list_get(&vm.vcpus[0]);
	for (i = 0; i < ARRAY_SIZE(required); i++)
		if (!CHECK(list_has(list, required[i])))
			ktap_note("register %#llx is not listed", required[i]);
	for (i = 0; i < list->n; i++) {
		CHECK_EQ(list->reg[i] & KVM_REG_ARCH_MASK, KVM_REG_ARM64);
		for (k = 0; k < i; k++)
			CHECK(list->reg[i] != list->reg[k]);
	}
	vm_destroy(&vm);
}

static bool is_counter(u64 id)
{
	return id == KVM_REG_ARM_TIMER_CNT || id == REG_SYS(3, 3, 14, 0, 1);
}

/* What clients do at every reset: read all, write all back. */
static void round_trip(void)
{
	struct kvm_reg_list *list;
	char value[2048], again[2048];
	struct vcpu *vcpu;
	struct vm vm;
	u64 i, id;

	one_vcpu(&vm);
	vcpu = &vm.vcpus[0];
	list = list_get(vcpu);
	for (i = 0; i < list->n; i++) {
		id = list->reg[i];
		if (!CHECK_OK(one_reg(vcpu, false, id, value)) ||
		    !CHECK_OK(one_reg(vcpu, true, id, value)) ||
		    !CHECK_OK(one_reg(vcpu, false, id, again)))
			ktap_note("the register is %#llx", id);
		if (!is_counter(id) && memcmp(value, again, reg_size(id))) {
			CHECK(!"the value read back is another");
			ktap_note("the register is %#llx", id);
		}
	}
	vm_destroy(&vm);
}

static void errors(void)
{
	static const u64 unknown[] = {
		REG_SYS(3, 7, 15, 15, 7), REG_SYS(3, 0, 5, 7, 3), REG_SYS(2, 1, 0, 9, 1),
		REG_SYS(1, 0, 7, 5, 0), KVM_REG_ARM64 | KVM_REG_SIZE_U64 | 0x7fff0000,
	};
	struct vcpu *vcpu;
	struct vm vm;
	u64 value = 0;
	size_t i;

	one_vcpu(&vm);
	vcpu = &vm.vcpus[0];
	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		CHECK_ERR(one_reg(vcpu, false, unknown[i], &value), ENOENT);
		CHECK_ERR(one_reg(vcpu, true, unknown[i], &value), ENOENT);
	}
	/* Another architecture, core registers by halves or beyond the end, bad memory. */
	CHECK_ERR(one_reg(vcpu, false, KVM_REG_X86 | KVM_REG_SIZE_U64, &value), EINVAL);
	CHECK_ERR(one_reg(vcpu, false, REG_PC + 1, &value), EINVAL);
	CHECK(one_reg(vcpu, false, REG_X(0) + 0x1000, &value) < 0);
	CHECK_ERR(one_reg(vcpu, false, REG_PC, (void *)8), EFAULT);
	CHECK_ERR(one_reg(vcpu, true, REG_PC, (void *)8), EFAULT);
	CHECK_ERR(ioctl(vcpu->fd, KVM_GET_ONE_REG, 8), EFAULT);
	CHECK_ERR(ioctl(vcpu->fd, KVM_GET_REG_LIST, 8), EFAULT);
	/* No AArch32, no EL2. */
	value = 0x3c9;
	CHECK_ERR(one_reg(vcpu, true, REG_PSTATE, &value), EINVAL);
	value = 0x1d3;
	CHECK_ERR(one_reg(vcpu, true, REG_PSTATE, &value), EINVAL);
	CHECK_EQ(vcpu_get(vcpu, REG_PSTATE), 0x3c5);
	vm_destroy(&vm);
}

static u64 pattern(int n)
{
	return 0x1122334455667788ULL * (n + 3) ^ n;
}

static void set_q(struct vcpu *vcpu, int n, u64 lo, u64 hi)
{
	u64 q[2] = { lo, hi };

	REQUIRE_OK(one_reg(vcpu, true, REG_Q(n), q));
}

static void set_all(struct vcpu *vcpu)
{
	u32 fpsr = 0x0800001f, fpcr = 0x03c00000;
	int i;

	for (i = 0; i < 31; i++)
		vcpu_set(vcpu, REG_X(i), pattern(i));
	for (i = 0; i < 32; i++)
		set_q(vcpu, i, pattern(100 + i), pattern(200 + i));
	REQUIRE_OK(one_reg(vcpu, true, REG_FP(fpsr, U32), &fpsr));
	REQUIRE_OK(one_reg(vcpu, true, REG_FP(fpcr, U32), &fpcr));
	vcpu_set(vcpu, REG_CORE(regs.sp), pattern(31));
	vcpu_set(vcpu, REG_CORE(sp_el1), pattern(32));
	vcpu_set(vcpu, REG_CORE(elr_el1), pattern(33));
	vcpu_set(vcpu, REG_CORE(spsr[0]), NZCV_EL1H);
	vcpu_set(vcpu, REG_CPACR, 3 << 20);
	vcpu_set(vcpu, REG_PC, RAM_IPA);
}

/* What set_all() has written, as the guest stored it. */
static void check_guest_saw(const u64 *block)
{
	int i;

	for (i = 0; i < 31; i++)
		CHECK_EQ(block[i], pattern(i));
	CHECK_EQ(block[OFFSET_SP_EL0 / 8], pattern(31));
	CHECK_EQ(block[OFFSET_SP_EL1 / 8], pattern(32));
	CHECK_EQ(block[OFFSET_ELR / 8], pattern(33));
	CHECK_EQ(block[OFFSET_SPSR / 8], NZCV_EL1H);
	CHECK_EQ(block[OFFSET_FPSR / 8], 0x0800001f);
	CHECK_EQ(block[OFFSET_FPCR / 8], 0x03c00000);
	for (i = 0; i < 32; i++) {
		CHECK_EQ(block[OFFSET_Q / 8 + 2 * i], pattern(100 + i));
		CHECK_EQ(block[OFFSET_Q / 8 + 2 * i + 1], pattern(200 + i));
	}
}

static void fill_second(u64 *block)
{
	int i;

	for (i = 0; i < 36; i++)
		block[i] = pattern(300 + i);
	block[28] = REPORT_IPA;
	block[29] = (u64)REPORT_DONE << REPORT_SHIFT | 7;
	block[OFFSET_SPSR / 8] = 0x600003c4;
	block[OFFSET_FPSR / 8] = 0x10;
	block[OFFSET_FPCR / 8] = 0x00400000;
	for (i = 0; i < 64; i++)
		block[OFFSET_Q / 8 + i] = pattern(400 + i);
}

static void check_vmm_sees(struct vcpu *vcpu, const u64 *block)
{
	u64 q[2];
	u32 fp = 0;
	int i;

	for (i = 0; i < 31; i++)
		CHECK_EQ(vcpu_get(vcpu, REG_X(i)), block[i]);
	CHECK_EQ(vcpu_get(vcpu, REG_CORE(regs.sp)), block[OFFSET_SP_EL0 / 8]);
	CHECK_EQ(vcpu_get(vcpu, REG_CORE(sp_el1)), block[OFFSET_SP_EL1 / 8]);
	CHECK_EQ(vcpu_get(vcpu, REG_CORE(elr_el1)), block[OFFSET_ELR / 8]);
	CHECK_EQ(vcpu_get(vcpu, REG_CORE(spsr[0])), block[OFFSET_SPSR / 8]);
	CHECK_OK(one_reg(vcpu, false, REG_FP(fpsr, U32), &fp));
	CHECK_EQ(fp, block[OFFSET_FPSR / 8]);
	CHECK_OK(one_reg(vcpu, false, REG_FP(fpcr, U32), &fp));
	CHECK_EQ(fp, block[OFFSET_FPCR / 8]);
	for (i = 0; i < 32; i++) {
		CHECK_OK(one_reg(vcpu, false, REG_Q(i), q));
		CHECK_EQ(q[0], block[OFFSET_Q / 8 + 2 * i]);
		CHECK_EQ(q[1], block[OFFSET_Q / 8 + 2 * i + 1]);
	}
}

static void guest_and_vmm_agree(void)
{
	u64 *block;
	struct vm vm;

	one_vcpu(&vm);
	block = vm_ptr(&vm, SHARED_IPA);
	set_all(&vm.vcpus[0]);
	fill_second(block + OFFSET_SECOND / 8);
	CHECK_EQ(vcpu_run_done(&vm.vcpus[0]), 7);
	check_guest_saw(block);
	check_vmm_sees(&vm.vcpus[0], block + OFFSET_SECOND / 8);
	vm_destroy(&vm);
}

static void mpidrs(void)
{
	struct vm vm;
	int i;

	vm_create_guest(&vm, guest_abi_one_reg, guest_abi_one_reg_end, 0);
	for (i = 0; i < 16; i += 5)
		vcpu_init(vcpu_create(&vm, i), false);
	for (i = 0; i < vm.nr_vcpus; i++)
		CHECK_EQ(vcpu_get(&vm.vcpus[i], REG_MPIDR) & 0xff00ffffff, vm.vcpus[i].id);
	vm_destroy(&vm);
}

/* The counter goes on from where it is set. */
static void timer_counter(void)
{
	struct vcpu *vcpu;
	struct vm vm;
	u64 now;

	one_vcpu(&vm);
	vcpu = &vm.vcpus[0];
	vcpu_set(vcpu, KVM_REG_ARM_TIMER_CNT, 1ULL << 50);
	now = vcpu_get(vcpu, KVM_REG_ARM_TIMER_CNT);
	CHECK(now >= 1ULL << 50 && now < 1ULL << 51);
	CHECK(vcpu_get(vcpu, KVM_REG_ARM_TIMER_CNT) >= now);
	vcpu_set(vcpu, KVM_REG_ARM_TIMER_CVAL, 1ULL << 60);
	vcpu_set(vcpu, KVM_REG_ARM_TIMER_CTL, 1);
	CHECK_EQ(vcpu_get(vcpu, KVM_REG_ARM_TIMER_CVAL), 1ULL << 60);
	CHECK_EQ(vcpu_get(vcpu, KVM_REG_ARM_TIMER_CTL), 1);
	/* In the past: the status bit says so. */
	vcpu_set(vcpu, KVM_REG_ARM_TIMER_CVAL, 1);
	CHECK_EQ(vcpu_get(vcpu, KVM_REG_ARM_TIMER_CTL), 5);
	vm_destroy(&vm);
}

static const struct ktap_case cases[] = {
	{ "list_contents", list_contents },
	{ "round_trip", round_trip },
	{ "errors", errors },
	{ "guest_and_vmm_agree", guest_and_vmm_agree },
	{ "mpidrs", mpidrs },
	{ "timer_counter", timer_counter },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
