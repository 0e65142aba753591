#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Linux's driver virtual-cpufreq on keel's performance registers: the guest finds its frequencies,
# schedutil asks for a higher one under load and a lower one without, and the host hears it.
# shellcheck disable=SC2016 # commands are typed as they are, the guest's shell expands them
#
# Needs /guest/cpufreq/, as Debian's kernels have no such driver, and /dev/keel. Prints KTAP;
# busybox sh.

guest=/guest/cpufreq
if [ ! -e $guest/Image ]; then
	echo "1..0 # SKIP no guest kernel with virtual-cpufreq"
	exit 4
fi
here=$(cd "${0%/*}" && pwd)
# shellcheck source=selftests/lib/guest.sh
. "$here/lib/guest.sh"
# shellcheck source=selftests/lib/power.sh
. "$here/lib/power.sh"

# The load is on CPU 1, what looks at it on CPU 0.
cpufreq=/sys/devices/system/cpu/cpu1/cpufreq

# boot OPTION...
boot() {
	start keelrun --dev /dev/keel --kernel $guest/Image --initrd $guest/initrd.cpio --cpus 2 \
		--mem 256M --append "quiet keel.shell" "$@"
	until_true has_shell 1
	result $? "$*: a shell"
	type_in 'taskset -p 1 $$'
}

# until_asks KHZ COMMAND: the guest runs COMMAND until the driver has asked for KHZ
until_asks() {
	guest "until [ \$(cat $cpufreq/scaling_cur_freq) = $1 ]; do $2; done; echo x"
}

host_is() {
	[ "$(host "$1")" = "$2" ]
}

# hears PARTS NAME: of vCPU 1, by and by, as CPU 1 also does other things for a moment
hears() {
	until_true host_is 1.asked "$1"
	result $? "$2"
}

boot --perf 500:2000:4
guest_is virtcpufreq "cat $cpufreq/scaling_driver" "the driver is there"
guest_is schedutil "cat $cpufreq/scaling_governor" "schedutil runs"
guest_is 500000x1000000x1500000x2000000x "for f in \$(cat $cpufreq/scaling_available_frequencies)
do echo \${f}x; done" "it has four frequencies"
guest_is 500000x2000000x "for f in min max; do echo \$(cat $cpufreq/cpuinfo_\${f}_freq)x; done" \
	"from 500 to 2000 MHz"
guest_is 1 "cat $cpufreq/affected_cpus" "CPU 1 has registers of its own"

asks=$(host 1.asks)
type_in 'taskset 2 sh -c "while :; do :; done" &'
until_asks 2000000 'sleep 0.1'
result $? "under load it asks for the highest"
hears 1024 "which the host hears as a whole CPU"
[ "$(host 1.asks)" -gt "$asks" ]
result $? "from CPU 1"
type_in 'kill %1'
until_asks 500000 'taskset 2 sleep 0.2'
result $? "without it asks for the lowest"
hears 256 "which the host hears as a quarter"
[ "$(host 1.target)" = 256 ]
result $? "and treats it so"
type_in 'poweroff -f'
ended "power-off: status 0"

boot --perf 500:2000
guest_is 1x2000000x "for f in min max; do echo \$(cat $cpufreq/cpuinfo_\${f}_freq)x; done" \
	"without levels any frequency up to 2000 MHz"
type_in "echo powersave >$cpufreq/scaling_governor; echo 700000 >$cpufreq/scaling_min_freq"
until_asks 700000 'sleep 0.1'
result $? "it asks for 700 MHz"
hears 358 "which the host hears as 358 of 1024"
type_in "echo 1 >$cpufreq/scaling_min_freq"
until_asks 1 'sleep 0.1'
result $? "it asks for 1 kHz"
[ "$(host 1.target)" = 256 ]
result $? "and is treated as with 500 MHz"
type_in 'poweroff -f'
ended "power-off: status 0"
finish
