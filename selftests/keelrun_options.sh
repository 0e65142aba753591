#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# keelrun's options and what it says of wrong ones: one line that names the remedy, status 1.
# Kernels here are a header and some instructions, so no Linux guest is needed.
# The KVM node is KEEL_DEV. Prints KTAP; busybox sh.

dev=${KEEL_DEV:-/dev/keel}
# shellcheck source=selftests/lib/ktap.sh
. "${0%/*}/lib/ktap.sh"
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

# refuses WORDS OPTION...: keelrun must end with status 1 and one line that has WORDS in it
refuses() {
	words=$1
	shift
	keelrun "$@" </dev/null >out 2>err
	status=$?
	test $status = 1 && test ! -s out && test "$(wc -l <err)" = 1 &&
		grep -q "^keelrun: .*$words" err
	ok=$?
	[ $ok = 0 ] || echo "# status $status, wanted \"$words\": $(cat err)"
	result $ok "refuses with \"$words\""
}

# ends STATUS NAME OPTION...: keelrun must run a guest and end with STATUS; its output is in out
ends() {
	want=$1 name=$2
	shift 2
	keelrun --dev "$dev" "$@" >out 2>err
	status=$?
	[ $status = "$want" ]
	ok=$?
	[ $ok = 0 ] || echo "# status $status, wanted $want: $(cat err)"
	result $ok "$name"
}

# The words of a binary file, little-endian, from hexadecimal.
words() {
	for w; do
		bytes=$(echo "$w" | sed 's/\(..\)\(..\)\(..\)\(..\)/\\x\4\\x\3\\x\2\\x\1/')
		printf %b "$bytes"
	done
}

# image FLAG=VALUE... -- CODE...: an arm64 Image on standard output. Its first word jumps over the
# header; text_offset, image_size and magic may be changed. The size fits every test.
image() {
	text_offset=00000000 image_size=00010000 magic=644d5241
	while [ "$1" != -- ]; do
		eval "$1"
		shift
	done
	shift
	words 14000010 00000000 "$text_offset" 00000000 "$image_size" 00000000 00000000 00000000 \
		00000000 00000000 00000000 00000000 00000000 00000000 "$magic" 00000000 "$@"
}

# mov w0, #0x84000000; movk w0, #8 or #9; hvc #0: PSCI SYSTEM_OFF, SYSTEM_RESET
off="52b08000 72800100 d4000002"
reset="52b08000 72800120 d4000002"
# 1: wfi; b 1b
hang="d503207f 17ffffff"
# mov x1, #0x9000000; 1: str w2, [x1]; b 1b
spam="d2a12001 b9000022 17ffffff"
# Enable the PL011 (CR = 0x301), send back what comes until a 'q':
# mov x1, #0x9000000; mov w2, #0x301; str w2, [x1, #48]
# 1: ldr w2, [x1, #24]; tbnz w2, #4, 1b; ldr w2, [x1]; str w2, [x1]; cmp w2, #'q'; b.ne 1b
echo_guest="d2a12001 52806022 b9003022
	b9401822 3727ffe2 b9400022 b9000022 7101c45f 54ffff61"

# shellcheck disable=SC2086,SC2094 # words of machine code; files have the names of variables
{
	image -- $off >off
	image -- $reset >reset
	image -- $hang >hang
	image -- $spam >spam
	image -- $echo_guest $off >answers
	image text_offset=00080000 image_size=00000000 -- $off >old
	image magic=00000000 -- $off >magic
	image image_size=00000040 -- $off >long
	image text_offset=40000000 -- $off >far
	printf '\177ELF' >elf
	printf '\037\213\010' >gzip
	printf 'MZ\000\000zimg' >zimg
	head -c 20 off >short
	: >empty
}
# "MZ", a PE header at 64 with one section of 0x2000 bytes at 0x1000: the file must have 0x3000.
{
	printf 'MZ\000\000'
	image -- | tail -c +5 | head -c 56
	words 00000040
	words 00004550 0001aa64 00000000 00000000 00000000 00000000
	words 7865742e 00000074 00002000 00001000 00002000 00001000 00000000 00000000 00000000 \
		00000000
} >part
truncate -s 1M disk
truncate -s 1000 odd
head -c 3000 /dev/zero | tr '\0' x >letters

echo "KTAP version 1"

refuses "no kernel"
refuses "no-such-option is not an option" --no-such-option
refuses "not an option, or not a whole one" --c 1
refuses "needs a value" --kernel off --mem
refuses "belongs to no option" --kernel off stray

refuses "cannot open kernel nofile" --kernel nofile
refuses "kernel . is not a file" --kernel .
refuses "kernel empty is empty" --kernel empty
for k in short magic; do
	refuses "kernel $k is not an arm64 Image" --kernel $k
done
refuses "gunzip" --kernel gzip
refuses "EFI image" --kernel zimg
refuses "objcopy" --kernel elf
refuses "kernel part is truncated: it has 128 of 12288 bytes" --kernel part
refuses "kernel long is damaged" --kernel long
refuses "cannot open initrd nofile" --kernel off --initrd nofile
refuses "initrd empty is empty" --kernel off --initrd empty

for n in 0 -1 two 1x "" 18446744073709551617; do
	refuses "is not a number of CPUs" --kernel off --cpus "$n"
done
refuses "too many CPUs" --kernel off --cpus 124 --dev "$dev"
for m in 0 0M 512 -1M M 1MB 1X "" 99999999999999999999G 17179869184G; do
	refuses "is not a size" --kernel off --mem "$m"
done
refuses "not a multiple of 2M" --kernel off --mem 3M
refuses "too large" --kernel off --mem 1048576G
refuses "too large" --kernel off --mem 262144G --dev "$dev"
refuses "too little memory" --kernel off --mem 2M
refuses "too little memory" --kernel far --mem 512M
truncate -s 32M initrd
refuses "too little memory.*at least 36M" --kernel off --initrd initrd --mem 32M

refuses "cannot open disk image nofile" --kernel off --disk nofile
refuses "neither a file nor a block device" --kernel off --disk /dev/null
refuses "disk image empty is empty" --kernel off --disk empty
refuses "1000 bytes, not a multiple of 512" --kernel off --disk odd
refuses "only \"ro\" is known" --kernel off --disk disk,rw
refuses "name of an image" --kernel off --disk ,ro
refuses "disk image disk is in use" --kernel off --disk disk --disk disk
refuses "disk image disk is in use" --kernel off --disk disk,ro --disk disk
# shellcheck disable=SC2046 # 32 times the option
refuses "too many disks" --kernel off $(yes "--disk disk,ro" | head -n 32)

for p in "" 500 2000x; do
	refuses "perf $p: give the lowest and the highest" --kernel off --perf "$p"
done
for p in : 500: 500:2G 500:-2000 "500: 2000" 0x500:2000 500.5:2000 500:18446744073709551616 ::4; do
	refuses "is not a frequency in MHz" --kernel off --perf "$p"
done
for p in 0:2000 500:0 500:100001 500:18446744073709551615; do
	refuses "MHz is out of range: give 1 to 100000" --kernel off --perf "$p"
done
for p in 2000:500 2000:500:4 500:500; do
	refuses "the lower frequency first" --kernel off --perf "$p"
done
for n in "" x -2 4:4 4x 18446744073709551616; do
	refuses "is not a number of frequencies" --kernel off --perf "500:2000:$n"
done
for n in 0 1 33 4294967298; do
	refuses "takes 2 to 32 frequencies" --kernel off --perf "500:2000:$n"
done
for p in full "" 1; do
	refuses "power $p is unknown: give off, hint or cap" --kernel off --perf 500:2000 --power "$p"
done
refuses "power needs --perf" --kernel off --power cap
for p in deep "" standby,retention; do
	refuses "idle $p is unknown: give standby" --kernel off --idle "$p"
done
if [ "$dev" = /dev/kvm ] && [ ! -e /dev/keel ]; then
	refuses "/dev/kvm has no performance" --kernel off --dev "$dev" --perf 500:2000
	refuses "/dev/kvm has no idle states" --kernel off --dev "$dev" --idle standby
fi

refuses "console other is unknown" --kernel off --console other
refuses "append is too long" --kernel off --append "$(cat letters)"
refuses "cannot open nofile" --kernel off --dev nofile
refuses "/dev/null is not a KVM node" --kernel off --dev /dev/null
[ -e /dev/keel ] || refuses "insmod keel.ko, and boot the host with kvm-arm.mode=none" --kernel off

keelrun --help >out 2>err && grep -q "^Example:" out && [ ! -s err ]
result $? "--help explains"

ends 0 "power-off: status 0" --kernel off </dev/null
ends 0 "an Image without image_size" --kernel old </dev/null
truncate -s 1M ro
ends 0 "an initrd, 4 CPUs, two disks and both consoles" --kernel off --initrd initrd --cpus 4 \
	--disk disk --disk ro,ro --console virtio </dev/null
ends 0 "--stats: one exit" --kernel off --stats </dev/null
grep -q "^keelrun: exits all 1$" err
result $? "--stats counts one exit"
ends 0 "--idle none" --kernel off --idle none </dev/null
if [ -e /dev/keel ]; then
	for p in 1:100000 500:2000 500:2000:2 99999:100000:32; do
		ends 0 "--perf $p" --kernel off --perf $p --cpus 4 </dev/null
	done
	for p in off hint cap; do
		ends 0 "--power $p" --kernel off --perf 500:2000:4 --power $p </dev/null
	done
	for p in standby retention all; do
		ends 0 "--idle $p" --kernel off --idle $p </dev/null
	done
fi
ends 2 "reset with --no-reboot: status 2" --kernel reset --no-reboot </dev/null

mkfifo in
printf 'A line.\nq' >in &
ends 0 "input from a pipe" --kernel answers <in
printf 'A line.\nq' | cmp -s - out
result $? "output is what was sent"

# start OPTION...: in the background until a vCPU runs; sets pid
start() {
	keelrun --dev "$dev" "$@" 2>err &
	pid=$!
	until grep -q "^Threads:.*[2-9]" /proc/$pid/status; do
		kill -0 $pid 2>/dev/null || break
		usleep 10000
	done
}

# ended STATUS NAME: wait for what start() started
ended() {
	wait $pid
	status=$?
	[ $status = "$1" ]
	ok=$?
	[ $ok = 0 ] || echo "# status $status, wanted $1: $(cat err)"
	result $ok "$2"
}

start --kernel hang --cpus 2 </dev/null >out
kill -TERM $pid
ended 143 "SIGTERM ends a guest that waits: status 143"

start --kernel hang </dev/null >out
kill -INT $pid
ended 130 "SIGINT: status 130"

# Nobody reads the pipe: a vCPU waits in a write.
mkfifo full
exec 4<>full
head -c 65000 /dev/zero >&4
start --kernel spam </dev/null >full
while grep -q "^State:.*R" /proc/$pid/task/*/status; do
	usleep 10000
done
kill -TERM $pid
ended 143 "SIGTERM ends a guest whose output nobody reads"
exec 4<&-

# Each boot is a VM of its own. With few descriptors, one that stays open ends this early.
# shellcheck disable=SC3045 # busybox has it
ulimit -n 32
start --kernel reset --stats </dev/null >out
until [ "$(grep -c "exits all" err)" -ge 30 ]; do
	kill -0 $pid 2>/dev/null || break
	usleep 10000
done
kill -TERM $pid
ended 143 "30 resets leave no descriptor behind"

echo "1..$number"
exit $failed
