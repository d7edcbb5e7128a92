# More of src/; SERVER_TESTS and SERVER_TEST_LIBS are of local.mk.

SERVER_TESTS += \
	tests/unit/test_listen \
	tests/unit/test_response \
	tests/unit/test_route \
	tests/unit/test_scoreboard \
	tests/unit/test_server \
	tests/unit/test_settings \
	tests/unit/test_status

tests_unit_test_response_SOURCES = tests/unit/test_response.c \
	tests/unit/fake.h tests/unit/unit.h
tests_unit_test_response_CPPFLAGS = $(SERVER_CPPFLAGS)
tests_unit_test_response_LDADD = $(SERVER_TEST_LIBS)
tests_unit_test_route_SOURCES = tests/unit/test_route.c \
	tests/unit/fake.h tests/unit/unit.h
tests_unit_test_route_CPPFLAGS = $(SERVER_CPPFLAGS)
tests_unit_test_route_LDADD = $(SERVER_TEST_LIBS)
tests_unit_test_settings_SOURCES = tests/unit/test_settings.c tests/unit/unit.h
tests_unit_test_settings_CPPFLAGS = $(SERVER_CPPFLAGS)
tests_unit_test_settings_LDADD = $(SERVER_TEST_LIBS)
tests_unit_test_status_SOURCES = tests/unit/test_status.c tests/unit/unit.h
tests_unit_test_status_CPPFLAGS = $(SERVER_CPPFLAGS)
tests_unit_test_status_LDADD = $(SERVER_TEST_LIBS)
tests_unit_test_listen_SOURCES = tests/unit/test_listen.c tests/unit/unit.h
tests_unit_test_listen_CPPFLAGS = $(SERVER_CPPFLAGS)
tests_unit_test_listen_LDADD = $(SERVER_TEST_LIBS)
tests_unit_test_scoreboard_SOURCES = tests/unit/test_scoreboard.c tests/unit/unit.h
tests_unit_test_scoreboard_CPPFLAGS = $(SERVER_CPPFLAGS)
tests_unit_test_scoreboard_LDADD = $(SERVER_TEST_LIBS)
tests_unit_test_server_SOURCES = tests/unit/test_server.c tests/unit/unit.h
tests_unit_test_server_CPPFLAGS = $(SERVER_CPPFLAGS)
tests_unit_test_server_LDADD = $(SERVER_TEST_LIBS)
