/*
 * test_console.c - lines that are commands, and lines that are none.
 */
#include "config.h"

#include "console.h"

#include <sys/socket.h>

#include "metrics/metrics.h"
#include "inboard.h"
#include "route.h"
#include "unit.h"

static struct shared shared;
static struct settings settings;
static struct listener control = LISTENER_NONE;

static int begin(void **state)
{
	UNUSED(state);
	settings.base = "/no\tsuch\\archive";
	settings.cache = CACHE_NONE;
	shared = (struct shared){ .settings = &settings,
				  .metrics = calloc(1, metrics_size()),
				  .board = new_board(2, 2),
				  .control = &control,
				  .profile = profile_new(0) };
	return shared.metrics && shared.board && shared.profile ? 0 : -1;
}

/* What the console says to a line; free() it. */
static char *say(const char *command, enum err *err_r)
{
	int fds[2];
	struct console_peer peer = { .shared = &shared, .parent = getppid() };
	char *answer = calloc(1, 65536);
	char *line = strdup(command);

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	peer.fd = fds[0];
	arena_init(&peer.arena);
	peer.said = text_new(&peer.arena, 1000);
	*err_r = console_execute(&peer, line);
	print_message("# '%.60s': %s\n", command, peer.error.text);
	close(fds[0]);
	if (*err_r == ERR_OK)
		assert_true(read(fds[1], answer, 65535) >= 0);
	else
		assert_true(peer.error.text[0]);
	close(fds[1]);
	arena_release(&peer.arena);
	free(line);
	return answer;
}

static void test_good(void **state)
{
	static const struct {
		const char *line;
		const char *has;
	} rows[] = {
		{ "help", "recycle PID|all" },
		{ "status", "/no\\x09such\\\\archive" },
		{ "status --json", "\"heavy_max\":2" },
		{ "status", "0 workers" },
		{ "status  --json ", "\"processes\":[" },
		{ "requests", "no requests\n" },
		{ "help status", "  status [--json]\n" },
		{ "requests --json", "[]" },
		{ "log-level", "info" },
		{ "log-level error", "" },
		{ "log-level", "error" },
		{ "log-level info", "" },
		{ "index", "no cache directory" },
		{ "recycle all", "" },
	};

	UNUSED(state);
	shared.board->log.level = LOG_LEVEL_INFO;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		enum err err;
		char *answer = say(rows[i].line, &err);

		assert_int_equal(err, ERR_OK);
		assert_non_null(strstr(answer, rows[i].has));
		free(answer);
	}
}

static void test_bad(void **state)
{
	static const struct {
		const char *line;
		enum err err;
	} rows[] = {
		{ "", ERR_INPUT },
		{ " ", ERR_INPUT },
		{ " status", ERR_INPUT },
		{ "Status", ERR_INPUT },
		{ "statu", ERR_INPUT },
		{ "statuss", ERR_INPUT },
		{ "\x1b[31mred", ERR_INPUT },
		{ "status now", ERR_INPUT },
		{ "status --now", ERR_INPUT },
		{ "help me", ERR_INPUT },
		{ "help status stop", ERR_INPUT },
		{ "log-level loud", ERR_INPUT },
		{ "log-level debug info", ERR_INPUT },
		{ "log-level --json", ERR_INPUT },
		{ "recycle", ERR_INPUT },
		{ "recycle All", ERR_NOTFOUND },
		{ "recycle 0", ERR_NOTFOUND },
		{ "recycle -1", ERR_NOTFOUND },
		{ "recycle 1", ERR_NOTFOUND },
		{ "stop", ERR_INPUT },
		{ "stop 1", ERR_NOTFOUND },
		{ "stop 1 2", ERR_INPUT },
		{ "stop 99999999999999999999", ERR_NOTFOUND },
		{ "stop 1x", ERR_NOTFOUND },
		{ "profile", ERR_INPUT },
		{ "profile 0", ERR_INPUT },
		{ "profile 3601", ERR_INPUT },
		{ "profile 1 0", ERR_INPUT },
		{ "profile 1 1001", ERR_INPUT },
		{ "profile 1 1 1", ERR_INPUT },
		{ "profile one", ERR_INPUT },
		{ "profile 1.5", ERR_INPUT },
		{ "a b c d e f g h i j k l m n o p q r s t u v w x y z",
		  ERR_INPUT },
		{ "status a b c d e f g h i j k l m n o p q r s t u v w",
		  ERR_INPUT },
	};

	UNUSED(state);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		enum err err;

		free(say(rows[i].line, &err));
		assert_int_equal(err, rows[i].err);
	}
}

/* What a slot says of its request is quoted; a torn note is a "?". */
static void test_requests(void **state)
{
	struct slot_info *slot = scoreboard_worker(shared.board, 1);
	const char *number;
	enum err err;
	char *answer;

	UNUSED(state);
	slot->owner = owner_self();
	slotnote_write(&slot->note, "abc", "1.2.3.4", "/cut/a\n\x1b]\xff?");
	slot->route = route_number(cut_routes);
	slot->method = 1000; /* never trusted */
	slot->progress.sent = 5000;
	slot->progress.length = UINT64_MAX;
	slot_enter(slot, SLOT_LIGHT);
	answer = say("requests", &err);
	assert_int_equal(strncmp(answer, "id  ", 4), 0);
	assert_non_null(strstr(answer, "\nabc  "));
	assert_non_null(strstr(answer, " 1.2.3.4     "));
	assert_non_null(strstr(answer, " 5000            ? "));
	assert_non_null(strstr(answer, "  /cut/a\\x0a\\x1b]\\xff?\n"));
	assert_int_equal(unit_count(answer, "\n"), 2);
	free(answer);
	answer = say("requests --json", &err);
	assert_non_null(strstr(answer, "\"length\":null"));
	assert_non_null(strstr(answer, "\"client\":\"1.2.3.4\""));
	number = strstr(answer, "\"seconds\":");
	assert_non_null(number);
	number += strlen("\"seconds\":");
	number += strspn(number, "0123456789");
	assert_int_equal(*number, '.');
	assert_int_equal(strspn(number + 1, "0123456789"), 6);
	free(answer);
	slot->note.turn |= 1;
	answer = say("requests", &err);
	assert_non_null(strstr(answer, "  ?\n"));
	assert_non_null(strstr(answer, " 5000            ? "));
	free(answer);
	slot->state = 77;
	answer = say("requests", &err);
	assert_string_equal(answer, "no requests\n");
	free(answer);
	slot_enter(slot, SLOT_IDLE);
	free(say("stop 1", &err));
	assert_int_equal(err, ERR_NOTFOUND);
	slot_free(slot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_requests),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
