/* SPDX-License-Identifier: GPL-2.0 */
/* Operations that the guest of bench_exits times; each batch is framed by SYNCs. */
#ifndef GUESTS_BENCH_EXITS_H
#define GUESTS_BENCH_EXITS_H

#include "../lib/common.h"

enum bench_op {
	BENCH_NOTHING,		/* what the frame of a batch costs by itself */
	BENCH_HYPERCALL,	/* SMCCC_VERSION */
	BENCH_HYPERCALL_HOST,	/* PSCI AFFINITY_INFO: needs the VM's state */
	BENCH_SYSREG,		/* ID register read */
	BENCH_DOOR_DCC,		/* the backdoor's GETVERSION through each of its doors; keel only */
	BENCH_DOOR_BRK,
	BENCH_DOOR_HVC,
	BENCH_MESSAGE,		/* 60 KiB to an agent and back by the high bandwidth; keel only */
	BENCH_DEBUGGER,		/* a debugged thread comes and goes: breakpoint, MDE, off again */
	BENCH_DEBUGGER_DCC,	/* the same while a door is open; keel only */
	BENCH_DEBUGGER_BOTH,	/* and with the BRK door open, too */
	BENCH_VGIC_READ,	/* GICD_IIDR */
	BENCH_VGIC_WRITE,	/* GICD_ISENABLER of an SPI */
	BENCH_MMIO_USER,	/* read that the VMM answers */
	BENCH_FAULT_4K,		/* first write to a page that the VMM has touched */
	BENCH_FAULT_2M,		/* the same, transparent huge pages */
	BENCH_EOI,		/* ICC_EOIR1_EL1 of an SGI */
	BENCH_TIMER,		/* from the deadline to the handler, the vCPU running */
	BENCH_WFI_WAKE,		/* arm the timer, WFI, the handler */
	BENCH_SUSPEND,		/* the same by PSCI CPU_SUSPEND */
	BENCH_SUSPEND_SHALLOW,	/* to states that have a name, with a power policy; keel only */
	BENCH_SUSPEND_DEEP,
	BENCH_LATE_WFI,		/* from the deadline to the handler, asleep in WFI */
	BENCH_LATE_SUSPEND,	/* in CPU_SUSPEND */
	BENCH_LATE_SHALLOW,	/* and its states; keel only */
	BENCH_LATE_DEEP,
	BENCH_PERF,		/* store to a performance register, each another value; keel only */
	BENCH_IOEVENTFD,	/* store to the instruction after it; a thread waits */
	BENCH_IOEVENTFD_WAKE,	/* store until the guest sees what that thread wrote */
	BENCH_IRQFD,		/* request to a thread that signals, to the handler */
	BENCH_IPI,		/* send until the sender sees it handled; the target runs */
	BENCH_IPI_BLOCKED,	/* the same; the target sleeps in WFI */
	BENCH_NR,
};

/* guest_main()'s argument: the operation, and how many batches count (one before them does not). */
#define BENCH_ARG(op, batches)	((u64)(batches) << 8 | (op))
#define BENCH_ARG_OP(arg)	((arg) & 0xff)
#define BENCH_ARG_BATCHES(arg)	((int)((arg) >> 8))

/* Pages and blocks for the faults: all of them in each batch, the VMM takes them away before it. */
#define BENCH_4K_IPA	0x60000000ULL
#define BENCH_4K_COUNT	512
#define BENCH_2M_IPA	0x64000000ULL
#define BENCH_2M_COUNT	32

/* The message, and where the answer goes. */
#define BENCH_MESSAGE_SIZE	(60 * 1024)
#define BENCH_REQUEST_IPA	0x40400000ULL
#define BENCH_ANSWER_IPA	0x40420000ULL

/* PSCI's power_state of the states, and the performance register. */
#define BENCH_SHALLOW	1
#define BENCH_DEEP	0x10002
#define BENCH_PERF_IPA	0x0b000000ULL

#define BENCH_KICK_IPA	(MMIO_IPA + 0x1000)	/* an ioeventfd */
#define BENCH_SPI	40

/* At SHARED_IPA. */
struct bench_shared {
	u64 request;	/* the guest asks for an interrupt */
	u64 woken;	/* the thread that waits for the event has come back */
};

/* SYNC value: 0 before a batch, counter ticks and repetitions after it. */
#define BENCH_TICKS(v)	((v) >> 16 & 0xffffffffff)
#define BENCH_ROUNDS(v)	((v) & 0xffff)
#define BENCH_REPORT(ticks, rounds) \
	(((u64)(ticks) & 0xffffffffff) << 16 | (rounds))

#endif
