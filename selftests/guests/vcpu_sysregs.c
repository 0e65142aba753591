// SPDX-License-Identifier: GPL-2.0
/*
 * Reads and writes every system register encoding of op0 = 2 and 3, by instructions that it makes.
 * What can be read is written back unchanged; what cannot is written as zero.
 */
#include "guest.h"
#include "vcpu_sysregs.h"

#define MRS_X0		0xd5200000
#define MSR_X0		0xd5000000
#define RET		0xd65f03c0
/* Between the rewriting of the code page there are so many encodings. */
#define BATCH		256

static struct sysregs *const regs = (struct sysregs *)SHARED_IPA;
/* A read and a write, each with its return, per encoding of a batch. */
static u32 code[BATCH][4] __attribute__((aligned(4096)));
static u8 did;

static void note_exception(struct frame *frame)
{
	u32 ec = ESR_EC(frame->esr);

	did = ec == EC_UNKNOWN ? DID_UNDEFINED : ec == EC_SYSREG ? DID_TRAP : DID_OTHER;
	frame->pc += 4;
}

static u64 call(const u32 *insns, u64 x0)
{
	register u64 value asm("x0") = x0;

	WRITE_ONCE(did, DID_VALUE);
	asm volatile("blr %1" : "+r" (value) : "r" (insns) : "x30", "cc", "memory");
	return value;
}

static void make_code(u32 op0, u32 first)
{
	u32 i, bits;

	for (i = 0; i < BATCH; i++) {
		bits = op0 << 19 | (first + i) << 5;
		code[i][0] = MRS_X0 | bits;
		code[i][1] = RET;
		code[i][2] = MSR_X0 | bits;
		code[i][3] = RET;
	}
	dsb(ish);
	asm volatile("ic iallu\n\tdsb ish\n\tisb" : : : "memory");
}

static void try_encoding(u32 op0, u32 encoding, const u32 *insns)
{
	u64 value = call(insns, 0);

	regs->read[op0 - 2][encoding] = READ_ONCE(did);
	if (op0 == 3 && encoding < ENC(0, 1, 0, 0))
		regs->id[encoding >> 3][encoding & 7] = value;
	if (READ_ONCE(did) != DID_VALUE)
		value = 0;
	call(insns + 2, value);
	regs->write[op0 - 2][encoding] = READ_ONCE(did);
}

static void all(u32 op0)
{
	u32 first, i;

	for (first = 0; first < NR_ENCODINGS; first += BATCH) {
		make_code(op0, first);
		for (i = 0; i < BATCH; i++)
			try_encoding(op0, first + i, code[i]);
	}
}

void guest_main(u64 arg __always_unused)
{
	gic_init();
	vector_set(VECTOR_SYNC, note_exception);
	/* EL1 permits everything that it can forbid itself, so that the hypervisor answers. */
	sysreg_write(cpacr_el1, 3 << 24 | 3 << 20 | 3 << 16);
	isb();
	all(2);
	all(3);
}
