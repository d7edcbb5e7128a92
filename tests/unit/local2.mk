# Unit tests of what is made of a range, and of the metrics.

LIB_TESTS += \
	tests/unit/test_bestseg_random \
	tests/unit/test_hoursweep \
	tests/unit/test_master \
	tests/unit/test_metrics \
	tests/unit/test_range \
	tests/unit/test_roughcut \
	tests/unit/test_transition

# Segments vanish just before the plan of a cut looks at them.
tests_unit_test_roughcut_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=quality_open

noinst_HEADERS += tests/unit/promtext.h
