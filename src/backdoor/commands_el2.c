// SPDX-License-Identifier: GPL-2.0
/*
 * The backdoor's calls, first tier: what a call is, and the commands that need nothing of the host.
 *
 * A call that matches is answered whatever it asks: as x86 software finds an unknown port, all ones
 * when it reads and nothing when it writes. Only the outputs of a command are written, all of them
 * zero-extended from 32 bits.
 */
#include <linux/keel.h>
#include <asm/sysreg.h>

#include <keel/backdoor.h>
#include <keel/compat.h>
#include <keel/esr.h>
#include <keel/vm.h>

#define MAGIC		0x564d5868
#define PORT		0x5658
#define PORT_HIGH	0x5659	/* high bandwidth */

#define HIGH_MESSAGE	0	/* the command of that one */

/* W7: an I/O instruction */
#define IO_SIZE		0x3	/* log2 of the bytes; 3 is invalid */
#define IO_IN		BIT(2)
#define IO_TYPE		3	/* of two bits */
#define IO_IMM_PORT	5	/* of eight bits, for type 0 */
#define IO_LOW		(2 | IO_IN | IO_DX << IO_TYPE)	/* IN EAX, DX */
#define IO_HIGH		(IO_REP << IO_TYPE)		/* REP OUTSB; with IO_IN REP INSB */

enum io_type { IO_IMM, IO_DX, IO_STRING, IO_REP };

enum command {
	GETMHZ = 1,
	GETVERSION = 10,
	GETGUIOPTIONS = 13,
	GETHWVERSION = 17,
	GETTIME = 23,
	MESSAGE = 30,
	GETTIMEFULL = 46,
	GETTIMEFULL_WITH_LAG = 55,
};

#define VERSION		6
#define PRODUCT_TYPE	4	/* of the two that VMware's software knows, the one on a desk */
#define HW_VERSION	20
#define UNKNOWN		0xffffffff

/* How far the clock may have run ahead of the host's, which it is set by at each entry */
#define CLOCK_SLACK	NSEC_PER_MSEC

static u64 __el2 clock_ns(struct keel_vcpu *vcpu)
{
	struct backdoor_vcpu *b = &vcpu->backdoor;
	u64 ticks, frequency = read_sysreg(cntfrq_el0), now;

	isb();	/* the counter not before the call (Arm ARM D12.1) */
	ticks = read_sysreg(cntpct_el0) - b->count;
	now = b->ns + ticks / frequency * NSEC_PER_SEC +
	      ticks % frequency * NSEC_PER_SEC / frequency;
	if (now < b->last && b->last - now < CLOCK_SLACK)
		now = b->last;
	b->last = now;
	return now;
}

static void __el2 answer_time(struct keel_vcpu *vcpu)
{
	u64 *x = vcpu->state.ctx.x;
	u64 now = clock_ns(vcpu), seconds = now / NSEC_PER_SEC;

	x[0] = MAGIC;
	x[1] = now % NSEC_PER_SEC / NSEC_PER_USEC;
	x[2] = 0;	/* the largest lag: none */
	x[3] = (u32)seconds;
	x[4] = seconds >> 32;
}

static void __el2 answer(struct keel_vcpu *vcpu)
{
	u64 *x = vcpu->state.ctx.x;

	switch (x[2] & 0xffff) {
	case GETVERSION:
		x[0] = VERSION;
		x[1] = MAGIC;
		x[2] = PRODUCT_TYPE;
		break;
	case GETHWVERSION:
		x[0] = HW_VERSION;
		x[1] = MAGIC;
		break;
	case GETMHZ:
		x[0] = max(read_sysreg(cntfrq_el0) / 1000000, 1UL);
		break;
	case GETTIME:
		x[0] = (u32)(clock_ns(vcpu) / NSEC_PER_SEC);
		break;
	case GETTIMEFULL:
		answer_time(vcpu);
		break;
	case GETTIMEFULL_WITH_LAG:
		answer_time(vcpu);
		x[5] = 0;	/* the lag at this moment: none */
		break;
	default:
		x[0] = UNKNOWN;
	}
}

/* The bits that an instruction of each type may have set. */
static __always_inline bool is_io(u32 w7)
{
	const u32 rest = GENMASK(31, 5);
	u32 type = w7 >> IO_TYPE & 3;

	if ((w7 & IO_SIZE) == 3)
		return false;
	if (type == IO_IMM)
		return !(w7 & rest & ~GENMASK(IO_IMM_PORT + 7, IO_IMM_PORT));
	return !(w7 & rest & ~(type == IO_DX ? 0 : BIT(5)));
}

/* Nobody is behind the other ports, and other moves of strings at the high bandwidth's fail. */
static noinline void __el2 answer_port(struct keel_vcpu *vcpu, u32 w7)
{
	u64 *x = vcpu->state.ctx.x;

	if ((w7 >> IO_TYPE & 3) == IO_REP && (x[3] & 0xffff) == PORT_HIGH)
		x[1] = 0;	/* no success */
	else if (w7 & IO_IN)
		x[0] = UNKNOWN;
}

static __always_inline bool is_command(const u64 *x)
{
	return (u32)x[7] == IO_LOW && (x[3] & 0xffff) == PORT && (u32)x[0] == MAGIC;
}

/* What needs the agent is answered by the kernel (doors.c). */
static __always_inline bool is_for_agent(u32 command)
{
	return command == MESSAGE || command == GETGUIOPTIONS;
}

static __always_inline bool is_high(const u64 *x)
{
	return ((u32)x[7] & ~IO_IN) == IO_HIGH && (x[3] & 0xffff) == PORT_HIGH &&
	       (x[1] & 0xffff) == HIGH_MESSAGE;
}

enum backdoor_service __el2 backdoor_service(const u64 *x)
{
	if (is_high(x))
		return BACKDOOR_HIGH;
	if (!is_command(x) || !is_for_agent(x[2] & 0xffff))
		return BACKDOOR_NONE;
	return (x[2] & 0xffff) == MESSAGE ? BACKDOOR_MESSAGE : BACKDOOR_OPTIONS;
}

static __always_inline bool call(struct keel_vcpu *vcpu)
{
	const u64 *x = vcpu->state.ctx.x;
	u32 w7 = x[7];

	if (is_command(x)) {
		if (is_for_agent(x[2] & 0xffff))
			return false;
		answer(vcpu);
		return true;
	}
	if (!is_io(w7) || is_high(x))
		return false;
	answer_port(vcpu, w7);
	return true;
}

static __always_inline bool hook_is_on(const struct keel_vcpu *vcpu, u32 hook)
{
	return vcpu->backdoor.hooks & hook;
}

bool __el2 backdoor_dcc_el2(struct keel_vcpu *vcpu)
{
	if (!hook_is_on(vcpu, KEEL_HOOK_BACKDOOR_DCC) ||
	    vcpu->state.ctx.x[7] >> 32 != BACKDOOR_IMM || !call(vcpu))
		return false;
	el2_skip();
	return true;
}

bool __el2 backdoor_hvc_el2(struct keel_vcpu *vcpu)
{
	return hook_is_on(vcpu, KEEL_HOOK_BACKDOOR_HVC) && call(vcpu);
}

/*
 * ELR_EL2 is at the BRK (Arm ARM D1.3.4). One that is no call is the guest's own, of its debugger
 * mostly: class and syndrome are the same at EL1, from EL0 and from EL1 (D24.2.40).
 */
bool __el2 backdoor_brk_el2(struct keel_vcpu *vcpu)
{
	u64 esr = vcpu->state.ctx.esr;

	if (hook_is_on(vcpu, KEEL_HOOK_BACKDOOR_BRK) &&
	    (esr & ESR_ELx_BRK64_ISS_COMMENT_MASK) == BACKDOOR_IMM) {
		if (call(vcpu)) {
			el2_skip();
			return true;
		}
		if (backdoor_service(vcpu->state.ctx.x) != BACKDOOR_NONE)
			return false;
	}
	vcpu_inject_sync_el2(esr);
	return true;
}
