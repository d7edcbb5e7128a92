# Programs that tests/bench/run measures with; built with the tests, so that
# they stay in step with the library.

check_PROGRAMS += \
	tests/bench/chat \
	tests/bench/tsraw \
	tests/bench/wipes

tests_bench_chat_LDADD = $(LIB_LIBS)
tests_bench_tsraw_LDADD = $(LIB_LIBS)
tests_bench_wipes_LDADD = $(LIB_LIBS)
