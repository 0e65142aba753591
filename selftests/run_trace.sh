#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The tracepoints: entries, exits of both tiers, faults and interrupts show up, with what they say.
# Runs in the emulated host (busybox sh).
set -u
tracing=/sys/kernel/tracing
here=$(dirname "$0")
# shellcheck source=selftests/lib/ktap.sh
. "$here/lib/ktap.sh"

# record PROGRAM CASE: its events to /tmp/trace
record() {
	echo >"$tracing/trace"
	echo 1 >"$tracing/events/keel/enable"
	"$here/$1" "$2" >/tmp/out || cat /tmp/out
	echo 0 >"$tracing/events/keel/enable"
	cp "$tracing/trace" /tmp/trace
}

expect() {
	grep -qE "$1" /tmp/trace
	result $? "$2"
}

echo "KTAP version 1"
echo "1..7"
[ -d $tracing/events ] || mount -t tracefs tracefs $tracing
if [ ! -d $tracing/events/keel ]; then
	echo "ok 1 # SKIP no tracepoints of keel"
	exit 4
fi

record run_ten ten_instructions
expect 'keel_enter: vm [0-9]+ vcpu 0 pc 0x40000000$' "the first entry is at the guest's start"
# SMCCC_VERSION is answered at EL2: class 0x16 of the first tier
expect 'keel_exit: vm [0-9]+ vcpu 0 tier 1 exit 22 esr 0x5a000000 pc 0x40[0-9a-f]+ arg 0x80000000$' \
	"a hypercall is an exit of tier 1, and names its function"
expect 'keel_exit: vm [0-9]+ vcpu 0 tier 2 exit 36 esr 0x9[0-9a-f]+ pc 0x40[0-9a-f]+ arg 0x9000000$' \
	"a store to a device is an exit of tier 2, and names its address"
expect 'keel_fault: vm [0-9]+ vcpu 0 ipa 0x9000000 ' "its fault names the address"
record vgic_irqs level
expect 'keel_irq: vm [0-9]+ vcpu 0 intid 42 level 1' "an interrupt's line rises"
expect 'keel_irq: vm [0-9]+ vcpu 0 intid 42 level 0' "and falls"
# in the kernel's tests without keel's own header it is not there
if [ -e "$here/power_calls" ]; then
	record power_calls nice_value
	expect 'keel_power: vm [0-9]+ vcpu 0 asked 256 target 256 delivered [0-9]+$' \
		"a vCPU is treated by what its guest asks for"
else
	echo "ok 7 # SKIP no power_calls"
fi
exit $failed
