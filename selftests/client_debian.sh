#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# client_debian.sh qemu|keelrun: a stock Debian comes up to its login prompt, lets root in, says
# that all its services run, and powers off.
# shellcheck disable=SC2016 # commands are typed as they are, the guest's shell expands them
#
# Needs /disk/guest.img, /guest/Image and /guest/initrd.cpio; the KVM node is KEEL_DEV. Prints KTAP;
# busybox sh.

dev=${KEEL_DEV:-/dev/keel}
if [ ! -e /guest/Image ] || [ ! -e /disk/guest.img ]; then
	echo "1..0 # SKIP no guest kernel or no Debian"
	exit 4
fi
# shellcheck source=selftests/lib/guest.sh
. "${0%/*}/lib/guest.sh"
# systemd gives up on a device after 90 seconds, but a busy machine may take as long to emulate udev
append="quiet keel.root=/dev/vda systemd.default_device_timeout_sec=900"

case $1 in
qemu)
	start qemu-system-aarch64 -accel "kvm,device=$dev" -M virt,gic-version=3,its=off -cpu host \
		-smp 2 -m 512 -nodefaults -display none -serial stdio \
		-kernel /guest/Image -initrd /guest/initrd.cpio -append "$append" \
		-drive file=/disk/guest.img,id=root,if=none,format=raw,snapshot=on \
		-device virtio-blk-device,drive=root
	;;
keelrun)
	start keelrun --dev "$dev" --kernel /guest/Image --initrd /guest/initrd.cpio \
		--append "$append" --cpus 2 --mem 512M --disk /disk/guest.img
	;;
esac

see "^debian login: "
result $? "$1: the login prompt"
echo root >&3
see "^Password: "
echo keel >&3
see "root@debian:~# "
result $? "$1: root logs in"
echo 's=$(systemctl is-system-running --wait); echo; echo state=$s' >&3
see "state=[a-z]"
[ "$(answer state)" = running ]
result $? "$1: the system is up, no service has failed"
echo 'systemctl poweroff' >&3
ended "$1: power-off with status 0, no complaint"
finish
