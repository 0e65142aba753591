#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# keel with parameters that force the paths which this host would not take by itself. Runs in the
# emulated host, where keel is loaded; it is loaded without parameters again at the end.

cd "$(dirname "$0")" || exit 1
# shellcheck source=selftests/lib/ktap.sh
. lib/ktap.sh

# with PARAMETER PROGRAM: it passes with the parameter set
with() {
	rmmod keel 2>/dev/null
	insmod /keel.ko "$1" && "./$2" >/tmp/parameters 2>&1
	status=$?
	[ $status = 0 ] || sed 's/^/# /' /tmp/parameters
	result $status "$2 with $1"
}

echo "KTAP version 1"
echo "1..26"
# the least that two CPUs need, and the least that a CPU has
with vmid_bits=2 stage2_vmids
with vmid_bits=2 stage2_faults
with vmid_bits=2 stage2_memslots
with vmid_bits=8 stage2_vmids
with huge=0 stage2_blocks
with huge=0 stage2_faults
with huge=0 stage2_memslots
with fwb=0 stage2_blocks
with fwb=0 stage2_faults
with fwb=0 stage2_memslots
rmmod keel
! insmod /keel.ko vmid_bits=1 2>/dev/null
result $? "vmid_bits=1 is refused"
with fgt=0 vcpu_inject
with fgt=0 vcpu_fp
with fgt=0 vtimer_irq
with fgt=0 backdoor_doors
with pnmi=ppi vgic_irqs
with pnmi=ppi vcpu_smp
with pnmi=ppi vtimer_irq
with pnmi=ppi pnmi_sample
with pnmi=ppi run_tiers
with pnmi=sgi vcpu_smp
with pnmi=off vgic_irqs
with pnmi=off vcpu_smp
rmmod keel
! insmod /keel.ko pnmi=nmi 2>/dev/null
result $? "pnmi=nmi is refused"
with kvm_node=0 run_ten
[ ! -e /dev/kvm ]
result $? "no /dev/kvm with kvm_node=0"
rmmod keel
insmod /keel.ko
exit $failed
