# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# A stock Debian as a guest (busybox sh). Sourced with guest.sh, before it. Needs /disk/guest.img,
# /guest/Image and /guest/initrd.cpio.

# start_debian qemu|keelrun APPEND [OPTION...]: boot it, with APPEND for its kernel and OPTIONs for
# the VMM; the KVM node is KEEL_DEV
start_debian() {
	vmm=$1
	append="quiet keel.root=/dev/vda $2"
	node=${KEEL_DEV:-/dev/keel}
	shift 2
	case $vmm in
	qemu)
		start qemu-system-aarch64 -accel "kvm,device=$node" -M virt,gic-version=3,its=off \
			-cpu host -smp 2 -m 512 -nodefaults -display none -serial stdio \
			-kernel /guest/Image -initrd /guest/initrd.cpio -append "$append" \
			-drive file=/disk/guest.img,id=root,if=none,format=raw,snapshot=on \
			-device virtio-blk-device,drive=root "$@"
		;;
	keelrun)
		start keelrun --dev "$node" --kernel /guest/Image --initrd /guest/initrd.cpio \
			--append "$append" --cpus 2 --mem 512M --disk /disk/guest.img "$@"
		;;
	esac
}

# log_in: as root, on the console
log_in() {
	see "^debian login: "
	result $? "$vmm: the login prompt"
	type_in root
	see "^Password: "
	type_in keel
	see "root@debian:~# "
	result $? "$vmm: root logs in"
}
