#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# insmod, a VM, rmmod, 50 times; what insmod and rmmod refuse. Runs in the emulated host, where keel
# is loaded; it is loaded again at the end.

cd "$(dirname "$0")" || exit 1
# shellcheck source=selftests/lib/ktap.sh
. lib/ktap.sh

# refused WORD COMMAND...: it fails, and says WORD
refused() {
	word=$1
	shift
	if "$@" >/tmp/reload 2>&1; then
		echo "# $*: succeeded"
		return 1
	fi
	sed 's/^/# /' /tmp/reload
	grep -q "$word" /tmp/reload
}

# busybox's rmmod knows only errno's text, insmod too
again() {
	n=0
	while [ $n -lt 50 ]; do
		rmmod keel || return 1
		[ ! -e /dev/keel ] || return 1
		[ ! -e /dev/kvm ] || return 1
		insmod /keel.ko || return 1
		./run_ten >/tmp/reload || {
			cat /tmp/reload
			return 1
		}
		n=$((n + 1))
	done
}

held() {
	exec 4</dev/keel
	refused "unavailable\|busy" rmmod keel
	status=$?
	exec 4>&-
	return $status
}

echo "KTAP version 1"
echo "1..5"
if [ ! -c /dev/keel ]; then
	result 1 "node"
	exit 1
fi
result 0 "node"
refused "exists" insmod /keel.ko
result $? "insmod_twice"
held
result $? "rmmod_while_open"
again
result $? "fifty_times"
./vcpu_smp locks >/tmp/reload
result $? "vm_afterwards"
exit $failed
