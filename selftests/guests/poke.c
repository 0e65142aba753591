// SPDX-License-Identifier: GPL-2.0
/* Does single accesses that the test asks for; an exception becomes part of the answer. */
#include "guest.h"
#include "../lib/poke.h"

static struct poke *const cmd = (struct poke *)SHARED_IPA;

static void note_exception(struct frame *frame)
{
	cmd->esr = frame->esr;
	cmd->far = frame->far;
	/* An instruction abort comes from a call: go back to its caller. */
	if (ESR_EC(frame->esr) == EC_IABT_EL1)
		frame->pc = frame->x[30];
	else
		frame->pc += 4;
}

static void loop(u64 counter, u64 addr, int len)
{
	u64 n;

	for (n = 1;; n++) {
		if (addr)
			mmio_read(addr, len);
		mmio_write(counter, 8, n);
	}
}

static void command(void)
{
	switch (READ_ONCE(cmd->op)) {
	case POKE_READ:
		cmd->value = mmio_read(cmd->addr, cmd->len);
		break;
	case POKE_WRITE:
		mmio_write(cmd->addr, cmd->len, cmd->value);
		break;
	case POKE_EXEC:
		asm volatile("ic iallu\n\tdsb nsh\n\tisb" : : : "memory");
		cmd->value = ((u64 (*)(void))cmd->addr)();
		break;
	case POKE_LOOP:
		loop(cmd->addr, cmd->value, cmd->len);
		break;
	}
}

void guest_main(u64 arg __always_unused)
{
	vector_set(VECTOR_SYNC, note_exception);
	for (;;) {
		sync(0);
		command();
	}
}
