// SPDX-License-Identifier: GPL-2.0
/* Records that EL2 code leaves for the kernel. */
#include <keel/el2.h>

void __el2 el2_note(enum el2_note_kind kind, u64 a, u64 b)
{
	struct prda *p = prda();
	struct el2_note *n = &p->notes[p->note_head++ % EL2_NOTES];

	*n = (struct el2_note) { .kind = kind, .a = a, .b = b };
}

bool __el2 el2_trace_exit(struct el2_ctx *ctx, u64 pc, u64 x0)
{
	struct prda *p = prda();
	struct el2_note *n = &p->notes[p->note_head++ % EL2_NOTES];

	n->kind = EL2_NOTE_EXIT;
	n->a = ctx->exit;
	n->b = pc;
	n->esr = ctx->esr;
	n->arg = el2_exit_arg(ctx, ctx->exit, x0);
	return true;
}
