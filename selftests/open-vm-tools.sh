#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Debian's open-vm-tools, unmodified, in a Linux guest: they find the backdoor, variables go through
# it both ways, the daemon says what it is and answers, and shuts the guest down when asked. With
# KEEL_SOAK=1 the daemon is watched for ten minutes instead of one.
# shellcheck disable=SC2016 # commands are typed as they are, the guest's shell expands them
#
# Needs /guest/Image, /guest/initrd.cpio, /disk/open-vm-tools.cpio. Prints KTAP; busybox sh.

node=${KEEL_DEV:-/dev/keel}
if [ ! -e /guest/Image ] || [ ! -e /disk/open-vm-tools.cpio ]; then
	echo "1..0 # SKIP no guest kernel, or no open-vm-tools"
	exit 4
fi
# shellcheck source=selftests/lib/guest.sh
. "${0%/*}/lib/guest.sh"
watch=60
[ "${KEEL_SOAK:-}" != 1 ] || watch=600

# type_in TEXT: into the guest's shell
type_in() {
	echo "$1" >&3
}

# said NAME TEXT: what the guest's shell printed after NAME= is TEXT
said() {
	until_true grep -q "^$1=" out
	[ "$(answer "$1")" = "$2" ]
}

# served TEXT: wait until the agent has printed it
served() {
	until_true grep -q "$1" serve.log
}

# The library looks up who calls it, so there has to be somebody; the daemon calls shutdown.
cat /guest/initrd.cpio /disk/open-vm-tools.cpio >initrd
mkdir etc sbin
echo 'root:x:0:0:root:/root:/bin/sh' >etc/passwd
printf '#!/bin/sh\necho "order=$1"\npoweroff -f\n' >sbin/shutdown
chmod 755 sbin/shutdown
printf 'etc\netc/passwd\nsbin\nsbin/shutdown\n' | cpio -o -H newc 2>/dev/null >>initrd
start keelrun --dev "$node" --kernel /guest/Image --initrd initrd --mem 1G \
	--append "quiet keel.shell"
until_true has_shell 1
result $? "a guest with a shell"
vm=$(keelctl list | awk 'NR > 1 { print $1 }')

# The library makes sure of the platform first: with the doors shut it must say no, and live.
type_in 'vmware-checkvm >/dev/null 2>&1; echo shut=$?'
said shut 1
result $? "no backdoor, and the tools say so"

keelctl backdoor on "$vm"
keelctl backdoor serve "$vm" >serve.log 2>&1 &
agent=$!
served serving
result $? "keelctl serves it"

type_in 'vmware-checkvm; echo check=$?'
said check 0 && grep -q "version 6 (good)" out
result $? "vmware-checkvm finds version 6"

type_in 'vmware-rpctool "info-set guestinfo.fruit pear"; echo set=$?'
said set 0 && [ "$(keelctl guestinfo get "$vm" fruit)" = pear ]
result $? "a variable from the guest to the host"

keelctl guestinfo set "$vm" tree oak
type_in 'echo got=$(vmware-rpctool "info-get guestinfo.tree")'
said got oak
result $? "a variable from the host to the guest"

type_in 'vmware-rpctool "no such request"; echo unknown=$?'
said unknown 1
result $? "an unknown request fails"

type_in 'vmware-toolbox-cmd stat speed | grep -q MHz; echo speed=$?'
said speed 0
result $? "vmware-toolbox-cmd stat speed"

# Both clocks are the host's: to a few seconds, as starting the program takes some.
type_in 'd=$(($(date -d "$(vmware-toolbox-cmd stat hosttime)" -D "%d %b %Y %T" +%s) - $(date +%s)))
echo clock=$((d > -60 && d < 60))'
said clock 1
result $? "vmware-toolbox-cmd stat hosttime"

type_in 'vmtoolsd >/tmp/vmtoolsd.log 2>&1 &'
served "tools are running"
result $? "vmtoolsd answers"
served "^tools [0-9]"
result $? "vmtoolsd says its version"

# It goes on answering: a request each ten seconds.
alive=0
i=0
while [ $i -lt $watch ] && [ $alive = 0 ]; do
	keelctl backdoor send "$vm" ping >/dev/null 2>&1
	usleep 10000000
	keelctl backdoor send "$vm" Capabilities_Register >/dev/null || alive=1
	i=$((i + 10))
done
result $alive "vmtoolsd stays up for $watch seconds"
type_in 'pidof vmtoolsd >/dev/null; echo daemon=$?'
said daemon 0
result $? "vmtoolsd is the same process still"

keelctl power off "$vm"
ended "keelctl power off: the guest shuts down"
wait $agent
result $? "the agent ends with it"
[ $failed = 0 ] || sed 's/^/# /' serve.log out err
finish
