/*
 * test_slotnote.c - notes that are read while they are written.
 */
#include "config.h"

#include "slotnote.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "unit.h"

#define NR_READS 20000

static struct slotnote *note;

static int begin(void **state)
{
	UNUSED(state);
	note = mmap(NULL, sizeof(*note), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return note == MAP_FAILED ? -1 : 0;
}

static int end(void **state)
{
	UNUSED(state);
	return munmap(note, sizeof(*note));
}

static void test_plain(void **state)
{
	struct slot_text text;
	char uri[2000];

	UNUSED(state);
	assert_true(slotnote_read(note, &text));
	assert_string_equal(text.uri, "");
	slotnote_write(note, "id", "::1", "/a?b");
	assert_true(slotnote_read(note, &text));
	assert_string_equal(text.id, "id");
	assert_string_equal(text.client, "::1");
	assert_string_equal(text.uri, "/a?b");
	memset(uri, 'x', sizeof(uri) - 1);
	uri[sizeof(uri) - 1] = '\0';
	slotnote_write(note, uri, uri, uri);
	assert_true(slotnote_read(note, &text));
	assert_int_equal(strlen(text.id), sizeof(text.id) - 1);
	assert_int_equal(strlen(text.client), sizeof(text.client) - 1);
	assert_int_equal(strlen(text.uri), sizeof(text.uri) - 1);
	slotnote_clear(note);
	assert_true(slotnote_read(note, &text));
	assert_string_equal(text.id, "");
	assert_string_equal(text.uri, "");
}

/* What is in memory need not end. */
static void test_never_ends(void **state)
{
	struct slot_text text;

	UNUSED(state);
	for (size_t i = 0; i < SLOT_TEXT_WORDS; i++)
		note->words[i] = UINT64_C(0x4141414141414141);
	assert_true(slotnote_read(note, &text));
	assert_int_equal(strlen(text.id), sizeof(text.id) - 1);
	assert_int_equal(strlen(text.client), sizeof(text.client) - 1);
	assert_int_equal(strlen(text.uri), sizeof(text.uri) - 1);
}

/* Its writer died while he wrote: not readable, until there is another. */
static void test_dead_writer(void **state)
{
	struct slotnote copy = { .turn = 0 };
	struct slot_text text = { .uri = "untouched" };

	UNUSED(state);
	note->turn |= 1;
	assert_false(slotnote_read(note, &text));
	assert_string_equal(text.uri, "untouched");
	slotnote_copy(&copy, note);
	assert_true(slotnote_read(&copy, &text));
	assert_string_equal(text.uri, "");
	slotnote_write(note, "next", "", "/next");
	assert_true(slotnote_read(note, &text));
	assert_string_equal(text.uri, "/next");
	slotnote_copy(&copy, note);
	assert_true(slotnote_read(&copy, &text));
	assert_string_equal(text.id, "next");
}

/* All three say the same letter, as often as there is room. */
static void write_letter(char letter)
{
	char text[300];

	memset(text, letter, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	slotnote_write(note, text, text, text);
}

static bool is_all(const char *text, size_t size, char letter)
{
	for (size_t i = 0; i < size - 1; i++)
		if (text[i] != letter)
			return false;
	return true;
}

static void *write_for_ever(void *arg)
{
	_Atomic bool *stop = arg;

	for (unsigned i = 0; !*stop; i++)
		write_letter((char)('a' + i % 26));
	return NULL;
}

static void read_many(void)
{
	unsigned nr_read = 0;

	while (nr_read < NR_READS) {
		struct slot_text text;
		char letter;

		if (!slotnote_read(note, &text))
			continue;
		nr_read++;
		letter = text.id[0];
		assert_true(letter >= 'a' && letter <= 'z');
		assert_true(is_all(text.id, sizeof(text.id), letter));
		assert_true(is_all(text.client, sizeof(text.client), letter));
		assert_true(is_all(text.uri, sizeof(text.uri), letter));
	}
}

static void test_torn_by_thread(void **state)
{
	_Atomic bool stop = false;
	pthread_t writer;

	UNUSED(state);
	write_letter('a');
	assert_int_equal(
		pthread_create(&writer, NULL, write_for_ever, (void *)&stop),
		0);
	read_many();
	stop = true;
	pthread_join(writer, NULL);
}

static void test_torn_by_process(void **state)
{
	_Atomic bool never = false;
	pid_t pid;

	UNUSED(state);
	write_letter('a');
	pid = fork();
	if (pid == 0)
		write_for_ever((void *)&never);
	assert_true(pid > 0);
	read_many();
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	/* Wherever it was killed, the next one can write and be read. */
	write_letter('z');
	read_many();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_never_ends),
		cmocka_unit_test(test_dead_writer),
		cmocka_unit_test(test_torn_by_thread),
		cmocka_unit_test(test_torn_by_process),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
