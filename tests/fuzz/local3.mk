# The fuzzers of src/; FUZZERS, FUZZ_INCLUDES and FUZZ_LINK are of local.mk.

FUZZERS += \
	tests/fuzz/fuzz_headers \
	tests/fuzz/fuzz_request

tests_fuzz_fuzz_headers_SOURCES = tests/fuzz/fuzz_headers.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_headers_CPPFLAGS = $(SERVER_CPPFLAGS)
tests_fuzz_fuzz_headers_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_headers_LDADD = $(SERVER_LIBS)

tests_fuzz_fuzz_request_SOURCES = tests/fuzz/fuzz_request.c tests/fuzz/fuzz.h
tests_fuzz_fuzz_request_CPPFLAGS = $(SERVER_CPPFLAGS)
tests_fuzz_fuzz_request_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_request_LDADD = $(SERVER_LIBS)
