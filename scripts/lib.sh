# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the scripts share: where things lie, how they speak, and the project's own apt.
#
# Layout of build/ (all output; build/cache may be a link to another tree's):
#   cache/apt/             apt configuration, lists and downloads of the project's own
#   cache/kernel/VERSION/  a Debian kernel: Image, modules/, headers/ (for make -C)
#   cache/debug/           the debug kernel, same three names (scripts/debug-kernel)
#   cache/guest-kernel/    a kernel for guests: Image (scripts/guest-kernel)
#   cache/arm64/           arm64 userland: a sysroot
#   cache/initramfs/       initramfs images, by content
#   KERNEL/                a tree of links in which keel.ko is built
#   selftests/ tools/      static arm64 programs
#   log/                   consoles

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build
cache=$(readlink -m "$build/cache")
# shellcheck disable=SC2034 # for the scripts that read this file
log_dir=$build/log
apt_dir=$cache/apt
me=${0#"$root"/}

say() { printf '%s\n' "$*" >&2; }

die() {
	say "$me: $*"
	exit 1
}

# usage_of FILE: the comment block at the top of FILE, below the SPDX line
usage_of() { sed -n '3,/^[^#]/{/^# shellcheck/d;/^#/{s/^# \{0,1\}//;p}}' "$1"; }

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "root or sudo is needed to install packages"
	fi
}

# lock NAME COMMAND...: one at a time, over all work trees that share the cache
lock() {
	local name=$1
	shift

	mkdir -p "$cache"
	(
		if ! flock -n 9; then
			say "$me: waiting for another run ($name)"
			flock 9
		fi
		"$@" 9>&-
	) 9>"$cache/.lock-$name"
}

# newer_than STAMP FILE...: STAMP exists and no FILE is newer
newer_than() {
	local stamp=$1 f
	shift

	[ -e "$stamp" ] || return 1
	for f; do
		if [ "$f" -nt "$stamp" ]; then
			return 1
		fi
	done
}

# kernel_dir KERNEL: where Image, modules/ and headers/ of 6.1, 6.12 or debug lie, or the Image of
# cpufreq, which is for guests alone
kernel_dir() {
	case $1 in
	6.1 | 6.12) echo "$cache/kernel/$1" ;;
	debug) echo "$cache/debug" ;;
	cpufreq) echo "$cache/guest-kernel" ;;
	*) die "no kernel '$1': 6.1, 6.12, debug or cpufreq" ;;
	esac
}

# mirror SUITE...: where the machine itself fetches the first of these suites that it knows from,
# by its apt sources; empty if none
mirror() {
	local uri suite

	for suite; do
		# Both formats of sources and their variables are apt's business, so ask apt; this
		# way it answers before its lists have ever been fetched, too. (awk reads to the
		# end: a reader that stops early would fail the pipe.)
		uri=$(apt-get -o Debug::NoLocking=1 update --print-uris |
			awk -v end="/dists/$suite/InRelease'" '{ n = index($1, end) }
				n && !seen++ { print substr($1, 2, n - 2) }')
		case $uri in
		'') continue ;;
		# a list of mirrors in a file, as on Debian's cloud images
		mirror+file:*) awk 'NF && !n++ { print $1 }' "${uri#mirror+file:}" ;;
		*) echo "$uri" ;;
		esac
		return
	done
}

# debian_sources RELEASE [POCKET...]: sources for RELEASE and RELEASE-POCKET, from the machine's
# own mirror, whatever Debian release the machine itself runs
debian_sources() {
	local release=$1 pocket main security key=/usr/share/keyrings/debian-archive-keyring.gpg
	local here signed=
	shift

	# shellcheck source=/dev/null
	here=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	main=$(mirror "$here" stable oldstable)
	security=$(mirror "$here-security" stable-security oldstable-security)
	[ -n "$main" ] || die "apt's sources name no mirror of Debian '$here'"
	[ ! -e "$key" ] || signed="[signed-by=$key] "
	echo "deb $signed$main $release main"
	for pocket; do
		case $pocket in
		security) [ -z "$security" ] || echo "deb $signed$security $release-security main" ;;
		*) echo "deb $signed$main $release-$pocket main" ;;
		esac
	done
}

# own_apt COMMAND...: an apt command on the project's own lists of Debian 12, all architectures,
# nothing installed; neither reads nor changes the machine's
own_apt() { APT_CONFIG=$apt_dir/apt.conf "$@"; }

# apt_sources: where they come from; a script may have its own, with another $apt_dir
apt_sources() { debian_sources bookworm security backports; }

# own_apt_update: make the configuration and fetch the lists
own_apt_update() {
	local native
	native=$(dpkg --print-architecture)

	mkdir -p "$apt_dir"/{lists/partial,cache/archives/partial,state,none}
	: >"$apt_dir/status"
	apt_sources >"$apt_dir/sources.list"
	cat >"$apt_dir/apt.conf" <<-END
		Dir::State "$apt_dir/state";
		Dir::State::Lists "$apt_dir/lists";
		Dir::State::Status "$apt_dir/status";
		Dir::Cache "$apt_dir/cache";
		Dir::Etc::SourceList "$apt_dir/sources.list";
		Dir::Etc::SourceParts "$apt_dir/none";
		Dir::Etc::Preferences "/dev/null";
		Dir::Etc::PreferencesParts "$apt_dir/none";
		APT::Architecture "$native";
		APT::Architectures { "$native"; "arm64"; };
		APT::Sandbox::User "root";
		APT::Install-Recommends "false";
		Acquire::Languages "none";
		Acquire::Retries "3";
	END
	own_apt apt-get -qq update
}

# depends PACKAGE PATTERN: the one package that PACKAGE depends on whose name matches PATTERN
depends() {
	own_apt apt-cache show --no-all-versions "$1" | sed -n 's/^Depends: //p' | tr ',' '\n' |
		sed 's/^ *//; s/ .*//' | awk -v p="$2" '$0 ~ p && !n++'
}

# version_of PACKAGE: its version
version_of() {
	own_apt apt-cache show --no-all-versions "$1" | awk '/^Version: / && !n++ { print $2 }'
}

# megabytes PACKAGE...: what downloading them takes
megabytes() {
	own_apt apt-get -qq --print-uris download "$@" | awk '{ n += $3 } END { print int(n / 1e6) }'
}

# fetch DIR PACKAGE...: download packages into DIR (apt's notation: name:arch=version, name/suite);
# lists that have grown old are fetched anew once
fetch() {
	local dir=$1
	shift

	mkdir -p "$dir"
	[ -e "$apt_dir/apt.conf" ] || own_apt_update
	(cd "$dir" && own_apt apt-get -qq download "$@") || {
		say "$me: package lists are out of date, fetching them again"
		own_apt_update
		(cd "$dir" && own_apt apt-get -qq download "$@")
	}
}
