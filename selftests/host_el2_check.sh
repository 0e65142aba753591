#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Does scripts/el2-check see each breach of the rules of EL2 code, and none where there is none?
# Small made-up objects; runs on the build machine.

set -u
cd "$(dirname "$0")/.." || exit 1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cross=aarch64-linux-gnu-

number=0
failed=0

# check TEXT SYMBOLS LINE <ASSEMBLY: el2-check must say LINE and nothing else; "": nothing at all
check() {
	local text=$1 symbols=$2 want=$3 status=0

	{
		printf '.arch armv9-a+sve+sme\n.section .noinstr.text, "ax"\n'
		cat
	} >"$tmp/object.S"
	printf '%b' "$symbols" >"$tmp/symbols"
	number=$((number + 1))
	if "${cross}gcc" -c -o "$tmp/object.o" "$tmp/object.S" 2>"$tmp/said"; then
		scripts/el2-check "${cross}objdump" "${cross}nm" "$tmp/object.o" "$tmp/symbols" \
			2>"$tmp/said" || status=$?
		if [ -z "$want" ]; then
			[ $status = 0 ] && [ ! -s "$tmp/said" ]
		else
			[ $status = 1 ] && [ "$(grep -c . "$tmp/said")" = 1 ] &&
				grep -qF -- "$want" "$tmp/said"
		fi && echo "ok $number $text" && return
	fi
	echo "not ok $number $text"
	sed 's/^/# /' "$tmp/said"
	failed=1
}

# breach INSTRUCTION TEXT: INSTRUCTION in an ordinary function must be reported with TEXT
breach() {
	check "$1" '' "el2_handler+0x4: $2" <<-END
		el2_handler:
		nop
		$1
		ret
	END
}

echo "TAP version 13"
echo "1..24"

check "what may be there" 'memcpy # copies\n?memset # in debug builds\n' '' <<'END'
el2_leave_guest:
	mrs	x0, sp_el0
	msr	sp_el0, x1
	str	x30, [x18], #8
	ret
el2_vectors:
	mrs	x2, sp_el0
	eret
el2_handler:
	bti	c
	mrs	x0, s3_4_c1_c1_0
	mov	x1, #0xb0
	b.eq	el2_handler
	at	s1e1r, x0
	dc	cvac, x0
	ic	ialluis
	tlbi	vmalle1
	xpaci	x3
	ldr	x4, [x5, x6, lsl #3]
	msr	daifset, #0xf
	tbz	x0, #3, d0
	bl	memcpy
d0:	ret
fp_el2_save:
	stp	q0, q1, [x0]
	mrs	x1, fpcr
	str	p0, [x0]
	ret
	.section .altinstr_replacement, "ax"
	nop
END

breach "mrs x0, sp_el0" "sp_el0 outside enter and leave"
breach "msr sp_el0, x0" "sp_el0 outside enter and leave"
breach "brk #0x800" "BRK"
breach "paciasp" "pointer authentication"
breach "hint #29" "pointer authentication"
breach "pacga x0, x1, x2" "pointer authentication"
breach "autda x0, x1" "pointer authentication"
breach "retaa" "pointer authentication"
breach "blraaz x3" "pointer authentication"
breach "fmov d0, x1" "FP or SIMD"
breach "dup v3.16b, w2" "FP or SIMD"
breach "ldr s31, [x0]" "FP or SIMD"
breach "ld1 {v0.2d-v1.2d}, [x0]" "FP or SIMD"
breach "str z3, [x0]" "FP or SIMD"
breach "ptrue p3.b" "FP or SIMD"
breach "mrs x0, fpsr" "FP or SIMD"
breach "smstart sm" "FP or SIMD"
breach "str x30, [x18], #8" "x18"

check "code elsewhere" '' 'section .text' <<'END'
	.text
el2_handler:
	ret
END
check "an unlisted symbol" '' 'printk: needed from outside' <<'END'
	bl	printk
END
check "a listed symbol that is not used" 'memset # clears\n' 'memset: no longer used' <<'END'
	ret
END
check "a symbol without a reason" 'memset\n' 'memset: no reason given' <<'END'
	bl	memset
END
check "ftrace" '' 'built with ftrace' <<'END'
	ret
	.section __patchable_function_entries, "aw"
	.quad	0
END

exit $failed
