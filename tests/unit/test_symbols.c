/*
 * test_symbols.c - the names of functions, of ours and of libraries.
 */
#include "config.h"

#include "profile/symbols.h"

#include <sys/mman.h>

#include "unit.h"

static struct symbols *symbols;

static int begin(void **state)
{
	struct errmsg e;

	UNUSED(state);
	return symbols_open(&symbols, &e) ? -1 : 0;
}

static int end(void **state)
{
	UNUSED(state);
	symbols_close(&symbols);
	symbols_close(&symbols); /* twice is nothing */
	return symbols ? -1 : 0;
}

static void test_names(void **state)
{
	uintptr_t own = (uintptr_t)test_names;

	UNUSED(state);
	/* a static function, as dladdr(3) would not find it */
	assert_string_equal(symbols_name(symbols, own), "test_names");
	assert_string_equal(symbols_name(symbols, own + 1), "test_names");
	assert_string_equal(symbols_name(symbols, (uintptr_t)symbols_name),
			    "symbols_name");
	/* a function of a library */
	assert_non_null(
		strstr(symbols_name(symbols, (uintptr_t)unlinkat), "unlinkat"));
	/* asked twice, it is the same */
	assert_ptr_equal(symbols_name(symbols, own),
			 symbols_name(symbols, own));
}

static void test_unknown(void **state)
{
	void *page =
		mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	UNUSED(state);
	assert_string_equal(symbols_name(symbols, 0), "[unknown]");
	assert_string_equal(symbols_name(symbols, 1), "[unknown]");
	assert_string_equal(symbols_name(symbols, UINTPTR_MAX), "[unknown]");
	assert_string_equal(symbols_name(symbols, (uintptr_t)page + 100),
			    "[unknown]");
	munmap(page, 4096);
}

/* More of them than there is room for at first. */
static void test_many(void **state)
{
	UNUSED(state);
	for (uintptr_t i = 1; i < 5000; i++)
		assert_string_equal(symbols_name(symbols, i), "[unknown]");
	assert_string_equal(symbols_name(symbols, (uintptr_t)test_names),
			    "test_names");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
