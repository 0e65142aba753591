#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The main job on every pair of host and guest kernel and on both CPU models. Runs on the build
# machine; takes some minutes.

cd "$(dirname "$0")/.." || exit 1
number=0
failed=0

# job HOST GUEST CPU: `make run` ends well, and the guest has shown itself at both boots
job() {
	out=$(make -s run HOST="$1" GUEST="$2" CPU="$3" </dev/null 2>&1)
	status=$?
	boots=$(printf '%s\n' "$out" | tr -d '\r' | grep -c "^Linux (none) $2\.")
	number=$((number + 1))
	if [ $status = 0 ] && [ "$boots" = 2 ]; then
		echo "ok $number host $1, guest $2, $3"
	else
		printf '%s\n' "$out" | tail -n 20 | sed 's/^/# /'
		echo "not ok $number host $1, guest $2, $3: status $status, $boots boots"
		failed=1
	fi
}

echo "KTAP version 1"
echo "1..8"
for host in 6.1 6.12; do
	for guest in 6.1 6.12; do
		for cpu in max neoverse-n1; do
			job $host $guest $cpu
		done
	done
done
exit $failed
