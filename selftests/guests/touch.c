// SPDX-License-Identifier: GPL-2.0
/* Goes through memory as the test asks, without an exit of its own until it is through. */
#include "guest.h"
#include "../lib/touch.h"

static struct touch *const cmd = (struct touch *)SHARED_IPA;

static void touch(void)
{
	u64 addr, bad = 0;

	for (addr = cmd->addr; addr < cmd->addr + cmd->size; addr += cmd->step) {
		if (cmd->op == TOUCH_WRITE)
			mmio_write(addr, 8, cmd->value + addr);
		else if (mmio_read(addr, 8) != (cmd->op == TOUCH_ZERO ? 0 : cmd->value + addr))
			bad++;
	}
	cmd->bad = bad;
}

/* Each page has its round in it: if one goes back, a write of ours was lost. */
static void turn(void)
{
	u64 addr, round;

	for (round = cmd->value;; round++) {
		for (addr = cmd->addr; addr < cmd->addr + cmd->size; addr += cmd->step) {
			ASSERT_EQ(mmio_read(addr, 8), round + addr);
			mmio_write(addr, 8, round + 1 + addr);
		}
		WRITE_ONCE(cmd->bad, round);
	}
}

void guest_main(u64 arg __always_unused)
{
	mmu_memory_at(TOUCH_IPA >> 30);
	for (;;) {
		sync(0);
		if (cmd->op == TOUCH_TURN)
			turn();
		if (cmd->op == TOUCH_EXEC)
			cmd->bad = ((u64 (*)(void))cmd->addr)();
		else
			touch();
	}
}
