#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# client_kvm_selftests.sh [long | PROGRAM...]: the kernel's own KVM selftests as clients of keel
#
# They are built by scripts/kvm-selftests, and open /dev/kvm, which keel offers where in-tree KVM is
# off. Each must end as the table says, also one that is expected not to pass: if it passes, or fails
# in another way, the table is wrong. "long" runs those that take minutes. Prints KTAP; busybox sh.
# Documentation/kvm-selftests.md has the reasons in full.

# PROGRAM, what it must say on keel and on in-tree KVM (pass, skip, fail; long: passes, but only in a
# run of the long ones); if it does not pass on keel a word of what it then prints, and why
table() {
	cat <<-END
		get-reg-list pass pass
		psci_test pass pass
		hypercalls fail pass KVM_SET_DEVICE_ATTR no steal time, none of KVM's own hypercalls
		set_memory_region_test pass long
		vgic_irq fail pass kvm_max_routes no IRQ routing, no access to the vGIC's registers
		vcpu_width_config skip pass KVM_CAP_ARM_EL1_32BIT no AArch32 guests
		guest_print_test pass pass
		coalesced_io_test pass pass
		kvm_create_max_vcpus pass pass
		kvm_binary_stats_test pass pass
	END
}

dir=$(cd "$(dirname "$0")" && pwd)
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
on_keel=''
[ ! -e /dev/keel ] || on_keel=1

# wanted PROGRAM WANT ARGUMENT...: is it among those to run?
wanted() {
	program=$1 want=$2
	shift 2
	case ${1:-} in
	'') [ "$want" != long ] ;;
	long) [ "$want" = long ] ;;
	*) case " $* " in *" $program "*) ;; *) false ;; esac ;;
	esac
}

# result STATUS: how the program has ended, in the table's words
result() {
	case $1 in
	0) echo pass ;;
	4) echo skip ;;
	*) echo fail ;;
	esac
}

number=0
failed=0
echo "KTAP version 1"
while read -r program keel kvm word why; do
	if [ -n "$on_keel" ]; then want=$keel; else want=$kvm word='' why=''; fi
	wanted "$program" "$want" "$@" || continue
	[ "$want" != long ] || want=pass
	number=$((number + 1))
	if [ ! -x "$dir/kvm-$program" ]; then
		echo "not ok $number $program: not built (scripts/kvm-selftests)"
		failed=1
		continue
	fi
	"$dir/kvm-$program" >"$out" 2>&1 </dev/null
	status=$?
	got=$(result $status)
	if [ "$got" = "$want" ] && grep -q "$word" "$out"; then
		echo "ok $number $program: $got${why:+, as expected: $why}"
	else
		tail -n 15 "$out" | sed 's/^/# /'
		echo "not ok $number $program: $got (status $status), expected $want${word:+ ($word)}"
		failed=1
	fi
done <<END
$(table)
END
echo "1..$number"
[ $number -gt 0 ] || failed=1
exit $failed
