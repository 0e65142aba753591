#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Debian's QEMU, as it is packaged, runs Linux guests: 1 CPU with disks over virtio-mmio; 2 CPUs
# with disks over PCI and its four interrupt lines, which pass 64 MB of random data and reset the
# machine; 4 CPUs.
# shellcheck disable=SC2016 # commands are typed as they are, the guest's shell expands them
#
# client_qemu.sh [short|all]: short is 2 CPUs with less data; all is every number of CPUs with both
# kinds of disk, and a reset in each.
#
# Needs qemu-system-aarch64, /guest/Image and /guest/initrd.cpio; the KVM node is KEEL_DEV. Prints
# KTAP; busybox sh.

dev=${KEEL_DEV:-/dev/keel}
if [ ! -e /guest/Image ] || ! command -v qemu-system-aarch64 >/dev/null; then
	echo "1..0 # SKIP no QEMU or no guest kernel"
	exit 4
fi
# shellcheck source=selftests/lib/guest.sh
. "${0%/*}/lib/guest.sh"

# disk mmio|pci NAME: options for a disk whose content is file NAME. PCI without MSI vectors uses
# the four lines of the bus.
disk() {
	case $1 in
	mmio) echo "-device virtio-blk-device,drive=$2,serial=$2" ;;
	pci) echo "-device virtio-blk-pci,vectors=0,drive=$2,serial=$2" ;;
	esac
	echo "-drive file=$2,id=$2,if=none,format=raw"
}

# boot CPUS mmio|pci MEGABYTES: a guest with a shell on the serial port and two disks of that size,
# one with random data
boot() {
	title="$1 CPUs, $2"
	dd if=/dev/urandom of=data bs=1M count="$3" 2>/dev/null
	rm -f copy
	truncate -s "$3M" copy
	# shellcheck disable=SC2046 # several words
	start qemu-system-aarch64 -accel "kvm,device=$dev" -M virt,gic-version=3,its=off -cpu host \
		-smp "$1" -m 512 -nodefaults -display none -serial stdio \
		-kernel /guest/Image -initrd /guest/initrd.cpio -append "quiet keel.shell" \
		$(disk "$2" data) $(disk "$2" copy)
	until_true has_shell 1
	result $? "$title: a shell"
}

# The guest says what it has read, and copies one disk to the other. Directly: an emulated CPU
# takes long for what the page cache does to each page.
copy() {
	echo 'for d in /sys/block/vd?; do read name <$d/serial; eval $name=/dev/${d##*/}; done' >&3
	echo 'dd if=$data of=/tmp/data bs=1M iflag=direct; s=$(md5sum </tmp/data)' >&3
	echo 'dd if=/tmp/data of=$copy bs=1M oflag=direct; echo; echo hash=$s' >&3
	hash=$(hash_of data)
	said hash "$hash"
	result $? "$title: the guest read what the host wrote"
	[ "$(hash_of copy)" = "$hash" ]
	result $? "$title: the host reads what the guest wrote"
}

reset() {
	echo 'reboot -f' >&3
	until_true has_shell 2
	result $? "$title: a reset brings the shell back"
}

off() { # CPUS
	echo 'n=$(nproc); echo; echo cpus=$n; poweroff -f' >&3
	ended "$title: power-off with status 0, no complaint of QEMU's"
	[ "$(answer cpus)" = "$1" ]
	result $? "$title: so many CPUs are up"
}

# whole CPUS mmio|pci MEGABYTES: all of it
whole() {
	boot "$@"
	copy
	reset
	off "$1"
}

case ${1:-} in
short) whole 2 pci 4 ;;
all)
	for bus in mmio pci; do
		for cpus in 1 2 4; do
			whole $cpus $bus 64
		done
	done
	;;
*)
	boot 1 mmio 4
	copy
	off 1
	whole 2 pci 64
	boot 4 pci 4
	off 4
	;;
esac
finish
