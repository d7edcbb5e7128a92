# The fuzzers; see tests/fuzz/README for how to configure a build of them.

FUZZERS = \
	tests/fuzz/fuzz_box \
	tests/fuzz/fuzz_chat \
	tests/fuzz/fuzz_cut \
	tests/fuzz/fuzz_edgestore \
	tests/fuzz/fuzz_h264 \
	tests/fuzz/fuzz_headers \
	tests/fuzz/fuzz_hourindex \
	tests/fuzz/fuzz_peakpack \
	tests/fuzz/fuzz_probe \
	tests/fuzz/fuzz_request \
	tests/fuzz/fuzz_segment \
	tests/fuzz/fuzz_template \
	tests/fuzz/fuzz_tsfile \
	tests/fuzz/fuzz_tsraw \
	tests/fuzz/fuzz_uri \
	tests/fuzz/fuzz_utime

if ENABLE_FUZZ
noinst_PROGRAMS = $(FUZZERS) tests/fuzz/seed_cut tests/fuzz/seed_hourindex
endif

EXTRA_DIST += tests/fuzz/README tests/fuzz/make-corpus tests/fuzz/run

FUZZ_INCLUDES = $(AM_CPPFLAGS) $(XXHASH_CFLAGS) $(AV_CFLAGS)
FUZZ_LINK = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_box_SOURCES = tests/fuzz/fuzz_box.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_box_CPPFLAGS = $(FUZZ_INCLUDES)
tests_fuzz_fuzz_box_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_box_LDADD = $(LIB_LIBS)

tests_fuzz_fuzz_chat_SOURCES = tests/fuzz/fuzz_chat.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_chat_CPPFLAGS = $(FUZZ_INCLUDES) $(JSON_CFLAGS)
tests_fuzz_fuzz_chat_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_chat_LDADD = $(LIB_LIBS)

tests_fuzz_fuzz_cut_SOURCES = tests/fuzz/fuzz_cut.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_cut_CPPFLAGS = $(FUZZ_INCLUDES)
tests_fuzz_fuzz_cut_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_cut_LDADD = $(LIB_LIBS)

tests_fuzz_fuzz_edgestore_SOURCES = tests/fuzz/fuzz_edgestore.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_edgestore_CPPFLAGS = $(FUZZ_INCLUDES)
tests_fuzz_fuzz_edgestore_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_edgestore_LDADD = $(LIB_LIBS)

tests_fuzz_fuzz_h264_SOURCES = tests/fuzz/fuzz_h264.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_h264_CPPFLAGS = $(FUZZ_INCLUDES)
tests_fuzz_fuzz_h264_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_h264_LDADD = $(LIB_LIBS)

tests_fuzz_fuzz_hourindex_SOURCES = tests/fuzz/fuzz_hourindex.c \
	tests/fuzz/fuzz.h tests/fuzz/hourseed.h
tests_fuzz_fuzz_hourindex_CPPFLAGS = $(FUZZ_INCLUDES)
tests_fuzz_fuzz_hourindex_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_hourindex_LDADD = $(LIB_LIBS)

tests_fuzz_fuzz_peakpack_SOURCES = tests/fuzz/fuzz_peakpack.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_peakpack_CPPFLAGS = $(FUZZ_INCLUDES)
tests_fuzz_fuzz_peakpack_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_peakpack_LDADD = $(LIB_LIBS)

tests_fuzz_fuzz_probe_SOURCES = tests/fuzz/fuzz_probe.c
tests_fuzz_fuzz_probe_CPPFLAGS = $(FUZZ_INCLUDES)
tests_fuzz_fuzz_probe_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_probe_LDADD = $(LIB_LIBS)

tests_fuzz_fuzz_segment_SOURCES = tests/fuzz/fuzz_segment.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_segment_CPPFLAGS = $(FUZZ_INCLUDES)
tests_fuzz_fuzz_segment_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_segment_LDADD = $(LIB_LIBS)

tests_fuzz_fuzz_template_SOURCES = tests/fuzz/fuzz_template.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_template_CPPFLAGS = $(FUZZ_INCLUDES)
tests_fuzz_fuzz_template_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_template_LDADD = $(LIB_LIBS)

tests_fuzz_fuzz_tsfile_SOURCES = tests/fuzz/fuzz_tsfile.c
tests_fuzz_fuzz_tsfile_CPPFLAGS = $(FUZZ_INCLUDES)
tests_fuzz_fuzz_tsfile_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_tsfile_LDADD = $(LIB_LIBS)

tests_fuzz_fuzz_tsraw_SOURCES = tests/fuzz/fuzz_tsraw.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_tsraw_CPPFLAGS = $(FUZZ_INCLUDES)
tests_fuzz_fuzz_tsraw_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_tsraw_LDADD = $(LIB_LIBS)

tests_fuzz_fuzz_uri_SOURCES = tests/fuzz/fuzz_uri.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_uri_CPPFLAGS = $(FUZZ_INCLUDES)
tests_fuzz_fuzz_uri_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_uri_LDADD = $(LIB_LIBS)

tests_fuzz_fuzz_utime_SOURCES = tests/fuzz/fuzz_utime.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_utime_CPPFLAGS = $(FUZZ_INCLUDES)
tests_fuzz_fuzz_utime_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_utime_LDADD = $(LIB_LIBS)

tests_fuzz_seed_cut_SOURCES = tests/fuzz/seed_cut.c
tests_fuzz_seed_cut_CPPFLAGS = $(FUZZ_INCLUDES)
tests_fuzz_seed_cut_LDADD = $(LIB_LIBS)

tests_fuzz_seed_hourindex_SOURCES = tests/fuzz/seed_hourindex.c \
	tests/fuzz/fuzz.h tests/fuzz/hourseed.h
tests_fuzz_seed_hourindex_CPPFLAGS = $(FUZZ_INCLUDES)
tests_fuzz_seed_hourindex_LDADD = $(LIB_LIBS)

# Of src/.
tests_fuzz_fuzz_headers_SOURCES = tests/fuzz/fuzz_headers.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_headers_CPPFLAGS = $(SERVER_CPPFLAGS)
tests_fuzz_fuzz_headers_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_headers_LDADD = $(SERVER_LIBS)

tests_fuzz_fuzz_request_SOURCES = tests/fuzz/fuzz_request.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_request_CPPFLAGS = $(SERVER_CPPFLAGS)
tests_fuzz_fuzz_request_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_request_LDADD = $(SERVER_LIBS)
