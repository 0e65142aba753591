#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Linux under keelrun: a shell by serial port and virtio console, 1 and 2 CPUs, a disk written, read
# back after a reboot, and compared with its image; power-off.
# shellcheck disable=SC2016 # commands are typed as they are, the guest's shell expands them
#
# Needs /guest/Image and /guest/initrd.cpio; the KVM node is KEEL_DEV. Prints KTAP; busybox sh.

dev=${KEEL_DEV:-/dev/keel}
if [ ! -e /guest/Image ]; then
	echo "1..0 # SKIP no guest kernel"
	exit 4
fi
# shellcheck source=selftests/lib/ktap.sh
. "${0%/*}/lib/ktap.sh"
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

# start OPTION...: a guest with a shell; its console is out, descriptor 3 its keyboard; sets pid
start() {
	: >out
	keelrun --dev "$dev" --kernel /guest/Image --initrd /guest/initrd.cpio \
		--append "quiet keel.shell" "$@" <keys >out 2>err &
	pid=$!
	exec 3>keys
}

# see TEXT TIMES: wait until the console shows TEXT so often, or the guest has ended
see() {
	while [ "$(grep -c "$1" out)" -lt "$2" ]; do
		if ! kill -0 $pid 2>/dev/null; then
			[ "$(grep -c "$1" out)" -ge "$2" ]
			return
		fi
		usleep 100000
	done
}

# ended NAME: wait for the end; its status must be 0
ended() {
	wait $pid
	status=$?
	exec 3>&-
	[ $status = 0 ]
	result $? "$1"
	[ $status = 0 ] || sed 's/^/# /' out err
}

# What a command in the guest printed after its name; the echo of what is typed has no "=".
answer() {
	sed -n "s/^$1=\\([0-9a-z.]*\\).*/\\1/p" out | tail -n 1
}

hash_of() {
	md5sum "$1" | cut -d ' ' -f 1
}

mkfifo keys
truncate -s 4M disk
zeros=$(hash_of disk)
echo "KTAP version 1"

start --cpus 1 --disk disk
see "# " 1
result $? "1 CPU: a shell on the serial port"
echo 'dd if=/dev/urandom of=/dev/vda bs=64k count=64 2>/dev/null && sync; reboot -f' >&3
see "# " 2
result $? "a reboot brings the shell back"
echo 's=$(md5sum </dev/vda); n=$(nproc); echo; echo hash=$s; echo cpus=$n; poweroff -f' >&3
ended "power-off: status 0"
[ "$(answer cpus)" = 1 ]
result $? "one CPU is up"
[ -n "$(answer hash)" ] && [ "$(answer hash)" = "$(hash_of disk)" ]
result $? "the disk holds what the guest wrote before the reboot"
[ "$(hash_of disk)" != "$zeros" ]
result $? "the disk is not empty"

before=$(hash_of disk)
start --cpus 2 --disk disk,ro --console virtio
see "# " 1
result $? "2 CPUs: a shell on the virtio console"
echo 'dd if=/dev/zero of=/dev/vda bs=64k count=1; s=$(md5sum </dev/vda); n=$(nproc)' >&3
echo 'echo; echo hash=$s; echo cpus=$n; poweroff -f' >&3
ended "power-off by CPU 0 or 1: status 0"
[ "$(answer cpus)" = 2 ]
result $? "two CPUs are up"
[ "$(answer hash)" = "$before" ] && [ "$(hash_of disk)" = "$before" ]
result $? "a read-only disk reads the same and takes no writes"

echo "1..$number"
exit $failed
