#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What the backdoor's doors cost a Linux guest under a debugger: bench_debugger.c in a guest of one
# CPU, by ptrace and under gdb, with doors shut and open by turns. Under the emulator's instruction
# count (scripts/bench --debugger) times are instructions.
#
# BENCH_ROUNDS: how often each set of doors has its turn (default 3). BENCH_BATCHES: of a turn (10).
#
# Needs /guest/Image, /guest/initrd.cpio, /disk/gdb.cpio. Prints KTAP and a table; busybox sh.

node=${KEEL_DEV:-/dev/keel}
if [ ! -e /guest/Image ] || [ ! -e /disk/gdb.cpio ]; then
	echo "1..0 # SKIP no guest kernel, or no gdb"
	exit 4
fi
here=$(cd "${0%/*}" && pwd)
# shellcheck source=selftests/lib/guest.sh
. "$here/lib/guest.sh"

rounds=${BENCH_ROUNDS:-3}
batches=${BENCH_BATCHES:-10}
sets="shut dcc hvc brk all"
ops="switch step hbreak watch break gdb_step gdb_hbreak gdb_watch gdb_break"
# Looking costs the guest's CPU time; what it does takes some of these.
interval=2000000

# doors SET: these open, the others shut
doors() {
	keelctl backdoor off "$vm" dcc brk hvc
	case $1 in
	shut) ;;
	all) keelctl backdoor on "$vm" dcc brk hvc ;;
	*) keelctl backdoor on "$vm" "$1" ;;
	esac
}

# measure SET ROUND: by ptrace and under gdb
measure() {
	doors "$1"
	type_in "echo \"doors $1\"; BENCH_BATCHES=$batches /selftests/bench_debugger; echo $1$2=\$?"
	said "$1$2" 0
	result $? "$1, round $2"
	type_in "BENCH_BATCHES=$batches gdb -nx -batch -x /selftests/lib/bench_debugger.gdb \
/selftests/bench_debugger </dev/null >gdb.log 2>&1; echo $1gdb$2=\$?; \
grep -H . debuggee.out"
	said "$1gdb$2" 3
	result $? "$1, round $2, gdb"
}

# table: medians, each set's ratio to shut, and the widest quartile range of a row
table() {
	tr -d '\r' <out | sed 's/^debuggee\.out://' | awk -v sets="$sets" -v ops="$ops" '
	function value(set, op, part,    i, k, n, t, v) {
		n = split(all[set, op], v, " ")
		for (i = 2; i <= n; i++) {
			t = v[i] + 0
			for (k = i - 1; k > 0 && v[k] + 0 > t; k--)
				v[k + 1] = v[k]
			v[k + 1] = t
		}
		return n ? v[int((n - 1) * part + 1.5)] : 0
	}
	$1 == "doors" { set = $2 }
	$2 == "debugger" { for (i = 4; i <= NF; i++) all[set, $3] = all[set, $3] " " $i }
	END {
		n = split(sets, s, " ")
		m = split(ops, o, " ")
		million = value("shut", "million", 0.5)
		unit = million >= 1e6 && million < 1.03e6 ? "instructions" : "ns (noisy)"
		printf "%-12s", unit
		for (i = 1; i <= n; i++)
			printf((i > 1 ? "%9s  ratio" : "%9s"), s[i])
		printf "   spread\n"
		for (k = 1; k <= m; k++) {
			printf "%-12s", o[k]
			spread = 0
			for (i = 1; i <= n; i++) {
				x[i] = value(s[i], o[k], 0.5)
				if (!x[i]) {
					bad = 1
					continue
				}
				w = (value(s[i], o[k], 0.75) - value(s[i], o[k], 0.25)) / x[i]
				spread = w > spread ? w : spread
				printf((i > 1 ? "%9.0f  %5.3f" : "%9.0f"), x[i], x[1] ? x[i] / x[1] : 0)
			}
			printf "   %5.1f%%\n", spread * 100
		}
		exit bad
	}'
}

mkdir selftests selftests/lib
cp "$here/bench_debugger" selftests
cp "$here/lib/bench_debugger.gdb" selftests/lib
cat /guest/initrd.cpio /disk/gdb.cpio >initrd
find selftests | cpio -o -H newc 2>/dev/null >>initrd

start keelrun --dev "$node" --kernel /guest/Image --initrd initrd --cpus 1 --mem 1G \
	--append "quiet keel.shell"
until_true has_shell 1
result $? "a guest with a shell"
vm=$(keelctl list | awk 'NR > 1 { print $1 }')
round=1
while [ $round -le "$rounds" ]; do
	for set in $sets; do
		measure "$set" $round
	done
	round=$((round + 1))
done
type_in "poweroff -f"
ended "power-off"
table >figures
result $? "a figure for each operation"
sed 's/^/# /' figures
finish
