#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# open-vm-tools_debian.sh keelrun|qemu: Debian's open-vm-tools in the Debian they are made for: what
# they say of a host without and with a backdoor, the service under systemd, the address and the
# version that it reports, time synchronisation, an orderly shut-down when the host asks. With
# KEEL_SOAK=1 the service is watched for ten minutes instead of one.
# shellcheck disable=SC2016 # commands are typed as they are, the guest's shell expands them
#
# Needs /disk/guest.img, /guest/Image and /guest/initrd.cpio. Prints KTAP; busybox sh.

if [ ! -e /guest/Image ] || [ ! -e /disk/guest.img ]; then
	echo "1..0 # SKIP no guest kernel or no Debian"
	exit 4
fi
# shellcheck source=selftests/lib/debian.sh
. "${0%/*}/lib/debian.sh"
# shellcheck source=selftests/lib/open-vm-tools.sh
. "${0%/*}/lib/open-vm-tools.sh"
# shellcheck source=selftests/lib/guest.sh
. "${0%/*}/lib/guest.sh"

# clock NAME RIGHT TEXT: RIGHT=0: the guest's clock is the host's, to what starting a program takes
clock() {
	type_in "near; echo $1=\$?"
	said "$1" "$2"
	result $? "$3"
}

# shellcheck disable=SC2317 # until_true calls it
address_is() {
	[ "$(keelctl guestinfo get "$vm" ip 2>/dev/null)" = "$1" ]
}

# What the shut-down says on the console: first a service is stopped, then file systems go, then the
# power. The tools' own service is not among them: by its DefaultDependencies=no it lives to the end.
orderly() {
	awk '/Stopped .*dbus\.service/ { stopped = 1 }
		stopped && /Reached target .*umount\.target/ { unmounted = 1 }
		unmounted && /Reached target .*poweroff\.target/ { off = 1 }
		END { exit !off }' out
}

# keelrun has no network: an address of an interface that leads nowhere will do. Nothing in the image
# is set up to ask for one.
case $1 in
qemu)
	nic=eth0
	set -- "$1" -netdev user,id=net -device virtio-net-device,netdev=net
	make_nic=:
	;;
*)
	nic=dummy0
	make_nic="ip link add $nic type dummy"
	;;
esac
vmm=$1
shift
start_debian "$vmm" "" "$@"
log_in
# A shell that edits no lines and does not prompt: what a command prints begins a line.
type_in 'echo; PS1="sh: " exec sh'
see "^sh: "
result $? "a plain shell"
type_in 'PS1= PS2='

tools_find_nothing
type_in 'vmware-toolbox-cmd stat speed 2>&1; echo outside=$?'
said outside 1 && grep -q "^vmware-toolbox-cmd must be run inside a virtual machine" out
result $? "vmware-toolbox-cmd says that it needs one"
serve_tools
tools_find_backdoor
tools_pass_variables
tools_pass_much

type_in 'vmware-toolbox-cmd stat speed | grep -q MHz; echo speed=$?'
said speed 0
result $? "vmware-toolbox-cmd stat speed"
type_in 'near() {
d=$(($(date -d "$(vmware-toolbox-cmd stat hosttime)" +%s) - $(date +%s)))
[ $d -gt -60 ] && [ $d -lt 60 ]; }'
clock hosttime 0 "vmware-toolbox-cmd stat hosttime"
# These are of ESX's guest library alone. The tools say so themselves.
type_in 'n=0; for s in sessionid balloon swap memlimit memres cpures cpulimit; do
t=$(vmware-toolbox-cmd stat $s 2>&1); r=$?; echo "$s: status $r, $t"; case "$r $t" in
"75 UpdateInfo failed: VMware Guest API is not enabled on the host") n=$((n + 1)) ;;
esac; done; echo refused=$n'
said refused 7
result $? "the other figures: the tools say that the host has none"

type_in "$make_nic; ip link set $nic up; ip addr add 10.0.2.15/24 dev $nic; echo nic=\$?"
said nic 0
result $? "the guest has an address"

# The service has ConditionVirtualization=vmware. On arm64 systemd looks for VMware in the DMI, of
# which keel's guest has none. So this condition is taken away, and nothing else.
type_in 'd=/run/systemd/system/open-vm-tools.service.d; mkdir -p $d
printf "[Unit]\nConditionVirtualization=\n" >$d/keel.conf; systemctl daemon-reload
systemctl start open-vm-tools; p=$(systemctl show -p MainPID --value open-vm-tools)
systemctl is-active open-vm-tools; echo service=$?'
said service 0
result $? "the package's service starts"
tools_start
until_true address_is 10.0.2.15
result $? "vmtoolsd says the guest's address"
tools_go_on

# Off to begin with: its status is 69. An hour late is put right when it is switched on, by the
# guest or the host, and from then on each minute; an hour early only when the host says so, as that
# takes the clock back.
type_in 'vmware-toolbox-cmd timesync status; echo begin=$?'
said begin 69
result $? "time synchronisation is off"
type_in 'date -s "@$(($(date +%s) - 3600))"'
clock late 1 "the guest's clock is an hour late"
type_in 'vmware-toolbox-cmd timesync enable; echo enable=$?
vmware-toolbox-cmd timesync status; echo on=$?'
said enable 0 && said on 0
result $? "vmware-toolbox-cmd switches synchronisation on"
type_in 'until near; do sleep 1; done; echo near=$?'
said near 0
result $? "the clock is put right"

type_in 'vmware-toolbox-cmd timesync disable; echo disable=$?
vmware-toolbox-cmd timesync status; echo off=$?'
said disable 0 && said off 69
result $? "vmware-toolbox-cmd switches it off"
# one request after the other: when this is answered, the daemon knows that it is off
keelctl backdoor send "$vm" Capabilities_Register >reply
type_in 'date -s "@$(($(date +%s) - 3600))"'
clock again 1 "the clock is an hour late again"
keelctl backdoor send "$vm" "Set_Option synctime 1" >reply
clock host 0 "keelctl switches synchronisation on, and the clock is put right"
type_in 'date -s "@$(($(date +%s) + 3600))"'
clock early 1 "the clock is an hour early"
keelctl backdoor send "$vm" "Time_Synchronize 1" >reply
clock backwards 0 "keelctl has it put right once, backwards"

type_in 'q=$(systemctl show -p MainPID --value open-vm-tools)
[ "$p" = "$q" ] && kill -0 $q; echo daemon=$?'
said daemon 0
result $? "vmtoolsd is the same process still"

# SIGRTMIN+20: systemd says on the console what it does
type_in 'kill -54 1'
keelctl power off "$vm"
result $? "keelctl power off: the tools agree"
ended "Debian powers off: status 0"
orderly
result $? "its services have been stopped in order"
agent_ended
finish
