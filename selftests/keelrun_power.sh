#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What keelrun tells a Linux guest of power and performance: idle states, which the guest uses and
# the host counts, and the registers of virtual-cpufreq. Then guests
# with fewer of these.
# shellcheck disable=SC2016 # commands are typed as they are, the guest's shell expands them
#
# Needs /guest/Image, /guest/initrd.cpio, /dev/keel. Prints KTAP; busybox sh.

if [ ! -e /guest/Image ]; then
	echo "1..0 # SKIP no guest kernel"
	exit 4
fi
here=$(cd "${0%/*}" && pwd)
# shellcheck source=selftests/lib/guest.sh
. "$here/lib/guest.sh"
# shellcheck source=selftests/lib/power.sh
. "$here/lib/power.sh"

# boot OPTION...: a guest of two CPUs with a shell
boot() {
	start keelrun --dev /dev/keel --kernel /guest/Image --initrd /guest/initrd.cpio --cpus 2 \
		--mem 256M --append "quiet keel.shell" "$@"
	until_true has_shell 1
	result $? "$*: a shell"
}

has_slept() {
	[ "$(host "$1")" -gt "$2" ]
}

# counts STATE INDEX: from now on the guest's CPUs go to sleep in the state, each time once by the
# guest's count and the host's. Of KEEL_POWER_STATES it has INDEX, in the guest one more, as WFI is
# the first there. The host counts when a sleep begins, the guest when it is over.
counts() {
	sleep=sleep$(($2 + 2))
	until_true has_slept $sleep $(($(host $sleep) + 20))
	result $? "$1: the guest's CPUs go to sleep"
	before=$(host $sleep)
	guest "cat /sys/devices/system/cpu/cpu?/cpuidle/state$(($2 + 1))/usage |
awk '{ n += \$1 } END { print n }'"
	after=$(host $sleep)
	[ $((before - 2)) -le "$said" ] && [ "$said" -le "$after" ]
	ok=$?
	[ $ok = 0 ] || echo "# host $before, guest $said, host $after"
	result $ok "$1: guest and host count the same sleeps"
}

# has TEXT NAME: which idle states the guest has
has() {
	guest_is "$1" 'cat /sys/devices/system/cpu/cpu1/cpuidle/state*/name' "$2"
}

idle=/sys/devices/system/cpu/cpu0/cpuidle
tree=/proc/device-tree
boot --perf 500:2000:4
has cpustandbycpuretention "the guest has two idle states"
guest_is 50x500x100x2000x "cd $idle; for f in state[12]/latency state[12]/residency; do
echo \$(cat \$f)x; done" "their latencies and residencies"
counts retention 1
type_in 'while :; do usleep 1000; done &'
counts standby 0
type_in 'kill %1'
guest_is 0000 'cat /sys/devices/system/cpu/cpu?/cpuidle/state[12]/rejected' "no sleep was refused"
guest_is 000000000b0000000000000000002000 "od -An -tx1 $tree/cpufreq@b000000/reg" \
	"the device tree has the performance registers"
guest_is qemuvirtualcpufreq "cat $tree/cpufreq@b000000/compatible" "they are virtual-cpufreq"
[ "$(host ipa)" = 0xb000000 ] && [ "$(host layout)" = 1 ]
result $? "there the host has them"
[ "$(host policy) $(host min) $(host max)" = "1 256 1024" ]
result $? "the policy is hint, and 500 MHz are a quarter of 2000"
type_in 'poweroff -f'
ended "power-off: status 0"

boot --idle retention
has cpuretention "the guest has one idle state"
guest_is cpuretention "cd $tree/cpus/idle-states; echo cpu-*" "as in the device tree"
guest_is 0 "ls -d $tree/cpufreq* | wc -l" "and no performance registers"
counts retention 0
[ "$(host states) $(host layout) $(host policy)" = "1 0 0" ]
result $? "so it is in the host"
type_in 'poweroff -f'
ended "power-off: status 0"

boot --idle none
guest_is 0 "ls -d $tree/cpus/idle-states $tree/cpus/cpu@0/cpu-idle-states $idle/state1 | wc -l" \
	"the guest has no idle states"
[ "$(host states) $(host sleep2)" = "0 0" ]
result $? "so it is in the host"
type_in 'poweroff -f'
ended "power-off: status 0"
finish
