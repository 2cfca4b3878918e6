#include "buffer.h"
#include "unit.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static void test_empty_is_a_string(void **state)
{
	struct buffer buffer = {0};

	(void)state;
	assert_string_equal(buffer_str(&buffer), "");
	buffer_append(&buffer, "", 0);
	assert_string_equal(buffer_str(&buffer), "");
	buffer_free(&buffer);
}

static void test_grows_and_stays_terminated(void **state)
{
	struct buffer buffer = {0};

	(void)state;
	for (int i = 0; i < 5000; i++) {
		buffer_append_char(&buffer, 'x');
		assert_int_equal(buffer.data[buffer.len], '\0');
	}
	assert_int_equal(strlen(buffer_str(&buffer)), 5000);
	buffer_free(&buffer);
}

static void test_formats_numbers(void **state)
{
	struct buffer buffer = {0};

	(void)state;
	buffer_append_int(&buffer, 0);
	buffer_append_char(&buffer, ' ');
	buffer_append_int(&buffer, LLONG_MIN);
	buffer_append_char(&buffer, ' ');
	buffer_append_int(&buffer, LLONG_MAX);
	buffer_printf(&buffer, " %s-%d", "a", 7);
	assert_string_equal(buffer_str(&buffer), "0 -9223372036854775808 9223372036854775807 a-7");
	buffer_free(&buffer);
}

static void test_consume_keeps_the_rest(void **state)
{
	struct buffer buffer = {0};

	(void)state;
	buffer_append_str(&buffer, "hello world");
	buffer_consume(&buffer, 6);
	assert_string_equal(buffer_str(&buffer), "world");
	buffer_consume(&buffer, 5);
	assert_string_equal(buffer_str(&buffer), "");
	buffer_free(&buffer);
}

static void test_take_hands_over(void **state)
{
	struct buffer buffer = {0};
	size_t len;
	char *text;

	(void)state;
	buffer_append(&buffer, "a\0b", 3);
	text = buffer_take(&buffer, &len);
	assert_int_equal(len, 3);
	assert_memory_equal(text, "a\0b", 4);
	assert_null(buffer.data);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_is_a_string),
		cmocka_unit_test(test_grows_and_stays_terminated),
		cmocka_unit_test(test_formats_numbers),
		cmocka_unit_test(test_consume_keeps_the_rest),
		cmocka_unit_test(test_take_hands_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
