#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Linux with pseudo-NMIs under keelrun: one CPU spins with interrupts off, the other asks it where
# it is (sysrq l), and gets the answer while it spins. Without pseudo-NMIs it gets none.
# shellcheck disable=SC2016 # commands are typed as they are, the guest's shell expands them
#
# Needs /guest/debug/, because Debian's kernels have no pseudo-NMI; the KVM node is KEEL_DEV. Prints
# KTAP; busybox sh.
guest=/guest/debug
# shellcheck source=selftests/lib/guest.sh
. "${0%/*}/lib/guest.sh"

# The guest's initramfs and the helper module, as one more archive.
mkdir modules
cp $guest/modules/irqsoff.ko modules/
(cat $guest/initrd.cpio && find modules | cpio -o -H newc 2>/dev/null) >initrd

# boot WORD...: words for the command line. CPU 1 gets no tasks: they would wait there for the end of
# the spin.
boot() {
	start keelrun --dev "${KEEL_DEV:-/dev/keel}" --cpus 2 --mem 512M --kernel $guest/Image \
		--initrd initrd --append "quiet keel.shell isolcpus=1 $*"
	until_true has_shell 1
	result $? "${*:-no word}: a shell"
}

# One line for it all: nothing that is typed meanwhile has to be heard. Ends what it prints with
# over=; what the kernel says is on the console before.
ask='dmesg -n 8; insmod /modules/irqsoff.ko; cd /sys/module/irqsoff/parameters
while [ $(cat spinning) = 0 ]; do :; done; echo l >/proc/sysrq-trigger
echo still=$(cat spinning); echo 1 >stop; while [ $(cat spinning) = 1 ]; do :; done
dmesg | grep -c Pseudo-NMIs.enabled; echo over=1'

# The kernel's answers up to the line that says that CPU 1 still spins
answers() {
	sed '/still=1/q' out
}

boot irqchip.gicv3_pseudo_nmi=1
echo "$ask" | tr '\n' ';' >&3
echo >&3
see "^over=1"
result $? "the guest has asked"
[ "$(answer still)" = 1 ]
result $? "CPU 1 spun until it was stopped"
answers | grep -q "NMI backtrace for cpu 1"
result $? "CPU 1 answered while it spun"
answers | grep -q "pc : irqsoff_spin"
result $? "with the place where it spun"
echo 'poweroff -f' >&3
ended "power-off: status 0"
finish
