/*
 * test_folded.c - stacks as lines.
 */
#include "config.h"

#include "profile/folded.h"

#include "unit.h"

static struct stacktable *table;

static int begin(void **state)
{
	UNUSED(state);
	table = calloc(1, sizeof(*table));
	return table ? 0 : -1;
}

static int end(void **state)
{
	UNUSED(state);
	free(table);
	return 0;
}

/* Functions of ten bytes: a letter each, by address. */
static const char *name_of(void *ctx, uintptr_t address)
{
	static char names[26][2];
	unsigned letter = (unsigned)(address / 10 % 26);

	if (address >= 1000)
		return ctx;
	names[letter][0] = (char)('a' + letter);
	return names[letter];
}

static void add(const char *endpoint, const char *thread, uint64_t times,
		uint32_t nr, const uintptr_t *frames)
{
	struct stack stack = { .role = "heavy",
			       .endpoint = endpoint,
			       .nr = nr };

	snprintf(stack.thread, sizeof(stack.thread), "%s", thread);
	memcpy(stack.frames, frames, nr * sizeof(*frames));
	for (uint64_t i = 0; i < times; i++)
		stacktable_add(table, &stack);
}

static char *fold(const char *strange)
{
	struct folded f;
	struct text out;
	char *text;

	folded_init(&f, name_of, (void *)(uintptr_t)strange);
	folded_add(&f, table);
	folded_merge(&f);
	text_init(&out, 1 << 20);
	text_puts(&out, "");
	folded_put(&f, &out);
	text = strdup(out.data);
	text_release(&out);
	folded_release(&f);
	stacktable_clear(table);
	return text;
}

static void test_folding(void **state)
{
	char *text;

	UNUSED(state);
	/* a calls b calls c, sampled at two places of c */
	add("cut", "x", 3, 3, (uintptr_t[]){ 25, 15, 5 });
	add("cut", "x", 4, 3, (uintptr_t[]){ 20, 15, 5 });
	/* the call in b is its last instruction, and returns behind it */
	add("cut", "x", 1, 3, (uintptr_t[]){ 29, 20, 5 });
	/* recursion and a file without symbols collapse */
	add("cut", "y", 2, 5, (uintptr_t[]){ 15, 13, 12, 11, 5 });
	/* a sample at the very first byte of a function is in it */
	add("cut", "y", 1, 1, (uintptr_t[]){ 30 });
	text = fold("");
	assert_string_equal(text, "heavy;cut;x;a;b;c 8\n"
				  "heavy;cut;y;a;b 2\n"
				  "heavy;cut;y;d 1\n");
	free(text);
}

static void test_names(void **state)
{
	char *text;

	UNUSED(state);
	add(NULL, "", 1, 1, (uintptr_t[]){ 1000 });
	text = fold("operator new; \"x\"\\\n\x80{}");
	assert_string_equal(text, "heavy;-;-;operator_new___x______ 1\n");
	free(text);
	add("cut", "a;b c", 1, 0, (uintptr_t[]){ 0 });
	text = fold("");
	assert_string_equal(text, "heavy;cut;a_b_c 1\n");
	free(text);
	text = fold("");
	assert_string_equal(text, "");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_folding),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
