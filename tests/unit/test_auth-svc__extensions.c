#include "extensions.h"

#include "unit.h"

static void ranges_are_read(void **state)
{
	static const char *const good[] = {"1000-1999", "1000-1999 3000-3999", "7",
					   "1000  2000-2999 ", NULL};
	static const char *const bad[] = {
		"",          " 1000",   "1000-",       "-1",         "2000-1000", "100-1000",
		"1000,2000", "10a-20b", "12345678901", "1000-1999x", NULL};

	(void)state;
	for (int i = 0; good[i] != NULL; i++)
		assert_true(extensions_are_ranges(good[i]));
	for (int i = 0; bad[i] != NULL; i++)
		if (extensions_are_ranges(bad[i]))
			fail_msg("'%s' passed", bad[i]);
}

static void extensions_lie_in_ranges(void **state)
{
	static const char ranges[] = "1000-1999 300-399 7";

	(void)state;
	assert_true(extensions_allow(ranges, "1000"));
	assert_true(extensions_allow(ranges, "1999"));
	assert_true(extensions_allow(ranges, "350"));
	assert_true(extensions_allow(ranges, "7"));
	assert_false(extensions_allow(ranges, "2000"));
	assert_false(extensions_allow(ranges, "999"));
	assert_false(extensions_allow(ranges, "10000"));
	assert_false(extensions_allow(ranges, "0350"));
	assert_false(extensions_allow(ranges, "1000a"));
	assert_false(extensions_allow(ranges, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_read),
		cmocka_unit_test(extensions_lie_in_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
