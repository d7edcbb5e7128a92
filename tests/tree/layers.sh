#!/bin/sh
# The rules of the tree that a compiler does not check.  TAP.
top_srcdir=${top_srcdir:-.} top_builddir=${top_builddir:-.}
nr=0
check() {	# check WHAT COMMAND...: passes if the command prints nothing
	nr=$((nr + 1))
	what=$1
	shift
	found=$("$@" 2>&1)
	if [ -z "$found" ]; then
		echo "ok $nr - $what"
	else
		echo "not ok $nr - $what"
		echo "$found" | sed 's/^/# /' | head -20
	fi
}

symbols() {
	nm "$top_builddir/lib/librestreamer.a" 2>/dev/null | grep FCGX_
}
headers() {
	grep -rnE '#include *[<"]fcgi' "$top_srcdir/lib"
}
statuses() {
	grep -rnE '\b(HTTP|http)_?(status|[45]0[0-9])\b' "$top_srcdir/lib" \
		--include='*.[ch]'
}

# Inside lib/ a room may only look into those before it.
arrows() {
	before=
	for room in base archive media metrics picture profile store; do
		before="$before|$room"
		grep -rnE '#include "[a-z]+/' "$top_srcdir/lib/$room" |
			grep -vE "\"(${before#|})/"
	done
}
globals() {
	grep -rnE '#include "[a-z]+\.h"' "$top_srcdir/lib" |
		grep -v '"config.h"'
}

# What every build is made of must be in the archive it is built from.
echo 1..5
check 'lib has no symbol of libfcgi' symbols
check 'lib includes no header of libfcgi' headers
check 'lib names no HTTP status' statuses
check 'lib includes only what is below' arrows
check 'lib includes nothing of src' globals
