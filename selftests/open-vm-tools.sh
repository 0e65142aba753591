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
# shellcheck source=selftests/lib/open-vm-tools.sh
. "${0%/*}/lib/open-vm-tools.sh"
# shellcheck source=selftests/lib/guest.sh
. "${0%/*}/lib/guest.sh"

# The library looks up who calls it, so there has to be somebody; the daemon calls shutdown, which
# says it, and lets the guest live when it was asked for a reboot.
cat /guest/initrd.cpio /disk/open-vm-tools.cpio >initrd
mkdir etc sbin
echo 'root:x:0:0:root:/root:/bin/sh' >etc/passwd
cat >sbin/shutdown <<'END'
#!/bin/sh
printf '\norder=%s\n' "${1#-}" >/dev/console
[ "$1" = -r ] || poweroff -f
END
chmod 755 sbin/shutdown
printf 'etc\netc/passwd\nsbin\nsbin/shutdown\n' | cpio -o -H newc 2>/dev/null >>initrd
start keelrun --dev "$node" --kernel /guest/Image --initrd initrd --mem 1G \
	--append "quiet keel.shell"
until_true has_shell 1
result $? "a guest with a shell"
tools_find_nothing
serve_tools
tools_find_backdoor
tools_pass_variables
tools_pass_much

type_in 'vmware-toolbox-cmd stat speed | grep -q MHz; echo speed=$?'
said speed 0
result $? "vmware-toolbox-cmd stat speed"

# Both clocks are the host's: to a few seconds, as starting the program takes some.
type_in 'd=$(($(date -d "$(vmware-toolbox-cmd stat hosttime)" -D "%d %b %Y %T" +%s) - $(date +%s)))
echo clock=$((d > -60 && d < 60))'
said clock 1
result $? "vmware-toolbox-cmd stat hosttime"

type_in 'vmtoolsd >/tmp/vmtoolsd.log 2>&1 &'
tools_start
tools_go_on
type_in 'pidof vmtoolsd >/dev/null; echo daemon=$?'
said daemon 0
result $? "vmtoolsd is the same process still"

keelctl power reboot "$vm"
said order r
result $? "keelctl power reboot: the daemon orders it"
keelctl power off "$vm"
ended "keelctl power off: the guest shuts down"
agent_ended
finish
