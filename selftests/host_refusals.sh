#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Hosts that keel does not take: insmod refuses with the right error and one sentence, and the host
# goes on. Runs on the build machine; a boot each.

set -u
cd "$(dirname "$0")/.." || exit 1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=selftests/lib/ktap.sh
. selftests/lib/ktap.sh

# shellcheck disable=SC2016 # the emulated host's
attempt='
insmod /keel.ko 2>&1
echo "status $?"
# what the kernel itself says of a module without a signature is not meant
dmesg | sed "s/^[^]]*] //" | grep "^keel: " | grep -v taint | sort -u
[ -e /dev/keel ] && echo "there is a node"
grep -q "^keel " /proc/modules && echo "there is a module"
echo over'

# refusal NAME TEXT OPTION...: with these options of scripts/host insmod fails by errno TEXT
refusal() {
	local name=$1 text=$2 said
	shift 2

	if ! scripts/host --no-keel "$@" -- sh -c "$attempt" >"$tmp/out" 2>"$tmp/err" ||
		! grep -q '^over' "$tmp/out"; then
		sed 's/^/# /' "$tmp/out" "$tmp/err"
		result 1 "$name"
		return
	fi
	sed 's/^/# /' "$tmp/out"
	said=$(grep -c '^keel: ' "$tmp/out")
	grep -q "$text" "$tmp/out" && ! grep -q '^status 0' "$tmp/out" &&
		! grep -q '^there is' "$tmp/out" && [ "$said" = 1 ]
	result $? "$name"
}

echo "KTAP version 1"
echo "1..4"
# The errors are those of ENODEV, EOPNOTSUPP, EBUSY and ENXIO.
refusal "not_at_el2" "No such device" --machine gic-version=3
refusal "without_vhe" "not supported" --append id_aa64mmfr1.vh=0
refusal "in_tree_kvm_active" "Device or resource busy" --kvm
refusal "gicv2" "No such device or address" --machine virtualization=on,gic-version=2
exit $failed
