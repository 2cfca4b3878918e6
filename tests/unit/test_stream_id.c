#include "stream_id.h"
#include "stream_reader.h"
#include "unit.h"

#include <string.h>

static void test_compares_as_numbers(void **state)
{
	(void)state;
	assert_true(stream_id_compare("9-1", "10-0") < 0);
	assert_true(stream_id_compare("10-9", "10-10") < 0);
	assert_true(stream_id_compare("10-1", "10-1") == 0);
	assert_true(stream_id_compare("10", "10-0") == 0);
	assert_true(stream_id_compare("18446744073709551615-18446744073709551615",
				      "18446744073709551615-0") > 0);
	assert_true(stream_id_compare("nonsense", "0-0") == 0);
}

static void test_formats_what_it_parses(void **state)
{
	static const char *const ids[] = {"0-0", "1718000000000-7",
					  "18446744073709551615-18446744073709551615"};
	char text[STREAM_ID_MAX];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(stream_id_format(stream_id_parse(ids[i]), text), strlen(ids[i]));
		assert_string_equal(text, ids[i]);
	}
}

static void expect_after(uint64_t ms, uint64_t seq, int64_t wall_ms, const char *expected)
{
	char text[STREAM_ID_MAX];

	stream_id_format(stream_id_after((struct stream_id){ms, seq}, wall_ms), text);
	assert_string_equal(text, expected);
}

static void test_always_rises(void **state)
{
	(void)state;
	expect_after(5, 3, 6, "6-0");
	expect_after(5, 3, 5, "5-4");
	expect_after(5, 3, 4, "5-4");
	expect_after(5, 3, -1, "5-4");
	expect_after(0, 0, 0, "0-1");
	expect_after(5, UINT64_MAX, 5, "6-0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compares_as_numbers),
		cmocka_unit_test(test_formats_what_it_parses),
		cmocka_unit_test(test_always_rises),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
