#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Does a report of the host's kernel fail a run? Plants one of each kind on the debug kernel
# (modules/splat) and wants scripts/host to end with 125, and scripts/splats to find each report
# by itself and nothing in what an ordinary boot and injected failures print. Two boots; runs on
# the build machine.

set -u
cd "$(dirname "$0")/.." || exit 1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# In the order in which they are planted: lockdep goes off with its first report and with KASAN's.
# Each with a line that the report must have.
kinds='
injected
warn	WARNING: CPU: .* plant_warn
ubsan	UBSAN: shift-out-of-bounds in
atomic	BUG: sleeping function called from invalid context
rcu	WARNING: suspicious RCU usage
hung	INFO: task insmod:[0-9]* blocked for more than 2 seconds
stall	rcu: INFO: rcu_preempt (self-)?detected stall
lockdep	WARNING: possible circular locking dependency detected
kasan	BUG: KASAN: slab-out-of-bounds in plant_kasan
leak	unreferenced object 0x'

# shellcheck source=selftests/lib/ktap.sh
. selftests/lib/ktap.sh

# host NAME COMMAND: on the debug kernel; its status, with what it said in $tmp/NAME
host() {
	scripts/host --kernel debug --no-keel --mem 1G --timeout 300 --log "host_splats-$1" -- \
		sh -c "$2" </dev/null >"$tmp/$1" 2>&1
}

# slice NAME KIND: what the console of boot NAME got after KIND was announced
slice() {
	awk -v kind="$2" '/host_splats: / { on = index($0, "host_splats: " kind ".") } on' \
		"build/log/host_splats-$1.log"
}

# What runs in the emulated host
# shellcheck disable=SC2016
plant='
say() { echo "<4>host_splats: $1." >/dev/kmsg; }
plant() { say $1; insmod /modules/splat.ko kind=$1 && rmmod splat; }

# failures that a test asks for, with their call traces
say injected
cd /sys/kernel/debug/failslab || exit
echo 1 >interval; echo 100 >probability; echo 3 >times; echo 2 >verbose; echo Y >task-filter
echo N >ignore-gfp-wait
sh -c "echo 1 >/proc/self/make-it-fail; cat /proc/self/status" >/dev/null 2>&1
echo 0 >probability
cd /

echo 3 >/sys/module/rcupdate/parameters/rcu_cpu_stall_timeout
for kind in warn ubsan atomic rcu; do plant $kind; done
echo 2 >/proc/sys/kernel/hung_task_timeout_secs
plant hung
echo 0 >/proc/sys/kernel/hung_task_timeout_secs
plant stall
for kind in lockdep kasan leak; do plant $kind; done
exit 0'

echo "TAP version 13"
echo "1..$(($(grep -c . <<<"$kinds") + 5))"

status=0
host all "$plant" || status=$?
[ $status = 125 ]
result $? "a run with reports ends with 125 (was $status)"

sed '/host_splats: /,$d' build/log/host_splats-all.log >"$tmp/boot"
[ -s "$tmp/boot" ] && scripts/splats "$tmp/boot" >"$tmp/boot.found"
result $? "nothing is found in an ordinary boot"

while IFS=$'\t' read -r kind line; do
	[ -n "$kind" ] || continue
	slice all "$kind" >"$tmp/slice"
	status=0
	scripts/splats "$tmp/slice" >"$tmp/found" || status=$?
	if [ -z "$line" ]; then
		grep -q 'FAULT_INJECTION: forcing' "$tmp/slice" && [ $status = 0 ]
		result $? "nothing is found in $kind failures"
		continue
	fi
	[ $status = 1 ] && grep -qE "$line" "$tmp/found" && grep -qE "$line" "$tmp/all"
	result $? "$kind is found and shown"
done <<<"$kinds"

# The one that ends the host: it panics on an oops
status=0
host bug 'insmod /modules/splat.ko kind=bug' || status=$?
[ $status = 125 ]
result $? "a run that dies ends with 125 (was $status)"
grep -q 'kernel BUG at .*splat.c' "$tmp/bug" && grep -q 'plant_bug' "$tmp/bug"
result $? "bug is found and shown"
grep -q 'Kernel panic - not syncing' "$tmp/bug"
result $? "the panic is shown"

[ $failed = 0 ] || sed 's/^/# /' "$tmp/all" "$tmp/bug"
exit $failed
