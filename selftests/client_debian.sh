#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# client_debian.sh qemu|keelrun: a stock Debian comes up to its login prompt, lets root in, says
# that all its services run, and powers off.
# shellcheck disable=SC2016 # commands are typed as they are, the guest's shell expands them
#
# Needs /disk/guest.img, /guest/Image and /guest/initrd.cpio; the KVM node is KEEL_DEV. Prints KTAP;
# busybox sh.

if [ ! -e /guest/Image ] || [ ! -e /disk/guest.img ]; then
	echo "1..0 # SKIP no guest kernel or no Debian"
	exit 4
fi
# shellcheck source=selftests/lib/debian.sh
. "${0%/*}/lib/debian.sh"
# shellcheck source=selftests/lib/guest.sh
. "${0%/*}/lib/guest.sh"

start_debian "$1" ""
log_in
type_in 's=$(systemctl is-system-running --wait); echo; echo state=$s'
said state running
result $? "$1: the system is up, no service has failed"
type_in 'systemctl poweroff'
ended "$1: power-off with status 0, no complaint"
finish
