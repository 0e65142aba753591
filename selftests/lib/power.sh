# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# shellcheck disable=SC2154 # guest.sh and the tests set these
# Power and performance, as a Linux guest and its host see them (busybox sh). Sourced with guest.sh,
# after it; $here is where the programs are.

# how many answers the guest has given
n=0

# guest COMMAND: sets said to what it prints in the guest, of that small letters and digits
guest() {
	n=$((n + 1))
	type_in "echo; echo said$n=\$({ $1; } 2>/dev/null | tr -dc a-z0-9).; echo"
	told said$n
	said=$(answer said$n)
	said=${said%.}
}

# host NAME: a figure of the host's, or the sum of the vCPUs'
host() {
	"$here/power_figures" "$pid" | awk -F = -v name="$1" '
		$1 == name { n = $2 }
		$1 ~ "^[0-9]+[.]" name "$" { n += $2 }
		END { print n }'
}

# guest_is TEXT COMMAND NAME
guest_is() {
	guest "$2"
	[ "$said" = "$1" ]
	ok=$?
	[ $ok = 0 ] || echo "# $said, wanted $1"
	result $ok "$3"
}
