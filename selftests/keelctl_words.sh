#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Do keelctl --help, the man page, the completion and Documentation/keelctl.md name the same verbs,
# each with the same options? Builds keelctl for the build machine, and installs the tools; runs
# there.

set -u
cd "$(dirname "$0")/.." || exit 1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# shellcheck source=selftests/lib/ktap.sh
. selftests/lib/ktap.sh
# shellcheck source=tools/keelctl/keelctl.bash
. tools/keelctl/keelctl.bash

explain() { sed 's/^/# /' "$tmp/diff"; }

# same FILE FILE TEXT
same() {
	[ -s "$1" ] && diff "$1" "$2" >"$tmp/diff" 2>&1
	result $? "$3"
}

# The options of each verb, but for those that all have: lines "VERB --OPTION", and "VERB" alone.
of_help() {
	local verb

	"$tmp/keelctl" --help | awk '/^$/ { n++ } n == 1 && /^  / { print }' |
		sed 's/^  //; s/  .*//; s/ [A-Z[].*//' | while read -r verb; do
		echo "$verb"
		# shellcheck disable=SC2086 # a verb may be two words
		"$tmp/keelctl" $verb --help | sed -n 's/^  \(--[a-z]*\).*/\1/p' | sed "s/^/$verb /"
	done
}

# An entry's head is a line, or goes on to .Xc.
of_man() {
	awk '
	/^\.It Xo/ { head = 1; text = ""; next }
	/^\.It Cm/ { show($0); next }
	/^\.Xc/ { show(text); head = 0; next }
	head { text = text " " $0 }
	function show(text,    n, w, i, verb) {
		n = split(text, w, " ")
		for (i = 1; i <= n && w[i] !~ /Cm$/; i++)
			;
		verb = w[++i]
		while (++i <= n && w[i] ~ /^[a-z]+$/)
			verb = verb " " w[i]
		print verb
		for (; i <= n; i++)
			if (w[i] == "Fl")
				print verb " -" w[i + 1]
	}' tools/keelctl/keelctl.1
}

of_completion() {
	local verb option

	while read -r verb; do
		echo "$verb"
		for option in $(_keelctl_options "$verb"); do
			echo "$verb $option"
		done
	done <<<"$_keelctl_verbs"
}

# shellcheck disable=SC2016 # the backticks are Markdown's
# Rows of its table of verbs. A row of two verbs has them both in its first column.
of_document() {
	local line verb

	grep '^| `keelctl ' Documentation/keelctl.md | while read -r line; do
		grep -o '`keelctl [^`]*`' <<<"${line%|*|}" | sed 's/`keelctl //; s/`$//; s/ [A-Z[].*//' |
			while read -r verb; do
				echo "$verb"
				grep -o -- '`--[a-z]*' <<<"$line" | sed "s/^\`/$verb /"
			done
	done
}

common='--(dev|help)$'
echo "TAP version 13"
echo "1..6"

make -s -C tools "O=$tmp" CROSS_COMPILE= SYSROOT= "$tmp/keelctl" >"$tmp/diff" 2>&1
result $? "keelctl for this machine"
of_help | grep -vE -- "$common" | sort >"$tmp/help"
of_man | grep -vE -- "$common" | sort -u >"$tmp/man"
of_completion | sort >"$tmp/completion"
of_document | sort -u >"$tmp/document"
same "$tmp/help" "$tmp/man" "the man page has the verbs and options of --help"
same "$tmp/help" "$tmp/completion" "so has the completion"
# what --json does is said once
grep -v -- '--json$' "$tmp/help" >"$tmp/help-document"
same "$tmp/help-document" "$tmp/document" "so has Documentation/keelctl.md"

# a machine may have no groff
if command -v groff >/dev/null; then
	groff -mdoc -Tascii -ww tools/keelctl/keelctl.1 2>"$tmp/diff" >"$tmp/page" && [ ! -s "$tmp/diff" ]
fi
result $? "the man page is well-formed"

make -s install-tools "DESTDIR=$tmp/root" >"$tmp/diff" 2>&1 &&
	[ -x "$tmp/root/usr/local/bin/keelctl" ] && [ -x "$tmp/root/usr/local/bin/keelrun" ] &&
	[ -f "$tmp/root/usr/local/share/man/man1/keelctl.1" ] &&
	[ -f "$tmp/root/usr/local/share/bash-completion/completions/keelctl" ]
result $? "make install-tools DESTDIR="
exit $failed
