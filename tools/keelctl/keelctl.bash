# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Completion of keelctl for bash: its verbs, their options, and the VMs that there are.

_keelctl_verbs='list
show
stats
regs
pnmi sample
top
trace
gva translate
gva scan
gva read
power show
power set
power record
backdoor on
backdoor off
backdoor show
backdoor serve
backdoor send
guestinfo get
guestinfo set
power off
power reboot'

# _keelctl_options VERB: besides --dev and --help
_keelctl_options() {
	case $1 in
	list | show | regs | 'power show' | 'backdoor on' | 'backdoor off' | 'backdoor show' | 'guestinfo get')
		echo --json
		;;
	stats) echo --all --vcpus --json ;;
	'pnmi sample') echo --map --json ;;
	top) echo --interval --once --json ;;
	trace) echo --count --all --json ;;
	'gva translate') echo --write --user --vcpu --json ;;
	'gva scan') echo --ranges --need --deny --stats --map --vcpu --json ;;
	'gva read') echo --user --raw --vcpu --json ;;
	'power set') echo --policy --min --max ;;
	'power record') echo --output --for --every --json ;;
	esac
}

# Ids and names without blanks
_keelctl_vms() {
	keelctl list 2>/dev/null | awk 'NR > 1 { print $1; if (NF == 7) print $7 }'
}

# _keelctl_values OPTION WORD: sets COMPREPLY for its value; fails if it has none
_keelctl_values() {
	case $1 in
	--ranges) mapfile -t COMPREPLY < <(compgen -W 'kernel user' -- "$2") ;;
	--policy) mapfile -t COMPREPLY < <(compgen -W 'off hint cap' -- "$2") ;;
	--dev | --map | --output | -o) mapfile -t COMPREPLY < <(compgen -f -- "$2") ;;
	--count | --deny | --every | --for | --interval | --max | --min | --need | --vcpu) COMPREPLY=() ;;
	*) return 1 ;;
	esac
}

_keelctl() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local words=() verb='' i

	_keelctl_values "$before" "$word" && return
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--count | --deny | --dev | --every | --for | --interval | --map | --max | --min) ((i++)) ;;
		--need | --output | -o | --policy | --ranges | --vcpu) ((i++)) ;;
		-*) ;;
		*) words+=("${COMP_WORDS[i]}") ;;
		esac
	done
	for i in 2 1; do
		grep -qxF "${words[*]:0:i}" <<<"$_keelctl_verbs" || continue
		verb=${words[*]:0:i}
		words=("${words[@]:i}")
		break
	done
	if [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_keelctl_options "$verb") --dev --help" -- "$word")
	elif [ -z "$verb" ] && [ ${#words[@]} = 0 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(cut -d ' ' -f 1 <<<"$_keelctl_verbs" | sort -u)" -- "$word")
	elif [ -z "$verb" ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(sed -n "s/^${words[0]} //p" <<<"$_keelctl_verbs")" -- "$word")
	elif [ "$verb" = top ] || { [ "$verb" != list ] && [ ${#words[@]} = 0 ]; }; then
		mapfile -t COMPREPLY < <(compgen -W "$(_keelctl_vms)" -- "$word")
	elif [ "$verb" = 'backdoor on' ] || [ "$verb" = 'backdoor off' ]; then
		mapfile -t COMPREPLY < <(compgen -W 'dcc brk hvc' -- "$word")
	fi
}

complete -F _keelctl keelctl
