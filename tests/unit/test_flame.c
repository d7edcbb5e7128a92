/*
 * test_flame.c - sums of stacks that only grow.
 */
#include "config.h"

#include "profile/flame.h"

#include "unit.h"

static struct flame *flame;

static int begin(void **state)
{
	UNUSED(state);
	flame = calloc(1, sizeof(*flame));
	return flame ? 0 : -1;
}

static int end(void **state)
{
	UNUSED(state);
	free(flame);
	return 0;
}

static void add(const char *text, uint64_t count)
{
	struct folded_row row = { (char *)(uintptr_t)text, count };
	struct folded f = { .rows = &row, .nr = 1 };

	flame_add(flame, &f);
}

static char *put(uint32_t hz)
{
	struct text out;
	char *text;

	text_init(&out, 8 << 20);
	flame_put(flame, hz, &out);
	text = strdup(out.data);
	text_release(&out);
	return text;
}

static void test_sums(void **state)
{
	char *text;

	UNUSED(state);
	add("heavy;cut;x;a", 19);
	add("heavy;cut;x;b", 1);
	add("heavy;cut;x;a", 19);
	text = put(19);
	print_message("# %s\n", strstr(text, "\nflame") + 1);
	assert_non_null(strstr(
		text, "\nflamegraph_total{stack=\"heavy;cut;x;a\"} 2.000\n"));
	assert_non_null(strstr(
		text, "\nflamegraph_total{stack=\"heavy;cut;x;b\"} 0.052\n"));
	assert_non_null(
		strstr(text, "\nflamegraph_total{stack=\"other\"} 0.000\n"));
	assert_int_equal(unit_count(text, "# TYPE flamegraph_total counter\n"),
			 1);
	free(text);
}

/* A deep one keeps where it is filed, and its innermost functions. */
static void test_deep(void **state)
{
	char stack[4000] = "heavy;cut;thread";
	const struct flame_row *row;

	UNUSED(state);
	for (int i = 0; i < 300; i++)
		snprintf(stack + strlen(stack), sizeof(stack) - strlen(stack),
			 ";f%03d", i);
	add(stack, 1);
	row = &flame->rows[flame->nr - 1];
	print_message("# %s\n", row->text);
	assert_true(strlen(row->text) < FLAME_TEXT);
	assert_true(strlen(row->text) > FLAME_TEXT - 20);
	assert_int_equal(strncmp(row->text, "heavy;cut;thread;...;f", 22), 0);
	assert_non_null(strstr(row->text, ";f298;f299"));
	/* one name without an end */
	memset(stack, 'x', sizeof(stack) - 1);
	stack[sizeof(stack) - 1] = '\0';
	add(stack, 1);
	row = &flame->rows[flame->nr - 1];
	assert_true(strlen(row->text) < FLAME_TEXT);
}

static void test_full(void **state)
{
	uint64_t before = flame->nr_other;
	uint64_t sum = 0;
	uint32_t nr = flame->nr;
	char text[64];
	char *all;

	UNUSED(state);
	for (int i = 0; i < FLAME_ROWS + 100; i++) {
		snprintf(text, sizeof(text), "worker;x;t;f%d", i);
		add(text, 2);
	}
	assert_int_equal(flame->nr, FLAME_ROWS);
	assert_int_equal(flame->nr_other - before, 2 * (100 + nr));
	add("worker;x;t;f0", 3); /* still has its row */
	for (uint32_t i = nr; i < flame->nr; i++)
		sum += flame->rows[i].nr_samples;
	assert_int_equal(sum, 2 * (FLAME_ROWS - nr) + 3);
	all = put(1);
	assert_int_equal(unit_count(all, "\nflamegraph_total{"),
			 FLAME_ROWS + 1);
	free(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
