/* The line of commands, and the commands themselves as bytes. */
#include "redis_pending.h"
#include "resp.h"
#include "unit.h"

static void test_in_order_while_it_grows_and_wraps(void **state)
{
	struct redis_pending pending = {0};
	int64_t in = 0, out = 0;

	(void)state;
	assert_null(redis_pending_oldest(&pending));
	for (int round = 0; round < 200; round++) {
		for (int i = 0; i < 37; i++, in++)
			redis_pending_push(&pending, NULL, NULL, in);
		for (int i = 0; i < 35; i++, out++) {
			assert_int_equal(redis_pending_oldest(&pending)->sent_ms, out);
			assert_int_equal(redis_pending_pop(&pending).sent_ms, out);
		}
	}
	assert_int_equal(pending.count, in - out);
	redis_pending_free(&pending);
}

static void test_bytes_of_a_command(void **state)
{
	const char *words[] = {"SET", "a\0b", ""};
	const size_t lens[] = {3, 3, 0};
	static const char expected[] = "*3\r\n$3\r\nSET\r\n$3\r\na\0b\r\n$0\r\n\r\n";
	struct buffer out = {0};

	(void)state;
	resp_command(&out, 3, words, lens);
	assert_int_equal(out.len, sizeof(expected) - 1);
	assert_memory_equal(out.data, expected, out.len);
	buffer_clear(&out);
	resp_command(&out, 1, (const char *[]){"PING"}, NULL);
	assert_string_equal(buffer_str(&out), "*1\r\n$4\r\nPING\r\n");
	buffer_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order_while_it_grows_and_wraps),
		cmocka_unit_test(test_bytes_of_a_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
