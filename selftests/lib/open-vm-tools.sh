# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# shellcheck disable=SC2016 # commands are typed as they are, the guest's shell expands them
# What is proved of open-vm-tools in any Linux guest with a shell on its console (busybox sh).
# Sourced with guest.sh, before it; the guest is the only VM of the host. KEEL_SOAK=1 watches the
# daemon for ten minutes instead of one.

watch=60
[ "${KEEL_SOAK:-}" != 1 ] || watch=600

# served TEXT: wait until the agent has printed it
served() {
	until_true grep -q "$1" serve.log
}

# The library makes sure of the platform first: with the doors shut it must say no, and live.
tools_find_nothing() {
	type_in 'vmware-checkvm >/dev/null 2>&1; echo shut=$?'
	said shut 1
	result $? "no backdoor, and the tools say so"
}

# serve_tools: open the doors, and be the host's end; sets vm and agent
serve_tools() {
	vm=$(keelctl list | awk 'NR > 1 { print $1 }')
	keelctl backdoor on "$vm"
	keelctl backdoor serve "$vm" >serve.log 2>&1 &
	agent=$!
	served serving
	result $? "keelctl serves it"
}

tools_find_backdoor() {
	type_in 'vmware-checkvm; echo check=$?'
	said check 0 && grep -q "version 6 (good)" out
	result $? "vmware-checkvm finds version 6"
}

tools_pass_variables() {
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
}

# As much as goes into one message.
tools_pass_much() {
	type_in 'b=$(tr -dc a-z </dev/urandom | head -c 61440); vmware-rpctool "info-set guestinfo.big $b"
echo big=$(printf %s "$b" | md5sum | cut -d " " -f 1)'
	told big
	hash=$(answer big)
	[ "$(keelctl guestinfo get "$vm" big | tr -d '\n' | md5sum | cut -d ' ' -f 1)" = "$hash" ]
	result $? "60 KiB from the guest to the host"

	type_in 'echo back=$(vmware-rpctool "info-get guestinfo.big" | tr -d "\n" | md5sum | cut -d " " -f 1)'
	said back "$hash"
	result $? "60 KiB from the host to the guest"
}

# Ask the tools, and once more if a busy machine keeps them from answering in keelctl's time.
tools_answer() {
	keelctl backdoor send "$vm" "$1" >/dev/null 2>>refused ||
		keelctl backdoor send "$vm" "$1" >/dev/null 2>>refused
}

# They go on answering: a request each ten seconds.
tools_go_on() {
	i=0
	while [ $i -lt $watch ]; do
		keelctl backdoor send "$vm" ping >/dev/null 2>&1
		usleep 10000000
		tools_answer Capabilities_Register || break
		i=$((i + 10))
	done
	[ $i -ge $watch ]
	result $? "vmtoolsd stays up for $watch seconds"
	[ ! -s refused ] || sed 's/^/# /' refused
}

tools_start() {
	served "tools are running"
	result $? "vmtoolsd answers"
	served "^tools [0-9]"
	result $? "vmtoolsd says its version"
}

agent_ended() {
	wait "$agent"
	result $? "the agent ends with it"
	[ $failed = 0 ] || sed 's/^/# /' serve.log out err
}
