#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The host ends with guests running: it does so at once, and its console shows what was asked for
# and nothing else. Runs on the build machine; a boot each.

set -u
cd "$(dirname "$0")/.." || exit 1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=selftests/lib/ktap.sh
. selftests/lib/ktap.sh

# end NAME COMMAND LINE REPORT: COMMAND in the emulated host ends it after LINE on the console, with
# one kernel report that has REPORT (none if empty). A host that ends by itself is status 125.
end() {
	local name=$1 command=$2 line=$3 report=$4 status=0 log=build/log/host_reboot-$1.log bad=0

	scripts/host --timeout 120 --log "host_reboot-$name" -- sh -c "
		mkfifo /tmp/said
		/selftests/host_busy >/tmp/said &
		read -r word </tmp/said
		[ \"\$word\" = running ] || exit 1
		echo 8 >/proc/sys/kernel/printk
		echo 1 >/proc/sys/kernel/sysrq
		echo $name: there it goes >/dev/kmsg
		$command
		sleep 100" </dev/null >"$tmp/out" 2>&1 || status=$?
	sed -n "/$name: there it goes/,\$p" "$log" >"$tmp/log"
	scripts/splats "$tmp/log" >"$tmp/splats"
	[ $status = 125 ] || bad=1
	grep -q "$line" "$tmp/log" || bad=1
	if [ -n "$report" ]; then
		[ "$(grep -cE 'WARNING:|BUG:|Oops|Kernel panic|cut here|stall|lockup' "$tmp/splats")" = 1 ] || bad=1
		grep -q "$report" "$tmp/splats" || bad=1
	else
		[ ! -s "$tmp/splats" ] || bad=1
	fi
	[ $bad = 0 ] || sed 's/^/# /' "$tmp/out" "$tmp/log"
	result $bad "$name"
}

echo "KTAP version 1"
echo "1..4"
end reboot "reboot -f" "reboot: Restarting system" ""
end poweroff "poweroff -f" "reboot: Power down" ""
end reset "echo b >/proc/sysrq-trigger" "sysrq: Resetting" ""
end panic "echo c >/proc/sysrq-trigger" "SMP: stopping secondary CPUs" "sysrq triggered crash"
exit $failed
