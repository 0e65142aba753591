#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# gva_linux.sh [debian]: the address spaces of a Linux guest under keelrun. While its VMM is
# stopped, a scan finds what a walk in a copy of its memory finds (gva_compare.c), several times,
# with other processes in the guest. With "debian": of a stock Debian.
# shellcheck disable=SC2016 # commands are typed as they are, the guest's shell expands them
#
# Needs /guest/Image, /guest/initrd.cpio, and /disk/guest.img for a Debian. Prints KTAP; busybox sh.

if [ ! -e /guest/Image ] || { [ "$1" = debian ] && [ ! -e /disk/guest.img ]; }; then
	echo "1..0 # SKIP no guest kernel or no Debian"
	exit 4
fi
here=$(cd "${0%/*}" && pwd)
# shellcheck source=selftests/lib/debian.sh
. "$here/lib/debian.sh"
# shellcheck source=selftests/lib/guest.sh
. "$here/lib/guest.sh"

# Nobody waits for a vCPU of a VMM that is stopped.
slice=/sys/module/keel/parameters/gva_slice
slice_before=$(cat $slice)
# a comparison that is cut off leaves the VMM stopped
trap 'echo "$slice_before" >$slice; [ -z "$pid" ] || kill -CONT "$pid"; clean_up' EXIT
echo 5000 >$slice

# compare NAME: the guest as it is now. In the background: this script acts on a signal at once.
compare() {
	"$here/gva_compare" "${pid:?}" &
	wait $!
	result $? "$1"
}

if [ "$1" = debian ]; then
	start_debian keelrun ""
	log_in
else
	start keelrun --dev "${KEEL_DEV:-/dev/keel}" --kernel /guest/Image \
		--initrd /guest/initrd.cpio --cpus 2 --mem 256M --append "quiet keel.shell"
	until_true has_shell 1
	result $? "a guest with a shell"
fi
compare "it waits for a command"
type_in '(while :; do dd if=/dev/zero of=/tmp/x bs=64k count=64 2>/dev/null; rm /tmp/x; done) &
echo; echo busy=$?'
said busy 0
result $? "it works"
for i in 1 2; do
	compare "it works, $i"
done
type_in 'kill %1; s=$?; wait; echo; echo idle=$s'
said idle 0
result $? "it goes on"
type_in "poweroff -f"
ended "power-off"
finish
