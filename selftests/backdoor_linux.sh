#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The backdoor's doors dcc and brk in a Linux guest, beside its debuggers: gdb, ptrace, kprobes and
# uprobes lose nothing while programs call. What the guest runs is backdoor_guest.c; with KEEL_SOAK=1
# it does so for longer.
# shellcheck disable=SC2016 # commands are typed as they are, the guest's shell expands them
#
# Needs /guest/Image, /guest/initrd.cpio, /disk/gdb.cpio. Prints KTAP; busybox sh.

node=${KEEL_DEV:-/dev/keel}
if [ ! -e /guest/Image ] || [ ! -e /disk/gdb.cpio ]; then
	echo "1..0 # SKIP no guest kernel, or no gdb"
	exit 4
fi
here=$(cd "${0%/*}" && pwd)
# shellcheck source=selftests/lib/guest.sh
. "$here/lib/guest.sh"

# in_guest CASE...: of backdoor_guest, each a result of this test, too
in_guest() {
	for name; do
		echo "$soak /selftests/backdoor_guest $name; echo $name$again=\$?" >&3
		said "$name$again" 0
		result $? "$name$again"
	done
}

again=
soak=
[ "${KEEL_SOAK:-}" != 1 ] || soak=KEEL_SOAK=1
mkdir selftests selftests/lib
cp "$here/backdoor_guest" "$here/backdoor_debuggee" selftests
cp "$here/lib/backdoor.gdb" selftests/lib
cat /guest/initrd.cpio /disk/gdb.cpio >initrd
find selftests | cpio -o -H newc 2>/dev/null >>initrd

start keelrun --dev "$node" --kernel /guest/Image --initrd initrd --cpus 2 --mem 1G \
	--append "quiet keel.shell"
until_true has_shell 1
result $? "a guest with a shell"
vm=$(keelctl list | awk 'NR > 1 { print $1 }')

in_guest doors_shut
keelctl backdoor on "$vm" dcc brk
in_guest doors_open gdb kprobes uprobes ptraced
keelctl backdoor off "$vm"
again=_again
in_guest doors_shut

echo 'dmesg | grep -E "cut here|Oops|BUG|Unexpected|rcu:.*stall"; echo kernel=$?' >&3
said kernel 1
result $? "the guest's kernel has nothing to report"

echo "poweroff -f" >&3
ended "power-off"
finish
