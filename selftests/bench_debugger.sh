#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What the backdoor's doors cost a Linux guest under a debugger: bench_debugger.c in a guest of one
# CPU, by ptrace and under gdb, with doors shut and open by turns; with in-tree KVM there are none.
# Under the emulator's instruction count (scripts/bench --debugger) times are instructions. The
# table: medians of all batches, their ratio to that with doors shut, and the widest of a row's
# ranges that hold the middle half of its batches.
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
[ "$node" = /dev/keel ] || sets=in-tree
ops="switch step hbreak watch break gdb_step gdb_hbreak gdb_watch gdb_break"
# Looking takes time of the guest's CPU; what the guest does takes some of these.
interval=2000000

# doors SET: these open, the others shut
doors() {
	[ "$1" != in-tree ] || return 0
	keelctl backdoor off "$vm" dcc brk hvc
	case $1 in
	shut) ;;
	all) keelctl backdoor on "$vm" dcc brk hvc ;;
	*) keelctl backdoor on "$vm" "$1" ;;
	esac
}

# traps: accesses to registers that EL2 has answered
traps() {
	[ "$sets" = in-tree ] || keelctl stats "$vm" | awk '$1 == "sysreg" { print $2 }'
}

# measure SET ROUND: by ptrace and under gdb
measure() {
	doors "$1"
	before=$(traps)
	type_in "echo \"doors $1\"; BENCH_BATCHES=$batches /selftests/bench_debugger; echo $1$2=\$?"
	said "$1$2" 0
	result $? "$1, round $2"
	echo "$1 $(($(traps) - before))" >>traps
	type_in "BENCH_BATCHES=$batches gdb -nx -batch -x /selftests/lib/bench_debugger.gdb \
/selftests/bench_debugger </dev/null >gdb.log 2>&1; echo $1gdb$2=\$?; \
grep -H . debuggee.out"
	# On max gdb 13.1 finds no hardware breakpoints in a guest of in-tree KVM.
	said "$1gdb$2" 3 || [ "$1" = in-tree ]
	result $? "$1, round $2, gdb"
}

# alike SET: no more traps than with doors shut; a step that trapped would make thousands
alike() {
	awk -v set="$1" '!($1 in n) { n[$1] = $2 } END { exit !(n[set] - n["shut"] < 1000) }' traps
}

# figures: SET OPERATION MEDIAN, and the width of the range with the middle half of the batches
figures() {
	tr -d '\r' <out | sed 's/^debuggee\.out://' | awk '
		$1 == "doors" { set = $2 }
		$2 == "debugger" { for (i = 4; i <= NF; i++) print set, $3, $i }
	' | sort -k 1,1 -k 2,2 -k 3,3n | awk '
		function at(part) { return v[int((n - 1) * part + 0.5)] }
		function print_one() { if (n) print key, at(0.5), at(0.75) - at(0.25) }
		key != $1 " " $2 { print_one(); key = $1 " " $2; n = 0 }
		{ v[n++] = $3 }
		END { print_one() }
	'
}

# table: fails if a figure is missing
table() {
	figures | awk -v sets="$sets" -v ops="$ops" '
	{ median[$1, $2] = $3; range[$1, $2] = $4 }
	END {
		n = split(sets, s, " ")
		m = split(ops, o, " ")
		million = median[s[1], "million"]
		counted = (million >= 1e6 && million < 1.03e6)
		printf("%-12s", counted ? "instructions" : "ns (noisy)")
		for (i = 1; i <= n; i++)
			printf((i > 1 ? "%9s  ratio" : "%9s"), s[i])
		print "   spread"
		for (k = 1; k <= m; k++) {
			printf("%-12s", o[k])
			for (i = 1; i <= n; i++) {
				x = median[s[i], o[k]]
				missing = missing || (!x && sets != "in-tree")
				first = i > 1 ? first : x
				printf((i > 1 ? "%9.0f  %5.3f" : "%9.0f"), x, first ? x / first : 0)
				w = x ? range[s[i], o[k]] / x : 0
				spread = i > 1 && spread > w ? spread : w
			}
			printf("   %5.1f%%\n", spread * 100)
		}
		exit missing
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
[ "$sets" = in-tree ] || vm=$(keelctl list | awk 'NR > 1 { print $1 }')
round=1
while [ $round -le "$rounds" ]; do
	for set in $sets; do
		measure "$set" $round
	done
	round=$((round + 1))
done
type_in "poweroff -f"
ended "power-off"
if [ "$sets" != in-tree ]; then
	alike hvc
	result $? "hvc: the guest's debug registers as with doors shut"
fi
table >rows
result $? "a figure for each operation"
sed 's/^/# /' rows
finish
