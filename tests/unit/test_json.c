#include "json.h"
#include "unit.h"
#include "utf8.h"

#include <string.h>

static void assert_escaped(const char *text, size_t len, const char *expected)
{
	struct buffer out = {0};

	json_escape(&out, text, len);
	assert_string_equal(buffer_str(&out), expected);
	buffer_free(&out);
}

static void test_escape(void **state)
{
	(void)state;
	assert_escaped("", 0, "\"\"");
	assert_escaped("a\"b\\c", 5, "\"a\\\"b\\\\c\"");
	assert_escaped("\r\n\t", 3, "\"\\r\\n\\t\"");
	assert_escaped("\x01\0\x7f", 3, "\"\\u0001\\u0000\\u007f\"");
	assert_escaped("\xD0\x98", 2, "\"\xD0\x98\"");
	assert_escaped("\xFF\xFEz", 3, "\"\xEF\xBF\xBD\xEF\xBF\xBDz\"");
	assert_escaped("\xD0", 1, "\"\xEF\xBF\xBD\"");
	assert_escaped("\xED\xA0\x80", 3, "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

static void test_writer_puts_commas(void **state)
{
	struct buffer out = {0};
	struct json_writer json = json_writer_init(&out);

	(void)state;
	json_begin_object(&json);
	json_field_str(&json, "a", "x");
	json_key(&json, "b");
	json_begin_array(&json);
	json_int(&json, -1);
	json_bool(&json, true);
	json_null(&json);
	json_begin_object(&json);
	json_end_object(&json);
	json_end_array(&json);
	json_field_raw(&json, "c", "{\"d\":1}");
	json_field_str(&json, "e", NULL);
	json_end_object(&json);
	assert_string_equal(buffer_str(&out),
			    "{\"a\":\"x\",\"b\":[-1,true,null,{}],\"c\":{\"d\":1},\"e\":null}");
	buffer_free(&out);
}

static void assert_refused(const char *text, size_t len)
{
	const char *error = NULL;

	assert_null(json_parse(text, len, &error));
	assert_non_null(error);
}

static void test_parse_refuses(void **state)
{
	char deep[100];

	(void)state;
	assert_refused("", 0);
	assert_refused("{", 1);
	assert_refused("{} x", 4);
	assert_refused("{}\0", 3);
	assert_refused("{\"a\":\"\xFF\"}", 9);
	assert_refused("{\"a\":\"\\u0000\"}", 14);
	assert_refused("{\"a\":\"\n\"}", 9);
	memset(deep, '[', sizeof(deep));
	assert_refused(deep, sizeof(deep));
}

static void test_parse_reads_no_further_than_len(void **state)
{
	static const char text[] = "{\"a\":\"[[\\\"{\"} garbage";
	const char *error = NULL;
	cJSON *value = json_parse(text, strlen(text) - strlen(" garbage"), &error);

	(void)state;
	assert_non_null(value);
	assert_string_equal(json_get_str(value, "a"), "[[\"{");
	cJSON_Delete(value);
}

static void test_typed_getters(void **state)
{
	static const char text[] = "{\"i\":42,\"f\":1.5,\"big\":1e30,\"s\":\"x\",\"b\":true}";
	const char *error = NULL;
	cJSON *value = json_parse(text, strlen(text), &error);

	(void)state;
	assert_int_equal(json_get_int(value, "i", -1), 42);
	assert_int_equal(json_get_int(value, "f", -1), -1);
	assert_int_equal(json_get_int(value, "big", -1), -1);
	assert_int_equal(json_get_int(value, "s", -1), -1);
	assert_null(json_get_str(value, "i"));
	assert_true(json_get_bool(value, "b", false));
	assert_false(json_get_bool(value, "none", false));
	cJSON_Delete(value);
}

static void test_utf8(void **state)
{
	(void)state;
	assert_int_equal(utf8_sequence("a", 1), 1);
	assert_int_equal(utf8_sequence("\xF0\x9F\x98\x80", 4), 4);
	assert_int_equal(utf8_sequence("\xF0\x9F\x98\x80", 3), 0);
	assert_int_equal(utf8_sequence("\xC0\x80", 2), 0);
	assert_int_equal(utf8_sequence("\xE0\x80\x80", 3), 0);
	assert_int_equal(utf8_sequence("\xF4\x90\x80\x80", 4), 0);
	assert_true(utf8_valid("\xEF\xBF\xBD ok", 6));
	assert_false(utf8_valid("ok \x80", 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_writer_puts_commas),
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_parse_reads_no_further_than_len),
		cmocka_unit_test(test_typed_getters),
		cmocka_unit_test(test_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
