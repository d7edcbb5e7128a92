# The unit tests: cmocka, TAP, each linked against the libraries alone.

TEST_EXTENSIONS = .sh
LOG_DRIVER = $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
SH_LOG_DRIVER = $(LOG_DRIVER)
AM_TESTS_ENVIRONMENT = \
	CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; \
	top_srcdir='$(abs_top_srcdir)'; export top_srcdir; \
	top_builddir='$(abs_top_builddir)'; export top_builddir; \
	AM_TAP_AWK='$(AWK)'; export AM_TAP_AWK;

# Of lib/: these programs have no flags and libraries of their own, but take
# those of the next lines.
LIB_TESTS = \
	tests/unit/test_aac \
	tests/unit/test_archive \
	tests/unit/test_arena \
	tests/unit/test_bestseg \
	tests/unit/test_bestseg_random \
	tests/unit/test_blend \
	tests/unit/test_box \
	tests/unit/test_chat \
	tests/unit/test_chatbatch \
	tests/unit/test_coverage \
	tests/unit/test_cutplan \
	tests/unit/test_edgestore \
	tests/unit/test_err \
	tests/unit/test_flame \
	tests/unit/test_folded \
	tests/unit/test_fsutil \
	tests/unit/test_gzip \
	tests/unit/test_h264 \
	tests/unit/test_hourcache \
	tests/unit/test_hourindex \
	tests/unit/test_hourselect \
	tests/unit/test_hoursweep \
	tests/unit/test_json \
	tests/unit/test_jsoncheck \
	tests/unit/test_log \
	tests/unit/test_logline \
	tests/unit/test_lograte \
	tests/unit/test_master \
	tests/unit/test_metrics \
	tests/unit/test_numset \
	tests/unit/test_peakpack \
	tests/unit/test_picread \
	tests/unit/test_playlist \
	tests/unit/test_pngwrite \
	tests/unit/test_probe \
	tests/unit/test_range \
	tests/unit/test_roughcut \
	tests/unit/test_segment \
	tests/unit/test_sink \
	tests/unit/test_smartcut \
	tests/unit/test_soundruns \
	tests/unit/test_soundsource \
	tests/unit/test_spool \
	tests/unit/test_stacktable \
	tests/unit/test_storyboard \
	tests/unit/test_symbols \
	tests/unit/test_templates \
	tests/unit/test_text \
	tests/unit/test_threads \
	tests/unit/test_thumbnail \
	tests/unit/test_transition \
	tests/unit/test_ts \
	tests/unit/test_tsfile \
	tests/unit/test_tsout \
	tests/unit/test_tsraw \
	tests/unit/test_uri \
	tests/unit/test_utime \
	tests/unit/test_videodec \
	tests/unit/test_videoenc \
	tests/unit/test_wavecolumns \
	tests/unit/test_wipe

AM_CPPFLAGS += $(CMOCKA_CFLAGS) $(JSON_CFLAGS) $(XXHASH_CFLAGS) $(AV_CFLAGS)
LDADD = $(LIB_LIBS) $(CMOCKA_LIBS)

# Segments vanish just before the plan of a cut looks at them.
tests_unit_test_roughcut_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=quality_open

# Of src/.
SERVER_TESTS = \
	tests/unit/test_console \
	tests/unit/test_fastcgi \
	tests/unit/test_httprange \
	tests/unit/test_listen \
	tests/unit/test_observe \
	tests/unit/test_param \
	tests/unit/test_procstat \
	tests/unit/test_profile \
	tests/unit/test_request \
	tests/unit/test_response \
	tests/unit/test_route \
	tests/unit/test_scoreboard \
	tests/unit/test_server \
	tests/unit/test_settings \
	tests/unit/test_sharedarea \
	tests/unit/test_slotnote \
	tests/unit/test_status

SERVER_TEST_LIBS = $(SERVER_LIBS) $(CMOCKA_LIBS)
tests_unit_test_console_CPPFLAGS = $(SERVER_CPPFLAGS)
tests_unit_test_console_LDADD = $(SERVER_TEST_LIBS)
tests_unit_test_fastcgi_CPPFLAGS = $(SERVER_CPPFLAGS)
tests_unit_test_fastcgi_LDADD = $(SERVER_TEST_LIBS)
tests_unit_test_httprange_CPPFLAGS = $(SERVER_CPPFLAGS)
tests_unit_test_httprange_LDADD = $(SERVER_TEST_LIBS)
tests_unit_test_listen_CPPFLAGS = $(SERVER_CPPFLAGS)
tests_unit_test_listen_LDADD = $(SERVER_TEST_LIBS)
tests_unit_test_observe_CPPFLAGS = $(SERVER_CPPFLAGS)
tests_unit_test_observe_LDADD = $(SERVER_TEST_LIBS)
tests_unit_test_param_CPPFLAGS = $(SERVER_CPPFLAGS)
tests_unit_test_param_LDADD = $(SERVER_TEST_LIBS)
tests_unit_test_procstat_CPPFLAGS = $(SERVER_CPPFLAGS)
tests_unit_test_procstat_LDADD = $(SERVER_TEST_LIBS)
tests_unit_test_profile_CPPFLAGS = $(SERVER_CPPFLAGS)
tests_unit_test_profile_LDADD = $(SERVER_TEST_LIBS)
tests_unit_test_request_CPPFLAGS = $(SERVER_CPPFLAGS)
tests_unit_test_request_LDADD = $(SERVER_TEST_LIBS)
tests_unit_test_response_CPPFLAGS = $(SERVER_CPPFLAGS)
tests_unit_test_response_LDADD = $(SERVER_TEST_LIBS)
tests_unit_test_route_CPPFLAGS = $(SERVER_CPPFLAGS)
tests_unit_test_route_LDADD = $(SERVER_TEST_LIBS)
tests_unit_test_scoreboard_CPPFLAGS = $(SERVER_CPPFLAGS)
tests_unit_test_scoreboard_LDADD = $(SERVER_TEST_LIBS)
tests_unit_test_server_CPPFLAGS = $(SERVER_CPPFLAGS)
tests_unit_test_server_LDADD = $(SERVER_TEST_LIBS)
tests_unit_test_settings_CPPFLAGS = $(SERVER_CPPFLAGS)
tests_unit_test_settings_LDADD = $(SERVER_TEST_LIBS)
tests_unit_test_sharedarea_CPPFLAGS = $(SERVER_CPPFLAGS)
tests_unit_test_sharedarea_LDADD = $(SERVER_TEST_LIBS)
tests_unit_test_slotnote_CPPFLAGS = $(SERVER_CPPFLAGS)
tests_unit_test_slotnote_LDADD = $(SERVER_TEST_LIBS)
tests_unit_test_status_CPPFLAGS = $(SERVER_CPPFLAGS)
tests_unit_test_status_LDADD = $(SERVER_TEST_LIBS)

# Built with the tests but run by hand, for minutes: see their first lines.
STRESSES = \
	tests/unit/stress_freshness \
	tests/unit/stress_writers

check_PROGRAMS = $(STRESSES)
TESTS =
if HAVE_CMOCKA
check_PROGRAMS += $(LIB_TESTS) $(SERVER_TESTS)
TESTS += $(LIB_TESTS) $(SERVER_TESTS)
else
TESTS += tests/unit/no-cmocka.sh
endif

noinst_HEADERS = \
	tests/unit/cutting.h \
	tests/unit/fake.h \
	tests/unit/formulas.h \
	tests/unit/fresh.h \
	tests/unit/inarena.h \
	tests/unit/inboard.h \
	tests/unit/logfmt.h \
	tests/unit/promtext.h \
	tests/unit/sequence.h \
	tests/unit/unit.h
EXTRA_DIST += tests/unit/no-cmocka.sh
