#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# power_share in an emulated host that counts instructions, on one CPU. Runs on the build machine.

cd "$(dirname "$0")/.." || exit 1
exec scripts/host --kernel 6.12 --cpu max --icount --timeout 500 --append nokaslr -- sh -c '
	sleep 3
	echo 0 >/sys/devices/system/cpu/cpu1/online
	cd /selftests
	exec ./power_share "$@"' sh "$@" </dev/null
