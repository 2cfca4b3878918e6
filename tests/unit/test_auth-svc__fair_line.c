#include "fair_line.h"

#include "unit.h"

#include <string.h>

static int set_up(void **state)
{
	*state = fair_line_new(4);
	return 0;
}

static int tear_down(void **state)
{
	fair_line_free((struct fair_line **)state);
	return 0;
}

static void *add(struct fair_line *line, const char *origin, const char *item)
{
	return fair_line_add(line, origin, (void *)item);
}

static void assert_next(struct fair_line *line, const char *item)
{
	assert_string_equal(fair_line_take(line), item);
}

static void one_origin_is_first_in_first_out(void **state)
{
	struct fair_line *line = *state;

	assert_null(fair_line_take(line));
	assert_null(add(line, "a", "a1"));
	assert_null(add(line, "a", "a2"));
	assert_int_equal(fair_line_count(line), 2);
	assert_next(line, "a1");
	assert_next(line, "a2");
	assert_null(fair_line_take(line));
}

static void origins_take_turns(void **state)
{
	struct fair_line *line = *state;

	assert_null(add(line, "a", "a1"));
	assert_null(add(line, "a", "a2"));
	assert_null(add(line, "a", "a3"));
	assert_null(add(line, "b", "b1"));
	assert_next(line, "a1");
	assert_next(line, "b1");
	assert_next(line, "a2");
	assert_next(line, "a3");
}

static void the_greedy_make_room(void **state)
{
	struct fair_line *line = *state;

	for (int i = 0; i < 4; i++)
		assert_null(add(line, "a", "a"));
	assert_string_equal(add(line, "a", "one too many"), "one too many");
	assert_string_equal(add(line, "b", "b1"), "a");
	assert_string_equal(add(line, "c", "c1"), "a");
	assert_string_equal(add(line, "d", "d1"), "a");
	assert_string_equal(add(line, "e", "e1"), "e1"); /* nobody has two */
	assert_int_equal(fair_line_count(line), 4);
	assert_next(line, "a");
	assert_next(line, "b1");
	assert_next(line, "c1");
	assert_next(line, "d1");
}

static void a_line_of_no_length_takes_nobody(void **state)
{
	struct fair_line *line = fair_line_new(0);

	(void)state;
	assert_string_equal(add(line, "a", "a1"), "a1");
	fair_line_free(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_origin_is_first_in_first_out, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(origins_take_turns, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_greedy_make_room, set_up, tear_down),
		cmocka_unit_test(a_line_of_no_length_takes_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
