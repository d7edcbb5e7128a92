# shellcheck shell=bash disable=SC2034
# packages.sh - the Debian packages that this project needs, and how to get
# them.  Read by deploy/run and tests/run.

# To build: the compiler, autotools, and each library that configure.ac names.
PACKAGES_BUILD="gcc libc6-dev make autoconf automake pkgconf
libfcgi-dev libjson-c-dev libxxhash-dev zlib1g-dev
libavformat-dev libavcodec-dev libavutil-dev libavfilter-dev libswscale-dev
libswresample-dev libgd-dev libpq-dev libdw-dev"

# To serve, by the name of the web server.
PACKAGES_NGINX="nginx"
PACKAGES_LIGHTTPD="lighttpd"
PACKAGES_APACHE_PROXY="apache2"
PACKAGES_APACHE_FCGID="apache2 libapache2-mod-fcgid"
# To make the demo archive.
PACKAGES_DEMO="ffmpeg"
# To run all tests and benchmarks; of prometheus only promtool is used.
PACKAGES_TEST="libcmocka-dev iproute2 curl wrk ffmpeg valgrind clang libclang-rt-dev
python3 python3-numpy python3-pil postgresql prometheus xz-utils"
# To test the page in a browser; Node.js may be from elsewhere, with its npm.
PACKAGES_BROWSER="chromium"
command -v node >/dev/null || PACKAGES_BROWSER="$PACKAGES_BROWSER nodejs"
command -v npm >/dev/null || PACKAGES_BROWSER="$PACKAGES_BROWSER npm"

# Whether a package is installed; "a|b" is satisfied by either.
package_is_installed() {
	local one
	for one in ${1//|/ }; do
		case $(dpkg-query -W -f '${db:Status-Status}' "$one" \
			2>/dev/null) in
		installed) return 0 ;;
		esac
	done
	return 1
}

# Installs packages, without starting the services that come with them: nginx
# would otherwise begin to serve its own page on port 80.
packages_install() {
	local policy=/usr/sbin/policy-rc.d made='' status=0

	if [ ! -e "$policy" ]; then
		printf '#!/bin/sh\nexit 101\n' >"$policy" &&
			chmod 755 "$policy" && made=1
	fi
	# The list of packages may be old or absent; only then is it fetched.
	DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
		--no-install-recommends "$@" </dev/null >&2 ||
	{ apt-get update -q </dev/null >&2 &&
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
		--no-install-recommends "$@" </dev/null >&2; } || status=1
	[ -z "$made" ] || rm -f "$policy"
	return $status
}

# packages_need NAME...: installs what is missing, as root; else says what to
# install, and returns 1.
packages_need() {
	local one missing=()

	if ! command -v dpkg-query >/dev/null; then
		echo "not Debian: assuming that these are there: $*" >&2
		return 0
	fi
	for one in "$@"; do
		package_is_installed "$one" || missing+=("${one%%|*}")
	done
	[ ${#missing[@]} = 0 ] && return 0
	if [ "$(id -u)" != 0 ]; then
		echo "missing Debian packages; as root:" \
			"apt-get install ${missing[*]}" >&2
		return 1
	fi
	echo "installing ${missing[*]}" >&2
	packages_install "${missing[@]}" ||
		{ echo "could not install ${missing[*]}" >&2; return 1; }
}
