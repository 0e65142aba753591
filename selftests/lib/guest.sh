# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# What tests that talk to a Linux guest over its console share (busybox sh): KTAP lines, and a VMM
# in the background whose input and output are the guest's console. Sourced; makes a directory of
# its own the current one, and removes it at the end.

# shellcheck source=selftests/lib/ktap.sh
. "${0%/*}/lib/ktap.sh"

# What a terminal's line ends with
cr=$(printf '\r')
# The guest's processes and ours share few CPUs, so we look seldom.
interval=100000

dir=$(mktemp -d) || exit 1
pid=
# clean_up: at the end, however it comes. A test with more to undo calls it from a trap of its own.
clean_up() {
	[ -z "$pid" ] || kill "$pid" 2>/dev/null
	rm -rf "$dir"
}
trap clean_up EXIT
# a signal alone would end busybox sh without
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
# a VMM that has ended reads no more keys
trap '' PIPE
cd "$dir" || exit 1
mkfifo keys
echo "KTAP version 1"

# explain: the first failure shows what the guest and its VMM have said
explain() {
	[ $failed = 1 ] || tail -n 30 out err | sed 's/^/# /'
}

# finish: the plan, and the status of the whole
finish() {
	echo "1..$number"
	exit $failed
}

# start VMM OPTION...: the console is out, the VMM's complaints err, descriptor 3 the keyboard
start() {
	# now, not when the VMM gets to run: what an earlier guest said is no answer of this one
	: >out
	: >err
	"$@" <keys >out 2>err &
	pid=$!
	exec 3>keys
}

# until_true COMMAND...: wait until it is, or the VMM has ended; then whether it is
until_true() {
	while ! "$@"; do
		if ! kill -0 "$pid" 2>/dev/null; then
			"$@"
			return
		fi
		usleep $interval
	done
}

# see TEXT: wait until the console shows it
see() {
	until_true grep -q "$1" out
}

# type_in TEXT: a line for the guest's shell
type_in() {
	echo "$1" >&3
}

# told NAME: wait until the guest's shell has printed NAME=, and the end of the line. Bash puts an
# escape sequence (bracketed paste) before the first that a typed line prints: let that be an empty
# one, by an echo in the same line.
told() {
	until_true grep -q "^$1=.*$cr" out
}

# said NAME TEXT: wait for it; whether TEXT follows
said() {
	told "$1"
	[ "$(answer "$1")" = "$2" ]
}

# the guest's init has said so often that there is a shell, and the shell has prompted since
has_shell() {
	awk -v times="$1" '/keel-guest: a shell/ { n++; prompt = 0 } /# / { prompt = 1 }
		END { exit n != times || !prompt }' out
}

# ended NAME: wait for the end; its status must be 0, and it must not have complained. More CPUs
# than the host has are worth a warning to QEMU on any host.
ended() {
	wait "$pid"
	status=$?
	pid=
	exec 3>&-
	[ $status = 0 ] && ! grep -v "exceeds the recommended cpus" err
	result $? "$1"
}

# answer NAME: what a command in the guest printed last after NAME=; the echo of what is typed,
# which has $ there, does not count
answer() {
	sed -n "s/.*$1=\\([0-9a-z.]\\{1,\\}\\).*/\\1/p" out | tail -n 1
}

hash_of() {
	md5sum "$1" | cut -d ' ' -f 1
}
