// SPDX-License-Identifier: GPL-2.0
/* Records that EL2 code leaves for the kernel. */
#include <asm/sysreg.h>

#include <keel/el2.h>

void __el2 el2_note(enum el2_note_kind kind, u64 a, u64 b)
{
	struct prda *p = prda();
	struct el2_note *n = &p->notes[p->note_head++ % EL2_NOTES];

	n->kind = kind;
	n->a = a;
	n->b = b;
}

bool __el2 el2_trace_exit(struct el2_ctx *ctx)
{
	el2_note(EL2_NOTE_EXIT, ctx->exit, read_sysreg(elr_el2));
	return true;
}
