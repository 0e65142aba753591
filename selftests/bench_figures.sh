#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# scripts/bench, briefly: each operation has a figure in both columns, the JSON and the chart are
# well formed, and what is missing is noticed. Runs on the build machine.

cd "$(dirname "$0")/.." || exit 1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# shellcheck source=selftests/lib/ktap.sh
. selftests/lib/ktap.sh

explain() {
	sed 's/^/# /' "$dir/said"
}

check_json='
import json, sys
names = """hypercall sysreg vgic_read vgic_write mmio_user ioeventfd eoi ipi ipi_blocked irqfd timer
wfi_wake suspend_shallow late_deep idle idle_hint fault_4k fault_2m vcpu_create vm_create boot floor""".split()
items = {i["op"]: i for i in json.load(open(sys.argv[1]))}
for name in names:
    i = items[name]
    assert (i["host"], i["cpu"], i["unit"]) == ("6.12", "max", "instructions"), i
    assert i["keel"] > 0 and i["kvm"] > 0, i
    assert abs(i["ratio"] - i["keel"] / i["kvm"]) < 0.001, i
    assert i["guest"] and i["options"] and i["path"], i
# an HVC to an empty vector cannot be dearer than one to a hypervisor
for column in "keel", "kvm":
    assert items["floor"][column] < items["hypercall"][column], items["floor"]
    assert items["boot"][column] < items["boot"]["total"][column], items["boot"]
'

echo "KTAP version 1"
echo "1..4"
scripts/bench --short --out "$dir" 6.12/max >"$dir/said" 2>&1
result $? figures
python3 -c "$check_json" "$dir/bench.json" >"$dir/said" 2>&1
result $? json
python3 -c 'import sys, xml.dom.minidom as x; x.parse(sys.argv[1])' "$dir/bench.svg" \
	>"$dir/said" 2>&1
result $? chart
sed -i '/bench ipi /d' "$dir/6.12-max.kvm.icount"
scripts/bench-report "$dir" 6.12/max >"$dir/said" 2>&1
[ $? = 1 ] && grep -q 'no figure for ipi (kvm)' "$dir/said"
result $? missing
exit $failed
