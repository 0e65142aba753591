// SPDX-License-Identifier: GPL-2.0
/*
 * THE MAP: every exception class (Arm ARM D24.2.40) and interrupt that can bring the guest to EL2.
 *
 * A row says which control bits cause it, who answers it at EL2 with guest state still loaded
 * (first tier; NULL: nobody) and who answers it in the kernel (second tier). The rows are in
 * exits.def, which the EL2 objects include too, for their column.
 */
#include <linux/kernel.h>
#include <linux/nospec.h>

#include <keel/compat.h>
#include <keel/exits.h>
#include <keel/vm.h>

/* The interrupt that ended the pass was taken when the loop turned interrupts on. */
static int exit_interrupt(struct keel_vcpu *vcpu)
{
	return 1;
}

/* No control bit that keel sets causes this row: the guest gets UNDEF, and it is counted. */
static int exit_unexpected(struct keel_vcpu *vcpu)
{
	vcpu_count(vcpu, COUNT_UNDEF);
	vcpu_inject_undef(vcpu);
	return 1;
}

/** struct exit_row - a row of the map as the kernel sees it; @hook: active only while this is on */
struct exit_row {
	const char *name;
	int (*handle)(struct keel_vcpu *vcpu);
	u32 hook;
	struct el2_traps traps;
};

#define HOOK(bit) .hook = (bit)
#define TRAP(reg, bits) .traps.reg = (bits)
#define EXIT(row, label, el2, kernel, ...) \
	[row] = { .name = label, .handle = kernel, ##__VA_ARGS__ },

static const struct exit_row exits[EL2_NR_EXITS] = {
#include "exits.def"
};

int exit_handle(struct keel_vcpu *vcpu, unsigned int exit)
{
	const struct exit_row *row;

	exit = array_index_nospec(exit, EL2_NR_EXITS);
	row = &exits[exit];
	vcpu->exits[exit]++;
	if (unlikely(vcpu->vgic.owes) && vgic_pay_owed(vcpu))
		return 1;
	/*
	 * A guest's SError surfaced on the way out: pending for the next entry, beside the exit
	 * itself.
	 */
	if (vcpu->state.ctx.disr && exit != EL2_EXIT_SERROR)
		vcpu_handle_serror(vcpu);
	return row->handle ? row->handle(vcpu) : exit_unexpected(vcpu);
}

const char *exit_name(unsigned int exit)
{
	return exit < EL2_NR_EXITS ? exits[exit].name : NULL;
}

static void traps_or(struct el2_traps *t, const struct el2_traps *add)
{
	unsigned int i;

	t->hcr |= add->hcr;
	t->hcrx |= add->hcrx;
	t->cptr |= add->cptr;
	t->mdcr |= add->mdcr;
	t->hstr |= add->hstr;
	t->cnthctl |= add->cnthctl;
	t->ich_hcr |= add->ich_hcr;
	for (i = 0; i < EL2_NR_FGT; i++)
		t->fgt[i] |= add->fgt[i];
}

void traps_compute(struct keel_vm *vm)
{
	struct el2_traps traps;
	unsigned int i;

	vcpu_traps_base(vm, &traps);
	for (i = 0; i < EL2_NR_EXITS; i++)
		if (!exits[i].hook || exits[i].hook & vm->hooks)
			traps_or(&traps, &exits[i].traps);
	/* vCPUs may be in the guest: what a hook changes is loaded anew, the rest is the same. */
	vm->traps = traps;
}
