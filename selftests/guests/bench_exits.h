/* SPDX-License-Identifier: GPL-2.0 */
/* Operations that the guest of bench_exits times; each is reported by SYNC, see bench_exits.c. */
#ifndef GUESTS_BENCH_EXITS_H
#define GUESTS_BENCH_EXITS_H

#define BENCH_HVC	0	/* SMCCC_VERSION */
#define BENCH_HVC_HOST	1	/* PSCI AFFINITY_INFO: needs the VM's state */
#define BENCH_SYSREG	2	/* ID register read */
#define BENCH_MMIO_USER	3	/* read that the VMM answers */
#define BENCH_MMIO_GIC	4	/* read of the distributor */
#define BENCH_EOI	5
#define BENCH_IPI	6	/* send to receipt, vCPU running */
#define BENCH_TIMER	7	/* from the deadline to the handler */
#define BENCH_FAULT	8	/* first write to a page that the VMM has touched */
#define BENCH_NR	9

#define BENCH_BATCHES	20

/* Memory for BENCH_FAULT: a page a round, and one batch before those that count. */
#define BENCH_FAULT_IPA	0x60000000ULL
#define BENCH_FAULTS	200
#define BENCH_FAULT_SIZE ((BENCH_BATCHES + 1) * BENCH_FAULTS * 4096ULL)

/* SYNC value: operation, batch, counter ticks and repetitions of the batch. */
#define BENCH_OP(v)	((v) >> 48 & 0xff)
#define BENCH_TICKS(v)	((v) >> 16 & 0xffffffff)
#define BENCH_ROUNDS(v)	((v) & 0xffff)
#define BENCH_REPORT(op, ticks, rounds) \
	((u64)(op) << 48 | ((u64)(ticks) & 0xffffffff) << 16 | (rounds))

#endif
