// SPDX-License-Identifier: GPL-2.0
/*
 * Pseudo-NMI in a guest: SGIs of a better priority interrupt where regular ones are masked.
 *
 * Whichever method: the vector is obtained from ICC_IAR1_EL1, and the vector decides. Regular:
 * PSTATE.I is cleared, so that a pseudo-NMI nests, the handler runs, PSTATE.I is set; the running
 * priority keeps further regular ones off meanwhile. Pseudo-NMI: its handler runs, as it is. ELR
 * and SPSR, which a nested exception overwrites, are in the frame by then (entry.S). A spurious
 * vector gets no EOI.
 *
 * Eager masking: ICC_PMR_EL1, a register write each time. Lazy masking: a flag. A regular interrupt
 * that comes while it is set is acknowledged, its vector saved, and run when the flag clears; until
 * its EOI its running priority masks what the flag would.
 */
#include "guest.h"
#include "pnmi_dispatch.h"

#define SGI_REGULAR	1
#define SGI_REGULAR2	2
#define SGI_PNMI	8
#define SGI_PNMI2	9

#define PRIORITY_REGULAR	0xa0
#define PRIORITY_PNMI		0x20
#define PMR_ALL			0xf0
#define PMR_PNMI		0x60	/* what is above it in priority: pseudo-NMIs */
#define RPR_IDLE		0xff
#define ISR_IRQ			BIT(7)

#define STORM_ROUNDS		500

static u32 masking;
static u32 masked, saved;	/* lazy masking; CPU 0's, as all that follows */
static u32 acks, eois, spurious;
static u32 count[16];
static u64 pnmi_pc;
static bool in_regular, in_pnmi;
static void (*inside_regular)(void);
static void (*inside_pnmi)(void);

static u32 seen(u32 intid)
{
	return __atomic_load_n(&count[intid], __ATOMIC_ACQUIRE);
}

static void wait_count(u32 intid, u32 n)
{
	while (seen(intid) < n)
		cpu_relax();
	ASSERT_EQ(seen(intid), n);
}

static bool is_pnmi(u32 intid)
{
	return intid >= SGI_PNMI;
}

static void handle_regular(u32 intid)
{
	ASSERT(!in_regular && !in_pnmi);
	WRITE_ONCE(in_regular, 1);
	if (inside_regular)
		inside_regular();
	WRITE_ONCE(in_regular, 0);
	__atomic_add_fetch(&count[intid], 1, __ATOMIC_RELEASE);
}

static void handle_pnmi(u32 intid, struct frame *frame)
{
	ASSERT(!in_pnmi);
	WRITE_ONCE(in_pnmi, 1);
	pnmi_pc = frame->pc;
	if (inside_pnmi)
		inside_pnmi();
	WRITE_ONCE(in_pnmi, 0);
	__atomic_add_fetch(&count[intid], 1, __ATOMIC_RELEASE);
}

static void end_of(u32 intid)
{
	eois++;
	icc_write(ICC_EOIR1_EL1, intid);
	isb();
}

static void dispatch(struct frame *frame)
{
	u32 intid = icc_read(ICC_IAR1_EL1);

	dsb(sy);	/* acknowledged, before PSTATE.I is cleared (Arm IHI 0069 4.1.1) */
	if (intid >= 1020) {
		spurious++;
		return;
	}
	acks++;
	if (masked && !is_pnmi(intid)) {
		ASSERT(!saved);
		saved = intid;
		return;
	}
	if (is_pnmi(intid)) {
		handle_pnmi(intid, frame);
	} else {
		irq_on();
		handle_regular(intid);
		irq_off();
	}
	end_of(intid);
}

static void mask_regular(void)
{
	switch (masking) {
	case MASK_EAGER:
		icc_write(ICC_PMR_EL1, PMR_PNMI);
		dsb(sy);	/* the interface may signal by the old value until then */
		break;
	case MASK_LAZY:
		WRITE_ONCE(masked, 1);
		break;
	default:
		irq_off();
	}
}

/* What was saved runs after the flag is clear, so that it is not saved again. */
static void unmask_lazy(void)
{
	u32 intid;

	WRITE_ONCE(masked, 0);
	intid = READ_ONCE(saved);
	if (!intid)
		return;
	WRITE_ONCE(saved, 0);
	handle_regular(intid);
	end_of(intid);
}

static void unmask_regular(void)
{
	switch (masking) {
	case MASK_EAGER:
		icc_write(ICC_PMR_EL1, PMR_ALL);
		isb();
		break;
	case MASK_LAZY:
		unmask_lazy();
		break;
	default:
		irq_on();
	}
}

/* --- (a) and (f): a CPU that spins with regular interrupts masked --- */

static u32 spinning, stop;
static u64 spin_place[2];	/* of the loop: its begin and end */

/* Until another CPU says stop. */
static void spin(void)
{
	u64 begin, end;

	asm volatile("	adr	%0, 1f\n"
		     "	adr	%1, 2f\n"
		     "	stp	%0, %1, [%2]\n"
		     "1:	ldar	w9, [%3]\n"
		     "	cbz	w9, 1b\n"
		     "2:"
		     : "=&r" (begin), "=&r" (end)
		     : "r" (spin_place), "r" (&stop) : "x9", "memory");
}

/* GICR_ISPENDR0 of CPU 0: asking for it brings CPU 0 out of its guest, and back. */
static u32 pending_there(void)
{
	return mmio_read(GICR_IPA + GICR_SGI_OFFSET + GICD_ISPENDR, 4);
}

/* The pseudo-NMI gets through by itself, or CPU 0 has been out of its guest and back in vain. */
static void ring_masked_cpu(u64 arg __always_unused)
{
	u32 i;

	while (!__atomic_load_n(&spinning, __ATOMIC_ACQUIRE))
		cpu_relax();
	gic_sgi(0, SGI_REGULAR);
	gic_sgi(0, SGI_PNMI);
	if (masking == MASK_PSTATE) {
		for (i = 0; i < 100; i++)
			pending_there();
		ASSERT_EQ(seen(SGI_PNMI), 0);
	} else {
		wait_count(SGI_PNMI, 1);
	}
	ASSERT_EQ(seen(SGI_REGULAR), 0);
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
}

/* PSTATE.I: signalled, both of them, and held off. */
static void check_held_off(void)
{
	ASSERT(sysreg_read(isr_el1) & ISR_IRQ);
	ASSERT_EQ(icc_read(ICC_HPPIR1_EL1), SGI_PNMI);
	ASSERT_EQ(seen(SGI_PNMI), 0);
}

/* At once, where it was; the regular one only when it may. */
static void check_got_through(void)
{
	ASSERT_EQ(seen(SGI_PNMI), 1);
	ASSERT(pnmi_pc >= spin_place[0] && pnmi_pc < spin_place[1]);
	/* Lazy: the regular one is acknowledged already, which its priority tells. */
	ASSERT_EQ(icc_read(ICC_RPR_EL1), masking == MASK_LAZY ? PRIORITY_REGULAR : RPR_IDLE);
}

static void prove_masked(void)
{
	mask_regular();
	ASSERT_EQ(smp_start(1, ring_masked_cpu, 0), PSCI_SUCCESS);
	__atomic_store_n(&spinning, 1, __ATOMIC_RELEASE);
	spin();
	gic_settle();
	ASSERT_EQ(seen(SGI_REGULAR), 0);
	if (masking == MASK_PSTATE)
		check_held_off();
	else
		check_got_through();
	unmask_regular();
	wait_count(SGI_REGULAR, 1);
	gic_settle();
	ASSERT_EQ(seen(SGI_REGULAR), 1);
	ASSERT_EQ(seen(SGI_PNMI), 1);
}

/* --- (b): a pseudo-NMI inside a regular handler --- */

static char order[8];
static u32 n_order;

static void note(char what)
{
	ASSERT(n_order < ARRAY_SIZE(order));
	order[n_order++] = what;
}

static void note_pnmi(void)
{
	note('P');
	ASSERT_EQ(icc_read(ICC_RPR_EL1), PRIORITY_PNMI);
}

static void ring_oneself(void)
{
	u32 n = seen(SGI_PNMI);

	note('R');
	ASSERT_EQ(icc_read(ICC_RPR_EL1), PRIORITY_REGULAR);
	gic_sgi(0, SGI_PNMI);
	wait_count(SGI_PNMI, n + 1);
	ASSERT_EQ(icc_read(ICC_RPR_EL1), PRIORITY_REGULAR);
	note('r');
}

static void check_order(void)
{
	u32 i;

	ASSERT_EQ(n_order, 3);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(order[i], "RPr"[i]);
	n_order = 0;
	ASSERT_EQ(icc_read(ICC_RPR_EL1), RPR_IDLE);
}

static void prove_nested(void)
{
	u32 i;

	inside_regular = ring_oneself;
	inside_pnmi = note_pnmi;
	for (i = 1; i <= 20; i++) {
		/* Every second one is held back first. */
		if (i % 2)
			mask_regular();
		gic_sgi(0, SGI_REGULAR);
		if (i % 2) {
			gic_settle();
			ASSERT_EQ(n_order, 0);
			unmask_regular();
		}
		wait_count(SGI_REGULAR, i);
		check_order();
	}
	ASSERT_EQ(acks, 40);
	ASSERT_EQ(eois, 40);
}

/* --- (c): no regular one inside another, no pseudo-NMI inside another --- */

static void send_equals(void)
{
	/* The handlers assert that they are alone. */
	gic_sgi(0, SGI_REGULAR);
	gic_sgi(0, SGI_REGULAR2);
	gic_settle();
	inside_regular = NULL;
}

static void send_equal_pnmis(void)
{
	gic_sgi(0, SGI_PNMI);
	gic_sgi(0, SGI_PNMI2);
	gic_sgi(0, SGI_REGULAR);
	gic_settle();
	/* Not for PSTATE.I alone: the running priority says the same. */
	irq_on();
	gic_settle();
	irq_off();
	inside_pnmi = NULL;
}

static void prove_never(void)
{
	inside_regular = send_equals;
	gic_sgi(0, SGI_REGULAR);
	wait_count(SGI_REGULAR, 2);
	wait_count(SGI_REGULAR2, 1);
	inside_pnmi = send_equal_pnmis;
	gic_sgi(0, SGI_PNMI);
	wait_count(SGI_PNMI, 2);
	wait_count(SGI_PNMI2, 1);
	wait_count(SGI_REGULAR, 3);
	gic_settle();
	ASSERT_EQ(acks, 7);
	ASSERT_EQ(eois, 7);
}

/* --- (d): nothing there is no interrupt --- */

/* A dispatch too many, in a handler whose priority a wrong EOI would drop. */
static void dispatch_nothing(void)
{
	u32 n = eois;

	irq_off();
	dispatch(NULL);
	ASSERT_EQ(eois, n);
	ASSERT_EQ(icc_read(ICC_RPR_EL1), PRIORITY_REGULAR);
	irq_on();
}

static void prove_spurious(void)
{
	irq_off();
	dispatch(NULL);
	ASSERT_EQ(spurious, 1);
	ASSERT_EQ(eois, 0);
	/* One that is masked by its priority is not there either. */
	icc_write(ICC_PMR_EL1, PMR_PNMI);
	gic_sgi(0, SGI_REGULAR);
	gic_settle();
	dispatch(NULL);
	ASSERT_EQ(spurious, 2);
	inside_regular = dispatch_nothing;
	icc_write(ICC_PMR_EL1, PMR_ALL);
	irq_on();
	wait_count(SGI_REGULAR, 1);
	ASSERT_EQ(spurious, 3);
	ASSERT_EQ(acks, 1);
	ASSERT_EQ(eois, 1);
}

/* --- (e): as many EOIs as acknowledges --- */

/* Each waits for the one before: SGIs that meet are one. */
static void send_storm(u64 arg __always_unused)
{
	u32 i;

	for (i = 1; i <= STORM_ROUNDS; i++) {
		gic_sgi(0, SGI_REGULAR);
		gic_sgi(0, SGI_PNMI);
		gic_sgi(0, SGI_REGULAR2);
		wait_count(SGI_PNMI, i);
		wait_count(SGI_REGULAR, i);
		wait_count(SGI_REGULAR2, i);
	}
}

static void prove_storm(void)
{
	ASSERT_EQ(smp_start(1, send_storm, 0), PSCI_SUCCESS);
	while (seen(SGI_REGULAR2) < STORM_ROUNDS || seen(SGI_REGULAR) < STORM_ROUNDS) {
		mask_regular();
		cpu_relax();
		unmask_regular();
	}
	gic_settle();
	ASSERT_EQ(seen(SGI_REGULAR), STORM_ROUNDS);
	ASSERT_EQ(seen(SGI_REGULAR2), STORM_ROUNDS);
	ASSERT_EQ(seen(SGI_PNMI), STORM_ROUNDS);
	ASSERT_EQ(acks, 3 * STORM_ROUNDS);
	ASSERT_EQ(eois, acks);
	ASSERT_EQ(icc_read(ICC_RPR_EL1), RPR_IDLE);
}

static void set_up(u32 intid, u8 priority)
{
	gic_priority(intid, priority);
	gic_set_bit(GICD_ISENABLER, intid);
}

void guest_main(u64 arg)
{
	static void (*const proofs[])(void) = {
		[PROOF_MASKED] = prove_masked,
		[PROOF_NESTED] = prove_nested,
		[PROOF_NEVER] = prove_never,
		[PROOF_SPURIOUS] = prove_spurious,
		[PROOF_STORM] = prove_storm,
	};

	masking = arg >> 8;
	gic_init();
	set_up(SGI_REGULAR, PRIORITY_REGULAR);
	set_up(SGI_REGULAR2, PRIORITY_REGULAR);
	set_up(SGI_PNMI, PRIORITY_PNMI);
	set_up(SGI_PNMI2, PRIORITY_PNMI);
	vector_set(VECTOR_IRQ, dispatch);
	irq_on();
	proofs[arg & 0xff]();
}
