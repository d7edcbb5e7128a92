# The unit tests: cmocka, TAP, each linked against the library alone.

TEST_EXTENSIONS = .sh
LOG_DRIVER = $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
SH_LOG_DRIVER = $(LOG_DRIVER)
AM_TESTS_ENVIRONMENT = \
	CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; \
	top_srcdir='$(abs_top_srcdir)'; export top_srcdir; \
	top_builddir='$(abs_top_builddir)'; export top_builddir; \
	AM_TAP_AWK='$(AWK)'; export AM_TAP_AWK;

UNIT_TESTS = \
	tests/unit/test_utime

if HAVE_CMOCKA
check_PROGRAMS = $(UNIT_TESTS)
TESTS = $(UNIT_TESTS)
endif

UNIT_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS) $(JSON_CFLAGS) $(XXHASH_CFLAGS)
UNIT_LIBS = $(LIB_LIBS) $(CMOCKA_LIBS)

tests_unit_test_utime_SOURCES = tests/unit/test_utime.c tests/unit/unit.h
tests_unit_test_utime_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_utime_LDADD = $(UNIT_LIBS)
