# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# shellcheck disable=SC2034 # the tests read these
# KTAP lines of shell tests (bash and busybox sh). Sourced; the test prints its plan and ends with
# status $failed.
number=0
failed=0

# result STATUS TEXT
result() {
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number $2"
	else
		echo "not ok $number $2"
		explain
		failed=1
	fi
}

# explain: what a failure shows besides; a test may have its own
explain() { :; }
