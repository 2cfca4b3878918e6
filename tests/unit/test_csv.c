#include "csv.h"
#include "unit.h"

#include <string.h>

static void test_records(void **state)
{
	static const char text[] =
		"\xef\xbb\xbf"
		"a,\"b \"\"c\"\", d\",\r\n\n\"two\nlines\",x,y\nbad\"quote,1\n,\n";
	struct csv csv;

	(void)state;
	csv_open(&csv, text, strlen(text));
	assert_int_equal(csv_next(&csv), CSV_RECORD);
	assert_int_equal(csv.count, 3);
	assert_string_equal(csv.fields[1], "b \"c\", d");
	assert_string_equal(csv.fields[2], "");
	assert_int_equal(csv_next(&csv), CSV_RECORD);
	assert_int_equal(csv.line, 3);
	assert_string_equal(csv.fields[0], "two\nlines");
	assert_int_equal(csv_next(&csv), CSV_MALFORMED);
	assert_int_equal(csv.line, 5);
	assert_int_equal(csv_next(&csv), CSV_RECORD);
	assert_int_equal(csv.count, 2);
	assert_int_equal(csv_next(&csv), CSV_END);
	csv_close(&csv);
}

static void test_formulas(void **state)
{
	static const char *const formulas[] = {"=1+1", "@x", "+A1", "-1+1", "\tx", "\rx", "+49 30"};
	static const char *const texts[] = {"", "x=1", "+4930", "-7", "'=1", " =1"};
	struct buffer out = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(formulas) / sizeof(formulas[0]); i++)
		assert_true(csv_is_formula(formulas[i]));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(csv_is_formula(texts[i]));
	csv_put(&out, "=\"x\"");
	csv_put(&out, "a\"b");
	csv_put(&out, "+4930");
	assert_string_equal(buffer_str(&out), "\"'=\"\"x\"\"\"\"a\"\"b\"\"+4930\"");
	assert_string_equal(csv_unguard("'=x"), "=x");
	assert_string_equal(csv_unguard("'x"), "'x");
	buffer_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_formulas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
