// SPDX-License-Identifier: GPL-2.0
/* Ticket locks for what EL2 code and the kernel share (switch.md 2.2). */
#include <asm/barrier.h>
#include <asm/processor.h>

#include <keel/el2.h>

/*
 * Plain exclusives, not the kernel's atomics: those are patched to LSE by alternatives and may be
 * instrumented. WFE needs no SEV: the store that changes the lock word clears this CPU's exclusive
 * monitor, which is an event (Arm ARM D1.7.1, "global monitor for the PE changes").
 */
void __el2 el2_lock(struct el2_lock *l)
{
	u32 val, next, fail;

	asm volatile("	prfm	pstl1strm, %3\n"
	"1:	ldaxr	%w0, %3\n"
	"	add	%w1, %w0, #0x10000\n"
	"	stxr	%w2, %w1, %3\n"
	"	cbnz	%w2, 1b\n"
	: "=&r" (val), "=&r" (next), "=&r" (fail), "+Q" (l->val)
	:: "memory");

	next = val >> 16;
	if ((val & 0xffff) == next)
		return;

	asm volatile("	sevl\n"
	"1:	wfe\n"
	"	ldaxrh	%w0, %1\n"
	"	eor	%w0, %w0, %w2\n"
	"	cbnz	%w0, 1b\n"
	: "=&r" (val), "+Q" (l->owner)
	: "r" (next)
	: "memory");
}

/* Store-release pairs with the load-acquire above. Only the holder writes @owner. */
void __el2 el2_unlock(struct el2_lock *l)
{
	/* Pairs with the load-acquires in el2_lock(). */
	smp_store_release(&l->owner, (u16)(l->owner + 1));
}
