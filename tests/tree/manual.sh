#!/bin/sh
# That --help, the manual page and the routes say the same as the program.
top_srcdir=${top_srcdir:-.} top_builddir=${top_builddir:-.}
program=$top_builddir/restreamer
nr=0
say() {	# say STATUS WHAT
	nr=$((nr + 1))
	if [ "$1" = 0 ]; then echo "ok $nr - $2"; else echo "not ok $nr - $2"; fi
}

options=$(sed -n 's/^OPTION([A-Z], "\([a-z-]*\)".*/\1/p' \
	"$top_srcdir/src/options.def")
help=$("$program" --help)
page=$(sed 's/\\-/-/g' "$top_builddir/restreamer.1")
# Every family; README leaves out what all of ours begin with.
metrics=$(tr '\n' ' ' <"$top_srcdir/lib/metrics/metrics.def" |
	grep -oE '\b(METRIC|GAUGES?|SUM|COUNTERS|TIMES|WORK)\([A-Z_]+, *"[a-z_]+"' |
	sed 's/.*"\(.*\)"/\1/')
echo "1..$(($(echo "$options" | wc -l) * 2 + $(echo "$metrics" | wc -l) * 2 + 6))"
for option in $options; do
	echo "$help" | grep -q -- "--$option "
	say $? "--help has --$option"
	echo "$page" | grep -q -- "^.BI --$option "
	say $? "the manual page has --$option"
done
for metric in $metrics; do
	echo "$page" | grep -q "^.BR $metric"
	say $? "the manual page has the metric $metric"
	sed -n '/^[0-9]*\. Monitoring/,/^[0-9]*\. Templates/p' "$top_srcdir/README" |
		grep -qE "(^|[^a-z_])${metric#restreamer_}(ENDPOINT|[^a-z_]|\$)"
	say $? "README lists $metric"
done
[ "$(echo "$metrics" | wc -l)" -gt 40 ]
say $? 'metrics were found at all'
[ "$(echo "$options" | wc -l)" -gt 15 ]
say $? 'options were found at all'
"$program" --version | grep -q '^restreamer [0-9]'
say $? '--version'
"$program" >/dev/null 2>&1
[ $? = 2 ]
say $? 'no word at all: usage, exit 2'
"$program" nonsense >/dev/null 2>&1
[ $? = 2 ]
say $? 'an unknown command: exit 2'
"$program" routes | grep -q '^/cut/:channel/:quality.ts '
say $? 'routes lists the cut'
