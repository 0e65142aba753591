// SPDX-License-Identifier: GPL-2.0
/*
 * Which tier answers what: keel's counters of the exit table's rows, before and after so many
 * operations of a guest, have moved by as many, in the column of the tier that must answer.
 *
 * The first tier's must be exact. The second's may be more: pages come and go, and a data abort is
 * a data abort. Where the host's own interrupts play a part (they end passes, after each of which
 * FP is loaded anew; one that is pending ends a WFI before it traps, or finds the timer's first)
 * half of it is enough, and more is no fault (HOST). Where a CPU may let the guest do by itself
 * what has trapped once in a pass, it may be once and again (DIRECT).
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guests/run_tiers.h"
#include "lib/vm.h"

GUEST_DECLARE(run_tiers);

static const struct {
	const char *name, *row;
	u64 first, second;
	enum { EXACT, HOST, DIRECT } how;
} ops[TIER_NR] = {
#define TIER_ROW(name, row, first, second, how) { #name, row, first, second, how },
	TIER_OPS(TIER_ROW)
};

/* A row's counters: [0] first tier, [1] second tier. */
static void row_read(int stats, const char *row, u64 *count)
{
	char name[64];

	snprintf(name, sizeof(name), "exit_%s_el2", row);
	count[0] = kvm_stat(stats, name);
	snprintf(name, sizeof(name), "exit_%s", row);
	count[1] = kvm_stat(stats, name);
}

static void check_op(int op, const u64 *from, const u64 *to)
{
	u64 first = to[0] - from[0], second = to[1] - from[1];
	bool ok = second >= ops[op].second;

	/* The SYNC at the end is a data abort for the VMM. */
	if (!strcmp(ops[op].row, "dabt"))
		ok = second > ops[op].second;
	if (ops[op].how == HOST)
		ok &= first >= ops[op].first / 2;
	else if (ops[op].how == DIRECT)
		ok &= first == ops[op].first || (first && first < ops[op].first / 2);
	else
		ok &= first == ops[op].first;
	if (!ok)
		printf("# %s: %llu at EL2, not %llu; %llu in the kernel, not %llu\n", ops[op].name,
		       (unsigned long long)first, (unsigned long long)ops[op].first,
		       (unsigned long long)second, (unsigned long long)ops[op].second);
	CHECK(ok);
}

static void run_op(struct vcpu *vcpu, int stats, int op)
{
	u64 from[2], to[2];
	struct report r;

	r = vcpu_run_report(vcpu);
	REQUIRE_EQ(r.kind, REPORT_SYNC);
	REQUIRE_EQ(r.value, op);
	/* A SYNC ends a pass, and is counted before it is seen here. */
	row_read(stats, ops[op].row, from);
	r = vcpu_run_report(vcpu);
	REQUIRE_EQ(r.kind, REPORT_SYNC);
	row_read(stats, ops[op].row, to);
	check_op(op, from, to);
}

static void tiers(void)
{
	struct vm vm;
	int stats, op;

	vm_create_guest(&vm, guest_run_tiers, guest_run_tiers_end, 1);
	vm_gic_create(&vm, 64);
	stats = kvm_stats_open(vm.vcpus[0].fd);
	for (op = 0; op < TIER_NR; op++)
		run_op(&vm.vcpus[0], stats, op);
	REQUIRE_EQ(vcpu_run_report(&vm.vcpus[0]).kind, REPORT_DONE);
	close(stats);
	vm_destroy(&vm);
}

static const struct ktap_case cases[] = {
	{ "tiers", tiers },
};

int main(int argc, char **argv)
{
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
