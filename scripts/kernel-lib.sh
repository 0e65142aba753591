# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the scripts that build a kernel share. Sourced after lib.sh.

# options_lost OPTIONS CONFIG: the lines of OPTIONS that are not in CONFIG
options_lost() {
	# An option that does not exist at all is off as well.
	awk 'FNR == NR { have[$0] = 1; split($0, a, "="); on[a[1]] = 1; next }
		/^CONFIG_/ && !have[$0]
		/^# CONFIG_.* is not set$/ && on[$2]' "$2" "$1"
}

# configure OPTIONS LOG TREE MAKE...: allnoconfig plus OPTIONS, with MAKE for the kernel in TREE
configure() {
	local options=$1 log=$2 tree=$3 lost
	shift 3

	"$@" -s KCONFIG_ALLCONFIG="$options" allnoconfig >"$log" 2>&1 || failed "$log"
	lost=$(options_lost "$options" "$tree/.config")
	[ -z "$lost" ] || {
		say "$lost"
		die "the kernel's configuration has lost these options of ${options##*/}"
	}
}

# progress NAME STEPS: shows how many of about STEPS lines have come
progress() {
	local n=0 shown=0 every=30

	[ ! -t 2 ] || every=1
	while read -r _; do
		n=$((n + 1))
		if [ $((SECONDS - shown)) -ge "$every" ]; then
			shown=$SECONDS
			printf '%s: step %d of about %d, %d:%02d' "$1" "$n" "$2" \
				$((SECONDS / 60)) $((SECONDS % 60)) >&2
			if [ -t 2 ]; then printf '\r' >&2; else echo >&2; fi
		fi
	done
	[ ! -t 2 ] || echo >&2
}

# failed LOG
failed() {
	tail -15 "$1" >&2
	die "the build failed (above; all of it in ${1#"$root"/})"
}
