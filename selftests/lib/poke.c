// SPDX-License-Identifier: GPL-2.0
/* Driving the guest that does single accesses on demand. */
#include <string.h>

#include "poke.h"

GUEST_DECLARE(poke);

void poke_create(struct vm *vm)
{
	vm_create_guest(vm, guest_poke, guest_poke_end, 1);
	vcpu_run_sync(&vm->vcpus[0]);
}

bool poke_resume(struct vm *vm, struct poke *cmd)
{
	struct report report = vcpu_run_report(&vm->vcpus[0]);

	if (!report.kind)
		return false;
	REQUIRE_EQ(report.kind, REPORT_SYNC);
	memcpy(cmd, vm_ptr(vm, SHARED_IPA), sizeof(*cmd));
	return true;
}

bool poke_command(struct vm *vm, struct poke *cmd)
{
	cmd->esr = 0;
	cmd->far = 0;
	memcpy(vm_ptr(vm, SHARED_IPA), cmd, sizeof(*cmd));
	return poke_resume(vm, cmd);
}

static void poke_plain(struct vm *vm, struct poke *cmd)
{
	if (!poke_command(vm, cmd))
		vcpu_bad_exit(&vm->vcpus[0]);
	if (cmd->esr)
		ktap_fail("access to %#llx: exception, esr %#llx", cmd->addr, cmd->esr);
}

u64 poke_read(struct vm *vm, u64 addr, u64 len)
{
	struct poke cmd = { .op = POKE_READ, .addr = addr, .len = len };

	poke_plain(vm, &cmd);
	return cmd.value;
}

void poke_write(struct vm *vm, u64 addr, u64 len, u64 value)
{
	struct poke cmd = { .op = POKE_WRITE, .addr = addr, .len = len, .value = value };

	poke_plain(vm, &cmd);
}

static bool exit_matches(struct kvm_run *run, const struct poke *cmd)
{
	bool write = cmd->op == POKE_WRITE;

	return CHECK_EQ(run->exit_reason, KVM_EXIT_MMIO) &&
	       CHECK_EQ(run->mmio.phys_addr, cmd->addr) &&
	       CHECK_EQ(run->mmio.len, cmd->len) && CHECK_EQ(run->mmio.is_write, write);
}

bool poke_exits(struct vm *vm, bool write, u64 addr, u64 len, u64 value)
{
	struct poke cmd = { .op = write ? POKE_WRITE : POKE_READ, .addr = addr, .len = len };
	struct kvm_run *run = vm->vcpus[0].run;
	u64 mask = len == 8 ? ~0ULL : BIT(len * 8) - 1, seen = 0;

	cmd.value = write ? value : 0;
	if (!CHECK(!poke_command(vm, &cmd)) || !exit_matches(run, &cmd))
		return false;
	if (write) {
		memcpy(&seen, run->mmio.data, len);
		if (!CHECK_EQ(seen, value & mask))
			return false;
	} else {
		memcpy(run->mmio.data, &value, len);
	}
	return CHECK(poke_resume(vm, &cmd)) && CHECK_EQ(cmd.esr, 0) &&
	       (write || CHECK_EQ(cmd.value, value & mask));
}
